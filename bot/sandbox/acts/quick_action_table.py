"""What each quick action does to a merge request: a table from name to effect."""

# One module: a table from name to effect, with what its rows do.

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import MergeRequestUpdate
from bot.sandbox.world.entities import MergeRequest, User
from bot.sandbox.world.state import RefusedError, World

Outcome = tuple[Mapping[str, object], str]
_DRAFT = re.compile(r"^(?:draft:|\[draft\]|\(draft\))\s*", re.IGNORECASE)
_LABELS = re.compile(r'(~?)(?:"([^"]+)"|([^\s~"]+))')


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A quick action to run: as whom, on what, with which argument."""

    world: World
    user: User
    mr: MergeRequest
    argument: str


Effect = Callable[[Request], Outcome]


def _people(request: Request) -> list[User]:
    """Read `@name`, `name` and `me`; raise `RefusedError` for a name nobody has."""
    found = []
    for word in re.split(r"[\s,]+", request.argument.strip()):
        name = word.removeprefix("@")
        person = request.user if name == "me" else request.world.find_user(name)
        if person is None:
            raise RefusedError(400, f"Failed to find users for '{word}'")
        found.append(person)
    return found


def _labels(request: Request) -> list[str]:
    """Read labels of the project; others are passed over, and with `~` anywhere plain words, too.

    app/services/quick_actions/interpret_service.rb (`find_labels`): labels are looked for, and
    none is made.
    """
    found = [(sign, quoted or plain) for sign, quoted, plain in _LABELS.findall(request.argument)]
    signed = any(sign for sign, _ in found)
    known = request.mr.project.labels
    return [name for sign, name in found if name in known and bool(sign) == signed]


def _update(request: Request, **fields: object) -> None:
    update = MergeRequestUpdate(**fields)  # type: ignore[arg-type]
    actions.update_merge_request(request.world, request.user, request.mr, update)


def _as_it_is(
    act: Callable[[World, User, MergeRequest], object], changes: Mapping[str, object], message: str
) -> Effect:
    """Do what needs no argument, and say always the same of it."""

    def effect(request: Request) -> Outcome:
        act(request.world, request.user, request.mr)
        return changes, message

    return effect


def _set_assignees(request: Request, people: list[User]) -> Outcome:
    """Assign people; several at once are a Premium feature."""
    if not request.mr.project.settings.premium:
        people = people[-1:]
    _update(request, assignees=tuple(people))
    return {"assignee_ids": [each.id for each in request.mr.assignees]}, "Changed assignees."


def _assign(request: Request) -> Outcome:
    return _set_assignees(request, [*request.mr.assignees, *_people(request)])


def _reassign(request: Request) -> Outcome:
    return _set_assignees(request, _people(request))


def _unassign(request: Request) -> Outcome:
    gone = _people(request) if request.argument.strip() else request.mr.assignees
    return _set_assignees(request, [each for each in request.mr.assignees if each not in gone])


def _set_reviewers(request: Request, people: list[User]) -> Outcome:
    _update(request, reviewers=tuple(people))
    return {"reviewer_ids": [each.user.id for each in request.mr.reviewers]}, "Changed reviewers."


def _add_reviewers(request: Request) -> Outcome:
    """Ask for a review, or for another one of who has given theirs."""
    people, present = _people(request), [each.user for each in request.mr.reviewers]
    for person in people:
        if person in present:
            actions.request_review_again(request.world, request.user, request.mr, person)
    return _set_reviewers(request, [*present, *people])


def _reassign_reviewers(request: Request) -> Outcome:
    return _set_reviewers(request, _people(request))


def _remove_reviewers(request: Request) -> Outcome:
    present = [each.user for each in request.mr.reviewers]
    gone = _people(request) if request.argument.strip() else present
    return _set_reviewers(request, [each for each in present if each not in gone])


def _set_labels(request: Request, names: list[str], told: list[str]) -> tuple[list[int], str]:
    """Set the labels; say which numbers `told` have, and how a message names them.

    lib/gitlab/quick_actions/issuable_actions.rb, and `label_format_reference` of
    app/models/label.rb: a name always stands in quotes there.
    """
    before = {each.name: each.id for each in request.mr.labels}
    _update(request, labels=tuple(names))
    numbers = before | {each.name: each.id for each in request.mr.labels}
    word = "label" if len(told) == 1 else "labels"
    return [numbers[n] for n in told if n in numbers], " ".join([*(f'~"{n}"' for n in told), word])


def _label(request: Request) -> Outcome:
    names = _labels(request)
    if not names:
        return {}, ""  # `run_label_command` returns without a word
    present = [each.name for each in request.mr.labels]
    numbers, words = _set_labels(request, [*present, *names], names)
    return {"add_label_ids": numbers}, f"Added {words}."


def _relabel(request: Request) -> Outcome:
    names = _labels(request)
    if not names:
        return {}, ""
    numbers, words = _set_labels(request, names, names)
    return {"label_ids": numbers}, f"Replaced all labels with {words}."


def _unlabel(request: Request) -> Outcome:
    present, gone = [each.name for each in request.mr.labels], _labels(request)
    if request.argument.strip() and not gone:
        return {}, "Removed all labels."  # says GitLab, and removes none
    if not gone:
        _set_labels(request, [], [])
        return {"label_ids": []}, "Removed all labels."
    numbers, words = _set_labels(request, [name for name in present if name not in gone], gone)
    return {"remove_label_ids": numbers}, f"Removed {words}."


def _merge(request: Request) -> Outcome:
    actions.merge(request.world, request.user, request.mr)
    return {"merge": request.mr.merge_commit_sha}, "Merged this merge request."


def _draft(request: Request) -> Outcome:
    if not request.mr.draft:
        _update(request, title=f"Draft: {request.mr.title}")
    return {"wip_event": "draft"}, "Set the draft status."


def _ready(request: Request) -> Outcome:
    _update(request, title=_DRAFT.sub("", request.mr.title))
    return {"wip_event": "ready"}, "Marked this merge request as ready."


def _title(request: Request) -> Outcome:
    _update(request, title=request.argument)
    return {"title": request.mr.title}, f'Changed the title to "{request.mr.title}".'


def _target_branch(request: Request) -> Outcome:
    branch = request.argument.strip()
    if branch not in request.mr.project.repository.branches:
        raise RefusedError(400, f"No such branch: {branch}")
    _update(request, target_branch=branch)
    return {"target_branch": branch}, f"Set target branch to {branch}."


def _react(request: Request) -> Outcome:
    """Toggle a reaction of one's own on the merge request."""
    name = request.argument.strip().strip(":")
    mine = [each for each in request.mr.awards if each.user is request.user and each.name == name]
    for award in mine:
        actions.remove_award(request.world, request.user, request.mr, award)
    if not mine:
        actions.award_emoji(request.world, request.user, request.mr, name)
    return {"emoji_award": name}, f"Toggled :{name}: emoji reaction."


def _lock(request: Request) -> Outcome:
    _update(request, discussion_locked=True)
    return {"discussion_locked": True}, "Locked the discussion."


def _unlock(request: Request) -> Outcome:
    _update(request, discussion_locked=False)
    return {"discussion_locked": False}, "Unlocked the discussion."


def _submit_review(request: Request) -> Outcome:
    words = {"approve": "approved", "request_changes": "requested_changes"}
    state = words.get(request.argument.strip(), "reviewed")
    actions.submit_review(request.world, request.user, request.mr, state)
    return {"submit_review": state}, "Submitted the current review."


EFFECTS: Mapping[str, Effect] = {
    "approve": _as_it_is(actions.approve, {"approve": True}, "Approved the current merge request."),
    "assign": _assign,
    "assign_reviewer": _add_reviewers,
    "award": _react,
    "close": _as_it_is(actions.close, {"state_event": "close"}, "Closed this merge request."),
    "draft": _draft,
    "label": _label,
    "labels": _label,
    "lock": _lock,
    "merge": _merge,
    "react": _react,
    "ready": _ready,
    "reassign": _reassign,
    "reassign_reviewer": _reassign_reviewers,
    "relabel": _relabel,
    "remove_label": _unlabel,
    "remove_reviewer": _remove_reviewers,
    "reopen": _as_it_is(actions.reopen, {"state_event": "reopen"}, "Reopened this merge request."),
    "request_review": _add_reviewers,
    "reviewer": _add_reviewers,
    "submit_review": _submit_review,
    "target_branch": _target_branch,
    "title": _title,
    "unapprove": _as_it_is(
        actions.unapprove, {"unapprove": True}, "Unapproved the current merge request."
    ),
    "unassign": _unassign,
    "unassign_reviewer": _remove_reviewers,
    "unlabel": _unlabel,
    "unlock": _unlock,
}
