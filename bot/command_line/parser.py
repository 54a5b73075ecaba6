"""Which commands and options there are, with help; wrong ones are answered with right ones."""

import argparse
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from typing import NoReturn

from bot.command_line.commands import COMMANDS
from bot.config import SETTINGS
from bot.errors import ConfigError

NAME = "nomination-bot"
# Only in the words of its messages argparse tells what was written.
_QUOTED = re.compile(r"invalid choice: '([^']*)'")
_UNKNOWN = "unrecognized arguments: "


class Parser(argparse.ArgumentParser):
    """Say wrong arguments like any other mistake: argparse's exit code is the gate's."""

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError with the message, and what may have been meant."""
        meant = self._suggest(message)
        hint = f" Did you mean {meant}?" if meant else ""
        raise ConfigError(f"{message};{hint} `{self.prog} --help` shows how.")

    def _suggest(self, message: str) -> str | None:
        choice = _QUOTED.search(message)
        if choice:
            return _closest(choice[1], self._choices())
        if message.startswith(_UNKNOWN):
            words = message.removeprefix(_UNKNOWN).split()
            written = next((word for word in words if word.startswith("-")), "")
            return _closest(written.split("=")[0], self.all_options())
        return None

    def _choices(self) -> Iterator[str]:
        for action in self._actions:
            yield from map(str, action.choices or ())

    def all_options(self) -> Iterator[str]:
        """Yield the options of this command and of those below it."""
        for action in self._actions:
            yield from action.option_strings
        for parser in self.subcommands().values():
            yield from parser.all_options()

    def subcommands(self) -> dict[str, "Parser"]:
        """Return the parsers of the commands below this one, by name."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  no public name
                return dict(action.choices)
        return {}


class _ShowVersion(argparse.Action):
    """Look the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        """Print the version, and leave."""
        print(f"{NAME} {find_version()}")
        parser.exit()


def _closest(written: str, known: Iterable[str]) -> str | None:
    found = get_close_matches(written, sorted(set(known)), n=1)
    return f"`{found[0]}`" if found else None


@cache
def build_parser() -> Parser:
    """Build the parser of all commands, once in a process."""
    parser = Parser(
        prog=NAME,
        description="Says who is ready to be a maintainer, and what is left.",
        epilog=_environment(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="say which version this is")
    _add_manner(parser, {"quiet": False, "verbose": False})
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (words, examples, takes) in COMMANDS.items():
        below = commands.add_parser(
            name,
            help=words,
            description=f"{words[0].upper()}{words[1:]}.",
            epilog=_examples(name, examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        # After the command they must not undo what stood before it.
        _add_manner(below, {})
        for add in takes:
            add(below)
    return parser


def _add_manner(parser: Parser, defaults: dict[str, bool]) -> None:
    said = parser.add_mutually_exclusive_group()
    for letter, name, words in (
        ("-q", "quiet", "say only what is wrong"),
        ("-v", "verbose", "tell every request to GitLab on standard error"),
    ):
        default = defaults.get(name, argparse.SUPPRESS)
        said.add_argument(letter, f"--{name}", action="store_true", default=default, help=words)


def find_version(name: str = NAME) -> str:
    """Return the version that is installed."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  as slow as ten

    try:
        return version(name)
    except PackageNotFoundError:
        return "of a checkout"


def _environment() -> str:
    width = max(len(each.name) for each in SETTINGS)
    rows = [f"  {each.name:{width}}  {each.meaning}" for each in SETTINGS]
    return "\n".join(
        [
            "environment:",
            *rows,
            "  REQUESTS_CA_BUNDLE, HTTPS_PROXY, NO_PROXY, NO_COLOR are followed as usual",
            "",
            f"`{NAME} COMMAND --help` shows the options and examples of a command.",
        ]
    )


def _examples(name: str, examples: tuple[str, ...]) -> str | None:
    if not examples:
        return None
    return "\n".join(["examples:", *(f"  {NAME} {name} {each}".rstrip() for each in examples)])
