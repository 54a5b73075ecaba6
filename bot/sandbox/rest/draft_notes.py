"""REST: the comments of a review that is not submitted yet (doc/api/draft_notes.md)."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.acts import actions
from bot.sandbox.acts.notes import NoteDraft
from bot.sandbox.rest.core import Answer, Call, endpoint
from bot.sandbox.rest.kinds import Kind, find, offer
from bot.sandbox.rest.notes import POSITION
from bot.sandbox.rest.params import mapping, takes
from bot.sandbox.world.access import can_comment, demand
from bot.sandbox.world.entities import DraftNote, Level

DRAFTS = "/projects/{id}/merge_requests/{merge_request_iid}/draft_notes"
AS_GIVEN = ("resolve_discussion", "position")


def _keep(call: Call) -> list[DraftNote]:
    demand(call.user is not None, 401)
    return call.merge_request.drafts


def _make(call: Call) -> DraftNote:
    given = call.params
    demand(can_comment(call.actor, call.merge_request, call.today))
    return DraftNote(
        id=call.world.next_id("draft_note"),
        author=call.actor,
        body=given["note"],
        discussion_id=given.get("in_reply_to_discussion_id"),
        **{name: given[name] for name in AS_GIVEN if name in given},
    )


def _change(_call: Call, draft: DraftNote, given: Mapping[str, Any]) -> None:
    draft.body = given.get("note", draft.body)
    draft.position = given.get("position", draft.position)


def _is_own(call: Call, draft: DraftNote) -> bool:
    return draft.author is call.actor


def _render(call: Call, draft: DraftNote) -> dict[str, object]:
    return {
        "id": draft.id,
        "author_id": draft.author.id,
        "merge_request_id": call.merge_request.id,
        **{name: getattr(draft, name) for name in AS_GIVEN},
        "discussion_id": draft.discussion_id,
        "note": draft.body,
        "commit_id": None,
        "line_code": None,
    }


DRAFT = offer(
    Kind(
        at=DRAFTS,
        key="draft_note_id",
        fields=takes(
            {"position": mapping(POSITION)},
            text="note in_reply_to_discussion_id commit_id",
            flag="resolve_discussion",
            required="note",
        ),
        fixed=("in_reply_to_discussion_id", "commit_id", "resolve_discussion"),
        keep=_keep,
        make=_make,
        change=_change,
        tell=_render,
        may_see=_is_own,
        writes=Level.NO_ACCESS,
    )
)


@endpoint("PUT", DRAFTS + "/{draft_note_id}/publish")
@endpoint("POST", DRAFTS + "/bulk_publish")
def publish(call: Call) -> Answer:
    """Publish a draft, or all of the caller's."""
    mr = call.merge_request
    own = [each for each in mr.drafts if _is_own(call, each)]
    for each in [find(DRAFT, call)] if "draft_note_id" in call.path else own:
        thread, kind = each.discussion_id, "DiffNote" if each.position else "DiscussionNote"
        draft = NoteDraft(body=each.body, type=kind, position=each.position)
        if thread:
            actions.answer(call.world, call.actor, mr, thread, draft)
            if each.resolve_discussion:
                actions.resolve_thread(call.world, call.actor, mr, thread, resolved=True)
        else:
            actions.create_note(call.world, call.actor, mr, draft)
        mr.drafts.remove(each)
    return Answer(status=204)
