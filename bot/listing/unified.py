"""Render the difference of two texts as a unified diff that `git apply` and `patch` take."""

import re

_CONTEXT = 3
_PLAIN_PATH = re.compile(r'[^\x00-\x1f\x7f"\\]+')
_NO_NEWLINE = "\n\\ No newline at end of file\n"


def unified_diff(before: str, after: str, path: str) -> str | None:
    """Render one hunk around all that differs, or `None` for a path that would need quoting."""
    if not _PLAIN_PATH.fullmatch(path):
        return None
    # Not by `difflib`, which takes seconds where a file repeats a few names on thousands of lines.
    old, new = _lines(before), _lines(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    first = max(head - _CONTEXT, 0)
    old_end, new_end = len(old) - tail, len(new) - tail
    shown = [
        *(f" {line}" for line in old[first:head]),
        *(f"-{line}" for line in old[head:old_end]),
        *(f"+{line}" for line in new[head:new_end]),
        *(f" {line}" for line in old[old_end : old_end + _CONTEXT]),
    ]
    counts = [min(end + _CONTEXT, end + tail) - first for end in (old_end, new_end)]
    # As git does: a tab ends a name with blanks.
    name = f"{path}\t" if " " in path else path
    hunk = f"@@ -{first + 1},{counts[0]} +{first + 1},{counts[1]} @@"
    body = (line if line.endswith("\n") else line + _NO_NEWLINE for line in shown)
    return f"--- a/{name}\n+++ b/{name}\n{hunk}\n{''.join(body)}"


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + [line for line in lines[-1:] if line]


def _common(left: list[str], right: list[str]) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(left), len(right)))
