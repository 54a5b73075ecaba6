"""Which commands and options there are, with help; wrong ones are answered with right ones."""

import argparse
import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from typing import Any, NoReturn

from bot.config import SETTINGS
from bot.errors import ConfigError

PORTS = range(65536)
NAME = "nomination-bot"
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
    for name, (words, examples, add) in COMMANDS.items():
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


def _add_output(parser: Parser) -> None:
    said = parser.add_mutually_exclusive_group()
    said.add_argument("--output", choices=["text", "json"], help="how to print (default: text)")
    said.add_argument("--json", action="store_true", help="the same as --output json")


def wants_json(options: argparse.Namespace) -> bool:
    """Return whether JSON is asked for."""
    return bool(options.json) or options.output == "json"


def _add_nothing(_: Parser) -> None:
    """Add no options."""


def _add_run(parser: Parser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="write nothing, log what would be")


def _add_check(parser: Parser) -> None:
    parser.add_argument("target", help="GROUP/PROJECT!IID, or the address of a merge request")
    parser.add_argument("--dry-run", action="store_true", help="write nothing, show what would be")
    _add_output(parser)


def _add_detect(parser: Parser) -> None:
    parser.add_argument("--base", required=True, metavar="DIR", help="the checkout before")
    parser.add_argument("--head", required=True, metavar="DIR", help="the checkout after")
    _add_output(parser)


def _add_policy(parser: Parser) -> None:
    parser.add_argument("action", choices=["check"], help="`check`: look for mistakes")
    parser.add_argument("files", nargs="*", metavar="FILE", help="files or directories")
    _add_output(parser)


def _add_ready(parser: Parser) -> None:
    parser.add_argument("username", help="the account's name, with or without @")
    parser.add_argument(
        "--policy", metavar="ID|FILE", help="only this policy, or one in a file, in force or not"
    )
    parser.add_argument("--entry", metavar="SLUG", help="name of their entry's file, if another")
    parser.add_argument(
        "--outcomes", action="store_true", help="tell how the counted merge requests went, too"
    )
    _add_output(parser)


def _add_sandbox(parser: Parser) -> None:
    parser.add_argument("--scenario", metavar="DIR", help="a directory of plain files")
    parser.add_argument("--port", type=read_port, default=8080, metavar="N", help="0 for any")


def _add_init(parser: Parser) -> None:
    parser.add_argument("--apply", action="store_true", help="make it so; without this only say")
    parser.add_argument(
        "--rotate", choices=["token", "trigger"], help="replace the bot's token, or the trigger's"
    )


def _add_board(parser: Parser) -> None:
    parser.add_argument(
        "--output", required=True, metavar="DIR", help="where to write; made if it is not there"
    )


def _add_replay(parser: Parser) -> None:
    parser.add_argument("target", help="GROUP/PROJECT!IID, or the address of a merge request")
    _add_output(parser)


def _add_drift(parser: Parser) -> None:
    parser.add_argument("--policy", metavar="ID", help="only this policy")
    _add_output(parser)


def _add_completion(parser: Parser) -> None:
    parser.add_argument("shell", choices=["bash", "zsh", "fish"], help="for which shell")


def read_port(text: str) -> int:
    """Read the number of a port."""
    if text.isascii() and text.isdecimal() and int(text) in PORTS:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port; use a number from 0 to 65535")


Add = Callable[[Parser], Any]
COMMANDS: dict[str, tuple[str, tuple[str, ...], Add]] = {
    "run": ("the CI job: read the event named by TRIGGER_PAYLOAD", ("--dry-run",), _add_run),
    "decide": ("exit 0 where that event does not matter, 10 where it does", (), _add_nothing),
    "check": (
        "evaluate one merge request by hand",
        ("group/team!12 --dry-run", "https://gitlab.example.com/group/team/-/merge_requests/12"),
        _add_check,
    ),
    "ready": (
        "judge somebody before any merge request exists",
        (
            "nominee1",
            "nominee1 --policy my-policy --json",
            "nominee1 --policy my-policies/next.yml",
        ),
        _add_ready,
    ),
    "sweep": ("look again at every nomination that is not over", ("", "--json"), _add_output),
    "board": (
        "write pages that show who is near to a role, and who waits on whom",
        ("--output public",),
        _add_board,
    ),
    "replay": (
        "tell the history of a nomination: who decided what, and how long each step took",
        ("group/team!12", "group/team!12 --json"),
        _add_replay,
    ),
    "drift": (
        "compare who has a role by entry, groups and files; exit 1 where they disagree",
        ("", "--policy my-policy --json"),
        _add_drift,
    ),
    "detect": (
        "compare two team databases, offline",
        ("--base before/ --head after/",),
        _add_detect,
    ),
    "policy": ("work with policies", ("check", "check my-policies/ --json"), _add_policy),
    "doctor": (
        "look whether everything in GitLab is as the bot needs it; changes nothing",
        ("", "-q", "--json"),
        _add_output,
    ),
    "init": (
        "make everything in GitLab as the bot needs it",
        ("", "--apply", "--rotate token --apply"),
        _add_init,
    ),
    "sandbox": ("serve the stand-in GitLab with its pages", ("--port 0",), _add_sandbox),
    "demo": ("tell the story of a nomination on the sandbox", (), _add_nothing),
    "completion": (
        "print a script that completes commands and options in a shell",
        ("bash > ~/.local/share/bash-completion/completions/nomination-bot",),
        _add_completion,
    ),
}
