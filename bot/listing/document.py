"""Hold a parsed file together with where each value stands in its text."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from bot.errors import BotError
from bot.values import dataclass

LONGEST_TEXT = 1_000_000
DEEPEST = 64
MOST_NODES = 50_000

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

# "plain" is what only YAML has: text without quotes that YAML reads as a number, a truth or a date.
Kind = Literal["map", "list", "text", "plain", "value", "null", "tagged"]


class UnreadableListing(BotError):  # noqa: N818 - read aloud where it is raised, it says what is wrong
    """A list of usernames cannot be read without guessing; the message is one sentence."""


# A file has thousands of nodes, and a frozen dataclass takes several times as long to make.
class Node(NamedTuple):
    """One value and its span in the text, in characters; in a map keys and values alternate.

    `quote` is empty for text without quotes; `flow` is true for what stands in brackets.
    """

    kind: Kind
    start: int
    end: int
    text: str = ""
    children: tuple["Node", ...] = ()
    quote: str = ""
    flow: bool = True
    anchor: str | None = None
    alias: bool = False

    @property
    def pairs(self) -> Iterator[tuple["Node", "Node"]]:
        """The keys of a map, each with its value."""
        return zip(self.children[::2], self.children[1::2], strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole file; `aliased` names the anchors that are used a second time."""

    text: str
    root: Node
    aliased: frozenset[str] = frozenset()

    def place(self, node: Node) -> str:
        """Say where a value stands, for people."""
        return place(self.text, node.start)


def place(text: str, position: int) -> str:
    """Say a position as line and column, both counted from one."""
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return f"line {line}, column {column}"


def broken(text: str, position: int, reason: str) -> UnreadableListing:
    """Make the error that names a position and a reason."""
    return UnreadableListing(f"{place(text, position)}: {reason}")


def check_text(text: str, longest: int = LONGEST_TEXT) -> None:
    """Refuse a text that is too long or not Unicode; UnreadableListing."""
    if len(text) > longest:
        raise UnreadableListing(
            f"the file has {len(text):,} characters, more than the {longest:,} that are read"
        )
    if found := _LONE_SURROGATE.search(text):
        raise broken(text, found.start(), "a character that is not valid Unicode")


class Limits:
    """Refuse a file that is deeper or fuller than a list of people can need."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._nodes = 0

    def admit(self, position: int, depth: int) -> None:
        """Count one more value; UnreadableListing when it is one too many or too deep."""
        self._nodes += 1
        if depth > DEEPEST:
            raise broken(self._text, position, f"nested more than {DEEPEST} levels deep")
        if self._nodes > MOST_NODES:
            raise broken(self._text, position, f"more than {MOST_NODES:,} values in one file")


def walk(root: Node) -> Iterator[Node]:
    """Go through all values as written: what an alias repeats is not entered again."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(() if node.alias else node.children)
