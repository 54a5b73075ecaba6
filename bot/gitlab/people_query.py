"""The queries for members of groups and for accounts, and their answers."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bot.evidence import Joined, JoinedOf, Member, Members, MembersOf, Profile, ProfileOf
from bot.gitlab.answers import Json, nodes_of, number_of, read_time, read_visibility
from bot.gitlab.packing import Part, make_part
from bot.merge_request import Visibility
from bot.unread import Unread, hidden

PAGE = 100  # GitLab's largest

MEMBERS = """
query($group: ID!, $relations: [GroupMemberRelation!], $after: String, $page: Int!) {
  group(fullPath: $group) {
    visibility
    direct: groupMembers(relations: $relations, first: $page, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { accessLevel { integerValue } user { username state bot } }
    }
  }
}
"""

MEMBERS_AND_OWNERS = MEMBERS.replace(
    "    visibility\n",
    """    visibility
    owners: groupMembers(relations: [DIRECT, INHERITED], accessLevels: [OWNER], first: 20) {
      nodes { accessLevel { integerValue } user { username state bot } }
    }
""",
)

# A hundred at most: the years of the others are not told.
JOINED = """
query($group: ID!) {
  group(fullPath: $group) {
    groupMembers(relations: [DIRECT], first: 100) { nodes { createdAt user { username } } }
  }
}
"""

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
        page=PAGE,
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
        direct=tuple(map(_read_member, people)),
        owners=tuple(_read_member(row) for row in _read_rows(owners) if row.get("accessLevel")),
        following=page["endCursor"] if page["hasNextPage"] else None,
        visibility=read_visibility(group.get("visibility"), unknown=Visibility.PRIVATE),
    )


def _read_rows(connection: Json | None) -> list[Json]:
    # Who was invited by mail only has no account yet.
    return [row for row in nodes_of(connection) if row.get("user")]


def _read_member(row: Json) -> Member:
    return Member(
        username=row["user"]["username"],
        level=row["accessLevel"]["integerValue"],
        active=row["user"]["state"] == "active",
        bot=row["user"]["bot"],
    )


def _read_joined(need: JoinedOf, answer: Json) -> Joined | Unread:
    members = (answer.get("group") or {}).get("groupMembers") or {}
    if members.get("nodes") is None:
        return Unread(reason=f"GitLab did not tell when the members of {need.group} joined")
    rows = [row for row in _read_rows(members) if row.get("createdAt")]
    return Joined(
        at={row["user"]["username"].casefold(): read_time(row["createdAt"]) for row in rows}
    )


def _read_profile(_: ProfileOf, answer: Json) -> Profile | None:
    found = answer.get("user")
    if not found:
        return None
    made = found.get("createdAt")
    return Profile(
        id=number_of(found["id"]),
        username=found["username"],
        created_at=read_time(made) if made else None,
        active=found.get("state", "active") == "active",
        bot=bool(found.get("bot")),
    )


PARTS: Mapping[type, Callable[[Any], Part]] = {
    MembersOf: members_part,
    JoinedOf: partial(make_part, text=JOINED, read=_read_joined, cost=20),
    ProfileOf: partial(make_part, text=PROFILE, read=_read_profile, cost=7),
}
