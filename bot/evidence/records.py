"""What GitLab keeps of a merge request: its state, its versions, and what was done to it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Self

from bot.evidence.facts import Asks, T_co
from bot.merge_request import CommitStatus, MergeRequest, Standing, StatusCheck
from bot.values import dataclass

# SystemNotes::MergeRequestsService: approve_mr, and change_branch with the branch's name after it.
_APPROVAL = "approved this merge request"
_RETARGETING = "changed target branch from "
# What moves a merge request on. app/services/system_notes/issuables_service.rb:
# change_issuable_assignees, change_status; merge_requests_service.rb: handle_merge_request_draft,
# approve_mr, unapprove_mr; commit_service.rb: add_commits.
_MOVE = re.compile(
    r"(?:un)?assigned |(?:un)?approved this merge request$|reopened$"
    r"|marked this merge request as \*\*(?:draft|ready)\*\*|added \d+ commits?\b"
    rf"|{_RETARGETING}"
)


@dataclass(frozen=True, slots=True)
class OfMergeRequest(Asks[T_co]):
    """A need for what belongs to one merge request."""

    project: str
    iid: int

    @classmethod
    def of(cls, merge_request: MergeRequest) -> Self:
        """Return what asks for that of a merge request."""
        return cls(merge_request.project, merge_request.iid)


class StandingOf(OfMergeRequest[Standing]):
    """The need for what a merge request has become meanwhile, read last."""


class EarlierOf(OfMergeRequest[MergeRequest]):
    """The need for another merge request with its comments."""


class LabelsOf(OfMergeRequest[frozenset[str]]):
    """The need for the names of the labels of a merge request."""


@dataclass(frozen=True, slots=True)
class StatusesOf(Asks[tuple[CommitStatus, ...]]):
    """The need for the commit statuses of a name on a head."""

    project_id: int
    sha: str
    name: str


class StatusChecksOf(OfMergeRequest[tuple[StatusCheck, ...]]):
    """The need for the external status checks of a merge request."""


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


class VersionsOf(OfMergeRequest[Versions]):
    """The need for the versions that a merge request's changes had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that GitLab noted: when, of whom, and in which words.

    `by_member` says that they are a member of the project now, where that is told.
    """

    at: datetime
    by: str | None
    words: str
    by_member: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeds:
    """What GitLab noted, oldest first; not `complete` where older ones were not listed."""

    items: tuple[Deed, ...]
    complete: bool

    @property
    def approved(self) -> Mapping[str, datetime]:
        """Return when people last approved, by case-folded username."""
        # They come oldest first, so that of each the last one stays.
        given = [deed for deed in self.items if deed.words.casefold() == _APPROVAL]
        return {deed.by.casefold(): deed.at for deed in given if deed.by}

    @property
    def retargeted(self) -> datetime | None:
        """Return when the target last changed, at the latest.

        Of what was not listed, nothing is later than the oldest that was.
        """
        first = () if self.complete else self.items[:1]
        changed = [deed for deed in self.items if deed.words.casefold().startswith(_RETARGETING)]
        return max((deed.at for deed in (*first, *changed)), default=None)

    @property
    def moved(self) -> datetime | None:
        """Return when anything last changed about whose turn it may be."""
        moves = [deed.at for deed in self.items if _MOVE.match(deed.words.casefold())]
        return max(moves, default=None)

    @property
    def strangers(self) -> frozenset[str]:
        """Return who acted and is no member of the project now, by case-folded username."""
        others = [deed.by for deed in self.items if deed.by and not deed.by_member]
        return frozenset(map(str.casefold, others))


class DeedsOf(OfMergeRequest[Deeds]):
    """The need for what GitLab noted of a merge request, in its words."""


class StateChangesOf(OfMergeRequest[Deeds]):
    """The need for when a merge request was closed, reopened and merged, and by whom."""
