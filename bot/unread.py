"""A file or an answer that exists but could not be read."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A file that exists but could not be read, and why."""

    reason: str


Content: TypeAlias = bytes | Unread | None
