"""The facts that judging may need, what asks for them, and the port they come through."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from bot.merge_request import CommitStatus, MergeRequest, Standing, StatusCheck, Visibility
from bot.unread import NOT_LOOKED_UP, Content, Unread
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What GitLab says of an account."""

    username: str
    active: bool
    bot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A merged merge request somebody authored or had to do with as a reviewer.

    `commented` says that they commented on it, wherever and whenever; `discussed` that they
    did so in a thread as a reviewer before the merge, and is `None` where nobody looked.
    `recorded` says that GitLab noted a review of theirs before the merge, `recorded_late`
    that it did so after the merge alone; `None` where nobody looked. States and approvals
    themselves have no date. `cut` says that GitLab did not list all who had to do with it,
    or all they wrote. `branch` is where it was merged, if not into the default branch.
    """

    iid: int
    title: str
    web_url: str
    merged_at: datetime
    author: str | None
    author_is_bot: bool = False
    assigned: bool = False
    review_state: str | None = None
    approved: bool = False
    commented: bool = False
    discussed: bool | None = None
    recorded: bool | None = None
    recorded_late: bool = False
    cut: bool = False
    branch: str | None = None

    @property
    def reviewed(self) -> bool:
        """Return whether anything shows that the person did review it before the merge."""
        return bool(self.recorded) or bool(self.discussed)

    @property
    def marked(self) -> bool:
        """Return whether GitLab shows a review of theirs now, whenever it was given."""
        # To be unapproved takes an approval before: of a push that reset it, or of oneself.
        states = {"APPROVED", "REVIEWED", "REQUESTED_CHANGES", "UNAPPROVED"}
        return self.approved or self.review_state in states

    @property
    def doubtful(self) -> bool:
        """Return whether the person may have reviewed it, where not all of it was read."""
        return self.cut and not self.reviewed


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The newest of a list, and how long it is.

    Where it was cut, everything merged later than `seen_since` is among the items.
    """

    items: tuple[Merged, ...]
    total: int
    seen_since: datetime | None = None

    @property
    def complete(self) -> bool:
        """Return whether every item of the list was read."""
        return len(self.items) >= self.total

    def covers(self, since: datetime) -> bool:
        """Return whether every item merged at that time or later was read."""
        return self.complete or (self.seen_since is not None and self.seen_since < since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What somebody authored and reviewed in one repository.

    All of it was merged into `branch`, the default branch. `bystander` holds merge requests
    of others, among the latest, that they commented on without having been asked for a
    review; `own_elsewhere` and `asked_elsewhere` some of the newest that were merged into
    other branches. None of these ever counts.
    """

    account: Account | None
    authored: Listed
    reviewed: Listed
    bystander: tuple[Merged, ...] = ()
    own_elsewhere: tuple[Merged, ...] = ()
    asked_elsewhere: tuple[Merged, ...] = ()
    branch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many merged merge requests somebody authored, and approved or was asked to review.

    Nobody looked at any of them, so that none of the reviews is sure to be one.
    """

    authored: int
    reviews: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """In which merge requests somebody wrote in a thread in time; `cut` ones may be others.

    `recorded` are those of which GitLab noted a review of theirs in time, `late` those of
    which it did so after the merge alone.
    """

    found: frozenset[int]
    cut: frozenset[int] = frozenset()
    recorded: frozenset[int] = frozenset()
    late: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of a group."""

    username: str
    level: int
    active: bool = True
    bot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The direct members of a group, and those who own it by any way.

    Where inherited members were asked for, `direct` holds them, too, and `owners` nobody.
    `following` leads to further members, where there are more than were read. `visibility` is
    that of the group.
    """

    direct: tuple[Member, ...]
    owners: tuple[Member, ...]
    following: str | None = None
    visibility: Visibility = Visibility.PRIVATE

    def at_least(self, level: int) -> tuple[Member, ...]:
        """Return the people among the direct members at or above a level."""
        return tuple(m for m in self.direct if m.level >= level and m.active and not m.bot)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """To whom the merge requests and the files of a project are visible.

    Not `sure` where GitLab lets the bot see them as a member: the project may be visible to
    more people than they are.
    """

    merge_requests: Visibility
    files: Visibility
    sure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit that touched a file on the target branch."""

    project: str
    sha: str
    committed_at: datetime
    path: str


class NotText(Unread):
    """A file that GraphQL gives no whole text for; its bytes may be had over REST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """The commits that touched a file, newest first; `complete` unless cut."""

    items: tuple[Commit, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class FileAt:
    """The need for a file's content at a ref."""

    project: str
    ref: str
    path: str


@dataclass(frozen=True, slots=True)
class ExposureOf:
    """The need for to whom a project's merge requests and files are visible."""

    project: str


@dataclass(frozen=True, slots=True)
class WorkOf:
    """The need for somebody's merge requests, merged or reviewed, that went into a branch.

    `wanted` is how many of them must be among those listed, if there are as many.
    """

    project: str
    username: str
    wanted: int
    branch: str


@dataclass(frozen=True, slots=True)
class DefaultBranchOf:
    """The need for the name of a project's default branch."""

    project: str


@dataclass(frozen=True, slots=True)
class ThreadsOf:
    """The need for what somebody did in these merge requests before the merge."""

    project: str
    username: str
    iids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MembersOf:
    """The need for the direct members of a group, or for inherited ones as well."""

    group: str
    inherited: bool = False


@dataclass(frozen=True, slots=True)
class CommitsOf:
    """The need for the commits that touched a file."""

    project: str
    ref: str
    path: str


@dataclass(frozen=True, slots=True)
class StandingOf:
    """The need for what a merge request has become meanwhile, read last."""

    project: str
    iid: int


@dataclass(frozen=True, slots=True)
class SiblingsOf:
    """The need for the merge requests from source branches of a name, those after a cursor."""

    project: str
    branch: str
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """A merge request from a branch of the same name; forks have branches of their own."""

    iid: int
    state: str
    source_project_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Siblings:
    """A page of such merge requests, newest first; `following` leads to the next."""

    items: tuple[Sibling, ...]
    following: str | None = None


@dataclass(frozen=True, slots=True)
class EarlierOf:
    """The need for another merge request with its comments."""

    project: str
    iid: int


@dataclass(frozen=True, slots=True)
class RenameOf:
    """The need for the path from which a commit renamed a file, if it did."""

    project: str
    sha: str
    path: str


@dataclass(frozen=True, slots=True)
class MovedOf:
    """The need for the path to which a commit renamed a file, if it did."""

    project: str
    sha: str
    path: str


@dataclass(frozen=True, slots=True)
class ProfileOf:
    """The need for the account of a name."""

    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """An account as GitLab shows it to everybody."""

    id: int
    username: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccessOf:
    """The need for whether an account belongs to a project, by whatever way."""

    project_id: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Return whether an account belongs to a project."""

    member: bool


@dataclass(frozen=True, slots=True)
class DiffsOf:
    """The need for the old paths of files that a merge request renames."""

    project_id: int
    iid: int


@dataclass(frozen=True, slots=True)
class TipOf:
    """The need for the newest commit of a branch."""

    project: str
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Renames:
    """Old paths of renamed files, by new path; `listed` are the paths of all files told of."""

    old_paths: Mapping[str, str]
    listed: frozenset[str]


@dataclass(frozen=True, slots=True)
class PushOf:
    """The need for when the changes of a merge request became what they are."""

    project_id: int
    iid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """When the newest version of a merge request's changes came."""

    at: datetime


@dataclass(frozen=True, slots=True)
class VersionsOf:
    """The need for the versions that a merge request's changes had."""

    project_id: int
    iid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a merge request's changes: its head, and when GitLab took it in."""

    head_sha: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The versions of a merge request's changes, newest first, one at least."""

    items: tuple[Version, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class ReopenedOf:
    """The need for when a merge request was last reopened."""

    project_id: int
    iid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """When a merge request was last reopened, if ever."""

    at: datetime | None


@dataclass(frozen=True, slots=True)
class ActivityOf:
    """The need for when a merge request was approved, changed hands, and changed its target."""

    project: str
    iid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """When people last approved, by case-folded username, and when the target last changed.

    Where not all was listed, the target may have changed as late as the oldest that was. `moved`
    is when anything last changed about whose turn it may be.
    """

    approved: Mapping[str, datetime]
    retargeted: datetime | None
    moved: datetime | None = None


@dataclass(frozen=True, slots=True)
class StatusesOf:
    """The need for the commit statuses of a name on a head."""

    project_id: int
    sha: str
    name: str


@dataclass(frozen=True, slots=True)
class StatusChecksOf:
    """The need for the external status checks of a merge request."""

    project_id: int
    iid: int


@dataclass(frozen=True, slots=True)
class CiConfigOf:
    """The need for the place of a project's CI configuration."""

    project_id: int


@dataclass(frozen=True, slots=True)
class LabelsOf:
    """The need for the labels of a merge request."""

    project_id: int
    iid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The names of the labels of a merge request."""

    names: frozenset[str]


Statuses = tuple[CommitStatus | StatusCheck, ...]
Need = (
    FileAt
    | ExposureOf
    | WorkOf
    | DefaultBranchOf
    | ThreadsOf
    | MembersOf
    | CommitsOf
    | RenameOf
    | DiffsOf
    | SiblingsOf
    | EarlierOf
    | MovedOf
    | ProfileOf
    | AccessOf
    | StandingOf
    | TipOf
    | PushOf
    | VersionsOf
    | ReopenedOf
    | ActivityOf
    | StatusesOf
    | StatusChecksOf
    | CiConfigOf
    | LabelsOf
)
Times = Push | Versions | Reopened | Activity
Fact = (
    Content
    | Exposure
    | Work
    | Threads
    | Members
    | Commits
    | Renames
    | Times
    | Siblings
    | MergeRequest
    | Profile
    | Access
    | Standing
    | Statuses
    | Labels
    | str
)
Facts = Mapping[Need, Fact]


class Source(Protocol):
    """Where facts come from; a fact that cannot be had is an Unread value."""

    def fetch_facts(self, needs: Collection[Need]) -> Facts:
        """Look all needs up, in parallel where they are independent."""


def content_of(facts: Facts, need: FileAt) -> Content:
    """Return what was read of a file; unread where it was not looked up."""
    fact = facts.get(need, NOT_LOOKED_UP)
    return fact if isinstance(fact, bytes | Unread) or fact is None else Unread(reason="unreadable")
