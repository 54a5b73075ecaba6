"""The triggered job of `.gitlab-ci.yml` runs for real, by GitLab's own rules, without GitLab."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox.ci.job_environment import command_folders
from bot.sandbox.scenarios import FIRST_NOMINATION
from bot.sandbox.story.running import Sandbox
from bot.sandbox.story.scenario import read_scenario
from bot.sandbox.story.setting import Stage
from bot.sandbox.story.steps import play
from bot.sandbox.webhooks.bodies import build_merge_request_body

CI_FILE = Path(__file__).parents[1] / ".gitlab-ci.yml"
PROGRAM = shutil.which("gitlab-ci-local")
pytestmark = pytest.mark.skipif(
    PROGRAM is None or shutil.which("rsync") is None,
    reason="gitlab-ci-local (npm) or rsync (Debian) is not installed",
)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Open the nomination's merge request while all webhooks are lost."""
    scenario = read_scenario(FIRST_NOMINATION)
    with Sandbox(scenario.folder, scenario.variables) as sandbox:
        stage = Stage(sandbox=sandbox, folder=scenario.folder)
        sandbox.hooks.fault = "lost"
        play(stage, scenario.steps[0])
        yield stage


def make_checkout(folder: Path) -> Path:
    """Make a repository that holds the configuration, as a runner would clone it."""
    folder.mkdir()
    shutil.copy(CI_FILE, folder)
    for arguments in (
        ["init", "--quiet", "--initial-branch=main"],
        ["remote", "add", "origin", "https://gitlab.example.com/tools/nomination-bot.git"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "x"],
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True)  # noqa: S603, S607 - fixed words
    return folder


def run_job(
    checkout: Path, name: str, variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a job in a shell, with the variables that a pipeline of its source would have."""
    predefined = [each for each in variables if each.startswith("CI_")]
    commands = command_folders(checkout.parent, Path(sys.executable).parent)
    return subprocess.run(  # noqa: S603 - the program under test
        [
            str(PROGRAM), name, "--force-shell-executor",
            "--ignore-predefined-vars", ",".join(predefined),
            *(part for item in variables.items() for part in ("--variable", "=".join(item))),
        ],
        cwd=checkout,
        env={"PATH": f"{commands}:{os.environ['PATH']}", "HOME": str(checkout.parent)},  # noqa: TID251 - node is found there
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip


def test_the_triggered_job_answers_the_merge_request(stage: Stage, tmp_path: Path) -> None:
    changed = [each for each in stage.world.events if each.kind == "merge_request_changed"]
    body = build_merge_request_body(stage.world, changed[-1], stage.mr)
    payload = tmp_path / "payload.json"
    payload.write_text(json.dumps(body | {"id": "8200", "ref": "main"}))
    done = run_job(
        make_checkout(tmp_path / "checkout"),
        "nominate",
        {
            **stage.sandbox.runner.variables,
            "TRIGGER_PAYLOAD": str(payload),
            "CI_PIPELINE_SOURCE": "trigger",
            "CI_SERVER_URL": stage.sandbox.url,
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    notes = [each for each in stage.mr.comments if each.author is stage.sandbox.bot]
    assert len(notes) == 1
    assert "Review at least 5 merge requests" in notes[0].body
