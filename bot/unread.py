"""A file or an answer that exists but could not be read."""

from typing import TypeAlias

from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A file that exists but could not be read, and why."""

    reason: str


NOT_LOOKED_UP = Unread(reason="it was not looked up")
Content: TypeAlias = bytes | Unread | None
