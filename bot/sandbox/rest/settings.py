"""REST: a project and its settings, and its protected branches."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote

from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.kinds import change
from bot.sandbox.rest.params import KINDS, PAGING, takes
from bot.sandbox.rest.project_entities import ATTRIBUTES, CONSTANT, render_project
from bot.sandbox.world.access import demand
from bot.sandbox.world.entities import Level, Project, Protection
from bot.sandbox.world.state import RefusedError

ROLES = "no_one_allowed developer maintainer owner"
BRANCHES = "/projects/{id}/protected_branches"
LEVELS = {0: "No one", 30: "Developers + Maintainers", 40: "Maintainers"}
FEATURES = ("repository_access", "merge_requests_access", "issues_access")


@endpoint("GET", "/projects/{id}", flag="statistics license with_custom_attributes")
def show_project(call: Call) -> Answer:
    """Tell of a project."""
    return Answer(body=render_project(call, call.project))


_KIND_OF = {bool: "flag", int: "integer", list: "words", str: "text", type(None): "text"}
# doc/api/projects.md, "Edit a project": what has an effect here, and what is only told again.
EDITABLE = takes(
    {name: KINDS[_KIND_OF[type(value)]] for name, value in CONSTANT.items()},
    flag=" ".join(ATTRIBUTES),
    text="name description default_branch ci_config_path",
    choices={
        "visibility": "public internal private",
        "ci_pipeline_variables_minimum_override_role": ROLES,
        **{f"{name}_level": "disabled private enabled" for name in FEATURES},
    },
)


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


def render_protected_branch(call: Call, name: str) -> dict[str, object]:
    """Render a protected branch (lib/api/entities/protected_branch.rb)."""
    rule = call.project.protections.setdefault(name, Protection())
    rule.id = rule.id or call.world.next_id("protected_branch")
    levels = {"push": rule.push_level, "merge": rule.merge_level}
    return {
        "id": rule.id,
        "name": name,
        **{
            f"{act}_access_levels": [
                {"id": rule.id, "access_level": level, "access_level_description": LEVELS[level]}
            ]
            for act, level in levels.items()
        },
        "allow_force_push": rule.allow_force_push,
        "code_owner_approval_required": False,
    }


def _protected(call: Call) -> str:
    demand(call.level >= Level.MAINTAINER)
    name = unquote(call.path["name"])
    demand(name in call.project.protected_branches, 404)
    return name


@endpoint("GET", BRANCHES, PAGING, text="search", open=False)
def list_protected_branches(call: Call) -> Answer:
    """List protected branches."""
    demand(call.level >= Level.MAINTAINER)
    needle = call.params.get("search", "")
    found = [each for each in sorted(call.project.protected_branches) if needle in each]
    return paged(call, found, partial(render_protected_branch, call))


@endpoint("GET", BRANCHES + "/{name}", open=False)
def show_protected_branch(call: Call) -> Answer:
    """Tell of a protected branch."""
    return Answer(body=render_protected_branch(call, _protected(call)))


PROTECTED = takes(integer="push_access_level merge_access_level")


@endpoint("POST", BRANCHES, PROTECTED, text="name", flag="allow_force_push", required="name")
def protect_branch(call: Call) -> Answer:
    """Protect a branch."""
    demand(call.level >= Level.MAINTAINER)
    project, given = call.project, call.params
    name = given["name"]
    if name in project.protected_branches:
        raise RefusedError(409, f"Protected branch '{name}' already exists")
    for each in PROTECTED:
        if given.get(each, 0) not in LEVELS:
            raise RefusedError(400, f"{each} does not have a valid value", key="error")
    with call.world.writing():
        project.protected_branches.add(name)
        project.protections[name] = Protection(
            push_level=given.get("push_access_level", Level.MAINTAINER),
            merge_level=given.get("merge_access_level", Level.MAINTAINER),
            allow_force_push=given.get("allow_force_push", False),
        )
    return Answer(status=201, body=render_protected_branch(call, name))


@endpoint("PATCH", BRANCHES + "/{name}", flag="allow_force_push")
def edit_protected_branch(call: Call) -> Answer:
    """Let history of a protected branch be lost, or not."""
    name = _protected(call)
    rule = call.project.protections.setdefault(name, Protection())
    with call.world.writing():
        change(call, rule, call.params)
    return Answer(body=render_protected_branch(call, name))


@endpoint("DELETE", BRANCHES + "/{name}")
def unprotect_branch(call: Call) -> Answer:
    """Stop protecting a branch."""
    name = _protected(call)
    with call.world.writing():
        call.project.protected_branches.discard(name)
        call.project.protections.pop(name, None)
    return Answer(status=204)
