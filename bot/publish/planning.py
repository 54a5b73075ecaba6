"""Plan all writes for what was found: gate, comment, emoji and mark."""

from collections.abc import Callable, Collection, Mapping

from bot.evidence import Fact, Need
from bot.publish.gate import GateChoice, GateKind, gate_needs, has_posted
from bot.publish.gate_plan import plan_gate
from bot.publish.offering import tell_move
from bot.publish.plan import (
    Plan,
    find_own_notes,
    plan_emoji,
    plan_note,
    plan_reminder,
    plan_stale_emoji,
)
from bot.report import Findings, Report
from bot.unread import Unread


def plan_writes(
    findings: Findings,
    known: Mapping[Need, Fact],
    render: Callable[[str | None], Report],
    choice: GateChoice,
    former_ids: Collection[int],
) -> tuple[Report | None, Plan]:
    """Plan what makes GitLab show the findings; return the report, too, where one is shown.

    `render` writes the report, given what keeps the gate from being set, if anything does.
    """
    # One function: it fills one value, a plan, field by field.
    merge_request = findings.merge_request
    own = find_own_notes(merge_request, former_ids)
    spoken = bool(own) or _has_something_to_say(findings)
    posted = has_posted(merge_request, known, choice, former_ids)
    if not (spoken or posted or findings.awaited or choice.kind is GateKind.STATUS_CHECK):
        return None, Plan(watch=_deserves_watch(findings))
    report = render(None)
    unread = any(isinstance(known.get(n), Unread) for n in gate_needs(merge_request, choice))
    gate, problem = plan_gate(findings, report.gate, known, choice)
    if problem:
        report = render(problem)
    body, note_id = plan_note(report, own) if spoken else (None, None)
    me = merge_request.me.id
    steps = [step for each in findings.assessments for step in each.steps]
    return report if spoken else None, Plan(
        gate=gate,
        gate_problem=problem,
        gate_unread=bool(problem) and unread,
        body=body,
        note_id=note_id,
        stored=own[0].body if own else "",
        extra_notes=tuple(n.id for n in own[1:] if n.author and n.author.id == me),
        emoji=plan_emoji(findings.replay.answers, merge_request.notes),
        stale_emoji=plan_stale_emoji(findings.replay.answers, merge_request.notes),
        watch=_deserves_watch(findings),
        moves=tuple(told for step in steps for told in tell_move(step, step.move)),
        before=plan_reminder(report, own) if body is not None else None,
    )


def _has_something_to_say(findings: Findings) -> bool:
    asked = findings.asked
    near_miss = any(remark.near_miss for remark in findings.detection.remarks)
    unread = bool(findings.detection.unread or findings.unknown)
    elsewhere = findings.view == "elsewhere"
    if findings.merge_request.state not in {"opened", "locked"} and not asked:
        # Nobody is told about merge requests that were over before the bot came.
        return bool(findings.assessments) and findings.merge_request.state == "merged"
    return bool(findings.assessments) or elsewhere or near_miss or unread or asked


def _deserves_watch(findings: Findings) -> bool:
    """Return whether the sweep must be able to find this merge request from now on."""
    merge_request = findings.merge_request
    if merge_request.watched or merge_request.state == "closed":
        return False
    # One into another branch may get a comment, which the bot knows again by this mark.
    may_change = merge_request.counts or findings.view == "elsewhere"
    return not is_over(findings) and (
        bool(findings.assessments) or (may_change and merge_request.state == "opened")
    )


def is_over(findings: Findings) -> bool:
    """Return whether nothing is left that the sweep could find changed."""
    if findings.unknown or findings.detection.unread:
        return False
    if findings.merge_request.state == "merged":
        return all(assessment.done for assessment in findings.assessments)
    # What the target branch becomes can make a merge give a role that is on one side alone.
    # Where the guard was told to let it pass, silence does not keep that shut any more.
    at_stake = findings.detection.at_stake or (findings.detection.named and findings.awaited)
    may_change = at_stake and findings.merge_request.state != "closed"
    return findings.view == "nobody" and not may_change
