"""GraphQL: people, groups, members, interactions."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from graphql import GraphQLError

from bot.sandbox.graphql.core import (
    Asked,
    Interacting,
    global_id,
    lists,
    read_global_id,
    readable_merge_requests,
    resolves,
    tells,
    values,
)
from bot.sandbox.graphql.lists import list_merge_requests
from bot.sandbox.rest.people_entities import web_url
from bot.sandbox.world.access import can_merge, can_read, can_update, own_members
from bot.sandbox.world.entities import Group, Member, MergeRequest, User

REVIEWED = frozenset({"reviewed", "requested_changes", "approved"})


def _account(source: User | Interacting) -> User:
    return source.user if isinstance(source, Interacting) else source


@resolves("User", "name")
def _user_name(source: User, asked: Asked) -> str:
    account = _account(source)
    hidden = account.bot and account is not asked.user
    return "****" if hidden else account.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A membership as GraphQL lists it: with a number of its own, and its group."""

    id: int
    group: Group
    member: Member

    def __getattr__(self, name: str) -> Any:
        """Return what the membership has."""
        return getattr(self.member, name)


@lists("User", "groupMemberships")
def _memberships(source: User, asked: Asked) -> list[Membership]:
    user = _account(source)
    return [
        Membership(id=member_id(group, member), group=group, member=member)
        for group in asked.world.groups.values()
        if can_read(asked.user, group, asked.today)
        for member in own_members(group, asked.today)
        if member.user is user
    ]


def member_id(group: Group, member: Member) -> int:
    """Give a membership a number of its own, made of group and account."""
    return group.id * 100_000 + member.user.id


@resolves("User", "groupCount")
def _group_count(source: User, asked: Asked) -> int | None:
    return len(_memberships(source, asked)) if _account(source) is asked.user else None


def _merge_requests(role: str, source: User, asked: Asked, **filters: Any) -> list[MergeRequest]:
    return list_merge_requests(None, asked, **filters | {role: source.username})


lists("UserCore", "authoredMergeRequests")(partial(_merge_requests, "authorUsername"))
lists("UserCore", "reviewRequestedMergeRequests")(partial(_merge_requests, "reviewerUsername"))


@resolves("UserMergeRequestInteraction", "canMerge")
def _can_merge(source: Interacting, asked: Asked) -> bool:
    mr = source.merge_request
    return can_merge(source.user, mr.project, mr.target_branch, asked.today)


def _review_state(source: Interacting) -> str:
    found = source.merge_request.find_reviewer(source.user)
    return found.state if found else ""


@resolves("Query", "user")
def _user(_: object, asked: Asked, **wanted: Any) -> User | None:
    if len(wanted) != 1:
        raise GraphQLError("Provide either a single username or id")
    if "id" in wanted:
        return asked.world.users.get(int(read_global_id(wanted["id"], "User")))
    return asked.world.find_user(str(wanted["username"]))


@lists("Query", "users")
def _users(
    _: object, asked: Asked, ids: list[str] | None = None, usernames: list[str] | None = None
) -> list[User]:
    numbers = None if ids is None else {int(read_global_id(each, "User")) for each in ids}
    names = None if usernames is None else {each.casefold() for each in usernames}
    return [
        user
        for user in asked.world.users.values()
        if (numbers is None or user.id in numbers)
        and (names is None or user.username.casefold() in names)
    ]


def find_merge_request(asked: Asked, gid: object) -> MergeRequest | None:
    """Find a merge request by global id, if the caller may see it."""
    number = int(read_global_id(gid, "MergeRequest"))
    return next((mr for mr in readable_merge_requests(asked) if mr.id == number), None)


tells("Query", currentUser=lambda _, asked: asked.user)
tells("User", webUrl=lambda source, asked: web_url(asked.world, source.username))
values(
    "User",
    id=lambda source: global_id("User", source.id),
    human=lambda source: not source.bot,
    active=lambda source: source.state == "active",
    publicEmail=lambda _: None,
    webPath=lambda source: f"/{source.username}",
)
for _role in ("Author", "Assignee", "Participant", "Reviewer"):
    values(f"MergeRequest{_role}", mergeRequestInteraction=lambda source: source)
tells(
    "UserMergeRequestInteraction",
    canUpdate=lambda source, asked: can_update(source.user, source.merge_request, asked.today),
)
values(
    "UserMergeRequestInteraction",
    reviewState=lambda source: _review_state(source).upper() or None,
    reviewed=lambda source: _review_state(source) in REVIEWED,
    approved=lambda source: source.user in source.merge_request.approvals,
)
