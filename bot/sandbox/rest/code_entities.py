"""How commits, pipelines and statuses look in the REST interface."""

import re
from datetime import datetime

from bot.sandbox.rest.people_entities import expose, render_user, web_url
from bot.sandbox.world.diffs import changes_of, count_lines
from bot.sandbox.world.entities import CommitStatus, Pipeline, Project
from bot.sandbox.world.git_objects import NOTHING
from bot.sandbox.world.repository import Commit
from bot.sandbox.world.state import World

_TRAILER = re.compile(r"([A-Za-z0-9-]+): (.+)")


def commit_time(at: datetime) -> str:
    """Write a time as commits carry it, with an offset."""
    return at.isoformat(timespec="milliseconds")


def commit_url(world: World, project: Project, sha: str) -> str:
    """Build the address of a commit's page."""
    return web_url(world, f"{project.path_with_namespace}/-/commit/{sha}")


def _read_trailers(message: str) -> dict[str, list[str]]:
    """Read the last paragraph, if it is trailers all over (git-interpret-trailers)."""
    head, blank, last = message.rstrip().rpartition("\n\n")
    lines = [_TRAILER.fullmatch(line) for line in last.splitlines()] if head and blank else []
    found: dict[str, list[str]] = {}
    for line in lines if all(lines) else ():
        if line:
            found.setdefault(line[1], []).append(line[2])
    return found


def render_commit(world: World, project: Project, commit: Commit) -> dict[str, object]:
    """Render a commit."""
    trailers = _read_trailers(commit.message)
    return {
        "id": commit.sha,
        "short_id": commit.sha[:8],
        "created_at": commit_time(commit.committer.at),
        "parent_ids": list(commit.parents),
        "title": commit.title,
        "message": commit.message,
        "author_name": commit.author.name,
        "author_email": commit.author.email,
        "authored_date": commit_time(commit.author.at),
        "committer_name": commit.committer.name,
        "committer_email": commit.committer.email,
        "committed_date": commit_time(commit.committer.at),
        "trailers": {name: values[-1] for name, values in trailers.items()},
        "extended_trailers": trailers,
        "web_url": commit_url(world, project, commit.sha),
    }


def count_commit(project: Project, commit: Commit) -> dict[str, int]:
    """Count the lines a commit changed against its first parent."""
    store = project.repository.store
    stats = count_lines(store, changes_of(store, commit))
    added, deleted = sum(each.additions for each in stats), sum(each.deletions for each in stats)
    return {"additions": added, "deletions": deleted, "total": added + deleted}


def render_commit_detail(world: World, project: Project, commit: Commit) -> dict[str, object]:
    """Render a commit with its numbers and its last pipeline."""
    last = next((each for each in reversed(project.pipelines) if each.sha == commit.sha), None)
    return {
        **render_commit(world, project, commit),
        "stats": count_commit(project, commit),
        "status": last.status if last else None,
        "project_id": project.id,
        "last_pipeline": render_pipeline(world, last) if last else None,
    }


def render_pipeline(world: World, pipeline: Pipeline) -> dict[str, object]:
    """Render the short form of a pipeline."""
    path = f"{pipeline.project.path_with_namespace}/-/pipelines/{pipeline.id}"
    return {
        **expose(pipeline, "id iid sha ref status source created_at updated_at"),
        "project_id": pipeline.project.id,
        "web_url": web_url(world, path),
    }


def _last(pipeline: Pipeline) -> int | None:
    began, ended = pipeline.started_at, pipeline.finished_at
    return round((ended - began).total_seconds()) if began and ended else None


def render_pipeline_detail(world: World, pipeline: Pipeline) -> dict[str, object]:
    """Render a pipeline."""
    status = pipeline.status
    word = {"success": "passed"}.get(status, status)
    return {
        **render_pipeline(world, pipeline),
        **expose(pipeline, "started_at finished_at"),
        "before_sha": NOTHING,
        "tag": False,
        "yaml_errors": None,
        "user": render_user(world, pipeline.user),
        "committed_at": None,
        "duration": _last(pipeline),
        "queued_duration": None,
        "coverage": None,
        "detailed_status": {
            "icon": f"status_{status}",
            "text": word.capitalize(),
            "label": word,
            "group": status,
            "tooltip": word,
            "has_details": True,
            "details_path": f"/{pipeline.project.path_with_namespace}/-/pipelines/{pipeline.id}",
            "illustration": None,
            "favicon": f"/assets/ci_favicons/favicon_status_{status}.png",
        },
        "archived": False,
    }


def render_status(world: World, job: CommitStatus) -> dict[str, object]:
    """Render a commit status."""
    return {
        **expose(job, "id sha ref status name target_url description allow_failure coverage"),
        **expose(job, "created_at started_at finished_at"),
        "pipeline_id": job.pipeline.id,
        "author": render_user(world, job.author),
    }
