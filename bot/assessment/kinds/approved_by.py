"""The merge request is approved by the people who decide."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from bot.assessment.findings import Case, Finding, Part, Verdict
from bot.assessment.kinds.kind import RequirementKind, unknown
from bot.evidence import Manager, Timing
from bot.policy import Requirement
from bot.policy.grammar import Choice, Contradiction, Key, Whole
from bot.unread import Unread
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedBy(RequirementKind):
    """Ask for approvals by `maintainers` or by the `manager`."""

    kind = "approved_by"
    about = "The merge request is approved by the people who decide."
    timed = True
    later = True
    effort = 3
    words: ClassVar = {
        "needed": "{{ finding.needed }}"
        "{% if rule.share is not none %} (over {{ rule.share }}&nbsp;%){% endif %}",
        "next_step": "{% set more = finding.needed - finding.found %}"
        "{% if rule.by == 'manager' %}the manager approves{% else %}"
        "{{ more }} more maintainer{% if more == 1 %} approves{% else %}s approve{% endif %}"
        "{% endif %} this merge request.",
    }

    at_least: Annotated[int, Key(Whole(least=1, most=100), "How many must approve.")]
    by: Annotated[
        str,
        Key(
            Choice(words={"maintainers": "maintainers", "manager": "manager"}),
            "Whose approvals count; never the nominee's own.",
        ),
    ]

    share: Annotated[
        int | None,
        Key(
            Whole(least=0, most=99),
            "More than this percentage of the present maintainers must approve as well: 50 is more"
            " than half. The nominee is never one of them.",
        ),
    ] = None

    @classmethod
    def contradictions(cls, values: Mapping[str, Any]) -> Iterator[Contradiction]:
        """Find a rule that asks one person to approve twice, or for a share of one person."""
        at_least = values.get("at_least", 1)
        if values.get("by") == "manager" and at_least > 1:
            yield Contradiction(
                at=("at_least",),
                what="a nominee has one manager",
                found=f"at_least: {at_least}",
                expected="at_least: 1",
            )
        if values.get("by") == "manager" and values.get("share") is not None:
            yield Contradiction(
                at=("share",),
                what="a nominee has one manager",
                found=f"share: {values['share']}",
                expected="no such key, or by: maintainers",
            )

    def judge(self, case: Case, requirement: Requirement) -> Finding:
        """Count the approvals that stand and are of what is proposed now."""
        nominee = case.nomination.username.casefold()
        people = [p for p in case.merge_request.approved_by if p.active and not p.bot]
        approvers = {p.key: p.username for p in people}
        approvers.pop(nominee, None)
        counting = _counting_approvers(case, self.by)
        if isinstance(counting, Unread):
            return unknown(requirement, self.at_least, counting.reason)
        keys = {name.casefold() for name in counting} - {nominee}
        needed = max(self.at_least, _more_than(self.share, len(keys)))
        parts = tuple(
            Part(
                role=self.by,
                name=name,
                state=_approver_state(case, self.by, key) if key in keys else "other",
            )
            for key, name in approvers.items()
        )
        states = [part.state for part in parts]
        found, undated = states.count("approved"), states.count("undated")
        verdict, reason = Verdict.UNMET, None
        if found >= needed:
            verdict = Verdict.MET
        elif found + undated >= needed:
            verdict, reason = Verdict.UNKNOWN, _why_undated(case.subject.timing)
        return Finding(
            requirement=requirement,
            verdict=verdict,
            found=found,
            needed=needed,
            parts=parts,
            reason=reason,
        )

    def find_actor(self, _: Requirement) -> str:
        """Name whose approvals count."""
        return "manager" if self.by == "manager" else "approver"


def _approver_state(case: Case, by: str, key: str) -> str:
    # Anybody may take a name that was freed.
    is_stranger = by == "manager" and key in case.strangers
    return "stranger" if is_stranger else _approval_state(case.subject.timing, key)


def _more_than(share: int | None, people: int) -> int:
    """Return the least number that is more than a percentage of some people."""
    return 0 if share is None else people * share // 100 + 1


def _approval_state(timing: Timing | Unread, key: str) -> str:
    """Return whether somebody's approval, which stands, is one of what is proposed now.

    A push does not take approvals away in every project; times are whole seconds.
    """
    if isinstance(timing, Unread) or key not in timing.approved:
        return "undated"
    is_present = timing.approved[key] > timing.settled.replace(microsecond=0)
    return "approved" if is_present else "outdated"


def _why_undated(timing: Timing | Unread) -> str:
    if isinstance(timing, Unread):
        return timing.reason
    return "GitLab does not tell when some approvals were given"


def _counting_approvers(case: Case, by: str) -> tuple[str, ...] | Unread:
    if by == "maintainers":
        return case.maintainers()
    manager = case.evidence.manager
    if isinstance(manager, Manager):
        return (manager.username,) if manager.username else ()
    return manager
