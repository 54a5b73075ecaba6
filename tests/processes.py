"""Start the bot as a runner does, with the payload in a file: in a fresh process, or here."""

import io
import json
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from bot.__main__ import GO_ON, main
from bot.sandbox.ci.shell import Execution, closing_line
from tests.event_bodies import TEAM_PROJECT

ROOT = Path(__file__).parent.parent
DECIDE = "if python3 -ES -m bot decide; then exit 0; fi"
SCOPE = {"NOMINATION_BOT_TEAM_PROJECT": TEAM_PROJECT}


def write_payload(directory: Path, body: dict[str, Any] | bytes) -> Path:
    """Write a payload file as GitLab's runner does."""
    path = directory / "TRIGGER_PAYLOAD"
    path.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
    return path


def run_python(
    code: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run Python in the checkout with little more than the given environment."""
    base = {"PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)} | SCOPE
    return subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, *code],
        env=base | dict(environment),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
    )


def run_here(*arguments: str, **environment: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the bot by the same door but in this process, which is quicker."""
    out, err = io.StringIO(), io.StringIO()
    given = SCOPE | {name: str(value) for name, value in environment.items()}
    with redirect_stdout(out), redirect_stderr(err):
        code = main(arguments, given)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def run_job_here(
    lines: Iterable[str],
    directory: Path,
    environment: Mapping[str, str],
    _timeout: float,
    _stop: threading.Event,
) -> Execution:
    """Run the bot's own CI job in this process, in place of the sandbox's `run_script`."""
    began, log = time.monotonic(), io.StringIO()
    artifacts = environment.get("NOMINATION_BOT_ARTIFACTS")
    if artifacts:
        environment = {**environment, "NOMINATION_BOT_ARTIFACTS": str(directory / artifacts)}
    with redirect_stdout(log), redirect_stderr(log):
        codes = (_run_line(_in_folder(line, directory), environment) for line in lines)
        code = next((each for each in codes if each != GO_ON), GO_ON) % GO_ON
    seconds = time.monotonic() - began
    told = log.getvalue().replace(f"{directory}/", "")
    return Execution(exit_code=code, log=told + closing_line(code, seconds), seconds=seconds)


def _in_folder(line: str, directory: Path) -> str:
    """Let a job write where it would: this process stays in a folder of its own."""
    return line.replace("--output public", f"--output {shlex.quote(str(directory / 'public'))}")


def _run_line(line: str, environment: Mapping[str, str]) -> int:
    """Return how the job ends with a line, or that it goes on."""
    print(f"$ {line}")
    if line == DECIDE:
        return main(["decide"], environment)
    program, *arguments = shlex.split(line)
    if program == "command":
        assert line.startswith("command -v nomination-bot >/dev/null ||"), line
        return GO_ON  # as where the bot is installed
    assert program == "nomination-bot", line
    return main(arguments, environment) or GO_ON


def run_bot(*arguments: str, **environment: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the bot."""
    return run_python(
        ["-m", "bot", *arguments], {name: str(value) for name, value in environment.items()}
    )
