"""What differs between the places that say who has a role."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place that says who has a role: an `entry`, a `group`, or a `file` of a project.

    Not `public` where not everybody may see what it says; `unknown` says why it was not read.
    """

    kind: str
    name: str
    url: str
    public: bool
    people: int | None
    unknown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Somebody of whom a place says something else than their entry, or their account does.

    The problem is `missing`, `too_low` (a member of a lower level), `without_role`,
    `without_entry`, `inactive` or `gone`. The edit is a diff of the place's file, where one
    can be made; the page is where it is done otherwise.
    """

    username: str
    place: Place
    problem: str
    detail: str
    mend: str
    url: str
    edit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """All differences about one role; `unknown` tells what could not be compared.

    `private` are the lines of it that name somebody whom only private places name; `hidden` counts
    the differences that were left out.
    """

    id: str
    title: str
    project: str
    role: str
    places: tuple[Place, ...]
    differences: tuple[Difference, ...]
    unknown: tuple[str, ...]
    private: tuple[str, ...] = ()
    hidden: int = 0

    @property
    def known(self) -> bool:
        """Return whether everything could be compared."""
        return not self.unknown

    @property
    def sound(self) -> bool:
        """Return whether all places are known to agree."""
        return self.known and not self.differences and not self.hidden


PRIVATE = "something about people in places that not everybody may see"


def publish(drift: Drift) -> Drift:
    """Leave out who differs in a place that not everybody may see; their number stays."""
    shown = tuple(each for each in drift.differences if each.place.public)
    places = tuple(
        place if place.public else replace(place, people=None, unknown=_told(place))
        for place in drift.places
    )
    unknown = tuple(_unread(place) for place in places if place.unknown)
    secret = {*unread_places(drift.places), *drift.private}
    others = tuple(line for line in drift.unknown if line not in secret)
    somebody = (PRIVATE,) if drift.private else ()
    return replace(
        drift,
        places=places,
        differences=shown,
        unknown=(*unknown, *others, *somebody),
        private=(),
        hidden=len(drift.differences) - len(shown),
    )


def _told(place: Place) -> str | None:
    # A reason may quote what the place holds.
    return "it could not be read" if place.unknown else None


def _unread(place: Place) -> str:
    return f"{place.name}: {place.unknown}"


def unread_places(places: Iterable[Place]) -> tuple[str, ...]:
    """Return a line for each place that was not read."""
    return tuple(_unread(place) for place in places if place.unknown)


def as_json(drifts: Iterable[Drift]) -> list[dict[str, Any]]:
    """Return what was found as plain values."""
    return [
        asdict(drift)
        | {"known": drift.known, "agree": drift.sound}
        | {"differences": [asdict(d) | {"place": d.place.name} for d in drift.differences]}
        for drift in drifts
    ]
