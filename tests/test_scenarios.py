"""Tell whole stories and compare what GitLab then shows with the blessed files beside the steps.

Real deliveries start the real job: in one story as a fresh process, in the others in this one,
which is quicker. `pytest --bless` rewrites the files.
"""

from pathlib import Path

import pytest

from bot.sandbox.scenarios import FIRST_NOMINATION
from bot.sandbox.story.running import Sandbox
from bot.sandbox.story.scenario import find_seed, read_scenario
from bot.sandbox.story.steps import tell
from tests.processes import run_job_here
from tests.snapshots import snapshot

HERE = Path(__file__).parent / "scenarios"
PROCESSES = {"held-and-merged"}
FOLDERS = sorted(
    (folder for folder in HERE.iterdir() if (folder / "steps.yml").exists()),
    key=lambda folder: (folder.name in PROCESSES, folder.name),
)


@pytest.mark.sample(2)
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_gitlab_shows_after_each_step_what_was_blessed(folder: Path, bless: bool) -> None:
    scenario = read_scenario(FIRST_NOMINATION if folder.name == "first-nomination" else folder)
    shown: dict[str, str] = {}
    with Sandbox(find_seed(scenario), scenario.variables) as sandbox:
        if folder.name not in PROCESSES:
            sandbox.runner.execute = run_job_here
        for outcome in tell(sandbox, scenario):
            shown |= snapshot(outcome, sandbox.url)
        assert not sandbox.world.violations
    expected = folder / "expected"
    if bless:
        write_expected(expected, shown)
    assert shown == {
        file.name: file.read_text(encoding="utf-8") for file in sorted(expected.glob("*.*"))
    }


def write_expected(folder: Path, shown: dict[str, str]) -> None:
    """Make the expected files equal what was shown."""
    folder.mkdir(exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    for name, text in shown.items():
        (folder / name).write_text(text, encoding="utf-8")
