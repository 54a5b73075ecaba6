"""Put the history of a nomination together."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from bot.app import Evaluation
from bot.app.replay.milestones import Scene, date_requirement
from bot.app.replay.records import Records, read_records
from bot.app.replay.steps import date_steps
from bot.app.replay.values import History, Milestone, Told, Waiting, days_between
from bot.assessment import Assessment, find_merging_manager, how_they_went
from bot.evidence import Source

OPEN_STATES = frozenset({"unmet", "unknown", "open"})


def trace(evaluation: Evaluation, word: str, source: Source) -> Told:
    """Tell the history of the nominations of a merge request that was evaluated.

    `word` is that of the bot's commands.
    """
    merge_request = evaluation.merge_request
    records = read_records(merge_request, evaluation.findings.replay, word, source)
    nominations = [
        _trace_one(each, evaluation, records, source) for each in evaluation.findings.assessments
    ]
    return Told(
        project=merge_request.project,
        iid=merge_request.iid,
        url=merge_request.web_url,
        state=merge_request.state,
        opened_at=merge_request.created_at,
        merged_at=merge_request.merged_at,
        events=records.events,
        nominations=tuple(nominations),
        unknown=(*records.unknown, *evaluation.findings.unknown),
    )


def _trace_one(
    assessment: Assessment, evaluation: Evaluation, records: Records, source: Source
) -> History:
    merge_request, nomination = evaluation.merge_request, assessment.nomination
    scene = Scene(merge_request=merge_request, assessment=assessment, records=records)
    asked = (each for each in assessment.findings if not each.requirement.rule.evidence)
    requirements = tuple(date_requirement(each, scene) for each in asked)
    merged_at = merge_request.merged_at
    steps = date_steps(assessment, source) if merged_at else ()
    blocking = [each for each in requirements if each.blocking]
    ready_at = _last_of(blocking, merge_request.created_at)
    waiting = [
        *_before(blocking, ready_at, assessment, evaluation),
        *wait_after(steps, merged_at, evaluation.now),
    ]
    return History(
        username=nomination.username,
        project=nomination.project,
        role=nomination.role,
        policy=assessment.policy.label,
        policy_id=assessment.policy.id,
        requirements=requirements,
        follow_ups=steps,
        waiting=tuple(waiting),
        outcomes=how_they_went(assessment.findings),
    )


def _before(
    blocking: Iterable[Milestone],
    ready_at: datetime | None,
    assessment: Assessment,
    evaluation: Evaluation,
) -> Iterator[Waiting]:
    """Tell for whom it waited from opening to merge: as long as anything of theirs was open."""
    merge_request = evaluation.merge_request
    opened, end = merge_request.created_at, merge_request.merged_at or evaluation.now
    by_actor: dict[str, list[Milestone]] = {}
    for each in blocking:
        by_actor.setdefault(each.actor, []).append(each)
    for actor, found in by_actor.items():
        waiting = _wait(f"{actor}, before it was ready", found, (opened, end))
        without = waiting.end == "open" and merge_request.merged_at
        yield replace(waiting, end="never") if without else waiting
    if ready_at:
        days = days_between(ready_at, end)
        state = "over" if merge_request.merged_at else "open"
        merger = "manager" if find_merging_manager(assessment.findings) else "maintainer"
        yield Waiting(actor=f"{merger}, to merge it", days=days, end=state)


def wait_after(
    steps: Iterable[Milestone], merged_at: datetime | None, now: datetime
) -> Iterator[Waiting]:
    """Tell for whom it waited after the merge."""
    by_actor: dict[str, list[Milestone]] = {}
    for each in steps:
        if each.state != "manual":
            by_actor.setdefault(each.actor, []).append(each)
    for actor, found in by_actor.items():
        yield _wait(f"{actor}, after the merge", found, (merged_at or now, now))


def _wait(actor: str, found: list[Milestone], span: tuple[datetime, datetime]) -> Waiting:
    start, end = span
    if any(each.state in OPEN_STATES for each in found):
        unsure = any(each.state == "unknown" for each in found)
        reason = "what is open could not be read" if unsure else None
        days = None if unsure else days_between(start, end)
        return Waiting(actor=actor, days=days, end="open", reason=reason)
    last = _last_of(found, start)
    if last is None:
        names = ", ".join(each.id for each in found if _last_of([each], start) is None)
        return Waiting(actor=actor, days=None, reason=f"not known when it was met: {names}")
    return Waiting(actor=actor, days=days_between(start, min(last, end)))


def _last_of(milestones: Iterable[Milestone], start: datetime) -> datetime | None:
    """Return when the last of some was there; None where any is not known."""
    last = start
    for each in milestones:
        if each.at is None or (each.by_then and each.at > start):
            return None
        last = max(last, each.at)
    return last
