"""The person's entry names a role before the nomination."""

from typing import Annotated, ClassVar

from bot.assessment.findings import Case, Finding, Part, Verdict
from bot.assessment.kinds.kind import RequirementKind, unknown
from bot.policy import ROLE, Requirement
from bot.policy.grammar import Key
from bot.team import role_spellings
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleHeld(RequirementKind):
    """Ask that the nominee's entry has named this role for the project before."""

    kind = "role_held"
    about = "The person's entry names a role for this project before the nomination."
    effort = 4
    words: ClassVar = {
        "found": "{% if finding.found %}held{% else %}not held{% endif %}",
        "needed": "{{ rule.role|code }}",
    }

    role: Annotated[str, Key(ROLE, "The stage before, such as trainee_maintainer.")]

    def judge(self, case: Case, requirement: Requirement) -> Finding:
        """Look for the role among those that the entry named before."""
        if case.subject.doubt:
            return unknown(requirement, 1, case.subject.doubt)
        before = case.nomination.before
        first_words = {role.split()[0].casefold() for role in before if role.split()}
        held = not first_words.isdisjoint(role_spellings(self.role))
        return Finding(
            requirement=requirement,
            verdict=Verdict.MET if held else Verdict.UNMET,
            found=int(held),
            needed=1,
            parts=tuple(Part(role="role", name=role, state="held") for role in before),
        )
