"""Run a job's script as GitLab's shell executor does: one fresh bash, its log, its exit code."""

import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LOOK_EVERY = 0.25
_SHORTEST_MASKED = 8  # doc/ci/variables, "Mask a CI/CD variable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What a process did; `exit_code` is None when it was stopped, `seconds` is its wall time."""

    exit_code: int | None
    log: str
    seconds: float


Execute = Callable[
    [Iterable[str], Path, Mapping[str, str], float, threading.Event], Execution
]  # as `run_script` below


def run_script(
    lines: Iterable[str],
    directory: Path,
    environment: Mapping[str, str],
    timeout: float,
    stop: threading.Event,
) -> Execution:
    """Run script lines in one bash that stops at the first failure.

    The process gets `environment` and nothing else, and is killed with all its children after
    `timeout` seconds or when `stop` is set.
    """
    began = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - running a job's script is what a runner is for
        ["/bin/bash", "-euo", "pipefail", "-c", _script(lines)],
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    output = _output(process, began + timeout, stop)
    seconds = time.monotonic() - began
    if output is None:
        _kill(process)
        output, exit_code = process.communicate()[0], None
    else:
        exit_code = process.returncode
    text = output.decode("utf-8", "replace") + closing_line(exit_code, seconds)
    return Execution(exit_code=exit_code, log=text, seconds=seconds)


def mask(log: str, secrets: Iterable[str]) -> str:
    """Replace the values of masked variables, as a runner does; it masks 8 characters and more."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_MASKED:
            log = log.replace(secret, "[MASKED]")
    return log


def _script(lines: Iterable[str]) -> str:
    return "\n".join(f"printf '%s\\n' {shlex.quote(_shown(line))}\n{line}" for line in lines)


def _shown(command: str) -> str:
    """Return what the log shows of a command: its first line (gitlab-runner, shells/bash.go)."""
    first, _, rest = command.strip().partition("\n")
    return f"$ {first} # collapsed multi-line command" if rest else f"$ {first}"


def _output(
    process: subprocess.Popen[bytes], deadline: float, stop: threading.Event
) -> bytes | None:
    """Collect the whole output, or return None when it is time to kill."""
    while not stop.is_set() and time.monotonic() < deadline:
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=_LOOK_EVERY)[0]
    return None


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def closing_line(exit_code: int | None, seconds: float) -> str:
    """Write how a job ended, as the last line of its log."""
    if exit_code is None:
        return f"ERROR: Job failed: execution took longer than {seconds:.0f}s\n"
    return "Job succeeded\n" if exit_code == 0 else f"ERROR: Job failed: exit status {exit_code}\n"
