"""REST: webhooks of a project, their masked parts, deliveries and tests.

As lib/api/project_hooks.rb and lib/api/helpers/web_hooks_helpers.rb have it: for Maintainers, the
address as it was written, with `{name}` where a part is masked, and no masked value at all.
"""

import re
from collections.abc import Mapping
from typing import Any

from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.params import PAGING, Param, choice, flag, items, text
from bot.sandbox.rest.people_entities import stamp
from bot.sandbox.world.access import demand
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
FILTER = ("push_events_branch_filter", "branch_filter_strategy")
TESTED = ("merge_requests_events", "note_events")
FIELDS: Mapping[str, Param] = {
    "url": text(),
    "name": text(),
    "description": text(),
    "token": text(),
    "enable_ssl_verification": flag(),
    "url_variables": items(),
    "push_events_branch_filter": text(),
    "branch_filter_strategy": choice("wildcard", "regex", "all_branches"),
    **{name: flag() for name in (*SERVED, *UNSERVED)},
}
_HOLE = re.compile(r"\{(\w+)\}")


@endpoint("GET", HOOKS, PAGING, open=False)
def list_hooks(call: Call) -> Answer:
    """List webhooks."""
    demand(call.level >= Level.MAINTAINER)
    return paged(call, call.project.webhooks, lambda hook: _render_hook(call, hook))


@endpoint("GET", HOOK, open=False)
def show_hook(call: Call) -> Answer:
    """Tell of a webhook."""
    return Answer(body=_render_hook(call, _find_hook(call)))


@endpoint("POST", HOOKS, {**FIELDS, "url": text(required=True)})
def create_hook(call: Call) -> Answer:
    """Make a webhook; push events are on unless they are switched off."""
    demand(call.level >= Level.MAINTAINER)
    hook = Webhook(
        id=call.world.next_id("webhook"), url="", merge_requests_events=False, note_events=False
    )
    hook.push_events = True
    _change(hook, call.params)
    with call.world.writing():
        call.project.webhooks.append(hook)
    return Answer(status=201, body=_render_hook(call, hook))


@endpoint("PUT", HOOK, FIELDS)
def edit_hook(call: Call) -> Answer:
    """Change a webhook; another address forgets the secret token, as the documents say."""
    hook = _find_hook(call)
    if not call.params:
        raise RefusedError(400, "No parameters provided", key="error")
    with call.world.writing():
        if call.params.get("url", hook.url) != hook.url:
            hook.token = None
        _change(hook, call.params)
    return Answer(body=_render_hook(call, hook))


@endpoint("DELETE", HOOK)
def delete_hook(call: Call) -> Answer:
    """Remove a webhook."""
    hook = _find_hook(call)
    with call.world.writing():
        call.project.webhooks.remove(hook)
    return Answer(status=204)


@endpoint("PUT", HOOK + "/url_variables/{key}", {"value": text(required=True)})
def set_url_variable(call: Call) -> Answer:
    """Set a masked part of the address."""
    hook = _find_hook(call)
    with call.world.writing():
        hook.url_variables[call.path["key"]] = call.params["value"]
    return Answer(status=204)


@endpoint("GET", HOOK + "/events", {"status": text(), **PAGING}, open=False)
def list_hook_events(call: Call) -> Answer:
    """List deliveries, the newest first."""
    hook = _find_hook(call)
    wanted = call.params.get("status")
    found = [each for each in reversed(hook.events) if wanted in {None, str(each.status)}]
    return paged(call, found, _render_event)


@endpoint("POST", HOOK + "/test/{trigger}")
def test_hook(call: Call) -> Answer:
    """Deliver a sample; GitLab waits for the receiver and tells of its failure."""
    hook, project, trigger = _find_hook(call), call.project, call.path["trigger"]
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

    return Answer(then=lambda: _refusable(send))


def _refusable(send: Any) -> Answer:
    try:
        answer: Answer = send()
    except RefusedError as refused:
        return Answer(status=refused.status, body=refused.body)
    return answer


def _find_hook(call: Call) -> Webhook:
    demand(call.level >= Level.MAINTAINER)
    number = call.number("hook_id")
    found = next((each for each in call.project.webhooks if each.id == number), None)
    if found is None:
        raise RefusedError(404, "404 Not found")
    return found


def _change(hook: Webhook, given: Mapping[str, Any]) -> None:
    masked = hook.url_variables | {
        str(each["key"]): str(each["value"]) for each in given.get("url_variables", [])
    }
    url = given.get("url", hook.url)
    if not url.startswith(("http://", "https://", "/")) or set(_HOLE.findall(url)) - set(masked):
        raise RefusedError(422, "Invalid url given", key="error")
    hook.url, hook.url_variables = url, masked
    for name in ("name", "token", "enable_ssl_verification", *FILTER, *SERVED):
        if name in given:
            setattr(hook, name, given[name])


def _render_hook(call: Call, hook: Webhook) -> dict[str, object]:
    now = call.world.now
    status = "executable"
    if hook.disabled_until == FOREVER:
        status = "disabled"
    elif hook.disabled_until is not None and now < hook.disabled_until:
        status = "temporarily_disabled"
    until = hook.disabled_until if status == "temporarily_disabled" else None
    return {
        "id": hook.id,
        # A seed may name an address of this GitLab by its path alone.
        "url": call.world.external_url + hook.url if hook.url.startswith("/") else hook.url,
        "name": hook.name,
        "description": None,
        "project_id": call.project.id,
        "enable_ssl_verification": hook.enable_ssl_verification,
        "url_variables": [{"key": name} for name in hook.url_variables],
        "alert_status": status,
        "disabled_until": stamp(until),
        **{name: getattr(hook, name) for name in (*FILTER, *SERVED)},
        **dict.fromkeys(UNSERVED, False),
    }


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
