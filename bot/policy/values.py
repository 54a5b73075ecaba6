"""What a policy says, as values."""

from datetime import date
from typing import Literal

from bot.listing import EntrySelector, ListingSpec
from bot.team import TEAM_FILES
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRef:
    """A group and the least access level (10 guest to 50 owner) that counts in it."""

    group: str
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoredMergeRequests:
    """Ask for merged merge requests that the nominee authored, maybe only since a role began."""

    at_least: int
    since_role: str | None = None
    repository: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedMergeRequests:
    """Ask for merged merge requests of others that the nominee reviewed."""

    at_least: int
    since_role: str | None = None
    repository: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoredOrReviewed:
    """Ask for a number of merge requests in total, authored or reviewed, each counted once."""

    at_least: int
    since_role: str | None = None
    repository: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One thing that a nominee states to know."""

    id: str
    text: str
    url: str | None = None
    section: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """Ask the nominee to state every topic."""

    topics: tuple[Topic, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Ask that the merge request is assigned to the manager, and to this many maintainers."""

    manager: bool
    maintainers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedBy:
    """Ask for approvals by `maintainers` or by the `manager`."""

    at_least: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFor:
    """Ask that the merge request has been open for this many days."""

    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleHeld:
    """Ask that the nominee's entry has named this role for the project before."""

    role: str


Rule = (
    AuthoredMergeRequests
    | ReviewedMergeRequests
    | AuthoredOrReviewed
    | Attested
    | Assigned
    | ApprovedBy
    | OpenFor
    | RoleHeld
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One condition of a nomination; `actor` is who can meet it."""

    id: str
    title: str
    blocking: bool
    actor: str
    help: str
    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember:
    """Check that the person is a member of a group, at this access level or above."""

    group: str
    level: int
    direct: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedIn:
    """Check that the list `key` of a file, or of one entry in it, names the person.

    With `open` the bot opens the merge request that puts them there.
    """

    project: str
    ref: str
    path: str
    format: Literal["json", "json5", "yaml"]
    entry: EntrySelector | None
    key: str
    open: bool = False

    @property
    def spec(self) -> ListingSpec:
        """Where the list stands in the file."""
        return ListingSpec(format=self.format, entry=self.entry, key=self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manual:
    """Nothing that can be checked: people do it and know it."""


Check = GroupMember | ListedIn | Manual


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """One step after the merge; `actor` is who does it."""

    id: str
    title: str
    actor: str
    help: str
    url: str | None = None
    check: Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence of the process that everybody should see."""

    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything that one project asks of a nominee for one role, from one day on.

    With `notify` the comment mentions whose turn it is, and after each `remind_after` days in
    which nothing moved on once more, `reminders` times at most.
    """

    id: str
    version: str
    in_force_from: date | None = None
    title: str
    document: str
    project: str
    role: str
    team_files: str = TEAM_FILES
    repository: str
    maintainers: GroupRef
    requirements: tuple[Requirement, ...]
    follow_ups: tuple[FollowUp, ...] = ()
    notices: tuple[Notice, ...] = ()
    notify: bool = False
    remind_after: int | None = None
    reminders: int = 1
    source: str

    @property
    def label(self) -> str:
        """The policy and its version in one word."""
        return f"{self.id}@{self.version}"
