"""GraphQL: groups and their members."""

from collections.abc import Iterable, Iterator
from typing import Any

from bot.sandbox.graphql.core import (
    Asked,
    Interacting,
    global_id,
    lists,
    resolves,
    tells,
    time_text,
    values,
)
from bot.sandbox.graphql.people import Membership, find_merge_request, member_id
from bot.sandbox.rest.people_entities import web_url
from bot.sandbox.world.access import find_level, own_members
from bot.sandbox.world.entities import Group, Level


@resolves("Query", "group")
def _group(_: object, asked: Asked, **wanted: str) -> Group | None:
    path = wanted["fullPath"]
    return None if path.isdecimal() else asked.visible(asked.world.find_group(path))


def _related(asked: Asked, group: Group, relations: Iterable[str]) -> Iterator[Membership]:
    parents = list(group.lineage())[1:]
    below = [each for each in asked.world.groups.values() if group in list(each.lineage())[1:]]
    groups = {
        "DIRECT": [group],
        "INHERITED": parents,
        "DESCENDANTS": below,
        "SHARED_FROM_GROUPS": [link.group for link in group.shared_with],
    }
    for relation in relations:
        for place in groups[relation]:
            for member in own_members(place, asked.today):
                yield Membership(id=member_id(place, member), group=place, member=member)


@lists("Group", "groupMembers")
def _group_members(source: Group, asked: Asked, **filters: Any) -> list[Membership]:
    levels = filters.get("accessLevels")
    best: dict[int, Membership] = {}
    for each in _related(asked, source, filters.get("relations") or ("DIRECT", "INHERITED")):
        known = best.get(each.member.user.id)
        if known is None or each.member.level > known.member.level:
            best[each.member.user.id] = each
    found = [
        each
        for each in best.values()
        if each.member.user.is_called(filters.get("search") or "")
        and (levels is None or level_name(each.member.level) in levels)
    ]
    return _sort_members(found, filters.get("sort") or "USER_FULL_NAME_ASC")


def _sort_members(found: list[Membership], sort: str) -> list[Membership]:
    field, direction = sort.upper().rsplit("_", 1)
    keys = {
        "ACCESS_LEVEL": lambda each: (each.member.level, each.id),
        "USER_FULL_NAME": lambda each: (each.member.user.name.casefold(), each.id),
    }
    key = keys.get(field, lambda each: (each.member.created_at, each.id))
    return sorted(found, key=key, reverse=direction == "DESC")


def level_name(level: int) -> str:
    """Name an access level as GraphQL does."""
    return Level(level).name


@resolves("GroupMember", "mergeRequestInteraction")
def _membership_interaction(source: Membership, asked: Asked, **wanted: str) -> Interacting | None:
    found = find_merge_request(asked, wanted["id"])
    return Interacting(user=source.member.user, merge_request=found) if found else None


tells(
    "Group",
    parent=lambda source, asked: asked.visible(source.parent),
    webUrl=lambda source, asked: web_url(asked.world, f"groups/{source.full_path}"),
    groupMembersCount=lambda source, asked: len([*own_members(source, asked.today)]),
    maxAccessLevel=lambda source, asked: find_level(asked.user, source, asked.today),
)
values(
    "Group",
    id=lambda source: global_id("Group", source.id),
    fullName=lambda source: " / ".join(each.name for each in reversed(list(source.lineage()))),
    path=lambda source: source.full_path.rsplit("/", 1)[-1],
)
values(
    "AccessLevel",
    integerValue=lambda source: source,
    stringValue=level_name,
    humanAccess=lambda source: level_name(source).replace("_", " ").capitalize(),
)
values(
    "GroupMember",
    id=lambda source: global_id("GroupMember", source.id),
    accessLevel=lambda source: source.level,
    updatedAt=lambda source: time_text(source.created_at),
)
