"""The merge request has been open for some days."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar

from bot.assessment.findings import Case, Finding, Verdict
from bot.assessment.kinds.kind import RequirementKind, unknown
from bot.policy import Requirement
from bot.policy.grammar import Choice, Key, Whole
from bot.unread import Unread
from bot.values import dataclass

WORKING = "working-days"
_WORKING_DAYS = 5  # of a week, the first ones


def _days(number: str, more: str = "") -> str:
    kind = f"{more}{{% if rule.count == '{WORKING}' %}}working {{% endif %}}"
    return f"{{{{ {number} }}}} {kind}day{{% if {number} != 1 %}}s{{% endif %}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFor(RequirementKind):
    """Ask that the merge request has been open for this many days, or working days."""

    kind = "open_for"
    about = "The merge request has been open for some days."
    timed = True
    later = True
    turn = None  # it takes waiting alone
    words: ClassVar = {
        "found": _days("finding.found"),
        "needed": _days("rule.days"),
        "next_step": "{% set more = rule.days - finding.found %}"
        f"wait {_days('more', 'more ')}: the merge request stays open for {{{{ rule.days }}}}.",
    }

    days: Annotated[int, Key(Whole(least=1, most=366), "How many days of 24 hours.")]
    count: Annotated[
        str,
        Key(
            Choice(words={"all-days": "all-days", WORKING: WORKING}),
            "Which days count: all, or those from Monday to Friday (UTC); holidays are not known.",
        ),
    ] = "all-days"

    def judge(self, case: Case, requirement: Requirement) -> Finding:
        """Compare the days since people could see the nomination as it stands now."""
        if isinstance(case.subject.timing, Unread):
            return unknown(requirement, self.days, case.subject.timing.reason)
        opened = case.subject.timing.opened
        age = working_time(opened, case.now) if self.count == WORKING else case.now - opened
        return Finding(
            requirement=requirement,
            verdict=Verdict.MET if age >= timedelta(days=self.days) else Verdict.UNMET,
            found=max(age.days, 0),
            needed=self.days,
        )


def working_time(start: datetime, end: datetime) -> timedelta:
    """Return how much of the time between two moments was no Saturday and no Sunday (UTC)."""
    return _worked_by(end) - _worked_by(start)


def _worked_by(moment: datetime) -> timedelta:
    """Return the time without weekends from the calendar's first day, a Monday, to a moment."""
    moment = moment.astimezone(UTC)
    weeks, weekday = divmod(moment.toordinal() - 1, 7)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    today = moment - midnight if weekday < _WORKING_DAYS else timedelta()
    return timedelta(days=weeks * _WORKING_DAYS + min(weekday, _WORKING_DAYS)) + today
