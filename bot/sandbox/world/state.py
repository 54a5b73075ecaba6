"""The state of the stand-in GitLab: one world, one lock, one clock, one log of events."""

# One module: one class in which everything is found, with the values its callbacks take.

import copy
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from bot.sandbox.world.entities import (
    Group,
    MergeRequest,
    Note,
    Pipeline,
    Project,
    Start,
    Todo,
    Token,
    User,
    Webhook,
)

Named = TypeVar("Named", User, Group, Project)
START = datetime(2026, 2, 2, 9, 0, 0, tzinfo=UTC)


class RefusedError(Exception):
    """Something GitLab refuses, with the HTTP status and body it answers."""

    def __init__(
        self, status: int, message: object, *, key: str = "message", **further: object
    ) -> None:
        super().__init__(str(message))
        self.status = status
        self.body: dict[str, object] = {key: message, **further}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of state; `changes` maps a field to its values before and after.

    Kinds: merge_request_changed (with `action` as in GitLab's webhooks), note_created,
    note_edited, note_deleted, emoji_added, emoji_removed, branch_pushed, pipeline_created,
    status_set, check_answered, thread_resolved, member_changed, violation.
    """

    at: datetime
    kind: str
    actor: User | None = None
    project: Project | None = None
    merge_request: MergeRequest | None = None
    note: Note | None = None
    action: str = ""
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    oldrev: str | None = None
    system_action: str | None = None
    subject: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickActionOutcome:
    """What became of the quick actions in a note: the text left and what was done.

    `commands` are the names found; a note of commands only is never saved.
    """

    text: str
    commands: tuple[str, ...] = ()
    changes: Mapping[str, object] = field(default_factory=dict)
    messages: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def commands_only(self) -> bool:
        """Return whether nothing but commands was written."""
        return bool(self.commands) and not self.text.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One HTTP request and its answer; it never holds a token.

    `client` is the name in the address used, `connection` the number of the connection.
    """

    at: datetime
    method: str
    route: str
    path: str
    query: Mapping[str, list[str]]
    body: object
    status: int
    answer: object
    user: str | None
    seconds: float
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    client: str = ""
    connection: int = 0


Mentions = Callable[["World", Project, str], Iterable[str]]
QuickActions = Callable[["World", User, MergeRequest, str], QuickActionOutcome]
Trigger = Callable[[Start], Pipeline]
RunJobs = Callable[[Pipeline], bool | None]
Subscriber = Callable[[Event], None]
HookTest = Callable[[Project, Webhook, str], tuple[int | None, str]]
VERSION = "19.5.0-ee"


class World:
    """Everything the stand-in GitLab knows.

    Subscribers, `quick_actions`, `trigger` and `run_jobs` are called with `lock` held: they may
    act on the world, but must leave waiting (deliveries, processes) to their own threads.
    """

    find_mentions: Mentions | None = None
    # Whether unknown parameters are refused; GitLab ignores them, and tests must not.
    strict = True
    unprepared_reads = 0
    keeps_previous = False
    on_violation: Callable[[str], None] | None = None

    def __init__(self, now: datetime = START) -> None:
        self.lock = threading.RLock()
        self.now = now
        self.external_url = "http://127.0.0.1"
        self.users: dict[int, User] = {}
        self.groups: dict[int, Group] = {}
        self.projects: dict[int, Project] = {}
        self.tokens: list[Token] = []
        self.events: list[Event] = []
        self.requests: list[RequestRecord] = []
        self.violations: list[str] = []
        self.subscribers: list[Subscriber] = []
        self.todos: list[Todo] = []
        # What only the REST interface knows: rows as they were sent, by where they are kept.
        self.shelves: dict[tuple[object, ...], list[dict[str, Any]]] = {}
        self.quick_actions: QuickActions | None = None
        self.trigger: Trigger | None = None
        self.hook_test: HookTest | None = None
        self.version = VERSION
        self.lacking: tuple[str, ...] = ()
        self.complexity_limit: int | None = None
        self.ignored: frozenset[str] = frozenset()
        self.run_jobs: RunJobs | None = None
        self.previous: World | None = None
        self._ids: Counter[str] = Counter()
        self._names: dict[str, User | Group | Project] = {}

    def next_id(self, kind: str) -> int:
        """Count on and return a number that `kind` has not used."""
        self._ids[kind] += 1
        return self._ids[kind]

    def reserve_id(self, kind: str, number: int) -> int:
        """Take a number chosen by a scenario, and count on from it at least."""
        self._ids[kind] = max(self._ids[kind], number)
        return number

    def shelf(self, at: str, **names: object) -> list[dict[str, Any]]:
        """Find the rows that are kept at an address, with what its holes stand for."""
        place = (at, *sorted((name, str(value)) for name, value in names.items()))
        return self.shelves.setdefault(place, [])

    def tick(self, seconds: float = 1) -> datetime:
        """Advance the clock and return the new time."""
        self.now += timedelta(seconds=seconds)
        return self.now

    @contextmanager
    def writing(self) -> Iterator[datetime]:
        """Hold the lock for one write, keep the state before it if asked, advance the clock."""
        with self.lock:
            if self.keeps_previous:
                self.previous = self.snapshot()
            yield self.tick()

    def record(
        self,
        kind: str,
        actor: User | None = None,
        merge_request: MergeRequest | None = None,
        **fields: Any,
    ) -> Event:
        """Write an event into the log and tell the subscribers.

        What happens to a merge request happens in its project.
        """
        if merge_request is not None:
            fields["project"] = merge_request.project
        event = Event(at=self.now, kind=kind, actor=actor, merge_request=merge_request, **fields)
        self.events.append(event)
        for subscriber in tuple(self.subscribers):
            subscriber(event)
        return event

    def report_violation(self, text: str) -> None:
        """Note that a client left GitLab's contract."""
        self.violations.append(text)
        if self.on_violation is not None:
            self.on_violation(text)

    def add_user(self, user: User) -> User:
        """Make an account known."""
        self.users[user.id] = self._claim(user.username, user)
        return user

    def rename_user(self, user: User, username: str) -> None:
        """Give an account another name; the one it had is free from then on."""
        self._claim(username, user)
        if username.casefold() != user.username.casefold():
            del self._names[user.username.casefold()]
        user.username = username

    def remove_user(self, user: User) -> None:
        """Forget an account, whose name is free from then on."""
        del self._names[user.username.casefold()], self.users[user.id]

    def add_group(self, group: Group) -> Group:
        """Make a group known."""
        self.groups[group.id] = self._claim(group.full_path, group)
        return group

    def add_project(self, project: Project) -> Project:
        """Make a project known."""
        self.projects[project.id] = self._claim(project.path_with_namespace, project)
        return project

    def remove_project(self, project: Project) -> None:
        """Forget a project, whose path is free from then on.

        What it proposed elsewhere stays, without it (the foreign key of `source_project_id`).
        """
        del self._names[project.path_with_namespace.casefold()], self.projects[project.id]
        for each in self.projects.values():
            for mr in each.merge_requests.values():
                mr.source_project = None if mr.source_project is project else mr.source_project

    def is_taken(self, path: str) -> bool:
        """Return whether an account, a group or a project is called so."""
        return path.casefold() in self._names

    def _claim(self, path: str, owner: Named) -> Named:
        if self._names.setdefault(path.casefold(), owner) is not owner:
            raise ValueError(f"the name {path!r} is taken")
        return owner

    def open_merge_requests(self) -> list[MergeRequest]:
        """List the open merge requests of all projects."""
        return [
            mr
            for project in self.projects.values()
            for mr in project.merge_requests.values()
            if mr.state == "opened"
        ]

    def find_open_from(self, project: Project, branch: str) -> MergeRequest | None:
        """Find the first open merge request from a branch of a project."""
        for mr in self.open_merge_requests():
            if mr.source_project is project and mr.source_branch == branch:
                return mr
        return None

    def find_user(self, username: str) -> User | None:
        """Find an account by username, without case."""
        found = self._names.get(username.casefold())
        return found if isinstance(found, User) else None

    def find_owner(self, name: str) -> User | Group | None:
        """Find the account or the group of a name, as in a mention."""
        found = self._names.get(name.casefold())
        return None if isinstance(found, Project) else found

    def find_group(self, reference: str) -> Group | None:
        """Find a group by number or full path."""
        if reference.isdecimal():
            return self.groups.get(int(reference))
        found = self._names.get(reference.casefold())
        return found if isinstance(found, Group) else None

    def find_project(self, reference: str) -> Project | None:
        """Find a project by number or path."""
        if reference.isdecimal():
            return self.projects.get(int(reference))
        found = self._names.get(reference.casefold())
        return found if isinstance(found, Project) else None

    def find_merge_request(self, project: str, iid: int) -> MergeRequest | None:
        """Find a merge request by project and iid."""
        found = self.find_project(project)
        return None if found is None else found.merge_requests.get(iid)

    def user(self, username: str) -> User:
        """Return an account that must exist; raise ValueError."""
        found = self.find_user(username)
        if found is None:
            raise ValueError(f"there is no user {username!r}")
        return found

    def project(self, reference: str) -> Project:
        """Return a project that must exist; raise ValueError."""
        found = self.find_project(reference)
        if found is None:
            raise ValueError(f"there is no project {reference!r}")
        return found

    def snapshot(self) -> "World":
        """Copy the state as it is now; log, subscribers and callbacks stay behind."""
        with self.lock:
            twin = World(self.now)
            twin.external_url = self.external_url
            # One memo for all, so that who stands in two places is one person in the copy, too.
            memo: dict[int, Any] = {}
            for name in ("users", "groups", "projects", "tokens", "shelves", "_ids", "_names"):
                setattr(twin, name, copy.deepcopy(getattr(self, name), memo))
            return twin
