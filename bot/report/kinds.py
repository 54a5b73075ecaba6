"""Name the kinds of requirement and step, and say in which order open points are told."""

from collections.abc import Mapping

from bot import policy as rules
from bot.assessment import Assessment, Finding, Verdict

KINDS: Mapping[type, str] = {
    rules.AuthoredMergeRequests: "authored",
    rules.ReviewedMergeRequests: "reviewed",
    rules.AuthoredOrReviewed: "either",
    rules.Attested: "attested",
    rules.Assigned: "assigned",
    rules.ApprovedBy: "approved",
    rules.OpenFor: "open_for",
    rules.RoleHeld: "role_held",
    rules.GroupMember: "group",
    rules.ListedIn: "listed",
    rules.Manual: "manual",
}

# What takes a moment comes before what takes days of work, and that before what takes waiting.
_ORDER = ("assigned", "attested", "approved", "role_held", "reviewed", "either", "authored")


def steps_in_order(assessment: Assessment) -> list[Finding]:
    """Return the open points that people can meet, first what can be done at once.

    Where there are none, the first that is unknown.
    """

    def place(finding: Finding) -> int:
        kind = KINDS[type(finding.requirement.rule)]
        return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)

    found = assessment.open_findings
    unmet = [finding for finding in found if finding.verdict is Verdict.UNMET]
    return sorted(unmet, key=place) or list(found[:1])
