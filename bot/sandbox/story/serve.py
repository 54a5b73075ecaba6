"""Serve a scenario's world with its pages, for people to try."""

import shlex
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bot.sandbox.scenarios import EMPTY, FIRST_NOMINATION
from bot.sandbox.story.running import Sandbox
from bot.sandbox.story.scenario import Scenario, ScenarioError, find_seed, read_scenario
from bot.sandbox.story.seed_section import SeedError
from bot.sandbox.story.setting import Stage
from bot.sandbox.story.steps import StepError, play

OPENING = "open_merge_request"


def serve(
    folder: Path | None,
    port: int,
    stop: threading.Event | None = None,
    variables: Mapping[str, str] | None = None,
) -> int:
    """Serve a scenario's world, the first nomination's by default, until stopped or interrupted.

    Its steps are played until a merge request is open, so that there is something to try.
    `variables` go to the bot's jobs, and win over those of the scenario.
    Returns 1 with one line on standard error when the scenario cannot be read or played.
    """
    try:
        known = {"empty": EMPTY, "first-nomination": FIRST_NOMINATION}
        scenario = read_scenario(known.get(str(folder), folder) or FIRST_NOMINATION)
        sandbox = Sandbox(find_seed(scenario), {**scenario.variables, **(variables or {})}, port)
        # GitLab passes over parameters it does not know; only tests refuse them.
        sandbox.world.strict, sandbox.world.on_violation = False, _tell
        with sandbox, suppress(KeyboardInterrupt):
            print(f"The sandbox is at {sandbox.url} (stop it with Ctrl-C).", flush=True)
            print(_advise(sandbox, scenario), flush=True)
            (stop or threading.Event()).wait()
    except (OSError, ScenarioError, SeedError, StepError) as problem:
        print(f"nomination-bot: the scenario cannot be used: {problem}", file=sys.stderr)
        return 1
    return 0


def _tell(violation: str) -> None:
    """Say on the terminal what a client asked for and this GitLab does not offer."""
    told = violation.replace("no endpoint", "the sandbox does not offer", 1)
    print(f"sandbox: {told}", file=sys.stderr, flush=True)


def _advise(sandbox: Sandbox, scenario: Scenario) -> str:
    """Say what to do there: set the bot up, or comment."""
    if scenario.folder != EMPTY:
        return _play_opening(sandbox, scenario)
    return (
        "Nothing is set up for the bot yet. Give these, then run `nomination-bot init`:\n"
        f"export NOMINATION_BOT_GITLAB_URL={sandbox.url} {_tokens(sandbox)} "
        "NOMINATION_BOT_PROJECT=gitlab-org/nomination-bot"
    )


def _tokens(sandbox: Sandbox) -> str:
    """Write the tokens of the bot and of the operator, both made up."""
    names = {True: "NOMINATION_BOT_TOKEN", False: "NOMINATION_BOT_ADMIN_TOKEN"}
    return " ".join(f"{names[t.user.bot]}={shlex.quote(t.value)}" for t in sandbox.world.tokens)


def _play_opening(sandbox: Sandbox, scenario: Scenario) -> str:
    """Play the steps up to the first opened merge request; say what to do with it."""
    stage = Stage(sandbox=sandbox, folder=scenario.folder)
    openings = [step.number for step in scenario.steps if step.act == OPENING]
    for step in scenario.steps[: openings[0] if openings else 0]:
        play(stage, step)
    if stage.merge_request is None:
        return "The scenario opens no merge request."
    project, iid = stage.mr.project.path_with_namespace, stage.mr.iid
    variables = {"NOMINATION_BOT_GITLAB_URL": sandbox.url, **sandbox.runner.variables}
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    return (
        f"Comment as any of the people at {sandbox.url}/{project}/-/merge_requests/{iid}\n"
        f"By hand: {settings} nomination-bot check '{project}!{iid}' --dry-run"
    )
