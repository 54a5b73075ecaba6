"""See how a list is laid out in its text, and where in that layout one more item goes."""

import re
from collections.abc import Iterator

from bot.listing.document import Document, Node, walk
from bot.values import dataclass

_GAPS = {
    "json": re.compile(r"\s*+"),
    "json5": re.compile(r"(?:\s++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*\*/)*", re.DOTALL),
    "yaml": re.compile(r"(?:\s++|#[^\n]*+)*"),
}
_SEPARATOR = re.compile(r",[ \t]*")
DASH = re.compile(r"[ ]*-[ ]+")
_USUAL_INDENT = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Splice:
    """Text that takes the place of what stands between two positions."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The place of a new item in brackets: before the span at `index`, after the one before it."""

    box: Node
    spans: tuple[tuple[int, int], ...]
    index: int

    @property
    def neighbour(self) -> tuple[int, int]:
        """The span that the new item follows, or is put before when it comes first."""
        return self.spans[max(self.index - 1, 0)]


class Page:
    """The text of a file as lines."""

    def __init__(self, document: Document, form: str) -> None:
        self._text = document.text
        self._root = document.root
        self._gap = _GAPS[form]

    def into_brackets(self, slot: Slot, item: str) -> list[Splice]:
        """Put an item between brackets: on a line of its own where its neighbour has one."""
        if not slot.spans:
            return [self._into_empty(slot.box, item)]
        start, end = slot.neighbour
        if not self._opens_line(start):
            return [self._beside(slot, item)]
        indent = self._text[self._line_start(start) : start]
        if slot.index == 0:
            return [self._line_at(self._line_start(start), f"{indent}{item},")]
        comma = self._comma_after(end)
        line_end = self._line_end(end if comma is None else comma)
        if self._following(slot) <= line_end:
            return [self._beside(slot, item)]
        ending = "" if comma is None else ","
        added = self._line_at(line_end + 1, f"{indent}{item}{ending}")
        return [added] if comma else [Splice(start=end, end=end, text=","), added]

    def into_block(self, items: tuple[Node, ...], index: int, item: str) -> list[Splice]:
        """Put an item into a list of dashes, spaced as its neighbour; none if that one is odd."""
        near = items[max(index - 1, 0)]
        begin = self._line_start(near.start)
        dash = self._text[begin : near.start]
        if not DASH.fullmatch(dash):
            return []
        at = begin if index == 0 else self._line_end(near.end) + 1
        return [self._line_at(at, f"{dash}{item}")]

    def lines_after(self, position: int, lines: list[str]) -> list[Splice]:
        """Put whole lines below the one that holds a position."""
        ending = self._ending(position)
        return [self._line_at(self._line_end(position) + 1, ending.join(lines))]

    def between(self, before: Node, after: Node) -> str:
        """Take what stands between two values."""
        return self._text[before.end : after.start]

    def column(self, position: int) -> int:
        """Count the characters before a position in its line."""
        return position - self._line_start(position)

    def _into_empty(self, box: Node, item: str) -> Splice:
        inside, close = box.start + 1, box.end - 1
        begin = self._line_start(close)
        if begin > box.start and not self._text[begin:close].strip():
            return self._line_at(begin, f"{self._text[begin:close]}{self._unit()}{item}")
        is_blank = not self._text[inside:close].strip()
        return Splice(start=inside if is_blank else close, end=close, text=item)

    def _beside(self, slot: Slot, item: str) -> Splice:
        """Put an item on the line of its neighbour, with the separator that the list uses."""
        start, end = slot.neighbour
        if slot.index == 0:
            return Splice(start=start, end=start, text=f"{item}{self._separator(slot)}")
        if len(slot.spans) == slot.index and self._opens_line(start):
            indent = self._text[self._line_start(start) : start]
            return Splice(start=end, end=end, text=f",{self._ending(end)}{indent}{item}")
        return Splice(start=end, end=end, text=f"{self._separator(slot)}{item}")

    def _separator(self, slot: Slot) -> str:
        own = self._text[slot.spans[0][1] : slot.spans[1][0]] if len(slot.spans) > 1 else None
        written = [own] if own is not None else self._gaps()
        return next(filter(_SEPARATOR.fullmatch, written), ", ")

    def _gaps(self) -> Iterator[str]:
        """Show what stands between the first two items of each list, then of each map."""
        nodes = [node for node in walk(self._root) if node.flow]
        for kind, second in (("list", 1), ("map", 2)):
            for node in nodes:
                if node.kind == kind and len(node.children) > second:
                    before, after = node.children[second - 1 : second + 1]
                    yield self.between(before, after)

    def _following(self, slot: Slot) -> int:
        last = slot.index == len(slot.spans)
        return slot.box.end - 1 if last else slot.spans[slot.index][0]

    def _comma_after(self, position: int) -> int | None:
        found = self._gap.match(self._text, position)
        at = found.end() if found else position
        return at if self._text.startswith(",", at) else None

    def _line_at(self, position: int, line: str) -> Splice:
        """Insert a line, also behind a last line that does not end."""
        at = min(position, len(self._text))
        ending = self._ending(at)
        text = f"{line}{ending}" if position <= len(self._text) else f"{ending}{line}"
        return Splice(start=at, end=at, text=text)

    def _unit(self) -> str:
        """Take the step of indentation from the first line in the file's outermost brackets."""
        first = next((child.start for child in self._root.children), 0)
        unit = self._text[self._line_start(first) : first] if self._opens_line(first) else ""
        return unit or _USUAL_INDENT

    def _opens_line(self, position: int) -> bool:
        begin = self._line_start(position)
        return begin > 0 and not self._text[begin:position].strip()

    def _line_start(self, position: int) -> int:
        return self._text.rfind("\n", 0, position) + 1

    def _line_end(self, position: int) -> int:
        found = self._text.find("\n", position)
        return len(self._text) if found < 0 else found

    def _ending(self, position: int) -> str:
        before = self._text.rfind("\n", 0, position)
        near = before if before >= 0 else self._text.find("\n")
        return "\r\n" if near > 0 and self._text[near - 1] == "\r" else "\n"
