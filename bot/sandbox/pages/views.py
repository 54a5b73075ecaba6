"""What the pages show of a world, as plain values for the templates."""

# One module: a merge request's page is made of nearly all of these views.

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup

from bot.sandbox.acts.merging import assess_merge
from bot.sandbox.acts.pipelines import check_status, find_head_pipeline
from bot.sandbox.ci.job_environment import JobRun
from bot.sandbox.pages.buttons import OBSTACLES
from bot.sandbox.pages.markdown import EMOJI, Surroundings, find_references, render
from bot.sandbox.world.entities import Award, Group, Level, MergeRequest, Note, Project, User
from bot.sandbox.world.merge_request_search import select
from bot.sandbox.world.state import World

View = dict[str, object]
LEVEL_NAMES = {level.value: level.name.replace("_", " ").title() for level in Level}


def render_markdown(world: World, project: Project, text: str) -> Markup:
    """Render a text of a project; the sanitiser has taken out whatever could run."""
    return Markup(render(text, _around(world, project)))  # noqa: S704 - nh3 sanitised it


def find_mentions(world: World, project: Project, text: str) -> list[str]:
    """Return the names that a text of a project mentions."""
    found = find_references(text, _around(world, project))
    return [each.text.removeprefix("@") for each in found if each.kind == "mention"]


def _around(world: World, project: Project) -> Surroundings:
    names = [each.username for each in world.users.values()]
    names += [each.full_path for each in world.groups.values()]
    return Surroundings(
        base_url="",
        project=project.path_with_namespace,
        names=frozenset(name.casefold() for name in names),
        is_merge_request=lambda path, iid: world.find_merge_request(path, iid) is not None,
    )


def view_time(at: datetime | None) -> str:
    """Write a time for people."""
    return at.strftime("%-d %b %Y, %H:%M UTC") if at else ""


def view_user(user: User) -> View:
    """Describe a person."""
    return {"username": user.username, "name": user.name, "bot": user.bot}


def view_merge_request(world: World, mr: MergeRequest, runs: Iterable[JobRun]) -> View:
    """Describe a merge request with its gate and discussion."""
    obstacle = assess_merge(world, mr)
    return {
        **view_row(mr),
        "description": render_markdown(world, mr.project, mr.description),
        "assignees": [view_user(each) for each in mr.assignees],
        "reviewers": [
            {**view_user(each.user), "state": each.state.replace("_", " ")} for each in mr.reviewers
        ],
        "approvals": [view_user(each.user) for each in mr.approvals],
        "labels": [each.name for each in mr.labels],
        "mergeable": obstacle == "mergeable",
        "obstacle": OBSTACLES.get(obstacle, obstacle),
        "gates": view_gates(world, mr),
        "notes": view_threads(world, mr),
        "runs": [view_run(each) for each in runs],
        "head": (mr.head_sha or "")[:8],
        "locked": mr.discussion_locked,
    }


def path_of(mr: MergeRequest) -> str:
    """Return the path of a merge request's page."""
    return f"/{mr.project.path_with_namespace}/-/merge_requests/{mr.iid}"


def view_row(mr: MergeRequest) -> View:
    """Describe a merge request in a list."""
    return {
        "project": mr.project.path_with_namespace,
        "iid": mr.iid,
        "title": mr.title,
        "url": path_of(mr),
        "state": "draft" if mr.draft and mr.state == "opened" else mr.state,
        "author": view_user(mr.author),
        "created_at": view_time(mr.created_at),
        "merged_at": view_time(mr.merged_at),
        "source": mr.source_branch,
        "target": mr.target_branch,
    }


def view_gates(world: World, mr: MergeRequest) -> list[View]:
    """List the statuses at the head: jobs of the head pipeline and external checks."""
    pipeline = find_head_pipeline(mr)
    jobs = [each for each in pipeline.jobs if not each.retried] if pipeline else []
    gates: list[View] = [
        {
            "name": each.name,
            "state": each.status,
            "description": each.description or "",
            "url": each.target_url or "",
        }
        for each in jobs
    ]
    for check in mr.project.status_checks if mr.project.settings.ultimate else ():
        state = check_status(world, mr, check)
        gates.append({"name": check.name, "state": state, "description": "", "url": ""})
    return gates


def view_threads(world: World, mr: MergeRequest) -> list[View]:
    """Describe the discussion: each first comment with its answers."""
    found: dict[str, list[Note]] = {}
    for note in mr.notes:
        if not note.internal:
            found.setdefault(note.discussion_id, []).append(note)
    return [
        {
            **view_note(world, mr, notes[0]),
            "thread": thread,
            "answers": [view_note(world, mr, each) for each in notes[1:]],
            "resolvable": notes[0].resolvable,
            "resolved": notes[0].resolved,
        }
        for thread, notes in found.items()
    ]


def view_note(world: World, mr: MergeRequest, note: Note) -> View:
    """Describe a comment or a system note."""
    return {
        "id": note.id,
        "author": view_user(note.author),
        "system": note.system,
        "place": tell_place(note.position),
        "body": render_markdown(world, mr.project, note.body),
        "created_at": view_time(note.created_at),
        "edited_at": view_time(note.last_edited_at),
        "emoji": view_emoji(note.awards),
    }


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


def view_run(run: JobRun) -> View:
    """Describe a job that was run."""
    project = run.start.project.path_with_namespace
    return {
        "id": run.job.id,
        "name": run.job.name,
        "state": run.job.status,
        "url": f"/{project}/-/jobs/{run.job.id}",
        "source": run.start.source,
        "exit_code": run.exit_code,
        "seconds": f"{run.seconds:.1f}",
        "api_calls": run.api_calls,
        "log": run.shown_log,
    }


def is_about(run: JobRun, mr: MergeRequest) -> bool:
    """Return whether a job was started by an event of this merge request."""
    payload = run.start.payload or {}
    told = payload.get("merge_request", payload.get("object_attributes"))
    return isinstance(told, Mapping) and told.get("id") == mr.id


def view_group(world: World, group: Group) -> View:
    """Describe a group and its direct members."""
    today = world.now.date()
    members = [
        {
            **view_user(each.user),
            "level": LEVEL_NAMES.get(each.level, str(each.level)),
            "since": view_time(each.created_at),
            "ended": each.expires_at is not None and each.expires_at <= today,
        }
        for each in group.members.values()
    ]
    return {"path": group.full_path, "name": group.name, "members": members}


def list_merge_requests(project: Project, wanted: Mapping[str, str]) -> list[View]:
    """List a project's merge requests, newest first, filtered as GitLab's own list can be."""
    newest_first = sorted(project.merge_requests.values(), key=lambda each: -each.iid)
    names = ("state", "author_username", "reviewer_username")
    asked: dict[str, Any] = {name: wanted[name] for name in names if name in wanted}
    if "approved_by_usernames[]" in wanted:
        asked["approved_by_usernames"] = [wanted["approved_by_usernames[]"]]
    return [view_row(mr) for mr in select(newest_first, asked)]


def view_todos(world: World, user: User) -> list[View]:
    """List what somebody has to do, newest first."""
    return [
        {**view_row(each.merge_request), "action": each.action, "by": view_user(each.author)}
        for each in reversed(world.todos)
        if each.user is user and not each.done
    ]
