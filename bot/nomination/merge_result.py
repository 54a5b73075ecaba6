"""Work out what a file will be after the merge, from its base, head and target.

GitLab's own merge ref would need a further call, is made again in the background some time after
every push, and is missing where there are conflicts (doc/api/merge_requests.md, "Merge to default
merge ref path"); the three sides are read anyway. Whatever git could align in more than one way
is not decided here.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from bot.nomination.values import NotMerged
from bot.unread import Content, Unread

BOTH = "both changed the same lines or lines that touch"
MOVED = "lines that both have were moved or repeated"
GONE = "it was removed or renamed there"

_Lines = Sequence[bytes]
_Part = tuple[_Lines, _Lines, _Lines]


def merge_contents(base: Content, head: Content, target: Content) -> Content:
    """Return what a merge makes of a file; a NotMerged value where that cannot be known."""
    if head is None or isinstance(head, Unread):
        return head
    if isinstance(base, Unread) or isinstance(target, Unread):
        unread = base if isinstance(base, Unread) else target
        return NotMerged(reason=getattr(unread, "reason", ""), is_read=False)
    if target in {base, head}:
        return head
    if head == base:
        return target
    if base is None or target is None:
        return NotMerged(reason=GONE if target is None else BOTH)
    return _merge_texts(base, head, target)


def _merge_texts(base: bytes, head: bytes, target: bytes) -> bytes | NotMerged:
    if b"\0" in base + head + target:
        return NotMerged(reason=BOTH)  # git merges no binary files
    sides = _lines(base), _lines(head), _lines(target)
    if _is_reordered(sides[0], sides[1]) or _is_reordered(sides[0], sides[2]):
        return NotMerged(reason=MOVED)
    parts = list(_cut(sides))
    if any(_is_shifted([(part[0], part[side]) for part in parts]) for side in (1, 2)):
        return NotMerged(reason=MOVED)
    merged: list[bytes] = []
    for old, ours, theirs in parts:
        if ours not in (old, theirs) and theirs != old:
            return NotMerged(reason=BOTH)
        merged += theirs if ours == old else ours
    return b"".join(merged)


def _lines(text: bytes) -> list[bytes]:
    """Split as git does: at line feeds alone, each of which belongs to its line."""
    *whole, last = text.split(b"\n")
    return [line + b"\n" for line in whole] + ([last] if last else [])


def _once(lines: _Lines) -> dict[bytes, int]:
    counts = Counter(lines)
    return {line: place for place, line in enumerate(lines) if counts[line] == 1}


def _is_reordered(one: _Lines, other: _Lines) -> bool:
    first, second = _once(one), _once(other)
    places = [second[line] for line in first if line in second]
    return places != sorted(places)


def _cut(sides: tuple[_Lines, _Lines, _Lines]) -> Iterator[_Part]:
    """Cut three texts at the lines that occur once in each: every diff pairs those."""
    once = [_once(side) for side in sides]
    starts = (0, 0, 0)
    for line, place in once[0].items():
        if line in once[1] and line in once[2]:
            ends = (place, once[1][line], once[2][line])
            yield _between(sides, starts, ends)
            anchor = [line]
            yield anchor, anchor, anchor
            starts = (ends[0] + 1, ends[1] + 1, ends[2] + 1)
    yield _between(sides, starts, (len(sides[0]), len(sides[1]), len(sides[2])))


def _between(
    sides: tuple[_Lines, _Lines, _Lines], starts: tuple[int, int, int], ends: tuple[int, int, int]
) -> _Part:
    one, two, three = (
        side[start:end] for side, start, end in zip(sides, starts, ends, strict=True)
    )
    return one, two, three


def _is_shifted(pairs: Sequence[tuple[_Lines, _Lines]]) -> bool:
    """Return whether a line goes away in one part and comes in another.

    A diff may pair the two across the lines between, and place other edits by that.
    """
    gone: set[bytes] = set()
    come: set[bytes] = set()
    for old, new in pairs:
        if old != new:
            before, after = Counter(old), Counter(new)
            if not gone.isdisjoint(after - before) or not come.isdisjoint(before - after):
                return True
            gone |= (before - after).keys()
            come |= (after - before).keys()
    return False
