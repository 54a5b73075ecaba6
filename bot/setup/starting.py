"""Points about the jobs, and about what starts them: the trigger token and the schedule."""

import re
from urllib.parse import quote

from bot.gitlab import Json
from bot.setup.ground import MADE, MAINTAINER, Ground, level_in
from bot.setup.hosting import HOST_FIRST
from bot.setup.values import Found, Point, ok, wrong

CRON = "17 * * * *"  # every hour; not at its beginning, when all the others run


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
    place = f"{ground.settings.gitlab_url}/api/v4/projects/{project}/ref/{ref}/trigger/pipeline"
    return f"{place}?token={token}"


def own_trigger(ground: Ground) -> str:
    """Return a trigger token of the operator's that `init` made; make one if there is none."""
    # Of others' tokens GitLab shows the beginning alone (app/presenters/ci/trigger_presenter.rb).
    me = ground.as_operator("/user")["id"]
    for row in ground.rows_as_operator(f"{ground.host}/triggers"):
        if row.get("description") == MADE and (row.get("owner") or {}).get("id") == me:
            return str(row["token"])
    return make_trigger(ground)


POINTS = (
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
