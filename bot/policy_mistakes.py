"""Mistakes in a policy: collected, put into words, told at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bot import yaml_nodes
from bot.errors import PolicyError
from bot.yaml_nodes import Node, Place, Scalar

SHOWN = 60
_KINDS = {"Sequence": "a list", "Mapping": "a mapping"}
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

    def raise_any(self) -> None:
        """Raise PolicyError with a line for each mistake, in the order of the text."""
        lines = [
            f"{self.where}:{place.line}:{place.column}: {message}"
            for place, message in sorted(self.found)
        ]
        if lines:
            raise PolicyError("\n".join(lines))


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
    if not isinstance(node, Scalar):
        empty = isinstance(node, yaml_nodes.Sequence) and not node.items
        return "an empty list" if empty else _KINDS[type(node).__name__]
    if node.meaning == "null":
        return "nothing"
    return f"{_MEANINGS.get(node.meaning, 'the text')} {quote(node.text)}"
