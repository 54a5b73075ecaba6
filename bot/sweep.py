"""Look again at every nomination that is not over, in case an event was lost."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from bot.errors import BotError
from bot.evidence import DefaultBranchOf, ExposureOf, Fact, Facts, FileAt, MembersOf, Need, Source
from bot.unread import Unread


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
            isinstance(need, FileAt) and need.project != self.project
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at one merge request, or at the list of them, came to.

    `notices` tell what is no fault of the look, such as a gate that cannot be set there.
    """

    iid: int | None
    problems: tuple[str, ...]
    notices: tuple[str, ...] = ()


def sweep(
    iids: Collection[int], look: Callable[[int], Look], take_share: Callable[[int], None]
) -> list[Look]:
    """Look at merge requests one by one; a failure at one never stops the others.

    Each is given its share of what is left first, for one that takes long is such a failure, too.
    """
    looks: list[Look] = []
    for iid in iids:
        take_share(len(iids) - len(looks))
        try:
            looks.append(look(iid))
        except BotError as error:
            looks.append(Look(iid=iid, problems=(str(error),)))
    return looks
