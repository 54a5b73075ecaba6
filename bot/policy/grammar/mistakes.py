"""Mistakes in a policy, collected and told at once, and drafts: what could be read despite them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any

from bot.errors import PolicyError
from bot.policy.grammar import nodes as yaml_nodes
from bot.policy.grammar.nodes import Node, Place, Scalar
from bot.values import dataclass

SHOWN = 60
WHOLE_FILE = Place(line=0, column=0)
_MEANINGS = {
    "text": "the text",
    "int": "the number",
    "float": "the number",
    "bool": "the switch",
    "timestamp": "the date",
}


@dataclass(slots=True, kw_only=True)
class Mistakes:
    """Everything that is wrong with one text, to be told at once."""

    where: str
    found: list[tuple[Place, str]] = field(default_factory=list)

    def add(self, place: Place, what: str, found: str, expected: str) -> None:
        """Note one mistake; `expected` may start with its own verb (`allowed …`)."""
        hint = expected if expected.startswith("allowed ") else f"expected {expected}"
        self.found.append((place, f"{what}; found {found}; {hint}"))

    def at(self, place: Place) -> str:
        """Return a place of the text as `where:line:column`, the whole file as `where`."""
        if place == WHOLE_FILE:
            return self.where
        return f"{self.where}:{place.line}:{place.column}"

    def lines(self) -> list[str]:
        """Return a line for each mistake, in the order of the text."""
        return [f"{self.at(place)}: {message}" for place, message in sorted(self.found)]


def raise_any(texts: Iterable[Mistakes]) -> None:
    """Raise PolicyError with the mistakes of all texts, if there is one."""
    lines = [line for mistakes in texts for line in mistakes.lines()]
    if lines:
        raise PolicyError("\n".join(lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A mapping as far as it could be read: `values` lacks every key that is missing or wrong."""

    node: yaml_nodes.Mapping
    values: Mapping[str, Any]
    build: Callable[..., Any]

    def find_place(self, *path: str | int) -> Place:
        """Return the place of the node at the end of a path of keys and positions."""
        node: Node = self.node
        for step in path:
            node = _find_children(node)[step]
        return node.place


def finish(value: Any) -> Any:
    """Return what a draft describes, and likewise what is inside; for drafts without mistakes."""
    if isinstance(value, Draft):
        return value.build(**{key: finish(inner) for key, inner in value.values.items()})
    return tuple(map(finish, value)) if isinstance(value, tuple) else value


def _find_children(node: Node) -> dict[str | int, Node]:
    if isinstance(node, yaml_nodes.Mapping):
        return {key: value for key, (_, value) in node.entries.items()}
    return dict(enumerate(node.items if isinstance(node, yaml_nodes.Sequence) else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """What is wrong with keys that are right alone; `at` leads from the mapping to the place."""

    at: tuple[str | int, ...]
    what: str
    found: str
    expected: str


def quote(text: str) -> str:
    """Return foreign text in quotes, in one short line of ASCII."""
    return ascii(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")


def allow(known: Iterable[str], written: str) -> str:
    """List the known words, and ask for the nearest where one was misspelt."""
    import difflib  # noqa: PLC0415 -- only a mistake needs it

    words = list(known)
    near = difflib.get_close_matches(written[:SHOWN], words, n=1)
    return f"allowed {', '.join(words)}" + (f" (did you mean {near[0]}?)" if near else "")


def describe(node: Node) -> str:
    """Say in few words what a node is."""
    if isinstance(node, yaml_nodes.Sequence):
        return f"a list of {len(node.items)}" if node.items else "an empty list"
    if not isinstance(node, Scalar):
        return "a mapping"
    if node.meaning == "null":
        return "nothing"
    return f"{_MEANINGS.get(node.meaning, 'the text')} {quote(node.text)}"
