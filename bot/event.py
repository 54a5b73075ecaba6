"""Decide from a webhook body which merge request to look at, if any.

Read for every event, most of them irrelevant, by a bare Python before anything is installed: it
imports nothing but `json` and `re`. The CI/CD component holds a copy of it, kept equal by a test.
"""

# One module: a bare Python runs it alone, and the component holds it as one text.

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Body = Mapping[str, object]

# GitLab caps a webhook body at 25 MB (`REQUEST_BODY_SIZE_LIMIT`, app/services/web_hook_service.rb).
MAX_BYTES = 26 * 1024 * 1024
MARKER = "<!-- nomination-bot"
MOST_GUESSES = 5  # merge requests that a body nobody can parse may send the bot to

# Fields whose change alone can alter neither who is nominated nor any requirement.
IDLE_CHANGES = frozenset(
    {
        "description",
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


class Push:
    """A push that may have changed entries, from one commit to another."""

    __slots__ = ("after", "before")

    def __init__(self, before: str, after: str) -> None:
        self.before = before
        self.after = after


class Irrelevant:
    """An event that needs no look at GitLab, and why."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Stranger:
    """An event of a project that may be the team database under a new path."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Broken:
    """A body that is not what GitLab sends, why, and the merge requests it seems to name."""

    __slots__ = ("iids", "reason")

    def __init__(self, reason: str, iids: tuple[int, ...]) -> None:
        self.reason = reason
        self.iids = iids


class _UnreadableError(Exception):
    """The body is not what GitLab sends; the message says where."""


def read_event(
    raw: bytes, team_project: str, word: str, concerns: tuple[str, ...] = (), entries: str = ""
) -> Event | Push | Irrelevant | Stranger | Broken:
    """Say which merge request an event is about, or why it does not matter.

    Of comments without a command those of the types in `concerns` matter, of pushes those to the
    folder of `entries` on the default branch.

    A runner that expands variables breaks the JSON of a title with `${` or `$NAME` in it
    (gitlab-org/gitlab!146242), so a broken body is searched for numbers: they are hints, as all
    else in a body is.
    """
    try:
        return _parse_event(_read_body(raw), team_project, word, concerns, entries)
    except _UnreadableError as error:
        return Broken(str(error), _guess(raw[:MAX_BYTES], team_project))


def _read_body(raw: bytes) -> Body:
    if len(raw) > MAX_BYTES:
        raise _UnreadableError(f"it has more than {MAX_BYTES} bytes; GitLab sends at most 25 MB")
    try:
        body = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_refuse_doubles)
    except RecursionError:
        raise _UnreadableError("it is nested too deeply to be a GitLab webhook body") from None
    except ValueError as error:
        raise _UnreadableError(f"it is not JSON ({_first_line(error)})") from None
    if not isinstance(body, dict):
        raise _UnreadableError(f"it is a JSON {type(body).__name__}; expected an object")
    return body


def _parse_event(
    body: Body, team_project: str, word: str, concerns: tuple[str, ...], entries: str
) -> Event | Push | Irrelevant | Stranger:
    kind = body.get("object_kind")
    if not isinstance(kind, str):
        raise _UnreadableError("it has no `object_kind`; expected a GitLab webhook body")
    if kind not in {"merge_request", "note", "push"}:
        return Irrelevant("events of this kind never concern a nomination")
    project = _mapping(body, "project")
    if _is_team_project(project, team_project):
        if kind == "push":
            return _parse_push(body, project, entries)
        return _parse_known(kind, body, team_project, word, concerns)
    reason = "another project than the configured team database"
    told = kind != "push" and _may_have_moved(project, team_project)
    if told and isinstance(_parse_known(kind, body, team_project, word, concerns), Event):
        return Stranger(reason)
    return Irrelevant(reason)


def _parse_known(
    kind: str, body: Body, team_project: str, word: str, concerns: tuple[str, ...]
) -> Event | Irrelevant:
    attributes = _mapping(body, "object_attributes")
    if kind == "note":
        return _parse_note(body, attributes, team_project, word, concerns)
    return _parse_merge_request(body, attributes, team_project)


def _parse_push(body: Body, project: Body, entries: str) -> Push | Irrelevant:
    ref, default = body.get("ref"), project.get("default_branch")
    if not isinstance(ref, str):
        raise _UnreadableError("it has no text in `ref`")
    branch = ref.removeprefix("refs/heads/")
    # Where the default branch is not told, it may be any.
    if branch == ref or (isinstance(default, str) and branch != default):
        return Irrelevant("a push to another branch than the default one")
    if not _may_touch(body, entries):
        return Irrelevant("a push that touches no entry")
    return Push(_commit(body, "before"), _commit(body, "after"))


def _commit(body: Body, key: str) -> str:
    """Return a commit's number, that of none where it is not one."""
    found = str(body.get(key))
    return found if re.fullmatch("[0-9a-f]{40,64}", found) else "0" * 40


def _may_touch(body: Body, entries: str) -> bool:
    """Return whether a push may have changed an entry; where not all is told, it may.

    GitLab lists the newest 20 commits, none where a branch was forced back, and of a file that
    was moved only where it went (lib/gitlab/data_builder/push.rb, app/models/commit.rb).
    """
    commits = body.get("commits")
    if not isinstance(commits, list) or not 0 < len(commits) == body.get("total_commits_count"):
        return True
    lists = [
        (kind, commit.get(kind) if isinstance(commit, dict) else None)
        for commit in commits
        for kind in ("added", "modified", "removed")
    ]
    return any(
        not isinstance(paths, list) or any(_is_near(str(path), kind, entries) for path in paths)
        for kind, paths in lists
    )


def _is_near(path: str, kind: str, entries: str) -> bool:
    name = path.replace("\\", "/").casefold()
    moved = kind == "added" and name.endswith((".yml", ".yaml"))
    return moved or name.startswith(entries) or entries.startswith(name + "/")


def _parse_merge_request(body: Body, attributes: Body, project: str) -> Event | Irrelevant:
    iid = _positive(attributes, "iid", "object_attributes")
    # What asks for an answer to a status check has it (doc/api/status_checks.md).
    if "external_approval_rule" in body:
        return Event(project, iid, "status_check")
    # Updates that bring commits have `oldrev` (doc/user/project/integrations/webhook_events.md).
    if attributes.get("action") == "update" and not attributes.get("oldrev"):
        changes = body.get("changes")
        # GitLab may send no changes at all, and then nobody knows what has changed.
        if isinstance(changes, dict) and changes and IDLE_CHANGES.issuperset(changes):
            return Irrelevant("the update changes nothing that a nomination depends on")
    return Event(project, iid, "merge_request")


def _parse_note(
    body: Body, attributes: Body, project: str, word: str, concerns: tuple[str, ...]
) -> Event | Irrelevant:
    if attributes.get("noteable_type") != "MergeRequest":
        return Irrelevant("a comment, but not on a merge request")
    if attributes.get("system"):
        return Irrelevant("a system note")
    text = attributes.get("note")
    if not isinstance(text, str):
        raise _UnreadableError("it has no text in `object_attributes.note`")
    if text.startswith(MARKER) and not has_command(text, word):
        return Irrelevant("the bot's own comment")
    author = _mapping(body, "user").get("username")
    # The accounts of project and group tokens (doc/user/project/settings/project_access_tokens.md).
    if isinstance(author, str) and re.match(r"(project|group)_\d+_bot(_|\d|$)", author):
        return Irrelevant("a comment by a bot")
    # What an edited one said before is not told; if it was a command, the sweep ends it.
    if not has_command(text, word) and attributes.get("type") not in concerns:
        return Irrelevant("a comment without a command")
    return Event(
        project, _positive(_mapping(body, "merge_request"), "iid", "merge_request"), "note"
    )


# Signs without width that come along with what is copied from a web page or a chat: who wrote a
# command does not see them, and is not to be left without an answer.
UNSEEN = "\u00ad\u200b\u200e\u200f\u2060\ufeff"


def has_command(text: str, word: str) -> bool:
    """Return whether some line may hold a command; a real parse follows later."""
    if f"/{word.casefold()}" not in text.casefold():
        return False
    begins = re.compile(rf"[{UNSEEN}]*/{re.escape(word)}(?!\w)", re.IGNORECASE)
    return any(begins.match(line) for line in _lines_outside_code(text))


# What may hold a block of code that ends without its closing fence: HTML, `>>>`, front matter,
# formulas. Nobody can tell by the lines alone where such a block ends.
_HOLDERS = re.compile(r"<|^>>>|^(?:---|\+\+\+|;;;)|\$\$", re.MULTILINE)
_OPENING = re.compile(r"(`{3,})[^`]*$|(~{3,})")


def _lines_outside_code(text: str) -> Iterator[str]:
    """Yield the lines but those surely in a block of code; in doubt a line is yielded.

    Only a fence at the start of a line counts: an indented one may belong to a list, and ends
    with it. A line of a quotation, or of an indented block, never begins with a command.
    """
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))  # as GitLab's parser does
    if _HOLDERS.search("\n".join(lines)):
        yield from lines
        return
    closing: re.Pattern[str] | None = None
    for line in lines:
        if closing is None:
            yield line
            opening = _OPENING.match(line)
            if opening:
                fence = opening[1] or opening[2]
                closing = re.compile(rf" {{0,3}}{fence[0]}{{{len(fence)},}}[ \t]*$")
        elif closing.match(line):
            closing = None


def _is_team_project(project: Body, team_project: str) -> bool:
    if team_project.isdecimal():
        return str(project.get("id")) == team_project.lstrip("0")
    path = project.get("path_with_namespace")
    return isinstance(path, str) and path.casefold() == team_project.casefold()


def _guess(raw: bytes, team_project: str) -> tuple[int, ...]:
    """Return the merge requests that a broken body seems to name, the likeliest first."""
    text = raw.decode("utf-8", "replace")
    if team_project.isdecimal():
        named = rf'"(?:target_project_|project_|)id"\s*:\s*"?{team_project.lstrip("0")}\b'
    else:
        named = rf"[\"/]{re.escape(team_project)}[\"/]"
    if not re.search(named, text, re.IGNORECASE):
        return ()
    # A description may hold any number of these: only the first few are looked at.
    numbers = re.findall(r'"iid"\s*:\s*"?([1-9]\d{0,8})\b', text)
    return tuple(dict.fromkeys(map(int, numbers)))[:MOST_GUESSES]


def _may_have_moved(project: Body, team_project: str) -> bool:
    """Return whether another path has the same name, or is in the same group, as the configured."""
    path = project.get("path_with_namespace")
    if not isinstance(path, str) or team_project.isdecimal():
        return False
    group, _, name = path.casefold().rpartition("/")
    known_group, _, known_name = team_project.casefold().rpartition("/")
    return name == known_name or group == known_group


def _refuse_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    mapping = dict(pairs)
    # Readers of JSON differ in which of two values counts.
    if len(mapping) != len(pairs):
        raise ValueError("an object repeats a key")
    return mapping


def _first_line(error: ValueError) -> str:
    return str(error).splitlines()[0][:120] if str(error) else "unreadable"


def _mapping(body: Body, key: str) -> Body:
    value = body.get(key)
    if not isinstance(value, dict):
        raise _UnreadableError(f"it has no object `{key}`; expected a GitLab webhook body")
    return value


def _positive(body: Body, key: str, where: str) -> int:
    value = body.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _UnreadableError(f"it has no positive number in `{where}.{key}`")
    return value
