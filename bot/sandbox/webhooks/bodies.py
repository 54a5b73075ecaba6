"""Webhook bodies in the shape GitLab documents for merge requests, comments and checks."""

# One module: the bodies of all events are made of the same attributes and surroundings.

from collections.abc import Mapping
from datetime import datetime

from bot.sandbox.acts.merging import assess_merge, threads_allow
from bot.sandbox.acts.pipelines import find_head_pipeline
from bot.sandbox.webhooks.parts import (
    Body,
    describe_approval_rule,
    describe_commit,
    describe_label,
    describe_last_commit,
    describe_older_project,
    describe_project,
    describe_repository,
    describe_reviewer,
    describe_user,
    expose,
    merge_request_url,
    merge_status,
    write_time,
)
from bot.sandbox.world.diffs import changes_of
from bot.sandbox.world.entities import (
    Label,
    MergeRequest,
    Note,
    Pipeline,
    Project,
    StatusCheck,
    User,
)
from bot.sandbox.world.git_objects import NOTHING
from bot.sandbox.world.repository import Commit
from bot.sandbox.world.state import Event, World

STATE_IDS = {"opened": 1, "closed": 2, "merged": 3, "locked": 4}
# What our events tell and GitLab's `changes` do not.
_UNTOLD = frozenset(
    {"head_sha", "discussion_locked", "resolved", "squash", "force_remove_source_branch"}
)
_NOT_IN_CHECKS = (
    "approval_rules", "draft", "merged_at", "prepared_at", "squash_commit_sha", "system",
    "target_branch_protected",
)  # fmt: skip
# What this GitLab never changes: time tracking, edits of the description.
_CONSTANT: Body = {
    "first_contribution": False,
    "human_time_change": None,
    "human_time_estimate": None,
    "human_total_time_spent": None,
    "last_edited_at": None,
    "last_edited_by_id": None,
    "merge_error": None,
    "merge_when_pipeline_succeeds": False,
    "time_change": 0,
    "time_estimate": 0,
    "total_time_spent": 0,
    "updated_by_id": None,
}


def build_merge_request_body(world: World, event: Event, mr: MergeRequest) -> Body:
    """Build the body of a merge request event."""
    attributes = _attributes(world, mr) | {
        "action": event.action or "update",
        "actioned_at": write_time(event.at),
        "system": event.system_action is not None,
    }
    optional = {"system_action": event.system_action, "oldrev": event.oldrev}
    attributes |= {name: value for name, value in optional.items() if value is not None}
    return _envelope(world, event, mr) | {
        "project": describe_project(world, mr.project),
        "object_attributes": attributes,
    }


def build_check_body(world: World, event: Event, mr: MergeRequest, check: StatusCheck) -> Body:
    """Build the body that an external status check is asked with; it keeps an older shape."""
    attributes = _without(_attributes(world, mr), *_NOT_IN_CHECKS)
    attributes |= {
        "assignee_id": mr.assignees[0].id if mr.assignees else None,
        "work_in_progress": mr.draft,
        "source": mr.source_project and describe_older_project(world, mr.source_project),
        "target": describe_older_project(world, mr.project),
    }
    return _without(_envelope(world, event, mr), "assignees", "reviewers") | {
        "project": describe_older_project(world, mr.project),
        "object_attributes": attributes,
        "repository": describe_repository(world, mr.project),
        "external_approval_rule": expose(check, "id name external_url"),
    }


def build_note_body(world: World, event: Event, mr: MergeRequest, note: Note) -> Body:
    """Build the body of a comment event; `user` is the author even when another edits."""
    return {
        "object_kind": "note",
        "event_type": "confidential_note" if note.internal else "note",
        "user": describe_user(world, note.author),
        "project_id": mr.project.id,
        "project": _without(describe_older_project(world, mr.project), "ci_config_path"),
        "repository": describe_repository(world, mr.project),
        "object_attributes": {
            **expose(note, "id internal system created_at updated_at"),
            "note": note.body,
            # lib/gitlab/hook_data/note_builder.rb; the documented samples leave both out.
            **expose(note, "type discussion_id"),
            "noteable_type": "MergeRequest",
            "author_id": note.author.id,
            "project_id": mr.project.id,
            "attachment": None,
            "line_code": None,
            "commit_id": "",
            "noteable_id": mr.id,
            "st_diff": None,
            "action": "create" if event.kind == "note_created" else "update",
            "url": f"{merge_request_url(world, mr)}#note_{note.id}",
        },
        "merge_request": _noted_merge_request(world, mr),
    }


def _without(body: Mapping[str, object], *names: str) -> Body:
    return {name: value for name, value in body.items() if name not in names}


def _envelope(world: World, event: Event, mr: MergeRequest) -> Body:
    """Return what surrounds the attributes; empty lists of people are left out."""
    envelope: Body = {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": describe_user(world, event.actor or mr.author),
        "labels": [describe_label(each, mr.project) for each in mr.labels],
        "changes": _changes(world, event, mr),
    }
    if mr.assignees:
        envelope["assignees"] = [describe_user(world, each) for each in mr.assignees]
    if mr.reviewers:
        envelope["reviewers"] = [describe_reviewer(world, each) for each in mr.reviewers]
    return envelope


def _changes(world: World, event: Event, mr: MergeRequest) -> Body:
    """Say what changed; reviewers are a pair of lists, all else previous and current."""
    told: Body = {}
    for name, (before, after) in event.changes.items():
        if name == "state":
            told["state_id"] = {"previous": STATE_IDS[before], "current": STATE_IDS[after]}
        elif name == "reviewers":
            told[name] = [[describe_reviewer(world, each) for each in s] for s in (before, after)]
        elif name not in _UNTOLD:
            previous, current = (_value(world, mr, each) for each in (before, after))
            told[name] = {"previous": previous, "current": current}
    return told


def _value(world: World, mr: MergeRequest, value: object) -> object:
    if isinstance(value, datetime):
        return write_time(value)
    if isinstance(value, list):
        return [_value(world, mr, each) for each in value]
    if isinstance(value, User):
        return describe_user(world, value)
    return describe_label(value, mr.project) if isinstance(value, Label) else value


def _attributes(world: World, mr: MergeRequest) -> Body:
    pipeline, detailed = find_head_pipeline(mr), assess_merge(world, mr)
    premium = mr.project.settings.premium
    return _CONSTANT | {
        "milestone_id": mr.milestone["id"] if mr.milestone else None,
        **expose(mr, "id iid title description draft state source_branch target_branch"),
        **expose(mr, "created_at updated_at prepared_at merged_at"),
        **expose(mr, "merge_commit_sha squash_commit_sha"),
        "state_id": STATE_IDS[mr.state],
        "author_id": mr.author.id,
        "assignee_ids": [each.id for each in mr.assignees],
        "reviewer_ids": [each.user.id for each in mr.reviewers],
        "labels": [describe_label(each, mr.project) for each in mr.labels],
        "merge_user_id": mr.merged_by and mr.merged_by.id,
        "merge_params": {"force_remove_source_branch": "1"}
        if mr.force_remove_source_branch
        else {},
        "head_pipeline_id": pipeline and pipeline.id,
        "merge_status": merge_status(detailed),
        "detailed_merge_status": detailed,
        "blocking_discussions_resolved": threads_allow(mr),
        "source_project_id": mr.source_project and mr.source_project.id,
        "source": mr.source_project and describe_project(world, mr.source_project),
        "target_branch_protected": bool(mr.project.protections_of(mr.target_branch)),
        "target_project_id": mr.project.id,
        "target": describe_project(world, mr.project),
        "last_commit": describe_last_commit(world, mr),
        "url": merge_request_url(world, mr),
        **({"approval_rules": [describe_approval_rule(mr)]} if premium else {}),
    }


def _noted_merge_request(world: World, mr: MergeRequest) -> Body:
    """Return the merge request as comment events have it, an older shape than its own."""
    now = _attributes(world, mr)
    kept = (
        "id", "target_branch", "source_branch", "source_project_id", "author_id", "title",
        "created_at", "updated_at", "milestone_id", "state", "merge_status", "target_project_id",
        "iid", "description", "labels", "draft", "detailed_merge_status",
    )  # fmt: skip
    first = mr.assignees[0] if mr.assignees else None
    head = describe_last_commit(world, mr)
    source = mr.source_project and describe_older_project(world, mr.source_project)
    target = describe_older_project(world, mr.project)
    return {name: now[name] for name in kept} | {
        "assignee_id": first and first.id,
        "assignee": first and _without(describe_user(world, first), "id", "email"),
        "position": 0,
        "work_in_progress": mr.draft,
        "source": source and _without(source, "id", "ci_config_path"),
        "target": _without(target, "id", "ci_config_path"),
        "last_commit": head and _without(head, "title"),
    }


def build_push_body(world: World, event: Event, project: Project) -> Body:
    """Build what a push event sends (lib/gitlab/data_builder/push.rb): the newest 20 commits."""
    before, after = event.changes["sha"]
    repository, actor = project.repository, event.actor
    if actor is None:
        raise TypeError("somebody pushed")
    # app/services/git/branch_hooks_service.rb: of a new branch what the default one lacks.
    start = before or repository.branches.get(project.default_branch)
    commits = repository.between(start, after)[::-1] if after else []
    return {
        "object_kind": "push",
        "event_name": "push",
        "before": before or NOTHING,
        "after": after or NOTHING,
        "ref": f"refs/heads/{event.subject}",
        "ref_protected": bool(project.protections_of(str(event.subject))),
        "checkout_sha": after,
        "message": None,
        "user_id": actor.id,
        "user_name": actor.name,
        "user_username": actor.username,
        "user_email": "",
        "user_avatar": describe_user(world, actor)["avatar_url"],
        "project_id": project.id,
        "project": describe_older_project(world, project),
        "commits": [_pushed(world, project, each) for each in commits[-20:]],
        "total_commits_count": len(commits),
        "push_options": {},
        "repository": describe_repository(world, project),
    }


def _pushed(world: World, project: Project, commit: Commit) -> Body:
    """Tell of a commit against its first parent; of a moved file only where it went.

    `repo_changes` of app/models/commit.rb.
    """
    changed = changes_of(project.repository.store, commit)
    added = [each for each in changed if each.new and (each.renamed or not each.old)]
    told = {"added": added, "removed": [each for each in changed if not each.new]}
    told["modified"] = [each for each in changed if each.new and each not in added]
    return describe_commit(world, project, commit) | {
        kind: [each.new_path for each in files] for kind, files in told.items()
    }


def build_pipeline_body(world: World, event: Event) -> Body:
    """Build what a pipeline event sends; one of a branch names no merge request."""
    pipeline, project = event.subject, event.project
    if not isinstance(pipeline, Pipeline) or project is None:
        raise TypeError("a pipeline event is about a pipeline of a project")
    return {
        "object_kind": "pipeline",
        "object_attributes": expose(pipeline, "id iid ref sha source status"),
        "merge_request": pipeline.merge_request and {"iid": pipeline.merge_request.iid},
        "user": describe_user(world, pipeline.user),
        "project": describe_project(world, project),
    }
