"""The commands to get to know the bot by: the sandbox, the demo, completion in a shell."""

import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bot.cli.wiring import POLICIES, Command
from bot.command_line import choose_width, write_completion
from bot.errors import ConfigError


def _sandbox(options: Namespace, environment: Mapping[str, str]) -> int:
    with _told_what_is_missing():
        from bot.sandbox.story import serve as pages
    scenario = Path(options.scenario) if options.scenario else None
    return pages.serve(scenario, options.port, variables=_own_policies(environment))


def _own_policies(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what makes the sandbox's jobs judge by the operator's policies, wherever they run."""
    policies = environment.get(POLICIES, "").strip()
    if policies and not Path(policies).exists():
        raise ConfigError(f"{POLICIES} is {policies!r}: there is no such directory.")
    return {POLICIES: str(Path(policies).resolve())} if policies else {}


def _demo(options: Namespace, environment: Mapping[str, str]) -> int:
    width, colour = choose_width(environment), options.manner.colour
    with _told_what_is_missing():
        from bot.sandbox.story import demo
    return demo.run_demo(sys.stdout, width=width, colour=colour)


@contextmanager
def _told_what_is_missing() -> Iterator[None]:
    """Say what the import of the sandbox needs, which is not installed with the bot."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("bot"):
            raise
        raise ConfigError(
            f"The sandbox needs {error.name}: run `make sandbox` or `make demo` in a checkout of "
            "this project, which install what they need."
        ) from None


def _completion(options: Namespace, _: Mapping[str, str]) -> int:
    print(write_completion(options.shell), end="")
    return 0


COMMANDS: dict[str, Command] = {"sandbox": _sandbox, "demo": _demo, "completion": _completion}
