"""Since when somebody holds a role, by the history of their entry on the target branch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.entry_change import is_same_person
from bot.errors import TeamDatabaseError
from bot.facts import Commit, Commits, CommitsOf, Fact, FileAt, Need, RenameOf, Source, content_of
from bot.nomination import Content, Unread
from bot.team_db import Entry, parse_entry

# Revisions of an entry that are examined for an earlier role, newest first.
MAX_REVISIONS = 25
# Renames that an entry's history is followed across.
MAX_RENAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Since when somebody holds, or held, a role before the one they gain.

    `since` is `None` when the role was never held; `at_least` when the history
    was cut, so that the stage may have begun earlier.
    """

    since: datetime | None
    at_least: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose roles of which project are looked for."""

    username: str
    project: str
    roles: Sequence[str]


def trace_stages(
    history: CommitsOf | None,
    facts: Mapping[Need, Fact],
    source: Source,
    wanted: Wanted,
) -> Mapping[str, Stage | Unread]:
    """Find since when somebody held each role, by the history of the entry at the base."""
    if history is None:
        return dict.fromkeys(wanted.roles, Stage(since=None))
    commits = facts.get(history)
    if not isinstance(commits, Commits):
        unread = commits if isinstance(commits, Unread) else Unread(reason="it was not looked up")
        return dict.fromkeys(wanted.roles, unread)
    project, who = wanted.project, wanted.username
    revisions, complete = _follow_renames(commits, project, wanted.roles, facts, source)
    return {
        role: find_stage(revisions, project, role, who, complete=complete) for role in wanted.roles
    }


def revision_needs(commits: Fact | None) -> set[Need]:
    """Return the revisions of an entry that are read for its history."""
    if not isinstance(commits, Commits):
        return set()
    return {FileAt(c.project, c.sha, c.path) for c in commits.items[:MAX_REVISIONS]}


Revisions = list[tuple[Commit, Content]]


def _follow_renames(
    commits: Commits,
    project: str,
    roles: Sequence[str],
    facts: Mapping[Need, Fact],
    source: Source,
) -> tuple[Revisions, bool]:
    """Return the revisions of an entry, newest first, and whether there are no older ones."""
    revisions = _revisions(commits, facts)
    complete = commits.complete
    for _ in range(MAX_RENAMES):
        if not (revisions and complete and len(revisions) <= MAX_REVISIONS):
            break
        oldest, content = revisions[-1]
        if not _holds_any(content, project, roles):
            break
        complete, older = _before_rename(oldest, source)
        if not older:
            break
        revisions += older
    else:
        complete = False
    return revisions[:MAX_REVISIONS], complete and len(revisions) <= MAX_REVISIONS


def _revisions(commits: Commits, facts: Mapping[Need, Fact]) -> Revisions:
    return [(c, content_of(facts, FileAt(c.project, c.sha, c.path))) for c in commits.items]


def _before_rename(commit: Commit, source: Source) -> tuple[bool, Revisions]:
    """Read the revisions of an entry before a commit that renamed it, if it did.

    Also tells whether all of them are known.
    """
    need = RenameOf(commit.project, commit.sha, commit.path)
    old_path = source.fetch_facts({need})[need]
    if not isinstance(old_path, str):
        return old_path is None, []
    # From the renaming commit on, not from `SHA^`: that is no ref to every server.
    history = CommitsOf(commit.project, commit.sha, old_path)
    commits = source.fetch_facts({history})[history]
    if not isinstance(commits, Commits):
        return False, []
    older = replace(commits, items=tuple(c for c in commits.items if c.sha != commit.sha))
    return older.complete, _revisions(older, source.fetch_facts(revision_needs(older)))


def _holds_any(content: Content, project: str, roles: Sequence[str]) -> bool:
    entry = read_entry(content)
    return entry is not None and any(_holds(entry, project, role) for role in roles)


def find_stage(
    revisions: Revisions, project: str, role: str, username: str, *, complete: bool
) -> Stage | Unread:
    """Find when somebody first held a role in the revisions of an entry, newest first.

    Whether another account in the same file was theirs as well is not guessed.
    """
    since: datetime | None = None
    oldest_has_it = other_has_it = False
    for commit, content in revisions:
        if isinstance(content, Unread):
            return content
        entry = read_entry(content)
        oldest_has_it = entry is not None and _holds(entry, project, role)
        if is_same_person(entry, username):
            since = commit.committed_at if oldest_has_it else since
        else:
            other_has_it = other_has_it or oldest_has_it
    if since is None and other_has_it:
        return Unread(reason="the entry was another account's when it had the role before")
    if since is None and not complete:
        return Unread(reason="the history of the entry is longer than what was examined")
    return Stage(since=since, at_least=other_has_it or (oldest_has_it and not complete))


def _holds(entry: Entry, project: str, role: str) -> bool:
    return any(entry.holds(project, word) for word in role_spellings(role))


def role_spellings(role: str) -> frozenset[str]:
    """Return the spellings of a role that the team database knows, such as trainee-maintainer."""
    role = role.casefold()
    return frozenset({role, role.replace("_", "-"), role.replace("-", "_")})


def read_entry(content: Content) -> Entry | None:
    """Read an earlier version of an entry; nothing where it is none."""
    if not isinstance(content, bytes):
        return None
    try:
        return parse_entry(content, "the entry before the merge request")
    except TeamDatabaseError:
        return None
