"""Parts of GraphQL queries, packed into as few queries as GitLab's limit allows.

GitLab refuses a query whose complexity score is above 250. A score depends on the
fields, hardly on page sizes (`Types::BaseField`), so every part carries an estimate.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field

from bot.evidence import Fact, Need
from bot.gitlab.answers import Json
from bot.values import dataclass

BUDGET = 245  # of 250, because the scores are estimates; a refused query is split


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What several parts of one query stand in, such as the repository of a project."""

    opening: str
    closing: str
    variables: Mapping[str, tuple[str, object]]
    cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One selection of a query: its text, its variables, its cost, and how to read it."""

    needs: tuple[Need, ...]
    text: str
    variables: Mapping[str, tuple[str, object]]
    cost: int
    read: Callable[[Json], Mapping[Need, Fact]]
    fallback: "Part | None" = None
    frame: Frame | None = None

    @property
    def price(self) -> int:
        """Return what the part costs when it travels alone."""
        return self.cost + (self.frame.cost if self.frame else 0)


@dataclass(slots=True)
class Query:
    """Parts that travel together."""

    parts: list[Part] = field(default_factory=list)

    @property
    def cost(self) -> int:
        """Return the estimated complexity score."""
        return sum(part.cost for part in self.parts) + sum(each.cost for each in self._frames)

    @property
    def _frames(self) -> list[Frame]:
        """The frames of the parts, each once: it is the same for all that stand in it."""
        found = {id(part.frame): part.frame for part in self.parts if part.frame}
        return list(found.values())

    def has_room(self, part: Part) -> bool:
        """Return whether a part fits in as well."""
        new = part.frame is not None and all(part.frame is not each for each in self._frames)
        return self.cost + (part.price if new else part.cost) <= BUDGET

    @property
    def _declared(self) -> dict[str, tuple[str, object]]:
        given = [each.variables for each in self._frames]
        given += [each.variables for each in self.parts]
        return {name: told for each in given for name, told in each.items()}

    def text(self) -> str:
        """Write the query; variables and aliases carry the part's number."""
        declared = [f"${name}: {kind}" for name, (kind, _) in self._declared.items()]
        bodies = [part.text for part in self.parts if not part.frame]
        for frame in self._frames:
            inner = [part.text for part in self.parts if part.frame is frame]
            bodies.append("\n".join((frame.opening, *inner, frame.closing)))
        body = "\n".join(bodies)
        return f"query Evidence({', '.join(declared)}) {{\n{body}\n}}\n"

    def variables(self) -> dict[str, object]:
        """Return the values of the variables."""
        return {name: value for name, (_, value) in self._declared.items()}


def pack_parts(parts: Iterable[Part]) -> list[Query]:
    """Put parts into as few queries as the complexity limit allows, largest first."""
    queries: list[Query] = []
    for part in sorted(parts, key=lambda part: -part.price):
        for query in queries:
            if query.has_room(part):
                query.parts.append(part)
                break
        else:
            queries.append(Query([part]))
    return queries
