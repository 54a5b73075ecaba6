"""What the history of a nomination is made of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.assessment import Went
from bot.report import tell_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that somebody did; `kind` is `opened`, `pushed`, `closed`, `command`, ….

    Of a command, `outcome` is how the bot judges it now; `words` are foreign text.
    """

    at: datetime
    by: str | None
    kind: str
    words: str = ""
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """When a requirement was met, or a step done.

    `at` is none where that is not known, or where it is not so; `reason` says why. It was met at
    the time at the latest, perhaps earlier, where `by_then`. `who` decided it, where somebody did.
    """

    id: str
    title: str
    actor: str
    state: str
    blocking: bool = True
    at: datetime | None = None
    by_then: bool = False
    who: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """When something came true, at the latest where `by_then`; or why that is not known."""

    at: datetime | None = None
    by_then: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """For how many days it was somebody's turn; none where that is not known, for a reason.

    The end is `over`; `open` while it goes on; `never` where it was merged without.
    """

    actor: str
    days: float | None
    reason: str | None = None
    end: str = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The history of one nomination, and how the merge requests went that count for it."""

    username: str
    project: str
    role: str
    policy: str
    policy_id: str
    requirements: tuple[Milestone, ...]
    follow_ups: tuple[Milestone, ...]
    waiting: tuple[Waiting, ...]
    outcomes: tuple[Went, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that GitLab's records tell of a merge request; `unknown` is what they do not."""

    project: str
    iid: int
    url: str
    state: str
    opened_at: datetime
    merged_at: datetime | None
    events: tuple[Event, ...]
    nominations: tuple[History, ...]
    unknown: tuple[str, ...]

    @property
    def days_to_role(self) -> float | None:
        """Return the days from opening to merge, which gives the role."""
        return days_between(self.opened_at, self.merged_at) if self.merged_at else None


def days_between(start: datetime, end: datetime) -> float:
    """Return how many days lie between two times, not fewer than none."""
    return max(0.0, round((end - start).total_seconds() / 86_400, 2))


def as_json(told: Told) -> dict[str, Any]:
    """Return a history as plain values; times are texts in ISO 8601."""
    return tell_fields(told) | {"days_to_role": told.days_to_role}
