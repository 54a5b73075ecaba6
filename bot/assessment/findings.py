"""What judging finds, and what it may look at."""
# One module: whoever writes a kind of requirement turns a `Case` into a `Finding`, and needs both.

from collections.abc import Iterable
from datetime import datetime
from enum import Enum

from bot.commands import Waiver
from bot.evidence import (
    ITSELF,
    MEANWHILE,
    Evidence,
    Members,
    MembersOf,
    Merged,
    Offer,
    Subject,
    Tenure,
)
from bot.merge_request import MergeRequest
from bot.nomination import Nomination
from bot.policy import FollowUp, GroupMember, ListedIn, Policy, Requirement
from bot.unread import Hidden, Unread
from bot.values import dataclass

NO_ACCOUNT = "GitLab knows no account of this name (renamed, deleted, or not visible)"
NO_PERSON = "the account is a bot's, and bots are not people"
MORE = "there are more merge requests or comments than were examined"
# What settles that something could not be checked, where to look again alone does not; empty
# where the reason says it.
_REMEDIES = {
    ITSELF: (
        "Merge the change of the account first, in a merge request of its own, then rebase this one"
    ),
    MEANWHILE: "",
    NO_ACCOUNT: "Merge the right username into the entry first, then rebase this merge request",
    MORE: "Newer reviews come first and settle it",
    NO_PERSON: "Merge a person's username into the entry first, then rebase this merge request",
}


class Verdict(Enum):
    """What is known of a requirement."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    SHOWN = "shown"  # evidence that nothing is asked of


class State(Enum):
    """How far a follow-up step is."""

    DONE = "done"
    OPEN = "open"
    UNKNOWN = "unknown"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A merge request that nearly counted; `why` is a code the templates put in words."""

    merged: Merged
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Somebody or something a requirement asks for, and whether it is there."""

    role: str
    name: str | None
    state: str
    url: str | None = None
    section: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a merge request went after somebody's review, or through the reviews of their own.

    `state` is a word that templates put in others: `as_it_was`, `comments`, `rebase`, `commits`,
    `no_review`, or `unknown`.
    """

    merged: Merged
    state: str
    threads: int = 0
    requests: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder at the top of the repository, and how many of the merge requests touched it."""

    name: str
    touched: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """How the merge requests went that count for somebody, newest first.

    Nobody looked at further ones, which are `left_out`. They were merged from `since` to `until`;
    for `unlisted` ones it is not known which files they changed.
    """

    reviewed: tuple[Outcome, ...] = ()
    authored: tuple[Outcome, ...] = ()
    left_out: int = 0
    since: datetime | None = None
    until: datetime | None = None
    folders: tuple[Folder, ...] = ()
    unlisted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """How those went that count in a repository; none where that is not known, for a reason."""

    repository: str | None
    outcomes: Outcomes | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found for one requirement, with everything that shows it.

    `at_least` says that more may exist than `found` counts; `found_anytime` is the
    count regardless of the stage that the requirement asks for; what is counted was merged
    into the `branch` of the repository.
    """

    requirement: Requirement
    verdict: Verdict
    found: int | None = None
    needed: int | None = None
    at_least: bool = False
    counted: tuple[Merged, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    parts: tuple[Part, ...] = ()
    repository: str | None = None
    branch: str | None = None
    reason: str | None = None
    stage: Tenure | Unread | None = None  # the word of templates and JSON
    found_anytime: int | None = None
    waiver: Waiver | None = None
    measured: Verdict | None = None
    outcomes: Outcomes | None = None

    @property
    def remedy(self) -> str | None:
        """Return what people can do about what is unknown, besides to have it looked at again.

        It is empty where the words around it say so.
        """
        reason = self.reason or ""
        remedy = "" if isinstance(reason, Hidden) else _REMEDIES.get(reason)
        return remedy if self.verdict is Verdict.UNKNOWN else None


def how_they_went(findings: Iterable[Finding]) -> tuple[Went, ...]:
    """Return what findings tell of how merge requests went."""
    return tuple(
        Went(repository=each.repository, outcomes=each.outcomes, reason=each.reason)
        for each in findings
        if each.outcomes or (each.requirement.rule.evidence and each.reason)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What the bot does for a step: open a merge request from a branch, close some, each with why.

    One is opened after the others are closed.
    """

    opens: str | None = None
    closes: tuple[tuple[Offer, str], ...] = ()

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.opens or self.closes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A follow-up step and how far it is, with the edit that would do it.

    `offer` is the merge request that the bot opened for it, and `left` says why people do it all
    the same.
    """

    follow_up: FollowUp
    state: State
    reason: str | None = None
    edit: str | None = None
    through: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    offer: Offer | None = None
    left: str | None = None
    move: Move = Move()

    @property
    def place(self) -> tuple[str, str]:
        """Return the group or the project that the step is about, and the file in it."""
        check = self.follow_up.check
        if isinstance(check, GroupMember):
            return check.group, ""
        return (check.project, check.path) if isinstance(check, ListedIn) else ("", "")

    @property
    def listed_in(self) -> ListedIn:
        """Return the list that is to have the name: only such steps have merge requests."""
        assert isinstance(self.follow_up.check, ListedIn)  # noqa: S101  others are not asked
        return self.follow_up.check


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that judging one requirement may look at.

    `moved` is when somebody last moved the merge request on, if that is known. `strangers` are
    those, by case-folded username, of whom GitLab told that they are no members of the team's
    project.
    """

    subject: Subject
    merge_request: MergeRequest
    evidence: Evidence
    attested: frozenset[str]
    now: datetime
    moved: datetime | None = None
    strangers: frozenset[str] = frozenset()

    @property
    def nomination(self) -> Nomination:
        """Return who gains which role."""
        return self.subject.nomination

    @property
    def policy(self) -> Policy:
        """Return what is required for that."""
        return self.subject.policy

    def members(self, group: str, *, inherited: bool = False) -> Members | Unread:
        """Return the members of a group, inherited ones too if so wanted, or why not."""
        return self.evidence[MembersOf(group, inherited=inherited)]

    def maintainers(self) -> tuple[str, ...] | Unread:
        """Return who maintains the project now, or why that is not known."""
        members = self.members(self.policy.maintainers.group)
        if isinstance(members, Unread):
            return members
        return current_maintainers(self.policy, members)


def current_maintainers(policy: Policy, members: Members) -> tuple[str, ...]:
    """Return the people whose direct membership makes them maintainers."""
    return tuple(m.username for m in members.at_least(policy.maintainers.level))


def inactive_maintainers(policy: Policy, members: Members) -> frozenset[str]:
    """Return who would be a maintainer by direct membership, were the account not blocked."""
    level = policy.maintainers.level
    return frozenset(
        m.username.casefold() for m in members.direct if m.level >= level and not m.active
    )
