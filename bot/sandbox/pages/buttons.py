"""The buttons on a merge request's page: what each does, and why it cannot be pressed."""

# One module: a table of buttons, with what is in the way of each.

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bot.sandbox.acts import actions
from bot.sandbox.acts.merging import assess_merge
from bot.sandbox.pages.acts import PageRequest
from bot.sandbox.pages.who import Offer, Reason, anybody, insist, must_push, must_update, offer
from bot.sandbox.world.access import can_approve, can_merge, find_level
from bot.sandbox.world.entities import Level, MergeRequest, User
from bot.sandbox.world.state import RefusedError, World

# GitLab's words for what is in the way of a merge, as its own widget says them.
OBSTACLES = {
    "mergeable": "Ready to merge",
    "draft_status": "Merge request must not be draft",
    "commits_status": "Source branch must exist and contain commits",
    "conflict": "Merge conflicts must be resolved",
    "need_rebase": "Merge request must be rebased, because a fast-forward merge is not possible",
    "not_approved": "All required approvals must be given",
    "requested_changes": "Change requests must be approved by the requesting user",
    "ci_must_pass": "Pipeline must succeed",
    "ci_still_running": "Pipeline must succeed: it is still running",
    "discussions_not_resolved": "Unresolved discussions must be resolved",
    "status_checks_must_pass": "Status checks must pass",
    "not_open": "Merge request is not open",
    "preparing": "GitLab is preparing the merge request",
}
Press = Callable[[World, MergeRequest, PageRequest], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button on a merge request's page: what it does, and why it cannot be pressed.

    `obstacle` is what is in everybody's way, `reason` why one person may not; both are empty
    where nothing is. `whom` is the label of the other person it needs.
    """

    label: str
    press: Press
    reason: Callable[[World, MergeRequest], Reason]
    obstacle: Callable[[World, MergeRequest], str] = lambda _world, _mr: ""
    whom: str = ""
    others: Callable[[World, MergeRequest], Reason] = field(default=lambda _world, _mr: anybody)


def _must_be_open(_world: World, mr: MergeRequest) -> str:
    return "" if mr.state == "opened" else OBSTACLES["not_open"]


def _why_not_merge(world: World, mr: MergeRequest) -> str:
    status = assess_merge(world, mr)
    return "" if status == "mergeable" else OBSTACLES.get(status, status)


def _why_not_unapprove(_world: World, mr: MergeRequest) -> str:
    return _must_be_open(_world, mr) or ("" if mr.approvals else "Nobody has approved")


def _why_not_request_changes(_world: World, mr: MergeRequest) -> str:
    # app/services/merge_requests/update_reviewer_state_service.rb: "Reviewer not found".
    return _must_be_open(_world, mr) or ("" if mr.reviewers else "Nobody is asked for a review")


def _must_approve(world: World, mr: MergeRequest) -> Reason:
    def reason(who: User) -> str:
        if who in mr.approvals:
            return "has approved"
        if can_approve(who, mr, world.now.date()):
            return ""
        is_member = find_level(who, mr.project, world.now.date()) >= Level.DEVELOPER
        return "is the author" if is_member else "is no Developer here"

    return reason


def _must_have_approved(_world: World, mr: MergeRequest) -> Reason:
    return lambda who: "" if who in mr.approvals else "has not approved"


def _must_review(world: World, mr: MergeRequest) -> Reason:
    update = must_update(world, mr)
    return lambda who: update(who) if mr.find_reviewer(who) else "is not a reviewer"


def _must_merge(world: World, mr: MergeRequest) -> Reason:
    place, today = (mr.project, mr.target_branch), world.now.date()
    push = must_push(world, *place)
    return lambda who: "" if can_merge(who, *place, today) else push(who)


def _unassigned(_world: World, mr: MergeRequest) -> Reason:
    return lambda who: "is assigned" if who in mr.assignees else ""


def _assigned(_world: World, mr: MergeRequest) -> Reason:
    return lambda who: "" if who in mr.assignees else "is not assigned"


def _assign(world: World, mr: MergeRequest, asked: PageRequest) -> None:
    actions.assign(world, asked.person, mr, [*mr.assignees, asked.chosen])


def _unassign(world: World, mr: MergeRequest, asked: PageRequest) -> None:
    left = [each for each in mr.assignees if each is not asked.chosen]
    actions.assign(world, asked.person, mr, left)


def _request_review(world: World, mr: MergeRequest, asked: PageRequest) -> None:
    if mr.find_reviewer(asked.chosen):
        actions.request_review_again(world, asked.person, mr, asked.chosen)
        return
    present = [each.user for each in mr.reviewers]
    actions.set_reviewers(world, asked.person, mr, [*present, asked.chosen])


def _request_changes(world: World, mr: MergeRequest, asked: PageRequest) -> None:
    actions.submit_review(world, asked.person, mr, "requested_changes")


def _as_it_is(act: Callable[[World, User, MergeRequest], object]) -> Press:
    return lambda world, mr, asked: act(world, asked.person, mr)


BUTTONS: Mapping[str, Button] = {
    "merge": Button(
        label="Merge",
        press=_as_it_is(actions.merge),
        obstacle=_why_not_merge,
        reason=_must_merge,
    ),
    "approve": Button(
        label="Approve",
        press=_as_it_is(actions.approve),
        obstacle=_must_be_open,
        reason=_must_approve,
    ),
    "unapprove": Button(
        label="Revoke approval",
        press=_as_it_is(actions.unapprove),
        obstacle=_why_not_unapprove,
        reason=_must_have_approved,
    ),
    "request_changes": Button(
        label="Request changes",
        press=_request_changes,
        obstacle=_why_not_request_changes,
        reason=_must_review,
    ),
    "assign": Button(
        label="Assign",
        press=_assign,
        reason=must_update,
        whom="Whom to assign",
        others=_unassigned,
    ),
    "unassign": Button(
        label="Unassign",
        press=_unassign,
        obstacle=lambda _world, mr: "" if mr.assignees else "Nobody is assigned",
        reason=must_update,
        whom="Whom to unassign",
        others=_assigned,
    ),
    "request_review": Button(
        label="Request review", press=_request_review, reason=must_update, whom="Whom to ask"
    ),
    "close": Button(
        label="Close",
        press=_as_it_is(actions.close),
        obstacle=_must_be_open,
        reason=must_update,
    ),
    "reopen": Button(
        label="Reopen",
        press=_as_it_is(actions.reopen),
        obstacle=lambda _world, mr: "" if mr.state == "closed" else "Merge request is not closed",
        reason=must_update,
    ),
}


def view_buttons(
    world: World, mr: MergeRequest, preferred: Iterable[str]
) -> list[dict[str, object]]:
    """Describe the buttons, those that cannot be pressed with what is in the way."""
    return [_view_button(world, mr, name, tuple(preferred)) for name in BUTTONS]


def _view_button(
    world: World, mr: MergeRequest, name: str, preferred: tuple[str, ...]
) -> dict[str, object]:
    button = BUTTONS[name]
    who = offer(world, button.reason(world, mr), preferred)
    others: Offer | None = offer(world, button.others(world, mr)) if button.whom else None
    missing = who["selected"] == "" or (others is not None and others["selected"] == "")
    return {
        "name": name,
        "label": button.label,
        "why": button.obstacle(world, mr) or ("There is nobody to choose" if missing else ""),
        "offer": who,
        "whom": button.whom,
        "others": others,
    }


def press_button(world: World, mr: MergeRequest, asked: PageRequest) -> None:
    """Do what a button on a merge request's page says; raise `RefusedError` with the reason."""
    button = BUTTONS.get(asked.form.get("button", ""))
    if button is None:
        raise RefusedError(400, "There is no such button.")
    obstacle = button.obstacle(world, mr)
    if obstacle:
        raise RefusedError(405, f"{button.label}: {obstacle}.")
    insist(button.label, asked.person, button.reason(world, mr))
    button.press(world, mr, asked)
