"""Serve a scenario's world with its pages, for people to try."""

import threading
from contextlib import suppress
from pathlib import Path

from bot.sandbox.running import Sandbox
from bot.sandbox.scenario import read_scenario
from bot.sandbox.scenarios import FIRST_NOMINATION


def serve(scenario: Path | None, port: int, stop: threading.Event | None = None) -> int:
    """Serve a scenario's world, the first nomination's by default, until stopped or interrupted."""
    folder = scenario or FIRST_NOMINATION
    with Sandbox(folder, read_scenario(folder).variables, port) as sandbox:
        print(f"The sandbox is at {sandbox.url} (stop it with Ctrl-C).", flush=True)
        with suppress(KeyboardInterrupt):
            (stop or threading.Event()).wait()
    return 0
