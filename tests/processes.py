"""Start the bot as a runner does, with the payload in a file: in a fresh process, or here."""

import io
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from bot.__main__ import main
from tests.event_bodies import TEAM_PROJECT

ROOT = Path(__file__).parent.parent
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


def run_bot(*arguments: str, **environment: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the bot."""
    return run_python(
        ["-m", "bot", *arguments], {name: str(value) for name, value in environment.items()}
    )
