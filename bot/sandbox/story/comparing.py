"""Say what changed in a comment, as a reader sees it: without what is folded away."""

import difflib
import re
from collections.abc import Iterator
from typing import NamedTuple

from bot.sandbox.story.terminal import FOLD, render_text

UNBROKEN = 100_000
_RULE = re.compile(r"[-= ]+")
_COLUMNS = re.compile(r" {2,}")


class Change(NamedTuple):
    """A line that came (+), went (-), or folds away something else than before (~)."""

    mark: str
    text: str


def compare(before: str, after: str) -> list[Change]:
    """List the changed lines of a comment's Markdown, a row of a table as one line."""
    old, new = list(_parts(before)), list(_parts(after))
    matcher = difflib.SequenceMatcher(None, _shown(old), _shown(new), autojunk=False)
    changes = []
    for kind, i, k, j, m in matcher.get_opcodes():
        if kind == "equal":
            pairs = zip(old[i:k], new[j:m], strict=True)
            inside = [this.text for was, this in pairs if was.folded != this.folded]
            changes += [Change("~", f"{text} (changed inside)") for text in inside]
        else:
            changes += [Change("-", each.text) for each in old[i:k]]
            changes += [Change("+", each.text) for each in new[j:m]]
    return changes


class _Part(NamedTuple):
    """A line that is seen, and the lines that it folds away."""

    text: str
    folded: list[str]


def _shown(parts: list[_Part]) -> list[str]:
    return [each.text for each in parts]


def _parts(markdown: str) -> Iterator[_Part]:
    part: _Part | None = None
    for line in render_text(markdown, UNBROKEN).split("\n"):
        if part is not None and line.startswith(FOLD) and part.text.startswith("▸"):
            part.folded.append(line)
        elif line and not _RULE.fullmatch(line):
            if part is not None:
                yield part
            part = _Part(" | ".join(_COLUMNS.split(line.strip())), [])
    if part is not None:
        yield part
