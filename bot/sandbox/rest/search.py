"""REST: the search (doc/api/search.md), and Markdown as HTML."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import chain
from typing import Any

from markdown_it import MarkdownIt

from bot.sandbox.rest.code_entities import render_commit
from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.issues import render_issue
from bot.sandbox.rest.merge_request_entities import render_merge_request_basic, render_note
from bot.sandbox.rest.params import PAGING, takes
from bot.sandbox.rest.people_entities import render_user
from bot.sandbox.rest.project_entities import render_project
from bot.sandbox.world.access import (
    can_read,
    can_read_code,
    can_read_issue,
    can_read_merge_requests,
    effective_members,
)
from bot.sandbox.world.entities import Project, User

Search = Callable[[Call, Project, str], Iterator[dict[str, Any]]]
Right = Callable[[User | None, Project, date], bool]


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


ASKED = takes(
    PAGING,
    text="search ref state",
    flag="confidential",
    required="scope search",
    choices={"scope": " ".join(SEARCHES)},
)


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


@endpoint("POST", "/markdown", text="text project", flag="gfm", required="text", open=True)
def render_markdown(call: Call) -> object:
    """Render plain CommonMark: what GitLab adds to it (references, emoji) is left out."""
    return {"html": MarkdownIt().render(call.params["text"])}
