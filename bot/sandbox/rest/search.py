"""REST: the search in the files and the comments of a project (doc/api/search.md)."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.merge_request_entities import render_note
from bot.sandbox.rest.params import PAGING, alike, choice, flag, text
from bot.sandbox.world.access import can_read_code, can_read_merge_requests
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


def _notes(call: Call, project: Project, needle: str) -> Iterator[dict[str, Any]]:
    """Find comments, newest first; internal ones are left out."""
    pairs = [(mr, note) for mr in project.merge_requests.values() for note in mr.comments]
    for mr, note in sorted(pairs, key=lambda pair: -pair[1].id):
        if needle in note.body.casefold() and not note.internal:
            yield render_note(call.world, mr, note)


# What is looked for by scope, and who may: members of a feature alone where it is private.
SEARCHES: Mapping[str, tuple[Search, Right]] = {
    "blobs": (_blobs, can_read_code),
    "notes": (_notes, can_read_merge_requests),
}
ASKED = {
    "scope": choice(*SEARCHES, required=True),
    "search": text(required=True),
    **alike(text(), "ref state"),
    "confidential": flag(),
    **PAGING,
}


@endpoint("GET", "/projects/{id}/search", ASKED, open=False)
def search(call: Call) -> Answer:
    """Find what holds a text, without case, as every tier's basic search."""
    project, needle = call.project, call.params["search"].casefold()
    look, right = SEARCHES[call.params["scope"]]
    if look is _blobs and "ref" in call.params:
        call.commit(call.params["ref"])
    found = look(call, project, needle) if right(call.user, project, call.today) else ()
    return paged(call, [*found], dict)
