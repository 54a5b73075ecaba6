"""The door for people and jobs: arguments, environment, clock, wiring, exit code."""

from bot.cli.choosing import run_command as run_command
from bot.cli.events import (
    run_broken as run_broken,
    run_event as run_event,
    run_push as run_push,
    run_stranger as run_stranger,
)
