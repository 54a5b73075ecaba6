"""Parts of GraphQL queries, packed into as few queries as GitLab's limit allows.

GitLab refuses a query whose complexity score is above 250. A score depends on the
fields, hardly on page sizes (`Types::BaseField`), so every part carries an estimate.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bot.evidence import Fact, Need
from bot.gitlab.answers import Json

BUDGET = 240  # of 250, because the scores are estimates; a refused query is split


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One selection of a query: its text, its variables, its cost, and how to read it."""

    needs: tuple[Need, ...]
    text: str
    variables: Mapping[str, tuple[str, object]]
    cost: int
    read: Callable[[Json], Mapping[Need, Fact]]
    fallback: "Part | None" = None


@dataclass(slots=True)
class Query:
    """Parts that travel together."""

    parts: list[Part] = field(default_factory=list)

    @property
    def cost(self) -> int:
        """Return the estimated complexity score."""
        return sum(part.cost for part in self.parts)

    def text(self) -> str:
        """Write the query; variables and aliases carry the part's number."""
        declared = [
            f"${name}: {kind}" for part in self.parts for name, (kind, _) in part.variables.items()
        ]
        body = "\n".join(part.text for part in self.parts)
        return f"query Evidence({', '.join(declared)}) {{\n{body}\n}}\n"

    def variables(self) -> dict[str, object]:
        """Return the values of the variables."""
        return {name: value for part in self.parts for name, (_, value) in part.variables.items()}


def pack_parts(parts: Iterable[Part]) -> list[Query]:
    """Put parts into as few queries as the complexity limit allows, largest first."""
    queries: list[Query] = []
    for part in sorted(parts, key=lambda part: -part.cost):
        for query in queries:
            if query.cost + part.cost <= BUDGET:
                query.parts.append(part)
                break
        else:
            queries.append(Query([part]))
    return queries
