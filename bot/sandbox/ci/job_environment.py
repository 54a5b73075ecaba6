"""What a job is started with: the variables a runner sets, the payload, the commands on PATH."""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.sandbox.ci.ci_file import JobDefinition
from bot.sandbox.world.entities import CommitStatus, Start

_CHECKOUT = Path(__file__).resolve().parents[3]

# doc/ci/jobs/job_logs.md, "Create custom collapsible sections".
_SECTION = re.compile(r"\x1b\[0K(?:section_(?:start|end):\d+:[\w.-]+(?:\[[^\]]*\])?\r\x1b\[0K)?")


@dataclass(slots=True, eq=False, kw_only=True)
class JobRun:
    """A job that was, or will be, run; `api_calls` counts the requests it made to the API.

    A job `of_the_bot` is one of its own project and finds its files in the working folder.
    """

    job: CommitStatus
    definition: JobDefinition
    of_the_bot: bool = False
    exit_code: int | None = None
    log: str = ""
    seconds: float = 0.0
    api_calls: int = 0

    @property
    def shown_log(self) -> str:
        """Return the log as GitLab's page shows it, all sections unfolded."""
        lines = _SECTION.sub("", self.log).splitlines()
        return "".join(f"{line}\n" for line in lines if line)


def build_environment(run: JobRun, folder: Path, common: Mapping[str, str]) -> dict[str, str]:
    """Collect what the process gets, and make its folders; passed variables win over all others."""
    builds = folder / "builds"
    builds.mkdir()
    if run.of_the_bot:
        (builds / "bot").symlink_to(_CHECKOUT / "bot")
    commands = command_folders(folder, Path(sys.executable).parent)
    environment = {
        "PATH": f"{commands}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "CI_PROJECT_DIR": str(builds),
        **_predefined(run, common["CI_SERVER_URL"]),
        **run.definition.variables,
        **common,
        **run.job.pipeline.variables,
    }
    if run.job.pipeline.payload is not None:
        payload = folder / "TRIGGER_PAYLOAD"
        payload.write_text(json.dumps(run.job.pipeline.payload), encoding="utf-8")
        environment["TRIGGER_PAYLOAD"] = str(payload)
    return environment


def command_folders(folder: Path, programs: Path) -> str:
    """Return what PATH begins with: `programs`, which must offer `nomination-bot`.

    In a checkout without an installation a command in `folder` stands in for it.
    """
    if (programs / "nomination-bot").exists():
        return str(programs)
    commands = folder / "commands"
    commands.mkdir()
    command = commands / "nomination-bot"
    command.write_text(
        f'#!/bin/sh\nPYTHONPATH="{_CHECKOUT}" exec "{sys.executable}" -m bot "$@"\n',
        encoding="utf-8",
    )
    command.chmod(0o700)
    return f"{commands}:{programs}"


def source_variables(start: Start) -> dict[str, str]:
    """Return what `rules` can ask for when a pipeline is created."""
    return {
        "CI_PIPELINE_SOURCE": start.source,
        "CI_DEFAULT_BRANCH": start.project.default_branch,
        **_ref_variables(start),
        **({} if start.payload is None else {"CI_PIPELINE_TRIGGERED": "true"}),
        **start.variables,
    }


def _ref_variables(start: Start) -> dict[str, str]:
    mr = start.merge_request
    if mr is None:
        return {"CI_COMMIT_REF_NAME": start.ref, "CI_COMMIT_BRANCH": start.ref}
    return {
        "CI_COMMIT_REF_NAME": mr.source_branch,
        "CI_MERGE_REQUEST_IID": str(mr.iid),
        "CI_MERGE_REQUEST_PROJECT_ID": str(mr.project.id),
        "CI_MERGE_REQUEST_PROJECT_PATH": mr.project.path_with_namespace,
        "CI_MERGE_REQUEST_REF_PATH": start.ref,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": mr.source_branch,
        # Set in a pipeline of merged results alone (GitLab, predefined_variables.md).
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": mr.target_branch,
    }


def _predefined(run: JobRun, external_url: str) -> dict[str, str]:
    """Return the variables that GitLab predefines for every job."""
    job, pipeline = run.job, run.job.pipeline
    project = pipeline.project
    web_url = f"{external_url}/{project.path_with_namespace}"
    trigger = {"CI_TRIGGER_SHORT_TOKEN": pipeline.short_token} if pipeline.short_token else {}
    return {
        "CI_PROJECT_ID": str(project.id),
        "CI_PROJECT_NAME": project.path_with_namespace.rsplit("/", 1)[-1],
        "CI_PROJECT_NAMESPACE": project.path_with_namespace.rsplit("/", 1)[0],
        "CI_PROJECT_PATH": project.path_with_namespace,
        "CI_PROJECT_URL": web_url,
        "CI_PIPELINE_ID": str(pipeline.id),
        "CI_PIPELINE_IID": str(pipeline.iid),
        "CI_PIPELINE_URL": f"{web_url}/-/pipelines/{pipeline.id}",
        "CI_JOB_ID": str(job.id),
        "CI_JOB_NAME": job.name,
        "CI_JOB_STAGE": job.stage,
        "CI_JOB_URL": f"{web_url}/-/jobs/{job.id}",
        "CI_COMMIT_SHA": pipeline.sha,
        "CI_COMMIT_SHORT_SHA": pipeline.sha[:8],
        "GITLAB_USER_LOGIN": pipeline.user.username,
        "GITLAB_USER_ID": str(pipeline.user.id),
        **source_variables(pipeline),
        **trigger,
    }


def server_variables(external_url: str) -> dict[str, str]:
    """Return the predefined variables that are equal for all projects of a GitLab."""
    address = urlsplit(external_url)
    return {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_SERVER": "yes",
        "CI_SERVER_NAME": "GitLab",
        "CI_SERVER_URL": external_url,
        "CI_SERVER_HOST": address.hostname or "",
        "CI_SERVER_PORT": str(address.port or 80),
        "CI_SERVER_PROTOCOL": address.scheme,
        "CI_SERVER_FQDN": address.netloc,
        "CI_API_V4_URL": f"{external_url}/api/v4",
        "CI_API_GRAPHQL_URL": f"{external_url}/api/graphql",
    }
