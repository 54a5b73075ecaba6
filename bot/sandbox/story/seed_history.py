"""What was before a scenario begins: commits from files, and merge requests in bulk."""

# One module: what bulk entries say and what is made of it are one vocabulary of deeds.

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.sandbox.acts.notes import add_note
from bot.sandbox.story.seed_section import Section, SeedError
from bot.sandbox.world.entities import (
    DiffVersion,
    MergeRequest,
    Project,
    Reviewer,
    User,
)
from bot.sandbox.world.repository import (
    MODE_EXECUTABLE,
    MODE_FILE,
    MODE_LINK,
    Blob,
    Signature,
)
from bot.sandbox.world.state import World

DELETED = ".deleted"
DEEDS: Mapping[str, str] = {
    "approved": "approved",
    "reviewed": "reviewed",
    "requested_changes": "requested_changes",
    "approval_reset": "unapproved",
    "reviewed_later": "reviewed",
    "assigned": "unreviewed",
    "commented": "unreviewed",
}
BYSTANDER = "commented_only"
# What GitLab notes of a deed; a review is published with a comment instead, unless its state
# is set after the merge, which leaves no trace in GitLab 17.
NOTED: Mapping[str, str] = {
    "approved": "approved this merge request",
    "approval_reset": "approved this merge request",
    "requested_changes": "requested changes",
}
WRITTEN = ("reviewed", "commented", BYSTANDER)
STATES = ("merged", "closed", "opened")


def commit_files(world: World, project: Project, section: Section, directory: Path) -> None:
    """Commit `files/<project path>`, then each overlay of `history`, oldest first.

    A file `<name>.deleted` in an overlay removes `<name>`.
    """
    root = directory / "files" / project.path_with_namespace
    began = section.moment("began", world.now - timedelta(days=365))
    if root.is_dir():
        robot = Signature(name="Administrator", email="admin@example.com", at=began)
        _commit_tree(project, root, "Initial commit", robot)
    for overlay in section.sections("history"):
        path = directory / "history" / overlay.take("dir", str)
        if not path.is_dir():
            raise SeedError(f"{overlay.where}.dir: no directory {path}")
        author = find_person(world, overlay.take("author", str), overlay.where)
        at = overlay.moment("at", began)
        signature = Signature(name=author.name, email=f"{author.username}@example.com", at=at)
        _commit_tree(project, path, overlay.take("message", str, path.name), signature)
        overlay.end()


def find_person(world: World, username: str, where: str) -> User:
    """Find an account the seed names; raise SeedError."""
    found = world.find_user(username)
    if found is None:
        raise SeedError(f"{where}: no user {username!r}")
    return found


def _commit_tree(project: Project, root: Path, message: str, author: Signature) -> None:
    repository = project.repository
    head = repository.find_commit(project.default_branch)
    tree = dict(head.tree if head else {})
    for path in _files_below(root):
        name = path.relative_to(root).as_posix()
        if name.endswith(DELETED):
            tree.pop(name.removesuffix(DELETED), None)
        else:
            content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
            tree[name] = Blob(repository.store.add_blob(content), _mode(path))
    repository.commit_tree(project.default_branch, tree, message, author)


def _files_below(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or path.is_file():
            yield path


def _mode(path: Path) -> str:
    if path.is_symlink():
        return MODE_LINK
    return MODE_EXECUTABLE if path.stat().st_mode & 0o100 else MODE_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bulk:
    author: User
    state: str
    title: str
    target: str
    first: datetime
    step: timedelta
    deeds: tuple[tuple[User, str], ...]


def add_merge_requests(world: World, project: Project, section: Section) -> None:
    """Add merge requests in bulk, without commits: `merge_requests` of a project."""
    for bulk in section.sections("merge_requests"):
        count, read = bulk.take("count", int, 1), _read_bulk(world, project, bulk)
        for index in range(count):
            _add_one(world, project, read, read.first + index * read.step)


def _read_bulk(world: World, project: Project, bulk: Section) -> _Bulk:
    deeds = []
    people = bulk.section("people")
    for username, deed in people.rest().items():
        if deed not in {*DEEDS, BYSTANDER}:
            known = ", ".join([*DEEDS, BYSTANDER])
            raise SeedError(f"{people.where}.{username}: unknown {deed!r}; known are {known}")
        deeds.append((find_person(world, username, people.where), deed))
    state = bulk.take("state", str, "merged")
    if state not in STATES:
        raise SeedError(f"{bulk.where}.state: unknown {state!r}; known are {', '.join(STATES)}")
    read = _Bulk(
        author=find_person(world, bulk.take("author", str), bulk.where),
        state=state,
        title=bulk.take("title", str, "Change {n}"),
        target=bulk.take("target", str, project.default_branch),
        first=bulk.moment("from", world.now - timedelta(days=200)),
        step=timedelta(hours=bulk.take("every_hours", int, 24)),
        deeds=tuple(deeds),
    )
    bulk.end()
    return read


def _add_one(world: World, project: Project, bulk: _Bulk, at: datetime) -> None:
    iid = len(project.merge_requests) + 1
    opened = at - timedelta(hours=2)
    mr = MergeRequest(
        id=world.next_id("merge_request"),
        iid=iid,
        project=project,
        source_project=project,
        source_branch=f"change-{iid}",
        target_branch=bulk.target,
        title=bulk.title.replace("{n}", str(iid)),
        author=bulk.author,
        state=bulk.state,
        created_at=opened,
        updated_at=at,
        prepared_at=opened,
        versions=[_absent_version(world, project, iid, opened)],
    )
    if bulk.state == "merged":
        mr.merged_at, mr.merged_by = at, bulk.author
        mr.merge_commit_sha = _sha(f"merge {project.id} {iid}")
    elif bulk.state == "closed":
        mr.closed_at, mr.closed_by = at, bulk.author
    for person, deed in bulk.deeds:
        _do(world, mr, person, deed)
    project.merge_requests[iid] = mr


def _sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _absent_version(world: World, project: Project, iid: int, at: datetime) -> DiffVersion:
    return DiffVersion(
        id=world.next_id("version"),
        head_sha=_sha(f"head {project.id} {iid}"),
        base_sha=_sha(f"base {project.id} {iid}"),
        start_sha=_sha(f"base {project.id} {iid}"),
        created_at=at,
    )


def _do(world: World, mr: MergeRequest, person: User, deed: str) -> None:
    at = mr.created_at + timedelta(hours=1)
    if deed in DEEDS:
        mr.reviewers.append(Reviewer(user=person, created_at=mr.created_at, state=DEEDS[deed]))
    if deed == "approved":
        mr.approvals[person] = at
    if deed in NOTED:
        add_note(world, mr, person, NOTED[deed], at).system = True
    if deed in WRITTEN:
        note = add_note(world, mr, person, "Could this be shorter?", at)
        note.type = "DiffNote"
        note.resolved, note.resolved_by, note.resolved_at = True, mr.author, at
