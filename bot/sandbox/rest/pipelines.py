"""REST: trigger tokens, CI/CD variables, pipeline schedules."""

# One module: three rows of the frame of kinds, each with what it makes and tells.

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.sandbox.acts.pipelines import run_pipeline
from bot.sandbox.rest.core import Call, endpoint
from bot.sandbox.rest.kinds import Kind, change, find, find_own, offer
from bot.sandbox.rest.params import takes
from bot.sandbox.rest.people_entities import expose, render_user, stamp
from bot.sandbox.world.access import can_push, demand
from bot.sandbox.world.entities import Level, Schedule, Start, TriggerToken, Variable
from bot.sandbox.world.state import RefusedError

TRIGGERS = "/projects/{id}/triggers"
VARIABLES = "/projects/{id}/variables"
SCHEDULES = "/projects/{id}/pipeline_schedules"
SHOWN = 4  # characters of somebody else's trigger token; doc/ci/triggers
# doc/ci/variables: what can be masked is one line of at least 8 of these characters.
MASKABLE = re.compile(r"[a-zA-Z0-9_+=/@:.~-]{8,}")
NAME = re.compile(r"\w{1,255}", re.ASCII)


# --- trigger tokens ---------------------------------------------------------------------


def _make_trigger(call: Call) -> TriggerToken:
    return TriggerToken(
        id=call.world.next_id("trigger"),
        value=f"glptt-{secrets.token_hex(20)}",
        owner=call.actor,
        description=call.params["description"],
        created_at=call.world.now,
    )


def _render_trigger(call: Call, trigger: TriggerToken) -> dict[str, object]:
    own = trigger.owner is call.user
    return {
        **expose(trigger, "id description created_at last_used expires_at"),
        "token": trigger.value if own else trigger.value[:SHOWN],
        "updated_at": stamp(trigger.created_at),
        "owner": render_user(call.world, trigger.owner),
    }


offer(
    Kind(
        at=TRIGGERS,
        key="trigger_id",
        fields=takes(text="description", required="description"),
        keep=lambda call: call.project.triggers,
        make=_make_trigger,
        tell=_render_trigger,
        reads=Level.MAINTAINER,
        writes=Level.MAINTAINER,
    )
)


# --- variables --------------------------------------------------------------------------


def _make_variable(call: Call) -> Variable:
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
    return found


def _change_variable(call: Call, found: Variable, given: Mapping[str, Any]) -> None:
    _check_mask(replace(found, **given))
    change(call, found, given)


def _check_mask(variable: Variable) -> None:
    if variable.masked and not MASKABLE.fullmatch(variable.value):
        raise RefusedError(400, {"value": ["is invalid"]})


def _render_variable(_call: Call, variable: Variable) -> dict[str, object]:
    names = "variable_type key value protected masked hidden raw environment_scope description"
    told = expose(variable, names)
    return told | {"value": None} if variable.hidden else told


def _keep_variables(call: Call) -> list[Variable]:
    found, key = call.project.variables, call.path.get("key")
    if sum(each.key == key for each in found) > 1:  # lib/api/ci/variables.rb; no `filter` here
        raise RefusedError(409, "There are multiple variables with provided parameters.")
    return found


offer(
    Kind(
        at=VARIABLES,
        key="key",
        fields=takes(
            text="key value description environment_scope",
            flag="protected masked raw masked_and_hidden",
            required="key value",
            choices={"variable_type": "env_var file"},
        ),
        keep=_keep_variables,
        make=_make_variable,
        change=_change_variable,
        tell=_render_variable,
        name="key",
        fixed=("key", "masked_and_hidden"),
        reads=Level.MAINTAINER,
        writes=Level.MAINTAINER,
    )
)


# --- schedules --------------------------------------------------------------------------


def _make_schedule(call: Call) -> Schedule:
    """Make a schedule of the caller's; only for a branch on which they may run pipelines."""
    given, name = dict(call.params), call.params["ref"].removeprefix("refs/heads/")
    demand(can_push(call.user, call.project, name, call.today))
    given["ref"] = f"refs/heads/{name}"
    number, now = call.world.next_id("schedule"), call.world.now
    return Schedule(id=number, owner=call.actor, created_at=now, **given)


def _may_change_schedule(_kind: Kind, call: Call, schedule: Schedule) -> bool:
    """Return whether the caller may change a schedule: its owner, or a Maintainer."""
    return schedule.owner is call.user or call.level >= Level.MAINTAINER


def _variables(call: Call, schedule: Schedule) -> list[dict[str, Any]]:
    at = f"{SCHEDULES}/{{pipeline_schedule_id}}/variables"
    return call.world.shelf(at, id=call.project.id, pipeline_schedule_id=schedule.id)


def _render_schedule(call: Call, schedule: Schedule) -> dict[str, object]:
    return {
        **expose(schedule, "id description ref cron cron_timezone active created_at"),
        "next_run_at": stamp(call.world.now),
        "updated_at": stamp(schedule.created_at),
        "owner": render_user(call.world, schedule.owner),
    }


def _show_schedule(call: Call, schedule: Schedule) -> dict[str, object]:
    """Tell of one schedule, with the last of its pipelines."""
    last = schedule.last_pipeline
    return _render_schedule(call, schedule) | {
        "last_pipeline": expose(last, "id sha ref status") if last else None,
        "variables": _variables(call, schedule),
    }


SCHEDULE = offer(
    Kind(
        at=SCHEDULES,
        key="pipeline_schedule_id",
        fields=takes(
            text="description ref cron cron_timezone",
            flag="active",
            required="description ref cron",
        ),
        keep=lambda call: call.project.schedules,
        make=_make_schedule,
        may_change=_may_change_schedule,
        tell=_render_schedule,
        show=_show_schedule,
        listing=takes(choices={"scope": "active inactive"}),
        reads=Level.DEVELOPER,
    )
)


@endpoint("POST", SCHEDULES + "/{pipeline_schedule_id}/take_ownership")
def take_schedule(call: Call) -> object:
    """Make a schedule the caller's."""
    found = find_own(SCHEDULE, call)
    with call.world.writing():
        found.owner = call.actor
    return _render_schedule(call, found)


@endpoint("POST", SCHEDULES + "/{pipeline_schedule_id}/play")
def play_schedule(call: Call) -> object:
    """Run the pipeline of a schedule now."""
    demand(call.level >= Level.DEVELOPER)
    world, found = call.world, find(SCHEDULE, call)
    name = found.ref.removeprefix("refs/heads/")
    start = Start(project=call.project, user=found.owner, ref=name, source="schedule")
    start.sha = call.commit(name).sha
    start.variables = {row["key"]: row["value"] for row in _variables(call, found)}
    with world.writing():
        found.last_pipeline = world.trigger(start) if world.trigger else run_pipeline(world, start)
    return {"message": "201 Created"}
