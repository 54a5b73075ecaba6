"""What the desired state is made of: points, what was found of each, and changes."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.setup.ground import Ground

    Mend = Callable[[Ground], object]


class State(Enum):
    """How a point of the desired state stands."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found of a point; `excused` where nobody could have told, and nothing is amiss.

    The step is the next one, without any secret; `mend` takes it, where `init` can.
    """

    state: State
    found: str
    step: str = ""
    mend: "Mend | None" = None
    excused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One thing that must be so in GitLab: what is expected, where, and what it costs if not.

    Where a point that it `needs` is not as expected, looking at it would tell the same again.
    """

    id: str
    expected: str
    costs: str
    look: "Callable[[Ground], Found]"
    link: "Callable[[Ground], str]"
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A point and what was found of it; the link leads to where it is set."""

    point: Point
    found: Found
    link: str


def ok(found: str) -> Found:
    """Return that a point is as expected."""
    return Found(state=State.OK, found=found)


def wrong(found: str, step: str, mend: "Mend | None" = None) -> Found:
    """Return that a point is not as expected, and the next step."""
    return Found(state=State.WRONG, found=found, step=step, mend=mend)


def unknown(found: str, step: str, *, excused: bool = False) -> Found:
    """Return that it cannot be told how a point stands."""
    return Found(state=State.UNKNOWN, found=found, step=step, excused=excused)
