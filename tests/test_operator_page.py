"""The page for operators is true: its commands run, its versions are those of the code."""

import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bot.setup import LEAST, write_version

PAGE = Path(__file__).parent.parent / "docs" / "operator.md"
PATIENCE = 60.0  # seconds


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_the_page_lists_exactly_the_least_versions() -> None:
    rows = re.findall(
        r"^\| (.+?) \| (\d+\.\d+) \| (.+?) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert rows == [(each.what, write_version(each.version), each.without) for each in LEAST]


def test_the_page_has_less_than_two_pages() -> None:
    assert len(PAGE.read_text("utf-8").splitlines()) < 110


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_lead_from_an_empty_gitlab_to_a_blocked_merge(tmp_path: Path) -> None:
    (commands,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    port = free_port()
    serve, *others = commands.replace("8080", str(port)).splitlines()
    assert len(others) < 10
    path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    sandbox = subprocess.Popen(  # noqa: S603  our own command
        serve.removesuffix(" &").split(), env=environment, stdout=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        *before, doctor = others
        script = "set -eu\n" + "\n".join(before)
        # The merge request's event starts a job, which takes its time.
        script += f"\nfor i in $(seq 40); do {doctor} >said || true; "
        script += "grep -q '!1 has a failed gate' said && break; sleep 1; done; cat said"
        done = subprocess.run(  # noqa: S603  the page's own commands
            ["/bin/bash", "-c", script],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    finally:
        sandbox.terminate()
        sandbox.wait(10)
    assert done.returncode == 0, done.stderr
    assert "gate-blocks: !1 has a failed gate and cannot be merged" in done.stdout
    assert "\nwrong" not in done.stdout
    assert "glptt-" not in done.stdout + done.stderr


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.2)
    raise TimeoutError(f"nobody listens on port {port}")
