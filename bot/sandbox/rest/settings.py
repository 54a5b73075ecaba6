"""REST: a project and its settings, its protected branches, and its members by the API."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.params import PAGING, Param, choice, flag, integer, text, words
from bot.sandbox.rest.project_entities import CONSTANT, render_project
from bot.sandbox.world.access import demand
from bot.sandbox.world.entities import Level, Project
from bot.sandbox.world.state import RefusedError

ROLES = ("no_one_allowed", "developer", "maintainer", "owner")
BRANCHES = "/projects/{id}/protected_branches"
LEVELS = {0: "No one", 30: "Developers + Maintainers", 40: "Maintainers"}
FEATURES = ("repository_access", "merge_requests_access", "issues_access")
ATTRIBUTES = {
    "only_allow_merge_if_pipeline_succeeds": "pipelines_must_succeed",
    "only_allow_merge_if_all_status_checks_passed": "checks_must_succeed",
    "only_allow_merge_if_all_discussions_are_resolved": "threads_must_be_resolved",
    "ci_pipeline_variables_minimum_override_role": "pipeline_variables_role",
    "allow_merge_on_skipped_pipeline": "skipped_is_success",
    "ci_config_path": "ci_config_path",
}


@endpoint(
    "GET",
    "/projects/{id}",
    {"statistics": flag(), "license": flag(), "with_custom_attributes": flag()},
)
def show_project(call: Call) -> Answer:
    """Tell of a project."""
    return Answer(body=render_project(call, call.project))


_OF_TYPE = {bool: flag(), int: integer(), list: words(), str: text(), type(None): text()}
# doc/api/projects.md, "Edit a project": what has an effect here, and what is only told again.
EDITABLE: Mapping[str, Param] = {
    **{name: _OF_TYPE[type(value)] for name, value in CONSTANT.items()},
    **dict.fromkeys(ATTRIBUTES, flag()),
    **{name: text() for name in ("name", "description", "default_branch", "ci_config_path")},
    "visibility": choice("public", "internal", "private"),
    "ci_pipeline_variables_minimum_override_role": choice(*ROLES),
    **{f"{name}_level": choice("disabled", "private", "enabled") for name in FEATURES},
}


def change_project(project: Project, given: Mapping[str, Any]) -> None:
    """Set what a project's owners may."""
    for name, value in given.items():
        # Tiers without status checks ignore this setting, as GitLab ignores what it lacks.
        if name == "only_allow_merge_if_all_status_checks_passed" and not project.settings.ultimate:
            continue
        if name in ATTRIBUTES:
            setattr(project.settings, ATTRIBUTES[name], value)
        elif name.removesuffix("_level") in FEATURES:
            setattr(project, name.removesuffix("_level"), value)
        elif name in CONSTANT:
            project.told[name] = value
        else:
            setattr(project, name, value)


@endpoint("PUT", "/projects/{id}", EDITABLE)
def edit_project(call: Call) -> Answer:
    """Change a project's settings."""
    demand(call.level >= Level.MAINTAINER)
    if not call.params:
        raise RefusedError(400, "at least one parameter must be provided", key="error")
    branch = call.params.get("default_branch", call.project.default_branch)
    if call.project.repository.branches and branch not in call.project.repository.branches:
        raise RefusedError(400, {"base": ["Could not change HEAD: branch does not exist"]})
    with call.world.writing():
        change_project(call.project, call.params)
    return Answer(body=render_project(call, call.project))


def _render_branch(project: Project, name: str) -> dict[str, object]:
    level = project.push_levels.get(name, int(Level.MAINTAINER))
    named = {"access_level": level, "access_level_description": LEVELS[level]}
    return {
        "id": 1 + sorted(project.protected_branches).index(name),
        "name": name,
        "push_access_levels": [{"id": 1, **named}],
        "merge_access_levels": [{"id": 2, **named}],
        "allow_force_push": name in project.force_pushes,
        "code_owner_approval_required": False,
    }


def _protected(call: Call) -> str:
    demand(call.level >= Level.MAINTAINER)
    name = unquote(call.path["name"])
    demand(name in call.project.protected_branches, 404)
    return name


@endpoint("GET", BRANCHES, {"search": text(), **PAGING}, open=False)
def list_protected_branches(call: Call) -> Answer:
    """List protected branches."""
    demand(call.level >= Level.MAINTAINER)
    found = sorted(call.project.protected_branches)
    needle = call.params.get("search", "")
    return paged(
        call,
        [each for each in found if needle in each],
        lambda name: _render_branch(call.project, name),
    )


@endpoint("GET", BRANCHES + "/{name}", open=False)
def show_protected_branch(call: Call) -> Answer:
    """Tell of a protected branch."""
    name = _protected(call)
    return Answer(body=_render_branch(call.project, name))


@endpoint(
    "POST",
    BRANCHES,
    {
        "name": text(required=True),
        "push_access_level": integer(),
        "merge_access_level": integer(),
        "allow_force_push": flag(),
    },
)
def protect_branch(call: Call) -> Answer:
    """Protect a branch."""
    demand(call.level >= Level.MAINTAINER)
    project, name = call.project, call.params["name"]
    if name in project.protected_branches:
        raise RefusedError(409, f"Protected branch '{name}' already exists")
    level = call.params.get("push_access_level", int(Level.MAINTAINER))
    if level not in LEVELS:
        raise RefusedError(400, "push_access_level does not have a valid value", key="error")
    with call.world.writing():
        project.protected_branches.add(name)
        project.push_levels[name] = level
        _let_force(project, name, call.params)
    return Answer(status=201, body=_render_branch(project, name))


@endpoint("PATCH", BRANCHES + "/{name}", {"allow_force_push": flag()})
def edit_protected_branch(call: Call) -> Answer:
    """Let history of a protected branch be lost, or not."""
    name = _protected(call)
    with call.world.writing():
        _let_force(call.project, name, call.params)
    return Answer(body=_render_branch(call.project, name))


def _let_force(project: Project, name: str, given: Mapping[str, Any]) -> None:
    if given.get("allow_force_push", name in project.force_pushes):
        project.force_pushes.add(name)
    else:
        project.force_pushes.discard(name)


@endpoint("DELETE", BRANCHES + "/{name}")
def unprotect_branch(call: Call) -> Answer:
    """Stop protecting a branch."""
    name = _protected(call)
    with call.world.writing():
        call.project.protected_branches.discard(name)
        call.project.force_pushes.discard(name)
        call.project.push_levels.pop(name, None)
    return Answer(status=204)
