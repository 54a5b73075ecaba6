"""Merge request, notes and people, as values."""
# One module: what is said of a merge request is read at one moment, and compared with a later one;
# half of it is fields.

import re
from datetime import datetime
from enum import IntEnum
from typing import Literal

from bot.values import dataclass


class Visibility(IntEnum):
    """To whom a project or group is visible, in GitLab's numbers (`Gitlab::VisibilityLevel`)."""

    PRIVATE = 0
    INTERNAL = 10
    PUBLIC = 20


# GitLab gives the comments of a deleted account to this one, whose name gets a number where it was
# taken (app/services/users/migrate_records_to_ghost_user_service.rb).
_GHOST = re.compile("ghost[0-9]*")

WATCH = "eyes"  # the bot's emoji by which the sweep finds merge requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account; usernames are compared without case (`key`).

    `created_at` is told where an account itself was looked up, and not what somebody did.
    """

    id: int
    username: str
    bot: bool = False
    active: bool = True
    created_at: datetime | None = None

    @property
    def key(self) -> str:
        """The username in the form that is compared."""
        return self.username.casefold()

    @property
    def is_gone(self) -> bool:
        """Return whether this stands for all accounts that were deleted."""
        return bool(_GHOST.fullmatch(self.key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A comment; `edited` is true when GitLab records any edit of its text.

    `by_member` tells whether its author is a member of the project now, by whatever way.
    `own_emoji` are the bot's, `other_emoji` those of others, with the number of the account; where
    not `emoji_known`, there may be more. One in a thread is `resolvable`; `resolved_by` is who
    resolved it last, if it is `resolved` and that is known.
    """

    id: int
    body: str
    author: Person | None
    created_at: datetime
    edited: bool = False
    edited_by: str | None = None
    system: bool = False
    internal: bool = False
    own_emoji: tuple[str, ...] = ()
    other_emoji: tuple[tuple[int, str], ...] = ()
    emoji_known: bool = True
    url: str | None = None
    by_member: bool = False
    resolvable: bool = False
    resolved: bool = False
    resolved_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadPipeline:
    """The pipeline that GitLab shows for the head, and where it comes from."""

    id: int
    sha: str
    source: str | None
    ref: str | None

    @property
    def is_of_merge_request(self) -> bool:
        """Return whether it is a merge request pipeline: only the newest of those counts."""
        return self.source == "merge_request_event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What decides about a merge request and may change while it is evaluated.

    `comments` holds the newest, each with its author's id and whether it was edited; `whole`
    says that these are all. People are case-folded usernames; `more_people` says that there are
    others, who were not read again.
    """

    head_sha: str
    state: str
    target_branch: str
    assignees: frozenset[str]
    approved_by: frozenset[str]
    comments: frozenset[tuple[int, int | None, bool]]
    whole: bool
    more_people: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequest:
    """What GitLab says of a merge request now.

    `changed_paths` is `None` when the list could not be read whole. `visibility` is that of
    its project, and the widest where it is not known. Of `conflicts` GitLab knows only once it
    tried to merge, which a push to the target makes it do again at somebody's next visit.
    """

    project: str
    project_id: int
    iid: int
    web_url: str
    state: str
    draft: bool
    author: Person | None
    created_at: datetime
    merged_at: datetime | None
    prepared: bool
    head_sha: str | None
    base_sha: str | None
    source_branch: str
    target_branch: str
    from_fork: bool
    source_project_id: int | None
    changed_paths: tuple[str, ...] | None
    assignees: tuple[Person, ...]
    reviewers: tuple[Person, ...]
    approved_by: tuple[Person, ...]
    head_pipeline: HeadPipeline | None
    discussion_locked: bool
    notes: tuple[Note, ...]
    me: Person
    watched: bool = False
    default_branch: str | None = None
    visibility: Visibility = Visibility.PUBLIC
    updated_at: datetime | None = None
    needs_pipeline: bool = False
    conflicts: bool = False
    source_exists: bool = True

    @property
    def obstacle(self) -> Literal["source project", "source branch", "conflicts"] | None:
        """Name what keeps everybody from merging it, until its author mends that."""
        # Whatever is without its branch is said to be in conflict, too (`broken?`,
        # app/models/merge_request.rb); GitLab forgets the project when it is deleted.
        if not self.source_exists:
            return "source project" if self.source_project_id is None else "source branch"
        return "conflicts" if self.conflicts else None

    @property
    def gitlab_url(self) -> str:
        """Return GitLab's own address, for people; the one for machines may be another."""
        return self.web_url.removesuffix(f"/{self.project}/-/merge_requests/{self.iid}")

    @property
    def counts(self) -> bool:
        """Return whether merging it changes the team database, which is the default branch."""
        return self.default_branch in {None, self.target_branch}

    @property
    def without_base(self) -> bool:
        """Return whether GitLab found no common ancestor of source and target."""
        return self.head_sha is not None and self.base_sha is None

    def stands(self, now: Standing) -> bool:
        """Return whether the merge request is still as it was read, but for the bot's comments."""
        read = {(n.id, n.author.id if n.author else None, n.edited) for n in self.notes}
        changed = (now.comments ^ read) if now.whole else (now.comments - read)
        return (
            (now.head_sha, now.state) == (self.head_sha, self.state)
            and now.target_branch == self.target_branch
            and self._has_people(now)
            and {author for _, author, _ in changed} <= {self.me.id}
        )

    def _has_people(self, now: Standing) -> bool:
        read = [{person.key for person in each} for each in (self.assignees, self.approved_by)]
        told = [now.assignees, now.approved_by]
        if now.more_people:
            return all(some <= known for some, known in zip(told, read, strict=True))
        return told == read

    @property
    def status_sha(self) -> str:
        """Return the commit whose statuses count.

        That of a merged results pipeline is not the head, but its merge with the target;
        GitLab tells only pipelines of the present head (`diff_head_pipeline`).
        """
        pipeline = self.head_pipeline
        if pipeline and pipeline.is_of_merge_request:
            return pipeline.sha
        return self.head_sha or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    """A commit status on the head, in GitLab's words.

    `finished_at` is when it came to its end; one that is pending has not.
    """

    state: str
    description: str
    pipeline_id: int | None
    author_id: int | None
    ref: str | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCheck:
    """An external status check that GitLab asks about for a merge request."""

    id: int
    name: str
    status: str
