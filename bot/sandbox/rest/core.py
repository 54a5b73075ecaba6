"""The frame of the REST interface: endpoints, calls, answers, pages."""

# One module: `Call` is what every endpoint gets, and registering and paging are about it.

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlencode

from werkzeug.datastructures import Headers

from bot.sandbox.rest.params import PAGING, Param, takes
from bot.sandbox.world.access import (
    can_read,
    can_read_code,
    can_read_issue,
    can_read_merge_requests,
    can_see_note,
    demand,
    find_level,
    required,
)
from bot.sandbox.world.entities import Group, Issue, MergeRequest, Note, Project, Token, User
from bot.sandbox.world.repository import Commit
from bot.sandbox.world.state import RefusedError, World

Place = TypeVar("Place", Project, Group)
PER_PAGE = 20
MAX_PER_PAGE = 100
COUNTED_UP_TO = 10_000  # `MAX_COUNT_LIMIT`; lib/gitlab/pagination/offset_pagination.rb


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an endpoint answers; `raw` replaces the JSON body.

    `then` gives the true answer, once the world's lock is let go of.
    """

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = "application/json"
    then: "Callable[[], Answer] | None" = None


@dataclass(kw_only=True)
class Call:
    """One request, understood: who asks, what for, with which parameters."""

    world: World
    user: User | None
    token: Token | None
    base_url: str
    url: str
    path: Mapping[str, str]
    query: Sequence[tuple[str, str]] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Headers = field(default_factory=Headers)
    prepared: list[MergeRequest] = field(default_factory=list)

    @property
    def today(self) -> date:
        """The day the world is at."""
        return self.world.now.date()

    @property
    def actor(self) -> User:
        """The signed-in user; raise RefusedError (401) for anybody else."""
        return required(self.user, "401 Unauthorized", 401)

    def number(self, name: str) -> int:
        """Read a number from the path; raise RefusedError (400)."""
        value = self.path[name]
        if not value.isascii() or not value.isdigit():
            raise RefusedError(400, f"{name} is invalid", key="error")
        return int(value)

    @cached_property
    def project(self) -> Project:
        """The project of the path, if the caller may see it."""
        return self.seen(self.world.find_project(self.path["id"]), "Project")

    @cached_property
    def group(self) -> Group:
        """The group of the path, if the caller may see it."""
        return self.seen(self.world.find_group(self.path["id"]), "Group")

    def seen(self, found: Place | None, kind: str) -> Place:
        """Return a place that the caller may see; raise RefusedError (404)."""
        place = required(found, f"404 {kind} Not Found")
        demand(can_read(self.user, place, self.today), 404, f"404 {kind} Not Found")
        return place

    @cached_property
    def code(self) -> Project:
        """The project of the path, if the caller may read its repository."""
        demand(can_read_code(self.user, self.project, self.today), 404, "404 Project Not Found")
        return self.project

    @cached_property
    def merge_request(self) -> MergeRequest:
        """The merge request of the path."""
        name = "noteable_id" if "noteable_id" in self.path else "merge_request_iid"
        words = "404 Not found" if name == "merge_request_iid" else "404 Noteable Not Found"
        found = required(self.project.merge_requests.get(self.number(name)), words)
        demand(can_read_merge_requests(self.user, self.project, self.today), 404, words)
        self.prepared.append(found)
        return found

    @property
    def place(self) -> Project | Group:
        """The project or the group of the path."""
        return self.group if self.url.startswith("/api/v4/groups/") else self.project

    @property
    def is_in_project(self) -> bool:
        """Return whether the address is below one project."""
        return "id" in self.path and isinstance(self.place, Project)

    @property
    def projects(self) -> list[Project]:
        """The projects an address is about: one, those below a group, or all the caller sees."""
        place = self.place if "id" in self.path else None
        if isinstance(place, Project):
            return [place]
        return [
            each
            for each in self.world.projects.values()
            if can_read(self.user, each, self.today)
            and (place is None or (each.group and place in each.group.lineage()))
        ]

    @cached_property
    def issue(self) -> Issue:
        """The issue of the path; a confidential one is for its author and Reporters."""
        found = required(self.project.issues.get(self.number("issue_iid")))
        demand(can_read_issue(self.user, self.project, found, self.today), 404)
        return found

    @property
    def code_merge_request(self) -> MergeRequest:
        """The merge request of the path, if the caller may read the repository."""
        demand(can_read_code(self.user, self.project, self.today))
        return self.merge_request

    @cached_property
    def note(self) -> Note:
        """The note of the path, if the caller may see it."""
        mr, words = self.merge_request, "404 Note Not Found"
        found = required(mr.find_note(self.number("note_id")), words)
        demand(can_see_note(self.user, found, self.today), 404, words)
        return found

    @property
    def level(self) -> int:
        """The caller's level on the project or group."""
        return find_level(self.user, self.place, self.today)

    def commit(self, ref: str, missing: str = "404 Commit Not Found") -> Commit:
        """Find a commit of the project; raise RefusedError (404)."""
        return required(self.code.repository.find_commit(ref), missing)

    def person(self, user_id: int) -> User:
        """Find an account by number; raise RefusedError (404)."""
        return required(self.world.users.get(user_id), "404 User Not Found")

    def people(self, numbers: Iterable[int] | None) -> tuple[User, ...] | None:
        """Find accounts by number; unknown ones are left out, and 0 means nobody."""
        if numbers is None:
            return None
        users = self.world.users
        return tuple(users[number] for number in numbers if number in users)


# What an endpoint returns is the body of its answer, or the whole answer where that is not plain.
Handler = Callable[[Call], object]


def answer_plainly(method: str, told: object) -> Answer:
    """Answer what an endpoint tells, with the status that Grape has for its method.

    Grape, lib/grape/dsl/inside_route.rb: 201 for POST, 204 for DELETE where nothing is told.
    """
    if isinstance(told, Answer):
        return told
    status = {"POST": 201, "DELETE": 200 if told else 204}.get(method, 200)
    return Answer(status=status, body=told)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Endpoint:
    """One operation: its address as GitLab's documents write it, parameters, and rights."""

    method: str
    template: str
    handler: Handler
    params: Mapping[str, Param]
    open: bool = False
    scopes: frozenset[str] = frozenset()
    job_token: bool = False
    free: bool = False


ENDPOINTS: list[Endpoint] = []
READ = frozenset({"api", "read_api"})
WRITE = frozenset({"api"})
FILES = READ | {"read_repository"}
USERS = READ | {"read_user"}
RIGHTS = ("open", "scopes", "job_token", "free")


def endpoint(
    method: str, template: str, *others: Mapping[str, Param], **told: Any
) -> Callable[[Handler], Handler]:
    """Register a handler, with its rights and parameters; these are told as `takes` has them.

    Rights: `open` to anonymous callers, `scopes` of tokens, `job_token` accepted, `free` of
    the rule that unknown parameters are refused.
    """
    rights: dict[str, Any] = {"open": method == "GET", "scopes": READ if method == "GET" else WRITE}
    rights |= {name: told.pop(name) for name in RIGHTS if name in told}
    params = takes(*others, **told)

    def register(handler: Handler) -> Handler:
        ENDPOINTS.append(
            Endpoint(method=method, template=template, handler=handler, params=params, **rights)
        )
        return handler

    return register


def read_window(call: Call) -> tuple[int, int]:
    """Read page and per_page; more than 100 per page are cut, as GitLab does."""
    page, size = call.params.get("page", 1), call.params.get("per_page", PER_PAGE)
    if page < 1 or size < 1:
        name = "page" if page < 1 else "per_page"
        raise RefusedError(400, f"{name} does not have a valid value", key="error")
    return page, min(size, MAX_PER_PAGE)


def paged(
    call: Call,
    found: Sequence[Any],
    render: Callable[[Any], object],
    *,
    counted: bool = True,
) -> Answer:
    """Answer one page with GitLab's headers; totals are left out above 10,000 or if not counted."""
    page, size = read_window(call)
    chosen = found[(page - 1) * size : page * size]
    pages = max(1, -(-len(found) // size))
    headers = {
        "X-Page": str(page),
        "X-Per-Page": str(size),
        "X-Next-Page": str(page + 1) if page < pages else "",
        "X-Prev-Page": str(page - 1) if page > 1 else "",
    }
    if counted and len(found) <= COUNTED_UP_TO:
        headers |= {"X-Total": str(len(found)), "X-Total-Pages": str(pages)}
    wanted = {
        "prev": page - 1 if page > 1 else None,
        "next": page + 1 if page < pages else None,
        "first": 1,
        "last": pages if "X-Total" in headers else None,
    }
    headers["Link"] = ", ".join(
        f'<{_page_url(call, place, size)}>; rel="{rel}"' for rel, place in wanted.items() if place
    )
    return Answer(body=[render(each) for each in chosen], headers=headers)


def _page_url(call: Call, page: int, size: int) -> str:
    kept = [(name, value) for name, value in call.query if name not in PAGING]
    kept += [("page", str(page)), ("per_page", str(size))]
    return f"{call.base_url}{call.url}?{urlencode(kept)}"
