"""What GitLab keeps of a merge request: its state, its versions, and what was done to it."""

from collections.abc import Mapping
from datetime import datetime

from bot.evidence.facts import Asks
from bot.merge_request import CommitStatus, MergeRequest, Standing, StatusCheck
from bot.values import dataclass


@dataclass(frozen=True, slots=True)
class StandingOf(Asks[Standing]):
    """The need for what a merge request has become meanwhile, read last."""

    project: str
    iid: int


@dataclass(frozen=True, slots=True)
class EarlierOf(Asks[MergeRequest]):
    """The need for another merge request with its comments."""

    project: str
    iid: int


@dataclass(frozen=True, slots=True)
class LabelsOf(Asks[frozenset[str]]):
    """The need for the names of the labels of a merge request."""

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
