"""What people do to merge requests: open, change, close, reopen, merge."""

# One module: opening, changing, closing and reopening refuse, note and announce in one way.

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.sandbox.acts.merging import has_source_branch
from bot.sandbox.acts.notes import add_system_note
from bot.sandbox.acts.pipelines import start_pipelines
from bot.sandbox.acts.repository import (
    add_version,
    renew_diff,
    reset_approvals,
)
from bot.sandbox.acts.todos import resolve, tell_assigned
from bot.sandbox.world.access import can_push, can_read, can_update, demand
from bot.sandbox.world.entities import (
    Label,
    MergeRequest,
    Project,
    Reviewer,
    StateEvent,
    User,
)
from bot.sandbox.world.state import Event, RefusedError, World

Changes = dict[str, tuple[Any, Any]]
PLAIN = (
    "title", "description", "target_branch", "discussion_locked", "squash",
    "force_remove_source_branch",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequestDraft:
    """A merge request to open; the source project defaults to the target."""

    title: str
    source_branch: str
    target_branch: str
    description: str = ""
    source_project: Project | None = None
    assignees: tuple[User, ...] = ()
    reviewers: tuple[User, ...] = ()
    labels: tuple[str, ...] = ()
    squash: bool = False
    force_remove_source_branch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequestUpdate:
    """Changes to a merge request; None leaves a field as it is."""

    title: str | None = None
    description: str | None = None
    target_branch: str | None = None
    assignees: tuple[User, ...] | None = None
    reviewers: tuple[User, ...] | None = None
    labels: tuple[str, ...] | None = None
    discussion_locked: bool | None = None
    squash: bool | None = None
    force_remove_source_branch: bool | None = None


def announce(
    world: World, actor: User, mr: MergeRequest, action: str, changes: Mapping[str, Any]
) -> Event:
    """Touch a merge request and tell what happened to it."""
    resolve(world, actor, mr)
    before, mr.updated_at = mr.updated_at, world.now
    told = {**changes, "updated_at": (before, mr.updated_at)}
    return world.record("merge_request_changed", actor, mr, action=action, changes=told)


def find_labels(world: World, project: Project, names: Iterable[str]) -> list[Label]:
    """Find labels by name; GitLab makes those that are missing."""
    found = []
    for name in dict.fromkeys(names):
        label = project.labels.get(name)
        if label is None:
            label = project.labels[name] = Label(id=world.next_id("label"), name=name)
        found.append(label)
    return found


def open_merge_request(
    world: World, user: User, project: Project, draft: MergeRequestDraft
) -> MergeRequest:
    """Open a merge request; one open request per pair of branches."""
    # One function: a merge request is made of its draft, field by field.
    with world.writing() as now:
        source = draft.source_project or project
        demand(can_read(user, project, now.date()), 404)
        demand(can_push(user, source, "", now.date()))
        _refuse_second(project, (source, draft.source_branch, draft.target_branch))
        mr = MergeRequest(
            id=world.next_id("merge_request"),
            iid=project.next_iid("merge_requests"),
            project=project,
            source_project=source,
            source_branch=draft.source_branch,
            target_branch=draft.target_branch,
            title=draft.title,
            description=draft.description,
            author=user,
            created_at=now,
            updated_at=now,
            prepared_at=now,
            assignees=list(draft.assignees),
            reviewers=[Reviewer(user=each, created_at=now) for each in draft.reviewers],
            labels=find_labels(world, project, draft.labels),
            unprepared_reads=world.unprepared_reads,
            squash=draft.squash,
            force_remove_source_branch=draft.force_remove_source_branch,
        )
        add_version(world, mr)
        project.merge_requests[mr.iid] = mr
        announce(world, user, mr, "open", {"prepared_at": (None, now)})
        tell_assigned(world, user, mr, mr.assignees)
        if source.settings.pipelines != "push":  # the push has started that one already
            start_pipelines(world, user, source, mr.source_branch, [mr])
        return mr


def _refuse_second(
    project: Project, branches: tuple[Project | None, str, str], but: MergeRequest | None = None
) -> None:
    """Refuse a second open one from a branch into another, also when one is reopened or retargeted.

    As app/models/merge_request.rb, `validate_branches`, does.
    """
    for each in project.merge_requests.values():
        same = branches == (each.source_project, each.source_branch, each.target_branch)
        if each.state == "opened" and same and each is not but:
            text = f"Another open merge request already exists for this source branch: !{each.iid}"
            raise RefusedError(409, [text])


def update_merge_request(
    world: World, user: User, mr: MergeRequest, update: MergeRequestUpdate
) -> None:
    """Change fields of a merge request; what does not differ is no change and no event."""
    with world.writing() as now:
        demand(can_update(user, mr, now.date()))
        if mr.state == "opened" and update.target_branch is not None:
            branches = (mr.source_project, mr.source_branch, update.target_branch)
            _refuse_second(mr.project, branches, but=mr)
        changes = _change(mr, _read_update(world, mr, update))
        if "target_branch" in changes:
            add_version(world, mr)
        if changes:
            _tell_in_notes(world, user, mr, changes)
            announce(world, user, mr, "update", changes)
            if "target_branch" in changes:
                # `delete_approvals_on_target_branch_change` of ee .../update_service.rb
                reset_approvals(world, user, mr)
            old, new = changes.get("assignees", ((), ()))
            tell_assigned(world, user, mr, [each for each in new if each not in old])


def _read_update(world: World, mr: MergeRequest, update: MergeRequestUpdate) -> dict[str, Any]:
    """Return what an update gives a value, as the merge request keeps it."""
    if update.title is not None and not update.title.strip():
        raise RefusedError(400, {"title": ["can't be blank"]})
    wanted = {name: getattr(update, name) for name in PLAIN if getattr(update, name) is not None}
    if update.assignees is not None:
        wanted["assignees"] = list(dict.fromkeys(update.assignees))
    if update.reviewers is not None:
        wanted["reviewers"] = [
            mr.find_reviewer(each) or Reviewer(user=each, created_at=world.now)
            for each in dict.fromkeys(update.reviewers)
        ]
    if update.labels is not None:
        wanted["labels"] = find_labels(world, mr.project, update.labels)
    return wanted


def _change(mr: MergeRequest, wanted: Mapping[str, object]) -> Changes:
    before = {name: getattr(mr, name) for name in (*wanted, "draft")}
    for name, value in wanted.items():
        setattr(mr, name, value)
    return {
        name: (old, getattr(mr, name)) for name, old in before.items() if old != getattr(mr, name)
    }


def _tell_in_notes(world: World, user: User, mr: MergeRequest, changes: Changes) -> None:
    words = {"title": "changed title", "target_branch": "changed target branch"}
    for name, (before, after) in changes.items():
        if name in words:
            # app/services/system_notes: branches stand in code spans, titles are bold.
            mark = "`" if name == "target_branch" else "**"
            told = f"{words[name]} from {mark}{before}{mark} to {mark}{after}{mark}"
            add_system_note(world, user, mr, told)
        elif name == "assignees":
            add_system_note(world, user, mr, _difference("assigned to", before, after))
        elif name == "reviewers":
            people = [each.user for each in before], [each.user for each in after]
            add_system_note(world, user, mr, _difference("requested review from", *people))


def _difference(verb: str, before: Iterable[User], after: Iterable[User]) -> str:
    old, new = [each.username for each in before], [each.username for each in after]
    added = [f"@{name}" for name in new if name not in old]
    removed = [f"@{name}" for name in old if name not in new]
    told = [f"{verb} {' '.join(added)}"] if added else []
    return " and ".join(told + ([f"removed {' '.join(removed)}"] if removed else []))


def assign(world: World, user: User, mr: MergeRequest, people: Iterable[User]) -> None:
    """Assign exactly these people."""
    update_merge_request(world, user, mr, MergeRequestUpdate(assignees=tuple(people)))


def set_reviewers(world: World, user: User, mr: MergeRequest, people: Iterable[User]) -> None:
    """Ask exactly these people for a review; who stays keeps their state."""
    update_merge_request(world, user, mr, MergeRequestUpdate(reviewers=tuple(people)))


def close(world: World, user: User, mr: MergeRequest) -> None:
    """Close an open merge request."""
    with world.writing() as now:
        demand(can_update(user, mr, now.date()))
        if mr.state == "opened":
            mr.state, mr.closed_at, mr.closed_by = "closed", now, user
            remember_state(world, user, mr)
            announce(world, user, mr, "close", {"state": ("opened", "closed")})


def reopen(world: World, user: User, mr: MergeRequest) -> None:
    """Reopen a closed merge request."""
    with world.writing() as now:
        demand(can_update(user, mr, now.date()))
        if mr.state == "closed":
            _refuse_second(mr.project, (mr.source_project, mr.source_branch, mr.target_branch))
            mr.state, mr.closed_at, mr.closed_by = "opened", None, None
            remember_state(world, user, mr)
            announce(world, user, mr, "reopen", {"state": ("closed", "opened")})
            if has_source_branch(mr):
                # MergeRequests::ReopenService: what was pushed meanwhile becomes a version now.
                renew_diff(world, user, mr)


def remember_state(world: World, user: User, mr: MergeRequest) -> None:
    """Note a change of state; what is closed, reopened or merged gets no system note."""
    number = world.next_id("state_event")
    state = "reopened" if mr.state == "opened" else mr.state
    mr.state_events.append(StateEvent(id=number, user=user, state=state, created_at=world.now))


def copy_reviewers(mr: MergeRequest) -> list[Reviewer]:
    """Copy the review requests, to tell later how they were."""
    return [replace(each) for each in mr.reviewers]
