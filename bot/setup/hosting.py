"""Points about the project whose pipelines run the bot."""

import re
from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

from bot.errors import RefusedError
from bot.gitlab import Json, escape_path
from bot.setup.ground import MADE, MAINTAINER, Ground, level_in
from bot.setup.values import Found, Point, ok, unknown, wrong
from bot.setup.versions import PAYLOAD_EXEMPT, VARIABLES_ROLE

TOKEN = "NOMINATION_BOT_TOKEN"  # noqa: S105  the name of a variable
PREFIX = "NOMINATION_BOT_"
# Jobs know GitLab's address and their project from GitLab.
NOT_FOR_JOBS = (URL, PROJECT, ADMIN) = (
    "NOMINATION_BOT_GITLAB_URL", "NOMINATION_BOT_PROJECT", "NOMINATION_BOT_ADMIN_TOKEN",
)  # fmt: skip
ALL_JOBS: Mapping[str, object] = {"environment_scope": "*", "variable_type": "env_var"}
ROLE_SETTING = "ci_pipeline_variables_minimum_override_role"
CRON = "17 * * * *"  # every hour; not at its beginning, when all the others run


def _look_at_host(ground: Ground) -> Found:
    operator = ground.as_operator("/user")
    if ground.wanted.host_project is None:
        step = "set NOMINATION_BOT_PROJECT to the project whose pipelines run the bot"
        return unknown("which one it is was not said", step)
    try:
        found = ground.as_operator(ground.host)
        level = level_in(ground.as_operator, ground.host, int(operator["id"]))
    except RefusedError as error:
        return wrong(str(error), "mend NOMINATION_BOT_PROJECT, or run this as its Maintainer")
    path, wanted = str(found["path_with_namespace"]), ground.wanted.host_project
    if level < MAINTAINER:
        return wrong(f"you have level {level}", "run this as its Maintainer")
    if found.get("archived"):
        return wrong("it is archived, so nothing runs in it", "unarchive it, or name another one")
    if not wanted.isdecimal() and path.casefold() != wanted.casefold():
        return wrong(f"it moved to {path}", f"set NOMINATION_BOT_PROJECT to {path}")
    return ok(path)


def _look_at_branch(ground: Ground) -> Found:
    name = ground.host_branch
    branch = ground.as_operator(f"{ground.host}/repository/branches/{escape_path(name)}")
    if not branch.get("protected"):
        step = f"protect the branch {name}, for Maintainers only"
        return wrong(f"{name} is not protected", step, _protect)
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


def _rows(ground: Ground) -> list[Json]:
    rows = ground.rows_as_operator(f"{ground.host}/variables")
    return [row for row in rows if str(row["key"]).startswith(PREFIX)]


def _variables(ground: Ground) -> dict[str, Json]:
    return {str(row["key"]): row for row in _rows(ground)}


def _look_at_token(ground: Ground) -> Found:
    rows = [row for row in _rows(ground) if row["key"] == TOKEN]
    if len(rows) > 1:
        return wrong(f"it is set {len(rows)} times", "keep the one for all environments, `*`")
    if not rows:
        return wrong("it is not set", f"set {TOKEN}, masked and protected", _make)
    found = rows[0]
    if found.get("value") not in {None, ground.wanted.token.reveal()}:
        return wrong("it is another token", f"replace {TOKEN} by the one given now", _store)
    flaws = [f"not {flag}" for flag in ("masked", "protected") if not found.get(flag)]
    flaws += _kind_flaws(found)
    if flaws:
        step = f"make {TOKEN} masked and protected, a variable for all environments"
        return wrong(" and ".join(flaws), step, _store)
    return ok("masked and protected")


def _kind_flaws(row: Json) -> list[str]:
    """Say what keeps a variable from the jobs, or from being what they read."""
    flaws = []
    scope = str(row.get("environment_scope") or "*")
    if scope != "*":  # the jobs of the bot have no environment
        flaws.append(f"for the environment {scope!r} alone")
    if row.get("variable_type") == "file":
        flaws.append("a file, whose place the jobs would take for its text")
    return flaws


def _store(ground: Ground) -> None:
    store_token(ground, ground.wanted.token.reveal())


def store_token(ground: Ground, token: str) -> None:
    """Give the variable of the token that is there already another value."""
    ground.operator.change("put", f"{ground.host}/variables/{TOKEN}", _token_fields(token))


def _make(ground: Ground) -> None:
    fields = {"key": TOKEN, **_token_fields(ground.wanted.token.reveal()), "raw": True}
    ground.operator.create(f"{ground.host}/variables", fields)


def _token_fields(token: str) -> dict[str, object]:
    return {"value": token, "masked": True, "protected": True, **ALL_JOBS}


def _look_at_settings(ground: Ground) -> Found:
    """Compare the variables of the jobs with the settings given now, all but the token."""
    misplaced = _misplaced(ground)
    if misplaced:
        return misplaced
    apart = (TOKEN, *NOT_FOR_JOBS)
    there = {name: row for name, row in _variables(ground).items() if name not in apart}
    unheard = sorted(set(there) - ground.wanted.heard)
    if unheard:
        return wrong(f"{unheard[0]} is no setting of the bot", "rename or remove it")
    wanted = dict(ground.wanted.variables)
    differing = sorted(
        name
        for name in wanted.keys() | there.keys()
        # The value of a hidden one is told to nobody.
        if name not in there or there[name].get("value") not in {None, wanted.get(name)}
    )
    spoken = [name for name in differing if name in wanted]
    open_ones = sorted(
        name for name, row in there.items() if _kind_flaws(row) or not row.get("protected")
    )
    if spoken or open_ones:
        names = ", ".join(dict.fromkeys((*spoken, *open_ones)))
        step = f"set as given now, protected, for all environments: {names}"
        change = partial(_set, names=(*spoken, *open_ones))
        return wrong(f"differs, or not protected, or not for all jobs: {names}", step, change)
    if differing:
        return wrong(
            f"the jobs have {', '.join(differing)}, which is not given now",
            "give it here as well, or remove it there",
        )
    return ok(f"{len(there)} variables, protected")


def _misplaced(ground: Ground) -> Found | None:
    """Return what is wrong with variables that say where GitLab is, or are none of the jobs'."""
    there = _variables(ground)
    if ADMIN in there:
        step = "remove it: it is a token of yours, and `doctor` and `init` alone need it"
        return wrong(f"the jobs have {ADMIN}", step)
    host = ground.as_operator(ground.host)
    present = {
        URL: (ground.wanted.url,),
        PROJECT: (str(host["id"]), str(host["path_with_namespace"])),
    }
    for name, values in present.items():
        value = there.get(name, {}).get("value")
        if value is not None and str(value).rstrip("/") not in values:
            return wrong(f"{name} of the jobs is not {values[-1]}", "remove it: they know that")
    return None


def _set(ground: Ground, names: tuple[str, ...]) -> None:
    there = _variables(ground)
    for name in dict.fromkeys(names):
        given = ground.wanted.variables.get(name)
        value = there[name]["value"] if given is None else given
        # What is hidden keeps its value.
        fields: dict[str, object] = {"protected": True, **ALL_JOBS}
        fields |= {} if value is None else {"value": value}
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
    step = f"restrict who may pass pipeline variables: {allowed}"
    change = partial(_restrict, role=allowed)
    if found == "no_one_allowed":
        words = f"{found}, by which this version of GitLab refuses every webhook"
        return wrong(words, step, change)
    return wrong(found, step, change)


def _restrict(ground: Ground, role: str) -> None:
    ground.operator.change("put", ground.host, {ROLE_SETTING: role})


def _look_at_jobs(ground: Ground) -> Found:
    if ground.as_operator(ground.host).get("builds_access_level") == "disabled":
        return wrong("the project has CI/CD switched off", "switch CI/CD on")
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
    branch = ground.host_branch
    wanted = f"refs/heads/{branch}"
    rows = ground.rows_as_operator(f"{ground.host}/pipeline_schedules")
    here = [row for row in rows if _full(row["ref"]) == wanted]
    # One of a few days only, as for a board, is none for the sweep: minute, hour, then the days.
    active = [row for row in here if row.get("active") and not _is_rare(row)]
    if not active:
        found = "none is active and runs daily" if here else f"there is none on {branch}"
        return wrong(found, f"schedule `sweep` on {branch} every hour", _schedule)
    flaws = [_flaw_of_owner(ground, row) for row in active]
    if all(flaws):
        return wrong(str(flaws[0]), "take its ownership on the page")
    good = active[flaws.index(None)]
    return ok(f"{good['cron']}, owned by @{good['owner'].get('username')}")


def _is_rare(schedule: Json) -> bool:
    """Return whether a schedule leaves out whole days: of the month or the week, or months."""
    fields = str(schedule.get("cron")).split()
    return any(not field.startswith("*") for field in fields[2:5])


def _flaw_of_owner(ground: Ground, row: Json) -> str | None:
    """Say why pipelines that run as the owner of a trigger token or schedule would not run."""
    owner = row.get("owner") or {}
    if owner.get("state") != "active":
        return "its owner's account is not active"
    level = level_in(ground.as_operator, ground.host, int(owner["id"]))
    return f"its owner @{owner['username']} has level {level}" if level < MAINTAINER else None


def _full(ref: object) -> str:
    """Return a branch as GitLab names it now; older versions tell its short name."""
    return f"refs/heads/{str(ref).removeprefix('refs/heads/')}"


def _schedule(ground: Ground) -> None:
    path = f"{ground.host}/pipeline_schedules"
    wanted = f"refs/heads/{ground.host_branch}"
    for row in ground.rows_as_operator(path):
        is_own = str(row.get("description")).startswith(MADE)
        if is_own and _full(row["ref"]) == wanted and not _is_rare(row):
            ground.operator.change("put", f"{path}/{row['id']}", {"active": True})
            return
    fields = {"description": f"{MADE}: sweep", "ref": wanted, "cron": CRON, "active": True}
    ground.operator.create(path, fields)


def _look_at_trigger(ground: Ground) -> Found:
    rows = ground.rows_as_operator(f"{ground.host}/triggers")
    if not rows:
        return wrong("there is none", "make a trigger token", make_trigger)
    # The newest that `init` made; those of earlier operators may still be there.
    trigger = max(rows, key=lambda row: (row.get("description") == MADE, int(row["id"])))
    flaw = _flaw_of_owner(ground, trigger)
    day = ground.ends_soon(trigger.get("expires_at"))
    if flaw or day:
        step = "run `nomination-bot init --rotate trigger --apply` as somebody who maintains it"
        verb = "expired" if day <= ground.now.date().isoformat() else "expires"
        return wrong(flaw or f"it {verb} on {day}", step)
    return ok(f"owned by @{trigger['owner']['username']}")


def make_trigger(ground: Ground) -> str:
    """Make a trigger token of the operator's and return it."""
    made = ground.operator.create(f"{ground.host}/triggers", {"description": MADE})
    return str(made["token"])


def trigger_address(ground: Ground, token: str) -> str:
    """Return the address that starts the bot's jobs."""
    project = ground.as_operator(ground.host)["id"]
    ref = quote(ground.host_branch, safe="")
    place = f"{ground.wanted.url}/api/v4/projects/{project}/ref/{ref}/trigger/pipeline"
    return f"{place}?token={token}"


def own_trigger(ground: Ground) -> str:
    """Return a trigger token of the operator's that `init` made; make one if there is none."""
    me = ground.as_operator("/user")["id"]
    for row in ground.rows_as_operator(f"{ground.host}/triggers"):
        if row.get("description") == MADE and (row.get("owner") or {}).get("id") == me:
            return str(row["token"])
    return make_trigger(ground)


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
        link=lambda ground: ground.host_page("settings/ci_cd#js-cicd-variables-settings"),
        needs=(*HOST_FIRST, "token"),  # what has ended must not take the place of what works
    ),
    Point(
        id="variables",
        expected="the jobs have the settings given now, protected",
        costs="what the settings say",
        look=_look_at_settings,
        link=lambda ground: ground.host_page("settings/ci_cd#js-cicd-variables-settings"),
        needs=(*HOST_FIRST, "team-project"),
    ),
    Point(
        id="pipeline-variables",
        expected="nobody may pass pipeline variables",
        costs="whoever holds the trigger token could override the settings, or no event arrives",
        look=_look_at_passing,
        link=lambda ground: ground.host_page("settings/ci_cd#js-general-pipeline-settings"),
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
        link=lambda ground: ground.host_page("settings/ci_cd#js-pipeline-triggers"),
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
