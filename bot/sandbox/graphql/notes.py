"""GraphQL: notes, discussions, reactions, and the three mutations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from bot.sandbox.acts import actions
from bot.sandbox.acts.notes import NoteDraft, NoteOutcome
from bot.sandbox.graphql.core import (
    UNAVAILABLE,
    Asked,
    connect,
    connects,
    global_id,
    read_global_id,
    readable_merge_requests,
    resolves,
    tells,
    values,
)
from bot.sandbox.graphql.groups import level_name
from bot.sandbox.graphql.people import find_merge_request, split_page
from bot.sandbox.rest.merge_request_entities import merge_request_url
from bot.sandbox.world.access import (
    can_admin_note,
    can_comment,
    can_read,
    can_see_note,
    can_update,
    find_level,
)
from bot.sandbox.world.entities import MergeRequest, Note
from bot.sandbox.world.state import RefusedError

NOTE_KINDS = ("Note", "DiscussionNote", "DiffNote")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteOn:
    """A note with the merge request it stands on."""

    note: Note
    mr: MergeRequest

    def __getattr__(self, name: str) -> Any:
        """Return what the note has."""
        return getattr(self.note, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A discussion."""

    id: str
    notes: list[NoteOn]

    def __getattr__(self, name: str) -> Any:
        """Return what the note has that started it."""
        return getattr(self.notes[0].note, name)


def _visible(asked: Asked, mr: MergeRequest) -> list[NoteOn]:
    return [
        NoteOn(note=note, mr=mr)
        for note in mr.notes
        if can_see_note(asked.user, mr, note, asked.today)
    ]


@resolves("NoteableInterface", "notes")
def _notes(source: MergeRequest, asked: Asked, **arguments: Any) -> object:
    page, wanted = split_page(arguments)
    kind = wanted.get("filter") or "ALL_NOTES"
    found = [
        each
        for each in _visible(asked, source)
        if kind == "ALL_NOTES" or each.note.system is (kind == "ONLY_ACTIVITY")
    ]
    return connect(found, **page)


@resolves("NoteableInterface", "discussions")
def _discussions(source: MergeRequest, asked: Asked, **page: Any) -> object:
    threads: dict[str, list[NoteOn]] = {}
    for each in _visible(asked, source):
        threads.setdefault(each.note.discussion_id, []).append(each)
    found = [Thread(id=key, notes=notes) for key, notes in threads.items()]
    return connect(found, **page)


@resolves("Note", "discussion")
def _discussion(source: NoteOn, asked: Asked) -> Thread:
    key = source.note.discussion_id
    notes = [each for each in _visible(asked, source.mr) if each.note.discussion_id == key]
    return Thread(id=key, notes=notes)


@resolves("Note", "maxAccessLevelOfAuthor")
def _author_level(source: NoteOn, asked: Asked) -> str | None:
    level = find_level(source.note.author, source.mr.project, asked.today)
    return level_name(level).capitalize() if level else None


@resolves("Note", "userPermissions")
def _permissions(source: NoteOn, asked: Asked) -> dict[str, bool]:
    user, mr, today = asked.user, source.mr, asked.today
    admin = can_admin_note(user, mr, source.note, today)
    return {
        "adminNote": admin,
        "awardEmoji": can_comment(user, mr, today),
        "createNote": can_comment(user, mr, today),
        "readNote": can_read(user, mr.project, today),
        "repositionNote": admin,
        "resolveNote": can_update(user, mr, today),
    }


@resolves("Query", "note")
def _note(_: object, asked: Asked, **wanted: str) -> NoteOn | None:
    return _find_note(asked, wanted["id"])


def _find_note(asked: Asked, gid: object) -> NoteOn | None:
    number = int(read_global_id(gid, *NOTE_KINDS))
    for mr in readable_merge_requests(asked):
        note = mr.find_note(number)
        if note and can_see_note(asked.user, mr, note, asked.today):
            return NoteOn(note=note, mr=mr)
    return None


Given = Mapping[str, Any]


def _payload(given: Given, **fields: object) -> dict[str, object]:
    return {"clientMutationId": given.get("clientMutationId"), "errors": [], **fields}


def _note_payload(given: Given, mr: MergeRequest, outcome: NoteOutcome) -> dict[str, object]:
    quick = outcome.quick_actions
    status = None
    if quick is not None and quick.commands:
        status = {
            "commandNames": list(quick.commands),
            "commandsOnly": quick.commands_only,
            "errorMessages": list(quick.errors),
            "messages": list(quick.messages),
        }
    note = NoteOn(note=outcome.note, mr=mr) if outcome.note else None
    return _payload(given, note=note, quickActionsStatus=status)


@resolves("Mutation", "createNote")
def _create_note(_: object, asked: Asked, **arguments: Given) -> dict[str, object]:
    given = arguments["input"]
    mr, actor = find_merge_request(asked, given["noteableId"]), asked.actor
    if mr is None or not can_comment(actor, mr, asked.today):
        raise GraphQLError(UNAVAILABLE)
    thread = given.get("discussionId")
    draft = NoteDraft(
        body=given["body"],
        internal=bool(given.get("internal")),
        type="DiscussionNote" if thread else None,
        discussion_id=read_global_id(thread, "Discussion") if thread else None,
        head_sha=given.get("mergeRequestDiffHeadSha"),
    )
    try:
        outcome = actions.create_note(asked.world, actor, mr, draft)
    except RefusedError as refused:
        return _payload(given, note=None, errors=[str(refused)])
    return _note_payload(given, mr, outcome)


@resolves("Mutation", "updateNote")
def _update_note(_: object, asked: Asked, **arguments: Given) -> dict[str, object]:
    given = arguments["input"]
    found, actor = _find_note(asked, given["id"]), asked.actor
    if found is None or not can_admin_note(actor, found.mr, found.note, asked.today):
        raise GraphQLError(UNAVAILABLE)
    try:
        body = given.get("body") or ""
        outcome = actions.edit_note(asked.world, actor, found.mr, found.note, body)
    except RefusedError as refused:
        return _payload(given, note=found, errors=[str(refused)])
    return _note_payload(given, found.mr, outcome)


@resolves("Mutation", "awardEmojiAdd")
def _award(_: object, asked: Asked, **arguments: Given) -> dict[str, object]:
    given = arguments["input"]
    actor, gid = asked.actor, given["awardableId"]
    if str(gid).startswith("gid://gitlab/MergeRequest/"):
        mr, note = find_merge_request(asked, gid), None
    else:
        found = _find_note(asked, gid)
        mr, note = (found.mr, found.note) if found else (None, None)
    if mr is None or not can_comment(actor, mr, asked.today):
        raise GraphQLError(UNAVAILABLE)
    try:
        award = actions.award_emoji(asked.world, actor, mr, given["name"], note)
    except RefusedError:
        return _payload(given, awardEmoji=None, errors=["Name has already been taken"])
    return _payload(given, awardEmoji=award)


connects("Discussion", {"notes": lambda source: source.notes})
connects("Note", {"awardEmoji": lambda source: source.awards})
tells(
    "Note",
    {
        "url": lambda source, asked: (
            f"{merge_request_url(asked.world, source.mr)}#note_{source.id}"
        ),
    },
)
values(
    "Discussion",
    {
        "id": lambda source: global_id("Discussion", source.id),
        "replyId": lambda source: global_id("Discussion", source.id),
        "resolved": lambda source: (
            source.resolvable and all(each.resolved for each in source.notes)
        ),
    },
)
values(
    "Note",
    {
        "id": lambda source: global_id(source.type or "Note", source.id),
        "imported": lambda _: False,
        "project": lambda source: source.mr.project,
    },
)
values(
    "AwardEmoji",
    {
        "description": lambda source: source.name,
        "unicode": lambda source: source.name,
        "unicodeVersion": lambda source: source.name,
        "emoji": lambda _: None,
    },
)
