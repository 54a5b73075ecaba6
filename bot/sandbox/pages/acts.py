"""What the forms on the pages do, as the person chosen and with that person's rights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, NoteDraft
from bot.sandbox.world.entities import Group, Level, MergeRequest, Note, Project, User
from bot.sandbox.world.state import RefusedError, World


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A form as sent: who acts, on whom, and the text."""

    person: User
    other: User | None
    button: str
    text: str

    @staticmethod
    def read(world: World, form: Mapping[str, str]) -> "PageRequest":
        """Read a form; raise `RefusedError` for a person that does not exist."""
        person = world.find_user(form.get("as", ""))
        if person is None:
            raise RefusedError(400, "Choose a person to act as.")
        return PageRequest(
            person=person,
            other=world.find_user(form.get("person", "")),
            button=form.get("button", ""),
            text=form.get("text", "").replace("\r\n", "\n"),
        )

    @property
    def chosen(self) -> User:
        """The person acted on; raise `RefusedError` if there is none."""
        if self.other is None:
            raise RefusedError(400, "Choose a person.")
        return self.other


def comment(world: World, mr: MergeRequest, asked: PageRequest) -> Note | None:
    """Write a comment; None if it held only quick actions."""
    return actions.create_note(world, asked.person, mr, NoteDraft(body=asked.text)).note


def _assign(world: World, mr: MergeRequest, asked: PageRequest) -> None:
    actions.assign(world, asked.person, mr, [*mr.assignees, asked.chosen])


def _unassign(world: World, mr: MergeRequest, asked: PageRequest) -> None:
    left = [each for each in mr.assignees if each is not asked.chosen]
    actions.assign(world, asked.person, mr, left)


def _request_review(world: World, mr: MergeRequest, asked: PageRequest) -> None:
    present = [each.user for each in mr.reviewers]
    actions.set_reviewers(world, asked.person, mr, [*present, asked.chosen])


BUTTONS: Mapping[str, Callable[[World, MergeRequest, PageRequest], object]] = {
    "approve": lambda world, mr, asked: actions.approve(world, asked.person, mr),
    "assign": _assign,
    "close": lambda world, mr, asked: actions.close(world, asked.person, mr),
    "merge": lambda world, mr, asked: actions.merge(world, asked.person, mr),
    "reopen": lambda world, mr, asked: actions.reopen(world, asked.person, mr),
    "request_review": _request_review,
    "unapprove": lambda world, mr, asked: actions.unapprove(world, asked.person, mr),
    "unassign": _unassign,
}


def press_button(world: World, mr: MergeRequest, asked: PageRequest) -> None:
    """Do what a button on a merge request's page says; raise `RefusedError`."""
    act = BUTTONS.get(asked.button)
    if act is None:
        raise RefusedError(400, "There is no such button.")
    act(world, mr, asked)


def add_to_group(world: World, group: Group, asked: PageRequest) -> None:
    """Add a person to a group as a maintainer; needs an Owner."""
    actions.add_member(world, asked.person, group, asked.chosen, Level.MAINTAINER)


def change_file(world: World, project: Project, path: str, asked: PageRequest) -> None:
    """Commit a new content of a file to the default branch."""
    text = asked.text if asked.text.endswith("\n") else asked.text + "\n"
    draft = CommitDraft(message=f"Change {path}", changes={path: text.encode()})
    actions.push(world, asked.person, project, project.default_branch, draft)
