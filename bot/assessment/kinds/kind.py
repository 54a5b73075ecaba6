"""What every kind of requirement is: a value of a policy that judges, and that has words."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import ClassVar

from bot.assessment.findings import Case, Finding, Verdict
from bot.evidence import Ledger, Need, Subject
from bot.merge_request import MergeRequest
from bot.policy import Requirement, Rule


class RequirementKind(Rule, ABC):
    """A rule with all that the bot knows of its kind.

    `effort` orders open points: what takes a moment comes before what takes days of work, and
    that before what takes waiting. `turn` is whose turn it is then: nobody's where it is none, and
    that of the policy's `actor` where it is empty. `words` are small templates: what was `found`,
    what is `needed`, the `next_step`; what a kind does not say is a number, or the policy's `help`.
    """

    __slots__ = ()

    effort: ClassVar[int] = 9
    turn: ClassVar[str | None] = ""
    words: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def judge(self, case: Case, requirement: Requirement) -> Finding:
        """Return what is found for a requirement with this rule."""

    def needs(
        self, _subject: Subject, _merge_request: MergeRequest, _known: Ledger
    ) -> Collection[Need]:
        """Say which facts it takes that nothing else asks for (`bot.evidence.Needing`)."""
        return ()

    def find_actor(self, requirement: Requirement) -> str | None:
        """Name who takes the next step; nobody where it is nobody's."""
        return requirement.actor if self.turn == "" else self.turn


def kind_of(requirement: Requirement) -> RequirementKind:
    """Return the rule of a requirement, as one that can be judged; every kind's can."""
    if not isinstance(requirement.rule, RequirementKind):
        raise TypeError(f"{requirement.id} has a rule that nothing can judge")
    return requirement.rule


def unknown(requirement: Requirement, needed: int, reason: str) -> Finding:
    """Return that something could not be checked, and why."""
    return Finding(requirement=requirement, verdict=Verdict.UNKNOWN, needed=needed, reason=reason)
