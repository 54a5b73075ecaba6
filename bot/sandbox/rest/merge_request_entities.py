"""How merge requests and notes look in the REST interface."""

# One module: each entity here is part of the next, as in lib/api/entities.

import re
from collections.abc import Mapping

from bot.sandbox.acts.merging import assess_merge, has_conflicts, threads_allow
from bot.sandbox.acts.pipelines import find_head_pipeline
from bot.sandbox.rest.code_entities import render_pipeline, render_pipeline_detail
from bot.sandbox.rest.people_entities import (
    expose,
    render_issuable,
    render_user,
    render_user_or_none,
    stamp,
    web_url,
)
from bot.sandbox.world.access import can_merge
from bot.sandbox.world.diffs import diff_of
from bot.sandbox.world.entities import DiffVersion, Label, MergeRequest, Note, User
from bot.sandbox.world.git_mirror import number_patch
from bot.sandbox.world.repository import Commit
from bot.sandbox.world.state import World

MANY_CHANGES = 1000
TASK = re.compile(r"^\s*(?:>\s*)*(?:[-+*]|\d+[.)])\s+\[([ xX])\](?=\s)", re.MULTILINE)


def merge_request_url(world: World, mr: MergeRequest) -> str:
    """Build the address of a merge request's page."""
    return web_url(world, f"{mr.project.path_with_namespace}/-/merge_requests/{mr.iid}")


def commits_of(mr: MergeRequest, version: DiffVersion | None = None) -> list[Commit]:
    """List the commits between merge base and head of the newest or another version."""
    repository, version = mr.project.repository, version or mr.diff
    if version is None or version.head_sha not in repository.store.commits:
        return []
    return repository.between(version.base_sha, version.head_sha)


def shown_diff(mr: MergeRequest) -> DiffVersion | None:
    """Return the newest diff; right after creation GitLab shows none yet."""
    return mr.diff if mr.prepared else None


def render_merge_request_basic(world: World, mr: MergeRequest) -> dict[str, object]:
    """Render a merge request as lists hold it."""
    # One function: one entity, field by field.
    assignees = [render_user(world, each) for each in mr.assignees]
    path = mr.project.path_with_namespace
    return {
        **render_issuable(mr, mr.project),
        **expose(mr, "merged_at closed_at target_branch source_branch draft milestone squash"),
        **expose(mr, "merge_commit_sha squash_commit_sha"),
        **expose(mr, "should_remove_source_branch force_remove_source_branch"),
        "merged_by": render_user_or_none(world, mr.merged_by),
        "merge_user": render_user_or_none(world, mr.merged_by),
        "closed_by": render_user_or_none(world, mr.closed_by),
        "user_notes_count": len(mr.comments),
        "upvotes": _count(mr, "thumbsup"),
        "downvotes": _count(mr, "thumbsdown"),
        "author": render_user(world, mr.author),
        "assignees": assignees,
        "assignee": assignees[0] if assignees else None,
        "reviewers": [render_user(world, each.user) for each in mr.reviewers],
        "source_project_id": mr.source_project.id if mr.source_project else None,
        "target_project_id": mr.project.id,
        "labels": [label.name for label in mr.labels],
        "imported": False,
        "imported_from": "none",
        "work_in_progress": mr.draft,
        "merge_when_pipeline_succeeds": False,
        **_render_merging(world, mr),
        "sha": mr.head_sha if mr.prepared else None,
        "discussion_locked": mr.discussion_locked or None,
        "prepared_at": stamp(mr.prepared_at) if mr.prepared else None,
        "reference": f"!{mr.iid}",
        "references": {
            "short": f"!{mr.iid}",
            "relative": f"!{mr.iid}",
            "full": f"{path}!{mr.iid}",
        },
        "web_url": merge_request_url(world, mr),
        "time_stats": {
            "time_estimate": 0,
            "total_time_spent": 0,
            "human_time_estimate": None,
            "human_total_time_spent": None,
        },
        "squash_on_merge": mr.squash,
        "task_completion_status": _count_tasks(mr),
        "approvals_before_merge": None,
        "allow_collaboration": False,
        "allow_maintainer_to_push": False,
    }


def render_label_basic(label: Label) -> dict[str, object]:
    """Render a label as lists hold it (lib/api/entities/label_basic.rb)."""
    return {
        **expose(label, "id name description color"),
        "text_color": "#FFFFFF",
        "description_html": label.description or "",
        "archived": False,
    }


def count_diverged(mr: MergeRequest) -> int:
    """Count the commits of the target that the source lacks."""
    store = mr.project.repository.store
    target = mr.project.repository.branches.get(mr.target_branch)
    if target is None or mr.head_sha not in store.commits:
        return 0
    return len(store.ancestors(target) - store.ancestors(mr.head_sha))


def _render_merging(world: World, mr: MergeRequest) -> Mapping[str, object]:
    conflicts = has_conflicts(mr)
    return {
        "merge_status": "cannot_be_merged" if conflicts else "can_be_merged",
        "detailed_merge_status": assess_merge(world, mr),
        "merge_after": None,
        "has_conflicts": conflicts,
        "blocking_discussions_resolved": threads_allow(mr),
    }


def _count_tasks(mr: MergeRequest) -> dict[str, int]:
    """Count the boxes of the description (app/models/concerns/taskable.rb)."""
    boxes = TASK.findall(mr.description)
    return {"count": len(boxes), "completed_count": sum(box != " " for box in boxes)}


def _count(mr: MergeRequest, name: str) -> int:
    return sum(each.name == name for each in mr.awards)


def render_merge_request(
    world: World, mr: MergeRequest, viewer: User | None = None
) -> dict[str, object]:
    """Render a merge request whole."""
    pipeline, version = find_head_pipeline(mr), shown_diff(mr)
    changed = len(diff_of(mr, version))
    return {
        **render_merge_request_basic(world, mr),
        "subscribed": mr.follows(viewer),
        "changes_count": _cap(changed) if version else None,
        "latest_build_started_at": stamp(pipeline.started_at) if pipeline else None,
        "latest_build_finished_at": stamp(pipeline.finished_at) if pipeline else None,
        "first_deployed_to_production_at": None,
        "pipeline": render_pipeline(world, pipeline) if pipeline else None,
        "head_pipeline": render_pipeline_detail(world, pipeline) if pipeline else None,
        "diff_refs": render_diff_refs(version),
        "merge_error": None,
        "first_contribution": False,
        # lib/api/entities/merge_request.rb: `can_be_merged_by?`, whoever may push the target.
        "user": {"can_merge": can_merge(viewer, mr.project, mr.target_branch, world.now.date())},
    }


def _cap(changed: int) -> str:
    return f"{MANY_CHANGES}+" if changed > MANY_CHANGES else str(changed)


def render_diff_refs(version: DiffVersion | None) -> dict[str, object] | None:
    """Render the three shas of a diff."""
    return expose(version, "base_sha head_sha start_sha") if version else None


def render_version(mr: MergeRequest, version: DiffVersion) -> dict[str, object]:
    """Render one version of the diff."""
    changes, store = diff_of(mr, version), mr.project.repository.store
    base, head = version.base_sha or "", version.head_sha
    return {
        **expose(version, "id created_at"),
        "head_commit_sha": version.head_sha,
        "base_commit_sha": version.base_sha,
        "start_commit_sha": version.start_sha,
        "merge_request_id": mr.id,
        "state": "collected",
        "real_size": str(len(changes)),
        "patch_id_sha": number_patch(store, base, head) if changes else None,
    }


def render_note(world: World, mr: MergeRequest, note: Note) -> dict[str, object]:
    """Render a note."""
    rendered: dict[str, object] = {
        **expose(note, "id type body system resolvable internal created_at updated_at"),
        "author": render_user(world, note.author),
        "noteable_id": mr.id,
        "noteable_type": "MergeRequest",
        "project_id": mr.project.id,
        "confidential": note.internal,
        "imported": False,
        "imported_from": "none",
        "noteable_iid": mr.iid,
        "commands_changes": {},
    }
    if note.position is not None:
        rendered["position"] = note.position
    if note.resolvable:
        rendered |= expose(note, "resolved resolved_at")
        rendered["resolved_by"] = render_user_or_none(world, note.resolved_by)
    return rendered
