"""Shapes that a part of a policy can have: each reads a node, and says its own JSON Schema."""
# One module: six small classes that answer the same three questions, side by side to compare.

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

from bot.policy.grammar import nodes as yaml_nodes
from bot.policy.grammar.mistakes import Draft, Mistakes, allow, describe, quote
from bot.policy.grammar.nodes import Node, Scalar
from bot.values import dataclass

Schema = dict[str, Any]
_TEXTUAL = {"text", "timestamp"}


def whole(pattern: str) -> str:
    """Return a pattern for a text from its first to its last character.

    `$` will not do: Python, and schema validators written in it, let a line break follow.
    """
    return rf"^{pattern}(?![\s\S])"


_DIGITS = whole("(0|[1-9][0-9]{0,8})")
_LONG_MONTH = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
_SHORT_MONTH = "(0[469]|11)-(0[1-9]|[12][0-9]|30)"
_CALENDAR = f"(?!0000)[0-9]{{4}}-({_LONG_MONTH}|{_SHORT_MONTH}|02-(0[1-9]|[12][0-9]))"


class Shape(Protocol):
    """What a value may look like."""

    @property
    def says(self) -> str:
        """Describe the shape for people, after the word `expected`."""

    def read(self, node: Node, name: str, mistakes: Mistakes) -> Any:
        """Return the value, or `None` after noting each mistake."""

    def schema(self) -> Schema:
        """Return the JSON Schema of the same shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Text that matches a pattern which Python and ECMAScript read alike."""

    says: str
    pattern: str
    longest: int = 200
    fold: bool = False

    def read(self, node: Node, name: str, mistakes: Mistakes) -> str | None:
        """Return the text; with `fold`, line breaks and runs of blanks are one blank."""
        text = node.text if isinstance(node, Scalar) and node.meaning in _TEXTUAL else ""
        if text and len(text) <= self.longest and re.search(self.pattern, text):
            return " ".join(text.split()) if self.fold else text
        unquoted = isinstance(node, Scalar) and node.meaning not in {*_TEXTUAL, "null"}
        _refuse(node, name, f"{self.says}, in quotes" if unquoted else self.says, mistakes)
        return None

    def schema(self) -> Schema:
        """Return a string schema."""
        return {"type": "string", "pattern": self.pattern, "maxLength": self.longest}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of a few words, each with what it stands for."""

    words: Mapping[str, object]

    @property
    def says(self) -> str:
        """Describe the shape for people."""
        return "one of " + ", ".join(self.words)

    def read(self, node: Node, name: str, mistakes: Mistakes) -> object:
        """Return what the word stands for."""
        if isinstance(node, Scalar) and node.meaning == "text" and node.text in self.words:
            return self.words[node.text]
        written = node.text if isinstance(node, Scalar) else ""
        _refuse(node, name, allow(self.words, written), mistakes)
        return None

    def schema(self) -> Schema:
        """Return an enumeration."""
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number in plain decimal digits."""

    least: int
    most: int

    @property
    def says(self) -> str:
        """Describe the shape for people."""
        return f"a whole number from {self.least} to {self.most}"

    def read(self, node: Node, name: str, mistakes: Mistakes) -> int | None:
        """Return the number."""
        if isinstance(node, Scalar) and node.meaning == "int":
            plain = re.search(_DIGITS, node.text)
            if plain and self.least <= int(node.text) <= self.most:
                return int(node.text)
        _refuse(node, name, self.says, mistakes)
        return None

    def schema(self) -> Schema:
        """Return an integer with its limits."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """`true` or `false`."""

    says: str = "true or false"

    def read(self, node: Node, name: str, mistakes: Mistakes) -> bool | None:
        """Return the switch; other spellings are refused, because YAML versions disagree."""
        if isinstance(node, Scalar) and node.meaning == "bool" and node.text in {"true", "false"}:
            return node.text == "true"
        _refuse(node, name, self.says, mistakes)
        return None

    def schema(self) -> Schema:
        """Return a boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of the calendar."""

    says: str = "a day as YYYY-MM-DD"
    pattern: str = whole(_CALENDAR)

    def read(self, node: Node, name: str, mistakes: Mistakes) -> date | None:
        """Return the day."""
        if isinstance(node, Scalar) and re.search(self.pattern, node.text):
            try:
                return date.fromisoformat(node.text)
            except ValueError:
                pass
        _refuse(node, name, self.says, mistakes)
        return None

    def schema(self) -> Schema:
        """Return a string in the form of a day; that not every year has a 29 February is left."""
        return {"type": "string", "format": "date", "pattern": self.pattern}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list that is not empty; `distinct` names the key that no two items may share."""

    item: Shape
    distinct: str | None = None
    longest: int = 100

    @property
    def says(self) -> str:
        """Describe the shape for people."""
        return f"a list of 1 to {self.longest}"

    def read(self, node: Node, name: str, mistakes: Mistakes) -> tuple[Any, ...] | None:
        """Return the items, with `None` for each of which nothing could be read."""
        items = node.items if isinstance(node, yaml_nodes.Sequence) else ()
        if not 1 <= len(items) <= self.longest:
            _refuse(node, name, self.says, mistakes)
        values = tuple(
            self.item.read(item, f"{name}[{number}]", mistakes) for number, item in enumerate(items)
        )
        if self.distinct is not None:
            _refuse_doubles(values, self.distinct, name, mistakes)
        return values if isinstance(node, yaml_nodes.Sequence) else None

    def schema(self) -> Schema:
        """Return an array of the item's schema."""
        return {
            "type": "array",
            "minItems": 1,
            "maxItems": self.longest,
            "items": self.item.schema(),
        }


def _refuse_doubles(
    values: tuple[Draft | None, ...], key: str, name: str, mistakes: Mistakes
) -> None:
    """Note each item that has an earlier one's value at a key."""
    seen: dict[object, tuple[int, int]] = {}
    for number, item in enumerate(values):
        if item is None or key not in item.values:
            continue
        place = item.find_place(key)
        first, line = seen.setdefault(item.values[key], (number, place.line))
        if first != number:
            what = f"`{name}[{number}]` repeats the {key} of `{name}[{first}]`"
            found = f"{quote(item.values[key])}, first in line {line}"
            mistakes.add(place, what, found, f"another {key}")


def _refuse(node: Node, name: str, expected: str, mistakes: Mistakes) -> None:
    if not isinstance(node, yaml_nodes.Refused):
        mistakes.add(node.place, f"`{name}` is wrong", describe(node), expected)
