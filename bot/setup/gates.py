"""Points about the gate: what makes it count, what guards it, and whether it blocks."""

from fnmatch import fnmatchcase
from functools import partial

from bot.errors import RefusedError
from bot.evidence import StatusChecksOf, StatusesOf
from bot.gitlab import Json, read_pages, read_status_checks, read_statuses
from bot.merge_request import WATCH
from bot.publish import COMMIT_STATES
from bot.report import GateState
from bot.setup.ground import Ground
from bot.setup.guard import GUARD, find_guards, flaw_of_guard
from bot.setup.hooks import find_flaw
from bot.setup.starting import own_trigger, trigger_address
from bot.setup.values import Found, Point, ok, unknown, wrong

MUST = {
    "commit-status": ("only_allow_merge_if_pipeline_succeeds", "Pipelines must succeed"),
    "external-status-check": (
        "only_allow_merge_if_all_status_checks_passed",
        "Status checks must succeed",
    ),
}
# What GitLab says of a merge request that nothing but the gate holds back
# (doc/api/merge_requests.md, detailed_merge_status).
BLOCKED = {"commit-status": "ci_must_pass", "external-status-check": "status_checks_must_pass"}
FREE = frozenset({"mergeable", "can_be_merged"})  # the latter where only `merge_status` is told
MOST = 10  # merge requests that are looked at for a failed gate


def _look_at_setting(ground: Ground) -> Found:
    if ground.settings.gate == "none":
        return ok("the gate is a job of the team database")
    name, words = MUST[ground.settings.gate]
    team = ground.as_bot(ground.team)
    if name not in team:
        return wrong(f"this tier has no {words!r}", "choose another NOMINATION_BOT_GATE")
    if not team[name]:
        return wrong("it is off", f"switch {words!r} on", partial(_require, name=name))
    if team.get("allow_merge_on_skipped_pipeline"):
        step = "let skipped pipelines not count as success"
        change = partial(_require, name="allow_merge_on_skipped_pipeline", value=False)
        return wrong("skipped pipelines count as successful", step, change)
    return ok(f"{words} is on")


def _require(ground: Ground, name: str, *, value: bool = True) -> None:
    ground.operator.change("put", ground.team, {name: value})


def _look_at_check(ground: Ground) -> Found:
    if ground.settings.gate != "external-status-check":
        return ok("not used")
    name = ground.settings.status_name
    try:
        rows = read_pages(ground.bot, f"{ground.team}/external_status_checks")
    except RefusedError:
        return wrong("this tier has no status checks", "choose another NOMINATION_BOT_GATE")
    found = next((row for row in rows if row["name"] == name), None)
    if found:
        return _judge_check(ground, found)
    step = f"make the status check {name}"
    return wrong(f"there is none of the name {name}", step, _make_check)


def _judge_check(ground: Ground, row: Json) -> Found:
    branch = str(ground.as_bot(ground.team)["default_branch"])
    limits = [str(each["name"]) for each in row.get("protected_branches") or ()]
    if limits and not any(fnmatchcase(branch, limit) for limit in limits):
        return wrong(f"it is limited to {', '.join(limits)}", f"limit it to {branch}")
    flaw = find_flaw(ground, str(row.get("external_url")))
    if flaw:
        return wrong(flaw, "give it the address of the webhook, with the trigger token")
    return ok(str(row["name"]))


def _make_check(ground: Ground) -> None:
    fields = {
        "name": ground.settings.status_name,
        # It cannot be masked; GitLab shows it to Maintainers only.
        "external_url": trigger_address(ground, own_trigger(ground)),
    }
    ground.operator.create(f"{ground.team}/external_status_checks", fields)


def _look_at_guard(ground: Ground) -> Found:
    if ground.settings.gate != "commit-status":
        return ok("not needed: this gate blocks while nothing is answered")
    step = "include templates/nomination-gate.yml there"
    lint = ground.as_operator(f"{ground.team}/ci/lint")
    if not lint.get("valid"):
        first = next(iter(lint.get("errors") or ()), "not valid")
        return wrong(str(first)[:120], step)
    if ground.as_bot(ground.team).get("builds_access_level") == "disabled":
        return wrong("the team database has CI/CD switched off", "switch CI/CD on")
    included = any(GUARD.search(str(each.get("location"))) for each in lint.get("includes") or ())
    guards = find_guards(str(lint.get("merged_yaml") or ""))
    flaws = [flaw_of_guard(job, ground, included=included) for job in guards]
    if not flaws:
        return wrong("no job fails while the bot is silent", step)
    if all(flaws):
        return wrong(f"the job {guards[0].name} {flaws[0]}", "mend that job, or include it anew")
    return ok("it is there")


def _look_at_proof(ground: Ground) -> Found:
    """Look for an opened merge request whose gate is failed, and at what GitLab makes of it."""
    if ground.settings.gate == "none":
        return ok("the gate is a job of the team database")
    wanted = BLOCKED[ground.settings.gate]
    rows, _ = ground.bot.fetch_rows(
        f"{ground.team}/merge_requests",
        {"scope": "all", "state": "opened", "my_reaction_emoji": WATCH, "per_page": MOST},
    )
    tried = ""
    for row in rows:
        detail = ground.bot.fetch_object(f"{ground.team}/merge_requests/{row['iid']}")
        if not _is_failed(ground, row, detail):
            continue
        status = str(detail.get("detailed_merge_status") or detail.get("merge_status"))
        if status == wanted:
            return ok(f"!{row['iid']} has a failed gate and cannot be merged")
        if status in FREE:
            return wrong(
                f"!{row['iid']} has a failed gate and can be merged all the same",
                "see the points about the gate and the role, then look again",
            )
        tried = tried or f"!{row['iid']} has a failed gate, but GitLab says {status}"
    if tried:
        step = "remove that obstacle and run this again"
    elif rows:
        step = f"comment `recheck` on !{rows[0]['iid']} and run this again while its gate is failed"
    else:
        step = "open a merge request that nominates somebody who is not ready, and run this again"
    return unknown(tried or "no opened merge request has a failed gate", step, excused=True)


def _is_failed(ground: Ground, row: Json, detail: Json) -> bool:
    project, name = int(row["project_id"]), ground.settings.status_name
    if ground.settings.gate == "external-status-check":
        checks = read_status_checks(ground.bot, StatusChecksOf(str(project), int(row["iid"])))
        return any(each.name == name and each.status == "failed" for each in checks)
    sha = (detail.get("head_pipeline") or {}).get("sha") or detail.get("sha")
    statuses = read_statuses(ground.bot, StatusesOf(project, str(sha), name))
    return any(each.state == COMMIT_STATES[GateState.FAILED] for each in statuses)


def _merge_settings(ground: Ground) -> str:
    return ground.team_page("settings/merge_requests")


TEAM_FIRST = ("token", "team-project")
POINTS = (
    Point(
        id="gate-setting",
        expected="the team database requires what the gate sets",
        costs="the gate is advice",
        look=_look_at_setting,
        link=_merge_settings,
        needs=TEAM_FIRST,
    ),
    Point(
        id="status-check",
        expected="a status check of the bot's name, where that is the gate",
        costs="the gate",
        look=_look_at_check,
        link=_merge_settings,
        needs=TEAM_FIRST,
    ),
    Point(
        id="guard",
        expected="a job of the team database fails while the bot has not answered",
        costs="what silences the bot opens the gate",
        look=_look_at_guard,
        link=lambda ground: ground.team_page("ci/editor"),
        needs=TEAM_FIRST,
    ),
    Point(
        id="gate-blocks",
        expected="a merge request with a failed gate cannot be merged",
        costs="the gate",
        look=_look_at_proof,
        link=lambda ground: ground.team_page("merge_requests"),
        needs=(*TEAM_FIRST, "gate-setting", "role"),
    ),
)
