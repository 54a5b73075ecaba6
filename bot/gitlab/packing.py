"""Parts of GraphQL queries, packed into as few queries as GitLab's limit allows.

GitLab refuses a query whose complexity score is above 250. A score depends on the
fields, hardly on page sizes (`Types::BaseField`), so every part carries an estimate.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import TypeVar

from bot.evidence import Fact, Need
from bot.gitlab.answers import Json
from bot.values import dataclass

# As much as GitLab takes (`AUTHENTICATED_MAX_COMPLEXITY`, app/graphql/gitlab_schema.rb): the score
# of each part is rounded up, so that together they have less. A query that is refused is split.
BUDGET = 250
_VARIABLE = re.compile(r"\$(\w+)")
_ROOT = re.compile(r"^  (\w+)\(", re.M)  # by two blanks: what stands inside stands deeper
N = TypeVar("N", bound=Need)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A query that may travel with others: its text, its variables, its cost, and how to read it.

    Its answer is read under the names of its own text.
    """

    needs: tuple[Need, ...]
    text: str
    variables: Mapping[str, object]
    cost: int
    read: Callable[[Json], Mapping[Need, Fact]]
    fallback: "Part | None" = None


def make_part(
    need: N,
    text: str,
    read: Callable[[N, Json], Fact],
    *,
    cost: int,
    fallback: Part | None = None,
    **given: object,
) -> Part:
    """Make the part that asks for a single need: its fields fill the variables of their names."""
    variables = {
        name: given[name] if name in given else _as_sent(getattr(need, name))
        for name in dict.fromkeys(_VARIABLE.findall(text))
    }
    return Part(
        needs=(need,),
        text=text,
        variables=variables,
        cost=cost,
        read=lambda answer: {need: read(need, answer)},
        fallback=fallback,
    )


def _as_sent(value: object) -> object:
    """Return a field as GraphQL takes it, to which the number of a merge request is a text."""
    if isinstance(value, tuple):
        return [_as_sent(each) for each in value]
    return str(value) if isinstance(value, int) else value


@dataclass(slots=True)
class Query:
    """Parts that travel together; each one's number stands behind its names."""

    parts: list[Part] = field(default_factory=list)

    @property
    def cost(self) -> int:
        """Return the estimated complexity score."""
        return sum(part.cost for part in self.parts)

    def text(self) -> str:
        """Write the query."""
        declared, asked = zip(*map(_number_names, range(len(self.parts)), self.parts), strict=True)
        return f"query Evidence({', '.join(declared)}) {{\n{''.join(asked)}}}\n"

    def variables(self) -> dict[str, object]:
        """Return the values of the variables."""
        return {
            f"{name}{number}": value
            for number, part in enumerate(self.parts)
            for name, value in part.variables.items()
        }

    def share_out(self, answer: Json) -> Iterator[tuple[Part, Json]]:
        """Return each part with its own answer."""
        for number, part in enumerate(self.parts):
            names = _ROOT.findall(part.text)
            yield part, {name: answer.get(f"{name}{number}") for name in names}


def _number_names(number: int, part: Part) -> tuple[str, str]:
    text = _VARIABLE.sub(rf"$\g<1>{number}", part.text.strip())
    declared, _, asked = text.removeprefix("query(").partition(") {\n")
    return declared, _ROOT.sub(rf"  \g<1>{number}: \g<1>(", asked.removesuffix("}"))


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
