"""Look again at every nomination that is not over, in case an event was lost."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from bot.errors import BotError, MissingError
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

    `notices` tell what is no fault of the look, such as a gate that cannot be set there; `missing`
    is one that was not found.
    """

    iid: int | None
    problems: tuple[str, ...]
    notices: tuple[str, ...] = ()
    missing: bool = False


def sweep(
    iids: Collection[int], look: Callable[[int], Look], take_share: Callable[[int], None]
) -> list[Look]:
    """Look at merge requests one by one; a failure at one never stops the others.

    Each is given its share of what is left first, for one that takes long is such a failure, too.
    A bug at one is raised when the others have been looked at, with what else went wrong.
    """
    looks: list[Look] = []
    bugs: list[Exception] = []
    for iid in iids:
        take_share(len(iids) - len(looks))
        try:
            looks.append(look(iid))
        except BotError as error:
            missing = isinstance(error, MissingError)
            looks.append(Look(iid=iid, problems=(str(error),), missing=missing))
        except Exception as bug:
            bug.add_note(f"This was at !{iid}.")
            bugs.append(bug)
            looks.append(Look(iid=iid, problems=(f"a bug: {type(bug).__name__}",)))
    if bugs:
        for told in (f"!{look.iid}: {problem}" for look in looks for problem in look.problems):
            bugs[0].add_note(told)
        raise bugs[0]
    return looks
