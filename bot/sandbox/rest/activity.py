"""REST: what people did, and the search in it (doc/api/events.md, doc/api/search.md)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import chain
from typing import Any

from markdown_it import MarkdownIt

from bot.sandbox.rest.code_entities import render_commit
from bot.sandbox.rest.core import USERS, Answer, Call, endpoint, paged
from bot.sandbox.rest.issues import render_issue
from bot.sandbox.rest.merge_request_entities import render_merge_request_basic, render_note
from bot.sandbox.rest.params import PAGING, alike, choice, flag, text
from bot.sandbox.rest.people_entities import render_user, stamp
from bot.sandbox.rest.project_entities import render_project
from bot.sandbox.world.access import (
    can_read,
    can_read_code,
    can_read_issue,
    can_read_merge_requests,
    can_see_note,
    effective_members,
)
from bot.sandbox.world.entities import Project, User
from bot.sandbox.world.state import Event

# app/models/event.rb, by what our log says.
ACTIONS = {"open": "opened", "close": "closed", "reopen": "reopened", "merge": "accepted",
           "approved": "approved", "approval": "approved"}  # fmt: skip
EVENTS = {
    **alike(text(), "action target_type before after scope"),
    "sort": choice("asc", "desc"),
    **PAGING,
}
Search = Callable[[Call, Project, str], Iterator[dict[str, Any]]]
Right = Callable[[User | None, Project, date], bool]


def _may_read(call: Call, event: Event) -> bool:
    mr, note, project = event.merge_request, event.note, event.project
    if project is None or not can_read(call.user, project, call.today):
        return False
    if mr is None:
        return can_read_code(call.user, project, call.today)
    if note is not None and not can_see_note(call.user, mr, note, call.today):
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


def _blobs(call: Call, project: Project, needle: str) -> Iterator[dict[str, Any]]:
    ref = call.params.get("ref", project.default_branch)
    commit = project.repository.find_commit(ref)
    if commit is None:
        return
    for path in sorted(commit.tree):
        content = (project.repository.content(commit, path) or b"").decode("utf-8", "replace")
        if needle in content.casefold():
            yield {
                "basename": path.rsplit("/", 1)[-1].rpartition(".")[0],
                "data": "\n".join(content.splitlines()[:3]),
                "path": path,
                "filename": path,
                "id": None,
                "ref": ref,
                "startline": 1,
                "project_id": project.id,
            }


def _commits(call: Call, project: Project, needle: str) -> Iterator[dict[str, Any]]:
    head = project.repository.find_commit(call.params.get("ref", project.default_branch))
    for commit in project.repository.log(head.sha) if head else ():
        if needle in commit.message.casefold() or commit.sha.startswith(needle):
            yield render_commit(call.world, project, commit)


def _notes(call: Call, project: Project, needle: str) -> Iterator[dict[str, Any]]:
    """Find comments, newest first; internal ones are left out."""
    pairs = [(mr, note) for mr in project.merge_requests.values() for note in mr.comments]
    for mr, note in sorted(pairs, key=lambda pair: -pair[1].id):
        if needle in note.body.casefold() and not note.internal:
            yield render_note(call.world, mr, note)


def _merge_requests(call: Call, project: Project, needle: str) -> Iterator[dict[str, Any]]:
    for mr in reversed(project.merge_requests.values()):
        if needle in f"{mr.title}\n{mr.description}\n!{mr.iid}".casefold():
            yield render_merge_request_basic(call.world, mr)


def _issues(call: Call, project: Project, needle: str) -> Iterator[dict[str, Any]]:
    for issue in reversed(project.issues.values()):
        text_ = f"{issue.title}\n{issue.description}".casefold()
        if needle in text_ and can_read_issue(call.user, project, issue, call.today):
            yield render_issue(call, project, issue)


def _milestones(call: Call, project: Project, needle: str) -> Iterator[dict[str, Any]]:
    rows = call.world.shelf("/projects/{id}/milestones", id=project.id)
    return (row for row in rows if needle in row["title"].casefold())


def _members(call: Call, project: Project, needle: str) -> Iterator[dict[str, Any]]:
    people = effective_members(project, call.today).values()
    return _people(call, (each.user for each in people), needle)


def _projects(call: Call, project: Project, needle: str) -> Iterator[dict[str, Any]]:
    if project.is_called(needle):
        yield render_project(call, project)


# What is looked for by scope, and who may: members of a feature alone where it is private.
SEARCHES: Mapping[str, tuple[Search, Right]] = {
    "blobs": (_blobs, can_read_code),
    "commits": (_commits, can_read_code),
    "notes": (_notes, can_read_merge_requests),
    "merge_requests": (_merge_requests, can_read_merge_requests),
    "issues": (_issues, can_read),
    "milestones": (_milestones, can_read),
    "users": (_members, can_read),
    "projects": (_projects, can_read),
}


def _people(call: Call, people: Iterable[User], needle: str) -> Iterator[dict[str, Any]]:
    for each in people:
        if each.is_called(needle):
            yield render_user(call.world, each)


ASKED = {
    "scope": choice(*SEARCHES, required=True),
    "search": text(required=True),
    **alike(text(), "ref state"),
    "confidential": flag(),
    **PAGING,
}


@endpoint("GET", "/projects/{id}/search", ASKED, open=False)
@endpoint("GET", "/groups/{id}/search", ASKED, open=False)
@endpoint("GET", "/search", ASKED, open=False)
def search(call: Call) -> Answer:
    """Find what holds a text, without case, as every tier's basic search."""
    needle, scope, projects = call.params["search"].casefold(), call.params["scope"], call.projects
    if scope == "users" and "id" not in call.path:
        return paged(call, list(_people(call, call.world.users.values(), needle)), dict)
    if scope in {"blobs", "commits"} and "ref" in call.params and call.is_in_project:
        call.commit(call.params["ref"])
    look, right = SEARCHES[scope]
    able = [each for each in projects if right(call.user, each, call.today)]
    found = chain.from_iterable(look(call, each, needle) for each in able)
    return paged(call, list(found), dict)


@endpoint("POST", "/markdown", {"text": text(required=True), "gfm": flag(), "project": text()},
          open=True)  # fmt: skip
def render_markdown(call: Call) -> Answer:
    """Render plain CommonMark: what GitLab adds to it (references, emoji) is left out."""
    return Answer(status=201, body={"html": MarkdownIt().render(call.params["text"])})
