"""Points about the webhook of the team database, which starts the bot's jobs."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from bot.errors import AbsentError
from bot.setup import hooks
from bot.setup.ground import Ground
from bot.setup.values import Found, Point, ok, unknown, wrong
from bot.setup.versions import HOOK_EVENTS, MASKED_URL

# Pipeline events are refused with 403 by the trigger on purpose (lib/api/ci/triggers.rb,
# gitlab-org/gitlab#210389), and four refusals switch the webhook off; the others start jobs for
# nothing. Confidential comments are none of the bot's business.
UNWANTED_EVENTS = (
    "pipeline_events", "job_events", "tag_push_events", "issues_events",
    "confidential_issues_events", "confidential_note_events", "wiki_page_events",
    "deployment_events", "releases_events", "feature_flag_events",
)  # fmt: skip
FAILED = 400  # the least status that is a failure
LATEST = 20  # deliveries that are looked at


def _look_at_hook(ground: Ground) -> Found:
    found = hooks.find_hooks(ground)
    if not found:
        step = "make a webhook for merge requests, comments and pushes, its token masked"
        rows = ground.rows_as_operator(f"{ground.team}/hooks")
        others = sorted({hooks.triggered_by(row["url"]) for row in rows} - {""})
        told = f"there is none, but for the trigger of project {others[0]}" if others else ""
        return wrong(told or "there is none", step, hooks.make_hook)
    if len(found) > 1:
        return wrong(f"there are {len(found)}, so every event comes twice", "delete all but one")
    return ok("one")


def _look_at_address(ground: Ground) -> Found:
    hook = hooks.find_hook(ground)
    flaw = hooks.find_flaw(ground, str(hook["url"]))
    # It puts texts of others into the body unescaped, and the jobs know GitLab's own body alone.
    if hook.get("custom_webhook_template"):
        return wrong("a template of its own changes what it sends", "remove the custom template")
    if flaw is None:
        return ok(f"the trigger of {ground.host_branch}")
    step = f"let it call the trigger of {ground.host_branch}, without variables"
    return wrong(flaw, step, hooks.rewrite_address)


def _look_at_events(ground: Ground) -> Found:
    hook = hooks.find_hook(ground)
    off = [name for name in hooks.WANTED_EVENTS if not hook.get(name)]
    on = [name for name in UNWANTED_EVENTS if hook.get(name)]
    flaws = [f"{name} off" for name in off] + [f"{name} on" for name in on]
    if any(hook.get(name) != value for name, value in hooks.branch_filter(ground).items()):
        flaws.append("pushes to other branches than the default one, or not to that")
    if not flaws:
        return ok("merge request events, comments, pushes to the default branch")
    step = "send merge request events, comments, pushes to the default branch, and nothing else"
    return wrong(", ".join(flaws), step, hooks.set_events)


def _look_at_mask(ground: Ground) -> Found:
    hook = hooks.find_hook(ground)
    masked = [str(each["key"]) for each in hook.get("url_variables") or ()]
    token = hooks.query_value(urlsplit(str(hook["url"])).query, "token")
    if any(token == f"{{{key}}}" for key in masked):
        return ok("masked")
    if ground.version < MASKED_URL.version:
        return unknown("this GitLab cannot mask it", MASKED_URL.without, excused=True)
    step = "mask the token in the webhook's address"
    found = "the trigger token stands in it openly" if token else "there is no token in it"
    return wrong(found, step, hooks.rewrite_address)


def _look_at_ssl(ground: Ground) -> Found:
    if hooks.find_hook(ground).get("enable_ssl_verification"):
        return ok("on")
    change = partial(hooks.change_hook, fields={"enable_ssl_verification": True})
    return wrong("off", "switch SSL verification on", change)


def _look_at_status(ground: Ground) -> Found:
    hook = hooks.find_hook(ground)
    status = str(hook.get("alert_status", "executable"))
    if status == "executable":
        return ok("enabled")
    until = hook.get("disabled_until")
    found = f"{status.replace('_', ' ')}{f' until {until}' if until else ''}"
    step = "send a test delivery, which switches it on again if it succeeds"
    return wrong(found, step, hooks.send_test)


def _look_at_deliveries(ground: Ground) -> Found:
    if ground.version < HOOK_EVENTS.version:
        return unknown("this GitLab does not tell", HOOK_EVENTS.without, excused=True)
    path = f"{ground.team}/hooks/{hooks.find_hook(ground)['id']}/events"
    try:
        rows, _ = ground.operator.fetch_rows(path, {"per_page": LATEST})
    except AbsentError:
        return unknown("this GitLab does not tell", HOOK_EVENTS.without, excused=True)
    if not rows:
        return unknown(
            "nothing was delivered lately", "send a test from the webhook's page", excused=True
        )
    last = str(rows[0].get("response_status", ""))
    if last.isdecimal() and int(last) < FAILED:
        return ok(f"the last was answered {last}")
    # The answer is GitLab's own, of the trigger; it says what was wrong and holds no secret.
    said = " ".join(str(rows[0].get("response_body") or "").split())[:120]
    step = "mend what it says, then send a test delivery"
    return wrong(f"the last was answered {last or 'nothing'}: {said}", step)


HOOK_FIRST = ("host-project", "team-project", "webhook")


def _point(
    point_id: str,
    expected: str,
    costs: str,
    look: Callable[[Ground], Found],
    needs: tuple[str, ...] = HOOK_FIRST,
) -> Point:
    return Point(
        id=point_id,
        expected=expected,
        costs=costs,
        look=look,
        link=lambda ground: ground.team_page("hooks"),
        needs=needs,
    )


POINTS = (
    _point("webhook", "one webhook that starts the bot", "every event", _look_at_hook,
        HOOK_FIRST[:2]),
    _point(
        "webhook-address", "the trigger of the branch the bot runs on, here", "every event",
        _look_at_address,
    ),
    _point(
        "webhook-events", "merge request events, comments, pushes to the default branch",
        "events, or the whole webhook: refused ones switch it off", _look_at_events,
    ),
    _point(
        "webhook-token", "the trigger token is a masked part of the address",
        "the token shows to all Maintainers and in logs", _look_at_mask,
    ),
    _point("webhook-ssl", "SSL verification is on", "the trigger token", _look_at_ssl),
    _point("webhook-enabled", "GitLab has not switched it off", "every event", _look_at_status),
    _point(
        "webhook-deliveries", "the last delivery started a job", "every event", _look_at_deliveries
    ),
)  # fmt: skip
