"""Shapes that a part of a policy can have: each reads a node, and says its own JSON Schema."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from bot import yaml_nodes
from bot.policy_mistakes import Mistakes, allow, describe, quote
from bot.yaml_nodes import Node, Place, Scalar

Schema = dict[str, Any]
_TEXTUAL = {"text", "timestamp"}


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
        if text and len(text) <= self.longest and _matches(self.pattern, text):
            return " ".join(text.split()) if self.fold else text
        unquoted = isinstance(node, Scalar) and node.meaning in {"int", "float", "bool"}
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
    most: int = 10_000

    @property
    def says(self) -> str:
        """Describe the shape for people."""
        return f"a whole number from {self.least} to {self.most}"

    def read(self, node: Node, name: str, mistakes: Mistakes) -> int | None:
        """Return the number."""
        if isinstance(node, Scalar) and node.meaning == "int":
            plain = _matches("^(0|[1-9][0-9]{0,8})$", node.text)
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
    pattern: str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

    def read(self, node: Node, name: str, mistakes: Mistakes) -> date | None:
        """Return the day."""
        if isinstance(node, Scalar) and _matches(self.pattern, node.text):
            try:
                return date.fromisoformat(node.text)
            except ValueError:
                pass
        _refuse(node, name, self.says, mistakes)
        return None

    def schema(self) -> Schema:
        """Return a string in the form of a day."""
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
        """Return the items."""
        if not isinstance(node, yaml_nodes.Sequence) or not 1 <= len(node.items) <= self.longest:
            _refuse(node, name, self.says, mistakes)
            return None
        values = tuple(
            self.item.read(item, f"{name}[{number}]", mistakes)
            for number, item in enumerate(node.items)
        )
        self._refuse_doubles(node, name, mistakes)
        return None if None in values else values

    def _refuse_doubles(self, node: yaml_nodes.Sequence, name: str, mistakes: Mistakes) -> None:
        """Note each item whose `distinct` key an earlier item has."""
        seen: dict[str, Place] = {}
        for item in node.items:
            entries = item.entries if isinstance(item, yaml_nodes.Mapping) else {}
            value = entries[self.distinct][1] if self.distinct in entries else None
            if not isinstance(value, Scalar):
                continue
            first = seen.setdefault(value.text, value.place)
            if first != value.place:
                found = f"{quote(value.text)} again, first in line {first.line}"
                mistakes.add(value.place, f"{name} repeats an {self.distinct}", found, "it once")

    def schema(self) -> Schema:
        """Return an array of the item's schema."""
        return {
            "type": "array",
            "minItems": 1,
            "maxItems": self.longest,
            "items": self.item.schema(),
        }


def _refuse(node: Node, name: str, expected: str, mistakes: Mistakes) -> None:
    """Note that a value has not its shape, unless its node was reported already."""
    if not isinstance(node, yaml_nodes.Refused):
        mistakes.add(node.place, f"`{name}` is wrong", describe(node), expected)


def _matches(pattern: str, text: str) -> bool:
    """Tell whether all of a text matches; Python's `$` alone would let a line break pass."""
    return re.fullmatch(pattern, text) is not None
