"""What is gathered for the board, and what it is gathered from."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from bot.app import Choices
from bot.app.board.values import Granted, Waiting
from bot.app.replay import Told
from bot.evidence import Source
from bot.gitlab import GitLabClient

MOST_LOOKS = 40  # nominations of either kind that are looked at, the newest
T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Making:
    """What is gathered, and what it is gathered from."""

    gitlab: GitLabClient
    choices: Choices
    project: str
    gitlab_url: str
    tell: Callable[[str], None]
    shared: Source
    now: datetime
    waiting: dict[str, list[Waiting]] = field(default_factory=lambda: defaultdict(list))
    granted: dict[str, list[Granted]] = field(default_factory=lambda: defaultdict(list))
    seen: set[int] = field(default_factory=set)
    histories: list[Told] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    last_call: int = 0


def tell_left_out(what: str, why: str) -> str:
    """Say what is left out because not everybody may see it."""
    return f"{what} are left out: {why} are not known to be visible to everybody."


def bound(found: list[T], most: int, what: str, notices: list[str]) -> list[T]:
    """Return the first of what was found, and note it where that is not all."""
    if len(found) > most:
        notices.append(f"Of {len(found)} {what}, {most} are shown.")
    return found[:most]
