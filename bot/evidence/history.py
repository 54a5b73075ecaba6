"""Since when somebody holds a role, by the history of their entry on the target branch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.errors import TeamDatabaseError
from bot.evidence.facts import Ledger, Need
from bot.evidence.files import Commit, Commits, CommitsOf, FileAt, RenameOf
from bot.nomination import is_same_person
from bot.team import Entry, parse_entry
from bot.unread import Content, Unread
from bot.values import dataclass

# Revisions of an entry that are examined for an earlier role, newest first.
MAX_REVISIONS = 50
# Renames that an entry's history is followed across.
MAX_RENAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure:
    """Since when somebody holds, or held, a role before the one they gain.

    `since` is `None` when the role was never held; `at_least` when not all of the history
    could be read, so that the tenure may have begun earlier. `renames` says that the names
    which the entry had before were looked for.
    """

    since: datetime | None
    at_least: bool = False
    renames: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose roles of which project are looked for."""

    username: str
    project: str
    roles: Sequence[str]


Revisions = list[tuple[Commit, Content]]


@dataclass(slots=True, kw_only=True)
class Trail:
    """The revisions of an entry, newest first, as far as they were followed."""

    revisions: Revisions
    complete: bool
    renames: bool = False

    @property
    def is_whole(self) -> bool:
        """Return whether every revision is known, and few enough to be examined."""
        return self.complete and len(self.revisions) <= MAX_REVISIONS


def trace_tenures(
    history: CommitsOf | None, ledger: Ledger, wanted: Wanted, *, thorough: bool = False
) -> Mapping[str, Tenure | Unread]:
    """Find since when somebody held each role, by the history of the entry at the base.

    A name that the entry had before is looked for where its oldest revision holds a role,
    or always when it is to be `thorough`.
    """
    if history is None:
        return dict.fromkeys(wanted.roles, Tenure(since=None))
    commits = ledger[history]
    if isinstance(commits, Unread):
        return dict.fromkeys(wanted.roles, commits)
    trail = Trail(revisions=_revisions(commits, ledger), complete=commits.complete)
    _follow_renames(trail, ledger, None if thorough else wanted)
    return {role: find_tenure(role, trail, wanted) for role in wanted.roles}


def revision_needs(commits: Commits | Unread) -> set[Need]:
    """Return the revisions of an entry that are read for its history."""
    if isinstance(commits, Unread):
        return set()
    return {FileAt(c.project, c.sha, c.path) for c in commits.items[:MAX_REVISIONS]}


def _follow_renames(trail: Trail, ledger: Ledger, wanted: Wanted | None) -> None:
    """Add the revisions before renames, as long as the oldest one holds what is wanted."""
    for number in range(MAX_RENAMES):
        if not (trail.revisions and trail.is_whole):
            return
        oldest, content = trail.revisions[-1]
        # Once it is known that there were other names, all of them are looked for.
        if wanted and number == 0 and not _may_hold_any(content, wanted):
            return
        older = _before_rename(oldest, ledger)
        if older is None:
            trail.complete = False
            return
        trail.renames = True
        if not older.revisions:
            trail.complete = older.complete
            return
        trail.revisions += older.revisions
        trail.complete = older.complete
    trail.complete = False


def _revisions(commits: Commits, ledger: Ledger) -> Revisions:
    return [(c, ledger[FileAt(c.project, c.sha, c.path)]) for c in commits.items]


def _before_rename(commit: Commit, ledger: Ledger) -> Trail | None:
    """Read the revisions of an entry before a commit that renamed it; none where it did not.

    Returns None where they cannot be read.
    """
    old_path = ledger.fetch(RenameOf(commit.project, commit.sha, commit.path))
    if old_path is None:
        return Trail(revisions=[], complete=True)
    if isinstance(old_path, Unread):
        return None
    # From the renaming commit on, not from `SHA^`: that is no ref to every server.
    commits = ledger.fetch(CommitsOf(commit.project, commit.sha, old_path))
    if isinstance(commits, Unread):
        return None
    older = replace(commits, items=tuple(c for c in commits.items if c.sha != commit.sha))
    ledger.look_up(revision_needs(older))
    return Trail(revisions=_revisions(older, ledger), complete=older.complete)


def _may_hold_any(content: Content, wanted: Wanted) -> bool:
    entry = read_entry(content)
    if entry is None:
        return isinstance(content, bytes)
    return any(entry.has_stage(wanted.project, role) for role in wanted.roles)


def find_tenure(role: str, trail: Trail, wanted: Wanted) -> Tenure | Unread:
    """Find when somebody first held a role in the revisions of an entry, newest first.

    Whether another account in the same file was theirs as well is not guessed.
    """
    since: datetime | None = None
    other_has_it = is_doubtful = False
    for commit, content in trail.revisions[:MAX_REVISIONS]:
        if isinstance(content, Unread):
            return content
        entry = read_entry(content)
        if entry is None:
            # What cannot be parsed may have held the role before whatever is newer.
            is_doubtful = is_doubtful or content is not None
        elif entry.has_stage(wanted.project, role):
            if is_same_person(entry, wanted.username):
                since, is_doubtful = commit.committed_at, False
            else:
                other_has_it = True
    reason = _reason_to_doubt(other=other_has_it, broken=is_doubtful, cut=not trail.is_whole)
    if since is None and reason:
        return Unread(reason=reason)
    return Tenure(since=since, at_least=reason is not None, renames=trail.renames)


def _reason_to_doubt(*, other: bool, broken: bool, cut: bool) -> str | None:
    if other:
        return "the entry was another account's when it had the role before"
    if broken:
        return "an earlier version of the entry is no valid entry, so its roles are not known"
    return "the history of the entry is longer than what was examined" if cut else None


def read_entry(content: Content) -> Entry | None:
    """Read an earlier version of an entry; nothing where it is none."""
    if not isinstance(content, bytes):
        return None
    try:
        return parse_entry(content, "the entry before the merge request")
    except TeamDatabaseError:
        return None
