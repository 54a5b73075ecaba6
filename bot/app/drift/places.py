"""Which places a policy names beside the entries, and whom each names; from the facts alone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from bot.app.drift.values import Place
from bot.evidence import (
    Exposure,
    ExposureOf,
    Fact,
    FileAt,
    Member,
    Members,
    MembersOf,
    Need,
    fact_of,
)
from bot.listing import (
    Listing,
    UnreadableListing,
    is_listed,
    propose_edit,
    propose_removal,
    read_listing,
)
from bot.merge_request import Visibility
from bot.policy import LEVELS, GroupMember, ListedIn, Policy
from bot.unread import Unread

Facts = Mapping[Need, Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlace:
    """A group whose members of a level have the role."""

    shown: Place
    members: Members
    level: int

    def names(self) -> tuple[str, ...]:
        """Return the members of the level, also those whose account is not active."""
        return tuple(m.username for m in self._members() if m.level >= self.level)

    def lack(self, username: str) -> tuple[str, str] | None:
        """Return the problem and its details where somebody is no member of the level."""
        key = username.casefold()
        levels = [m.level for m in self._members() if m.username.casefold() == key]
        if any(level >= self.level for level in levels):
            return None
        if levels:
            return "too_low", f"is a member of a lower level than {level_word(self.level)}"
        return "missing", "is no member"

    def joining(self, username: str) -> tuple[str, str | None]:  # noqa: ARG002  as the others
        """Return what adds somebody."""
        return f"give them the role {level_word(self.level)} there", None

    def leaving(self, username: str) -> tuple[str, str | None]:  # noqa: ARG002  as the others
        """Return what takes somebody out."""
        return "remove them from the group", None

    def _members(self) -> Iterator[Member]:
        return (member for member in self.members.direct if not member.bot)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlace:
    """A file with a list of those who have the role."""

    shown: Place
    check: ListedIn
    text: str
    listing: Listing

    def names(self) -> tuple[str, ...]:
        """Return who is listed, each once."""
        return tuple({name.casefold(): name for name in self.listing.names}.values())

    def lack(self, username: str) -> tuple[str, str] | None:
        """Return the problem and its details where somebody is not listed."""
        if is_listed(self.listing, username):
            return None
        groups = ", ".join(self.listing.groups)
        return (
            "missing",
            f"is not listed (groups that are: {groups})" if groups else "is not listed",
        )

    def joining(self, username: str) -> tuple[str, str | None]:
        """Return what adds somebody."""
        edit = propose_edit(self.text, self.check.spec, username, self.check.path)
        return f"add them to the list {self.check.key}", edit

    def leaving(self, username: str) -> tuple[str, str | None]:
        """Return what takes somebody out."""
        edit = propose_removal(self.text, self.check.spec, username, self.check.path)
        return f"take them out of the list {self.check.key}", edit


Naming = GroupPlace | FilePlace  # a place that was read, with whom it names


def level_word(level: int) -> str:
    """Return GitLab's word for a level."""
    words = {number: word for word, number in LEVELS.items()}
    return words.get(level, str(level)).capitalize()


def place_needs(policies: Iterable[Policy], team_project: str) -> set[Need]:
    """Say which facts tell whom the places of policies name, and who may see that."""
    needs: set[Need] = {ExposureOf(team_project)}
    for policy in policies:
        needs |= {MembersOf(each.group, not each.direct) for each in policy.memberships}
        for check in policy.checks_of(ListedIn):
            needs |= {FileAt(check.project, check.ref, check.path), ExposureOf(check.project)}
    return needs


def read_places(policy: Policy, facts: Facts, gitlab_url: str) -> tuple[list[Naming], list[Place]]:
    """Read the places of a policy; return those that were not read as well."""
    read = [_read_group(each, facts, gitlab_url) for each in policy.memberships]
    read += [_read_file(check, facts, gitlab_url) for check in policy.checks_of(ListedIn)]
    unread = [place for place in read if isinstance(place, Place)]
    return [place for place in read if not isinstance(place, Place)], unread


def _read_group(asked: GroupMember, facts: Facts, gitlab_url: str) -> Naming | Place:
    group, level = asked.group, asked.level
    members = fact_of(facts, MembersOf(group, not asked.direct))
    query = "?with_inherited_permissions=exclude" if asked.direct else ""
    url = f"{gitlab_url}/groups/{quote(group)}/-/group_members{query}"
    if isinstance(members, Unread):
        return _unread("group", group, url, members.reason)
    if members.following:
        return _unread("group", group, url, "it has more members than were read")
    public = members.visibility is Visibility.PUBLIC
    people = sum(m.level >= level and not m.bot for m in members.direct)
    shown = Place(kind="group", name=group, url=url, public=public, people=people)
    return GroupPlace(shown=shown, members=members, level=level)


def _read_file(check: ListedIn, facts: Facts, gitlab_url: str) -> Naming | Place:
    name = f"{check.path} of {check.project}"
    url = f"{gitlab_url}/{quote(check.project)}/-/edit/{quote(f'{check.ref}/{check.path}')}"
    content = fact_of(facts, FileAt(check.project, check.ref, check.path))
    if content is None:
        return _unread("file", name, url, "there is no such file")
    if isinstance(content, Unread):
        return _unread("file", name, url, content.reason)
    try:
        text = content.decode("utf-8")
        listing = read_listing(text, check.spec, check.path)
    except UnicodeDecodeError:
        return _unread("file", name, url, "it is not UTF-8")
    except UnreadableListing as error:
        return _unread("file", name, url, str(error))
    public = is_public(facts, check.project)
    people = len({name.casefold() for name in listing.names})
    shown = Place(kind="file", name=name, url=url, public=public, people=people)
    return FilePlace(shown=shown, check=check, text=text, listing=listing)


def is_public(facts: Facts, project: str) -> bool:
    """Return whether everybody is known to see the files of a project."""
    exposure = facts.get(ExposureOf(project))
    return isinstance(exposure, Exposure) and exposure.files is Visibility.PUBLIC


def _unread(kind: str, name: str, url: str, reason: str) -> Place:
    return Place(kind=kind, name=name, url=url, public=False, people=None, unknown=reason)


def names_told(policies: Iterable[Policy], facts: Facts) -> frozenset[str]:
    """Return the case-folded names that any place of policies names, to find their entries."""
    places = [place for policy in policies for place in read_places(policy, facts, "")[0]]
    return frozenset(name.casefold() for place in places for name in place.names())
