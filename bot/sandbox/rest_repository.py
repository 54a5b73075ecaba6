"""REST: files, trees, branches, comparisons."""

import base64
import hashlib
from collections.abc import Mapping

from bot.sandbox import actions
from bot.sandbox.act_repository import CommitDraft
from bot.sandbox.diffs import compare_trees, render_diff
from bot.sandbox.entities import Level, Project
from bot.sandbox.repository import MODE_EXECUTABLE, Blob, Commit, Signature
from bot.sandbox.rest_code_entities import commit_time, commit_url, render_commit
from bot.sandbox.rest_core import FILES, Answer, Call, endpoint, paged
from bot.sandbox.rest_params import (
    PAGING,
    Param,
    choice,
    flag,
    integer,
    mapping,
    text,
    words,
)
from bot.sandbox.rest_people_entities import web_url
from bot.sandbox.state import RefusedError

FEWEST_REFS = 2
FILE = "/projects/{id}/repository/files/{file_path}"


def _find_file(call: Call, ref: str) -> tuple[Commit, Blob, bytes]:
    commit = call.commit(ref)
    path = call.path["file_path"]
    blob = commit.tree.get(path)
    if blob is None:
        raise RefusedError(404, "404 File Not Found")
    return commit, blob, call.project.repository.store.blobs[blob.sha]


def _last_commit(project: Project, commit: Commit, path: str) -> str:
    return next(project.repository.log(commit.sha, path), commit).sha


@endpoint("GET", FILE, {"ref": text(required=True)}, scopes=FILES)
def show_file(call: Call) -> Answer:
    """Tell of a file with its content in base64."""
    ref, path = call.params["ref"], call.path["file_path"]
    commit, blob, content = _find_file(call, _head(call, ref))
    body = {
        "file_name": path.rsplit("/", 1)[-1],
        "file_path": path,
        "size": len(content),
        "encoding": "base64",
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "ref": ref,
        "blob_id": blob.sha,
        "commit_id": commit.sha,
        "last_commit_id": _last_commit(call.project, commit, path),
        "execute_filemode": blob.mode == MODE_EXECUTABLE,
        "content": base64.b64encode(content).decode("ascii"),
    }
    return Answer(body=body)


def _head(call: Call, ref: str) -> str:
    return call.code.default_branch if ref == "HEAD" else ref


@endpoint("GET", FILE + "/raw", {"ref": text(), "lfs": flag()}, scopes=FILES, job_token=True)
def show_raw_file(call: Call) -> Answer:
    """Send a file."""
    _, blob, content = _find_file(call, _head(call, call.params.get("ref", "HEAD")))
    headers = {"X-Gitlab-Blob-Id": blob.sha, "X-Gitlab-Size": str(len(content))}
    return Answer(raw=content, headers=headers, content_type="text/plain; charset=utf-8")


@endpoint(
    "GET",
    FILE + "/blame",
    {"ref": text(required=True), "range": mapping({"start": integer(), "end": integer()})},
    scopes=FILES,
)
def blame_file(call: Call) -> Answer:
    """Say for each run of lines which commit wrote it."""
    commit, _, content = _find_file(call, _head(call, call.params["ref"]))
    lines = content.decode("utf-8", "replace").splitlines()
    owners = _blame(call.project, commit, call.path["file_path"], lines)
    wanted = call.params.get("range", {})
    start, end = wanted.get("start", 1), wanted.get("end", len(lines))
    runs: list[tuple[Commit, list[str]]] = []
    for line, owner in list(zip(lines, owners, strict=True))[start - 1 : end]:
        if runs and runs[-1][0] is owner:
            runs[-1][1].append(line)
        else:
            runs.append((owner, [line]))
    return Answer(body=[_render_blame(owner, kept) for owner, kept in runs])


def _blame(project: Project, head: Commit, path: str, lines: list[str]) -> list[Commit]:
    """Credit each line to the oldest commit that has held it ever since."""
    owners = [head] * len(lines)
    held = set(range(len(lines)))
    for commit in project.repository.log(head.sha, path):
        content = project.repository.content(commit, path) or b""
        here = set(content.decode("utf-8", "replace").splitlines())
        held = {index for index in held if lines[index] in here}
        for index in held:
            owners[index] = commit
    return owners


def _render_blame(commit: Commit, lines: list[str]) -> dict[str, object]:
    told = {
        "id": commit.sha,
        "parent_ids": list(commit.parents),
        "message": commit.message,
        "authored_date": commit_time(commit.author.at),
        "author_name": commit.author.name,
        "author_email": commit.author.email,
        "committed_date": commit_time(commit.committer.at),
        "committer_name": commit.committer.name,
        "committer_email": commit.committer.email,
    }
    return {"commit": told, "lines": lines}


WRITE_FILE: Mapping[str, Param] = {
    "branch": text(required=True),
    "content": text(required=True),
    "commit_message": text(required=True),
    "start_branch": text(),
    "author_email": text(),
    "author_name": text(),
    "last_commit_id": text(),
    "encoding": choice("text", "base64"),
    "execute_filemode": flag(),
}


def _write_file(call: Call, *, exists: bool) -> Answer:
    given, path = call.params, call.path["file_path"]
    head = call.code.repository.find_commit(given["branch"])
    if head is not None and (path in head.tree) is not exists:
        words_ = "doesn't exist" if exists else "already exists"
        raise RefusedError(400, f"A file with this name {words_}")
    content = given["content"].encode()
    if given.get("encoding") == "base64":
        content = base64.b64decode(content)
    draft = CommitDraft(
        message=given["commit_message"],
        changes={path: content},
        start_branch=given.get("start_branch"),
        author=_signature(call),
        mode=MODE_EXECUTABLE if given.get("execute_filemode") else None,
    )
    actions.push(call.world, call.actor, call.project, given["branch"], draft)
    body = {"file_path": path, "branch": given["branch"]}
    return Answer(status=200 if exists else 201, body=body)


def _signature(call: Call) -> Signature | None:
    given = call.params
    if not {"author_name", "author_email"} & set(given):
        return None
    default = f"{call.actor.username}@example.com"
    return Signature(
        name=given.get("author_name", call.actor.name),
        email=given.get("author_email", default),
        at=call.world.now,
    )


@endpoint("POST", FILE, WRITE_FILE)
def create_file(call: Call) -> Answer:
    """Make a file."""
    return _write_file(call, exists=False)


@endpoint("PUT", FILE, WRITE_FILE)
def update_file(call: Call) -> Answer:
    """Change a file."""
    return _write_file(call, exists=True)


@endpoint(
    "GET",
    "/projects/{id}/repository/tree",
    {
        "ref": text(),
        "path": text(),
        "recursive": flag(),
        "pagination": choice("legacy", "none"),
        **PAGING,
    },
    scopes=FILES,
)
def show_tree(call: Call) -> Answer:
    """List files and directories."""
    given = call.params
    commit = call.commit(_head(call, given.get("ref", "HEAD")), "404 Tree Not Found")
    found = _list_tree(commit, given.get("path", ""), recursive=given.get("recursive", False))
    return paged(call, found, lambda entry: entry)


def _list_tree(commit: Commit, path: str, *, recursive: bool) -> list[dict[str, str]]:
    prefix = f"{path.strip('/')}/" if path.strip("/") else ""
    rows: dict[str, dict[str, str]] = {}
    for name, blob in sorted(commit.tree.items()):
        if name.startswith(prefix):
            parts = name[len(prefix) :].split("/")
            for depth in range(1, len(parts) if recursive else min(2, len(parts))):
                place = prefix + "/".join(parts[:depth])
                sha = hashlib.sha1(place.encode(), usedforsecurity=False).hexdigest()
                rows.setdefault(place, _row(place, "tree", sha, "040000"))
            if recursive or len(parts) == 1:
                rows[name] = _row(name, "blob", blob.sha, blob.mode)
    return sorted(rows.values(), key=lambda row: (row["type"] == "blob", row["path"]))


def _row(path: str, kind: str, sha: str, mode: str) -> dict[str, str]:
    name = path.rsplit("/", 1)[-1]
    return {"id": sha, "name": name, "type": kind, "path": path, "mode": mode}


@endpoint(
    "GET",
    "/projects/{id}/repository/branches",
    {"search": text(), "sort": choice("name_asc", "updated_asc", "updated_desc"), **PAGING},
    scopes=FILES,
)
def list_branches(call: Call) -> Answer:
    """List branches by name."""
    needle = call.params.get("search", "")
    found = sorted(name for name in call.code.repository.branches if needle in name)
    return paged(call, found, lambda name: _render_branch(call, name))


@endpoint("GET", "/projects/{id}/repository/branches/{branch}", scopes=FILES)
def show_branch(call: Call) -> Answer:
    """Tell of a branch."""
    if call.path["branch"] not in call.code.repository.branches:
        raise RefusedError(404, "404 Branch Not Found")
    return Answer(body=_render_branch(call, call.path["branch"]))


@endpoint(
    "POST",
    "/projects/{id}/repository/branches",
    {"branch": text(required=True), "ref": text(required=True)},
)
def create_branch(call: Call) -> Answer:
    """Make a branch."""
    name = call.params["branch"]
    actions.create_branch(call.world, call.actor, call.code, name, call.params["ref"])
    return Answer(status=201, body=_render_branch(call, name))


def _render_branch(call: Call, name: str) -> dict[str, object]:
    project = call.project
    return {
        "name": name,
        "commit": render_commit(call.world, project, call.commit(name)),
        "merged": False,
        "protected": name in project.protected_branches,
        "developers_can_push": False,
        "developers_can_merge": False,
        "can_push": call.level >= Level.DEVELOPER,
        "default": name == project.default_branch,
        "web_url": web_url(call.world, f"{project.path_with_namespace}/-/tree/{name}"),
    }


@endpoint(
    "GET",
    "/projects/{id}/repository/compare",
    {
        "from": text(required=True),
        "to": text(required=True),
        "straight": flag(),
        "unidiff": flag(),
    },
    scopes=FILES,
)
def compare(call: Call) -> Answer:
    """Compare two refs, from their merge base unless `straight`."""
    given, repository = call.params, call.code.repository
    old, new = call.commit(given["from"], "404 Ref Not Found"), call.commit(given["to"])
    base = None if given.get("straight") else repository.store.merge_base(old.sha, new.sha)
    start = repository.store.commits[base] if base else old
    below = repository.store.ancestors(old.sha)
    commits = [each for each in repository.log(new.sha) if each.sha not in below][::-1]
    changes = compare_trees(repository.store, start.tree, new.tree)
    rendered = [render_commit(call.world, call.project, each) for each in commits]
    body = {
        "commit": rendered[-1] if rendered else None,
        "commits": rendered,
        "diffs": [
            render_diff(repository.store, each, unidiff=given.get("unidiff", False))
            for each in changes
        ],
        "compare_timeout": False,
        "compare_same_ref": old.sha == new.sha,
        "web_url": commit_url(call.world, call.project, new.sha),
    }
    return Answer(body=body)


@endpoint("GET", "/projects/{id}/repository/merge_base", {"refs": words()}, scopes=FILES)
def show_merge_base(call: Call) -> Answer:
    """Tell the newest common ancestor of refs."""
    refs = call.params.get("refs", [])
    if len(refs) < FEWEST_REFS:
        raise RefusedError(400, "Provide at least 2 refs")
    base: str | None = call.commit(refs[0]).sha
    for ref in refs[1:]:
        other = call.commit(ref).sha
        base = call.code.repository.store.merge_base(base, other) if base else None
    if base is None:
        raise RefusedError(404, "404 Merge Base Not Found")
    return Answer(body=render_commit(call.world, call.project, call.commit(base)))
