"""Everything people can do, in one place.

Each action takes the world, the acting user and what it acts on; it checks that user's rights,
advances the clock, records events, and raises RefusedError as GitLab would refuse.
"""

# ruff: noqa: PLC0414  a face shows each name once, as those of the rooms do

from bot.sandbox.acts.merge_requests import (
    MergeRequestDraft as MergeRequestDraft,
    MergeRequestUpdate as MergeRequestUpdate,
    assign as assign,
    close as close,
    open_merge_request as open_merge_request,
    reopen as reopen,
    set_reviewers as set_reviewers,
    update_merge_request as update_merge_request,
)
from bot.sandbox.acts.merges import (
    make_merge_ref as make_merge_ref,
    merge as merge,
    rebase as rebase,
)
from bot.sandbox.acts.notes import (
    NoteDraft as NoteDraft,
    answer as answer,
    award_emoji as award_emoji,
    create_note as create_note,
    delete_note as delete_note,
    edit_note as edit_note,
    remove_award as remove_award,
    resolve_thread as resolve_thread,
)
from bot.sandbox.acts.people import (
    add_member as add_member,
    delete_account as delete_account,
    remove_member as remove_member,
    rename_account as rename_account,
    set_account_state as set_account_state,
    set_expiry as set_expiry,
)
from bot.sandbox.acts.pipelines import (
    StatusDraft as StatusDraft,
    add_job as add_job,
    answer_check as answer_check,
    check_status as check_status,
    create_pipeline as create_pipeline,
    find_head_pipeline as find_head_pipeline,
    retry_check as retry_check,
    set_commit_status as set_commit_status,
)
from bot.sandbox.acts.repository import (
    CommitDraft as CommitDraft,
    create_branch as create_branch,
    delete_branch as delete_branch,
    fork_project as fork_project,
    push as push,
    receive as receive,
    reset_branch as reset_branch,
)
from bot.sandbox.acts.reviews import (
    approve as approve,
    request_review_again as request_review_again,
    submit_review as submit_review,
    unapprove as unapprove,
)
