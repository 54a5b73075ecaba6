"""GraphQL: merge requests."""

from collections.abc import Iterable

from bot.sandbox.acts.merging import assess_merge, has_conflicts, has_source_branch
from bot.sandbox.acts.pipelines import find_head_pipeline
from bot.sandbox.graphql.core import (
    Asked,
    Interacting,
    connects,
    global_id,
    resolves,
    tells,
    time_text,
    values,
)
from bot.sandbox.graphql.projects import CommitAt
from bot.sandbox.rest.merge_request_entities import (
    commits_of,
    merge_request_url,
    shown_diff,
)
from bot.sandbox.rest.merge_request_parts import participants
from bot.sandbox.world.access import (
    can_approve,
    can_comment,
    can_merge,
    can_read,
    can_update,
)
from bot.sandbox.world.diffs import Stats, count_lines, diff_of
from bot.sandbox.world.entities import MergeRequest, Note, User, group_threads

RENAMED = {"status_checks_must_pass": "EXTERNAL_STATUS_CHECKS"}


def _stats(mr: MergeRequest) -> list[Stats]:
    return count_lines(mr.project.repository.store, diff_of(mr, shown_diff(mr)))


@resolves("MergeRequest", "diffStats")
def _diff_stats(source: MergeRequest, _asked: Asked, path: str | None = None) -> list[Stats]:
    return [each for each in _stats(source) if path in {None, each.path}]


@resolves("MergeRequest", "diffStatsSummary")
def _summary(source: MergeRequest, _asked: Asked) -> dict[str, int]:
    stats = _stats(source)
    added, deleted = sum(each.additions for each in stats), sum(each.deletions for each in stats)
    return {
        "additions": added,
        "deletions": deleted,
        "changes": added + deleted,
        "fileCount": len(stats),
    }


def _approvals_required(source: MergeRequest) -> int | None:
    settings = source.project.settings
    return settings.approvals_required if settings.premium else None


def _approvals_left(source: MergeRequest) -> int | None:
    required = _approvals_required(source)
    return None if required is None else max(0, required - len(source.approvals))


def _interacting(mr: MergeRequest, people: Iterable[User]) -> list[Interacting]:
    return [Interacting(user=each, merge_request=mr) for each in people]


@resolves("MergeRequest", "detailedMergeStatus")
def _detailed(source: MergeRequest, asked: Asked) -> str:
    status = assess_merge(asked.world, source)
    return RENAMED.get(status, status.upper())


@resolves("MergeRequest", "reference")
def _reference(source: MergeRequest, _asked: Asked, full: bool = False) -> str:
    return f"{source.project.path_with_namespace if full else ''}!{source.iid}"


def _threads(mr: MergeRequest) -> dict[str, list[Note]]:
    return group_threads(note for note in mr.notes if note.resolvable)


@resolves("MergeRequest", "userPermissions")
def _permissions(source: MergeRequest, asked: Asked) -> dict[str, bool]:
    user, today = asked.user, asked.today
    return {
        "adminMergeRequest": can_update(user, source, today),
        "canApprove": can_approve(user, source, today),
        "canMerge": can_merge(user, source.project, source.target_branch, today),
        "createNote": can_comment(user, source, today),
        "readMergeRequest": can_read(user, source.project, today),
        "updateMergeRequest": can_update(user, source, today),
    }


connects(
    "NoteableInterface",
    commenters=lambda source: dict.fromkeys(
        note.author for note in source.comments if not note.internal
    ),
)
connects(
    "MergeRequest",
    commits=lambda source: (
        CommitAt(project=source.project, commit=each) for each in commits_of(source)
    ),
    approvedBy=lambda source: source.approvals,
    changeRequesters=lambda source: (
        each.user for each in source.reviewers if each.state == "requested_changes"
    ),
    assignees=lambda source: _interacting(source, source.assignees),
    reviewers=lambda source: _interacting(source, (each.user for each in source.reviewers)),
    participants=lambda source: _interacting(source, participants(source)),
    awardEmoji=lambda source: source.awards,
)
tells(
    "MergeRequest",
    sourceProject=lambda source, asked: asked.visible(source.source_project),
    mergeable=lambda source, asked: assess_merge(asked.world, source) == "mergeable",
    webUrl=lambda source, asked: merge_request_url(asked.world, source),
)
values(
    "MergeRequest",
    id=lambda source: global_id("MergeRequest", source.id),
    iid=lambda source: str(source.iid),
    author=lambda source: Interacting(user=source.author, merge_request=source),
    mergeUser=lambda source: source.merged_by,
    preparedAt=lambda source: time_text(source.prepared_at) if source.prepared else None,
    diffHeadSha=lambda source: source.head_sha if source.prepared else None,
    commitCount=lambda source: len(commits_of(source)),
    approved=lambda source: len(source.approvals) >= source.project.settings.approvals_required,
    upvotes=lambda source: sum(each.name == "thumbsup" for each in source.awards),
    downvotes=lambda source: sum(each.name == "thumbsdown" for each in source.awards),
    approvalsRequired=_approvals_required,
    approvalsLeft=_approvals_left,
    conflicts=has_conflicts,
    sourceBranchExists=has_source_branch,
    diffRefs=shown_diff,
    mergeStatus=lambda source: "cannot_be_merged" if has_conflicts(source) else "can_be_merged",
    headPipeline=find_head_pipeline,
    hidden=lambda _: False,
    targetProject=lambda source: source.project,
    projectId=lambda source: source.project.id,
    targetProjectId=lambda source: source.project.id,
    sourceProjectId=lambda source: source.source_project.id if source.source_project else None,
    webPath=lambda source: f"/{source.project.path_with_namespace}/-/merge_requests/{source.iid}",
    resolvableDiscussionsCount=lambda source: len(_threads(source)),
    resolvedDiscussionsCount=lambda source: sum(
        all(each.resolved for each in notes) for notes in _threads(source).values()
    ),
    userDiscussionsCount=lambda source: len({note.discussion_id for note in source.comments}),
    userNotesCount=lambda source: len(source.comments),
)
