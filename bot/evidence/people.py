"""What GitLab tells of people: accounts, and members of groups and projects."""

from datetime import datetime

from bot.evidence.facts import Asks
from bot.merge_request import Person, Visibility
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of a group, and since when, where GitLab tells that."""

    username: str
    level: int
    active: bool = True
    bot: bool = False
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The direct members of a group, and those who own it by any way.

    Where inherited members were asked for, `direct` holds them, too, and `owners` nobody.
    `following` leads to further members, where there are more than were read. `visibility` is
    that of the group.
    """

    direct: tuple[Member, ...]
    owners: tuple[Member, ...]
    following: str | None = None
    visibility: Visibility = Visibility.PRIVATE

    def at_least(self, level: int) -> tuple[Member, ...]:
        """Return the people among the direct members at or above a level."""
        return tuple(m for m in self.direct if m.level >= level and m.active and not m.bot)


@dataclass(frozen=True, slots=True)
class MembersOf(Asks[Members]):
    """The need for the direct members of a group, or for inherited ones as well."""

    group: str
    inherited: bool = False


@dataclass(frozen=True, slots=True)
class ProfileOf(Asks[Person | None]):
    """The need for the account of a name."""

    username: str


@dataclass(frozen=True, slots=True)
class AccessOf(Asks[bool]):
    """The need for whether an account belongs to a project, by whatever way."""

    project_id: int
    user_id: int
