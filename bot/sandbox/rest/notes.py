"""REST: notes, discussions, reactions."""

# One module: notes, threads and reactions find each other by the same path.

from dataclasses import replace
from typing import cast

from bot.sandbox.acts import actions
from bot.sandbox.acts.notes import NoteDraft, NoteOutcome
from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.merge_request_entities import render_note
from bot.sandbox.rest.params import PAGING, mapping, takes
from bot.sandbox.rest.people_entities import expose, render_user, stamp
from bot.sandbox.world.access import can_see_note, demand, required
from bot.sandbox.world.entities import Award, MergeRequest, Note, group_threads
from bot.sandbox.world.state import RefusedError

NOTES = "/projects/{id}/merge_requests/{noteable_id}/notes"
THREADS = "/projects/{id}/merge_requests/{noteable_id}/discussions"
THREAD_NOTE = THREADS + "/{discussion_id}/notes/{note_id}"
EMOJI = "/projects/{id}/merge_requests/{merge_request_iid}/award_emoji"
NOTE_EMOJI = "/projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}/award_emoji"
POSITION = takes(
    text="base_sha start_sha head_sha new_path old_path",
    integer="new_line old_line width height",
    number="x y",
    mapping="line_range",
    required="base_sha start_sha head_sha position_type",
    choices={"position_type": "text image file"},
)


def _answer(call: Call, outcome: NoteOutcome) -> object:
    quick = outcome.quick_actions
    changes = dict(quick.changes) if quick else {}
    if outcome.note is None:
        summary = list(quick.messages) if quick else []
        return Answer(status=202, body={"commands_changes": changes, "summary": summary})
    body = render_note(call.world, call.merge_request, outcome.note)
    return {**body, "commands_changes": changes}


@endpoint(
    "GET",
    NOTES,
    PAGING,
    choices={
        "order_by": "created_at updated_at",
        "sort": "asc desc",
        "activity_filter": "all_notes only_comments only_activity",
    },
    job_token=True,
)
def list_notes(call: Call) -> Answer:
    """List notes; those the caller may not read are taken out of the page they would be on."""
    mr, given = call.merge_request, call.params
    order, newest = given.get("order_by", "created_at"), given.get("sort", "desc") == "desc"
    found = sorted(
        (note for note in mr.notes if _is_wanted(note, given.get("activity_filter", "all_notes"))),
        key=lambda note: (getattr(note, order), note.id),
        reverse=newest,
    )
    page = paged(call, found, lambda note: note)
    body = [
        render_note(call.world, mr, note)
        for note in cast(list[Note], page.body)
        if can_see_note(call.user, note, call.today)
    ]
    return replace(page, body=body)


def _is_wanted(note: Note, activity: str) -> bool:
    return activity == "all_notes" or note.system is (activity == "only_activity")


@endpoint(
    "POST",
    NOTES,
    text="body merge_request_diff_head_sha",
    flag="internal confidential",
    moment="created_at",
    required="body",
)
def create_note(call: Call) -> object:
    """Write a note."""
    given = call.params
    draft = NoteDraft(
        body=given["body"],
        internal=given.get("internal", given.get("confidential", False)),
        created_at=given.get("created_at"),
        head_sha=given.get("merge_request_diff_head_sha"),
    )
    return _answer(call, actions.create_note(call.world, call.actor, call.merge_request, draft))


def _note(call: Call) -> Note:
    """Find the note of the path, in the thread of the path if there is one."""
    thread = call.note.discussion_id
    demand(call.path.get("discussion_id", thread) == thread, 404, "404 Note Not Found")
    return call.note


# lib/api/discussions.rb answers the notes of a thread as lib/api/notes.rb does.
@endpoint("GET", THREAD_NOTE)
@endpoint("GET", NOTES + "/{note_id}", job_token=True)
def show_note(call: Call) -> object:
    """Tell of a note."""
    _note(call)
    return render_note(call.world, call.merge_request, call.note)


@endpoint("PUT", NOTES + "/{note_id}", text="body", required="body")
def update_note(call: Call) -> object:
    """Edit a note."""
    mr, note = call.merge_request, _note(call)
    outcome = actions.edit_note(call.world, call.actor, mr, note, call.params["body"])
    return _answer(call, outcome)


@endpoint("PUT", THREAD_NOTE, text="body", flag="resolved")
def update_thread_note(call: Call) -> object:
    """Edit a note of a thread, or resolve the thread; exactly one of both."""
    if len(call.params) != 1:
        words_ = "body, resolved are missing, exactly one parameter must be provided"
        if call.params:
            words_ = "body, resolved are mutually exclusive"
        raise RefusedError(400, words_, key="error")
    if "body" in call.params:
        return update_note(call)
    note, wanted = _note(call), call.params["resolved"]
    actions.resolve_thread(call.world, call.actor, call.merge_request, note.discussion_id, wanted)
    return render_note(call.world, call.merge_request, note)


@endpoint("DELETE", THREAD_NOTE)
@endpoint("DELETE", NOTES + "/{note_id}")
def delete_note(call: Call) -> None:
    """Delete a note."""
    actions.delete_note(call.world, call.actor, call.merge_request, _note(call))


def threads(call: Call, mr: MergeRequest) -> list[list[Note]]:
    """Group the notes the caller may see into discussions, oldest first."""
    seen = (note for note in mr.notes if can_see_note(call.user, note, call.today))
    return list(group_threads(seen).values())


def _render_thread(call: Call, notes: list[Note]) -> dict[str, object]:
    first, mr = notes[0], call.merge_request
    rendered: dict[str, object] = {
        "id": first.discussion_id,
        "individual_note": first.type is None,
        "notes": [render_note(call.world, mr, note) for note in notes],
    }
    if first.resolvable:
        rendered |= {"resolvable": True, "resolved": all(note.resolved for note in notes)}
    return rendered


def _find_thread(call: Call) -> list[Note]:
    thread, found = call.path["discussion_id"], threads(call, call.merge_request)
    named = next((notes for notes in found if notes[0].discussion_id == thread), None)
    return required(named, "404 Discussion Not Found")


@endpoint("GET", THREADS, PAGING)
def list_discussions(call: Call) -> Answer:
    """List discussions."""
    found = threads(call, call.merge_request)
    return paged(call, found, lambda notes: _render_thread(call, notes))


@endpoint(
    "POST",
    THREADS,
    {"position": mapping(POSITION)},
    text="body commit_id",
    moment="created_at",
    required="body",
)
def create_discussion(call: Call) -> object:
    """Start a thread; with a position it is on a line of the diff."""
    position = call.params.get("position")
    draft = NoteDraft(
        body=call.params["body"],
        type="DiffNote" if position else "DiscussionNote",
        position=position,
        created_at=call.params.get("created_at"),
    )
    outcome = actions.create_note(call.world, call.actor, call.merge_request, draft)
    if outcome.note is None:
        return _answer(call, outcome)
    return _render_thread(call, [outcome.note])


@endpoint("GET", THREADS + "/{discussion_id}")
def show_discussion(call: Call) -> object:
    """Tell of a thread."""
    return _render_thread(call, _find_thread(call))


@endpoint("PUT", THREADS + "/{discussion_id}", flag="resolved", required="resolved")
def resolve_discussion(call: Call) -> object:
    """Resolve or reopen a thread."""
    notes, wanted = _find_thread(call), call.params["resolved"]
    thread = call.path["discussion_id"]
    actions.resolve_thread(call.world, call.actor, call.merge_request, thread, wanted)
    return _render_thread(call, notes)


@endpoint(
    "POST", THREADS + "/{discussion_id}/notes", text="body", moment="created_at", required="body"
)
def answer_discussion(call: Call) -> object:
    """Answer in a thread."""
    thread = _find_thread(call)[0].discussion_id
    draft = NoteDraft(body=call.params["body"])
    outcome = actions.answer(call.world, call.actor, call.merge_request, thread, draft)
    return _answer(call, outcome)


def _awardable(call: Call) -> MergeRequest | Note:
    """Find what is reacted to: the note of the path, or the merge request."""
    return call.note if "note_id" in call.path else call.merge_request


def _render_award(call: Call, award: Award) -> dict[str, object]:
    """Render a reaction (lib/api/entities/award_emoji.rb)."""
    return {
        **expose(award, "id name created_at"),
        "user": render_user(call.world, award.user),
        "updated_at": stamp(award.created_at),
        "awardable_id": _awardable(call).id,
        "awardable_type": "Note" if "note_id" in call.path else "MergeRequest",
        "url": None,
    }


@endpoint("GET", EMOJI, PAGING)
@endpoint("GET", NOTE_EMOJI, PAGING)
def list_emoji(call: Call) -> Answer:
    """List the reactions to a merge request or a note."""
    return paged(call, _awardable(call).awards, lambda award: _render_award(call, award))


@endpoint("POST", EMOJI, text="name", required="name")
@endpoint("POST", NOTE_EMOJI, text="name", required="name")
def award_emoji(call: Call) -> object:
    """React."""
    note = call.note if "note_id" in call.path else None
    name = call.params["name"]
    award = actions.award_emoji(call.world, call.actor, call.merge_request, name, note)
    return _render_award(call, award)


def _find_award(call: Call) -> Award:
    number = call.number("award_id")
    found = next((award for award in _awardable(call).awards if award.id == number), None)
    return required(found, "404 Award Emoji Not Found")


@endpoint("GET", EMOJI + "/{award_id}")
@endpoint("GET", NOTE_EMOJI + "/{award_id}")
def show_emoji(call: Call) -> object:
    """Tell of a reaction."""
    return _render_award(call, _find_award(call))


@endpoint("DELETE", EMOJI + "/{award_id}")
@endpoint("DELETE", NOTE_EMOJI + "/{award_id}")
def remove_emoji(call: Call) -> None:
    """Take a reaction back."""
    note = call.note if "note_id" in call.path else None
    award = _find_award(call)
    actions.remove_award(call.world, call.actor, call.merge_request, award, note)
