"""REST: trigger tokens, CI/CD variables, pipeline schedules, and the merged CI configuration."""

import re
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import yaml

from bot.sandbox.acts.pipelines import PipelineDraft, run_pipeline
from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.params import PAGING, choice, flag, text
from bot.sandbox.rest.people_entities import render_user, stamp
from bot.sandbox.world.access import can_push, demand
from bot.sandbox.world.ci_includes import find_included, merge_included
from bot.sandbox.world.entities import Level, Schedule, TriggerToken, Variable
from bot.sandbox.world.shipped import CI_FILE, ci_definition, read_yaml
from bot.sandbox.world.state import RefusedError

T = TypeVar("T")
TRIGGERS = "/projects/{id}/triggers"
VARIABLES = "/projects/{id}/variables"
SCHEDULES = "/projects/{id}/pipeline_schedules"
SHOWN = 4  # characters of somebody else's trigger token; doc/ci/triggers
# doc/ci/variables: what can be masked is one line of at least 8 of these characters.
MASKABLE = re.compile(r"[a-zA-Z0-9_+=/@:.~-]{8,}")
NAME = re.compile(r"\w{1,255}", re.ASCII)
# doc/api/lint.md; the words are those of Gitlab::Ci::Lint for a project without a configuration.
NOTHING = "Please provide content of .gitlab-ci.yml"


def _one(found: T | None) -> T:
    if found is None:
        raise RefusedError(404, "404 Not found")
    return found


# --- trigger tokens ---------------------------------------------------------------------


@endpoint("GET", TRIGGERS, PAGING, open=False)
def list_triggers(call: Call) -> Answer:
    """List trigger tokens; whole ones only to their owners."""
    demand(call.level >= Level.MAINTAINER)
    return paged(call, call.project.triggers, lambda each: _render_trigger(call, each))


@endpoint("POST", TRIGGERS, {"description": text(required=True)})
def create_trigger(call: Call) -> Answer:
    """Make a trigger token of the caller's."""
    demand(call.level >= Level.MAINTAINER)
    with call.world.writing() as now:
        trigger = TriggerToken(
            id=call.world.next_id("trigger"),
            value=f"glptt-{secrets.token_hex(20)}",
            owner=call.actor,
            description=call.params["description"],
            created_at=now,
        )
        call.project.triggers.append(trigger)
    return Answer(status=201, body=_render_trigger(call, trigger))


def _find_trigger(call: Call) -> TriggerToken:
    demand(call.level >= Level.MAINTAINER)
    number = call.number("trigger_id")
    return _one(next((each for each in call.project.triggers if each.id == number), None))


@endpoint("GET", TRIGGERS + "/{trigger_id}", open=False)
def show_trigger(call: Call) -> Answer:
    """Tell of a trigger token."""
    return Answer(body=_render_trigger(call, _find_trigger(call)))


@endpoint("PUT", TRIGGERS + "/{trigger_id}", {"description": text()})
def edit_trigger(call: Call) -> Answer:
    """Describe a trigger token anew."""
    found = _find_trigger(call)
    found.description = call.params.get("description", found.description)
    return Answer(body=_render_trigger(call, found))


@endpoint("DELETE", TRIGGERS + "/{trigger_id}")
def delete_trigger(call: Call) -> Answer:
    """Remove a trigger token."""
    found = _find_trigger(call)
    with call.world.writing():
        call.project.triggers.remove(found)
    return Answer(status=204)


def _render_trigger(call: Call, trigger: TriggerToken) -> dict[str, object]:
    own = trigger.owner is call.user
    return {
        "id": trigger.id,
        "token": trigger.value if own else trigger.value[:SHOWN],
        "description": trigger.description,
        "created_at": stamp(trigger.created_at),
        "updated_at": stamp(trigger.created_at),
        "last_used": stamp(trigger.last_used),
        "expires_at": stamp(trigger.expires_at),
        "owner": render_user(call.world, trigger.owner),
    }


# --- variables --------------------------------------------------------------------------


VALUES = {
    "protected": flag(),
    "masked": flag(),
    "raw": flag(),
    "description": text(),
    "environment_scope": text(),
    "variable_type": choice("env_var", "file"),
}


@endpoint("GET", VARIABLES, PAGING, open=False)
def list_variables(call: Call) -> Answer:
    """List CI/CD variables."""
    demand(call.level >= Level.MAINTAINER)
    return paged(call, call.project.variables, _render_variable)


@endpoint("GET", VARIABLES + "/{key}", open=False)
def show_variable(call: Call) -> Answer:
    """Tell of a variable."""
    return Answer(body=_render_variable(_find_variable(call)))


@endpoint(
    "POST",
    VARIABLES,
    {
        "key": text(required=True),
        "value": text(required=True),
        "masked_and_hidden": flag(),
        **VALUES,
    },
)
def create_variable(call: Call) -> Answer:
    """Make a variable."""
    demand(call.level >= Level.MAINTAINER)
    given = dict(call.params)
    hidden = given.pop("masked_and_hidden", False)
    if not NAME.fullmatch(given["key"]):
        problem = "can contain only letters, digits and '_'."
        raise RefusedError(400, {"key": [problem]})
    scope = given.get("environment_scope", "*")
    taken = {(each.key, each.environment_scope) for each in call.project.variables}
    if (given["key"], scope) in taken:
        raise RefusedError(400, {"key": [f"({given['key']}) has already been taken"]})
    found = Variable(**given, hidden=hidden)
    found.masked = found.masked or hidden
    _check_mask(found)
    with call.world.writing():
        call.project.variables.append(found)
    return Answer(status=201, body=_render_variable(found))


@endpoint("PUT", VARIABLES + "/{key}", {"value": text(), **VALUES})
def edit_variable(call: Call) -> Answer:
    """Change a variable."""
    found = _find_variable(call)
    given = dict(call.params)
    _check_mask(Variable(key=found.key, value=given.get("value", found.value), masked=(
        given.get("masked", found.masked)
    )))  # fmt: skip
    with call.world.writing():
        for name, value in given.items():
            setattr(found, name, value)
    return Answer(body=_render_variable(found))


@endpoint("DELETE", VARIABLES + "/{key}")
def delete_variable(call: Call) -> Answer:
    """Remove a variable."""
    found = _find_variable(call)
    with call.world.writing():
        call.project.variables.remove(found)
    return Answer(status=204)


def _check_mask(variable: Variable) -> None:
    if variable.masked and not MASKABLE.fullmatch(variable.value):
        raise RefusedError(400, {"value": ["is invalid"]})


def _find_variable(call: Call) -> Variable:
    demand(call.level >= Level.MAINTAINER)
    found = [each for each in call.project.variables if each.key == call.path["key"]]
    if len(found) > 1:  # lib/api/ci/variables.rb; its `filter` is not known here
        raise RefusedError(409, "There are multiple variables with provided parameters.")
    return _one(found[0] if found else None)


def _render_variable(variable: Variable) -> dict[str, object]:
    return {
        "variable_type": variable.variable_type,
        "key": variable.key,
        "value": None if variable.hidden else variable.value,
        "protected": variable.protected,
        "masked": variable.masked,
        "hidden": variable.hidden,
        "raw": variable.raw,
        "environment_scope": variable.environment_scope,
        "description": variable.description,
    }


# --- schedules --------------------------------------------------------------------------


@endpoint("GET", SCHEDULES, {"scope": choice("active", "inactive"), **PAGING}, open=False)
def list_schedules(call: Call) -> Answer:
    """List pipeline schedules."""
    demand(call.level >= Level.DEVELOPER)
    scope = call.params.get("scope")
    found = [each for each in call.project.schedules if scope in {None, _scope(each)}]
    return paged(call, found, lambda each: _render_schedule(call, each))


@endpoint("GET", SCHEDULES + "/{pipeline_schedule_id}", open=False)
def show_schedule(call: Call) -> Answer:
    """Tell of a schedule, with the last of its pipelines."""
    demand(call.level >= Level.DEVELOPER)
    found = _find_schedule(call)
    last = found.last_pipeline
    told = (
        {"id": last.id, "sha": last.sha, "ref": last.ref, "status": last.status} if last else None
    )
    return Answer(
        body=_render_schedule(call, found)
        | {"last_pipeline": told, "variables": _variables(call, found)}
    )


@endpoint(
    "POST",
    SCHEDULES,
    {
        "description": text(required=True),
        "ref": text(required=True),
        "cron": text(required=True),
        "cron_timezone": text(),
        "active": flag(),
    },
)
def create_schedule(call: Call) -> Answer:
    """Make a schedule of the caller's; only for a branch on which they may run pipelines."""
    given, today = dict(call.params), call.today
    demand(call.level >= Level.DEVELOPER)
    given["ref"] = f"refs/heads/{given['ref'].removeprefix('refs/heads/')}"
    demand(can_push(call.user, call.project, given["ref"].removeprefix("refs/heads/"), today))
    with call.world.writing() as now:
        found = Schedule(
            id=call.world.next_id("schedule"), owner=call.actor, created_at=now, **given
        )
        call.project.schedules.append(found)
    return Answer(status=201, body=_render_schedule(call, found))


@endpoint(
    "PUT",
    SCHEDULES + "/{pipeline_schedule_id}",
    {"description": text(), "ref": text(), "cron": text(), "active": flag()},
)
def edit_schedule(call: Call) -> Answer:
    """Change a schedule: its owner, or a Maintainer."""
    found = _own_schedule(call)
    with call.world.writing():
        for name, value in call.params.items():
            setattr(found, name, value)
    return Answer(body=_render_schedule(call, found))


def _own_schedule(call: Call, least: Level = Level.MAINTAINER) -> Schedule:
    found = _find_schedule(call)
    demand(found.owner is call.user or call.level >= least)
    return found


@endpoint("DELETE", SCHEDULES + "/{pipeline_schedule_id}")
def delete_schedule(call: Call) -> Answer:
    """Remove a schedule: its owner, or a Maintainer."""
    found = _own_schedule(call)
    with call.world.writing():
        call.project.schedules.remove(found)
    return Answer(status=204)


@endpoint("POST", SCHEDULES + "/{pipeline_schedule_id}/take_ownership")
def take_schedule(call: Call) -> Answer:
    """Make a schedule the caller's."""
    found = _own_schedule(call)
    with call.world.writing():
        found.owner = call.actor
    return Answer(status=201, body=_render_schedule(call, found))


@endpoint("POST", SCHEDULES + "/{pipeline_schedule_id}/play")
def play_schedule(call: Call) -> Answer:
    """Run the pipeline of a schedule now."""
    found, play = _own_schedule(call, Level.DEVELOPER), call.world.play
    variables = {row["key"]: row["value"] for row in _variables(call, found)}
    if play is not None:
        found.last_pipeline = play(call.project, found.owner, variables)
        return Answer(status=201, body={"message": "201 Created"})
    name = found.ref.removeprefix("refs/heads/")
    draft = PipelineDraft(sha=call.commit(name).sha, ref=name, source="schedule")
    with call.world.writing():
        found.last_pipeline = run_pipeline(call.world, found.owner, call.project, draft)
    return Answer(status=201, body={"message": "201 Created"})


def _variables(call: Call, schedule: Schedule) -> list[dict[str, Any]]:
    at = f"{SCHEDULES}/{{pipeline_schedule_id}}/variables"
    return call.world.shelf(at, id=call.project.id, pipeline_schedule_id=schedule.id)


def _scope(schedule: Schedule) -> str:
    return "active" if schedule.active else "inactive"


def _find_schedule(call: Call) -> Schedule:
    number = call.number("pipeline_schedule_id")
    return _one(next((each for each in call.project.schedules if each.id == number), None))


def _render_schedule(call: Call, schedule: Schedule) -> dict[str, object]:
    return {
        "id": schedule.id,
        "description": schedule.description,
        "ref": schedule.ref,
        "cron": schedule.cron,
        "cron_timezone": schedule.cron_timezone,
        "next_run_at": stamp(call.world.now),
        "active": schedule.active,
        "created_at": stamp(schedule.created_at),
        "updated_at": stamp(schedule.created_at),
        "owner": render_user(call.world, schedule.owner),
    }


# --- configuration ----------------------------------------------------------------------


@endpoint(
    "GET",
    "/projects/{id}/ci/lint",
    {"dry_run": flag(), "include_jobs": flag(), "ref": text(), "content_ref": text()},
    open=False,
)
def lint_project(call: Call) -> Answer:
    """Return whether the CI configuration of the default branch is valid, and all of it in one."""
    project = call.code
    commit = project.repository.find_commit(project.default_branch)
    place = project.settings.ci_config_path or CI_FILE
    content = project.repository.content(commit, place) if commit else None
    if commit is None or (content is None and not project.triggers):
        return _lint_answer("", [NOTHING])
    written = ci_definition() if content is None else content.decode()
    return _lint(written, find_included(project, commit))


@endpoint("POST", "/projects/{id}/ci/lint",
          {"content": text(required=True), "dry_run": flag(), "include_jobs": flag(),
           "ref": text()})  # fmt: skip
def lint_content(call: Call) -> Answer:
    """Return whether a CI configuration is valid: that it is YAML with a job is all that counts."""
    demand(call.level >= Level.DEVELOPER)
    project = call.code
    commit = project.repository.find_commit(project.default_branch)
    return _lint(call.params["content"], find_included(project, commit))


def _lint(written: str, read: Callable[[str], str | None]) -> Answer:
    try:
        merged = dict(merge_included(written, read))
    except RefusedError as refused:
        told: Any = refused.body["message"]
        return _lint_answer("", told["base"])
    named = read_yaml(written).get("include") or []
    merged.pop("include", None)
    return _lint_answer(f"---\n{yaml.safe_dump(merged)}", [], named)


def _lint_answer(merged: str, errors: list[str], named: Any = ()) -> Answer:
    places = named if isinstance(named, list | tuple) else [named]
    included = [
        {"type": kind, "location": location}
        for each in places
        for kind, location in ({"local": each} if isinstance(each, str) else each).items()
        if kind in {"local", "component"}
    ]
    body = {
        "valid": not errors, "merged_yaml": merged, "errors": errors, "warnings": [],
        "includes": included,
    }  # fmt: skip
    return Answer(body=body)
