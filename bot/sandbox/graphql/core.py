"""The frame of the GraphQL interface: resolvers, connections, global ids."""

# One module: how a field is registered, found and paged; every resolver needs all of it.

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, partial
from typing import Any, TypeVar

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    ListValueNode,
    ObjectValueNode,
    VariableNode,
)

from bot.sandbox.world.access import can_read
from bot.sandbox.world.entities import Group, MergeRequest, Project, User
from bot.sandbox.world.state import RefusedError, World

MAX_PAGE = 100
PAGE = ("after", "before", "first", "last")
UNAVAILABLE = (
    "The resource that you are attempting to access does not exist "
    "or you don't have permission to perform this action"
)
GLOBAL_ID = re.compile(r"gid://gitlab/([A-Za-z:]+)/([0-9a-f]+)\Z")
CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
Resolver = Callable[..., Any]
Finder = TypeVar("Finder", bound=Callable[..., Iterable[Any]])
Place = TypeVar("Place", Project, Group)


@dataclass(kw_only=True)
class Asked:
    """One GraphQL request: who asks, the score of the query, and how it was answered before."""

    world: World
    user: User | None
    may_write: bool
    score: int = 0
    limit: int = 0
    seen: list[MergeRequest] = field(default_factory=list)
    plans: dict[str, Any] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The day the world is at."""
        return self.world.now.date()

    @property
    def actor(self) -> User:
        """The signed-in user; raise GraphQLError for anybody else."""
        if self.user is None or not self.may_write:
            raise GraphQLError(UNAVAILABLE)
        return self.user

    def visible(self, place: Place | None) -> Place | None:
        """Return a project or group that the caller may see; None for any other."""
        return place if place and can_read(self.user, place, self.today) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interacting:
    """A person, as they are in relation to one merge request."""

    user: User
    merge_request: MergeRequest

    def __getattr__(self, name: str) -> Any:
        """Return what the person has."""
        return getattr(self.user, name)


RESOLVERS: dict[tuple[str, str], Resolver] = {}


def resolves(kind: str, *names: str) -> Callable[[Resolver], Resolver]:
    """Register a resolver (source, asked, **arguments) for fields of a type or interface."""

    def register(resolver: Resolver) -> Resolver:
        for name in names:
            RESOLVERS[kind, name] = resolver
        return resolver

    return register


def tells(kind: str, /, **table: Callable[[Any, Asked], object]) -> None:
    """Register fields of a type or interface that follow from the source and who asks."""
    RESOLVERS.update({(kind, name): resolver for name, resolver in table.items()})


def connects(kind: str, /, **table: Callable[[Any], Iterable[Any]]) -> None:
    """Register connections of a type or interface, each with what it lists of the source."""

    def connection(find: Callable[[Any], Iterable[Any]]) -> Resolver:
        return lambda source, _asked, **page: connect(find(source), **page)

    RESOLVERS.update({(kind, name): connection(find) for name, find in table.items()})


def lists(kind: str, name: str) -> Callable[[Finder], Finder]:
    """Register a connection by what it lists: (source, asked, **arguments but those of a page)."""

    def register(find: Finder) -> Finder:
        def resolve(source: object, asked: Asked, **arguments: Any) -> dict[str, object]:
            page = {name: arguments.pop(name) for name in PAGE if name in arguments}
            return connect(find(source, asked, **arguments), **page)

        RESOLVERS[kind, name] = resolve
        return find

    return register


Value = Callable[[Any], object]
VALUES: dict[tuple[str, str], Value] = {}


def values(kind: str, /, **table: Value) -> None:
    """Register fields of a type or interface that follow from the source alone."""
    VALUES.update({(kind, name): value for name, value in table.items()})


def resolve_field(source: object, info: GraphQLResolveInfo[Any], **arguments: Any) -> object:
    """Resolve any field: by its resolver, by its interface's, or by key or attribute."""
    return find_reader(info.parent_type, info.field_name)(source, info.context, arguments)


Reader = Callable[[Any, Asked, Mapping[str, Any]], object]


@cache
def find_reader(parent: GraphQLObjectType, name: str) -> Reader:
    """Return what reads a field of a source; it is asked for very often."""
    for kind in (parent.name, *(each.name for each in parent.interfaces)):
        if (kind, name) in RESOLVERS:
            return partial(_guarded, RESOLVERS[kind, name])
        if (kind, name) in VALUES:
            value = VALUES[kind, name]
            return lambda source, _asked, _arguments: value(source)
    return partial(_read_attribute, name, snake_case(name))


def may_vary(node: FieldNode) -> bool:
    """Return whether a variable may be among the arguments of a field, be it within a value."""
    holders = (VariableNode, ListValueNode, ObjectValueNode)
    return any(isinstance(each.value, holders) for each in node.arguments or ())


def _guarded(
    resolver: Resolver, source: object, asked: Asked, arguments: Mapping[str, Any]
) -> object:
    try:
        return resolver(source, asked, **arguments)
    except RefusedError as refused:
        raise GraphQLError(str(refused)) from refused


def _read_attribute(
    key: str, attribute: str, source: object, _asked: Asked, _arguments: Mapping[str, Any]
) -> object:
    if isinstance(source, dict):
        return source.get(key)
    found = getattr(source, attribute)
    return time_text(found) if isinstance(found, date) else found


@cache
def snake_case(name: str) -> str:
    """Turn a field name into an attribute name."""
    return CAPITAL.sub(r"_\1", name).lower()


def time_text(at: datetime | date | None) -> str | None:
    """Write a time as GitLab's GraphQL does; a day is its first second."""
    if at is None:
        return None
    if isinstance(at, datetime):
        return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"{at.isoformat()}T00:00:00Z"


def parse_time(text: object) -> datetime:
    """Read a time argument; raise GraphQLError."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise GraphQLError(f"Could not parse the time {text!r}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def global_id(kind: str, number: int | str) -> str:
    """Build a global id."""
    return f"gid://gitlab/{kind}/{number}"


def read_global_id(text: object, *kinds: str) -> str:
    """Read the local part of a global id of one of these kinds; raise GraphQLError."""
    found = GLOBAL_ID.match(str(text))
    if found is None or found[1] not in kinds:
        raise GraphQLError(f'"{text}" does not represent an instance of {" or ".join(kinds)}')
    return found[2]


def readable_merge_requests(asked: Asked) -> Iterator[MergeRequest]:
    """Yield every merge request the caller may see."""
    for project in asked.world.projects.values():
        if can_read(asked.user, project, asked.today):
            yield from project.merge_requests.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One item of a page, with its place in the whole list."""

    node: object
    index: int

    @property
    def cursor(self) -> str:
        """What asks for the page behind this item, or before it; few queries ask for it."""
        said = {"id": _identity(self.node, self.index), "i": self.index}
        return base64.b64encode(json.dumps(said).encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageInfo:
    """Where a page stands in the whole list."""

    edges: Sequence[Edge]
    has_next_page: bool
    has_previous_page: bool

    @property
    def start_cursor(self) -> str | None:
        """What asks for the page before this one; None where it is empty."""
        return self.edges[0].cursor if self.edges else None

    @property
    def end_cursor(self) -> str | None:
        """What asks for the page behind this one; None where it is empty."""
        return self.edges[-1].cursor if self.edges else None


def _position(items: Sequence[object], cursor: str, *, behind: bool) -> int:
    """Find the index at a cursor or behind it; where its item is gone, the next one's."""
    try:
        said = json.loads(base64.b64decode(cursor + "=="))
        index, key = int(said["i"]), said["id"]
    except (ValueError, KeyError, TypeError):
        raise GraphQLError("Please provide a valid cursor") from None
    for place, item in enumerate(items):
        if _identity(item, place) == key:
            return place + behind
    return index


def _identity(item: object, index: int) -> str:
    return str(getattr(item, "id", index))


def connect(found: Iterable[Any], **page: Any) -> dict[str, object]:
    """Cut one page out of a list: at most 100 nodes, opaque cursors, and the whole count.

    `page` holds what every connection takes: after, before, first, last.
    """
    items = list(found)
    start, end = _cut(items, page)
    nodes = items[start:end]
    edges = [Edge(node=node, index=index) for index, node in enumerate(nodes, start)]
    return {
        "nodes": nodes,
        "edges": edges,
        "count": len(items),
        "pageInfo": PageInfo(
            edges=edges, has_next_page=end < len(items), has_previous_page=start > 0
        ),
    }


def _cut(items: Sequence[object], page: Mapping[str, Any]) -> tuple[int, int]:
    first, last = page.get("first"), page.get("last")
    if first is not None and last is not None:
        raise GraphQLError("Can only provide either `first` or `last`, not both")
    sizes = [each for each in (first, last, MAX_PAGE) if each is not None]
    if min(sizes) < 0:
        raise GraphQLError("A page cannot have a negative size")
    after, before = page.get("after"), page.get("before")
    start = _position(items, after, behind=True) if after else 0
    end = _position(items, before, behind=False) if before else len(items)
    if last is not None:
        return max(start, end - min(sizes)), end
    return start, max(start, min(end, start + min(sizes)))
