"""REST: the search in a project's files and comments, as every tier's basic search does it."""

from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.merge_request_entities import render_note
from bot.sandbox.rest.params import PAGING, choice, text


@endpoint(
    "GET",
    "/projects/{id}/search",
    {
        "scope": choice("blobs", "notes", required=True),
        "search": text(required=True),
        "ref": text(),
        **PAGING,
    },
    open=False,
)
def search_project(call: Call) -> Answer:
    """List files or comments that hold a text, without case; doc/api/search.md."""
    if call.params["scope"] == "notes":
        return _search_notes(call)
    ref = call.params.get("ref", call.code.default_branch)
    commit, needle = call.commit(ref), call.params["search"].casefold()
    repository = call.project.repository
    rows = []
    for path in sorted(commit.tree):
        content = (repository.content(commit, path) or b"").decode("utf-8", "replace")
        if needle in content.casefold():
            data = "\n".join(content.splitlines()[:3])
            name = path.rsplit("/", 1)[-1].rpartition(".")[0]
            rows.append(
                {
                    "basename": name,
                    "data": data,
                    "path": path,
                    "filename": path,
                    "id": None,
                    "ref": ref,
                    "startline": 1,
                    "project_id": call.project.id,
                }
            )
    return paged(call, rows, lambda row: row)


def _search_notes(call: Call) -> Answer:
    """List the comments that hold a text, newest first; internal ones are left out."""
    needle = call.params["search"].casefold()
    found = [
        (mr, note)
        for mr in call.project.merge_requests.values()
        for note in mr.comments
        if needle in note.body.casefold() and not note.internal
    ]
    found.sort(key=lambda pair: pair[1].id, reverse=True)
    return paged(call, found, lambda pair: render_note(call.world, *pair))
