"""Write a username the way its list writes the others, and choose its place."""

import re
from bisect import bisect_right
from functools import cached_property
from itertools import pairwise

from bot.listing.document import Document, Node, walk
from bot.listing.layout import Page, Slot, Splice
from bot.listing.reading import bare, fold
from bot.listing.selection import ListingSpec, Target

_QUOTES = frozenset({'"', "'"})
_SAFE_WITHOUT_QUOTES = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NOT_TEXT_IN_YAML = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_USUAL_STEP = "  "
_COLON = re.compile(r"[ \t]*:[ \t]*")


class Draft:
    """The edit of one list; nothing here is proven, the caller reads the outcome back."""

    def __init__(self, document: Document, target: Target, spec: ListingSpec) -> None:
        self._document = document
        self._holder = target.holder
        self._value = target.value
        self._key = spec.key
        self._is_yaml = spec.format == "yaml"
        self._page = Page(document, spec.format)

    def splices(self, username: str) -> list[Splice]:
        """Choose the changes that add a username, in the order of the text; none if unsure."""
        if self._value is None:
            return self._add_key(username)
        if self._value.kind == "null":
            return self._fill(self._value, username)
        return self._insert(self._value, username)

    def _insert(self, value: Node, username: str) -> list[Splice]:
        items = value.children
        index = _index(items, username)
        name = self._written(username, items or self._like)
        if not value.flow:
            return self._page.into_block(items, index, name)
        spans = tuple((item.start, item.end) for item in items)
        return self._page.into_brackets(Slot(box=value, spans=spans, index=index), name)

    def _fill(self, value: Node, username: str) -> list[Splice]:
        """Put a list where the key has none: dashes below an empty one, else brackets."""
        name = self._written(username, self._like)
        if self._is_yaml and not self._holder.flow and value.start == value.end:
            return self._page.lines_after(value.end, [f"{self._indent()}{self._step()}- {name}"])
        return [Splice(start=value.start, end=value.end, text=f"[{name}]")]

    def _add_key(self, username: str) -> list[Splice]:
        name = self._written(username, self._like)
        children = self._holder.children
        if not self._holder.flow:
            indent = self._indent()
            lines = [f"{indent}{self._quoted(self._key, '')}:", f"{indent}{self._step()}- {name}"]
            return self._page.lines_after(children[-1].end, lines)
        spans = tuple((key.start, value.end) for key, value in self._holder.pairs)
        slot = Slot(box=self._holder, spans=spans, index=len(spans))
        return self._page.into_brackets(slot, f"{self._written_key()}{self._colon()}[{name}]")

    def _colon(self) -> str:
        """Take what stands between the key before and its value."""
        pairs = list(self._holder.pairs)[-1:]
        return next(filter(_COLON.fullmatch, (self._page.between(*pair) for pair in pairs)), ": ")

    def _written_key(self) -> str:
        """Write the key in brackets as the key before it is written."""
        keys = self._holder.children[::2]
        quote = keys[-1].quote if keys else self._usual_quote()
        is_name = self._is_yaml or self._key.isidentifier()
        return self._quoted(self._key, quote if is_name else quote or '"')

    def _written(self, username: str, others: tuple[Node, ...]) -> str:
        """Write a username with the quotes that others mostly have, and the `@` if all do."""
        quotes = [other.quote for other in others] or [self._usual_quote()]
        prefixed = bool(others) and all(other.text.startswith("@") for other in others)
        mostly = max(dict.fromkeys(quotes), key=quotes.count)
        return self._quoted(f"@{username}" if prefixed else username, mostly)

    def _quoted(self, text: str, quote: str) -> str:
        if quote in _QUOTES:
            return f"{quote}{text}{quote}"
        is_text = _SAFE_WITHOUT_QUOTES.fullmatch(text) and text.lower() not in _NOT_TEXT_IN_YAML
        quote = self._usual_quote() or '"'
        return text if is_text else f"{quote}{text}{quote}"

    @cached_property
    def _pairs(self) -> list[tuple[Node, Node]]:
        """All keys of the file with their values, those that are named as the list first."""
        maps = (node for node in walk(self._document.root) if node.kind == "map" and not node.alias)
        pairs = [pair for node in maps for pair in node.pairs]
        return sorted(pairs, key=lambda pair: pair[0].text != self._key)

    @cached_property
    def _like(self) -> tuple[Node, ...]:
        """The names in other lists with the same key: examples for an empty list."""
        lists = (value for key, value in self._pairs if key.text == self._key)
        items = (item for value in lists if value.kind == "list" for item in value.children)
        return tuple(item for item in items if item.kind == "text")

    def _usual_quote(self) -> str:
        nodes = list(walk(self._document.root))
        items = [item for node in nodes if node.kind == "list" for item in node.children]
        texts = items if self._is_yaml else [*items, *nodes]
        usual = (node.quote for node in texts if node.kind == "text" and node.quote in _QUOTES)
        return next(usual, "" if self._is_yaml else '"')

    def _indent(self) -> str:
        return " " * self._page.column(self._holder.children[0].start)

    def _step(self) -> str:
        """Take the distance of dashes from their key: beside this list, or in the file."""
        for key, value in (*self._holder.pairs, *self._pairs):
            if value.kind == "list" and not value.flow and value.anchor is None:
                return " " * (self._page.column(value.start) - self._page.column(key.start))
        return _USUAL_STEP


def _index(items: tuple[Node, ...], username: str) -> int:
    names = [bare(item.text) for item in items]
    for in_order in (fold, str):  # some sort capitals first
        keys = [in_order(name) for name in names]
        if all(one <= other for one, other in pairwise(keys)):
            return bisect_right(keys, in_order(username))
    return len(names)
