"""A file or an answer that exists but could not be read."""

from typing import TypeAlias

from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A file that exists but could not be read, and why."""

    reason: str


HIDDEN = "cannot be read by the bot"  # so every reason ends that access settles, and no other


def hidden(place: str) -> Unread:
    """Return that the bot's account has no access to a place."""
    return Unread(reason=f"{place} {HIDDEN}")


NOT_LOOKED_UP = Unread(reason="it was not looked up")
Content: TypeAlias = bytes | Unread | None
