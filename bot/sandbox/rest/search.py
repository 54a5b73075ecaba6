"""REST: the search in a project's files, as the basic search of every tier does it."""

from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.params import PAGING, choice, text


@endpoint(
    "GET",
    "/projects/{id}/search",
    {
        "scope": choice("blobs", required=True),
        "search": text(required=True),
        "ref": text(),
        **PAGING,
    },
    open=False,
)
def search_project(call: Call) -> Answer:
    """List the files that hold a text, without case; doc/api/search.md, scope blobs."""
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
