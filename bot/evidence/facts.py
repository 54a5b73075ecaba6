"""The facts that judging may need, what asks for them, and the port they come through."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import UnionType
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar, cast, get_args, get_origin

from bot.merge_request import CommitStatus, MergeRequest, Standing, StatusCheck, Visibility
from bot.unread import NOT_LOOKED_UP, Unread
from bot.values import dataclass

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
class Joined:
    """When direct members of a group joined it, by case-folded username."""

    at: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class JoinedOf(Asks[Joined]):
    """The need for when the direct members of a group joined it."""

    group: str


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
class FileAt(Asks[bytes | None]):
    """The need for a file's content at a ref."""

    project: str
    ref: str
    path: str


@dataclass(frozen=True, slots=True)
class ExposureOf(Asks[Exposure]):
    """The need for to whom a project's merge requests and files are visible."""

    project: str


@dataclass(frozen=True, slots=True)
class WorkOf(Asks[Work]):
    """The need for somebody's merge requests, merged or reviewed, that went into a branch.

    `wanted` is how many of them must be among those listed, if there are as many.
    """

    project: str
    username: str
    wanted: int
    branch: str


@dataclass(frozen=True, slots=True)
class DefaultBranchOf(Asks[str]):
    """The need for the name of a project's default branch."""

    project: str


@dataclass(frozen=True, slots=True)
class ThreadsOf(Asks[Threads]):
    """The need for what somebody did in these merge requests before the merge."""

    project: str
    username: str
    iids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MembersOf(Asks[Members]):
    """The need for the direct members of a group, or for inherited ones as well."""

    group: str
    inherited: bool = False


@dataclass(frozen=True, slots=True)
class CommitsOf(Asks[Commits]):
    """The need for the commits that touched a file."""

    project: str
    ref: str
    path: str


@dataclass(frozen=True, slots=True)
class StandingOf(Asks[Standing]):
    """The need for what a merge request has become meanwhile, read last."""

    project: str
    iid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What other merge requests with comments, none of them merged, change, by their numbers.

    None where GitLab did not list all of it. `own` are those of whom it was asked for.
    """

    paths: Mapping[int, tuple[str, ...] | None]
    own: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ProposedOf(Asks[Proposed]):
    """The need for what else somebody proposes, and for the newest of anybody."""

    project: str
    author: str


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
class SiblingsOf(Asks[Siblings]):
    """The need for the merge requests from source branches of a name, those after a cursor."""

    project: str
    branch: str
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A merge request from a branch of the bot's for a step.

    `whose` are the accounts that made its commits, nobody where GitLab knows no account;
    `withdrawn` says that it was the bot who closed it.
    """

    iid: int
    web_url: str
    state: str
    branch: str
    target: str
    author_id: int | None
    whose: frozenset[int | None]
    conflicts: bool = False
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """Such merge requests, oldest first; `refusal` is why the bot may open none there.

    Not `complete` where the oldest were left out.
    """

    items: tuple[Offer, ...]
    refusal: str | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class OffersOf(Asks[Offers]):
    """The need for the merge requests of an account in a project, or from some branches of it."""

    project: str
    author: str | None = None
    branches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EarlierOf(Asks[MergeRequest]):
    """The need for another merge request with its comments."""

    project: str
    iid: int


@dataclass(frozen=True, slots=True)
class RenameOf(Asks[str | None]):
    """The need for the path from which a commit renamed a file, if it did."""

    project: str
    sha: str
    path: str


@dataclass(frozen=True, slots=True)
class MovedOf(Asks[str | None]):
    """The need for the path to which a commit renamed a file, if it did."""

    project: str
    sha: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """An account as GitLab shows it to everybody."""

    id: int
    username: str
    created_at: datetime | None
    active: bool = True
    bot: bool = False


@dataclass(frozen=True, slots=True)
class ProfileOf(Asks[Profile | None]):
    """The need for the account of a name."""

    username: str


@dataclass(frozen=True, slots=True)
class AccessOf(Asks[bool]):
    """The need for whether an account belongs to a project, by whatever way."""

    project_id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class TipOf(Asks[str]):
    """The need for the newest commit of a branch."""

    project: str
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Renames:
    """Old paths of renamed files, by new path; `listed` are the paths of all files told of."""

    old_paths: Mapping[str, str]
    listed: frozenset[str]


@dataclass(frozen=True, slots=True)
class DiffsOf(Asks[Renames]):
    """The need for the old paths of files that a merge request renames."""

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
class VersionsOf(Asks[Versions]):
    """The need for the versions that a merge request's changes had."""

    project_id: int
    iid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """When people last approved, by case-folded username, and when the target last changed.

    Where not all was listed, the target may have changed as late as the oldest that was. `moved`
    is when anything last changed about whose turn it may be. `strangers` are those among who
    acted, by case-folded username, that are no members of the project now.
    """

    approved: Mapping[str, datetime]
    retargeted: datetime | None
    moved: datetime | None = None
    strangers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ActivityOf(Asks[Activity]):
    """The need for when a merge request was approved, changed hands, and changed its target."""

    project: str
    iid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that GitLab noted: when, of whom, and in which words."""

    at: datetime
    by: str | None
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeds:
    """What GitLab noted, oldest first; not `complete` where older ones were not listed."""

    items: tuple[Deed, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class DeedsOf(Asks[Deeds]):
    """The need for what GitLab noted of a merge request, in its words."""

    project: str
    iid: int


@dataclass(frozen=True, slots=True)
class StateChangesOf(Asks[Deeds]):
    """The need for when a merge request was closed, reopened and merged, and by whom."""

    project_id: int
    iid: int


@dataclass(frozen=True, slots=True)
class StatusesOf(Asks[tuple[CommitStatus, ...]]):
    """The need for the commit statuses of a name on a head."""

    project_id: int
    sha: str
    name: str


@dataclass(frozen=True, slots=True)
class StatusChecksOf(Asks[tuple[StatusCheck, ...]]):
    """The need for the external status checks of a merge request."""

    project_id: int
    iid: int


@dataclass(frozen=True, slots=True)
class CiConfigOf(Asks[str]):
    """The need for the place of a project's CI configuration."""

    project_id: int


@dataclass(frozen=True, slots=True)
class LabelsOf(Asks[frozenset[str]]):
    """The need for the names of the labels of a merge request."""

    project_id: int
    iid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody did to a merge request: a word, by whom, and when.

    They `approved`, `unapproved`, `reviewed` or `requested` changes, `opened` a thread, `wrote` in
    one, or pushed commits: `pushed`, or `rebased` where some of the target branch were among them.
    """

    what: str
    by: str | None
    bot: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a merge request went until it was merged, in the order of time.

    `cut` says that GitLab did not list all of it; `paths` are None where it did not list them all.
    """

    iid: int
    author: str | None
    merged_at: datetime
    acts: tuple[Act, ...]
    paths: tuple[str, ...] | None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class CoursesOf(Asks[tuple[Course, ...]]):
    """The need for how merged merge requests of a project went."""

    project: str
    iids: tuple[int, ...]


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
