"""Compare project keys and roles: as they count, and as they were meant when misspelt."""

import re
from collections.abc import Collection
from functools import lru_cache

_MAX_SHORT_WORD = 3  # letters; a changed letter makes another word of it (ai, api)
_MIN_LONG_WORD = 8  # letters; two edits leave it recognisable
_MAX_TEXT = 200
_MAX_EDITS = 2  # nobody asks for more
_MANY = 9
_PATH = re.compile(r"[/:]")
_TAG = re.compile(rb"(?:^|[\s\[{,:?-])![^\s]", re.M)  # may hold a key in another encoding
_NOT_WORD = re.compile(r"[\W_]+")
_BETWEEN_ROLES = re.compile(r"[\s,;/|+&]+")
_NOT_ASCII_WORD = bytes(code for code in range(128) if not chr(code).isalnum())
_DENIED = frozenset(
    {"no", "not", "non", "former", "ex", "past", "trainee", "future", "emeritus", "aspiring"}
)


def responsibility(role: str) -> str:
    """Take the first word of a role, case folded; the words behind it are the specialty."""
    words = role.split(maxsplit=1)
    return words[0].casefold() if words else ""


def fold_key(key: str) -> str:
    """Fold the capitals of a project key, as the reviewer roulette does."""
    return key.strip().casefold()


def is_key_meant(key: str, project: str) -> bool:
    """Compare project keys; other separators, a path in front and one edit in a word are forgiven.

    Keys with more or fewer words are other projects.
    """
    return len(key) <= _MAX_TEXT and _is_key_meant(fold_key(key), fold_key(project))


@lru_cache(maxsize=4096)
def _is_key_meant(key: str, project: str) -> bool:
    if _squash(_PATH.split(key.rstrip("/:"))[-1]) == _squash(project):
        return True
    words, expected = _NOT_WORD.split(key), _NOT_WORD.split(project)
    if len(words) != len(expected):
        return False
    edits = [_edits(*pair) for pair in zip(words, expected, strict=True)]
    return sum(edits) <= 1 and all(
        edit == 0 or len(other) > _MAX_SHORT_WORD or sorted(word) == sorted(other)
        for edit, word, other in zip(edits, words, expected, strict=True)
    )


def is_role_meant(text: str, role: str) -> bool:
    """Compare a role with a responsibility; misspelt, glued and later words are forgiven.

    A trainee never meant the role itself, and neither does a denial.
    """
    return _is_role_meant(text[:_MAX_TEXT].casefold(), role)


@lru_cache(maxsize=4096)
def _is_role_meant(text: str, role: str) -> bool:
    if responsibility(text) == role:
        return True
    words = [word for word in _BETWEEN_ROLES.split(text) if word]
    if words and _is_word_meant(words[0], role):
        return True
    return holds_role(text, role)


def holds_role(text: str, role: str) -> bool:
    """Return whether any word of a text is a role, and is neither denied nor a trainee's."""
    words = [word for word in _BETWEEN_ROLES.split(text[:_MAX_TEXT].casefold()) if word]
    return any(
        word == role and not _DENIED.intersection(words[:place]) for place, word in enumerate(words)
    )


def _is_word_meant(word: str, role: str) -> bool:
    if _squash(word) == _squash(role):
        return True
    parts = [part for part in _NOT_WORD.split(word) if part]
    if not parts or _DENIED.intersection(parts):
        return False
    return _edits(parts[0], role) <= (_MAX_EDITS if len(role) >= _MIN_LONG_WORD else 1)


def role_spellings(role: str) -> frozenset[str]:
    """Return the spellings of a role that the team database knows, such as trainee-maintainer."""
    role = role.casefold()
    return frozenset({role, role.replace("_", "-"), role.replace("-", "_")})


def is_stage_meant(text: str, stage: str) -> bool:
    """Compare a role with one that has several words, such as trainee_maintainer.

    Its first word alone, other separators and two edits are forgiven.
    """
    words = [word for word in _BETWEEN_ROLES.split(text[:_MAX_TEXT].casefold()) if word][:2]
    first, expected = "".join(words[:1]), _squash(stage)
    if not words or first in role_spellings(stage):
        return False
    alone = first == _NOT_WORD.split(stage.casefold())[0]
    return alone or any(
        _edits(_squash(each), expected) <= _MAX_EDITS for each in (first, "".join(words))
    )


def may_mention(raw: bytes, project: str) -> bool:
    """Tell cheaply whether a file could name a project, rightly or almost.

    Over-matches and never under-matches: escapes and odd encodings count as mentions.
    """
    if b"\\" in raw or b"\0" in raw or _TAG.search(raw):
        return True
    if raw.isascii():
        text = raw.lower().translate(None, _NOT_ASCII_WORD).decode("ascii")
    else:
        text = _squash(raw.decode("utf-8", "replace"))
    squashed = _squash(project)
    if any(piece in text for piece in _pieces(squashed)):
        return True
    return not text.isascii() and _lookalikes(squashed).search(text) is not None


def may_name(raw: bytes, folded: Collection[str]) -> bool:
    """Tell cheaply whether a file could contain one of some folded usernames.

    Over-matches and never under-matches: escapes and odd encodings count as possible.
    """
    if b"\\" in raw or b"\0" in raw:
        return True
    text = raw.decode("utf-8", "replace").casefold()
    return any(name in text for name in folded)


def _squash(text: str) -> str:
    return _NOT_WORD.sub("", text.casefold())


@lru_cache(maxsize=64)
def _lookalikes(key: str) -> re.Pattern[str]:
    return re.compile("".join(f"(?:{re.escape(letter)}|[^\\x00-\\x7f])" for letter in key))


@lru_cache(maxsize=64)
def _pieces(key: str) -> tuple[str, ...]:
    """Cut a key so that one edit or one swap anywhere leaves a piece whole."""
    half = len(key) // 2
    if half == 0:
        return ("",)
    swapped = key[: half - 1] + key[half] + key[half - 1] + key[half + 1 :]
    return key[:half], key[half:], swapped


def _edits(one: str, other: str) -> int:
    """Count edits of single letters; two neighbours that change places are one edit."""
    if one == other:
        return 0
    if abs(len(one) - len(other)) > _MAX_EDITS or len(set(one) ^ set(other)) > 2 * _MAX_EDITS:
        return _MANY
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, right in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (left != right))
            if last and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
