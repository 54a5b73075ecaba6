"""The sentence: event, nomination, evidence, assessment, report, publish."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from bot.assessment import assess_all, find_context
from bot.commands import is_asked, replay, wants_push_time
from bot.evidence import (
    Aftermath,
    Fact,
    Need,
    Proposal,
    Rules,
    Source,
    VersionsOf,
    choose_subjects,
    entry_paths,
    gather_at_once,
    look_back,
    needs_ahead,
    propose,
)
from bot.merge_request import MergeRequest
from bot.policy import BrokenPolicy, Policy
from bot.publish import (
    GateChoice,
    GateKind,
    Plan,
    Problem,
    find_own_notes,
    gate_needs,
    is_judged,
    may_be_awaited,
    past_needs,
    plan_writes,
    was_open,
)
from bot.report import Findings, Report, Words, render_report
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What an evaluation follows: the operator's choices.

    With `observe` nothing is ever written.
    """

    policies: tuple[Policy, ...]
    words: Words
    gate: GateChoice
    command: str
    former_ids: frozenset[int]
    broken: tuple[BrokenPolicy, ...] = ()
    observe: bool = False

    @property
    def rules(self) -> Rules:
        """Return the policies, with what is known of those with mistakes."""
        return Rules(policies=self.policies, broken=self.broken)

    @property
    def only_reading(self) -> "Choices":
        """Return the choices of what only reads: it has no gate, and none to read."""
        return replace(self, gate=GateChoice(kind=GateKind.NONE, name=self.gate.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at one merge request, or at the list of them, came to.

    `notices` tell what is no fault of the look, such as a gate that cannot be set there; `missing`
    is one that was not found.
    """

    iid: int | None
    problems: tuple[Problem, ...]
    notices: tuple[str, ...] = ()
    missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was found for one merge request, and the writes that make GitLab show it.

    `again` tells of the open merge requests that were looked at again because this one was merged,
    and `replan` plans the writes for other findings.
    """

    findings: Findings
    report: Report | None
    plan: Plan
    now: datetime
    replan: Callable[[Findings], tuple[Report | None, Plan]]
    again: tuple[Look, ...] = ()

    @property
    def merge_request(self) -> MergeRequest:
        """Return the merge request that all of this is about."""
        return self.findings.merge_request


def evaluate_once(
    merge_request: MergeRequest, choices: Choices, gitlab: Source, now: datetime, *, last: bool
) -> Evaluation | None:
    """Evaluate once; None when the merge request changed meanwhile.

    What was read before a change and what was read after it may never have been true together.
    The last time this is unknown, but for a head that moved.
    """
    # One function: this is the sentence, whose words say little out of their order.
    own = find_own_notes(merge_request, choices.former_ids)
    awaited = may_be_awaited(merge_request, choices.gate, choices.rules.globs)
    proposal = _propose(merge_request, choices, gitlab, now, is_known=bool(own))
    known = proposal.changes.facts
    look, doubts = choose_subjects(proposal, choices.rules, gitlab, now)
    if merge_request.state == "merged":
        look = _look_back(look, proposal, choices, gitlab)
    gathered = gather_at_once(look, proposal, gitlab, last=last)
    if gathered is None:
        return None
    evidence, earlier, missing = gathered
    context = find_context(merge_request, look.subjects, evidence, known)
    beside, former = proposal.detection.beside, choices.former_ids
    context = replace(context, beside=beside, former_ids=former)
    replayed = replay(merge_request.notes, context, choices.command, earlier)
    findings = Findings(
        merge_request=merge_request,
        detection=proposal.detection,
        assessments=assess_all(look, evidence, replayed, choices.policies),
        replay=replayed,
        unknown=(*proposal.unknown, *doubts, *missing, *replayed.doubts),
        gate_url=own[0].url if own else None,
        gated=choices.gate.kind is not GateKind.NONE,
        asked=is_asked(merge_request.notes, choices.command),
        awaited=awaited,
    )
    replan = partial(_plan, choices=choices, known=known, now=now)
    report, plan = replan(findings)
    return Evaluation(findings=findings, report=report, plan=plan, now=now, replan=replan)


def _propose(
    merge_request: MergeRequest, choices: Choices, gitlab: Source, now: datetime, *, is_known: bool
) -> Proposal:
    """Find who is nominated; what that takes whoever it is, is asked for with the entries."""
    is_relevant = is_judged(merge_request, choices.gate)
    gate = gate_needs(merge_request, choices.gate)
    past = past_needs(merge_request, choices.gate) if merge_request.state == "merged" else ()
    asked = is_asked(merge_request.notes, choices.command)
    by_push = wants_push_time(merge_request.notes, choices.command)
    spoken = is_known or asked or choices.gate.kind is GateKind.STATUS_CHECK
    paths = entry_paths(merge_request, choices.rules) if is_relevant else None
    needs: set[Need] = set()
    if paths or spoken or merge_request.changed_paths is None:
        needs |= set(gate)
    if paths:
        needs |= {*past, *needs_ahead(merge_request, choices.policies, now)}
        needs |= {VersionsOf.of(merge_request)} if by_push else set()
    return propose(merge_request, paths, choices.rules, gitlab, needs)


def _look_back(look: Aftermath, proposal: Proposal, choices: Choices, gitlab: Source) -> Aftermath:
    merge_request, known = look.merge_request, proposal.changes.facts
    accounts = {merge_request.me.id, *choices.former_ids}
    passed = was_open(merge_request, known, choices.gate, accounts)
    return look_back(replace(look, passed=passed), known, gitlab, choices.command)


def _plan(
    findings: Findings, choices: Choices, known: Mapping[Need, Fact], now: datetime
) -> tuple[Report | None, Plan]:
    render = partial(render_report, findings, choices.words, now)
    return plan_writes(findings, known, render, choices.gate, choices.former_ids)
