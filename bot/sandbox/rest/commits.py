"""REST: commits and their history."""

# One module: what is below `/repository/commits`; reading and writing share its parameters.

from collections.abc import Iterator, Mapping

from bot.sandbox.acts import actions
from bot.sandbox.acts.merging import join
from bot.sandbox.acts.repository import CommitDraft
from bot.sandbox.rest.code_entities import count_commit, render_commit, render_commit_detail
from bot.sandbox.rest.core import FILES, Answer, Call, endpoint, paged
from bot.sandbox.rest.files import read_content
from bot.sandbox.rest.merge_request_entities import commits_of, render_merge_request_basic
from bot.sandbox.rest.params import PAGING, items, takes
from bot.sandbox.world.access import demand
from bot.sandbox.world.diffs import changes_of, render_diff
from bot.sandbox.world.entities import MergeRequest
from bot.sandbox.world.repository import MODE_EXECUTABLE, MODE_FILE, Commit, changed_paths
from bot.sandbox.world.state import RefusedError

COMMITS = "/projects/{id}/repository/commits"
ACTION = takes(
    text="file_path previous_path content last_commit_id",
    flag="execute_filemode",
    required="action file_path",
    choices={"action": "create delete move update chmod", "encoding": "text base64"},
)


@endpoint(
    "GET",
    COMMITS,
    PAGING,
    text="ref_name path author",
    flag="all with_stats first_parent trailers",
    moment="since until",
    choices={"order": "default topo", "pagination": "keyset legacy"},
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


@endpoint("GET", COMMITS + "/{sha}", flag="stats", scopes=FILES, job_token=True)
def show_commit(call: Call) -> object:
    """Tell of a commit."""
    commit = call.commit(call.path["sha"])
    body = render_commit_detail(call.world, call.project, commit)
    if not call.params.get("stats", True):
        del body["stats"]
    return body


@endpoint("GET", COMMITS + "/{sha}/diff", PAGING, flag="unidiff", scopes=FILES)
def show_commit_diff(call: Call) -> Answer:
    """List what a commit changed against its first parent."""
    commit, store = call.commit(call.path["sha"]), call.project.repository.store
    unidiff = call.params.get("unidiff", False)
    return paged(
        call, changes_of(store, commit), lambda each: render_diff(store, each, unidiff=unidiff)
    )


@endpoint("GET", COMMITS + "/{sha}/refs", PAGING, choices={"type": "branch tag all"}, scopes=FILES)
def list_commit_refs(call: Call) -> Answer:
    """List the branches and tags that have a commit."""
    sha, kind = call.commit(call.path["sha"]).sha, call.params.get("type", "all")
    repository = call.project.repository
    refs = [("branch", name, head) for name, head in repository.branches.items()]
    refs += [("tag", name, head) for name, (head, _) in repository.tags.items()]
    found = [
        {"type": each, "name": name}
        for each, name, head in refs
        if kind in {"all", each} and sha in repository.store.ancestors(head)
    ]
    return paged(call, found, dict)


@endpoint("GET", COMMITS + "/{sha}/sequence", flag="first_parent", scopes=FILES)
def count_history(call: Call) -> object:
    """Count a commit and those before it."""
    sha, first = call.commit(call.path["sha"]).sha, call.params.get("first_parent", False)
    return {"count": len(list(call.code.repository.log(sha, "", first_parent=first)))}


@endpoint("GET", COMMITS + "/{sha}/signature", scopes=FILES)
def show_signature(call: Call) -> None:
    """Say that nothing is signed here."""
    call.commit(call.path["sha"])
    raise RefusedError(404, "404 Signature Not Found")


COPIED = takes(text="branch message", flag="dry_run", required="branch")


@endpoint("POST", COMMITS + "/{sha}/cherry_pick", COPIED)
@endpoint("POST", COMMITS + "/{sha}/revert", COPIED)
def copy_commit(call: Call) -> object:
    """Do on a branch what a commit did, or undo it (app/services/commits/change_service.rb)."""
    given, commit, back = call.params, call.commit(call.path["sha"]), call.url.endswith("revert")
    repository, store = call.code.repository, call.project.repository.store
    demand(given["branch"] in repository.branches, 404, "404 Branch Not Found")
    ours = call.commit(given["branch"]).tree
    before = store.commits[commit.parents[0]].tree if commit.parents else {}
    base, theirs = (commit.tree, before) if back else (before, commit.tree)
    joined = join(store, (base, ours, theirs))
    paths = changed_paths(ours, joined.tree)
    if joined.conflicts or not paths:
        verb = "revert" if back else "cherry-pick"
        problem = f"Sorry, we cannot {verb} this commit automatically."
        code = "conflict" if joined.conflicts else "empty"
        raise RefusedError(400, problem, error_code=code)
    if given.get("dry_run"):
        return Answer(body={"dry_run": "success"})
    words_ = f'Revert "{commit.title}"\n\nThis reverts commit {commit.sha}'
    if not back:
        words_ = f"{commit.message.rstrip()}\n\n(cherry picked from commit {commit.sha})"
    blobs = {path: joined.tree.get(path) for path in paths}
    changes = {path: blob and store.blobs[blob.sha] for path, blob in blobs.items()}
    draft = CommitDraft(message=given.get("message", words_), changes=changes)
    made = actions.push(call.world, call.actor, call.project, given["branch"], draft)
    return render_commit(call.world, call.project, made)


@endpoint("GET", COMMITS + "/{sha}/merge_requests", PAGING, text="state", job_token=True)
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
    {"actions": items(ACTION)},
    text="branch commit_message start_branch start_sha",
    flag="stats",
    required="branch commit_message actions",
)
def create_commit(call: Call) -> object:
    """Commit several changes at once."""
    given = call.params
    repository = call.code.repository
    _check_start(call)
    start = given.get("start_sha") or given.get("start_branch", call.project.default_branch)
    head = repository.find_commit(given["branch"]) or repository.find_commit(start)
    changes: dict[str, bytes | None] = {}
    modes: dict[str, str] = {}
    for asked in given["actions"]:
        read = _read_action(call, asked, head, changes)
        changes |= read
        if "execute_filemode" in asked:
            mode = MODE_EXECUTABLE if asked["execute_filemode"] else MODE_FILE
            modes |= {path: mode for path, content in read.items() if content is not None}
    draft = CommitDraft(
        message=given["commit_message"],
        changes=changes,
        start_branch=given.get("start_sha") or given.get("start_branch"),
        modes=modes,
    )
    commit = actions.push(call.world, call.actor, call.project, given["branch"], draft)
    return render_commit_detail(call.world, call.project, commit)


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
    call: Call, given: Mapping[str, str], head: Commit | None, done: Mapping[str, bytes | None]
) -> Mapping[str, bytes | None]:
    """Read one action, which comes upon those before it (Gitaly, UserCommitFiles)."""

    def find(path: str) -> bytes | None:
        known = call.project.repository.content(head, path) if head else None
        return done.get(path, known)

    path, action, content = given["file_path"], given["action"], read_content(given)
    old = given.get("previous_path", path) if action == "move" else path
    kept = find(old)
    if action == "create" and kept is not None:
        raise RefusedError(400, "A file with this name already exists")
    if action != "create" and (kept is None or (action == "move" and old == path)):
        raise RefusedError(400, "A file with this name doesn't exist")
    if action == "delete":
        return {path: None}
    if action == "chmod" or (action == "move" and "content" not in given):
        content = kept or b""
    return {old: None, path: content} if action == "move" else {path: content}
