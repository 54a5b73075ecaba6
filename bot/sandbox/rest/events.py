"""REST: what people did (doc/api/events.md)."""

from typing import Any

from bot.sandbox.rest.core import USERS, Answer, Call, endpoint, paged
from bot.sandbox.rest.merge_request_entities import render_note
from bot.sandbox.rest.params import PAGING, takes
from bot.sandbox.rest.people_entities import render_user, stamp
from bot.sandbox.world.access import (
    can_read,
    can_read_code,
    can_read_merge_requests,
    can_see_note,
)
from bot.sandbox.world.state import Event

# app/models/event.rb, by what our log says.
ACTIONS = {"open": "opened", "close": "closed", "reopen": "reopened", "merge": "accepted",
           "approved": "approved", "approval": "approved"}  # fmt: skip
EVENTS = takes(PAGING, text="action target_type before after scope", choices={"sort": "asc desc"})


def _may_read(call: Call, event: Event) -> bool:
    mr, note, project = event.merge_request, event.note, event.project
    if project is None or not can_read(call.user, project, call.today):
        return False
    if mr is None:
        return can_read_code(call.user, project, call.today)
    if note is not None and not can_see_note(call.user, note, call.today):
        return False
    return can_read_merge_requests(call.user, project, call.today)


def _tell(call: Call, number: int, event: Event) -> dict[str, Any] | None:
    """Tell of an event of the log; None of what GitLab does not remember."""
    mr, note, actor = event.merge_request, event.note, event.actor
    word = ACTIONS.get(event.action) if event.kind == "merge_request_changed" else None
    told: dict[str, Any] = {"target_id": None, "target_iid": None, "target_type": None}
    if event.kind == "note_created" and note and mr and not note.system:
        word = "commented on"
        told = {"target_id": note.id, "target_iid": note.id, "target_type": note.type or "Note"}
        told["note"] = render_note(call.world, mr, note)
    elif event.kind == "branch_pushed":
        word = "pushed to"
        told["push_data"] = {"ref_type": "branch", "ref": event.subject, "action": "pushed"}
    elif mr is not None:
        told = {"target_id": mr.id, "target_iid": mr.iid, "target_type": "MergeRequest"}
    if word is None or actor is None or event.project is None:
        return None
    return {
        "id": number,
        "project_id": event.project.id,
        "action_name": word,
        "target_title": mr.title if mr else None,
        "author_id": actor.id,
        "author": render_user(call.world, actor),
        "author_username": actor.username,
        "created_at": stamp(event.at),
        "imported": False,
        "imported_from": "none",
        **told,
    }


@endpoint("GET", "/projects/{id}/events", EVENTS)
@endpoint("GET", "/users/{user_id}/events", EVENTS, scopes=USERS)
@endpoint("GET", "/events", EVENTS, open=False, scopes=USERS)
def list_events(call: Call) -> Answer:
    """List what happened in a project, or what somebody or the caller did, the newest first."""
    project, actor = call.project if "id" in call.path else None, None
    if project is None:
        actor = call.person(call.number("user_id")) if "user_id" in call.path else call.actor
    given, found = call.params, []
    for number, event in enumerate(call.world.events, 1):
        asked = project in {None, event.project} and actor in {None, event.actor}
        row = _tell(call, number, event) if asked and _may_read(call, event) else None
        if row and given.get("after", "") < row["created_at"][:10] < given.get("before", "x"):
            found.append(row)
    if given.get("sort") != "asc":
        found.reverse()
    wanted = {"action_name": given.get("action"), "target_type": given.get("target_type")}
    rows = [
        row
        for row in found
        if all(
            value is None
            or str(row[name]).replace("MergeRequest", "merge_request").lower() == value
            for name, value in wanted.items()
        )
    ]
    return paged(call, rows, dict)
