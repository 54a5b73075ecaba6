"""Tell when each requirement was met; what no record tells is said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.app.replay.records import Records
from bot.app.replay.values import Milestone, When
from bot.assessment import Assessment, Finding, RoleHeld, Verdict
from bot.evidence import Tenure
from bot.merge_request import MergeRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that the milestones of one nomination are told from."""

    merge_request: MergeRequest
    assessment: Assessment
    records: Records


def date_requirement(finding: Finding, scene: Scene) -> Milestone:
    """Tell when a requirement was met or waived."""
    requirement = finding.requirement
    told = Milestone(
        id=requirement.id,
        title=requirement.title,
        actor=requirement.actor,
        state=finding.verdict.value,
        blocking=requirement.blocking,
    )
    if finding.waiver:
        return replace(told, at=finding.waiver.at, who=finding.waiver.by)
    if finding.verdict is not Verdict.MET:
        return replace(told, reason=finding.reason)
    date = _DATES.get(requirement.rule.kind, _date_nothing)
    when = date(finding, scene)
    return replace(told, at=when.at, by_then=when.by_then, reason=when.reason)


def _date_counted(finding: Finding, _: Scene) -> When:
    """Tell when the merge request was merged that made it enough."""
    times = sorted(merged.merged_at for merged in finding.counted)
    needed = finding.needed or 0
    if not times or len(times) < needed:
        return When(reason="GitLab did not list enough of what it counted")
    whole = not finding.at_least and finding.found == len(times)
    return When(at=times[max(needed, 1) - 1], by_then=not whole)


def _date_attested(finding: Finding, scene: Scene) -> When:
    """Tell when the nominee had stated the last of the topics."""
    left = {part.role.casefold() for part in finding.parts}
    name = scene.assessment.nomination.username.casefold()
    for event in scene.records.events:
        verb, _, named = event.words.casefold().partition(" ")
        is_own = event.kind == "command" and (event.by or "").casefold() == name
        if is_own and verb == "attest" and event.outcome == "heeded":
            topics = named.replace(",", " ").split()
            left = set() if "all" in topics else left - {topic.strip("`.,:;!?") for topic in topics}
        if not left:
            return When(at=event.at)
    return When(reason="the comments that state it are not all told")


def _date_assigned(finding: Finding, scene: Scene) -> When:
    """Tell when the last of those who must be was assigned."""
    people = [part for part in finding.parts if part.state == "assigned" and part.name]
    times = {part.name: scene.records.assigned_at(part.name or "") for part in people}
    missing = [name for name, at in times.items() if at is None]
    if missing:
        return When(
            reason=f"GitLab did not note when {missing[0]} was assigned; it notes nothing of those "
            "who were when it was opened"
        )
    managers = [at for p in people if p.role == "manager" and (at := times[p.name])]
    others = sorted(at for p in people if p.role != "manager" and (at := times[p.name]))
    needed = max((finding.needed or 0) - len(managers), 0)
    return When(at=max((*managers, *others[:needed]), default=None))


def _date_approved(finding: Finding, scene: Scene) -> When:
    """Tell when the last approval came that was needed."""
    names = [part.name or "" for part in finding.parts if part.state == "approved"]
    known = sorted(at for name in names if (at := scene.records.approved_at(name)))
    needed = finding.needed or 0
    if len(known) < max(needed, 1):
        return When(reason="GitLab did not note all of the approvals")
    return When(at=known[needed - 1])


def _date_open_for(finding: Finding, scene: Scene) -> When:
    """Tell when it had been open long enough, where nothing began its time anew."""
    anew = {"pushed", "closed", "reopened"}
    events = scene.records.events
    retargeted = any(e.words.casefold().startswith("changed target branch") for e in events)
    if scene.records.unknown or retargeted or any(event.kind in anew for event in events):
        return When(reason="what was pushed, reopened or retargeted may have begun its time anew")
    return When(at=scene.merge_request.created_at + timedelta(days=finding.needed or 0))


def _date_role_held(finding: Finding, scene: Scene) -> When:
    """Tell since when the role before is held, where another requirement took its history."""
    rule = finding.requirement.rule
    for other in scene.assessment.findings:
        since_role = getattr(other.requirement.rule, "since_role", None)
        if isinstance(rule, RoleHeld) and since_role == rule.role:
            stage = other.stage
            if isinstance(stage, Tenure) and stage.since:
                return When(at=stage.since, by_then=stage.at_least)
    return When(reason="the history of the entry was not looked through for it")


def _date_nothing(_: Finding, __: Scene) -> When:
    return When(reason="nothing that GitLab keeps tells when")


# By the word for the kind in a policy; of others nothing that GitLab keeps tells when.
_DATES: Mapping[str, Callable[[Finding, Scene], When]] = {
    "authored_merge_requests": _date_counted,
    "reviewed_merge_requests": _date_counted,
    "authored_or_reviewed": _date_counted,
    "attested": _date_attested,
    "assigned": _date_assigned,
    "approved_by": _date_approved,
    "open_for": _date_open_for,
    "role_held": _date_role_held,
}
