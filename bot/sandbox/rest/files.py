"""REST: files: read and written."""

import base64
import hashlib
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple
from urllib.parse import quote

from bot.sandbox.acts import actions
from bot.sandbox.acts.repository import CommitDraft
from bot.sandbox.rest.core import FILES, Answer, Call, endpoint
from bot.sandbox.rest.params import takes
from bot.sandbox.world.access import required
from bot.sandbox.world.entities import Project
from bot.sandbox.world.repository import MODE_EXECUTABLE, Commit, Signature
from bot.sandbox.world.state import RefusedError

FILE = "/projects/{id}/repository/files/{file_path}"


class Found(NamedTuple):
    """A file at a ref: its commit, its content, and what is said of it."""

    commit: Commit
    content: bytes
    told: Mapping[str, object]


def _last_commit(project: Project, commit: Commit, path: str) -> str:
    return next(project.repository.log(commit.sha, path), commit).sha


@endpoint("GET", FILE, text="ref", required="ref", scopes=FILES)
def show_file(call: Call) -> Answer:
    """Tell of a file with its content in base64."""
    found = find_file(call, call.params["ref"])
    encoded = base64.b64encode(found.content).decode("ascii")
    return Answer(body={**found.told, "content": encoded}, headers=describe_in_headers(found.told))


def find_file(call: Call, ref: str) -> Found:
    """Return a file at a ref with what is said of it; raise RefusedError."""
    path, commit = call.path["file_path"], call.commit(read_ref(call, ref))
    blob = required(commit.tree.get(path), "404 File Not Found")
    content = call.project.repository.store.blobs[blob.sha]
    told = {
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
    }
    return Found(commit, content, told)


def describe_in_headers(described: Mapping[str, object]) -> Mapping[str, str]:
    """Say the same in headers (lib/api/files.rb and lib/api/helpers/headers_helpers.rb)."""
    return {
        f"X-Gitlab-{name.replace('_', '-').title()}": (
            str(value).lower() if isinstance(value, bool) else quote(str(value), safe="/ ")
        )
        for name, value in described.items()
    }


def read_ref(call: Call, ref: str) -> str:
    """Resolve HEAD to the default branch."""
    return call.code.default_branch if ref == "HEAD" else ref


@endpoint("GET", FILE + "/raw", text="ref", flag="lfs", scopes=FILES, job_token=True)
def show_raw_file(call: Call) -> Answer:
    """Send a file."""
    found = find_file(call, call.params.get("ref", "HEAD"))
    kind = "text/plain; charset=utf-8"
    return Answer(raw=found.content, headers=describe_in_headers(found.told), content_type=kind)


# doc/api/repository_files.md: what deleting a file takes, and writing it besides.
DELETE_FILE = takes(
    text="branch commit_message start_branch author_email author_name last_commit_id",
    required="branch commit_message",
)
WRITE_FILE = takes(
    DELETE_FILE,
    text="content",
    flag="execute_filemode",
    required="content",
    choices={"encoding": "text base64"},
)


def read_content(given: Mapping[str, str]) -> bytes:
    """Decode what is to be written; raise RefusedError (400)."""
    content = given.get("content", "").encode()
    try:
        return base64.b64decode(content) if given.get("encoding") == "base64" else content
    except ValueError:
        raise RefusedError(400, "content is invalid", key="error") from None


def _write_file(call: Call, *, exists: bool, deletes: bool = False) -> object:
    """Make, change or delete a file, which must be there or not."""
    given, path = call.params, call.path["file_path"]
    head = call.code.repository.find_commit(given["branch"])
    if head is not None and (path in head.tree) is not exists:
        words_ = "doesn't exist" if exists else "already exists"
        raise RefusedError(400, f"A file with this name {words_}")
    known = given.get("last_commit_id")
    if known and head and known != _last_commit(call.project, head, path):
        # app/services/files/base_service.rb, `validate_last_commit_id`
        problem = (
            "You are attempting to update a file that has changed since you started editing it."
        )
        raise RefusedError(400, problem)
    content = read_content(given)
    draft = CommitDraft(
        message=given["commit_message"],
        changes={path: None if deletes else content},
        start_branch=given.get("start_branch"),
        author=_signature(call),
        mode=MODE_EXECUTABLE if given.get("execute_filemode") else None,
    )
    actions.push(call.world, call.actor, call.project, given["branch"], draft)
    return None if deletes else {"file_path": path, "branch": given["branch"]}


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


endpoint("POST", FILE, WRITE_FILE)(partial(_write_file, exists=False))
endpoint("PUT", FILE, WRITE_FILE)(partial(_write_file, exists=True))
endpoint("DELETE", FILE, DELETE_FILE)(partial(_write_file, exists=True, deletes=True))
