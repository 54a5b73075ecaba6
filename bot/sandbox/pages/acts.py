"""What the forms on the pages do, as the person chosen and with that person's rights."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft, NoteDraft
from bot.sandbox.world.entities import Group, Level, MergeRequest, Note, Project, User
from bot.sandbox.world.repository import entries_below
from bot.sandbox.world.state import RefusedError, World

_BRANCH = re.compile(r"\w[\w-]*(?:[./]\w[\w-]*)*")
ROLES = {each.name.lower(): each for each in (Level.OWNER, Level.MAINTAINER, Level.DEVELOPER)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A form as sent: who acts, on whom, and what was written."""

    person: User
    other: User | None
    form: Mapping[str, str]

    @staticmethod
    def read(world: World, form: Mapping[str, str]) -> "PageRequest":
        """Read a form; raise `RefusedError` for a person that does not exist."""
        person = world.find_user(form.get("as", ""))
        if person is None:
            raise RefusedError(400, "Choose a person to act as.")
        return PageRequest(person=person, other=world.find_user(form.get("person", "")), form=form)

    def text(self, name: str = "text") -> str:
        """Return what was written into a field, with plain ends of lines."""
        return self.form.get(name, "").replace("\r\n", "\n")

    def line(self, name: str, label: str) -> str:
        """Return a line that must be there; raise `RefusedError` with the field's label."""
        found = self.form.get(name, "").strip()
        if not found:
            raise RefusedError(400, f"Fill in “{label}”.")
        return found

    @property
    def chosen(self) -> User:
        """The person acted on; raise `RefusedError` if there is none."""
        if self.other is None:
            raise RefusedError(400, "Choose a person.")
        return self.other


def comment(world: World, mr: MergeRequest, asked: PageRequest) -> Note | None:
    """Write a comment or an answer in a thread; None if it held only quick actions."""
    thread = asked.form.get("thread", "")
    if thread:
        draft = NoteDraft(body=asked.text())
        return actions.answer(world, asked.person, mr, thread, draft).note
    kind = "DiscussionNote" if "begin" in asked.form else None
    position = _read_position(mr, asked.form) if "line" in asked.form else None
    draft = NoteDraft(body=asked.text(), type="DiffNote" if position else kind, position=position)
    return actions.create_note(world, asked.person, mr, draft).note


def resolve(world: World, mr: MergeRequest, asked: PageRequest) -> None:
    """Resolve a thread, or reopen it."""
    thread, wanted = asked.line("thread", "Thread"), asked.form.get("resolved") == "1"
    actions.resolve_thread(world, asked.person, mr, thread, wanted)


def _read_position(mr: MergeRequest, form: Mapping[str, str]) -> dict[str, Any]:
    """Read which line of the diff was chosen (doc/api/discussions.md, `position`)."""
    old, _, new = form["line"].partition(":")
    if mr.diff is None or not f"{old}{new}".isdigit():
        raise RefusedError(400, "Choose a line of the diff.")
    return {
        "base_sha": mr.diff.base_sha,
        "start_sha": mr.diff.start_sha,
        "head_sha": mr.diff.head_sha,
        "position_type": "text",
        "new_path": form.get("new_path"),
        "old_path": form.get("old_path"),
        "new_line": int(new) if new else None,
        "old_line": int(old) if old else None,
    }


def add_to_group(world: World, group: Group, asked: PageRequest) -> None:
    """Add a person to a group, or change their role; needs an Owner."""
    level = ROLES.get(asked.form.get("role", "maintainer"))
    if level is None:
        raise RefusedError(400, "Choose a role.")
    actions.add_member(world, asked.person, group, asked.chosen, level)


def open_merge_request(world: World, project: Project, asked: PageRequest) -> MergeRequest:
    """Open a merge request from a branch, into the project or the one it was forked from."""
    onto = world.find_project(asked.form.get("onto", project.path_with_namespace))
    if onto not in {project, project.forked_from} or onto is None:
        raise RefusedError(400, "Choose a target project.")
    opening = MergeRequestDraft(
        title=asked.line("title", "Title"),
        description=asked.text("description"),
        source_branch=asked.line("source", "Source branch"),
        target_branch=asked.line("target", "Target branch"),
        source_project=project,
    )
    return actions.open_merge_request(world, asked.person, onto, opening)


def name_file(project: Project, branch: str, folder: str, asked: PageRequest) -> str:
    """Return the path of a new file; raise `RefusedError` for one that cannot be."""
    name = asked.line("name", "File name")
    path = f"{folder}/{name}".lstrip("/")
    commit = project.repository.find_commit(branch)
    if any(part in {"", ".", "..", ".git"} for part in path.split("/")):
        raise RefusedError(400, f"A file cannot be named {name}.")
    if commit and entries_below(commit.tree, path):
        raise RefusedError(400, f"There is a file {path} already: choose another name.")
    return path


def change_file(
    world: World, project: Project, branch: str, path: str, asked: PageRequest
) -> MergeRequest | None:
    """Commit a new content of a file, to the branch or to a new one with a merge request.

    Returns the merge request that shows it, if there is one.
    """
    text = asked.text() if asked.text().endswith("\n") else asked.text() + "\n"
    _refuse_stale(project, branch, path, asked, text.encode())
    new = "branch" in asked.form
    label = "Title of the merge request" if new else "Commit message"
    message = asked.line("title", label) if "title" in asked.form else f"Change {path}"
    onto = asked.line("branch", "New branch") if new else branch
    if new:
        _refuse_branch(project, onto)
    changes: dict[str, bytes | None] = {path: text.encode()}
    draft = CommitDraft(message=message, changes=changes, start_branch=branch)
    actions.push(world, asked.person, project, onto, draft)
    if new:
        opening = MergeRequestDraft(
            title=message,
            description=asked.text("description"),
            source_branch=onto,
            target_branch=branch,
            source_project=project,
        )
        return actions.open_merge_request(world, asked.person, project.upstream, opening)
    return world.find_open_from(project, branch)


def _refuse_branch(project: Project, name: str) -> None:
    """Refuse a name that a branch has, or that git gives to none (git-check-ref-format)."""
    if not _BRANCH.fullmatch(name) or name.endswith(".lock"):
        raise RefusedError(400, f"A branch cannot be named {name}: use letters, digits, - and /.")
    if name in project.repository.branches:
        raise RefusedError(400, f"There is a branch {name} already: choose another name.")


def _refuse_stale(
    project: Project, branch: str, path: str, asked: PageRequest, content: bytes
) -> None:
    """Refuse to write what is there already, or over what somebody else has written meanwhile."""
    commit = project.repository.find_commit(branch)
    blob = commit.tree.get(path) if commit else None
    if "last" in asked.form and asked.form["last"] != (blob.sha if blob else ""):
        raise RefusedError(400, "Somebody else changed the file meanwhile: begin again.")
    if commit and project.repository.content(commit, path) == content:
        raise RefusedError(400, "Nothing was changed: the content is what it was.")
