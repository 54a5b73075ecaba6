"""REST: which projects and groups there are (doc/api/projects.md, groups.md, namespaces.md)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.sandbox.acts import actions
from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.params import PAGING, Param, choice, flag, integer, integers, moment, text
from bot.sandbox.rest.project_entities import SIMPLE, render_group, render_project
from bot.sandbox.world.access import can_read, demand, find_level
from bot.sandbox.world.entities import Group, Level, Project
from bot.sandbox.world.state import RefusedError

LIST: Mapping[str, Param] = {
    "search": text(),
    "search_namespaces": flag(),
    "membership": flag(),
    "owned": flag(),
    "starred": flag(),
    "archived": flag(),
    "simple": flag(),
    "statistics": flag(),
    "min_access_level": integer(),
    "visibility": choice("public", "internal", "private"),
    "with_merge_requests_enabled": flag(),
    "with_issues_enabled": flag(),
    "with_custom_attributes": flag(),
    "include_pending_delete": flag(),
    "id_after": integer(),
    "id_before": integer(),
    "last_activity_after": moment(),
    "last_activity_before": moment(),
    "topic": text(),
    "order_by": choice("id", "name", "path", "created_at", "updated_at", "last_activity_at"),
    "sort": choice("asc", "desc"),
    "pagination": choice("keyset"),
    **PAGING,
}
OF_GROUP: Mapping[str, Param] = {**LIST, "include_subgroups": flag(), "with_shared": flag()}
GROUPS: Mapping[str, Param] = {
    "search": text(),
    "skip_groups": integers(),
    "all_available": flag(),
    "owned": flag(),
    "top_level_only": flag(),
    "statistics": flag(),
    "min_access_level": integer(),
    "order_by": choice("name", "path", "id", "similarity"),
    "sort": choice("asc", "desc"),
    "visibility": choice("public", "internal", "private"),
    **PAGING,
}
ISSUES: Mapping[str, Param] = {
    **{name: text() for name in ("scope", "state", "search", "in", "author_username", "milestone")},
    **{name: text() for name in ("assignee_username", "order_by", "sort", "labels")},
    **PAGING,
}
# lib/api/helpers/projects_helpers.rb sorts these by the column.
KEYS: Mapping[str, Callable[[Any], Any]] = {
    "name": lambda place: place.name.casefold(),
    "path": lambda place: _path(place).casefold(),
    "id": lambda place: place.id,
}


def _path(place: Project | Group) -> str:
    return place.path_with_namespace if isinstance(place, Project) else place.full_path


def _is_asked(call: Call, place: Project | Group) -> bool:
    given, level = call.params, find_level(call.user, place, call.today)
    needle = given.get("search", "").casefold()
    least = max(given.get("min_access_level", 0), Level.OWNER if given.get("owned") else 0)
    passes = (
        can_read(call.user, place, call.today),
        needle in f"{place.name}\n{_path(place)}".casefold(),
        level >= least,
        not given.get("membership") or level > 0,
        given.get("visibility", place.visibility) == place.visibility,
        given.get("id_after", -1) < place.id < given.get("id_before", place.id + 1),
        not given.get("starred"),
        given.get("archived", getattr(place, "archived", None)) == getattr(place, "archived", None),
    )
    return all(passes)


def _arrange(call: Call, places: Iterable[Any], order: str, sort: str) -> list[Any]:
    key = KEYS.get(call.params.get("order_by", order), KEYS["id"])
    found = [each for each in places if _is_asked(call, each)]
    return sorted(found, key=key, reverse=call.params.get("sort", sort) == "desc")


def _projects(call: Call, projects: Iterable[Project]) -> Answer:
    def render(project: Project) -> object:
        body = render_project(call, project)
        simple = call.params.get("simple") or call.user is None
        return {name: body[name] for name in SIMPLE} if simple else body

    return paged(call, _arrange(call, projects, "id", "desc"), render)


@endpoint("GET", "/projects", LIST)
def list_projects(call: Call) -> Answer:
    """List the projects the caller may see."""
    return _projects(call, call.world.projects.values())


@endpoint("GET", "/users/{user_id}/projects", LIST)
def list_user_projects(call: Call) -> Answer:
    """List the projects in a person's own namespace."""
    name = call.path["user_id"]
    user = call.person(int(name)) if name.isdecimal() else call.world.find_user(name)
    demand(user is not None, 404, "404 User Not Found")
    return _projects(call, [each for each in call.world.projects.values() if each.owner is user])


@endpoint("GET", "/projects/{id}/forks", LIST)
def list_forks(call: Call) -> Answer:
    """List the forks of a project that the caller may see."""
    forks = [each for each in call.world.projects.values() if each.forked_from is call.project]
    return _projects(call, forks)


@endpoint("GET", "/issues", ISSUES, open=False)
def list_all_issues(call: Call) -> Answer:
    """List nothing: the sandbox tells of a project's issues alone."""
    return paged(call, (), dict)


@endpoint("POST", "/projects/{id}/fork", {"namespace_path": text(), "visibility": text()})
def fork_project(call: Call) -> Answer:
    """Fork a project into the caller's own namespace (doc/api/project_forks.md)."""
    name = call.code.path_with_namespace.rpartition("/")[2]
    if call.world.find_project(f"{call.actor.username}/{name}") is not None:
        raise RefusedError(409, {"name": ["has already been taken"]})
    fork = actions.fork_project(call.world, call.actor, call.code)
    return Answer(status=201, body=render_project(call, fork))


@endpoint("GET", "/groups/{id}/projects", OF_GROUP)
def list_group_projects(call: Call) -> Answer:
    """List the projects of a group, those of its subgroups as well if asked."""
    group, deep = call.group, call.params.get("include_subgroups", False)
    return _projects(
        call,
        [
            each
            for each in call.world.projects.values()
            if each.group is group or (deep and each.group and group in each.group.lineage())
        ],
    )


@endpoint("GET", "/groups", GROUPS)
def list_groups(call: Call) -> Answer:
    """List the groups the caller may see."""
    skipped, top = call.params.get("skip_groups", ()), call.params.get("top_level_only")
    groups = [
        each
        for each in call.world.groups.values()
        if each.id not in skipped and not (top and each.parent)
    ]
    return paged(call, _arrange(call, groups, "name", "asc"), lambda each: render_group(call, each))


@endpoint("GET", "/groups/{id}", {"with_projects": flag(), "with_custom_attributes": flag()})
def show_group(call: Call) -> Answer:
    """Tell of a group, with its projects unless they are not wanted."""
    group = call.group
    body = render_group(call, group) | {"shared_with_groups": []}
    if call.params.get("with_projects", True):
        own = [each for each in call.world.projects.values() if each.group is group]
        seen = [each for each in own if can_read(call.user, each, call.today)]
        body |= {"projects": [render_project(call, each) for each in seen], "shared_projects": []}
    return Answer(body=body)


@endpoint("GET", "/groups/{id}/subgroups", GROUPS)
def list_subgroups(call: Call) -> Answer:
    """List the groups right below a group."""
    groups = [each for each in call.world.groups.values() if each.parent is call.group]
    return paged(call, _arrange(call, groups, "name", "asc"), lambda each: render_group(call, each))
