"""Where a story plays: the sandbox, the scenario's folder, the merge request it is about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft
from bot.sandbox.story.running import Sandbox
from bot.sandbox.world.entities import Group, MergeRequest, Note, Project, User
from bot.sandbox.world.state import World


@dataclass(slots=True, kw_only=True)
class Stage:
    """The sandbox and what the steps point at; every look-up that fails raises ValueError."""

    sandbox: Sandbox
    folder: Path
    merge_request: MergeRequest | None = None
    terminal: str = ""  # what a command of the step printed
    board: bytes = b""  # the data of a board that it wrote to the folder `public`

    @property
    def world(self) -> World:
        """The world that is played on."""
        return self.sandbox.world

    @property
    def mr(self) -> MergeRequest:
        """The merge request in question."""
        if self.merge_request is None:
            raise ValueError("no merge request has been opened yet: name one by `merge_request`")
        return self.merge_request

    def turn_to(self, reference: str | None) -> None:
        """Turn to the merge request `project!iid`; None stays with the present one."""
        if reference is None:
            return
        project, _, iid = reference.rpartition("!")
        found = self.world.find_merge_request(project, int(iid)) if iid.isdigit() else None
        if found is None:
            raise ValueError(f"there is no merge request {reference!r}")
        self.merge_request = found

    def people(self, usernames: Iterable[str]) -> list[User]:
        """Find several people."""
        return [self.world.user(each) for each in usernames]

    def place(self, path: str) -> Group | Project:
        """Find a group or a project."""
        return self.world.find_group(path) or self.world.project(path)

    def comment(self, number: int) -> Note:
        """Find a comment by its place, from 1; negative numbers count from the end."""
        comments = self.mr.comments
        index = number - 1 if number > 0 else number
        if not -len(comments) <= index < len(comments):
            raise ValueError(f"there is no comment {number}, only {len(comments)}")
        return comments[index]

    def contents(self, files: Mapping[str, object]) -> dict[str, bytes | None]:
        """Read contents as steps write them: a text, `{from: FILE}`, or null to delete."""
        return {path: self._content(path, given) for path, given in files.items()}

    def _content(self, path: str, given: object) -> bytes | None:
        if given is None:
            return None
        if isinstance(given, str):
            return given.encode()
        if isinstance(given, dict) and given.keys() == {"from"}:
            return (self.folder / str(given["from"])).read_bytes()
        raise ValueError(f"{path}: expected a text, null, or {{from: FILE}}")

    def replaced(self, project: Project, path: str, pair: tuple[str, str]) -> str:
        """Return a file of the default branch with the one place of `old` changed to `new`."""
        commit = project.repository.find_commit(project.default_branch)
        present = project.repository.content(commit, path) if commit else None
        text = (present or b"").decode()
        if text.count(pair[0]) != 1:
            raise ValueError(f"{path} holds {pair[0]!r} {text.count(pair[0])} times, expected once")
        return text.replace(*pair)

    def open_elsewhere(
        self, author: User, project: Project, target: str | None = None
    ) -> MergeRequest:
        """Open some other merge request of a person, as everyday work brings them."""
        branch = f"change-{max(project.merge_requests, default=0) + 1}"
        draft = CommitDraft(message="Change", changes={f"notes/{branch}.md": b"A change.\n"})
        actions.push(self.world, author, project, branch, draft)
        opening = MergeRequestDraft(
            title=f"Improve part {branch.rpartition('-')[2]}",
            source_branch=branch,
            target_branch=target or project.default_branch,
        )
        return actions.open_merge_request(self.world, author, project, opening)
