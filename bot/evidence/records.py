"""What GitLab keeps of a merge request: its state, its versions, and what was done to it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from bot.evidence.facts import Asks, T_co
from bot.merge_request import CommitStatus, MergeRequest, Standing, StatusCheck
from bot.values import dataclass


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


class ActivityOf(OfMergeRequest[Activity]):
    """The need for when a merge request was approved, changed hands, and changed its target."""


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


class DeedsOf(OfMergeRequest[Deeds]):
    """The need for what GitLab noted of a merge request, in its words."""


class StateChangesOf(OfMergeRequest[Deeds]):
    """The need for when a merge request was closed, reopened and merged, and by whom."""
