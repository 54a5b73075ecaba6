"""What joins the branches of a merge request: merging it, rebasing it, trying a merge."""

from dataclasses import dataclass

from bot.sandbox.acts.merge_requests import announce, remember_state
from bot.sandbox.acts.merging import assess_merge, join, join_trees
from bot.sandbox.acts.repository import announce_push, delete_branch, sign
from bot.sandbox.world.access import can_merge, can_push, demand
from bot.sandbox.world.entities import DiffVersion, MergeRequest, User
from bot.sandbox.world.repository import Signature
from bot.sandbox.world.state import RefusedError, World


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeWish:
    """How somebody wants it merged; None is what the merge request says, or GitLab's default."""

    message: str | None = None
    squash: bool | None = None
    squash_message: str | None = None
    remove_source_branch: bool | None = None


def merge(
    world: World,
    user: User,
    mr: MergeRequest,
    sha: str | None = None,
    wish: MergeWish | None = None,
) -> None:
    """Merge, if the merge request is mergeable and `sha`, when given, is its head."""
    wish = wish or MergeWish()
    with world.writing() as now:
        demand(can_merge(user, mr.project, mr.target_branch, now.date()), 401)
        if sha is not None and sha != mr.head_sha:
            raise RefusedError(409, "SHA does not match HEAD of source branch: " + str(mr.head_sha))
        verdict = assess_merge(world, mr)
        if verdict == "conflict":
            raise RefusedError(422, "Branch cannot be merged")
        if verdict != "mergeable":
            raise RefusedError(405, "405 Method Not Allowed")
        old = mr.project.repository.branches.get(mr.target_branch)
        mr.state, mr.merged_at, mr.merged_by = "merged", now, user
        remember_state(world, user, mr)
        _commit_merge(world, user, mr, wish)
        announce(world, user, mr, "merge", {"state": ("opened", "merged")})
        announce_push(world, user, mr.project, mr.target_branch, old)
        mr.should_remove_source_branch = wish.remove_source_branch
        _remove_source_branch(world, user, mr)


def _commit_merge(world: World, user: User, mr: MergeRequest, wish: MergeWish) -> None:
    """Merge the head, or one commit of all its changes (doc/user/project/merge_requests/squash)."""
    repository, joined = mr.project.repository, join_trees(mr)
    message = wish.message
    if message is None:
        message = f"Merge branch '{mr.source_branch}' into '{mr.target_branch}'\n\n{mr.title}\n\n"
        message += f"See merge request {mr.project.path_with_namespace}!{mr.iid}"
    author, head = sign(user, world.now), str(mr.head_sha)
    mr.squash = mr.squash if wish.squash is None else wish.squash
    option = mr.project.told.get("squash_option", "default_off")
    mr.squash = option == "always" or (mr.squash and option != "never")
    if mr.squash:
        head = mr.squash_commit_sha = _squash(mr, author, wish.squash_message or mr.title)
    if mr.project.told.get("merge_method") == "ff":
        repository.move_branch(mr.target_branch, head)
        return
    merged = repository.commit_tree(mr.target_branch, joined.tree, message, author, head)
    mr.merge_commit_sha = merged.sha


def _squash(mr: MergeRequest, author: Signature, message: str) -> str:
    """Make one commit of all changes; one commit with that message stays as it is."""
    store, version = mr.project.repository.store, mr.diff
    if version is None or version.base_sha is None:
        raise RefusedError(422, "Failed to squash. Should be done manually.")
    head = store.commits[version.head_sha]
    if head.parents == (version.base_sha,) and head.message == message:
        return head.sha
    by_author = sign(mr.author, author.at)
    return store.add_commit(head.tree, (version.base_sha,), message, by_author).sha


def _remove_source_branch(world: World, user: User, mr: MergeRequest) -> None:
    """Delete the source branch as asked for, unless it is protected or the default one.

    `can_remove_source_branch?` of app/models/merge_request.rb; who asked when it was opened is
    the author (app/services/merge_requests/merge_service.rb, `branch_deletion_user`).
    """
    source, branch = mr.source_project, mr.source_branch
    asked, person = mr.should_remove_source_branch, user
    if asked is None:
        asked, person = mr.force_remove_source_branch, mr.author
    if not asked or source is None or branch == source.default_branch:
        return
    if not source.protections_of(branch) and can_push(person, source, branch, world.now.date()):
        delete_branch(world, person, source, branch)


def rebase(world: World, user: User, mr: MergeRequest) -> None:
    """Replay the commits of the source branch on the target branch.

    `RebaseService` of app/services/merge_requests; 403 for who may not push the source.
    """
    with world.writing() as now:
        source, version = mr.source_project, mr.diff
        demand(source is not None and can_push(user, source, mr.source_branch, now.date()))
        target = mr.project.repository.branches.get(mr.target_branch)
        if source is None or version is None or target is None or mr.state != "opened":
            raise RefusedError(409, "Failed to enqueue the rebase operation")
        head = _replay(mr, version, target, sign(user, now))
        old = source.repository.branches.get(mr.source_branch)
        if head != old:
            source.repository.move_branch(mr.source_branch, head)
            announce_push(world, user, source, mr.source_branch, old)


def _replay(mr: MergeRequest, version: DiffVersion, target: str, committer: Signature) -> str:
    store = mr.project.repository.store
    if store.merge_base(target, version.head_sha) == target:
        return version.head_sha
    new = mr.project.repository.between(target, version.head_sha)
    head = target
    for commit in reversed([each for each in new if len(each.parents) == 1]):
        base, ours = store.commits[commit.parents[0]].tree, store.commits[head].tree
        joined = join(store, (base, ours, commit.tree))
        if joined.conflicts:
            # What GitLab answers at the merge request then, as `merge_error`.
            raise RefusedError(
                409, "Rebase failed: Rebase locally, resolve all conflicts, then push"
            )
        author = commit.author
        head = store.add_commit(joined.tree, (head,), commit.message, author, committer).sha
    return head


def make_merge_ref(mr: MergeRequest) -> str:
    """Make the commit that merging would make, on no branch (`MergeToRefService`)."""
    joined, repository = join_trees(mr), mr.project.repository
    target = repository.branches.get(mr.target_branch)
    if target is None or mr.head_sha is None or joined.conflicts:
        raise RefusedError(400, "Merge request is not mergeable")
    message = f"Merge {mr.head_sha} into {target}"
    author = sign(mr.author, mr.updated_at)
    made = repository.store.add_commit(joined.tree, (target, mr.head_sha), message, author)
    repository.fetch(made.sha)
    return made.sha
