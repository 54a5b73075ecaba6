"""Find the command that the arguments ask for, and run it."""

import sys
from collections.abc import Mapping, Sequence

from bot.cli.wiring import ONE, Command, Limits
from bot.inert import log_line
from bot.values import late_patterns


def run_command(
    arguments: Sequence[str], environment: Mapping[str, str], limits: Limits = ONE
) -> int:
    """Run any command but `run` on an event; return the exit code.

    The limits are those of one look at one merge request.
    """
    from bot.command_line import build_parser, choose_manner

    options = build_parser().parse_args(arguments)
    options.limits = limits
    options.manner = choose_manner(environment, sys.stdout, sys.stderr, quiet=options.quiet)
    if options.verbose:
        _tell_requests()
    with late_patterns():
        chosen = _find(options.command)
    return chosen(options, environment)


def _find(name: str) -> Command:
    """Return the function of a command; what only other commands need is not imported."""
    match name:
        case "run" | "decide":
            from bot.cli.events import COMMANDS
        case "check" | "replay":
            from bot.cli.named import COMMANDS
        case "sweep":
            from bot.cli.sweeping import COMMANDS
        case "ready" | "board" | "drift":
            from bot.cli.people import COMMANDS
        case "doctor" | "init":
            from bot.cli.operating import COMMANDS
        case "detect" | "policy":
            from bot.cli.offline import COMMANDS
        case _:
            from bot.cli.trying import COMMANDS
    return COMMANDS[name]


def _tell_requests() -> None:
    """Write every request to standard error, as the library beneath reports it: without headers."""
    import logging

    class Inert(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return log_line(record.getMessage())

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Inert())
    requests = logging.getLogger("urllib3.connectionpool")
    requests.handlers = [handler]
    requests.setLevel(logging.DEBUG)
