"""The commands to get to know the bot by: the sandbox, the demo, completion in a shell."""

import sys
from argparse import Namespace
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

from bot.cli.wiring import POLICIES, Command
from bot.command_line import choose_width, write_completion
from bot.errors import ConfigError


def _sandbox(options: Namespace, environment: Mapping[str, str]) -> int:
    pages = _import_sandbox("serve")
    scenario = Path(options.scenario) if options.scenario else None
    return int(pages.serve(scenario, options.port, variables=_own_policies(environment)))


def _own_policies(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what makes the sandbox's jobs judge by the operator's policies, wherever they run."""
    policies = environment.get(POLICIES, "").strip()
    if policies and not Path(policies).exists():
        raise ConfigError(f"{POLICIES} is {policies!r}: there is no such directory.")
    return {POLICIES: str(Path(policies).resolve())} if policies else {}


def _demo(options: Namespace, environment: Mapping[str, str]) -> int:
    width, colour = choose_width(environment), options.manner.colour
    return int(_import_sandbox("demo").run_demo(sys.stdout, width=width, colour=colour))


def _import_sandbox(name: str) -> ModuleType:
    try:
        return import_module(f"bot.sandbox.story.{name}")
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
