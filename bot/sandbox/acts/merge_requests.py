"""What people do to merge requests: open, change, close, reopen, merge."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.sandbox.acts.merging import assess_merge, join, join_trees
from bot.sandbox.acts.notes import add_system_note
from bot.sandbox.acts.pipelines import start_pipelines
from bot.sandbox.acts.repository import (
    add_version,
    announce_push,
    delete_branch,
    renew_diff,
    reset_approvals,
    sign,
)
from bot.sandbox.acts.todos import resolve, tell_assigned
from bot.sandbox.world.access import can_merge, can_push, can_read, can_update, demand
from bot.sandbox.world.entities import (
    DiffVersion,
    Label,
    MergeRequest,
    Project,
    Reviewer,
    StateEvent,
    User,
)
from bot.sandbox.world.repository import Signature
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeWish:
    """How somebody wants it merged; None is what the merge request says, or GitLab's default."""

    message: str | None = None
    squash: bool | None = None
    squash_message: str | None = None
    remove_source_branch: bool | None = None


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
) -> MergeRequest:
    """Change fields of a merge request; what does not differ is no change and no event."""
    with world.writing() as now:
        demand(can_update(user, mr, now.date()))
        changes: Changes = {}
        if mr.state == "opened" and update.target_branch is not None:
            branches = (mr.source_project, mr.source_branch, update.target_branch)
            _refuse_second(mr.project, branches, but=mr)
        _change_plain(mr, update, changes)
        _change_people(world, mr, update, changes)
        if update.labels is not None:
            _change(mr, "labels", find_labels(world, mr.project, update.labels), changes)
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
        return mr


def _change_plain(mr: MergeRequest, update: MergeRequestUpdate, changes: Changes) -> None:
    if update.title is not None and not update.title.strip():
        raise RefusedError(400, {"title": ["can't be blank"]})
    was_draft = mr.draft
    for name in PLAIN:
        value = getattr(update, name)
        if value is not None:
            _change(mr, name, value, changes)
    if mr.draft != was_draft:
        changes["draft"] = (was_draft, mr.draft)


def _change_people(
    world: World, mr: MergeRequest, update: MergeRequestUpdate, changes: Changes
) -> None:
    if update.assignees is not None:
        _change(mr, "assignees", list(dict.fromkeys(update.assignees)), changes)
    if update.reviewers is not None:
        kept = [
            mr.find_reviewer(each) or Reviewer(user=each, created_at=world.now)
            for each in dict.fromkeys(update.reviewers)
        ]
        _change(mr, "reviewers", kept, changes)


def _change(mr: MergeRequest, name: str, value: object, changes: Changes) -> None:
    before = getattr(mr, name)
    if before != value:
        changes[name] = (before, value)
        setattr(mr, name, value)


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


def assign(world: World, user: User, mr: MergeRequest, people: Iterable[User]) -> MergeRequest:
    """Assign exactly these people."""
    return update_merge_request(world, user, mr, MergeRequestUpdate(assignees=tuple(people)))


def set_reviewers(
    world: World, user: User, mr: MergeRequest, people: Iterable[User]
) -> MergeRequest:
    """Ask exactly these people for a review; who stays keeps their state."""
    return update_merge_request(world, user, mr, MergeRequestUpdate(reviewers=tuple(people)))


def close(world: World, user: User, mr: MergeRequest) -> MergeRequest:
    """Close an open merge request."""
    with world.writing() as now:
        demand(can_update(user, mr, now.date()))
        if mr.state == "opened":
            mr.state, mr.closed_at, mr.closed_by = "closed", now, user
            _remember_state(world, user, mr)
            announce(world, user, mr, "close", {"state": ("opened", "closed")})
        return mr


def reopen(world: World, user: User, mr: MergeRequest) -> MergeRequest:
    """Reopen a closed merge request."""
    with world.writing() as now:
        demand(can_update(user, mr, now.date()))
        if mr.state == "closed":
            _refuse_second(mr.project, (mr.source_project, mr.source_branch, mr.target_branch))
            mr.state, mr.closed_at, mr.closed_by = "opened", None, None
            _remember_state(world, user, mr)
            announce(world, user, mr, "reopen", {"state": ("closed", "opened")})
            if mr.source_project and mr.source_branch in mr.source_project.repository.branches:
                # MergeRequests::ReopenService: what was pushed meanwhile becomes a version now.
                renew_diff(world, user, mr)
        return mr


def _remember_state(world: World, user: User, mr: MergeRequest) -> None:
    """Note a change of state; what is closed, reopened or merged gets no system note."""
    number = world.next_id("state_event")
    state = "reopened" if mr.state == "opened" else mr.state
    mr.state_events.append(StateEvent(id=number, user=user, state=state, created_at=world.now))


def merge(
    world: World,
    user: User,
    mr: MergeRequest,
    sha: str | None = None,
    wish: MergeWish | None = None,
) -> MergeRequest:
    """Merge, if the merge request is mergeable and `sha`, when given, is its head."""
    wish = wish or MergeWish()
    with world.writing() as now:
        demand(can_merge(user, mr.project, mr.target_branch, now.date()), 401)
        if sha is not None and sha != mr.head_sha:
            raise RefusedError(409, "SHA does not match HEAD of source branch: " + str(mr.head_sha))
        verdict = assess_merge(world, mr)
        if verdict == "conflict":
            raise RefusedError(422, "Branch cannot be merged")
        if verdict != "mergeable":
            raise RefusedError(405, "405 Method Not Allowed")
        old = mr.project.repository.branches.get(mr.target_branch)
        mr.state, mr.merged_at, mr.merged_by = "merged", now, user
        _remember_state(world, user, mr)
        _commit_merge(world, user, mr, wish)
        announce(world, user, mr, "merge", {"state": ("opened", "merged")})
        announce_push(world, user, mr.project, mr.target_branch, old)
        mr.should_remove_source_branch = wish.remove_source_branch
        _remove_source_branch(world, user, mr)
        return mr


def _commit_merge(world: World, user: User, mr: MergeRequest, wish: MergeWish) -> None:
    """Merge the head, or one commit of all its changes (doc/user/project/merge_requests/squash)."""
    repository, joined = mr.project.repository, join_trees(mr)
    message = wish.message
    if message is None:
        message = f"Merge branch '{mr.source_branch}' into '{mr.target_branch}'\n\n{mr.title}\n\n"
        message += f"See merge request {mr.project.path_with_namespace}!{mr.iid}"
    author, head = sign(user, world.now), str(mr.head_sha)
    mr.squash = mr.squash if wish.squash is None else wish.squash
    option = mr.project.told.get("squash_option", "default_off")
    mr.squash = option == "always" or (mr.squash and option != "never")
    if mr.squash:
        head = mr.squash_commit_sha = _squash(mr, author, wish.squash_message or mr.title)
    if mr.project.told.get("merge_method") == "ff":
        repository.move_branch(mr.target_branch, head)
        return
    merged = repository.commit_tree(mr.target_branch, joined.tree, message, author, head)
    mr.merge_commit_sha = merged.sha


def _squash(mr: MergeRequest, author: Signature, message: str) -> str:
    """Make one commit of all changes; one commit with that message stays as it is."""
    store, version = mr.project.repository.store, mr.diff
    if version is None or version.base_sha is None:
        raise RefusedError(422, "Failed to squash. Should be done manually.")
    head = store.commits[version.head_sha]
    if head.parents == (version.base_sha,) and head.message == message:
        return head.sha
    by_author = sign(mr.author, author.at)
    return store.add_commit(head.tree, (version.base_sha,), message, by_author).sha


def _remove_source_branch(world: World, user: User, mr: MergeRequest) -> None:
    """Delete the source branch as asked for, unless it is protected or the default one.

    `can_remove_source_branch?` of app/models/merge_request.rb; who asked when it was opened is
    the author (app/services/merge_requests/merge_service.rb, `branch_deletion_user`).
    """
    source, branch = mr.source_project, mr.source_branch
    asked, person = mr.should_remove_source_branch, user
    if asked is None:
        asked, person = mr.force_remove_source_branch, mr.author
    if not asked or source is None or branch == source.default_branch:
        return
    if not source.protections_of(branch) and can_push(person, source, branch, world.now.date()):
        delete_branch(world, person, source, branch)


def rebase(world: World, user: User, mr: MergeRequest) -> MergeRequest:
    """Replay the commits of the source branch on the target branch.

    `RebaseService` of app/services/merge_requests; 403 for who may not push the source.
    """
    with world.writing() as now:
        source, version = mr.source_project, mr.diff
        demand(source is not None and can_push(user, source, mr.source_branch, now.date()))
        target = mr.project.repository.branches.get(mr.target_branch)
        if source is None or version is None or target is None or mr.state != "opened":
            raise RefusedError(409, "Failed to enqueue the rebase operation")
        head = _replay(mr, version, target, sign(user, now))
        old = source.repository.branches.get(mr.source_branch)
        if head != old:
            source.repository.move_branch(mr.source_branch, head)
            announce_push(world, user, source, mr.source_branch, old)
        return mr


def _replay(mr: MergeRequest, version: DiffVersion, target: str, committer: Signature) -> str:
    store = mr.project.repository.store
    if store.merge_base(target, version.head_sha) == target:
        return version.head_sha
    new = mr.project.repository.between(target, version.head_sha)
    head = target
    for commit in reversed([each for each in new if len(each.parents) == 1]):
        base, ours = store.commits[commit.parents[0]].tree, store.commits[head].tree
        joined = join(store, (base, ours, commit.tree))
        if joined.conflicts:
            # What GitLab answers at the merge request then, as `merge_error`.
            raise RefusedError(
                409, "Rebase failed: Rebase locally, resolve all conflicts, then push"
            )
        author = commit.author
        head = store.add_commit(joined.tree, (head,), commit.message, author, committer).sha
    return head


def make_merge_ref(mr: MergeRequest) -> str:
    """Make the commit that merging would make, on no branch (`MergeToRefService`)."""
    joined, repository = join_trees(mr), mr.project.repository
    target = repository.branches.get(mr.target_branch)
    if target is None or mr.head_sha is None or joined.conflicts:
        raise RefusedError(400, "Merge request is not mergeable")
    message = f"Merge {mr.head_sha} into {target}"
    author = sign(mr.author, mr.updated_at)
    made = repository.store.add_commit(joined.tree, (target, mr.head_sha), message, author)
    repository.fetch(made.sha)
    return made.sha


def copy_reviewers(mr: MergeRequest) -> list[Reviewer]:
    """Copy the review requests, to tell later how they were."""
    return [replace(each) for each in mr.reviewers]
