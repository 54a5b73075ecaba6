"""The runner of the stand-in GitLab: pipelines by trigger or schedule, jobs as real processes."""

# One module: one class, from a pipeline asked for to its last job's log.

import secrets
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from bot.sandbox.acts.pipelines import add_job, create_pipeline
from bot.sandbox.ci.ci_file import JobDefinition, select_jobs
from bot.sandbox.ci.job_environment import (
    JobRun,
    build_environment,
    command_folders,
    server_variables,
    source_variables,
)
from bot.sandbox.ci.shell import Execute, Execution, mask, run_script
from bot.sandbox.world.access import required
from bot.sandbox.world.activity import Activity
from bot.sandbox.world.ci_includes import find_included
from bot.sandbox.world.diffs import compare_trees
from bot.sandbox.world.entities import Pipeline, Project, Start, Token, User
from bot.sandbox.world.repository import Commit
from bot.sandbox.world.shipped import CI_FILE, ci_definition
from bot.sandbox.world.state import RefusedError, World

DEFAULT_TIMEOUT = 60.0


class Runner:
    """Start pipelines and run their jobs, each in a process of its own.

    `variables` are the CI/CD variables of every project; those named `…TOKEN` are masked in logs.
    A resource group runs one job at a time, in order; so does each project whose runner is not
    `concurrent`. `execute` may be replaced by what runs a script in another way.
    """

    execute: Execute = staticmethod(run_script)

    def __init__(
        self,
        world: World,
        variables: Mapping[str, str],
        activity: Activity | None = None,
        *,
        concurrent: bool = True,
    ) -> None:
        self.world = world
        self.variables = dict(variables)
        self.activity = activity or Activity()
        self.runs: list[JobRun] = []
        self.timeout = DEFAULT_TIMEOUT
        self._stop = threading.Event()
        self._concurrent = concurrent
        self._lanes: dict[tuple[int, str | None], ThreadPoolExecutor] = {}

    def schedule(
        self, project: Project, user: User, variables: Mapping[str, str] | None = None
    ) -> Pipeline:
        """Create the pipeline that a schedule on the default branch starts, with its variables."""
        ref, given = project.default_branch, variables or {}
        return self.start(
            Start(project=project, ref=ref, source="schedule", user=user, variables=given)
        )

    def start(self, start: Start) -> Pipeline:
        """Create a pipeline and hand its jobs to their lanes; refuse as GitLab does."""
        world = self.world
        with world.lock:
            commit = start.project.repository.find_commit(start.ref)
            commit = required(commit, {"base": ["Reference not found"]}, 400)
            content = start.project.repository.content(commit, _config_path(start.project))
            text = ci_definition() if content is None else content.decode()
            chosen = _select(text, start, commit)
            pipeline = create_pipeline(world, replace(start, sha=commit.sha))
            self._hand_over(pipeline, chosen, of_the_bot=content is None)
        return pipeline

    def run_jobs(self, pipeline: Pipeline) -> bool | None:
        """Start the jobs that the project's own configuration has for a pipeline.

        None without a configuration; False where its rules leave no job.
        """
        repository = pipeline.project.repository
        commit = repository.find_commit(pipeline.sha)
        content = repository.content(commit, _config_path(pipeline.project)) if commit else None
        if commit is None or content is None:
            return None
        try:
            chosen = _select(content.decode(), pipeline, commit)
        except RefusedError:
            return False
        self._hand_over(pipeline, chosen)
        return True

    def _hand_over(
        self, pipeline: Pipeline, chosen: Iterable[JobDefinition], *, of_the_bot: bool = False
    ) -> None:
        for definition in chosen:
            run = JobRun(
                job=add_job(self.world, pipeline, definition.name, "pending", definition.stage),
                definition=definition,
                of_the_bot=of_the_bot,
            )
            self._enqueue(run)

    def run_command(self, line: str, folder: Path) -> Execution:
        """Run a command in a folder as the bot's operator would, with the token of its jobs."""
        environment = {
            "PATH": f"{command_folders(folder, Path(sys.executable).parent)}:/usr/bin:/bin",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "NOMINATION_BOT_GITLAB_URL": self.world.external_url,
            **self.variables,
        }
        return self.execute([line], folder, environment, self.timeout, self._stop)

    def close(self, timeout: float = 5) -> None:
        """Stop every job and wait until the processes are gone."""
        self._stop.set()
        self.activity.wait(timeout)
        for lane in self._lanes.values():
            lane.shutdown(wait=False, cancel_futures=True)

    def find_run(self, job_id: int) -> JobRun | None:
        """Find a run by the number of its job."""
        return next((run for run in self.runs if run.job.id == job_id), None)

    def _enqueue(self, run: JobRun) -> None:
        self.runs.append(run)
        self.activity.begin()
        group = run.definition.resource_group if self._concurrent else "all"
        lane = (run.job.pipeline.project.id, group)
        if lane not in self._lanes:
            self._lanes[lane] = ThreadPoolExecutor(1 if group else 8, f"runner-{group}")
        self._lanes[lane].submit(self._run, run)

    def _run(self, run: JobRun) -> None:
        with self.activity.ending(), tempfile.TemporaryDirectory(prefix="runner-") as folder:
            token = self._begin(run)
            first_request = len(self.world.requests)
            environment = build_environment(run, Path(folder), self._common(run, token))
            execution = self.execute(
                run.definition.script,
                Path(folder, "builds"),
                environment,
                run.definition.timeout or self.timeout,
                self._stop,
            )
            self._finish(run, token, execution, first_request)

    def _begin(self, run: JobRun) -> Token:
        with self.world.lock:
            run.job.status = "running"
            run.job.started_at = self.world.now
            token = Token(
                id=self.world.next_id("token"),
                value=f"job-{secrets.token_hex(12)}",
                user=run.job.pipeline.user,
                kind="job",
            )
            self.world.tokens.append(token)
        return token

    def _common(self, run: JobRun, token: Token) -> dict[str, str]:
        """Return what all jobs of the runner and of the project get.

        The project gives its protected variables only on a protected ref.
        """
        project, url = run.job.pipeline.project, self.world.external_url
        protected = project.protections_of(run.job.pipeline.ref)
        return {
            **server_variables(url),
            "CI_JOB_TOKEN": token.value,
            **self.variables,
            **{
                each.key: each.value
                for each in project.variables
                if protected or not each.protected
            },
        }

    def _finish(self, run: JobRun, token: Token, done: Execution, first_request: int) -> None:
        with self.world.lock:
            # doc/ci/jobs/ci_job_token.md: a job token is good for as long as its job runs.
            token.revoked = True
            hidden = {value for name, value in self.variables.items() if name.endswith("TOKEN")}
            hidden |= {each.value for each in run.job.pipeline.project.variables if each.masked}
            bots = {each.user.username for each in self.world.tokens if each.value in hidden}
            made = self.world.requests[first_request:]
            run.api_calls = sum(record.user in bots for record in made)
            run.log = run.job.log = mask(done.log, {*hidden, token.value})
            run.exit_code, run.seconds = done.exit_code, done.seconds
            run.job.status = "success" if done.exit_code == 0 else "failed"
            run.job.finished_at = run.job.pipeline.updated_at = self.world.now


def _config_path(project: Project) -> str:
    return project.settings.ci_config_path or CI_FILE


def _select(text: str, start: Start, commit: Commit) -> tuple[JobDefinition, ...]:
    mr, changed = start.merge_request, None
    if mr is not None and mr.diff is not None:
        store = mr.project.repository.store
        head = store.commits[mr.diff.head_sha].tree
        # Without a merge base nothing counts as changed (lib/gitlab/git/repository.rb).
        base = store.commits[mr.diff.base_sha].tree if mr.diff.base_sha else head
        files = compare_trees(store, base, head)
        changed = {path for each in files for path in (each.old_path, each.new_path)}
    read = find_included(start.project, commit)
    return select_jobs(text, source_variables(start), changed, read)
