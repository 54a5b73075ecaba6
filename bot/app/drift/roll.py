"""Whom the entries give the role, and of whom that is not known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from bot.app.drift.values import Place
from bot.errors import TeamDatabaseError
from bot.policy import Policy
from bot.team import is_team_file, may_mention, may_name, parse_entry
from bot.unread import Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """The entries of the team database that may matter, by path, or why they are not known."""

    project: str
    branch: str
    files: Mapping[str, bytes] | Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Somebody whom an entry gives the role, or who has one without it."""

    username: str
    path: str
    has_role: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """Whom the entries name, by case-folded username; `unread` are the contents of broken ones."""

    holders: Mapping[str, Holder]
    unread: Mapping[str, bytes]
    nameless: tuple[str, ...] = ()
    unknown: str | None = None


def call_roll(policy: Policy, entries: Entries) -> Roll:
    """Read the entries: who has the role, and which of them cannot be read."""
    if isinstance(entries.files, Unread):
        return Roll(holders={}, unread={}, unknown=entries.files.reason)
    holders: dict[str, Holder] = {}
    unread: dict[str, bytes] = {}
    nameless: list[str] = []
    for path, content in sorted(entries.files.items()):
        if not is_team_file(path, policy.team_files):
            continue
        try:
            entry = parse_entry(content, path)
        except TeamDatabaseError:
            unread[path] = content
            continue
        has_role = entry.has_stage(policy.project, policy.role)
        if not entry.username:
            nameless += [path] if has_role else []
            continue
        found = Holder(username=entry.username, path=path, has_role=has_role)
        known = holders.get(entry.username.casefold())
        if known is None or has_role:
            holders[entry.username.casefold()] = found
    return Roll(holders=holders, unread=unread, nameless=tuple(nameless))


def show_entries(roll: Roll, entries: Entries, home: str, *, public: bool) -> Place:
    """Return the entries as one of the places that say who has the role."""
    number = sum(holder.has_role for holder in roll.holders.values())
    return Place(
        kind="entry",
        name=f"the entries of {entries.project}",
        url=f"{home}/tree/{quote(entries.branch)}",
        public=public,
        people=None if roll.unknown else number,
        unknown=roll.unknown,
    )


def tell_unread(policy: Policy, roll: Roll) -> Iterator[str]:
    """Say of which entries it is not known whom they give the role."""
    for path, content in roll.unread.items():
        if may_mention(content, policy.project):
            yield f"whether {path} gives the role: the entry cannot be read"
    for path in roll.nameless:
        yield f"whom {path} gives the role: the entry names no account"


def doubt_role(key: str, username: str, roll: Roll) -> str | None:
    """Say why it is not known whether somebody has the role, if it is not."""
    if key in roll.holders or roll.unknown:
        return None
    path = next((p for p, content in roll.unread.items() if may_name(content, {key})), None)
    return f"whether {username} has the role: {path} cannot be read" if path else None
