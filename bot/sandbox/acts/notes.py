"""What people do in discussions: write, edit, delete, resolve, react."""

# One module: each act on a note checks rights, runs quick actions and records in the same steps.

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.sandbox.acts.todos import find_mentioned, tell_mentioned
from bot.sandbox.world.access import (
    can_admin_note,
    can_comment,
    can_read,
    can_see_note,
    can_update,
    demand,
    find_level,
)
from bot.sandbox.world.diffs import diff_of, number_lines
from bot.sandbox.world.entities import Award, Level, MergeRequest, Note, User
from bot.sandbox.world.state import QuickActionOutcome, RefusedError, World

MAX_NOTE = 1_000_000  # doc/api/notes.md


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteDraft:
    """A note to write; with `discussion_id` an answer in a thread."""

    body: str
    internal: bool = False
    type: str | None = None
    discussion_id: str | None = None
    position: dict[str, Any] | None = None
    created_at: datetime | None = None
    head_sha: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteOutcome:
    """What became of a text: the note, none if it held only quick actions."""

    note: Note | None
    quick_actions: QuickActionOutcome | None = None


def normalise(body: str) -> str:
    """Store text as GitLab does: without carriage returns and trailing space."""
    return body.replace("\r", "").rstrip()


def _refuse_note(reason: str) -> None:
    raise RefusedError(400, f"400 Bad request - Note {{:note=>[{reason!r}]}}")


def _check_body(body: str) -> str:
    text = normalise(body)
    if not text.strip():
        _refuse_note("can't be blank")
    if len(text) > MAX_NOTE:
        _refuse_note(f"is too long (maximum is {MAX_NOTE} characters)")
    return text


def _run_quick_actions(
    world: World, user: User, mr: MergeRequest, text: str
) -> QuickActionOutcome | None:
    if world.quick_actions is None:
        return None
    outcome = world.quick_actions(world, user, mr, text)
    if outcome.commands_only and outcome.errors:
        problem = f"{{:commands_only=>{list(outcome.errors)!r}}}"
        raise RefusedError(400, f"400 Bad request - Note {problem}")
    return outcome


def create_note(world: World, user: User, mr: MergeRequest, draft: NoteDraft) -> NoteOutcome:
    """Write a note; its quick actions run with the writer's rights and leave the text."""
    with world.writing() as now:
        _demand_comment(world, user, mr, draft)
        if draft.position is not None and draft.position["position_type"] == "text":
            _demand_line(mr, draft.position)
        outcome = _run_quick_actions(world, user, mr, _check_body(draft.body))
        if outcome is not None and outcome.commands_only:
            return NoteOutcome(note=None, quick_actions=outcome)
        text = normalise(outcome.text if outcome else draft.body)
        note = add_note(world, mr, user, text, draft.created_at or now)
        note.type, note.internal, note.position = draft.type, draft.internal, draft.position
        note.discussion_id = draft.discussion_id or note.discussion_id
        mr.updated_at = now
        tell_mentioned(world, user, mr, note)
        world.record("note_created", user, mr, note=note)
        return NoteOutcome(note=note, quick_actions=outcome)


def _demand_comment(world: World, user: User, mr: MergeRequest, draft: NoteDraft) -> None:
    today = world.now.date()
    demand(can_read(user, mr.project, today), 404, "404 Merge Request Not Found")
    demand(can_comment(user, mr, today))
    level = find_level(user, mr.project, today)
    demand(not draft.internal or level >= Level.PLANNER)
    demand(draft.created_at is None or level >= Level.OWNER)
    if draft.head_sha is not None and draft.head_sha != mr.head_sha:
        raise RefusedError(400, "400 Bad request - Merge request HEAD has changed")


def _demand_line(mr: MergeRequest, position: Mapping[str, Any]) -> None:
    """Refuse a place that the diff has not (lib/gitlab/diff/file.rb, `line_for_position`).

    A line that is added or removed has one number, one that stays has both, wherever it is.
    """
    old, new = position.get("old_line"), position.get("new_line")
    for change in diff_of(mr, mr.diff):
        named = change.new_path == position.get("new_path")
        if not named and change.old_path != position.get("old_path"):
            continue
        lines = number_lines(mr.project.repository.store, change)
        if None not in {old, new} or any((old, new) == (each.old, each.new) for each in lines):
            return
    blank = ["can't be blank", "must be a valid line code"]
    raise RefusedError(400, f"400 Bad request - Note {{:line_code=>{json.dumps(blank)}}}")


def add_note(world: World, mr: MergeRequest, user: User, body: str, at: datetime) -> Note:
    """Put a note on a merge request, and tell nobody."""
    number = world.next_id("note")
    thread = hashlib.sha1(b"discussion %d" % number, usedforsecurity=False).hexdigest()
    note = Note(
        id=number,
        merge_request=mr,
        author=user,
        body=body,
        created_at=at,
        updated_at=at,
        discussion_id=thread,
    )
    mr.notes.append(note)
    return note


def add_system_note(world: World, user: User, mr: MergeRequest, body: str) -> Note:
    """Write what GitLab itself says of a change; system notes fire no webhook."""
    note = add_note(world, mr, user, body, world.now)
    note.system = True
    return note


def edit_note(world: World, user: User, mr: MergeRequest, note: Note, body: str) -> NoteOutcome:
    """Edit a note; quick actions run with the editor's rights, commands only delete it."""
    with world.writing() as now:
        demand(can_admin_note(user, note, now.date()))
        outcome = _run_quick_actions(world, user, mr, _check_body(body))
        if outcome is not None and outcome.commands_only:
            _remove_note(world, user, mr, note)
            return NoteOutcome(note=None, quick_actions=outcome)
        before, text = note.body, normalise(outcome.text if outcome else body)
        if text != before:
            mentioned = find_mentioned(world, mr, before)
            note.body, note.updated_at = text, now
            note.last_edited_at, note.last_edited_by = now, user
            tell_mentioned(world, user, mr, note, mentioned)
            world.record("note_edited", user, mr, note=note, changes={"body": (before, text)})
        return NoteOutcome(note=note, quick_actions=outcome)


def delete_note(world: World, user: User, mr: MergeRequest, note: Note) -> None:
    """Delete a note."""
    with world.writing() as now:
        demand(can_admin_note(user, note, now.date()))
        _remove_note(world, user, mr, note)


def _remove_note(world: World, user: User, mr: MergeRequest, note: Note) -> None:
    mr.notes.remove(note)
    world.record("note_deleted", user, mr, note=note)


def answer(
    world: World, user: User, mr: MergeRequest, discussion_id: str, draft: NoteDraft
) -> NoteOutcome:
    """Answer in a thread; a comment that stood alone begins one by its first answer.

    app/services/notes/build_service.rb: `convert_to_discussion!`.
    """
    first = next((each for each in mr.notes if each.discussion_id == discussion_id), None)
    if first is None or first.system:
        raise RefusedError(404, "404 Discussion Not Found")
    kind = first.type or "DiscussionNote"
    reply = replace(draft, type=kind, discussion_id=discussion_id, internal=first.internal)
    outcome = create_note(world, user, mr, reply)
    first.type = kind if outcome.note else first.type
    return outcome


def resolve_thread(
    world: World, user: User, mr: MergeRequest, discussion_id: str, resolved: bool
) -> list[Note]:
    """Resolve or reopen a thread."""
    with world.writing() as now:
        demand(can_update(user, mr, now.date()))
        thread = [each for each in mr.notes if each.discussion_id == discussion_id]
        for note in thread:
            if note.resolvable:
                note.resolved = resolved
                note.resolved_by = user if resolved else None
                note.resolved_at = now if resolved else None
        changes = {"resolved": (not resolved, resolved)}
        world.record("thread_resolved", user, mr, changes=changes)
        return thread


def award_emoji(
    world: World, user: User, mr: MergeRequest, name: str, note: Note | None = None
) -> Award:
    """React to a merge request or a note; the same reaction twice is refused."""
    with world.writing() as now:
        visible = note is None or can_see_note(user, note, now.date())
        demand(can_read(user, mr.project, now.date()) and visible, 404, "404 Award Emoji Not Found")
        demand(can_comment(user, mr, now.date()), 404, "404 Award Emoji Not Found")
        awards = mr.awards if note is None else note.awards
        if any(each.user is user and each.name == name for each in awards):
            raise RefusedError(404, "404 Award Emoji Name has already been taken Not Found")
        award = Award(id=world.next_id("award"), name=name, user=user, created_at=now)
        awards.append(award)
        world.record("emoji_added", user, mr, note=note, subject=award)
        return award


def remove_award(
    world: World, user: User, mr: MergeRequest, award: Award, note: Note | None = None
) -> None:
    """Take a reaction back; only one's own."""
    with world.writing():
        demand(award.user is user, 401)
        (mr.awards if note is None else note.awards).remove(award)
        world.record("emoji_removed", user, mr, note=note, subject=award)
