"""REST: which projects and namespaces there are (doc/api/projects.md, namespaces.md)."""

# One module: every list of projects is chosen, selected and ordered by the same functions.

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft
from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.kinds import holds
from bot.sandbox.rest.params import PAGING, Param, is_inside, takes
from bot.sandbox.rest.people_entities import OWN_NAMESPACES, render_namespace, render_user
from bot.sandbox.rest.project_entities import (
    SIMPLE,
    last_activity,
    render_project,
)
from bot.sandbox.rest.settings import EDITABLE, change_project
from bot.sandbox.world.access import (
    can_read,
    can_read_merge_requests,
    demand,
    effective_members,
    find_level,
    required,
)
from bot.sandbox.world.entities import Group, Level, Member, Project, Protection
from bot.sandbox.world.repository import Repository
from bot.sandbox.world.state import RefusedError

VISIBILITY = "public internal private"
LIST = takes(
    PAGING,
    text="search",
    words="topic",
    integer="min_access_level id_after id_before",
    flag="search_namespaces membership owned starred archived simple statistics "
    "with_merge_requests_enabled with_issues_enabled with_custom_attributes "
    "include_pending_delete",
    moment="last_activity_after last_activity_before",
    choices={
        "visibility": VISIBILITY,
        "order_by": "id name path created_at updated_at last_activity_at",
        "sort": "asc desc",
        "pagination": "keyset",
    },
)
OF_GROUP = takes(LIST, flag="include_subgroups with_shared")
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
    needle = given.get("search", "")
    wide = given.get("search_namespaces") or (isinstance(place, Group) and "/" in needle)
    least = max(given.get("min_access_level", 0), Level.OWNER if given.get("owned") else 0)
    passes = (
        can_read(call.user, place, call.today),
        place.is_called(needle) or (wide and needle.casefold() in _path(place).casefold()),
        level >= least,
        not given.get("membership") or level > 0,
        given.get("visibility", place.visibility) == place.visibility,
        given.get("id_after", -1) < place.id < given.get("id_before", place.id + 1),
        isinstance(place, Group) or _is_asked_project(call, place),
    )
    return all(passes)


def _is_asked_project(call: Call, project: Project) -> bool:
    given = call.params
    passes = (
        not given.get("starred"),
        given.get("archived", project.archived) is project.archived,
        is_inside(given, last_activity=last_activity(project)),
        set(given.get("topic", ())) <= set(project.told.get("topics", ())),
        not given.get("with_issues_enabled") or project.issues_access != "disabled",
        not given.get("with_merge_requests_enabled")
        or can_read_merge_requests(call.user, project, call.today),
    )
    return all(passes)


def arrange(call: Call, places: Iterable[Any], order: str, sort: str) -> list[Any]:
    """Select what is asked for of projects or groups, in the order asked for."""
    key = KEYS.get(call.params.get("order_by", order), KEYS["id"])
    found = [each for each in places if _is_asked(call, each)]
    return sorted(found, key=key, reverse=call.params.get("sort", sort) == "desc")


def _of_user(call: Call) -> Callable[[Project], bool]:
    name = call.path["user_id"]
    user = call.person(int(name)) if name.isdecimal() else call.world.find_user(name)
    demand(user is not None, 404, "404 User Not Found")
    return lambda project: project.owner is user


def of_group(call: Call) -> Callable[[Project], bool]:
    """Choose those of a group, and of its subgroups as well if asked."""
    group, deep = call.group, call.params.get("include_subgroups", False)
    return lambda project: (
        project.group is group or bool(deep and project.group and group in project.group.lineage())
    )


def shared_with(call: Call) -> Callable[[Project], bool]:
    """Choose those that a group is invited to."""
    group = call.group
    return lambda project: any(link.group is group for link in project.shared_with)


def _in_group(call: Call) -> Callable[[Project], bool]:
    """Choose those of a group, and unless they are not wanted those shared with it."""
    owns, has = of_group(call), shared_with(call)
    shared = call.params.get("with_shared", True)
    return lambda project: owns(project) or (shared and has(project))


def _forks(call: Call) -> Callable[[Project], bool]:
    above = call.project
    return lambda project: project.forked_from is above


# Lists of projects, and which of those that the caller sees are in each.
LISTS: tuple[tuple[str, Mapping[str, Param], Callable[[Call], Callable[[Project], bool]]], ...] = (
    ("/projects", LIST, lambda _call: lambda _project: True),
    ("/users/{user_id}/projects", LIST, _of_user),
    ("/projects/{id}/forks", LIST, _forks),
    ("/groups/{id}/projects", OF_GROUP, _in_group),
    ("/groups/{id}/projects/shared", LIST, shared_with),
)


def _list_projects(choose: Callable[[Call], Callable[[Project], bool]], call: Call) -> Answer:
    def render(project: Project) -> object:
        body = render_project(call, project)
        simple = call.params.get("simple") or call.user is None
        return {name: body[name] for name in SIMPLE} if simple else body

    found = filter(choose(call), call.world.projects.values())
    return paged(call, arrange(call, found, "id", "desc"), render)


for _template, _params, _choose in LISTS:
    endpoint("GET", _template, _params)(partial(_list_projects, _choose))


def _namespace(call: Call, given: Mapping[str, Any]) -> Group | None:
    """Find the group that is asked for; None is the caller's own namespace."""
    named = given.get("namespace_id") or given.get("namespace_path") or given.get("namespace")
    if named in {None, call.actor.username, OWN_NAMESPACES + call.actor.id}:
        return None
    words_ = "404 Target Namespace Not Found"
    group = required(call.world.find_group(str(named)), words_)
    demand(find_level(call.user, group, call.today) >= Level.DEVELOPER, 404, words_)
    return group


def _claim(call: Call, group: Group | None, path: str, taken_status: int) -> str:
    """Return where a new project will be; raise RefusedError where one is."""
    whole = f"{group.full_path if group else call.actor.username}/{path}"
    if call.world.is_taken(whole):
        taken = ["has already been taken"]
        errors = {"project_namespace.name": taken, "path": taken, "name": taken}
        raise RefusedError(taken_status, errors)
    return whole


@endpoint(
    "POST",
    "/projects/{id}/fork",
    text="name path namespace namespace_path description branches",
    integer="namespace_id",
    flag="mr_default_target_self",
    choices={"visibility": VISIBILITY},
)
def fork_project(call: Call) -> object:
    """Fork a project into a namespace of the caller's (doc/api/project_forks.md)."""
    given, group = call.params, _namespace(call, call.params)
    name = call.code.path_with_namespace.rpartition("/")[2]
    whole = _claim(call, group, given.get("path", name), taken_status=409)
    fork = actions.fork_project(call.world, call.actor, call.code, (whole, group))
    for name in ("name", "visibility", "description"):
        setattr(fork, name, given.get(name, getattr(fork, name)))
    return render_project(call, fork)


@endpoint(
    "POST",
    "/projects",
    EDITABLE,
    text="name path default_branch",
    integer="namespace_id",
    flag="initialize_with_readme",
)
def create_project(call: Call) -> object:
    """Make a project in a namespace of the caller's (doc/api/projects.md)."""
    given, group = dict(call.params), _namespace(call, call.params)
    if not {"name", "path"} & set(given):
        raise RefusedError(400, "name, path are missing, at least one is needed", key="error")
    name = given.get("name") or given["path"]
    path = given.get("path") or re.sub(r"[^a-z0-9_.]+", "-", name.lower()).strip("-")
    whole = _claim(call, group, path, taken_status=400)
    with call.world.writing() as now:
        me = Member(user=call.actor, level=Level.OWNER, created_at=now)
        project = Project(
            id=call.world.next_id("project"),
            path_with_namespace=whole,
            name=name,
            created_at=now,
            repository=Repository(),
            default_branch=given.get("default_branch", "main"),
            visibility="private",
            group=group,
            owner=None if group else call.actor,
            members={} if group else {call.actor.id: me},
        )
        call.world.add_project(project)
    change_project(project, {name: value for name, value in given.items() if name in EDITABLE})
    if given.get("initialize_with_readme"):
        draft = CommitDraft(message="Initial commit", changes={"README.md": f"# {name}\n".encode()})
        actions.push(call.world, call.actor, project, project.default_branch, draft)
    project.protected_branches.append(Protection(name=project.default_branch))
    return render_project(call, project)


@endpoint("DELETE", "/projects/{id}", text="full_path", flag="permanently_remove")
def delete_project(call: Call) -> Answer:
    """Delete a project."""
    demand(call.level >= Level.OWNER)
    with call.world.writing():
        call.world.remove_project(call.project)
    return Answer(status=202, body={"message": "202 Accepted"})


@endpoint("POST", "/projects/{id}/archive")
@endpoint("POST", "/projects/{id}/unarchive")
def archive_project(call: Call) -> object:
    """Archive a project, or take it back."""
    demand(call.level >= Level.OWNER)
    with call.world.writing():
        call.project.archived = call.url.endswith("/archive")
    return render_project(call, call.project)


@endpoint("GET", "/projects/{id}/users", PAGING, text="search")
def list_project_users(call: Call) -> Answer:
    """List the people of a project."""
    people = [each.user for each in effective_members(call.project, call.today).values()]
    found = [each for each in people if each.is_called(call.params.get("search", ""))]
    return paged(call, found, lambda each: render_user(call.world, each))


def _namespaces(call: Call) -> list[dict[str, object]]:
    """List where the caller may have projects: the own namespace, and groups seen."""
    groups = [g for g in call.world.groups.values() if find_level(call.user, g, call.today)]
    return [
        render_namespace(call.world, call.actor, call.actor.username),
        *(render_namespace(call.world, each, each.full_path) for each in groups),
    ]


@endpoint("GET", "/namespaces", PAGING, text="search", flag="owned_only", open=False)
def list_namespaces(call: Call) -> Answer:
    """List namespaces (doc/api/namespaces.md)."""
    needle = call.params.get("search", "")
    return paged(call, [each for each in _namespaces(call) if holds(each, needle)], dict)


@endpoint("GET", "/namespaces/{name}/exists", integer="parent_id", open=False)
def find_namespace(call: Call) -> object:
    """Tell whether a path is taken, and what would do instead."""
    name = call.path["name"]
    exists = call.world.find_owner(name) is not None
    return {"exists": exists, "suggests": [f"{name}1"] if exists else []}


@endpoint("GET", "/namespaces/{name}", open=False)
def show_namespace(call: Call) -> object:
    """Tell of a namespace, by number or path."""
    name, rows = call.path["name"], _namespaces(call)
    found = next((row for row in rows if name in {str(row["id"]), row["full_path"]}), None)
    return required(found, "404 Namespace Not Found")
