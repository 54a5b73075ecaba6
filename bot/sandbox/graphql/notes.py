"""GraphQL: notes, discussions and reactions."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.graphql.core import (
    Asked,
    connects,
    global_id,
    lists,
    read_global_id,
    readable_merge_requests,
    resolves,
    tells,
    values,
)
from bot.sandbox.graphql.groups import level_name
from bot.sandbox.rest.merge_request_entities import merge_request_url
from bot.sandbox.world.access import (
    can_admin_note,
    can_comment,
    can_read,
    can_see_note,
    can_update,
    find_level,
)
from bot.sandbox.world.entities import MergeRequest, Note, group_threads

NOTE_KINDS = ("Note", "DiscussionNote", "DiffNote")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A discussion."""

    id: str
    notes: list[Note]

    def __getattr__(self, name: str) -> Any:
        """Return what the note has that started it."""
        return getattr(self.notes[0], name)


def _visible(asked: Asked, mr: MergeRequest) -> list[Note]:
    return [note for note in mr.notes if can_see_note(asked.user, note, asked.today)]


@lists("NoteableInterface", "notes")
def _notes(source: MergeRequest, asked: Asked, **wanted: Any) -> list[Note]:
    kind = wanted.get("filter") or "ALL_NOTES"
    return [
        each
        for each in _visible(asked, source)
        if kind == "ALL_NOTES" or each.system is (kind == "ONLY_ACTIVITY")
    ]


@lists("NoteableInterface", "discussions")
def _discussions(source: MergeRequest, asked: Asked) -> list[Thread]:
    threads = group_threads(_visible(asked, source))
    return [Thread(id=key, notes=notes) for key, notes in threads.items()]


@resolves("Note", "discussion")
def _discussion(source: Note, asked: Asked) -> Thread:
    visible = _visible(asked, source.merge_request)
    return Thread(id=source.discussion_id, notes=group_threads(visible)[source.discussion_id])


@resolves("Note", "maxAccessLevelOfAuthor")
def _author_level(source: Note, asked: Asked) -> str | None:
    level = find_level(source.author, source.merge_request.project, asked.today)
    return level_name(level).capitalize() if level else None


@resolves("Note", "userPermissions")
def _permissions(source: Note, asked: Asked) -> dict[str, bool]:
    user, mr, today = asked.user, source.merge_request, asked.today
    admin = can_admin_note(user, source, today)
    return {
        "adminNote": admin,
        "awardEmoji": can_comment(user, mr, today),
        "createNote": can_comment(user, mr, today),
        "readNote": can_read(user, mr.project, today),
        "repositionNote": admin,
        "resolveNote": can_update(user, mr, today),
    }


@resolves("Query", "note")
def _note(_: object, asked: Asked, **wanted: str) -> Note | None:
    return find_note(asked, wanted["id"])


def find_note(asked: Asked, gid: object) -> Note | None:
    """Find a note that the caller may see by its global id."""
    number = int(read_global_id(gid, *NOTE_KINDS))
    for mr in readable_merge_requests(asked):
        note = mr.find_note(number)
        if note and can_see_note(asked.user, note, asked.today):
            return note
    return None


connects("Discussion", notes=lambda source: source.notes)
connects("Note", awardEmoji=lambda source: source.awards)
tells(
    "Note",
    url=lambda source, asked: (
        f"{merge_request_url(asked.world, source.merge_request)}#note_{source.id}"
    ),
)
values(
    "Discussion",
    id=lambda source: global_id("Discussion", source.id),
    replyId=lambda source: global_id("Discussion", source.id),
    resolved=lambda source: source.resolvable and all(each.resolved for each in source.notes),
)
values(
    "Note",
    id=lambda source: global_id(source.type or "Note", source.id),
    imported=lambda _: False,
    project=lambda source: source.merge_request.project,
)
values(
    "AwardEmoji",
    description=lambda source: source.name,
    unicode=lambda source: source.name,
    unicodeVersion=lambda source: source.name,
    emoji=lambda _: None,
)
