"""The merge request is assigned to the people who decide."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from bot.assessment.findings import Case, Finding, Part, Verdict
from bot.assessment.kinds.kind import RequirementKind
from bot.policy import Requirement
from bot.policy.grammar import Contradiction, Key, Switch, Whole
from bot.unread import Unread, join_reasons
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned(RequirementKind):
    """Ask that the merge request is assigned to the manager, and to this many maintainers."""

    kind = "assigned"
    about = (
        "The merge request is assigned to the people who decide. Where no maintainers are asked "
        "for, the manager merges it."
    )
    later = True
    effort = 1
    turn = "author"  # who can assign people

    manager: Annotated[bool, Key(Switch(), "Whether the nominee's manager must be an assignee.")]
    maintainers: Annotated[
        int,
        Key(Whole(least=0, most=100), "How many present maintainers must be assignees, at least."),
    ]

    @classmethod
    def contradictions(cls, values: Mapping[str, Any]) -> Iterator[Contradiction]:
        """Find a rule that asks for nobody."""
        if values.get("manager") is False and values.get("maintainers") == 0:
            yield Contradiction(
                at=("maintainers",),
                what="an `assigned` requirement asks for nobody",
                found="manager: false and maintainers: 0",
                expected="at least one person",
            )

    def judge(self, case: Case, requirement: Requirement) -> Finding:
        """Look for the people among the assignees."""
        assignees = {p.key for p in case.merge_request.assignees if p.active and not p.bot}
        reviewers = {p.key for p in case.merge_request.reviewers}
        parts: list[Part] = []
        if self.manager:
            parts.append(_manager_part(case, assignees, reviewers))
        if self.maintainers:
            parts.extend(_maintainer_parts(case, self.maintainers, assignees))
        states = {part.state for part in parts}
        if states <= {"assigned"}:
            verdict = Verdict.MET
        elif "unknown" in states and states <= {"assigned", "unknown"}:
            verdict = Verdict.UNKNOWN
        else:
            verdict = Verdict.UNMET
        assigned = [part.role for part in parts if part.state == "assigned"]
        reasons = [part.name or "" for part in parts if part.state == "unknown"]
        return Finding(
            requirement=requirement,
            verdict=verdict,
            # More maintainers than needed do not make up for the manager.
            found=assigned.count("manager") + min(assigned.count("maintainer"), self.maintainers),
            needed=int(self.manager) + self.maintainers,
            parts=tuple(parts),
            reason=join_reasons(reasons),
        )


def _manager_part(case: Case, assignees: set[str], reviewers: set[str]) -> Part:
    manager = case.evidence.manager
    if isinstance(manager, Unread):
        return Part(role="manager", name=manager.reason, state="unknown")
    if manager.username is None:
        return Part(role="manager", name=manager.missing, state="none")
    key = manager.username.casefold()
    if key == case.nomination.username.casefold():
        state = "is_nominee"
    elif key in assignees:
        # Anybody may take a name that was freed.
        state = "stranger" if key in case.strangers else "assigned"
    elif any(person.key == key for person in case.merge_request.assignees):
        state = "inactive"
    else:
        state = "reviewer_only" if key in reviewers else "missing"
    return Part(role="manager", name=manager.username, state=state)


def _maintainer_parts(case: Case, needed: int, assignees: set[str]) -> list[Part]:
    maintainers = case.maintainers()
    if isinstance(maintainers, Unread):
        return [Part(role="maintainer", name=maintainers.reason, state="unknown")]
    nominee = case.nomination.username.casefold()
    others = [m for m in maintainers if m.casefold() != nominee]
    assigned = [m for m in others if m.casefold() in assignees]
    parts = [Part(role="maintainer", name=m, state="assigned") for m in assigned]
    absent = Part(role="maintainer", name=None, state="missing" if others else "none")
    return parts + [absent] * (needed - len(assigned))


def find_merging_manager(findings: Iterable[Finding]) -> str | None:
    """Return the manager where they are all that a policy has it assigned to: they merge it."""
    found = [(each, each.requirement.rule) for each in findings]
    asked = [(each, rule) for each, rule in found if isinstance(rule, Assigned)]
    if any(rule.maintainers for _, rule in asked):
        return None
    parts = (part for each, _ in asked for part in each.parts if part.state == "assigned")
    return next((part.name for part in parts), None)
