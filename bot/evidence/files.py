"""What GitLab tells of a project and its files: what they hold, held, and were called."""

from collections.abc import Mapping
from datetime import datetime

from bot.evidence.facts import Asks
from bot.evidence.records import OfMergeRequest
from bot.merge_request import Visibility
from bot.unread import Unread
from bot.values import dataclass


class NotText(Unread):
    """A file that GraphQL gives no whole text for; its bytes may be had over REST."""


@dataclass(frozen=True, slots=True)
class FileAt(Asks[bytes | None]):
    """The need for a file's content at a ref."""

    project: str
    ref: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit that touched a file on the target branch."""

    project: str
    sha: str
    committed_at: datetime
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """The commits that touched a file, newest first; `complete` unless cut."""

    items: tuple[Commit, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class CommitsOf(Asks[Commits]):
    """The need for the commits that touched a file."""

    project: str
    ref: str
    path: str


@dataclass(frozen=True, slots=True)
class RenameOf(Asks[str | None]):
    """The need for the path from which a commit renamed a file, or `onward` to which, if it did."""

    project: str
    sha: str
    path: str
    onward: bool = False


class DiffsOf(OfMergeRequest[Mapping[str, str]]):
    """The need for the old paths of the files that a merge request changes, by their new ones."""


@dataclass(frozen=True, slots=True)
class TipOf(Asks[str]):
    """The need for the newest commit of a branch."""

    project: str
    ref: str


@dataclass(frozen=True, slots=True)
class DefaultBranchOf(Asks[str]):
    """The need for the name of a project's default branch."""

    project: str


@dataclass(frozen=True, slots=True)
class CiConfigOf(Asks[str]):
    """The need for the place of a project's CI configuration."""

    project_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """To whom the merge requests and the files of a project are visible.

    Not `sure` where GitLab lets the bot see them as a member: the project may be visible to
    more people than they are.
    """

    merge_requests: Visibility
    files: Visibility
    sure: bool = True


@dataclass(frozen=True, slots=True)
class ExposureOf(Asks[Exposure]):
    """The need for to whom a project's merge requests and files are visible."""

    project: str
