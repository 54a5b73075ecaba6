"""Find lines of a bare text that give a role for a project, whatever file that is."""

import re
from itertools import islice

from bot.team import is_key_meant, is_role_meant

MAX_LINE = 400  # characters; a longer line is prose
_MAX_SEARCHED = 1 << 22  # bytes of a file that is no entry
_MAX_SMALL = 1 << 17  # characters; above, only the exact key is looked for
_MAX_BLOCKS = 2_000  # places where a large file names the project
_COMMENT = re.compile(r"(?:^|\s)#.*")
_SIGN = re.compile(r"[:=\N{FULLWIDTH COLON}]")
_AROUND = "\"'{}[], \t"


def is_newly_mentioned(head: bytes, base: bytes | None, project: str, role: str) -> bool:
    """Return whether the bare text of a file gives a role more often than before."""
    before = _count_mentions(base, project, role) if base is not None else 0
    return _count_mentions(head, project, role) > before


def is_pair(line: str, project: str, role: str) -> bool:
    """Return whether a line is nothing but a key, a colon or equals sign, and a role."""
    if len(line) > MAX_LINE:
        return False
    # A key may hold such a sign, as in an address, and so may what stands behind a role.
    cuts = [sign.span() for sign in _SIGN.finditer(line[:MAX_LINE])]
    return any(
        is_key_meant(line[:start].strip(_AROUND + "-"), project)
        and is_role_meant(line[end:].strip(_AROUND), role)
        for start, end in {*cuts[:1], *cuts[-1:]}
    )


def _count_mentions(raw: bytes, project: str, role: str) -> int:
    found = 0
    under_key = False
    for line in _lines(raw[:_MAX_SEARCHED], project):
        words = _COMMENT.sub("", line[:MAX_LINE]).strip(_AROUND)
        if not words:
            continue
        if under_key and words[0] in "-*":
            found += is_role_meant(words.strip(_AROUND + "-*"), role)
        else:
            found += is_pair(words, project, role)
            under_key = words.endswith(":") and is_key_meant(words[:-1].strip(_AROUND), project)
    return found


def _lines(raw: bytes, project: str) -> list[str]:
    """Split a text into lines; of a large one only those from a project key to its last role."""
    text = raw.replace(b"\0", b"").decode("utf-8", "replace")
    if len(text) <= _MAX_SMALL:
        return text.splitlines()
    pattern = re.compile(rf"^.*{re.escape(project)}.*$(?:\n[ \t]*-.*$){{0,9}}", re.I | re.M)
    blocks = islice(pattern.finditer(text), _MAX_BLOCKS)
    return [line for block in blocks for line in block[0].splitlines()]
