"""The webhook of the team database that starts the bot's jobs: find it, and change it."""

import re
from urllib.parse import unquote, urlsplit

from bot.errors import GitLabError
from bot.gitlab import Json
from bot.setup.ground import MADE, Ground
from bot.setup.starting import make_trigger, own_trigger, trigger_address

MASKED = "trigger_token"  # the masked part of the address
WANTED_EVENTS = ("merge_requests_events", "note_events", "push_events")
# The others are off unless asked for, and some versions do not know them.
_SWITCHABLE = (
    "pipeline_events", "tag_push_events", "issues_events",
    "confidential_issues_events", "confidential_note_events", "job_events",
)  # fmt: skip
# The branch may stand in the query instead (lib/api/ci/triggers.rb: `:id/(ref/:ref/)trigger`).
_TRIGGER = re.compile(r"/api/v4/projects/(?P<project>[^/]+)(?:/ref/(?P<ref>.+))?/trigger/pipeline$")


def triggered_by(address: object) -> str:
    """Return the project whose trigger an address calls, or nothing."""
    match = _TRIGGER.search(urlsplit(str(address)).path)
    return unquote(match["project"]).casefold() if match else ""


def _names_of_host(ground: Ground) -> set[str]:
    host = ground.as_operator(ground.host)
    return {str(host["id"]), str(host["path_with_namespace"]).casefold()}


def find_hooks(ground: Ground) -> list[Json]:
    """Return the webhooks that call the trigger of the bot's project."""
    rows = ground.rows_as_operator(f"{ground.team}/hooks")
    return [row for row in rows if triggered_by(row["url"]) in _names_of_host(ground)]


def find_hook(ground: Ground) -> Json:
    """Return the webhook; raise GitLabError where there is none."""
    found = find_hooks(ground)
    if not found:
        raise GitLabError("The team database has no webhook that starts the bot.")
    return found[0]


def find_flaw(ground: Ground, url: str) -> str | None:
    """Say why an address does not start the bot as it must, or return None where it does."""
    address, here = urlsplit(url), urlsplit(ground.settings.gitlab_url)
    match = _TRIGGER.search(address.path)
    ref = unquote((match and match["ref"]) or query_value(address.query, "ref"))
    if (address.scheme, address.netloc) != (here.scheme, here.netloc) and address.netloc:
        return f"it goes to {address.scheme}://{address.hostname}"
    if triggered_by(url) not in _names_of_host(ground):
        return f"it does not call the trigger of {ground.settings.project}"
    if ref != ground.host_branch:
        return f"it starts {ref or 'no branch'}"
    if "variables" in address.query:
        return "it passes pipeline variables"
    return None


def query_value(query: str, name: str) -> str:
    """Return a value of a query as it is written, nothing where it has none of that name."""
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if key == name:
            return value
    return ""


def _fields(ground: Ground, token: str) -> dict[str, object]:
    return {
        "url": trigger_address(ground, f"{{{MASKED}}}"),
        "url_variables": [{"key": MASKED, "value": token}],
        "enable_ssl_verification": True,
        **_event_fields(ground),
    }


def _event_fields(ground: Ground) -> dict[str, object]:
    switches = dict.fromkeys(WANTED_EVENTS, True) | dict.fromkeys(_SWITCHABLE, False)
    return {**switches, **branch_filter(ground)}


def branch_filter(ground: Ground) -> dict[str, str]:
    """Return what lets only pushes to the default branch through (doc/api/project_webhooks.md)."""
    branch = str(ground.as_operator(ground.team)["default_branch"])
    return {"push_events_branch_filter": branch, "branch_filter_strategy": "wildcard"}


def make_hook(ground: Ground) -> None:
    """Make the webhook, as all of its points ask."""
    fields = {"name": MADE, **_fields(ground, own_trigger(ground))}
    ground.operator.create(f"{ground.team}/hooks", fields)


def rewrite_address(ground: Ground) -> None:
    """Give the webhook the address of the trigger, with the token masked."""
    change_hook(ground, _fields(ground, own_trigger(ground)))


def set_events(ground: Ground) -> None:
    """Let the webhook send the events that the bot needs, and no others."""
    change_hook(ground, _event_fields(ground))


def change_hook(ground: Ground, fields: dict[str, object]) -> None:
    """Change some fields of the webhook."""
    hook = find_hook(ground)
    path = f"{ground.team}/hooks/{hook['id']}"
    # Older versions require the address with every change (lib/api/project_hooks.rb).
    ground.operator.change("put", path, {"url": hook["url"], **fields})


def send_test(ground: Ground) -> None:
    """Let GitLab send a test delivery, which switches a webhook on again if it succeeds."""
    # Nothing is written twice by a second try but one more run of the bot.
    path = f"{ground.team}/hooks/{find_hook(ground)['id']}/test/merge_requests_events"
    ground.operator.change("post", path, {})


def rotate_trigger(ground: Ground) -> list[str]:
    """Give the webhook a new trigger token; return what is left to do by hand.

    Older tokens go only if `init` made them and they are the operator's.
    """
    find_hook(ground)
    me = ground.as_operator("/user")["id"]
    old = ground.rows_as_operator(f"{ground.host}/triggers")
    new = make_trigger(ground)
    change_hook(ground, _fields(ground, new))
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
