"""The merge request has been open for some days."""

from datetime import timedelta
from typing import Annotated, ClassVar

from bot.assessment.findings import Case, Finding, Verdict
from bot.assessment.kinds.kind import RequirementKind, unknown
from bot.grammar import Key, Whole
from bot.policy import Requirement
from bot.unread import Unread
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFor(RequirementKind):
    """Ask that the merge request has been open for this many days."""

    kind = "open_for"
    about = "The merge request has been open for some days."
    timed = True
    later = True
    words: ClassVar = {
        "found": "{{ finding.found }} {% if finding.found == 1 %}day{% else %}days{% endif %}",
        "needed": "{{ rule.days }} {% if rule.days == 1 %}day{% else %}days{% endif %}",
        "next_step": "{% set more = rule.days - finding.found %}"
        "wait {{ more }} more day{% if more != 1 %}s{% endif %}: the merge request stays open for"
        " {{ rule.days }}.",
    }

    days: Annotated[int, Key(Whole(least=1, most=366), "How many days of 24 hours.")]

    def judge(self, case: Case, requirement: Requirement) -> Finding:
        """Compare the days since people could see the nomination as it stands now."""
        if isinstance(case.subject.timing, Unread):
            return unknown(requirement, self.days, case.subject.timing.reason)
        age = case.now - case.subject.timing.opened
        return Finding(
            requirement=requirement,
            verdict=Verdict.MET if age >= timedelta(days=self.days) else Verdict.UNMET,
            found=max(age.days, 0),
            needed=self.days,
        )

    def find_actor(self, _: Requirement) -> None:
        """Name nobody: it takes waiting alone."""
