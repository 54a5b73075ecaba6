"""Tell texts that people, or other readers, may take for one another."""

import re
import unicodedata
from functools import lru_cache

from bot.team import holds_role, responsibility

_MAX_ROLE = 200  # characters
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SIGNS = re.compile(r"[^\w \t-]")


def is_nearly(text: str, word: str) -> bool:
    """Return whether a text is a word but for blanks, capitals, invisible or look-alike letters."""
    return len(text) <= 4 * len(word) + 20 and _is_nearly(text, word)


@lru_cache(maxsize=4096)
def _is_nearly(text: str, word: str) -> bool:
    found, expected = _skeleton(text), _skeleton(word)
    if len(found) != len(expected):
        return False
    pairs = list(zip(found, expected, strict=True))
    alike = sum(one == other for one, other in pairs)
    # A letter of another script may look like any letter.
    return 3 * alike >= len(pairs) and all(
        one == other or not one.isascii() for one, other in pairs
    )


def _skeleton(text: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = (c for c in folded if c not in _INVISIBLE and unicodedata.category(c)[0] not in "ZCM")
    # A symbol in Ruby is a key with a colon before it.
    return "".join(kept).strip(":'\"")


def looks_like(text: str, role: str) -> bool:
    """Return whether the first word of a text is a role but for its letters."""
    spaced = "".join(" " if unicodedata.category(c)[0] == "Z" else c for c in text[:_MAX_ROLE])
    words = spaced.split()
    return bool(words) and responsibility(text) != role and is_nearly(words[0], role)


def begins_like(text: str, role: str) -> bool:
    """Return whether a text is no role but begins with one, also behind a sign, or holds one."""
    parts = (part.casefold().strip() for part in _SIGNS.split(text[:_MAX_ROLE]))
    return responsibility(text) != role and (
        holds_role(text, role) or any(part.startswith(role) for part in parts)
    )
