"""Somebody who may be nominated, and their entry in the team database."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.errors import TeamDatabaseError
from bot.evidence import FileAt, Ledger, Source, manager_path
from bot.team import Entry, is_team_file, parse_entry
from bot.unread import Unread

MOST_FOUND = 10  # files of a search that are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who may be nominated; their entry is the file `slug` on a project's branch."""

    username: str
    slug: str
    project: str
    branch: str


def find_slug(
    who: Candidate, team_files: str, source: Source, search: Callable[[str], list[str]]
) -> str:
    """Return the name of the file whose `gitlab:` names somebody, or the usual one if none does.

    The usual name is tried first; only where that is not theirs the team database is searched.
    """
    usual = entry_path(who, team_files)
    if _is_theirs(who, usual, source):
        return who.slug
    for path in search(f"gitlab: {who.username}")[:MOST_FOUND]:
        if path != usual and is_team_file(path, team_files) and _is_theirs(who, path, source):
            return path.rpartition("/")[2].removesuffix(".yml")
    return who.slug


def _is_theirs(who: Candidate, path: str, source: Source) -> bool:
    content = Ledger({}, source).fetch(FileAt(who.project, who.branch, path))
    if not isinstance(content, bytes):
        return False
    try:
        return (parse_entry(content, path).username or "").casefold() == who.username.casefold()
    except TeamDatabaseError:
        return False


def entry_path(candidate: Candidate, team_files: str) -> str:
    """Return the path of somebody's entry; raise TeamDatabaseError where there can be none."""
    path = manager_path(team_files.replace("*/*.yml", "x/x.yml"), candidate.slug)
    if path is None:
        raise TeamDatabaseError(
            f"{candidate.slug!r} is no name of an entry's file: say one with --entry SLUG."
        )
    return path


def read_entry(entry_file: FileAt, source: Source) -> bytes | None:
    """Read an entry that may not be there; raise TeamDatabaseError where that is not known."""
    content = Ledger({}, source).fetch(entry_file)
    if isinstance(content, Unread):
        raise TeamDatabaseError(
            f"{entry_file.path} cannot be read ({content.reason}): try again later."
        )
    return content


def own_entry(base: bytes, username: str, path: str) -> Entry:
    """Parse an entry; raise TeamDatabaseError where it is somebody else's."""
    entry = parse_entry(base, path)
    if (entry.username or "").casefold() != username.casefold():
        raise TeamDatabaseError(
            f"{path} is the entry of {entry.username!r}, not of {username!r}: "
            "say which entry is theirs with --entry SLUG."
        )
    return entry
