"""A file or an answer that exists but could not be read."""

from collections.abc import Sequence
from typing import TypeAlias

from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A file that exists but could not be read, and why."""

    reason: str


class Hidden(str):
    """A reason that access settles: its words alone may be those of an entry."""

    __slots__ = ()


def hidden(place: str) -> Unread:
    """Return that the bot's account has no access to a place."""
    return Unread(reason=Hidden(f"{place} cannot be read by the bot"))


def join_reasons(reasons: Sequence[str]) -> str | None:
    """Return several reasons as one; access settles it where it settles any of them."""
    kind = Hidden if any(isinstance(each, Hidden) for each in reasons) else str
    return kind("; ".join(reasons)) if reasons else None


NOT_LOOKED_UP = Unread(reason="it was not looked up")
Content: TypeAlias = bytes | Unread | None
