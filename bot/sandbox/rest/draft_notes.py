"""REST: the comments of a review that is not submitted yet (doc/api/draft_notes.md)."""

from collections.abc import Iterable

from bot.sandbox.acts import actions
from bot.sandbox.acts.notes import NoteDraft
from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.notes import POSITION
from bot.sandbox.rest.params import PAGING, flag, mapping, text
from bot.sandbox.world.access import can_comment, demand
from bot.sandbox.world.entities import DraftNote
from bot.sandbox.world.state import RefusedError

DRAFTS = "/projects/{id}/merge_requests/{merge_request_iid}/draft_notes"


def _own(call: Call) -> list[DraftNote]:
    return [each for each in call.merge_request.drafts if each.author is call.actor]


def _find(call: Call) -> DraftNote:
    number = call.number("draft_note_id")
    found = next((each for each in _own(call) if each.id == number), None)
    if found is None:
        raise RefusedError(404, "404 Not found")
    return found


@endpoint("GET", DRAFTS, PAGING, open=False)
def list_drafts(call: Call) -> Answer:
    """List the caller's drafts."""
    return paged(call, _own(call), lambda each: _render(call, each))


@endpoint("GET", DRAFTS + "/{draft_note_id}", open=False)
def show_draft(call: Call) -> Answer:
    """Tell of a draft."""
    return Answer(body=_render(call, _find(call)))


@endpoint(
    "POST",
    DRAFTS,
    {
        "note": text(required=True),
        "in_reply_to_discussion_id": text(),
        "commit_id": text(),
        "resolve_discussion": flag(),
        "position": mapping(POSITION),
    },
)
def create_draft(call: Call) -> Answer:
    """Write a draft."""
    mr, given = call.merge_request, call.params
    demand(can_comment(call.actor, mr, call.today))
    with call.world.writing():
        made = DraftNote(
            id=call.world.next_id("draft_note"),
            author=call.actor,
            body=given["note"],
            discussion_id=given.get("in_reply_to_discussion_id"),
            position=given.get("position"),
        )
        mr.drafts.append(made)
    return Answer(status=201, body=_render(call, made))


@endpoint("PUT", DRAFTS + "/{draft_note_id}", {"note": text(), "position": mapping(POSITION)})
def edit_draft(call: Call) -> Answer:
    """Change a draft."""
    found = _find(call)
    with call.world.writing():
        found.body = call.params.get("note", found.body)
    return Answer(body=_render(call, found))


@endpoint("DELETE", DRAFTS + "/{draft_note_id}")
def delete_draft(call: Call) -> Answer:
    """Delete a draft."""
    call.merge_request.drafts.remove(_find(call))
    return Answer(status=204)


@endpoint("PUT", DRAFTS + "/{draft_note_id}/publish")
def publish_draft(call: Call) -> Answer:
    """Publish a draft."""
    _publish(call, [_find(call)])
    return Answer(status=204)


@endpoint("POST", DRAFTS + "/bulk_publish")
def publish_all(call: Call) -> Answer:
    """Publish all of the caller's drafts."""
    _publish(call, _own(call))
    return Answer(status=204)


def _publish(call: Call, drafts: Iterable[DraftNote]) -> None:
    for each in drafts:
        mr, thread = call.merge_request, each.discussion_id
        kind = "DiffNote" if each.position else "DiscussionNote"
        draft = NoteDraft(body=each.body, type=kind, position=each.position)
        if thread:
            actions.answer(call.world, call.actor, mr, thread, draft)
        else:
            actions.create_note(call.world, call.actor, mr, draft)
        mr.drafts.remove(each)


def _render(call: Call, draft: DraftNote) -> dict[str, object]:
    return {
        "id": draft.id,
        "author_id": draft.author.id,
        "merge_request_id": call.merge_request.id,
        "resolve_discussion": False,
        "discussion_id": draft.discussion_id,
        "note": draft.body,
        "commit_id": None,
        "line_code": None,
        "position": draft.position,
    }
