"""The includable CI/CD components, taken out of their files and run as processes."""

import re
import subprocess
import tarfile
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.sandbox.ci.ci_file import select_jobs
from bot.sandbox.world.shipped import ci_definition
from tests.event_bodies import TEAM_PROJECT, make_merge_request_body, make_note_body
from tests.processes import write_payload
from tests.test_main import IRRELEVANT

ROOT = Path(__file__).parents[1]
BOT = ROOT / "templates" / "nomination-bot.yml"
DECISION = re.compile(r"(?<=<<'DECIDE'\n).*?(?=^ {6}DECIDE$)", re.DOTALL | re.MULTILINE)
DRIVER = """
import os
import sys

try:
    with open(os.environ["TRIGGER_PAYLOAD"], "rb") as file:
        found = read_event(file.read(MAX_BYTES + 1), *parse_scope(os.environ))
except (ConfigError, OSError, KeyError):
    sys.exit(1)  # the bot itself says what is wrong
if not isinstance(found, Irrelevant):
    sys.exit(1)
print(f"Nothing to do: {found.reason}.")
"""


def fill(component: Path, **inputs: str) -> dict[str, Any]:
    """Return a component's jobs, its inputs filled in as GitLab does."""
    header, _, body = component.read_text(encoding="utf-8").partition("\n---\n")
    for name, each in yaml.safe_load(header)["spec"]["inputs"].items():
        body = body.replace(f"$[[ inputs.{name} ]]", str(inputs.get(name, each.get("default"))))
    assert "$[[" not in body
    return dict(yaml.safe_load(body))


def run_lines(
    lines: list[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run script lines in one shell, as a runner does, with nothing but a bare Python in reach."""
    return subprocess.run(  # noqa: S603  our own script
        ["/bin/bash", "-eo", "pipefail", "-c", "\n".join(lines)],
        cwd=folder,
        env={"PATH": f"{folder}/bin:/usr/local/bin:/usr/bin:/bin"} | dict(environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def write_decision() -> str:
    """Join the files that decide about an event into one program."""
    sources = [(ROOT / "bot" / name).read_text("utf-8") for name in ("scope.py", "event.py")]
    future = "from __future__ import annotations\n"
    joined = "\n\n".join(source.replace(future, "") for source in sources)
    own = "class ConfigError(Exception):\n    pass\n"
    joined = joined.replace("from bot.errors import ConfigError\n", own)
    # A line of a docstring alone is no docstring of the whole, and does no harm.
    return f"{future}\n{joined}{DRIVER}"


def test_the_component_decides_as_the_bot_does(bless: bool) -> None:
    wanted = textwrap.indent(write_decision(), " " * 6, lambda line: bool(line.strip()))
    text = BOT.read_text("utf-8")
    if bless:
        BOT.write_text(DECISION.sub(lambda _: wanted, text), "utf-8")
        text = BOT.read_text("utf-8")
    found = DECISION.search(text)
    assert found
    assert found[0] == wanted


def run_component(folder: Path, payload: dict[str, Any] | bytes) -> str:
    """Run the component's job with a bot that only says that it was started."""
    (folder / "bin").mkdir()
    command = folder / "bin" / "nomination-bot"
    command.write_text('#!/bin/sh\necho "started: $*"\n')
    command.chmod(0o755)
    job = fill(BOT, package="https://gitlab.example.com/a.tar.gz")["nomination-run"]
    done = run_lines(
        [*job["before_script"], *job["script"]],
        folder,
        {
            "TRIGGER_PAYLOAD": str(write_payload(folder, payload)),
            "NOMINATION_BOT_TEAM_PROJECT": TEAM_PROJECT,
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.sample(1)
@pytest.mark.parametrize("body", IRRELEVANT.values(), ids=IRRELEVANT)
def test_an_irrelevant_event_ends_the_job_before_the_bot_is_there(
    body: dict[str, Any], tmp_path: Path
) -> None:
    said = run_component(tmp_path, body)
    assert said.startswith("Nothing to do: ")
    assert said.count("\n") == 1


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "body",
    [make_merge_request_body("open"), make_note_body("/nomination recheck"), b"{", b""],
    ids=["opened", "command", "broken", "empty"],
)
def test_what_may_matter_goes_on(body: dict[str, Any] | bytes, tmp_path: Path) -> None:
    assert run_component(tmp_path, body) == "started: run\n"


def test_the_projects_own_job_ends_as_early(tmp_path: Path) -> None:
    (job,) = select_jobs(ci_definition(), {"CI_PIPELINE_SOURCE": "trigger"})
    payload = write_payload(tmp_path, IRRELEVANT["a title"])
    given = {"TRIGGER_PAYLOAD": str(payload), "NOMINATION_BOT_TEAM_PROJECT": TEAM_PROJECT}
    done = run_lines(["pip() { exit 9; }", *job.script], ROOT, given)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Nothing to do: ")


def test_the_component_installs_what_is_locked_and_no_more(tmp_path: Path) -> None:
    files = tmp_path / "nomination-bot-1"
    files.mkdir()
    (files / "requirements.txt").write_text("locked\n")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(files, arcname=files.name)
    (tmp_path / "bin").mkdir()
    pip = tmp_path / "bin" / "pip"
    pip.write_text('#!/bin/sh\necho "$@"\nfor last; do :; done\n[ ! -f "$last" ] || cat "$last"\n')
    pip.chmod(0o755)
    job = fill(BOT, package=(tmp_path / "a.tar.gz").as_uri())["nomination-sweep"]
    done = run_lines(job["before_script"], tmp_path, {})
    assert done.returncode == 0, done.stderr
    locked, content, own = done.stdout.splitlines()
    assert {"--no-deps", "--require-hashes", "--requirement"} <= set(locked.split())
    assert locked.endswith("/files/nomination-bot-1/requirements.txt")
    assert content == "locked"
    assert {"--no-deps", "--no-build-isolation"} <= set(own.split())
    assert own.endswith("/files/nomination-bot-1/")


def test_no_job_beside_the_token_restores_a_cache_or_waits_for_others() -> None:
    own = yaml.safe_load(ci_definition())
    jobs = fill(BOT, package="https://gitlab.example.com/a.tar.gz")
    for job in (own["nominate"], own["sweep"], *jobs.values()):
        assert "cache" not in job
        assert job["variables"]["PIP_NO_CACHE_DIR"] == "1"
    assert "cache" not in own
    assert "resource_group" not in own["nominate"]
    assert "resource_group" not in jobs["nomination-run"]
