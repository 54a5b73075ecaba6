"""REST: a project and its settings, its protected branches, and its members by the API."""

from urllib.parse import unquote

from bot.sandbox.acts import actions
from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.params import PAGING, choice, flag, integer, text
from bot.sandbox.rest.people_entities import render_member
from bot.sandbox.rest.project_entities import render_project
from bot.sandbox.world.access import demand
from bot.sandbox.world.entities import Level, Project
from bot.sandbox.world.state import RefusedError

ROLES = ("no_one_allowed", "developer", "maintainer", "owner")
BRANCHES = "/projects/{id}/protected_branches"
LEVELS = {0: "No one", 30: "Developers + Maintainers", 40: "Maintainers"}
ATTRIBUTES = {
    "only_allow_merge_if_pipeline_succeeds": "pipelines_must_succeed",
    "only_allow_merge_if_all_status_checks_passed": "checks_must_succeed",
    "only_allow_merge_if_all_discussions_are_resolved": "threads_must_be_resolved",
    "ci_pipeline_variables_minimum_override_role": "pipeline_variables_role",
    "allow_merge_on_skipped_pipeline": "skipped_is_success",
}


@endpoint(
    "GET",
    "/projects/{id}",
    {"statistics": flag(), "license": flag(), "with_custom_attributes": flag()},
)
def show_project(call: Call) -> Answer:
    """Tell of a project."""
    return Answer(body=render_project(call, call.project))


@endpoint(
    "PUT",
    "/projects/{id}",
    {
        "only_allow_merge_if_pipeline_succeeds": flag(),
        "only_allow_merge_if_all_status_checks_passed": flag(),
        "only_allow_merge_if_all_discussions_are_resolved": flag(),
        "ci_pipeline_variables_minimum_override_role": choice(*ROLES),
        "allow_merge_on_skipped_pipeline": flag(),
    },
)
def edit_project(call: Call) -> Answer:
    """Change a project's settings."""
    demand(call.level >= Level.MAINTAINER)
    if not call.params:
        raise RefusedError(400, "at least one parameter must be provided", key="error")
    with call.world.writing():
        for name, value in call.params.items():
            # Tiers without status checks ignore this setting, as GitLab ignores what it lacks.
            if name == "only_allow_merge_if_all_status_checks_passed" and not (
                call.project.settings.ultimate
            ):
                continue
            setattr(call.project.settings, ATTRIBUTES[name], value)
    return Answer(body=render_project(call, call.project))


def _render_branch(project: Project, name: str) -> dict[str, object]:
    level = project.push_levels.get(name, int(Level.MAINTAINER))
    named = {"access_level": level, "access_level_description": LEVELS[level]}
    return {
        "id": 1 + sorted(project.protected_branches).index(name),
        "name": name,
        "push_access_levels": [{"id": 1, **named}],
        "merge_access_levels": [{"id": 2, **named}],
        "allow_force_push": False,
        "code_owner_approval_required": False,
    }


@endpoint("GET", BRANCHES, {"search": text(), **PAGING}, open=False)
def list_protected_branches(call: Call) -> Answer:
    """List protected branches."""
    demand(call.level >= Level.MAINTAINER)
    found = [
        each
        for each in sorted(call.project.protected_branches)
        if call.params.get("search", "") in each
    ]
    return paged(call, found, lambda name: _render_branch(call.project, name))


@endpoint("GET", BRANCHES + "/{name}", open=False)
def show_protected_branch(call: Call) -> Answer:
    """Tell of a protected branch."""
    demand(call.level >= Level.MAINTAINER)
    name = unquote(call.path["name"])
    demand(name in call.project.protected_branches, 404)
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
    return Answer(status=201, body=_render_branch(project, name))


@endpoint("DELETE", BRANCHES + "/{name}")
def unprotect_branch(call: Call) -> Answer:
    """Stop protecting a branch."""
    demand(call.level >= Level.MAINTAINER)
    name = unquote(call.path["name"])
    demand(name in call.project.protected_branches, 404)
    with call.world.writing():
        call.project.protected_branches.discard(name)
        call.project.push_levels.pop(name, None)
    return Answer(status=204)


@endpoint(
    "POST",
    "/projects/{id}/members",
    {"user_id": integer(required=True), "access_level": integer(required=True)},
)
def add_project_member(call: Call) -> Answer:
    """Make somebody a member; nobody can give more than they have."""
    demand(call.level >= Level.MAINTAINER)
    user, level = call.person(call.params["user_id"]), call.params["access_level"]
    demand(level <= call.level)
    if user.id in call.project.members:
        raise RefusedError(409, "Member already exists")
    member = actions.add_member(call.world, call.actor, call.project, user, level)
    return Answer(status=201, body=render_member(call.world, member))


@endpoint("PUT", "/projects/{id}/members/{user_id}", {"access_level": integer(required=True)})
def edit_project_member(call: Call) -> Answer:
    """Change a member's level; nobody can give more than they have."""
    demand(call.level >= Level.MAINTAINER)
    user, level = call.person(call.number("user_id")), call.params["access_level"]
    demand(level <= call.level)
    demand(user.id in call.project.members, 404)
    member = actions.add_member(call.world, call.actor, call.project, user, level)
    return Answer(body=render_member(call.world, member))
