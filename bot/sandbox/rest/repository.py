"""REST: trees, branches, comparisons."""

# One module: one short endpoint for each address below `/repository` that reads.

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from bot.sandbox.acts import actions
from bot.sandbox.rest.code_entities import commit_url, render_commit
from bot.sandbox.rest.core import FILES, Answer, Call, endpoint, paged, read_window
from bot.sandbox.rest.files import read_ref
from bot.sandbox.rest.params import PAGING
from bot.sandbox.rest.people_entities import web_url
from bot.sandbox.world.access import can_push, demand, required
from bot.sandbox.world.diffs import compare_trees, render_diff
from bot.sandbox.world.entities import Level, Project
from bot.sandbox.world.git_objects import encode_trees
from bot.sandbox.world.repository import Commit
from bot.sandbox.world.state import RefusedError

FEWEST_REFS = 2
# doc/administration/instance_limits.md; `compare_timeout` then tells that there were more.
COMPARED_FILES = 1000


@endpoint(
    "GET",
    "/projects/{id}/repository/tree",
    PAGING,
    text="ref path page_token",
    flag="recursive",
    choices={"pagination": "legacy keyset none"},
    scopes=FILES,
)
def show_tree(call: Call) -> object:
    """List files and directories."""
    given = call.params
    commit = call.commit(read_ref(call, given.get("ref", "HEAD")), "404 Tree Not Found")
    found = list_tree(commit, given.get("path", ""), recursive=given.get("recursive", False))
    if given.get("pagination") == "none":
        return found
    return _keyset(call, found) if given.get("pagination") == "keyset" else paged(call, found, dict)


def _keyset(call: Call, found: list[dict[str, str]]) -> Answer:
    """Answer what follows the token, which names the last row before, as Gitaly's does.

    doc/api/repositories.md; the number of that row would not do, as two may be alike.
    """
    (_, size), token = read_window(call), call.params.get("page_token")
    if token:
        places = [at for at, row in enumerate(found) if _token(row) == token]
        demand(bool(places), 404, "404 Tree Not Found")
        found = found[places[0] + 1 :]
    shown, headers = found[:size], {"X-Per-Page": str(size)}
    if len(found) > size:
        kept = [(name, value) for name, value in call.query if name != "page_token"]
        query = urlencode([*kept, ("page_token", _token(shown[-1]))])
        headers["Link"] = f'<{call.base_url}{call.url}?{query}>; rel="next"'
    return Answer(body=shown, headers=headers)


def _token(row: dict[str, str]) -> str:
    return b64encode(row["path"].encode()).decode()


def list_tree(commit: Commit, path: str, *, recursive: bool = False) -> list[dict[str, str]]:
    """List files and directories, these first."""
    prefix = f"{path.strip('/')}/" if path.strip("/") else ""
    rows: dict[str, dict[str, str]] = {}
    folders = encode_trees(commit.tree)
    for name, blob in sorted(commit.tree.items()):
        if name.startswith(prefix):
            parts = name[len(prefix) :].split("/")
            for depth in range(1, len(parts) if recursive else min(2, len(parts))):
                place = prefix + "/".join(parts[:depth])
                rows.setdefault(place, _row(place, "tree", folders[place][0], "040000"))
            if recursive or len(parts) == 1:
                rows[name] = _row(name, "blob", blob.sha, blob.mode)
    return sorted(rows.values(), key=lambda row: (row["type"] == "blob", row["path"]))


def _row(path: str, kind: str, sha: str, mode: str) -> dict[str, str]:
    name = path.rsplit("/", 1)[-1]
    return {"id": sha, "name": name, "type": kind, "path": path, "mode": mode}


@endpoint(
    "GET",
    "/projects/{id}/repository/branches",
    PAGING,
    text="search regex",
    choices={"sort": "name_asc updated_asc updated_desc"},
    scopes=FILES,
)
def list_branches(call: Call) -> Answer:
    """List branches by name."""
    found = sorted(name for name in call.code.repository.branches if _is_named(call.params, name))
    return paged(call, found, lambda name: _render_branch(call, name))


def _is_named(given: Mapping[str, str], name: str) -> bool:
    """Return whether a name is asked for: `^a` begins, `a$` ends so (doc/api/branches.md)."""
    needle, pattern = given.get("search", ""), given.get("regex", "")
    begins = not needle.startswith("^") or name.startswith(needle[1:].rstrip("$"))
    ends = not needle.endswith("$") or name.endswith(needle[:-1].lstrip("^"))
    try:
        matches = re.search(pattern, name) is not None
    except re.error:
        raise RefusedError(400, f"Invalid regex: {pattern}", key="error") from None
    return begins and ends and needle.strip("^$").casefold() in name.casefold() and matches


@endpoint("GET", "/projects/{id}/repository/branches/{branch}", scopes=FILES)
def show_branch(call: Call) -> object:
    """Tell of a branch."""
    demand(call.path["branch"] in call.code.repository.branches, 404, "404 Branch Not Found")
    return _render_branch(call, call.path["branch"])


@endpoint("POST", "/projects/{id}/repository/branches", text="branch ref", required="branch ref")
def create_branch(call: Call) -> object:
    """Make a branch."""
    name = call.params["branch"]
    actions.create_branch(call.world, call.actor, call.code, name, call.params["ref"])
    return _render_branch(call, name)


@endpoint("DELETE", "/projects/{id}/repository/branches/{branch}")
def delete_branch(call: Call) -> None:
    """Delete a branch; a protected one stays (lib/api/branches.rb)."""
    name, project = call.path["branch"], call.code
    demand(name in project.repository.branches, 404, "404 Branch Not Found")
    demand(name != project.default_branch and not project.protections_of(name), 403)
    actions.delete_branch(call.world, call.actor, project, name)


def _is_merged(project: Project, name: str) -> bool:
    heads = project.repository.branches
    above = heads.get(project.default_branch)
    return above is not None and heads[name] in project.repository.store.ancestors(above)


def _render_branch(call: Call, name: str) -> dict[str, object]:
    project = call.project
    is_protected = bool(project.protections_of(name))
    pushing, merging = project.levels_to_push(name), project.levels_to_merge(name)
    return {
        "name": name,
        "commit": render_commit(call.world, project, call.commit(name)),
        "merged": name != project.default_branch and _is_merged(project, name),
        "protected": is_protected,
        "developers_can_push": is_protected and Level.DEVELOPER in pushing,
        "developers_can_merge": is_protected and Level.DEVELOPER in merging,
        "can_push": can_push(call.user, project, name, call.today),
        "default": name == project.default_branch,
        "web_url": web_url(call.world, f"{project.path_with_namespace}/-/tree/{name}"),
    }


@endpoint(
    "GET",
    "/projects/{id}/repository/compare",
    text="from to",
    flag="straight unidiff",
    required="from to",
    scopes=FILES,
)
def compare(call: Call) -> object:
    """Compare two refs, from their merge base unless `straight`."""
    given, repository = call.params, call.code.repository
    old, new = call.commit(given["from"], "404 Ref Not Found"), call.commit(given["to"])
    base = None if given.get("straight") else repository.store.merge_base(old.sha, new.sha)
    start = repository.store.commits[base] if base else old
    commits = repository.between(old.sha, new.sha)[::-1]
    changes = compare_trees(repository.store, start.tree, new.tree)
    rendered = [render_commit(call.world, call.project, each) for each in commits]
    return {
        "commit": rendered[-1] if rendered else None,
        "commits": rendered,
        "diffs": [
            render_diff(repository.store, each, unidiff=given.get("unidiff", False))
            for each in changes[:COMPARED_FILES]
        ],
        "compare_timeout": len(changes) > COMPARED_FILES,
        "compare_same_ref": old.sha == new.sha,
        "web_url": commit_url(call.world, call.project, new.sha),
    }


@endpoint("GET", "/projects/{id}/repository/blobs/{sha}", scopes=FILES)
@endpoint("GET", "/projects/{id}/repository/blobs/{sha}/raw", scopes=FILES)
def show_blob(call: Call) -> object:
    """Send the content of a file by its number."""
    sha = call.path["sha"]
    content = required(call.code.repository.store.blobs.get(sha), "404 Blob Not Found")
    if call.url.endswith("/raw"):
        return Answer(raw=content, content_type="text/plain; charset=utf-8")
    told = {"size": len(content), "encoding": "base64", "sha": sha}
    return told | {"content": b64encode(content).decode()}


@endpoint(
    "GET",
    "/projects/{id}/repository/contributors",
    PAGING,
    text="ref",
    choices={"order_by": "email name commits", "sort": "asc desc"},
    scopes=FILES,
)
def list_contributors(call: Call) -> Answer:
    """Count the commits of each author; lines are always 0 (doc/api/repositories.md)."""
    head = call.commit(call.params.get("ref", call.code.default_branch))
    counted = Counter(each.author[:2] for each in call.project.repository.log(head.sha))
    rows: list[dict[str, Any]] = [
        {"name": name, "email": email, "commits": count, "additions": 0, "deletions": 0}
        for (name, email), count in counted.items()
    ]
    order = call.params.get("order_by", "commits")
    rows.sort(key=lambda row: row[order], reverse=call.params.get("sort") == "desc")
    return paged(call, rows, dict)


@endpoint("GET", "/projects/{id}/repository/merge_base", words="refs", scopes=FILES)
def show_merge_base(call: Call) -> object:
    """Tell the newest common ancestor of refs."""
    refs = call.params.get("refs", [])
    if len(refs) < FEWEST_REFS:
        raise RefusedError(400, "Provide at least 2 refs")
    base: str | None = call.commit(refs[0]).sha
    for ref in refs[1:]:
        other = call.commit(ref).sha
        base = call.code.repository.store.merge_base(base, other) if base else None
    commit = call.commit(required(base, "404 Merge Base Not Found"))
    return render_commit(call.world, call.project, commit)
