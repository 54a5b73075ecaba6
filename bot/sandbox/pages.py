"""Serve a scenario's world with its pages, for people to try."""

import sys
import threading
from contextlib import suppress
from pathlib import Path

from bot.sandbox.running import Sandbox
from bot.sandbox.scenario import ScenarioError, read_scenario
from bot.sandbox.scenarios import FIRST_NOMINATION
from bot.sandbox.seed_section import SeedError


def serve(scenario: Path | None, port: int, stop: threading.Event | None = None) -> int:
    """Serve a scenario's world, the first nomination's by default, until stopped or interrupted.

    Returns 1 with one line on standard error when the scenario cannot be read.
    """
    folder = scenario or FIRST_NOMINATION
    try:
        sandbox = Sandbox(folder, read_scenario(folder).variables, port)
    except (OSError, ScenarioError, SeedError) as problem:
        print(f"nomination-bot: the scenario cannot be used: {problem}", file=sys.stderr)
        return 1
    with sandbox, suppress(KeyboardInterrupt):
        print(f"The sandbox is at {sandbox.url} (stop it with Ctrl-C).", flush=True)
        (stop or threading.Event()).wait()
    return 0
