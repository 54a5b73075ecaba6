"""Who may do what on the pages, and why the others may not: an empty reason is a yes."""

from collections.abc import Callable, Iterable
from typing import TypedDict

from bot.sandbox.world.access import can_comment, can_push, can_read_code, can_update, find_level
from bot.sandbox.world.entities import Group, Level, MergeRequest, Project, User
from bot.sandbox.world.state import RefusedError, World

Reason = Callable[[User], str]


class Offer(TypedDict):
    """The people one can act as, each with `why` not; who is chosen beforehand."""

    people: list[dict[str, str]]
    selected: str


def offer(world: World, reason: Reason, preferred: Iterable[str] = ()) -> Offer:
    """Offer all but bots, and choose one who may: the first preferred one, else anybody."""
    people = [
        {"username": each.username, "name": each.name, "why": reason(each)}
        for each in world.users.values()
        if not each.bot and each.state == "active"
    ]
    able = [each["username"] for each in people if not each["why"]]
    selected = next((name for name in preferred if name in able), able[0] if able else "")
    return Offer(people=people, selected=selected)


def anybody(_person: User) -> str:
    """Let everybody do it."""
    return ""


def insist(what: str, person: User, reason: Reason) -> None:
    """Raise `RefusedError` where a person may not do what is written on a button."""
    why = reason(person)
    if why:
        raise RefusedError(403, f"{what}: @{person.username} {why}.")


def must_comment(world: World, mr: MergeRequest) -> Reason:
    """Ask for the right to comment on a merge request."""
    today = world.now.date()
    return lambda who: "" if can_comment(who, mr, today) else "may not comment here"


def must_update(world: World, mr: MergeRequest) -> Reason:
    """Ask for the right to change a merge request."""
    today = world.now.date()
    return lambda who: "" if can_update(who, mr, today) else "is neither author nor Developer"


def must_fork(world: World, project: Project) -> Reason:
    """Ask for the right to fork a project; one has one fork at most."""
    name, today = project.path_with_namespace.rpartition("/")[2], world.now.date()

    def reason(who: User) -> str:
        if world.find_project(f"{who.username}/{name}") is not None:
            return f"has a project {name} already"
        return "" if can_read_code(who, project, today) else "may not read the repository"

    return reason


def must_push(world: World, project: Project, branch: str) -> Reason:
    """Ask for the right to push to a branch; to any new one with an empty name."""
    where = branch or "branches"
    today = world.now.date()
    return lambda who: "" if can_push(who, project, branch, today) else f"may not push to {where}"


def must_be(world: World, place: Group | Project, level: Level) -> Reason:
    """Ask for a role on a group or a project."""
    today, role = world.now.date(), f"{level.name[:1]}{level.name[1:].lower()}"
    why = f"is no {role} here"
    return lambda who: "" if find_level(who, place, today) >= level else why
