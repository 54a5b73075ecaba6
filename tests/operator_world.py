"""An empty GitLab, and the same one after everything was set up and a nomination was opened."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from subprocess import CompletedProcess
from typing import Any

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft
from bot.sandbox.ci.shell import Execution, run_script
from bot.sandbox.http.server import Server
from bot.sandbox.scenarios import EMPTY
from bot.sandbox.story.running import Sandbox
from bot.sandbox.world.entities import MergeRequest, Project
from bot.sandbox.world.state import World
from tests.processes import run_here, run_job_here

TEAM = "gitlab-com/www-gitlab-com"
HOST = "gitlab-org/nomination-bot"
BOT_TOKEN = "glpat-sandbox-nomination-bot"  # noqa: S105  made up
OPERATOR_TOKEN = "glpat-sandbox-operator"  # noqa: S105  made up
ENTRY = "data/team_members/person/n/nominee-one.yml"


def settings(url: str, **more: str) -> dict[str, str]:
    """Return the settings that an operator gives."""
    given = {
        "TOKEN": BOT_TOKEN,
        "ADMIN_TOKEN": OPERATOR_TOKEN,
        "GITLAB_URL": url,
        "PROJECT": HOST,
        "TEAM_PROJECT": TEAM,
        **more,
    }
    return {f"NOMINATION_BOT_{name}": value for name, value in given.items() if value}


def operate(url: str, *arguments: str, **more: str) -> CompletedProcess[str]:
    """Run a command of the operator; neither token is ever printed."""
    done = run_here(*arguments, **settings(url, **more))
    for secret in (BOT_TOKEN, OPERATOR_TOKEN, "glptt-"):
        assert secret not in done.stdout + done.stderr
    return done


@contextmanager
def empty_gitlab() -> Iterator[Sandbox]:
    """Serve a GitLab in which nothing is set up for the bot."""
    with Sandbox(EMPTY) as sandbox:
        sandbox.runner.execute = run_quickly
        yield sandbox
        assert sandbox.world.violations == []


def run_quickly(lines: Iterable[str], *rest: Any) -> Execution:
    """Run the bot's jobs in this process; the guard's job is a script of its own."""
    script = [*lines]
    run = run_job_here if any("nomination-bot" in line for line in script) else run_script
    return run(script, *rest)


def nominate(world: World) -> MergeRequest:
    """Let the nominee open the merge request that makes them a maintainer."""
    nominee, team = world.user("nominee1"), world.project(TEAM)
    commit = team.repository.find_commit(team.default_branch)
    assert commit is not None
    entry = (team.repository.content(commit, ENTRY) or b"").replace(b"trainee_", b"")
    draft = CommitDraft(message="Nominate", changes={ENTRY: entry})
    actions.push(world, nominee, team, "nominate", draft)
    opening = MergeRequestDraft(
        title="Nominee One as maintainer",
        source_branch="nominate",
        target_branch=team.default_branch,
    )
    return actions.open_merge_request(world, nominee, team, opening)


@contextmanager
def serving(world: World) -> Iterator[Server]:
    """Serve a copy of a world, whose webhooks then lead to the copy."""
    twin = world.snapshot()
    before = world.external_url
    with Server(twin) as server:
        for project in twin.projects.values():
            for hook in project.webhooks:
                hook.url = hook.url.replace(before, server.url)
        yield server


def team_of(world: World) -> Project:
    """Return the team database."""
    return world.project(TEAM)


def host_of(world: World) -> Project:
    """Return the project that hosts the bot."""
    return world.project(HOST)
