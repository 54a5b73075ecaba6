"""What people do to repositories: push, reset and make branches, fork."""

# One module: every way to move a branch ends in one announcement, which renews merge requests.

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import escape

from bot.sandbox.acts.notes import add_system_note
from bot.sandbox.acts.pipelines import start_pipelines
from bot.sandbox.world.access import can_push, can_read, demand, required
from bot.sandbox.world.diffs import diff_of, name_patch
from bot.sandbox.world.entities import (
    DiffVersion,
    Group,
    Level,
    Member,
    MergeRequest,
    Project,
    User,
)
from bot.sandbox.world.repository import Blob, Commit, Signature
from bot.sandbox.world.state import RefusedError, World


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitDraft:
    """A commit to make: contents by path, None to remove; `mode` of all, or `modes` by path.

    An `orphan` has no parent, as the first commit of `git checkout --orphan`.
    """

    message: str
    changes: Mapping[str, bytes | None]
    start_branch: str | None = None
    author: Signature | None = None
    mode: str | None = None
    modes: Mapping[str, str] = field(default_factory=dict)
    orphan: bool = False


def sign(user: User, at: datetime) -> Signature:
    """Build the signature a person commits with."""
    return Signature(name=user.name, email=f"{user.username}@example.com", at=at)


def create_branch(world: World, user: User, project: Project, name: str, ref: str) -> Commit:
    """Make a branch from a ref."""
    with world.writing():
        demand(can_push(user, project, name, world.now.date()))
        if name in project.repository.branches:
            raise RefusedError(400, "Branch already exists")
        start = project.repository.find_commit(ref)
        start = required(start, f"Invalid reference name: {ref}", 400)
        project.repository.move_branch(name, start.sha)
        _record_push(world, user, project, name, None)
        return start


def push(world: World, user: User, project: Project, branch: str, draft: CommitDraft) -> Commit:
    """Commit to a branch, made from `start_branch` or the default branch where it is new."""
    with world.writing() as now:
        demand(can_push(user, project, branch, now.date()))
        repository = project.repository
        old = repository.branches.get(branch)
        if branch not in repository.branches and repository.branches and not draft.orphan:
            start = repository.find_commit(draft.start_branch or project.default_branch)
            start = required(start, "You can only create or edit files on a branch", 400)
            repository.move_branch(branch, start.sha)
        head = repository.find_commit(branch)
        tree = repository.changed_tree(head.tree if head else {}, draft.changes, draft.mode)
        tree = {**tree, **{path: Blob(tree[path].sha, each) for path, each in draft.modes.items()}}
        author = draft.author or sign(user, now)
        commit = repository.commit_tree(branch, tree, draft.message, author)
        announce_push(world, user, project, branch, old)
        return commit


def reset_branch(world: World, user: User, project: Project, branch: str, ref: str) -> Commit:
    """Force a branch to another commit, as a force push does."""
    with world.writing() as now:
        demand(can_push(user, project, branch, now.date()))
        commit = required(project.repository.find_commit(ref), "404 Commit Not Found")
        old = project.repository.branches.get(branch)
        project.repository.move_branch(branch, commit.sha)
        announce_push(world, user, project, branch, old)
        return commit


def delete_branch(world: World, user: User, project: Project, branch: str) -> None:
    """Delete a branch."""
    with world.writing() as now:
        demand(can_push(user, project, branch, now.date()))
        demand(branch in project.repository.branches, 404, "404 Branch Not Found")
        old = project.repository.branches.pop(branch)
        _record_push(world, user, project, branch, old)


def receive(
    world: World, user: User, project: Project, ref: str, moved: tuple[str | None, str | None]
) -> None:
    """Take what a push by git moved: to which commit, None if gone, and a tag's own object."""
    sha, repository = moved[0], project.repository
    _, kind, name = ref.split("/", 2)
    if kind == "heads" and sha is None:
        delete_branch(world, user, project, name)
        return
    with world.writing():
        if kind == "tags":
            _move_tag(project, name, moved)
        elif sha is None:
            repository.refs.pop(ref, None)
        elif kind == "heads":
            old = repository.branches.get(name)
            repository.move_branch(name, sha)
            announce_push(world, user, project, name, old)
        else:
            repository.fetch(sha)
            repository.refs[ref] = sha


def _move_tag(project: Project, name: str, moved: tuple[str | None, str | None]) -> None:
    sha, object_ = moved
    if sha is None:
        # doc/user/project/releases/_index.md, "Delete a release": a tag takes its release along.
        project.repository.tags.pop(name, None)
        project.releases.pop(name, None)
        return
    project.repository.fetch(sha)
    project.repository.tags[name] = sha, object_


def fork_project(
    world: World, user: User, project: Project, onto: tuple[str, Group | None] | None = None
) -> Project:
    """Fork a project into a person's own namespace, or to a path in a group."""
    with world.writing() as now:
        demand(can_read(user, project, now.date()), 404)
        name = project.path_with_namespace.rsplit("/", 1)[-1]
        path, group = onto or (f"{user.username}/{name}", None)
        me = Member(user=user, level=Level.OWNER, created_at=now)
        fork = Project(
            id=world.next_id("project"),
            path_with_namespace=path,
            name=project.name,
            created_at=now,
            repository=project.repository.fork(),
            default_branch=project.default_branch,
            visibility=project.visibility,
            group=group,
            owner=None if group else user,
            forked_from=project,
            members={} if group else {user.id: me},
        )
        return world.add_project(fork)


def _record_push(world: World, user: User, project: Project, branch: str, old: str | None) -> None:
    moved = {"sha": (old, project.repository.branches.get(branch))}
    world.record("branch_pushed", user, project=project, subject=branch, changes=moved)


def announce_push(world: World, user: User, project: Project, branch: str, old: str | None) -> None:
    """Start pipelines and renew the open merge requests of a branch that moved from a commit."""
    _record_push(world, user, project, branch, old)
    mrs = [mr for mr in world.open_merge_requests() if _is_source(mr, project, branch)]
    for mr in mrs:
        renew_diff(world, user, mr)
    start_pipelines(world, user, project, branch, mrs)


def _is_source(mr: MergeRequest, project: Project, branch: str) -> bool:
    return mr.source_project is project and mr.source_branch == branch


def add_version(world: World, mr: MergeRequest) -> DiffVersion:
    """Compute a new version of the diff from the branches as they are."""
    source = mr.source_project
    head = source.repository.branches.get(mr.source_branch) if source else None
    start = mr.project.repository.branches.get(mr.target_branch)
    if head is None or start is None:
        raise RefusedError(400, {"base": ["Source or target branch does not exist"]})
    mr.project.repository.fetch(head)
    version = DiffVersion(
        id=world.next_id("version"),
        head_sha=head,
        base_sha=mr.project.repository.store.merge_base(start, head),
        start_sha=start,
        created_at=world.now,
    )
    mr.versions.append(version)
    return version


def renew_diff(world: World, user: User, mr: MergeRequest) -> None:
    """Take the new head into a merge request, and drop approvals where the project says so."""
    old, shown = mr.head_sha, mr.diff
    version = add_version(world, mr)
    if old == version.head_sha:
        mr.versions.pop()
        return
    before, mr.updated_at = mr.updated_at, world.now
    changes: dict[str, tuple[object, object]] = {
        "head_sha": (old, version.head_sha),
        "updated_at": (before, mr.updated_at),
    }
    world.record("merge_request_changed", user, mr, action="update", changes=changes, oldrev=old)
    _note_commits(world, user, mr, old)
    # doc/user/project/merge_requests/approvals/settings.md: what is changed counts, by its
    # `git patch-id`, so that a rebase alone takes no approval away.
    if not mr.approvals or _name_change(mr, shown) != _name_change(mr, version):
        reset_approvals(world, user, mr)


def _name_change(mr: MergeRequest, version: DiffVersion | None) -> str | None:
    return name_patch(mr.project.repository.store, diff_of(mr, version))


def _note_commits(world: World, user: User, mr: MergeRequest, old: str | None) -> None:
    """Write what GitLab writes of a push, if it brought commits: a line for those it had before.

    app/services/merge_requests/refresh_service.rb: the commits between the two heads are divided
    into those of the merge request and existing ones; add_commits in
    app/services/system_notes/commit_service.rb lists them.
    """
    repository, version = mr.project.repository, mr.diff
    if old not in repository.store.commits or version is None:
        return
    brought = repository.between(old, version.head_sha)[::-1]
    above = repository.store.ancestors(version.base_sha) if version.base_sha else set()
    new = [each for each in brought if each.sha not in above]
    existing = len(brought) - len(new)
    if not brought:
        return
    lines = [f"<li>{_count(existing)} from branch <code>{mr.target_branch}</code></li>"]
    lines = lines if existing else []
    lines += [f"<li>{each.sha[:8]} - {escape(each.title)}</li>" for each in new[:10]]
    told = f"added {_count(len(brought))}\n\n<ul>{''.join(lines)}</ul>"
    add_system_note(world, user, mr, told)


def _count(number: int) -> str:
    return f"{number} commit{'' if number == 1 else 's'}"


def reset_approvals(world: World, user: User, mr: MergeRequest) -> None:
    """Drop all approvals after a push where the project says so, as `delete_approvals` does.

    ee/app/services/ee/merge_requests/base_service.rb: the rows are deleted, the reviewers
    become `unapproved`, and a hook marked `system` follows. What the approvers' own system
    notes say stays; ee/system_notes/merge_requests_service.rb adds one in the pusher's name.
    """
    if not mr.project.settings.resets_approvals or not mr.approvals:
        return
    dropped = list(mr.approvals)
    required = mr.project.settings.approvals_required
    was_approved = len(dropped) >= required
    mr.approvals.clear()
    for reviewer in mr.reviewers:
        if reviewer.user in dropped:
            reviewer.state = "unapproved"
    names = _to_sentence([f"@{each.username}" for each in dropped])
    add_system_note(world, user, mr, f"reset approvals from {names} by pushing to the branch")
    action = "unapproved" if was_approved and required > 0 else "unapproval"
    system = "approvals_reset_on_push"
    world.record("merge_request_changed", user, mr, action=action, system_action=system)


def _to_sentence(words: list[str]) -> str:
    """Join words as Rails does: with commas, and `and` before the last."""
    if len(words) <= 2:  # noqa: PLR2004  two need no comma
        return " and ".join(words)
    return f"{', '.join(words[:-1])}, and {words[-1]}"
