"""GraphQL: lists of merge requests with their filters."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError

from bot.sandbox.graphql.core import Asked, lists, parse_time, read_global_id, snake_case
from bot.sandbox.world.access import can_read, can_read_merge_requests
from bot.sandbox.world.entities import Group, MergeRequest, Project
from bot.sandbox.world.merge_request_search import TESTS, arrange, select

# Filters that GraphQL does not call as REST does.
NAMES: Mapping[str, str] = {
    "approvedBy": "approved_by_usernames",
    "assigneeUsernames": "assignee_username",
    "labelName": "labels",
    "mergedBy": "merge_user_username",
}
FIELDS: Mapping[str, str] = {"CREATED": "created_at", "UPDATED": "updated_at"}


def _translate(given: Mapping[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for name, value in given.items():
        known = NAMES.get(name, snake_case(name))
        if value is not None and known in TESTS:
            is_time = known.endswith(("_after", "_before"))
            wanted[known] = parse_time(value) if is_time else value
    if given.get("reviewState") is not None:
        wanted["review_states"] = [given["reviewState"]]
    return wanted


@lists("Project", "mergeRequests")
@lists("Group", "mergeRequests")
def list_merge_requests(
    place: Project | Group | None, asked: Asked, **given: Any
) -> list[MergeRequest]:
    """List the merge requests of a project, of a group with or without subgroups, or of all."""
    found = [
        mr
        for project in _projects(asked, place, given)
        if can_read_merge_requests(asked.user, project, asked.today)
        for mr in project.merge_requests.values()
    ]
    chosen = select(found, _translate(given), _translate(given.get("not") or {}))
    field, _, direction = str(given.get("sort") or "created_desc").upper().rpartition("_")
    return arrange(chosen, FIELDS.get(field, field.casefold()), direction.casefold())


def _projects(
    asked: Asked, place: Project | Group | None, given: Mapping[str, Any]
) -> list[Project]:
    if isinstance(place, Project):
        return [place]
    if given.get("projectPath") and given.get("projectId"):
        raise GraphQLError("Only one of [projectPath, projectId] arguments is allowed")
    deep = bool(given.get("includeSubgroups"))
    if given.get("groupId"):
        place, deep = asked.world.groups.get(int(read_global_id(given["groupId"], "Group"))), True
        if place is None:
            return []
    return [
        project
        for project in asked.world.projects.values()
        if can_read(asked.user, project, asked.today)
        and _is_below(project, place, deep=deep)
        and _is_named(project, given)
    ]


def _is_below(project: Project, group: Group | None, *, deep: bool) -> bool:
    lineage = list(project.group.lineage()) if project.group else []
    return group is None or group in (lineage if deep else lineage[:1])


def _is_named(project: Project, given: Mapping[str, Any]) -> bool:
    path, gid = given.get("projectPath"), given.get("projectId")
    if gid:
        return project.id == int(read_global_id(gid, "Project"))
    return not path or project.path_with_namespace.casefold() == str(path).casefold()
