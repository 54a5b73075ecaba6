"""The queries for members of groups and for accounts, and their answers."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bot.evidence import Member, Members, MembersOf, ProfileOf
from bot.gitlab.answers import Json, nodes_of, read_person, read_time, read_visibility
from bot.gitlab.packing import Part, make_part
from bot.merge_request import Person, Visibility
from bot.unread import Unread, hidden

OWNER = 50  # lib/gitlab/access.rb

MEMBERS = """
query($group: ID!, $relations: [GroupMemberRelation!], $after: String) {
  group(fullPath: $group) {
    visibility
    direct: groupMembers(relations: $relations, first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { createdAt accessLevel { integerValue } user { username state bot } }
    }
  }
}
"""

MEMBERS_AND_OWNERS = MEMBERS.replace(
    "    visibility\n",
    """    visibility
    owners: groupMembers(relations: [DIRECT, INHERITED], accessLevels: [OWNER], first: 20) {
      nodes { user { username state bot } }
    }
""",
)

PROFILE = """
query($username: String!) {
  user(username: $username) { id username createdAt state bot }
}
"""


def members_part(need: MembersOf, after: str | None = None) -> Part:
    """Ask for the members of a group, those that follow a cursor."""
    return make_part(
        need,
        MEMBERS if need.inherited or after else MEMBERS_AND_OWNERS,
        _read_members,
        cost=33,
        relations=["DIRECT", "INHERITED"] if need.inherited else ["DIRECT"],
        after=after,
    )


def _read_members(need: MembersOf, answer: Json) -> Members | Unread:
    group = answer.get("group")
    if group is None:
        return hidden(f"the group {need.group} does not exist or")
    direct, owners = group.get("direct"), group.get("owners")
    if direct is None or direct.get("nodes") is None:
        return Unread(reason=f"GitLab did not list the members of {need.group}")
    people = _read_rows(direct)
    if any(row.get("accessLevel") is None for row in people):
        return Unread(reason=f"GitLab did not tell the level of all members of {need.group}")
    page = direct["pageInfo"]
    if page["hasNextPage"] and not page["endCursor"]:
        return Unread(reason=f"GitLab did not list all members of {need.group}")
    return Members(
        direct=tuple(_read_member(row, row["accessLevel"]["integerValue"]) for row in people),
        owners=tuple(_read_member(row, OWNER) for row in _read_rows(owners)),
        following=page["endCursor"] if page["hasNextPage"] else None,
        visibility=read_visibility(group.get("visibility"), unknown=Visibility.PRIVATE),
    )


def _read_rows(connection: Json | None) -> list[Json]:
    # Who was invited by mail only has no account yet.
    return [row for row in nodes_of(connection) if row.get("user")]


def _read_member(row: Json, level: int) -> Member:
    return Member(
        username=row["user"]["username"],
        level=level,
        active=row["user"]["state"] == "active",
        bot=row["user"]["bot"],
        since=read_time(row["createdAt"]) if row.get("createdAt") else None,
    )


def _read_profile(_: ProfileOf, answer: Json) -> Person | None:
    return read_person(answer.get("user"))


PARTS: Mapping[type, Callable[[Any], Part]] = {
    MembersOf: members_part,
    ProfileOf: partial(make_part, text=PROFILE, read=_read_profile, cost=7),
}
