"""Points about the project whose pipelines run the bot."""

import re
from collections.abc import Mapping
from functools import partial

from bot.errors import RefusedError
from bot.gitlab import Json, escape_path
from bot.setup.ground import MADE, MAINTAINER, Ground
from bot.setup.values import Change, Found, Point, ok, unknown, wrong
from bot.setup.versions import PAYLOAD_EXEMPT, VARIABLES_ROLE

TOKEN = "NOMINATION_BOT_TOKEN"  # noqa: S105  the name of a variable
PREFIX = "NOMINATION_BOT_"
# Jobs know GitLab's address and their project from GitLab.
NOT_FOR_JOBS = ("NOMINATION_BOT_GITLAB_URL", "NOMINATION_BOT_PROJECT", "NOMINATION_BOT_ADMIN_TOKEN")
ROLE_SETTING = "ci_pipeline_variables_minimum_override_role"
CRON = "17 * * * *"  # every hour; not at its beginning, when all the others run


def _look_at_host(ground: Ground) -> Found:
    operator = ground.as_operator("/user")
    if ground.wanted.host_project is None:
        step = "set NOMINATION_BOT_PROJECT to the project whose pipelines run the bot"
        return unknown("which one it is was not said", step)
    try:
        path = ground.as_operator(ground.host)["path_with_namespace"]
        member = ground.as_operator(f"{ground.host}/members/all/{operator['id']}")
    except RefusedError as error:
        return wrong(str(error), "mend NOMINATION_BOT_PROJECT, or run this as its Maintainer")
    if int(member["access_level"]) < MAINTAINER:
        return wrong(f"level {member['access_level']}", "run this as its Maintainer")
    return ok(str(path))


def _look_at_branch(ground: Ground) -> Found:
    name = ground.host_branch
    branch = ground.as_operator(f"{ground.host}/repository/branches/{escape_path(name)}")
    if not branch.get("protected"):
        what = f"protect the branch {name}, for Maintainers only"
        return wrong(f"{name} is not protected", what, Change(what=what, make=_protect))
    if branch.get("developers_can_push") or branch.get("developers_can_merge"):
        return wrong(f"Developers may change {name}", "let only Maintainers push and merge there")
    return ok(f"{name} is protected")


def _protect(ground: Ground) -> None:
    fields: Mapping[str, object] = {
        "name": ground.host_branch,
        "push_access_level": MAINTAINER,
        "merge_access_level": MAINTAINER,
    }
    ground.operator.create(f"{ground.host}/protected_branches", fields)


def _variables(ground: Ground) -> dict[str, Json]:
    rows = ground.rows_as_operator(f"{ground.host}/variables")
    return {str(row["key"]): row for row in rows if str(row["key"]).startswith(PREFIX)}


def _look_at_token(ground: Ground) -> Found:
    found = _variables(ground).get(TOKEN)
    if found is None:
        what = f"set {TOKEN}, masked and protected"
        return wrong("it is not set", what, Change(what=what, make=partial(_store, new=True)))
    if found.get("value") not in {None, ground.wanted.token.reveal()}:
        what = f"replace {TOKEN} by the one given now"
        return wrong("it is another token", what, Change(what=what, make=_store))
    flaws = [f"not {flag}" for flag in ("masked", "protected") if not found.get(flag)]
    if flaws:
        what = f"make {TOKEN} masked and protected"
        return wrong(" and ".join(flaws), what, Change(what=what, make=_store))
    return ok("masked and protected")


def _store(ground: Ground, *, new: bool = False) -> None:
    fields: dict[str, object] = {
        "value": ground.wanted.token.reveal(),
        "masked": True,
        "protected": True,
    }
    if new:
        fields = {"key": TOKEN, **fields, "raw": True}
        ground.operator.create(f"{ground.host}/variables", fields)
    else:
        ground.operator.change("put", f"{ground.host}/variables/{TOKEN}", fields)


def _look_at_settings(ground: Ground) -> Found:
    """Compare the variables of the jobs with the settings given now, all but the token."""
    apart = (TOKEN, *NOT_FOR_JOBS)
    there = {name: row for name, row in _variables(ground).items() if name not in apart}
    unheard = sorted(set(there) - ground.wanted.heard)
    if unheard:
        return wrong(f"{unheard[0]} is no setting of the bot", "rename or remove it")
    wanted = dict(ground.wanted.variables)
    differing = sorted(
        name
        for name in wanted.keys() | there.keys()
        if there.get(name, {}).get("value") != wanted.get(name)
    )
    spoken = [name for name in differing if name in wanted]
    open_ones = sorted(name for name, row in there.items() if not row.get("protected"))
    if spoken or open_ones:
        names = ", ".join(dict.fromkeys((*spoken, *open_ones)))
        what = f"set as given now, and protected: {names}"
        change = Change(what=what, make=partial(_set, names=(*spoken, *open_ones)))
        return wrong(f"differs or is not protected: {names}", what, change)
    if differing:
        return wrong(
            f"the jobs have {', '.join(differing)}, which is not given now",
            "give it here as well, or remove it there",
        )
    return ok(f"{len(there)} variables, protected")


def _set(ground: Ground, names: tuple[str, ...]) -> None:
    there = _variables(ground)
    for name in dict.fromkeys(names):
        given = ground.wanted.variables.get(name)
        value = there[name]["value"] if given is None else given
        fields: dict[str, object] = {"value": value, "protected": True}
        if name in there:
            ground.operator.change("put", f"{ground.host}/variables/{name}", fields)
        else:
            ground.operator.create(f"{ground.host}/variables", {"key": name, **fields})


def _look_at_passing(ground: Ground) -> Found:
    if ground.version < VARIABLES_ROLE.version:
        return unknown("this GitLab has no such setting", VARIABLES_ROLE.without, excused=True)
    allowed = "no_one_allowed" if ground.version >= PAYLOAD_EXEMPT.version else "maintainer"
    found = str(ground.as_operator(ground.host).get(ROLE_SETTING))
    if found == allowed:
        return ok(found)
    what = f"restrict who may pass pipeline variables: {allowed}"
    change = Change(what=what, make=partial(_restrict, role=allowed))
    if found == "no_one_allowed":
        words = f"{found}, by which this version of GitLab refuses every webhook"
        return wrong(words, what, change)
    return wrong(found, what, change)


def _restrict(ground: Ground, role: str) -> None:
    ground.operator.change("put", ground.host, {ROLE_SETTING: role})


def _look_at_jobs(ground: Ground) -> Found:
    lint = ground.as_operator(f"{ground.host}/ci/lint")
    if not lint.get("valid"):
        first = next(iter(lint.get("errors") or ()), "it is not valid")
        return wrong(str(first)[:120], "mend .gitlab-ci.yml; templates/nomination-bot.yml is ready")
    merged = str(lint.get("merged_yaml") or "")
    missing = [word for word in ("run", "sweep") if f"nomination-bot {word}" not in merged]
    if missing:
        return wrong(
            f"no job calls `nomination-bot {missing[0]}`", "include templates/nomination-bot.yml"
        )
    # GitLab writes the merged configuration with or without colons before its keys.
    if not re.search(r"on_new_commit:?\s*:?\s*['\"]?none", merged):
        return wrong(
            "a push cancels running pipelines",
            "set `workflow: {auto_cancel: {on_new_commit: none}}`",
        )
    return ok("run and sweep")


def _look_at_schedule(ground: Ground) -> Found:
    wanted = f"refs/heads/{ground.host_branch}"
    rows = ground.rows_as_operator(f"{ground.host}/pipeline_schedules")
    here = [row for row in rows if _full(row["ref"]) == wanted]
    active = [row for row in here if row.get("active")]
    if not active:
        what = f"schedule `sweep` on {ground.host_branch} every hour"
        found = "none is active" if here else "there is none"
        return wrong(found, what, Change(what=what, make=_schedule))
    owner = active[0].get("owner") or {}
    if owner.get("state") != "active":
        return wrong("its owner's account is not active", "take its ownership on the page")
    return ok(f"{active[0]['cron']}, owned by @{owner.get('username')}")


def _full(ref: object) -> str:
    """Return a branch as GitLab names it now; older versions tell its short name."""
    return f"refs/heads/{str(ref).removeprefix('refs/heads/')}"


def _schedule(ground: Ground) -> None:
    path = f"{ground.host}/pipeline_schedules"
    wanted = f"refs/heads/{ground.host_branch}"
    for row in ground.rows_as_operator(path):
        if _full(row["ref"]) == wanted:
            ground.operator.change("put", f"{path}/{row['id']}", {"active": True})
            return
    fields = {"description": f"{MADE}: sweep", "ref": wanted, "cron": CRON, "active": True}
    ground.operator.create(path, fields)


def _look_at_trigger(ground: Ground) -> Found:
    rows = ground.rows_as_operator(f"{ground.host}/triggers")
    if not rows:
        what = "make a trigger token"
        return wrong("there is none", what, Change(what=what, make=make_trigger))
    trigger = next((row for row in rows if row.get("description") == MADE), rows[-1])
    owner = trigger.get("owner") or {}
    if owner.get("state") != "active":
        return wrong("its owner's account is not active", "run `init --rotate trigger --apply`")
    path = f"{ground.host}/members/all/{owner['id']}"
    level = int(ground.as_operator(path)["access_level"])
    if level < MAINTAINER:
        return wrong(
            f"its owner @{owner['username']} has level {level}",
            "run `init --rotate trigger --apply` as somebody who maintains the project",
        )
    ends = trigger.get("expires_at")
    if ends and str(ends)[:10] <= ground.now.date().isoformat():
        return wrong(f"it expired on {str(ends)[:10]}", "run `init --rotate trigger --apply`")
    return ok(f"owned by @{owner['username']}")


def make_trigger(ground: Ground) -> str:
    """Make a trigger token of the operator's and return it."""
    made = ground.operator.create(f"{ground.host}/triggers", {"description": MADE})
    return str(made["token"])


def own_trigger(ground: Ground) -> str:
    """Return a trigger token of the operator's that `init` made; make one if there is none."""
    me = ground.as_operator("/user")["id"]
    for row in ground.rows_as_operator(f"{ground.host}/triggers"):
        if row.get("description") == MADE and (row.get("owner") or {}).get("id") == me:
            return str(row["token"])
    return make_trigger(ground)


def _settings_page(anchor: str) -> "partial[str]":
    return partial(_ci_cd_page, anchor=anchor)


def _ci_cd_page(ground: Ground, anchor: str) -> str:
    return ground.host_page(f"settings/ci_cd#{anchor}")


HOST_FIRST = ("host-project",)
POINTS = (
    Point(
        id="host-project",
        expected="you maintain the project whose pipelines run the bot",
        costs="`doctor` and `init` see nothing of it",
        look=_look_at_host,
        link=lambda ground: ground.host_page(),
    ),
    Point(
        id="branch",
        expected="the branch that the bot runs on is protected for Maintainers",
        costs="the token: whoever can push there can read it",
        look=_look_at_branch,
        link=lambda ground: ground.host_page("settings/repository#js-protected-branches-settings"),
        needs=HOST_FIRST,
    ),
    Point(
        id="variable-token",
        expected=f"{TOKEN} is set for the jobs, masked and protected",
        costs="every run",
        look=_look_at_token,
        link=_settings_page("js-cicd-variables-settings"),
        needs=HOST_FIRST,
    ),
    Point(
        id="variables",
        expected="the jobs have the settings given now, protected",
        costs="what the settings say",
        look=_look_at_settings,
        link=_settings_page("js-cicd-variables-settings"),
        needs=(*HOST_FIRST, "team-project"),
    ),
    Point(
        id="pipeline-variables",
        expected="nobody may pass pipeline variables",
        costs="whoever holds the trigger token could override the settings, or no event arrives",
        look=_look_at_passing,
        link=_settings_page("js-general-pipeline-settings"),
        needs=HOST_FIRST,
    ),
    Point(
        id="jobs",
        expected="its CI/CD configuration has the jobs `run` and `sweep`",
        costs="every run",
        look=_look_at_jobs,
        link=lambda ground: ground.host_page("ci/editor"),
        needs=HOST_FIRST,
    ),
    Point(
        id="trigger",
        expected="a trigger token of somebody who maintains the project",
        costs="every event",
        look=_look_at_trigger,
        link=_settings_page("js-pipeline-triggers"),
        needs=HOST_FIRST,
    ),
    Point(
        id="schedule",
        expected="an active schedule for `sweep`",
        costs="lost events are never made up for",
        look=_look_at_schedule,
        link=lambda ground: ground.host_page("pipeline_schedules"),
        needs=HOST_FIRST,
    ),
)
