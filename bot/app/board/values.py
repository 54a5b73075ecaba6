"""What the board shows: nothing but what everybody may see."""

from dataclasses import dataclass
from datetime import datetime

from bot.app.drift import Drift
from bot.app.replay import Pace
from bot.assessment import Went


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """How much there is of what a requirement asks for.

    `more` says that there may be more than `found`; one that is not `blocking` is recommended.
    The state is a verdict, or `counted` where nobody looked at what was counted.
    """

    title: str
    found: int
    needed: int
    more: bool
    state: str
    blocking: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a role that comes before another; `since` when, where that is known.

    Not `closely` judged where the requests did not suffice for that: then nothing is met, and
    `outcomes` do not tell how the merge requests went that count.
    """

    username: str
    url: str
    stage: str
    since: datetime | None
    ready: bool | None
    closely: bool
    bars: tuple[Bar, ...]
    missing: tuple[str, ...]
    outcomes: tuple[Went, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An open nomination: for whom it waits, for what, and since when nothing moved on.

    The state is `ready` to be merged, `held`, `waiting` for somebody, or `unknown`.
    """

    username: str
    url: str
    iid: int
    opened_at: datetime
    unchanged_since: datetime
    state: str
    actor: str
    people: tuple[str, ...]
    step: str
    bars: tuple[Bar, ...]
    missing: tuple[str, ...]
    outcomes: tuple[Went, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStep:
    """A step after the merge that is not known to be done."""

    title: str
    state: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A nomination that was merged, with the steps that are left."""

    username: str
    url: str
    iid: int
    merged_at: datetime
    steps: tuple[OpenStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """How many of those who are maintainers now were members of their group by then."""

    year: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What there is to see of one policy; no number of maintainers where it is not known.

    `drift` is none where it was not looked for; `notices` say what is left out, and why.
    """

    id: str
    title: str
    document: str
    project: str
    role: str
    group: str
    number: int | None
    maintainers: tuple[str, ...]
    waiting: tuple[Waiting, ...]
    granted: tuple[Granted, ...]
    people: tuple[Person, ...]
    growth: tuple[Year, ...] = ()
    pace: Pace | None = None
    drift: Drift | None = None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All that is shown, and when it was read."""

    made_at: datetime
    gitlab_url: str
    team_project: str
    sections: tuple[Section, ...]
    notices: tuple[str, ...] = ()
