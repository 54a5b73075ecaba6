"""The merge request bears a label."""

from collections.abc import Collection
from typing import Annotated, ClassVar

from bot.assessment.findings import Case, Finding, Verdict
from bot.assessment.kinds.kind import RequirementKind, unknown
from bot.evidence import LabelsOf, Ledger, Subject
from bot.merge_request import MergeRequest
from bot.policy import LINE, Requirement
from bot.policy.grammar import Key
from bot.unread import Unread
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled(RequirementKind):
    """Ask for a label, which whoever may edit the merge request can set."""

    kind = "labelled"
    about = (
        "The merge request bears a label. Whoever may label it can meet this, maybe the nominee."
    )
    later = True
    effort = 1
    words: ClassVar = {
        "found": "{% if finding.found %}set{% else %}not set{% endif %}",
        "needed": "{{ rule.label|code }}",
        "next_step": "the label {{ rule.label|code }} is set on this merge request.",
    }

    label: Annotated[str, Key(LINE, "The label; capitals matter, as they do to GitLab.")]

    def needs(self, _: Subject, merge_request: MergeRequest, __: Ledger) -> Collection[LabelsOf]:
        """Ask for the labels."""
        return [LabelsOf.of(merge_request)]

    def judge(self, case: Case, requirement: Requirement) -> Finding:
        """Look for the label."""
        labels = case.evidence[LabelsOf.of(case.merge_request)]
        if isinstance(labels, Unread):
            return unknown(requirement, 1, labels.reason)
        is_set = self.label in labels
        verdict = Verdict.MET if is_set else Verdict.UNMET
        return Finding(requirement=requirement, verdict=verdict, found=int(is_set), needed=1)
