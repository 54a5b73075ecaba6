"""REST: webhooks of a project, their masked parts, deliveries and tests.

As lib/api/project_hooks.rb and lib/api/helpers/web_hooks_helpers.rb have it: for Maintainers, the
address as it was written, with `{name}` where a part is masked, and no masked value at all.
"""

import re
from collections.abc import Mapping
from typing import Any

from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.kinds import Kind, find_own, offer
from bot.sandbox.rest.params import PAGING, takes
from bot.sandbox.rest.people_entities import expose, stamp
from bot.sandbox.world.entities import HookEvent, Level, Webhook
from bot.sandbox.world.hooks import FOREVER, is_taken
from bot.sandbox.world.state import RefusedError

HOOKS = "/projects/{id}/hooks"
HOOK = HOOKS + "/{hook_id}"
SERVED = (
    "merge_requests_events", "note_events", "confidential_note_events", "push_events",
    "pipeline_events",
)  # fmt: skip
# Kinds of events that this GitLab has not; they can be asked for and never come.
UNSERVED = (
    "issues_events", "confidential_issues_events", "tag_push_events", "job_events",
    "wiki_page_events", "deployment_events", "releases_events",
)  # fmt: skip
TOLD: Mapping[str, Any] = {"description": None, **dict.fromkeys(UNSERVED, False)}
FILTER = ("push_events_branch_filter", "branch_filter_strategy")
TOLD_AS_SET = " ".join((*FILTER, *SERVED))
MORE = ("custom_webhook_template", *FILTER, *SERVED)
TESTED = ("merge_requests_events", "note_events")
FIELDS = takes(
    text="url name description token custom_webhook_template push_events_branch_filter",
    flag=" ".join(("enable_ssl_verification", *SERVED, *UNSERVED)),
    items="url_variables",
    choices={"branch_filter_strategy": "wildcard regex all_branches"},
)
_HOLE = re.compile(r"\{(\w+)\}")


def _make_hook(call: Call) -> Webhook:
    """Make a webhook; push events are on unless they are switched off."""
    hook = Webhook(
        id=call.world.next_id("webhook"), url="", merge_requests_events=False, note_events=False
    )
    hook.push_events = True
    _set(hook, call.params)
    return hook


def _change_hook(_call: Call, hook: Webhook, given: Mapping[str, Any]) -> None:
    """Change a webhook; another address forgets the secret token, as the documents say."""
    if not given:
        raise RefusedError(400, "No parameters provided", key="error")
    if given.get("url", hook.url) != hook.url:
        hook.token = None
    _set(hook, given)


def _set(hook: Webhook, given: Mapping[str, Any]) -> None:
    masked = hook.url_variables | {
        str(each["key"]): str(each["value"]) for each in given.get("url_variables", [])
    }
    url = given.get("url", hook.url)
    if not url.startswith(("http://", "https://", "/")) or set(_HOLE.findall(url)) - set(masked):
        raise RefusedError(422, "Invalid url given", key="error")
    hook.url, hook.url_variables = url, masked
    for name in ("name", "token", "enable_ssl_verification", *MORE):
        if name in given:
            setattr(hook, name, given[name])
    hook.told |= {name: given[name] for name in TOLD if name in given}


def _render_hook(call: Call, hook: Webhook) -> dict[str, object]:
    now = call.world.now
    status = "executable"
    if hook.disabled_until == FOREVER:
        status = "disabled"
    elif hook.disabled_until is not None and now < hook.disabled_until:
        status = "temporarily_disabled"
    until = hook.disabled_until if status == "temporarily_disabled" else None
    return {
        **expose(hook, f"id name enable_ssl_verification custom_webhook_template {TOLD_AS_SET}"),
        # A seed may name an address of this GitLab by its path alone.
        "url": call.world.external_url + hook.url if hook.url.startswith("/") else hook.url,
        "project_id": call.project.id,
        "url_variables": [{"key": name} for name in hook.url_variables],
        "alert_status": status,
        "disabled_until": stamp(until),
        **TOLD,
        **hook.told,
    }


WEBHOOK = offer(
    Kind(
        at=HOOKS,
        key="hook_id",
        fields=takes(FIELDS, text="url", required="url"),
        keep=lambda call: call.project.webhooks,
        make=_make_hook,
        change=_change_hook,
        tell=_render_hook,
        reads=Level.MAINTAINER,
        writes=Level.MAINTAINER,
    )
)


@endpoint("PUT", HOOK + "/url_variables/{key}", text="value", required="value")
def set_url_variable(call: Call) -> Answer:
    """Set a masked part of the address."""
    hook = find_own(WEBHOOK, call)
    with call.world.writing():
        hook.url_variables[call.path["key"]] = call.params["value"]
    return Answer(status=204)


@endpoint("GET", HOOK + "/events", PAGING, text="status", open=False)
def list_hook_events(call: Call) -> Answer:
    """List deliveries, the newest first."""
    hook = find_own(WEBHOOK, call)
    wanted = call.params.get("status")
    found = [each for each in reversed(hook.events) if wanted in {None, str(each.status)}]
    return paged(call, found, _render_event)


@endpoint("POST", HOOK + "/test/{trigger}")
def test_hook(call: Call) -> Answer:
    """Deliver a sample; GitLab waits for the receiver and tells of its failure."""
    hook, project, trigger = find_own(WEBHOOK, call), call.project, call.path["trigger"]
    if trigger not in TESTED:
        raise RefusedError(400, "trigger does not have a valid value", key="error")
    deliver = call.world.hook_test
    if deliver is None:
        raise RefusedError(422, "The stand-in delivers no webhooks")

    def send() -> Answer:
        status, answer = deliver(project, hook, trigger)
        if not is_taken(status):
            return Answer(status=422, body={"message": answer})
        return Answer(status=201, body={"message": "201 Created"})

    return Answer(then=send)


def _render_event(event: HookEvent) -> dict[str, object]:
    return {
        "id": event.id,
        "url": event.url,
        "trigger": event.trigger,
        "request_headers": {"Content-Type": "application/json"},
        "request_data": {},
        "response_headers": {},
        "response_body": event.answer,
        "execution_duration": 0.1,
        "response_status": "internal error" if event.status is None else str(event.status),
    }
