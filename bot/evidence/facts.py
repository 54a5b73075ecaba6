"""The facts that judging may need, what asks for them, and the port they come through."""

from collections.abc import Collection, Iterable, Mapping
from types import UnionType
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar, cast, get_args, get_origin

from bot.unread import NOT_LOOKED_UP, Unread

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Asks(Generic[T_co]):
    """A need for a fact of one kind."""

    __slots__ = ()

    kind: ClassVar[Any]

    def __init_subclass__(cls) -> None:
        """Keep the kind that the class is declared with, to tell its facts from others."""
        (asks,) = cls.__dict__["__orig_bases__"]
        (kind,) = get_args(asks)
        # `isinstance` knows no `tuple[…]`, but it knows `… | None`.
        origin = get_origin(kind)
        cls.kind = kind if origin in {None, UnionType} else origin


Need: TypeAlias = Asks[Any]
# Of which kind it is says the need that asks for it, and `fact_of` makes sure of that: so a new
# kind of fact takes no row here.
Fact: TypeAlias = object
Facts = Mapping[Need, Fact]


class Source(Protocol):
    """Where facts come from; a fact that cannot be had is an Unread value."""

    def fetch_facts(self, needs: Collection[Need]) -> Facts:
        """Look all needs up, in parallel where they are independent."""


def fact_of(facts: Facts, need: Asks[T]) -> T | Unread:
    """Return what was looked up, or why it is not known."""
    found: Any = facts.get(need, NOT_LOOKED_UP)
    is_fact = isinstance(found, (Unread, need.kind))
    return cast("T | Unread", found) if is_fact else NOT_LOOKED_UP


class Ledger:
    """A source that remembers what it was asked for, and what was known before."""

    def __init__(self, known: Facts, source: Source) -> None:
        self.facts = dict(known)
        self._source = source

    def __getitem__(self, need: Asks[T]) -> T | Unread:
        """Return what was looked up, or why it is not known."""
        return fact_of(self.facts, need)

    def look_up(self, needs: Iterable[Need]) -> None:
        """Look up what is not known yet."""
        missing = set(needs) - self.facts.keys()
        if missing:
            self.look_again(missing)

    def look_again(self, needs: Collection[Need]) -> None:
        """Look up what may have changed meanwhile."""
        self.facts.update(self._source.fetch_facts(needs))

    def fetch(self, need: Asks[T]) -> T | Unread:
        """Return a fact that is known already, or look it up."""
        self.look_up([need])
        return self[need]
