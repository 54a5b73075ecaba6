"""What the board shows of nominations: who waits on whom, and what is left after the merge."""

from collections.abc import Iterator

from bot.app import Evaluation
from bot.app.board.values import Bar, Granted, OpenStep, Waiting
from bot.assessment import (
    Assessment,
    Finding,
    State,
    Verdict,
    conceal,
    find_merging_manager,
    how_they_went,
)
from bot.evidence import Manager
from bot.report import GateState, find_since, is_obstructed, steps_in_order

# What the author mends before somebody can merge.
_MENDING = {
    "source project": "Open a new merge request: the project of these changes was deleted",
    "source branch": "Push the deleted source branch again",
    "conflicts": "Solve the merge conflicts",
    "draft": "Mark it as ready",
}


def show_open(evaluation: Evaluation) -> Iterator[tuple[str, Waiting]]:
    """Yield the nominations of an open merge request, each with the id of its policy."""
    merge_request = evaluation.merge_request
    for told in map(conceal, evaluation.findings.assessments):
        state, actor, people, step = _find_next(evaluation, told)
        changed = find_since(told) or merge_request.updated_at or merge_request.created_at
        yield (
            told.policy.id,
            Waiting(
                username=told.nomination.username,
                url=merge_request.web_url,
                iid=merge_request.iid,
                opened_at=merge_request.created_at,
                unchanged_since=changed,
                state=state,
                actor=actor,
                people=people,
                step=step,
                bars=show_bars(told.findings),
                missing=tuple(finding.requirement.title for finding in told.open_findings),
                outcomes=how_they_went(told.findings),
            ),
        )


def show_merged(evaluation: Evaluation) -> Iterator[tuple[str, Granted]]:
    """Yield the nominations of a merged one with steps left, each with the id of its policy."""
    merge_request = evaluation.merge_request
    for told in map(conceal, evaluation.findings.assessments):
        if told.done or merge_request.merged_at is None:
            continue
        steps = tuple(
            OpenStep(title=step.follow_up.title, state=step.state.value, actor=step.follow_up.actor)
            for step in told.steps
            if step.state is not State.DONE
        )
        yield (
            told.policy.id,
            Granted(
                username=told.nomination.username,
                url=merge_request.web_url,
                iid=merge_request.iid,
                merged_at=merge_request.merged_at,
                steps=steps,
            ),
        )


def show_bars(findings: tuple[Finding, ...]) -> tuple[Bar, ...]:
    """Show what can be counted: the numbers alone, whoever may see what was counted."""
    return tuple(
        Bar(
            title=finding.requirement.title,
            found=finding.found,
            needed=finding.needed,
            more=finding.at_least,
            state=finding.verdict.value,
            blocking=finding.requirement.blocking,
        )
        for finding in findings
        if finding.found is not None and finding.needed
    )


def _find_next(evaluation: Evaluation, told: Assessment) -> tuple[str, str, tuple[str, ...], str]:
    """Find the state, who acts next, their names where they are known, and what they do."""
    hold = evaluation.findings.replay.held
    if hold:
        return "held", "whoever holds it", (hold.by,), "Release it"
    steps = steps_in_order(told)
    assigned = _assigned(evaluation, told)
    merge_request = evaluation.merge_request
    if steps and not is_obstructed(told, merge_request):
        finding = steps[0]
        actor = finding.requirement.actor
        state = "unknown" if finding.verdict is Verdict.UNKNOWN else "waiting"
        return state, actor, _people(actor, told, assigned), finding.requirement.title
    gate = evaluation.report.gate if evaluation.report else None
    if not steps and (gate is None or gate.state is not GateState.PASSED):
        return "unknown", "nobody yet", (), "Something could not be read"
    mending = _MENDING.get(merge_request.obstacle or ("draft" if merge_request.draft else ""))
    if mending:
        author = (merge_request.author.username,) if merge_request.author else ()
        return "waiting", "author", author, mending
    manager = find_merging_manager(told.findings)
    if manager:
        return "ready", "manager", (manager,), "Merge it"
    return "ready", "maintainer", assigned, "Merge it"


def _people(actor: str, told: Assessment, assigned: tuple[str, ...]) -> tuple[str, ...]:
    if actor == "nominee":
        return (told.nomination.username,)
    if actor == "manager":
        manager = told.manager
        return (manager.username,) if isinstance(manager, Manager) and manager.username else ()
    return assigned


def _assigned(evaluation: Evaluation, told: Assessment) -> tuple[str, ...]:
    """Return the maintainers that the merge request is assigned to, where they may be named."""
    known = {name.casefold() for name in told.maintainers or ()}
    return tuple(p.username for p in evaluation.merge_request.assignees if p.key in known)
