"""What the pages show of a world, as plain values for the templates."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.sandbox.ci.job_environment import JobRun
from bot.sandbox.pages.markdown import EMOJI
from bot.sandbox.world.entities import Award, Level, MergeRequest, Project, Todo, User
from bot.sandbox.world.merge_request_search import select
from bot.sandbox.world.state import World

View = dict[str, object]
LEVEL_NAMES = {level.value: level.name.replace("_", " ").title() for level in Level}


def view_time(at: datetime | None) -> str:
    """Write a time for people."""
    return at.strftime("%-d %b %Y, %H:%M UTC") if at else ""


def path_of(mr: MergeRequest) -> str:
    """Return the path of a merge request's page."""
    return f"/{mr.project.path_with_namespace}/-/merge_requests/{mr.iid}"


def tell_place(position: Mapping[str, Any] | None) -> str:
    """Say on which line a comment is; "" for one on none."""
    if not position:
        return ""
    after, before = position.get("new_line"), position.get("old_line")
    line = f", line {after}" if after else f", removed line {before}" if before else ""
    return f"{position.get('new_path') or position.get('old_path')}{line}"


def view_emoji(awards: Iterable[Award]) -> list[View]:
    """Group reactions by name."""
    people: dict[str, list[str]] = {}
    for award in awards:
        people.setdefault(award.name, []).append(award.user.username)
    return [
        {"name": name, "sign": EMOJI.get(name, f":{name}:"), "people": ", ".join(who)}
        for name, who in people.items()
    ]


def is_about(run: JobRun, mr: MergeRequest) -> bool:
    """Return whether a job was started by an event of this merge request."""
    payload = run.job.pipeline.payload or {}
    told = payload.get("merge_request", payload.get("object_attributes"))
    return isinstance(told, Mapping) and told.get("id") == mr.id


def list_merge_requests(project: Project, wanted: Mapping[str, str]) -> list[MergeRequest]:
    """List a project's merge requests, newest first, filtered as GitLab's own list can be."""
    newest_first = sorted(project.merge_requests.values(), key=lambda each: -each.iid)
    names = ("state", "author_username", "reviewer_username")
    asked: dict[str, Any] = {name: wanted[name] for name in names if name in wanted}
    if "approved_by_usernames[]" in wanted:
        asked["approved_by_usernames"] = [wanted["approved_by_usernames[]"]]
    return select(newest_first, asked)


def list_todos(world: World, user: User) -> list[Todo]:
    """List what somebody has to do, newest first."""
    return [each for each in reversed(world.todos) if each.user is user and not each.done]
