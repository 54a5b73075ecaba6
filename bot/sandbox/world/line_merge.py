"""Merge three texts line by line, as git does: changes that overlap or touch are in conflict."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

Lines = Sequence[bytes]


class Hunk(NamedTuple):
    """Lines of the base from `start` to `end`, and what stands in their place."""

    start: int
    end: int
    lines: Lines


def merge_texts(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Merge two changed texts; None where they are in conflict."""
    if b"\0" in base + ours + theirs:
        return None  # binary to git
    lines = base.split(b"\n")
    hunks = sorted({*_hunks(lines, ours.split(b"\n")), *_hunks(lines, theirs.split(b"\n"))})
    merged: list[bytes] = []
    place = -1
    for hunk in hunks:
        if hunk.start <= place:
            return None
        merged += lines[max(place, 0) : hunk.start]
        merged += hunk.lines
        place = hunk.end
    return b"\n".join([*merged, *lines[max(place, 0) :]])


def _hunks(base: Lines, side: Lines) -> Iterator[Hunk]:
    matcher = SequenceMatcher(None, base, side, autojunk=False)
    for kind, start, end, first, last in matcher.get_opcodes():
        if kind != "equal":
            yield Hunk(start, end, tuple(side[first:last]))
