"""Decide from a webhook body which merge request to look at, if any.

Imported for every event, most of them irrelevant, so it imports nothing beyond
`json` and `re`: `dataclasses` or `typing` alone would cost half of its budget.
"""

from __future__ import annotations

import json
import re

from bot.errors import EventError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Body = Mapping[str, object]

MAX_BYTES = 26 * 1024 * 1024  # GitLab caps a webhook body at 25 MB.
MARKER = "<!-- nomination-bot"

# What a pipeline is before any of its jobs has ended; one that is new has no gate yet.
NEW_PIPELINE = frozenset({"created", "preparing", "waiting_for_resource", "pending"})

# Fields whose change alone can alter neither who is nominated nor any requirement.
IDLE_CHANGES = frozenset(
    {
        "blocking_discussions_resolved",
        "description",
        "labels",
        "last_edited_at",
        "last_edited_by_id",
        "merge_error",
        "merge_params",
        "merge_status",
        "merge_user_id",
        "merge_when_pipeline_succeeds",
        "milestone_id",
        "time_change",
        "time_estimate",
        "title",
        "total_time_spent",
        "updated_at",
        "updated_by_id",
    }
)


class Event:
    """A merge request to look at; everything else is read again from GitLab."""

    __slots__ = ("iid", "kind", "project")

    def __init__(self, project: str, iid: int, kind: str) -> None:
        self.project = project
        self.iid = iid
        self.kind = kind


class Irrelevant:
    """An event that needs no look at GitLab, and why."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Stranger(Irrelevant):
    """An event of a project that may be the team database under a new path."""

    __slots__ = ()


def read_body(raw: bytes) -> Body:
    """Parse a webhook body; raise EventError unless it is one JSON object."""
    if len(raw) > MAX_BYTES:
        raise EventError(
            f"The payload has more than {MAX_BYTES} bytes; GitLab sends at most 25 MB."
        )
    try:
        body = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_refuse_doubles)
    except RecursionError:
        raise EventError("The payload is nested too deeply to be a GitLab webhook body.") from None
    except ValueError as error:
        raise EventError(f"The payload is not JSON ({_first_line(error)}).") from None
    if not isinstance(body, dict):
        raise EventError(f"The payload is a JSON {type(body).__name__}; expected an object.")
    return body


def parse_event(body: Body, team_project: str, word: str) -> Event | Irrelevant:
    """Say which merge request an event is about, or why it does not matter.

    Raises EventError when a body of a known kind lacks what GitLab always sends.
    """
    kind = body.get("object_kind")
    if not isinstance(kind, str):
        raise EventError("The payload has no `object_kind`; expected a GitLab webhook body.")
    if kind not in {"merge_request", "note", "pipeline"}:
        return Irrelevant("events of this kind never concern a nomination")
    project = _mapping(body, "project")
    found = _parse_known(kind, body, team_project, word)
    if _is_team_project(project, team_project):
        return found
    reason = "another project than the configured team database"
    if isinstance(found, Event) and _may_have_moved(project, team_project):
        return Stranger(reason)
    return Irrelevant(reason)


def _parse_known(kind: str, body: Body, team_project: str, word: str) -> Event | Irrelevant:
    attributes = _mapping(body, "object_attributes")
    if kind == "note":
        return _parse_note(body, attributes, team_project, word)
    if kind == "pipeline":
        return _parse_pipeline(body, attributes, team_project)
    return _parse_merge_request(body, attributes, team_project)


def _parse_merge_request(body: Body, attributes: Body, project: str) -> Event | Irrelevant:
    iid = _positive(attributes, "iid", "object_attributes")
    if "external_approval_rule" in body:
        return Event(project, iid, "status_check")
    if attributes.get("action") == "update" and not attributes.get("oldrev"):
        changes = body.get("changes")
        # GitLab may send no changes at all, and then nobody knows what has changed.
        if isinstance(changes, dict) and changes and IDLE_CHANGES.issuperset(changes):
            return Irrelevant("the update changes nothing that a nomination depends on")
    return Event(project, iid, "merge_request")


def _parse_pipeline(body: Body, attributes: Body, project: str) -> Event | Irrelevant:
    if not body.get("merge_request"):
        return Irrelevant("a pipeline, but not of a merge request")
    # The bot's own statuses make external pipelines, and every pipeline ends some day.
    if attributes.get("source") == "external" or attributes.get("status") not in NEW_PIPELINE:
        return Irrelevant("a pipeline that is not new")
    iid = _positive(_mapping(body, "merge_request"), "iid", "merge_request")
    return Event(project, iid, "pipeline")


def _parse_note(body: Body, attributes: Body, project: str, word: str) -> Event | Irrelevant:
    if attributes.get("noteable_type") != "MergeRequest":
        return Irrelevant("a comment, but not on a merge request")
    if attributes.get("system"):
        return Irrelevant("a system note")
    text = attributes.get("note")
    if not isinstance(text, str):
        raise EventError("The payload has no text in `object_attributes.note`.")
    if text.startswith(MARKER) and not has_command(text, word):
        return Irrelevant("the bot's own comment")
    author = _mapping(body, "user").get("username")
    if isinstance(author, str) and re.match(r"(project|group)_\d+_bot(_|\d|$)", author):
        return Irrelevant("a comment by a bot")
    # What an edited one said before is not told; if it was a command, the sweep ends it.
    if not has_command(text, word):
        return Irrelevant("a comment without a command")
    return Event(
        project, _positive(_mapping(body, "merge_request"), "iid", "merge_request"), "note"
    )


def has_command(text: str, word: str) -> bool:
    """Tell whether some line may hold a command; a real parse follows later."""
    if f"/{word.casefold()}" not in text.casefold():
        return False
    return re.search(rf"(?:^|[\r\n])/{re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def _is_team_project(project: Body, team_project: str) -> bool:
    if team_project.isdecimal():
        return str(project.get("id")) == team_project.lstrip("0")
    path = project.get("path_with_namespace")
    return isinstance(path, str) and path.casefold() == team_project.casefold()


def _may_have_moved(project: Body, team_project: str) -> bool:
    """Tell whether another path has the same name, or is in the same group, as the configured."""
    path = project.get("path_with_namespace")
    if not isinstance(path, str) or team_project.isdecimal():
        return False
    group, _, name = path.casefold().rpartition("/")
    known_group, _, known_name = team_project.casefold().rpartition("/")
    return name == known_name or group == known_group


def _refuse_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise ValueError("an object repeats a key")
    return mapping


def _first_line(error: ValueError) -> str:
    return str(error).splitlines()[0][:120] if str(error) else "unreadable"


def _mapping(body: Body, key: str) -> Body:
    value = body.get(key)
    if not isinstance(value, dict):
        raise EventError(f"The payload has no object `{key}`; expected a GitLab webhook body.")
    return value


def _positive(body: Body, key: str, where: str) -> int:
    value = body.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise EventError(f"The payload has no positive number in `{where}.{key}`.")
    return value
