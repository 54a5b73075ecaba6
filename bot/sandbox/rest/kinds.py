"""The frame of what is listed, shown, made, changed and deleted alike: one row for each kind."""

from collections.abc import Callable, Mapping, MutableSequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.params import PAGING, Param
from bot.sandbox.world.access import demand
from bot.sandbox.world.entities import Level
from bot.sandbox.world.state import RefusedError

Row = dict[str, Any]
SEARCHED = ("title", "name", "path", "description")


def _get(found: Any, name: str) -> Any:
    return found.get(name) if isinstance(found, dict) else getattr(found, name)


def holds(found: Any, needle: str) -> bool:
    """Return whether a name or a description holds a text, without case."""
    told = (_get(found, name) for name in SEARCHED)
    return any(needle.casefold() in str(each or "").casefold() for each in told)


def change(_call: Call, found: Any, given: Mapping[str, Any]) -> None:
    """Take over what was given as it is."""
    for name, value in given.items():
        setattr(found, name, value)


def _tell(_call: Call, found: Any) -> Row:
    return dict(found)


def _as_written(kind: "Kind", call: Call, _found: Any) -> bool:
    return call.level >= kind.writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of thing: where its list is, what names one, what it takes, and how it is told.

    `name` is what the path names one by, and `missing` what is said where there is none; `show`
    tells more of one alone, and what is `fixed` is given only when one is made. Who is `reads` may
    see it, who is `writes` may make it, and change it unless `may_change` says otherwise; what one
    may not see is not there. What is `unique` of it is refused with `taken` when it is there;
    `forget` takes one that is deleted from those who have it, or refuses to.
    """

    at: str
    key: str
    fields: Mapping[str, Param]
    keep: Callable[[Call], MutableSequence[Any]]
    make: Callable[[Call], Any]
    change: Callable[[Call, Any, Mapping[str, Any]], None] = change
    tell: Callable[[Call, Any], Row] = _tell
    show: Callable[[Call, Any], Row] | None = None
    name: str = "id"
    missing: str = "404 Not found"
    fixed: tuple[str, ...] = ()
    may_see: Callable[[Call, Any], bool] = lambda _call, _found: True
    may_change: "Callable[[Kind, Call, Any], bool]" = _as_written
    listing: Mapping[str, Param] = field(default_factory=dict)
    ways: tuple[str, ...] = ("list", "show", "create", "edit", "delete")
    reads: Level = Level.NO_ACCESS
    writes: Level = Level.DEVELOPER
    forget: Callable[[Call, Any], None] = lambda _call, _found: None
    unique: str = ""
    taken: int = 400
    job_token: bool = False


def find(kind: Kind, call: Call) -> Any:
    """Find the one that the path names; raise RefusedError (404)."""
    if kind.name == "id":
        call.number(kind.key)
    names, asked = kind.name.split(), call.path[kind.key]
    for found in kind.keep(call):
        if kind.may_see(call, found) and asked in {str(_get(found, name)) for name in names}:
            return found
    raise RefusedError(404, kind.missing)


def _list(kind: Kind, call: Call) -> Answer:
    demand(call.level >= kind.reads)
    given = {name: value for name, value in call.params.items() if name not in PAGING}
    needle = given.pop("search", "")
    found = [
        each
        for each in kind.keep(call)
        if kind.may_see(call, each)
        and (not needle or holds(each, needle))
        and all(_get(each, name) == value for name, value in given.items())
    ]
    return paged(call, found, partial(kind.tell, call))


def _show(kind: Kind, call: Call) -> Row:
    demand(call.level >= kind.reads)
    return (kind.show or kind.tell)(call, find(kind, call))


def create(kind: Kind, call: Call) -> Row:
    """Make one, unless there is one of what must be unique."""
    demand(call.level >= kind.writes)
    kept = kind.keep(call)
    for name in kind.unique.split():
        if any(_get(each, name) == call.params[name] for each in kept):
            raise RefusedError(kind.taken, {name: ["has already been taken"]})
    with call.world.writing():
        made = kind.make(call)
        kept.append(made)
    return kind.tell(call, made)


def find_own(kind: Kind, call: Call) -> Any:
    """Find the one that the path names, which the caller may change; raise RefusedError."""
    demand(call.level >= kind.reads)
    found = find(kind, call)
    demand(kind.may_change(kind, call, found))
    return found


def edit(kind: Kind, call: Call) -> Row:
    """Change the one that the path names."""
    found = find_own(kind, call)
    with call.world.writing():
        kind.change(call, found, call.params)
    return kind.tell(call, found)


def delete(kind: Kind, call: Call) -> None:
    """Delete the one that the path names."""
    found = find_own(kind, call)
    with call.world.writing():
        # Before `forget`, which may take it from where `keep` looks.
        kept = kind.keep(call)
        kind.forget(call, found)
        kept.remove(found)


def offer(kind: Kind) -> Kind:
    """Offer the ways that a kind of thing has."""
    one = f"{kind.at}/{{{kind.key}}}"
    optional = {
        name: replace(each, required=False)
        for name, each in kind.fields.items()
        if name not in kind.fixed
    }
    is_open = kind.reads is Level.NO_ACCESS
    for way, method, template, params, act in (
        ("list", "GET", kind.at, {**kind.listing, **PAGING}, _list),
        ("show", "GET", one, {}, _show),
        ("create", "POST", kind.at, kind.fields, create),
        ("edit", "PUT", one, optional, edit),
        ("delete", "DELETE", one, {}, delete),
    ):
        if way in kind.ways:
            rights = {"open": is_open and method == "GET", "job_token": kind.job_token}
            endpoint(method, template, params, **rights)(partial(act, kind))
    return kind
