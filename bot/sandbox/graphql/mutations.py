"""GraphQL: the three mutations."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError

from bot.sandbox.acts import actions
from bot.sandbox.acts.notes import NoteDraft, NoteOutcome
from bot.sandbox.graphql.core import (
    UNAVAILABLE,
    Asked,
    read_global_id,
    resolves,
)
from bot.sandbox.graphql.notes import find_note
from bot.sandbox.graphql.people import find_merge_request
from bot.sandbox.world.access import (
    can_admin_note,
    can_comment,
)
from bot.sandbox.world.state import RefusedError

Given = Mapping[str, Any]


def _payload(given: Given, **fields: object) -> dict[str, object]:
    return {"clientMutationId": given.get("clientMutationId"), "errors": [], **fields}


def _note_payload(given: Given, outcome: NoteOutcome) -> dict[str, object]:
    quick = outcome.quick_actions
    status = None
    if quick is not None and quick.commands:
        status = {
            "commandNames": list(quick.commands),
            "commandsOnly": quick.commands_only,
            "errorMessages": list(quick.errors),
            "messages": list(quick.messages),
        }
    return _payload(given, note=outcome.note, quickActionsStatus=status)


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
    return _note_payload(given, outcome)


@resolves("Mutation", "updateNote")
def _update_note(_: object, asked: Asked, **arguments: Given) -> dict[str, object]:
    given = arguments["input"]
    note, actor = find_note(asked, given["id"]), asked.actor
    if note is None or not can_admin_note(actor, note, asked.today):
        raise GraphQLError(UNAVAILABLE)
    try:
        body = given.get("body") or ""
        outcome = actions.edit_note(asked.world, actor, note.merge_request, note, body)
    except RefusedError as refused:
        return _payload(given, note=note, errors=[str(refused)])
    return _note_payload(given, outcome)


@resolves("Mutation", "awardEmojiAdd")
def _award(_: object, asked: Asked, **arguments: Given) -> dict[str, object]:
    given = arguments["input"]
    actor, gid = asked.actor, given["awardableId"]
    if str(gid).startswith("gid://gitlab/MergeRequest/"):
        mr, note = find_merge_request(asked, gid), None
    else:
        note = find_note(asked, gid)
        mr = note.merge_request if note else None
    if mr is None or not can_comment(actor, mr, asked.today):
        raise GraphQLError(UNAVAILABLE)
    try:
        award = actions.award_emoji(asked.world, actor, mr, given["name"], note)
    except RefusedError:
        return _payload(given, awardEmoji=None, errors=["Name has already been taken"])
    return _payload(given, awardEmoji=award)
