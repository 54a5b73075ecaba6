"""Pipelines, commit statuses and external status checks: the gates of a merge."""

# One module: statuses and external checks are both judged at the head, for the same merge.

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import timedelta

from bot.sandbox.world.access import can_approve, can_push, demand, find_level, required
from bot.sandbox.world.entities import (
    CommitStatus,
    Level,
    MergeRequest,
    Pipeline,
    Project,
    Start,
    StatusCheck,
    StatusCheckAnswer,
    User,
)
from bot.sandbox.world.state import RefusedError, World

ACTIVE = frozenset({"created", "pending", "running"})
# app/services/ci/create_commit_status_service.rb: of how many pipelines one is looked for.
LATEST = 100
MAX_JOBS = 500
PATIENCE = timedelta(minutes=2)  # doc/user/project/merge_requests/status_checks.md
EVENTS = {"success": "success", "failed": "drop", "canceled": "cancel", "skipped": "skip"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusDraft:
    """A commit status as posted."""

    state: str
    name: str = "default"
    ref: str | None = None
    target_url: str | None = None
    description: str | None = None
    coverage: float | None = None
    pipeline_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What is said at a head: a status, with its `author`, or an external status check."""

    name: str
    state: str
    description: str = ""
    url: str = ""
    author: User | None = None


def create_pipeline(world: World, start: Start) -> Pipeline:
    """Make a pipeline without jobs."""
    pipeline = Pipeline(
        **{each.name: getattr(start, each.name) for each in fields(start)},
        id=world.next_id("pipeline"),
        iid=start.project.next_iid("pipelines"),
        created_at=world.now,
        updated_at=world.now,
    )
    start.project.pipelines.append(pipeline)
    world.record("pipeline_created", start.user, project=start.project, subject=pipeline)
    return pipeline


def add_job(
    world: World, pipeline: Pipeline, name: str, status: str, stage: str = "test"
) -> CommitStatus:
    """Add a job of the project's own configuration to a pipeline."""
    job = _add_status(world, pipeline.user, pipeline, name, status)
    job.stage = stage
    if status in EVENTS:
        job.started_at = job.finished_at = world.now
    return job


def _add_status(
    world: World, author: User, pipeline: Pipeline, name: str, status: str
) -> CommitStatus:
    made = CommitStatus(
        id=world.next_id("job"),
        name=name,
        sha=pipeline.sha,
        ref=pipeline.ref,
        status=status,
        author=author,
        pipeline=pipeline,
        created_at=world.now,
    )
    pipeline.jobs.append(made)
    return made


def start_pipelines(
    world: World, user: User, project: Project, branch: str, mrs: Iterable[MergeRequest]
) -> None:
    """Start what the project's settings ask for after a push or a new merge request."""
    head = project.repository.branches[branch]
    if project.settings.pipelines == "merge_request_event":
        for mr in mrs:
            run_pipeline(world, _start_for(mr, project, user, head))
    elif project.settings.pipelines == "push":
        start = Start(project=project, user=user, sha=head, ref=branch, source="push")
        run_pipeline(world, start)


def _start_for(mr: MergeRequest, project: Project, user: User, sha: str) -> Start:
    ref, source = f"refs/merge-requests/{mr.iid}/head", "merge_request_event"
    return Start(project=project, user=user, sha=sha, ref=ref, source=source, merge_request=mr)


def run_pipeline(world: World, start: Start) -> Pipeline | None:
    """Make a pipeline with the jobs of the project's configuration.

    A project without one gets a job that is over at once. None where no job is to run.
    """
    pipeline = create_pipeline(world, start)
    started = world.run_jobs(pipeline) if world.run_jobs else None
    if started is None:
        add_job(world, pipeline, "test", pipeline.project.settings.pipeline_status)
    elif not started:
        pipeline.project.pipelines.remove(pipeline)
        return None
    return pipeline


def run_again(world: World, user: User, mr: MergeRequest) -> Pipeline | None:
    """Run a pipeline of a merge request in the target project, as its Pipelines tab does."""
    with world.writing() as now:
        demand(find_level(user, mr.project, now.date()) >= Level.DEVELOPER)
        return run_pipeline(world, _start_for(mr, mr.project, user, mr.head_sha or ""))


def merge_request_pipelines(mr: MergeRequest) -> list[Pipeline]:
    """List the pipelines a merge request shows, newest first: its own, and its branch's.

    Its own may run in the target project (app/finders/ci/pipelines_for_merge_request_finder.rb,
    `triggered_by_merge_request`), where a member starts one for a fork.
    """
    source = mr.source_project
    if source is None:
        return []
    shas = {version.head_sha for version in mr.versions}
    found = [
        each
        for each in source.pipelines
        if each.merge_request is mr or (each.ref == mr.source_branch and each.sha in shas)
    ]
    if source is not mr.project:
        found += [each for each in mr.project.pipelines if each.merge_request is mr]
    return sorted(found, key=lambda each: each.id, reverse=True)


def find_head_pipeline(mr: MergeRequest) -> Pipeline | None:
    """Find the pipeline that counts for merging: the newest of the merge request's own if any."""
    shown = merge_request_pipelines(mr)
    at_head = [each for each in shown if mr.head_sha in {each.sha, each.source_sha}]
    own = [each for each in at_head if each.merge_request is mr]
    return next(iter(own or at_head), None)


def set_commit_status(
    world: World, user: User, project: Project, sha: str, draft: StatusDraft
) -> CommitStatus:
    """Post a commit status; pipeline choice and refusals as GitLab documents them."""
    with world.writing() as now:
        demand(find_level(user, project, now.date()) >= Level.DEVELOPER)
        commit = required(project.repository.find_commit(sha), "404 Commit Not Found")
        pipeline = _choose_pipeline(world, user, project, commit.sha, draft)
        demand(can_push(user, project, pipeline.ref, now.date()))
        job = _choose_job(world, user, pipeline, draft)
        before = job.status
        _transition(world, job, draft.state)
        job.description = draft.description or job.description
        job.target_url = draft.target_url or job.target_url
        job.coverage = draft.coverage if draft.coverage is not None else job.coverage
        pipeline.updated_at = now
        changes = {"status": (before, job.status)}
        world.record("status_set", user, project=project, subject=job, changes=changes)
        return job


def _choose_pipeline(
    world: World, user: User, project: Project, sha: str, draft: StatusDraft
) -> Pipeline:
    matching = [
        each
        for each in project.pipelines
        if each.sha == sha and draft.ref in {None, each.ref, f"refs/heads/{each.ref}"}
    ][-LATEST:]
    if draft.pipeline_id is not None:
        found = next((each for each in matching if each.id == draft.pipeline_id), None)
        missing = "404 Pipeline for pipeline_id, sha and ref Not Found"
        return _with_room(required(found, missing))
    if matching and len(matching[-1].jobs) < MAX_JOBS:
        return matching[-1]
    ref = draft.ref or (matching[-1].ref if matching else None) or _branch_of(project, sha)
    demand(can_push(user, project, ref, world.now.date()))
    start = Start(project=project, user=user, sha=sha, ref=ref, source="external")
    return create_pipeline(world, start)


def _with_room(pipeline: Pipeline) -> Pipeline:
    if len(pipeline.jobs) >= MAX_JOBS:
        raise RefusedError(422, "The number of jobs has exceeded the limit")
    return pipeline


def _branch_of(project: Project, sha: str) -> str:
    branches = project.repository.branches_with(sha)
    return required(next(iter(branches), None), "404 References for commit Not Found")


def _choose_job(world: World, user: User, pipeline: Pipeline, draft: StatusDraft) -> CommitStatus:
    named = [each for each in pipeline.jobs if each.name == draft.name and not each.retried]
    ref = draft.ref or pipeline.ref
    for job in named:
        if job.author is user and job.ref == ref and job.status in ACTIVE:
            return job
    for job in named:
        job.retried = True
    new = _add_status(world, user, pipeline, draft.name, "created")
    new.ref = ref
    return new


def _transition(world: World, job: CommitStatus, state: str) -> None:
    if state == "pending" and job.status in {"pending", "running"}:
        _refuse_transition("enqueue", job.status)
    if state == "running" and job.status == "running":
        _refuse_transition("run", job.status)
    job.status = state
    if state != "pending":
        job.started_at = job.started_at or world.now
    if state in EVENTS:
        job.finished_at = world.now


def _refuse_transition(event: str, state: str) -> None:
    reason = f'(Reason(s): Status cannot transition via "{event}")'
    raise RefusedError(400, f"Cannot transition status via :{event} from :{state} {reason}")


def find_check(project: Project, check_id: int) -> StatusCheck:
    """Find an external status check; raise RefusedError (404)."""
    return required(next((each for each in project.status_checks if each.id == check_id), None))


def check_status(world: World, mr: MergeRequest, check: StatusCheck) -> str:
    """Say how a check stands at the head; pending longer than two minutes is failed."""
    version = mr.diff
    if version is None:
        return "pending"
    answers = [each for each in mr.check_answers if each.check is check]
    last = next((each for each in reversed(answers) if each.sha == version.head_sha), None)
    status, since = (last.status, last.created_at) if last else ("pending", version.created_at)
    if status == "pending" and world.now - since > PATIENCE:
        return "failed"
    return status


def list_gates(world: World, mr: MergeRequest) -> list[Gate]:
    """List what is said at the head: by statuses of the head pipeline, and by external checks."""
    pipeline = find_head_pipeline(mr)
    checks = mr.project.status_checks if mr.project.settings.ultimate else ()
    return [
        *(
            Gate(
                name=each.name,
                state=each.status,
                description=each.description or "",
                url=each.target_url or "",
                author=each.author,
            )
            for each in (pipeline.jobs if pipeline else ())
            if not each.retried
        ),
        *(Gate(name=each.name, state=check_status(world, mr, each)) for each in checks),
    ]


def answer_check(
    world: World, user: User, mr: MergeRequest, check: StatusCheck, answer: tuple[str, str]
) -> StatusCheckAnswer:
    """Answer an external status check with (sha, status); only the present head is accepted."""
    sha, status = answer
    with world.writing() as now:
        demand(can_approve(user, mr, now.date()))
        if sha != mr.head_sha:
            raise RefusedError(409, "409 SHA does not match HEAD of source branch")
        before = check_status(world, mr, check)
        return _keep_answer(world, user, mr, check, (before, status))


def _keep_answer(
    world: World, user: User, mr: MergeRequest, check: StatusCheck, states: tuple[str, str]
) -> StatusCheckAnswer:
    given = StatusCheckAnswer(
        id=world.next_id("check_answer"),
        check=check,
        sha=str(mr.head_sha),
        status=states[1],
        created_at=world.now,
    )
    mr.check_answers.append(given)
    world.record("check_answered", user, mr, subject=given, changes={"status": states})
    return given


def retry_check(world: World, user: User, mr: MergeRequest, check: StatusCheck) -> None:
    """Set a failed check to pending again."""
    with world.writing() as now:
        demand(can_approve(user, mr, now.date()))
        if check_status(world, mr, check) != "failed" or mr.head_sha is None:
            raise RefusedError(422, "External status check must be failed")
        _keep_answer(world, user, mr, check, ("failed", "pending"))
