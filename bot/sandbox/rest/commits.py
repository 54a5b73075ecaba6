"""REST: commits and their history."""

from collections.abc import Iterator, Mapping

from bot.sandbox.acts import actions
from bot.sandbox.acts.repository import CommitDraft
from bot.sandbox.rest.code_entities import count_commit, render_commit, render_commit_detail
from bot.sandbox.rest.core import FILES, Answer, Call, endpoint, paged
from bot.sandbox.rest.files import read_content
from bot.sandbox.rest.merge_request_entities import commits_of, render_merge_request_basic
from bot.sandbox.rest.params import PAGING, Param, choice, flag, items, moment, text
from bot.sandbox.world.diffs import compare_trees, render_diff
from bot.sandbox.world.entities import MergeRequest
from bot.sandbox.world.repository import Commit
from bot.sandbox.world.state import RefusedError

COMMITS = "/projects/{id}/repository/commits"
ACTION: Mapping[str, Param] = {
    "action": choice("create", "delete", "move", "update", required=True),
    "file_path": text(required=True),
    "previous_path": text(),
    "content": text(),
    "encoding": choice("text", "base64"),
    "last_commit_id": text(),
}


@endpoint(
    "GET",
    COMMITS,
    {
        "ref_name": text(),
        "since": moment(),
        "until": moment(),
        "path": text(),
        "author": text(),
        "all": flag(),
        "with_stats": flag(),
        "first_parent": flag(),
        "order": choice("default", "topo"),
        "trailers": flag(),
        "pagination": choice("keyset", "legacy"),
        **PAGING,
    },
    scopes=FILES,
)
def list_commits(call: Call) -> Answer:
    """List commits, newest first; GitLab never counts them."""
    return paged(call, list(_history(call)), lambda each: _render(call, each), counted=False)


def _history(call: Call) -> Iterator[Commit]:
    given = call.params
    old, dots, new = given.get("ref_name", call.code.default_branch).rpartition("..")
    head = call.commit(new)
    below = call.code.repository.store.ancestors(call.commit(old).sha) if dots else set()
    first = given.get("first_parent", False)
    needle = given.get("author", "").casefold()
    for commit in call.code.repository.log(head.sha, given.get("path", ""), first_parent=first):
        at = commit.committer.at
        inside = given.get("since", at) <= at <= given.get("until", at)
        if (
            inside
            and commit.sha not in below
            and needle in f"{commit.author.name} <{commit.author.email}>".casefold()
        ):
            yield commit


def _render(call: Call, commit: Commit) -> dict[str, object]:
    rendered = render_commit(call.world, call.project, commit)
    if call.params.get("with_stats"):
        rendered["stats"] = count_commit(call.project, commit)
    return rendered


@endpoint("GET", COMMITS + "/{sha}", {"stats": flag()}, scopes=FILES, job_token=True)
def show_commit(call: Call) -> Answer:
    """Tell of a commit."""
    commit = call.commit(call.path["sha"])
    body = render_commit_detail(call.world, call.project, commit)
    if not call.params.get("stats", True):
        del body["stats"]
    return Answer(body=body)


@endpoint("GET", COMMITS + "/{sha}/diff", {"unidiff": flag(), **PAGING}, scopes=FILES)
def show_commit_diff(call: Call) -> Answer:
    """List what a commit changed against its first parent."""
    commit, store = call.commit(call.path["sha"]), call.project.repository.store
    base = store.commits[commit.parents[0]].tree if commit.parents else {}
    unidiff = call.params.get("unidiff", False)
    found = compare_trees(store, base, commit.tree)
    return paged(call, found, lambda each: render_diff(store, each, unidiff=unidiff))


@endpoint("GET", COMMITS + "/{sha}/merge_requests", {"state": text(), **PAGING}, job_token=True)
def list_commit_merge_requests(call: Call) -> Answer:
    """List the merge requests that brought a commit."""
    sha = call.commit(call.path["sha"]).sha
    wanted = call.params.get("state", "all")
    found = [
        mr
        for mr in call.project.merge_requests.values()
        if wanted in {"all", mr.state} and _brought(mr, sha)
    ]
    return paged(call, found, lambda mr: render_merge_request_basic(call.world, mr))


def _brought(mr: MergeRequest, sha: str) -> bool:
    return mr.merge_commit_sha == sha or any(each.sha == sha for each in commits_of(mr))


@endpoint(
    "POST",
    COMMITS,
    {
        "branch": text(required=True),
        "commit_message": text(required=True),
        "actions": items(ACTION, required=True),
        "start_branch": text(),
        "start_sha": text(),
        "stats": flag(),
    },
)
def create_commit(call: Call) -> Answer:
    """Commit several changes at once."""
    given = call.params
    repository = call.code.repository
    _check_start(call)
    start = given.get("start_sha") or given.get("start_branch", call.project.default_branch)
    head = repository.find_commit(given["branch"]) or repository.find_commit(start)
    changes: dict[str, bytes | None] = {}
    for asked in given["actions"]:
        changes |= _read_action(call, asked, head)
    draft = CommitDraft(
        message=given["commit_message"],
        changes=changes,
        start_branch=given.get("start_sha") or given.get("start_branch"),
    )
    commit = actions.push(call.world, call.actor, call.project, given["branch"], draft)
    return Answer(status=201, body=render_commit_detail(call.world, call.project, commit))


def _check_start(call: Call) -> None:
    """Refuse to begin a branch that is there, or from a commit that is not.

    app/services/commits/create_service.rb: `validate_start_sha!`, `validate_branch_existence!`.
    """
    given, repository = call.params, call.code.repository
    if "start_sha" in given and "start_branch" in given:
        raise RefusedError(400, "start_branch, start_sha are mutually exclusive", key="error")
    start = given.get("start_sha")
    if start is not None and repository.find_commit(start) is None:
        raise RefusedError(400, f"Cannot find start_sha '{start}'")
    name = given["branch"]
    is_other = start is not None or given.get("start_branch", name) != name
    if is_other and name in repository.branches:
        raise RefusedError(
            400,
            f"A branch called '{name}' already exists. Switch to that branch in order to make "
            "changes",
        )


def _read_action(
    call: Call, given: Mapping[str, str], head: Commit | None
) -> Mapping[str, bytes | None]:
    path, content = given["file_path"], read_content(given)
    _check_path(given["action"], path, head)
    if given["action"] == "delete":
        return {path: None}
    if given["action"] != "move":
        return {path: content}
    old = given.get("previous_path")
    kept = call.project.repository.content(head, old) if head and old else None
    if old is None or kept is None:
        raise RefusedError(400, "A file with this name doesn't exist")
    return {old: None, path: content if "content" in given else kept}


def _check_path(action: str, path: str, head: Commit | None) -> None:
    """Refuse to make what is there, and to change what is not (Gitaly, UserCommitFiles)."""
    is_there = head is not None and path in head.tree
    if action == "create" and is_there:
        raise RefusedError(400, "A file with this name already exists")
    if action in {"update", "delete"} and not is_there:
        raise RefusedError(400, "A file with this name doesn't exist")
