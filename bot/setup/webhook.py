"""Points about the webhook of the team database, which starts the bot's jobs."""

import re
from collections.abc import Callable
from functools import partial
from urllib.parse import unquote, urlsplit

from bot.errors import GitLabError, RefusedError
from bot.gitlab import Json
from bot.setup.ground import MADE, NOT_FOUND, Ground
from bot.setup.starting import make_trigger, own_trigger, trigger_address
from bot.setup.values import Found, Point, ok, unknown, wrong
from bot.setup.versions import HOOK_EVENTS, MASKED_URL

MASKED = "trigger_token"  # the masked part of the address
WANTED_EVENTS = ("merge_requests_events", "note_events", "push_events")
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
_TRIGGER = re.compile(r"/api/v4/projects/(?P<project>[^/]+)(?:/ref/(?P<ref>.+))?/trigger/pipeline$")


def _triggered_by(address: object) -> str:
    """Return the project whose trigger an address calls, or nothing."""
    match = _TRIGGER.search(urlsplit(str(address)).path)
    return unquote(match["project"]).casefold() if match else ""


def _names_of_host(ground: Ground) -> set[str]:
    host = ground.as_operator(ground.host)
    return {str(host["id"]), str(host["path_with_namespace"]).casefold()}


def _hooks(ground: Ground) -> list[Json]:
    """Return the webhooks that call the trigger of the bot's project."""
    rows = ground.rows_as_operator(f"{ground.team}/hooks")
    return [row for row in rows if _triggered_by(row["url"]) in _names_of_host(ground)]


def _hook(ground: Ground) -> Json:
    found = _hooks(ground)
    if not found:
        raise GitLabError("The team database has no webhook that starts the bot.")
    return found[0]


def _look_at_hook(ground: Ground) -> Found:
    found = _hooks(ground)
    if not found:
        step = "make a webhook for merge requests, comments and pushes, its token masked"
        rows = ground.rows_as_operator(f"{ground.team}/hooks")
        others = sorted({_triggered_by(row["url"]) for row in rows} - {""})
        told = f"there is none, but for the trigger of project {others[0]}" if others else ""
        return wrong(told or "there is none", step, _make)
    if len(found) > 1:
        return wrong(f"there are {len(found)}, so every event comes twice", "delete all but one")
    return ok("one")


def _look_at_address(ground: Ground) -> Found:
    hook = _hook(ground)
    flaw = find_flaw(ground, str(hook["url"]))
    # It puts texts of others into the body unescaped, and the jobs know GitLab's own body alone.
    if hook.get("custom_webhook_template"):
        return wrong("a template of its own changes what it sends", "remove the custom template")
    if flaw is None:
        return ok(f"the trigger of {ground.host_branch}")
    step = f"let it call the trigger of {ground.host_branch}, without variables"
    return wrong(flaw, step, _rewrite)


def find_flaw(ground: Ground, url: str) -> str | None:
    """Say why an address does not start the bot as it must, or return None where it does."""
    address, here = urlsplit(url), urlsplit(ground.wanted.url)
    match = _TRIGGER.search(address.path)
    ref = unquote((match and match["ref"]) or _query_value(address.query, "ref"))
    if (address.scheme, address.netloc) != (here.scheme, here.netloc) and address.netloc:
        return f"it goes to {address.scheme}://{address.hostname}"
    if _triggered_by(url) not in _names_of_host(ground):
        return f"it does not call the trigger of {ground.wanted.host_project}"
    if ref != ground.host_branch:
        return f"it starts {ref or 'no branch'}"
    if "variables" in address.query:
        return "it passes pipeline variables"
    return None


def _query_value(query: str, name: str) -> str:
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if key == name:
            return value
    return ""


def _look_at_events(ground: Ground) -> Found:
    hook = _hook(ground)
    off = [name for name in WANTED_EVENTS if not hook.get(name)]
    on = [name for name in UNWANTED_EVENTS if hook.get(name)]
    flaws = [f"{name} off" for name in off] + [f"{name} on" for name in on]
    if any(hook.get(name) != value for name, value in _branch_filter(ground).items()):
        flaws.append("pushes to other branches than the default one, or not to that")
    if not flaws:
        return ok("merge request events, comments, pushes to the default branch")
    step = "send merge request events, comments, pushes to the default branch, and nothing else"
    return wrong(", ".join(flaws), step, _set_events)


def _look_at_mask(ground: Ground) -> Found:
    hook = _hook(ground)
    masked = [str(each["key"]) for each in hook.get("url_variables") or ()]
    token = _query_value(urlsplit(str(hook["url"])).query, "token")
    if any(token == f"{{{key}}}" for key in masked):
        return ok("masked")
    if ground.version < MASKED_URL.version:
        return unknown("this GitLab cannot mask it", MASKED_URL.without, excused=True)
    step = "mask the token in the webhook's address"
    found = "the trigger token stands in it openly" if token else "there is no token in it"
    return wrong(found, step, _rewrite)


def _look_at_ssl(ground: Ground) -> Found:
    if _hook(ground).get("enable_ssl_verification"):
        return ok("on")
    change = partial(_change, fields={"enable_ssl_verification": True})
    return wrong("off", "switch SSL verification on", change)


def _look_at_status(ground: Ground) -> Found:
    hook = _hook(ground)
    status = str(hook.get("alert_status", "executable"))
    if status == "executable":
        return ok("enabled")
    until = hook.get("disabled_until")
    found = f"{status.replace('_', ' ')}{f' until {until}' if until else ''}"
    step = "send a test delivery, which switches it on again if it succeeds"
    return wrong(found, step, _test)


def _look_at_deliveries(ground: Ground) -> Found:
    if ground.version < HOOK_EVENTS.version:
        return unknown("this GitLab does not tell", HOOK_EVENTS.without, excused=True)
    path = f"{ground.team}/hooks/{_hook(ground)['id']}/events"
    try:
        rows, _ = ground.operator.fetch_rows(path, {"per_page": LATEST})
    except RefusedError as error:
        if error.code != NOT_FOUND:
            raise
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


def _fields(ground: Ground, token: str) -> dict[str, object]:
    return {
        "url": trigger_address(ground, f"{{{MASKED}}}"),
        "url_variables": [{"key": MASKED, "value": token}],
        "enable_ssl_verification": True,
        **_event_fields(ground),
    }


def _event_fields(ground: Ground) -> dict[str, object]:
    switches = dict.fromkeys(WANTED_EVENTS, True) | dict.fromkeys(_SWITCHABLE, False)
    return {**switches, **_branch_filter(ground)}


def _branch_filter(ground: Ground) -> dict[str, str]:
    """Return what lets only pushes to the default branch through (doc/api/project_webhooks.md)."""
    branch = str(ground.as_operator(ground.team)["default_branch"])
    return {"push_events_branch_filter": branch, "branch_filter_strategy": "wildcard"}


# The others are off unless asked for, and some versions do not know them.
_SWITCHABLE = (
    "pipeline_events", "tag_push_events", "issues_events",
    "confidential_issues_events", "confidential_note_events", "job_events",
)  # fmt: skip


def _make(ground: Ground) -> None:
    ground.operator.create(
        f"{ground.team}/hooks", {"name": MADE, **_fields(ground, own_trigger(ground))}
    )


def _rewrite(ground: Ground) -> None:
    _change(ground, _fields(ground, own_trigger(ground)))


def _set_events(ground: Ground) -> None:
    _change(ground, _event_fields(ground))


def _change(ground: Ground, fields: dict[str, object]) -> None:
    hook = _hook(ground)
    path = f"{ground.team}/hooks/{hook['id']}"
    ground.operator.change("put", path, {"url": hook["url"], **fields})


def _test(ground: Ground) -> None:
    # Nothing is written twice by a second try but one more run of the bot.
    path = f"{ground.team}/hooks/{_hook(ground)['id']}/test/merge_requests_events"
    ground.operator.change("post", path, {})


def rotate_trigger(ground: Ground) -> list[str]:
    """Give the webhook a new trigger token; return what is left to do by hand.

    Older tokens go only if `init` made them and they are the operator's.
    """
    _hook(ground)
    me = ground.as_operator("/user")["id"]
    old = ground.rows_as_operator(f"{ground.host}/triggers")
    new = make_trigger(ground)
    _change(ground, _fields(ground, new))
    left = []
    for row in old:
        if row.get("description") == MADE and (row.get("owner") or {}).get("id") == me:
            ground.operator.remove(f"{ground.host}/triggers/{row['id']}")
        else:
            left.append(
                f"revoke the trigger token {row.get('description') or row['id']!r} if nothing "
                f"uses it: {ground.host_page('settings/ci_cd#js-pipeline-triggers')}"
            )
    ground.forget()
    return left


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
