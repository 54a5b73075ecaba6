"""What somebody did: the merge requests they authored and reviewed, and how those went."""

from datetime import datetime

from bot.evidence.facts import Asks
from bot.merge_request import Person
from bot.values import dataclass


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

    account: Person | None
    authored: Listed
    reviewed: Listed
    bystander: tuple[Merged, ...] = ()
    own_elsewhere: tuple[Merged, ...] = ()
    asked_elsewhere: tuple[Merged, ...] = ()
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class WorkOf(Asks[Work]):
    """The need for somebody's merge requests, merged or reviewed, that went into a branch.

    `wanted` is how many of them must be among those listed, if there are as many.
    """

    project: str
    username: str
    wanted: int
    branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many merged merge requests somebody authored, and approved or was asked to review.

    Nobody looked at any of them, so that none of the reviews is sure to be one.
    """

    authored: int
    reviews: int


@dataclass(frozen=True, slots=True)
class TallyOf(Asks[Tally]):
    """The need for how much of somebody was merged into a branch."""

    project: str
    username: str
    branch: str


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


@dataclass(frozen=True, slots=True)
class ThreadsOf(Asks[Threads]):
    """The need for what somebody did in these merge requests before the merge."""

    project: str
    username: str
    iids: tuple[int, ...]


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
