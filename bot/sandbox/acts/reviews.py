"""Reviews and approvals."""

from bot.sandbox.acts.merge_requests import announce, copy_reviewers
from bot.sandbox.acts.notes import NoteDraft, add_system_note, create_note
from bot.sandbox.world.access import can_approve, can_read, demand, required
from bot.sandbox.world.entities import MergeRequest, User
from bot.sandbox.world.state import RefusedError, World


def approve(world: World, user: User, mr: MergeRequest, sha: str | None = None) -> None:
    """Approve the head, or exactly `sha`."""
    with world.writing() as now:
        if sha is not None and sha != mr.head_sha:
            raise RefusedError(409, f"SHA does not match HEAD of source branch: {mr.head_sha}")
        allowed = can_approve(user, mr, now.date()) and user not in mr.approvals
        demand(allowed and mr.state == "opened", 401)
        before = copy_reviewers(mr)
        mr.approvals[user] = now
        _set_state(mr, user, "approved")
        add_system_note(world, user, mr, "approved this merge request")
        enough = len(mr.approvals) >= mr.project.settings.approvals_required
        changes = {"reviewers": (before, copy_reviewers(mr))} if before else {}
        announce(world, user, mr, "approved" if enough else "approval", changes)


def unapprove(world: World, user: User, mr: MergeRequest) -> None:
    """Take one's approval back."""
    with world.writing():
        demand(user in mr.approvals and mr.state == "opened", 404)
        before = len(mr.approvals) >= mr.project.settings.approvals_required
        del mr.approvals[user]
        _set_state(mr, user, "unapproved")
        add_system_note(world, user, mr, "unapproved this merge request")
        after = len(mr.approvals) >= mr.project.settings.approvals_required
        announce(world, user, mr, "unapproved" if before and not after else "unapproval", {})


def submit_review(world: World, user: User, mr: MergeRequest, state: str, body: str = "") -> None:
    """Submit a review: reviewed, requested_changes or approved, with a comment or none.

    Unlike approving, this is possible after the merge, too: `UpdateReviewerStateService`
    (app/services/merge_requests) asks for permissions, not for the merge request's state.
    """
    if state not in {"reviewed", "requested_changes", "approved"}:
        raise ValueError(f"no review can end as {state!r}")
    with world.writing() as now:
        demand(can_read(user, mr.project, now.date()), 404)
        if body:
            create_note(world, user, mr, NoteDraft(body=body, type="DiscussionNote"))
        if state == "approved":
            approve(world, user, mr)
            return
        before = copy_reviewers(mr)
        if state == "requested_changes":
            # The same service: a system note comes first, and an approval goes without one.
            add_system_note(world, user, mr, "requested changes")
            mr.approvals.pop(user, None)
        if _set_state(mr, user, state):
            announce(world, user, mr, "update", {"reviewers": (before, copy_reviewers(mr))})


def request_review_again(world: World, user: User, mr: MergeRequest, reviewer: User) -> None:
    """Ask a reviewer once more, which resets their state."""
    with world.writing():
        before = copy_reviewers(mr)
        found = required(mr.find_reviewer(reviewer))
        found.state, found.re_requested = "unreviewed", True
        announce(world, user, mr, "update", {"reviewers": (before, copy_reviewers(mr))})


def _set_state(mr: MergeRequest, user: User, state: str) -> bool:
    found = mr.find_reviewer(user)
    if found is None or (found.state == "approved" and state == "reviewed"):
        return False
    found.state, found.re_requested = state, False
    return True
