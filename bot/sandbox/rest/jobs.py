"""REST: pipelines and jobs of a project (doc/api/pipelines.md, doc/api/jobs.md)."""

# One module: a job is found, told and cancelled through its pipeline.

from collections.abc import Iterable, Mapping

from bot.sandbox.acts.pipelines import ACTIVE, add_job, run_again, run_pipeline
from bot.sandbox.rest.code_entities import (
    render_commit,
    render_pipeline,
    render_pipeline_detail,
    render_status,
)
from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.params import PAGING, is_inside, takes
from bot.sandbox.rest.people_entities import web_url
from bot.sandbox.world.access import can_push, demand, required
from bot.sandbox.world.entities import CommitStatus, Level, Pipeline, Start
from bot.sandbox.world.state import RefusedError

PIPELINES = "/projects/{id}/pipelines"
PIPELINE = PIPELINES + "/{pipeline_id}"
JOB = "/projects/{id}/jobs/{job_id}"
NO_JOB = {"base": ["Pipeline will not run for the selected trigger."]}
JOBS = takes(PAGING, words="scope", flag="include_retried")


@endpoint(
    "GET",
    PIPELINES,
    PAGING,
    text="status source ref sha username name",
    flag="yaml_errors",
    moment="updated_after updated_before created_after created_before",
    choices={
        "scope": "running pending finished branches tags",
        "order_by": "id status ref updated_at user_id",
        "sort": "asc desc",
    },
)
def list_pipelines(call: Call) -> Answer:
    """List the pipelines of a project, the newest first."""
    given = call.params
    order = given.get("order_by", "id").replace("user_id", "id")
    found = [each for each in call.code.pipelines if _is_wanted(each, given)]
    found.sort(key=lambda each: (getattr(each, order), each.id), reverse=given.get("sort") != "asc")
    return paged(call, found, lambda each: render_pipeline(call.world, each))


SAME = ("status", "ref", "sha", "source")


def _is_wanted(pipeline: Pipeline, given: Mapping[str, object]) -> bool:
    """Return whether a pipeline is asked for; none here is of a tag, named, or not valid."""
    scope, over = given.get("scope", ""), pipeline.status not in ACTIVE
    passes = (
        all(given[name] == getattr(pipeline, name) for name in SAME if name in given),
        scope not in {"running", "pending"} or pipeline.status == scope,
        scope != "finished" or over,
        scope != "branches" or _is_last_of_branch(pipeline),
        scope != "tags" and "name" not in given and not given.get("yaml_errors"),
        is_inside(given, created=pipeline.created_at, updated=pipeline.updated_at),
        given.get("username", pipeline.user.username) == pipeline.user.username,
    )
    return all(passes)


def _is_last_of_branch(pipeline: Pipeline) -> bool:
    project, ref = pipeline.project, pipeline.ref
    last = next(each for each in reversed(project.pipelines) if each.ref == ref)
    return ref in project.repository.branches and last is pipeline


def _find(call: Call) -> Pipeline:
    number, ref = call.path["pipeline_id"], call.params.get("ref")
    for pipeline in reversed(call.code.pipelines):
        if (number == "latest" and ref in {None, pipeline.ref}) or str(pipeline.id) == number:
            return pipeline
    raise RefusedError(404, "404 Not found")


@endpoint("GET", PIPELINE, text="ref")
def show_pipeline(call: Call) -> object:
    """Tell of a pipeline."""
    return render_pipeline_detail(call.world, _find(call))


@endpoint("POST", "/projects/{id}/pipeline", text="ref", items="variables", required="ref")
def create_pipeline(call: Call) -> object:
    """Run a pipeline on a branch."""
    ref, project = call.params["ref"], call.code
    demand(can_push(call.actor, project, ref, call.today))
    missing = {"base": ["Reference not found"]}
    commit = required(project.repository.find_commit(ref), missing, 400)
    with call.world.writing():
        start = Start(project=project, user=call.actor, sha=commit.sha, ref=ref, source="api")
        made = run_pipeline(call.world, start)
    return render_pipeline_detail(call.world, required(made, NO_JOB, 400))


@endpoint("POST", "/projects/{id}/merge_requests/{merge_request_iid}/pipelines")
def create_merge_request_pipeline(call: Call) -> Answer:
    """Run a pipeline for a merge request."""
    made = required(run_again(call.world, call.actor, call.merge_request), NO_JOB, 400)
    return Answer(body=render_pipeline(call.world, made))


@endpoint("POST", PIPELINE + "/cancel")
def cancel_pipeline(call: Call) -> object:
    """Cancel what is not over."""
    demand(call.level >= Level.DEVELOPER)
    pipeline = _find(call)
    _cancel(call, pipeline.jobs)
    return render_pipeline_detail(call.world, pipeline)


def _cancel(call: Call, jobs: Iterable[CommitStatus]) -> None:
    with call.world.writing() as now:
        for job in jobs:
            if job.status in ACTIVE:
                job.status, job.finished_at = "canceled", now


@endpoint("GET", PIPELINE + "/jobs", JOBS)
@endpoint("GET", "/projects/{id}/jobs", JOBS)
def list_jobs(call: Call) -> Answer:
    """List the jobs of a pipeline or of the project; statuses of others are none."""
    scope, retried = call.params.get("scope"), call.params.get("include_retried", False)
    found = [
        each
        for pipeline in ([_find(call)] if "pipeline_id" in call.path else call.code.pipelines)
        for each in pipeline.jobs
        if each.stage != "external"
        and (scope is None or each.status in scope)
        and (retried or not each.retried)
    ]
    return paged(call, sorted(found, key=lambda job: -job.id), lambda job: _render_job(call, job))


def _job(call: Call) -> CommitStatus:
    number = call.number("job_id")
    jobs = (job for pipeline in call.code.pipelines for job in pipeline.jobs)
    return required(next((job for job in jobs if job.id == number), None))


@endpoint("GET", JOB)
def show_job(call: Call) -> object:
    """Tell of a job."""
    return _render_job(call, _job(call))


@endpoint("GET", JOB + "/trace", job_token=True)
def show_trace(call: Call) -> Answer:
    """Send what a job has said so far."""
    return Answer(raw=_job(call).log.encode(), content_type="text/plain; charset=utf-8")


@endpoint("POST", JOB + "/cancel", flag="force")
def cancel_job(call: Call) -> object:
    """Cancel a job that is not over."""
    demand(call.level >= Level.DEVELOPER)
    job = _job(call)
    _cancel(call, [job])
    return _render_job(call, job)


@endpoint("POST", PIPELINE + "/retry")
def retry_pipeline(call: Call) -> object:
    """Run again what failed: here all jobs of the configuration, if one did."""
    demand(call.level >= Level.DEVELOPER)
    world, pipeline = call.world, _find(call)
    failed = [job for job in pipeline.jobs if job.status in {"failed", "canceled"}]
    with world.writing():
        for job in failed:
            job.retried = True
        if failed and (world.run_jobs is None or world.run_jobs(pipeline) is None):
            add_job(world, pipeline, "test", pipeline.project.settings.pipeline_status)
    return render_pipeline_detail(world, pipeline)


@endpoint("DELETE", PIPELINE)
def delete_pipeline(call: Call) -> None:
    """Delete a pipeline: an Owner."""
    demand(call.level >= Level.OWNER)
    with call.world.writing():
        call.project.use_up("pipelines")
        call.project.pipelines.remove(_find(call))


@endpoint("GET", PIPELINE + "/test_report")
@endpoint("GET", PIPELINE + "/test_report_summary")
def show_test_report(call: Call) -> object:
    """Tell of no test: jobs here keep no artifacts."""
    _find(call)
    counts = ("count", "success_count", "failed_count", "skipped_count", "error_count", "time")
    if call.url.endswith("_summary"):
        return {"total": dict.fromkeys(("time", *counts[:5]), 0), "test_suites": []}
    totals = {f"total_{name}": 0 for name in counts}
    return {**totals, "test_suites": []}


def _render_job(call: Call, job: CommitStatus) -> dict[str, object]:
    project = job.pipeline.project
    commit = project.repository.find_commit(job.sha)
    began, ended = job.started_at, job.finished_at
    status = render_status(call.world, job)
    return status | {
        "stage": job.stage,
        "tag": False,
        "web_url": web_url(call.world, f"{project.path_with_namespace}/-/jobs/{job.id}"),
        "duration": (ended - began).total_seconds() if began and ended else None,
        "queued_duration": 0.0,
        "pipeline": render_pipeline(call.world, job.pipeline),
        "commit": render_commit(call.world, project, commit) if commit else None,
        "user": status["author"],
        "artifacts": [],
        "runner": None,
        "archived": False,
    }
