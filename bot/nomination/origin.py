"""Pair the entries of a change set: which entry at the base does one at the head continue."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias

from bot.errors import TeamDatabaseError
from bot.nomination.values import Change, NotPlain
from bot.team import Entry, is_team_file, may_name, parse_entry
from bot.unread import Content, Unread
from bot.values import dataclass

_FEW = 20  # names; with more, looking for each of them in each file would be the greater work


@dataclass(frozen=True, slots=True)
class Refused:
    """Content that was read but is no entry, with the sentence that says why."""

    message: str


Side: TypeAlias = Entry | Unread | Refused | None


def read_side(content: Content, path: str) -> Side:
    """Parse one side of a change; what cannot be parsed is a value, not an error."""
    if isinstance(content, NotPlain):
        return Refused(content.reason)
    if not isinstance(content, bytes):
        return content
    try:
        return parse_entry(content, path)
    except TeamDatabaseError as error:
        return Refused(str(error))


def is_same_person(side: Side, username: str | None) -> bool:
    """Compare usernames as GitLab does, without case; nobody is not the same as nobody."""
    return (
        isinstance(side, Entry)
        and side.username is not None
        and username is not None
        and side.username.casefold() == username.casefold()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a head entry comes from; with a username at the base it continues that entry."""

    path: str | None
    side: Side

    @property
    def entry(self) -> Entry | None:
        """The base entry, unless it was nobody's or could not be read."""
        if isinstance(self.side, Entry) and self.side.username is not None:
            return self.side
        return None


class Bases:
    """Look up base entries by path and by username; parses only what a question is about.

    `usernames` are the ones that will be asked for.
    """

    def __init__(self, changes: Iterable[Change], glob: str, usernames: Collection[str]) -> None:
        self._contents: dict[str, Content] = {}
        self._sides: dict[str, Side] = {}
        self._deleted: dict[str, list[str]] = defaultdict(list)
        self._paths: dict[str, list[str]] = defaultdict(list)
        for change in changes:
            path = change.base_path
            if change.base is not None and is_team_file(path, glob):
                self._contents[path] = change.base
                if change.head is None or change.old_path is not None:
                    self._deleted[_slug(path)].append(path)
        self._index({username.casefold() for username in usernames})

    def _index(self, folded: set[str]) -> None:
        for path, content in self._contents.items():
            wanted = isinstance(content, bytes) and (
                len(folded) > _FEW or may_name(content, folded)
            )
            side = self.at(path) if wanted else None
            if isinstance(side, Entry) and side.username is not None:
                self._paths[side.username.casefold()].append(path)

    def at(self, path: str) -> Side:
        """Parse the base entry at a path."""
        if path not in self._sides:
            self._sides[path] = read_side(self._contents.get(path), path)
        return self._sides[path]

    def paths_of(self, username: str) -> list[str]:
        """List where the base has an entry of a person."""
        return self._paths.get(username.casefold(), [])

    def unread_deletions(self) -> Iterator[tuple[str, str]]:
        """List the files nobody could read, each with the reason: one may be an earlier entry."""
        for paths in self._deleted.values():
            for path in paths:
                content = self._contents[path]
                if isinstance(content, Unread):
                    yield path, content.reason

    def origin(self, change: Change, username: str | None) -> Origin:
        """Follow a person to the base: the same file, another file of theirs, or a moved one."""
        own = self.at(change.base_path)
        if username is None or is_same_person(own, username):
            return Origin(path=change.base_path, side=own)
        known = self._paths.get(username.casefold())
        if known:
            path = min(known, key=lambda each: (each not in self._deleted[_slug(each)], each))
            return Origin(path=path, side=self.at(path))
        path = change.base_path
        if own is None:
            namesakes = self._deleted.get(_slug(change.path), ())
            if len(namesakes) != 1:
                return Origin(path=None, side=None)
            path = namesakes[0]
        return Origin(path=path, side=self.at(path))


def _slug(path: str) -> str:
    return path.rpartition("/")[2].casefold()
