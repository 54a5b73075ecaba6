"""Value classes, and patterns, that are cheap to build: nothing is compiled when they are imported.

The standard library writes and compiles six functions for each class, a millisecond or more, and
a run imports a hundred and fifty of them; here all classes share the same few. What they do is
equal, but for the speed of making one value, which is lower: two microseconds.
"""

import dataclasses
import re
from contextlib import contextmanager
from dataclasses import MISSING
from operator import attrgetter, ge, gt, le, lt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - what checkers shall see
else:

    def dataclass(*, slots: bool, frozen: bool = False, kw_only: bool = False, order: bool = False):
        """Return a decorator that makes a class what `dataclasses.dataclass` makes of it."""
        if not slots:
            raise TypeError("only classes with slots can be made")
        members = SHARED | (FROZEN if frozen else MUTABLE) | (ORDERED if order else {})

        def decorate(cls: type) -> type:
            made = dataclasses.dataclass(
                init=False, repr=False, eq=False, slots=True, kw_only=kw_only
            )(cls)
            made.__shape__ = Shape(made, kw_only=kw_only)
            for name, shared in members.items():
                if name not in cls.__dict__:
                    setattr(made, name, shared)
            return made

        return decorate


class Shape:
    """The names of a class's fields, all and those by place, and what they are by default.

    `compare` reads what values are compared by; where `checked`, a new value looks at itself.
    """

    __slots__ = ("all", "by_place", "checked", "compare", "defaults", "factories", "names")

    def __init__(self, made: type, *, kw_only: bool) -> None:
        """Read the fields."""
        fields = dataclasses.fields(made)
        self.checked = hasattr(made, "__post_init__")
        self.names = tuple([each.name for each in fields])
        self.all = frozenset(self.names)
        self.by_place = () if kw_only else self.names
        self.compare = _reading([each.name for each in fields if each.compare])
        self.defaults = {each.name: each.default for each in fields if each.default is not MISSING}
        self.factories = {
            each.name: each.default_factory
            for each in fields
            if each.default_factory is not MISSING
        }


def _reading(names: "Sequence[str]") -> "Callable[[Any], tuple[object, ...]]":
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple([getattr(value, name) for name in names])


_set = object.__setattr__  # as the classes' own refuses


def _init(self: Any, *places: object, **given: object) -> None:
    """Take the fields by place or name; raise TypeError where one is missing, or too much."""
    cls = type(self)
    shape: Shape = cls.__shape__
    if places:
        given = _join(cls, places, given)
    if given.keys() != shape.all:
        given = _complete(cls, given)
    for name, value in given.items():
        _set(self, name, value)
    if shape.checked:
        self.__post_init__()


def _complete(cls: Any, given: dict[str, object]) -> dict[str, object]:
    """Add what each field is where it is not given."""
    shape: Shape = cls.__shape__
    full = shape.defaults | given
    for name, make in shape.factories.items():
        if name not in given:
            full[name] = make()
    for name in shape.names:
        if name not in full:
            raise TypeError(f"{cls.__name__}() needs {name!r}")
    if len(full) > len(shape.names):
        raise TypeError(f"{cls.__name__}() has no {min(full.keys() - shape.all)!r}")
    return full


def _join(cls: Any, places: tuple[object, ...], given: dict[str, object]) -> dict[str, object]:
    names = cls.__shape__.by_place
    if len(places) > len(names):
        raise TypeError(f"{cls.__name__}() takes {len(names)} values by place")
    named = dict(zip(names, places, strict=False))
    if named.keys() & given.keys():
        raise TypeError(f"{cls.__name__}() is given {min(named.keys() & given.keys())!r} twice")
    return named | given


def _all(self: Any) -> tuple[object, ...]:
    return tuple([getattr(self, name) for name in self.__shape__.names])


def _repr(self: Any) -> str:
    shown = ", ".join(
        f"{each.name}={getattr(self, each.name)!r}"
        for each in dataclasses.fields(self)
        if each.repr
    )
    return f"{type(self).__qualname__}({shown})"


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.__shape__.compare(self) == self.__shape__.compare(other)


def _compare(by: "Callable[[Any, Any], bool]") -> "Callable[[Any, Any], Any]":
    def compare(self: Any, other: Any) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return by(self.__shape__.compare(self), self.__shape__.compare(other))

    return compare


def _hash(self: Any) -> int:
    return hash(self.__shape__.compare(self))


def _refuse(_self: object, name: str, *_: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot change field {name!r}")


def _restore(self: Any, state: tuple[object, ...]) -> None:
    for name, value in zip(self.__shape__.names, state, strict=True):
        _set(self, name, value)


SHARED = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__getstate__": _all,
    "__setstate__": _restore,
}
FROZEN = {"__hash__": _hash, "__setattr__": _refuse, "__delattr__": _refuse}
MUTABLE = {"__hash__": None}
ORDERED = {f"__{by.__name__}__": _compare(by) for by in (lt, le, gt, ge)}

_COMPILE = re.compile


class LatePattern:
    """A regular expression that is compiled when it is first used.

    What is asked of it is remembered, so that it is looked up once.
    """

    # To `re.sub` and its like, and to whoever asks, it is one.
    __class__ = property(lambda _: re.Pattern)

    def __init__(self, pattern: Any, flags: Any = 0) -> None:
        """Keep what is to be compiled."""
        self._given = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        """Return what the compiled one has by this name."""
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(_COMPILE(*self._given), name)
        setattr(self, name, found)
        return found


@contextmanager
def late_patterns() -> "Iterator[None]":
    """Let what is imported meanwhile compile its regular expressions when it uses them.

    There are two hundred, of which a run uses sixty: compiling all takes a quarter of its time.
    """
    before = re.compile
    re.compile = LatePattern  # type: ignore[assignment]
    try:
        yield
    finally:
        re.compile = before
