"""A source that answers several merge requests, and asks once for what they share."""

from collections.abc import Collection
from dataclasses import field

from bot.evidence.facts import Fact, Facts, Need, Source
from bot.evidence.files import CommitsOf, DefaultBranchOf, ExposureOf, FileAt
from bot.evidence.people import MembersOf
from bot.unread import Unread
from bot.values import dataclass


@dataclass(frozen=True, slots=True)
class SharedFacts:
    """A source that looks groups, and files of other projects, up once for all."""

    source: Source
    project: str
    known: dict[Need, Fact] = field(default_factory=dict)

    def fetch_facts(self, needs: Collection[Need]) -> Facts:
        """Answer what is known already, and ask for the rest."""
        asked = [need for need in needs if need not in self.known]
        found = self.source.fetch_facts(asked) if asked else {}
        # What could not be read now may be had for the next merge request.
        self.known.update(
            {n: f for n, f in found.items() if self._is_shared(n) and not isinstance(f, Unread)}
        )
        return {need: found[need] if need in found else self.known[need] for need in needs}

    def _is_shared(self, need: Need) -> bool:
        return isinstance(need, MembersOf | DefaultBranchOf | ExposureOf) or (
            isinstance(need, FileAt | CommitsOf) and need.project != self.project
        )
