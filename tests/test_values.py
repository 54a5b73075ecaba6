"""Our value classes do what those of the standard library do."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from bot.values import dataclass


@dataclass(frozen=True, slots=True)
class Ours:
    """By place or by name."""

    name: str
    count: int = 1
    seen: list[str] = dataclasses.field(default_factory=list)
    hidden: int = dataclasses.field(default=0, repr=False, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs:
    """The same, by the standard library."""

    name: str
    count: int = 1
    seen: list[str] = dataclasses.field(default_factory=list)
    hidden: int = dataclasses.field(default=0, repr=False, compare=False)


@dataclass(slots=True)
class OursToChange:
    """One that may be changed."""

    name: str
    count: int = 1
    seen: list[str] = dataclasses.field(default_factory=list)
    hidden: int = dataclasses.field(default=0, repr=False, compare=False)


@dataclasses.dataclass(slots=True)
class TheirsToChange:
    """The same, by the standard library."""

    name: str
    count: int = 1
    seen: list[str] = dataclasses.field(default_factory=list)
    hidden: int = dataclasses.field(default=0, repr=False, compare=False)


@dataclass(frozen=True, slots=True, order=True)
class OursInOrder:
    """One with an order."""

    name: str
    count: int = 1
    seen: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class TheirsInOrder:
    """The same, by the standard library."""

    name: str
    count: int = 1
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """By name alone."""

    low: int
    high: int

    def __post_init__(self) -> None:
        """Refuse what is no range."""
        if self.low > self.high:
            raise ValueError("low is above high")

    def __repr__(self) -> str:
        """Show a range."""
        return f"{self.low}-{self.high}"


CALLS: dict[str, Callable[[Any], object]] = {
    "by place": lambda cls: repr(cls("a", 2, ["x"])).partition("(")[2],
    "by name": lambda cls: repr(cls(count=2, name="a")).partition("(")[2],
    "defaults": lambda cls: (cls("a").count, cls("a").seen, cls("a").hidden),
    "a list of its own": lambda cls: cls("a").seen is cls("a").seen,
    "too few": lambda cls: cls(),
    "too many": lambda cls: cls("a", 1, [], 0, 5),
    "unknown": lambda cls: cls("a", other=1),
    "twice": lambda cls: cls("a", name="b"),
    "equal": lambda cls: cls("a") == cls("a", hidden=5),
    "unequal": lambda cls: cls("a") == cls("b"),
    "with another class": lambda cls: cls("a") == ("a", 1, []),
    "hash of a list": lambda cls: hash(cls("a")),
    "hash": lambda cls: hash(cls("a", 1, ())) == hash(cls("a", 1, (), 7)),
    "set": lambda cls: setattr(cls("a"), "name", "b"),
    "delete": lambda cls: delattr(cls("a"), "name"),
    "no dictionary": lambda cls: hasattr(cls("a"), "__dict__"),
    "replace": lambda cls: dataclasses.replace(cls("a"), count=3).count,
    "as a dictionary": lambda cls: dataclasses.asdict(cls("a")),
    "fields": lambda cls: [each.name for each in dataclasses.fields(cls)],
    "match": lambda cls: cls.__match_args__,
    "copy": lambda cls: copy.deepcopy(cls("a")) == cls("a"),
    "pickle": lambda cls: pickle.loads(pickle.dumps(cls("a", 4))).count,  # noqa: S301 - our own
}


def changed(made: Any) -> object:
    """Return a field that was given another value."""
    made.count = 5
    made.seen.append("x")
    return made.count, made.seen, repr(made).partition("(")[2]


CHANGES: dict[str, Callable[[Any], object]] = {
    "change": lambda cls: changed(cls("a")),
    "a new name": lambda cls: setattr(cls("a"), "other", "b"),
}
COMPARISONS: dict[str, Callable[[Any], object]] = {
    "less": lambda cls: (cls("a") < cls("b"), cls("a", 2) < cls("a", 1), cls("a") < cls("a")),
    "at most": lambda cls: (cls("a") <= cls("b"), cls("a", 2) <= cls("a", 1), cls("a") <= cls("a")),
    "more": lambda cls: (cls("a") > cls("b"), cls("a", 2) > cls("a", 1), cls("a") > cls("a")),
    "at least": lambda cls: (cls("a") >= cls("b"), cls("a", 2) >= cls("a", 1)),
    "sorted": lambda cls: [repr(e).partition("(")[2] for e in sorted([cls("b"), cls("a")])],
    "another kind": lambda cls: cls("a") < ("a", 1, ()),
    "what has no order": lambda cls: cls("a", "b") < cls("a", 1),
}


def outcome(call: Callable[[Any], object], cls: type) -> object:
    """Return what comes of a call, or the kind of error."""
    try:
        return call(cls)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_ours_does_what_theirs_does(call: Callable[[Any], object]) -> None:
    assert outcome(call, Ours) == outcome(call, Theirs)


def test_a_class_keeps_its_own_methods_and_checks() -> None:
    assert repr(Named(low=1, high=2)) == "1-2"
    with pytest.raises(ValueError, match="above"):
        Named(low=2, high=1)
    with pytest.raises(TypeError):
        Named(1, 2)  # type: ignore[call-arg]


@pytest.mark.parametrize("call", [*CALLS.values(), *CHANGES.values()], ids=[*CALLS, *CHANGES])
def test_classes_that_may_be_changed_do_what_theirs_do(call: Callable[[Any], object]) -> None:
    assert outcome(call, OursToChange) == outcome(call, TheirsToChange)


@pytest.mark.parametrize("call", COMPARISONS.values(), ids=COMPARISONS)
def test_ordered_classes_are_ordered_as_theirs(call: Callable[[Any], object]) -> None:
    assert outcome(call, OursInOrder) == outcome(call, TheirsInOrder)
    assert outcome(call, Ours) == outcome(call, Theirs)


def test_nothing_but_classes_with_slots_can_be_made() -> None:
    with pytest.raises(TypeError, match="only classes with slots"):
        dataclass(frozen=True, slots=False)
