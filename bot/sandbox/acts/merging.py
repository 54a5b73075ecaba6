"""Return whether a merge request can be merged, and what merging it gives."""

from typing import NamedTuple

from bot.sandbox.acts.pipelines import check_status, find_head_pipeline
from bot.sandbox.world.entities import MergeRequest
from bot.sandbox.world.line_merge import merge_texts
from bot.sandbox.world.repository import MODE_LINK, Blob, ObjectStore, Tree, changed_paths
from bot.sandbox.world.state import World

RUNNING = frozenset({"running", "pending", "created"})


class Joined(NamedTuple):
    """The tree a merge gives, and the paths in conflict."""

    tree: Tree
    conflicts: tuple[str, ...]


def join_trees(mr: MergeRequest) -> Joined:
    """Merge the present heads of source and target.

    Without a merge base everything counts as added on both sides, as Gitaly merges unrelated
    histories (internal/gitaly/service/operations/merge_branch.go, `WithAllowUnrelatedHistories`).
    """
    store = mr.project.repository.store
    target = mr.project.repository.branches.get(mr.target_branch)
    head = mr.head_sha
    if target is None or head not in store.commits:
        return Joined({}, ())
    base = store.merge_base(target, head)
    base_tree = store.commits[base].tree if base else {}
    return join(store, (base_tree, store.commits[target].tree, store.commits[head].tree))


def join(store: ObjectStore, trees: tuple[Tree, Tree, Tree]) -> Joined:
    """Merge base, ours and theirs: by file, and where both changed one, by line."""
    base, ours, theirs = trees
    merged: dict[str, Blob | None] = {**ours}
    conflicts = []
    for path in changed_paths(base, theirs):
        if ours.get(path) in {base.get(path), theirs.get(path)}:
            merged[path] = theirs.get(path)
        elif blob := _join_files(store, path, trees):
            merged[path] = blob
        else:
            conflicts.append(path)
    return Joined({path: blob for path, blob in merged.items() if blob}, tuple(conflicts))


def _join_files(store: ObjectStore, path: str, trees: tuple[Tree, Tree, Tree]) -> Blob | None:
    """Merge a file that both sides changed; None where that is a conflict."""
    base, ours, theirs = (tree.get(path) for tree in trees)
    if base is None or ours is None or theirs is None or MODE_LINK in {ours.mode, theirs.mode}:
        return None
    text = merge_texts(*(store.blobs[each.sha] for each in (base, ours, theirs)))
    return None if text is None else Blob(store.add_blob(text), ours.mode)


def has_source_branch(mr: MergeRequest) -> bool:
    """Return whether the branch with the changes is there."""
    source = mr.source_project
    return source is not None and mr.source_branch in source.repository.branches


def has_conflicts(mr: MergeRequest) -> bool:
    """Return whether an open merge request is known not to merge into its target branch.

    One without its branch is told so, too: `broken?` of app/models/merge_request.rb.
    """
    return mr.state == "opened" and (not has_source_branch(mr) or bool(join_trees(mr).conflicts))


def threads_allow(mr: MergeRequest) -> bool:
    """Return whether threads let it merge: always, where the project does not ask for it.

    `mergeable_discussions_state?` of app/models/merge_request.rb; the interfaces call it
    `blocking_discussions_resolved`.
    """
    asked = mr.project.settings.threads_must_be_resolved
    return not asked or all(note.resolved for note in mr.notes if note.resolvable)


def assess_merge(world: World, mr: MergeRequest) -> str:
    """Name the first thing in the way, in the words of `detailed_merge_status`."""
    if mr.state != "opened":
        return "not_open"
    if not mr.prepared:
        return "preparing"
    if mr.draft:
        return "draft_status"
    return _assess_branches(mr) or _assess_people(mr) or _assess_gates(world, mr) or "mergeable"


def _assess_branches(mr: MergeRequest) -> str | None:
    if not has_source_branch(mr):
        # app/services/merge_requests/mergeability/check_commits_status_service.rb
        return "commits_status"
    if has_conflicts(mr):
        return "conflict"
    return "need_rebase" if _needs_rebase(mr) else None


def _needs_rebase(mr: MergeRequest) -> bool:
    """Return whether the target moved on where history is to stay a line (`should_be_rebased?`)."""
    repository = mr.project.repository
    store, target = repository.store, repository.branches.get(mr.target_branch)
    linear = mr.project.told.get("merge_method", "merge") != "merge"
    return linear and target is not None and store.merge_base(target, str(mr.head_sha)) != target


def _assess_people(mr: MergeRequest) -> str | None:
    settings = mr.project.settings
    if not threads_allow(mr):
        return "discussions_not_resolved"
    if settings.premium and len(mr.approvals) < settings.approvals_required:
        return "not_approved"
    if settings.premium and any(each.state == "requested_changes" for each in mr.reviewers):
        return "requested_changes"
    return None


def _assess_gates(world: World, mr: MergeRequest) -> str | None:
    settings = mr.project.settings
    if settings.pipelines_must_succeed:
        pipeline = find_head_pipeline(mr)
        status = pipeline.status if pipeline else "none"
        enough = {"success", "skipped"} if settings.skipped_is_success else {"success"}
        if status not in enough:
            return "ci_still_running" if status in RUNNING else "ci_must_pass"
    if settings.ultimate and settings.checks_must_succeed:
        states = {check_status(world, mr, check) for check in mr.project.status_checks}
        if states - {"passed"}:
            return "status_checks_must_pass"
    return None
