"""REST: a project and its settings, and its protected branches."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from bot.sandbox.rest.core import Answer, Call, endpoint
from bot.sandbox.rest.kinds import Kind, edit, offer
from bot.sandbox.rest.params import KINDS, takes
from bot.sandbox.rest.people_entities import expose
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


def render_protection(call: Call, rule: Protection) -> dict[str, object]:
    """Render a protected branch (lib/api/entities/protected_branch.rb)."""
    rule.id = rule.id or call.world.next_id("protected_branch")
    levels = {"push": rule.push_level, "merge": rule.merge_level}
    return {
        **expose(rule, "id name allow_force_push"),
        **{
            f"{act}_access_levels": [
                {"id": rule.id, "access_level": level, "access_level_description": LEVELS[level]}
            ]
            for act, level in levels.items()
        },
        "code_owner_approval_required": False,
    }


def _protect(call: Call) -> Protection:
    name, given = call.params["name"], call.params
    if any(each.name == name for each in call.project.protected_branches):
        raise RefusedError(409, f"Protected branch '{name}' already exists")
    for each in ("push_access_level", "merge_access_level"):
        if given.get(each, 0) not in LEVELS:
            raise RefusedError(400, f"{each} does not have a valid value", key="error")
    return Protection(
        name=name,
        push_level=given.get("push_access_level", Level.MAINTAINER),
        merge_level=given.get("merge_access_level", Level.MAINTAINER),
        allow_force_push=given.get("allow_force_push", False),
    )


PROTECTED_BRANCH = offer(
    Kind(
        at=BRANCHES,
        key="name",
        name="name",
        fields=takes(
            text="name",
            integer="push_access_level merge_access_level",
            flag="allow_force_push",
            required="name",
        ),
        listing=takes(text="search"),
        keep=lambda call: call.project.protected_branches,
        make=_protect,
        tell=render_protection,
        ways=("list", "show", "create", "delete"),
        reads=Level.MAINTAINER,
        writes=Level.MAINTAINER,
    )
)
# Unlike others it is changed by PATCH (doc/api/protected_branches.md).
endpoint("PATCH", BRANCHES + "/{name}", flag="allow_force_push")(partial(edit, PROTECTED_BRANCH))
