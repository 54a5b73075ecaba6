"""Everything people can do, in one place.

Each action takes the world, the acting user and what it acts on; it checks that user's rights,
advances the clock, records events, and raises RefusedError as GitLab would refuse.
"""

from bot.sandbox.acts.merge_requests import (
    MergeRequestDraft,
    MergeRequestUpdate,
    assign,
    close,
    open_merge_request,
    reopen,
    set_reviewers,
    update_merge_request,
)
from bot.sandbox.acts.merges import make_merge_ref, merge, rebase
from bot.sandbox.acts.notes import (
    NoteDraft,
    answer,
    award_emoji,
    create_note,
    delete_note,
    edit_note,
    remove_award,
    resolve_thread,
)
from bot.sandbox.acts.people import (
    add_member,
    delete_account,
    remove_member,
    rename_account,
    set_account_state,
    set_expiry,
)
from bot.sandbox.acts.pipelines import (
    PipelineDraft,
    StatusDraft,
    add_job,
    answer_check,
    check_status,
    create_pipeline,
    find_head_pipeline,
    retry_check,
    set_commit_status,
)
from bot.sandbox.acts.repository import (
    CommitDraft,
    create_branch,
    delete_branch,
    fork_project,
    push,
    receive,
    reset_branch,
)
from bot.sandbox.acts.reviews import approve, request_review_again, submit_review, unapprove

__all__ = [
    "CommitDraft",
    "MergeRequestDraft",
    "MergeRequestUpdate",
    "NoteDraft",
    "PipelineDraft",
    "StatusDraft",
    "add_job",
    "add_member",
    "answer",
    "answer_check",
    "approve",
    "assign",
    "award_emoji",
    "check_status",
    "close",
    "create_branch",
    "create_note",
    "create_pipeline",
    "delete_account",
    "delete_branch",
    "delete_note",
    "edit_note",
    "find_head_pipeline",
    "fork_project",
    "make_merge_ref",
    "merge",
    "open_merge_request",
    "push",
    "rebase",
    "receive",
    "remove_award",
    "remove_member",
    "rename_account",
    "reopen",
    "request_review_again",
    "reset_branch",
    "resolve_thread",
    "retry_check",
    "set_account_state",
    "set_commit_status",
    "set_expiry",
    "set_reviewers",
    "submit_review",
    "unapprove",
    "update_merge_request",
]
