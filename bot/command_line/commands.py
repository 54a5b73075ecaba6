"""Which commands there are: what each is for, examples of it, and its arguments and options."""

import argparse
from collections.abc import Callable
from typing import Any

Parser = argparse.ArgumentParser
Add = Callable[[Parser], object]

PORTS = range(65536)
SHELLS = ("bash", "zsh", "fish")


def wants_json(options: argparse.Namespace) -> bool:
    """Return whether JSON is asked for."""
    return bool(options.json) or options.output == "json"


def read_port(text: str) -> int:
    """Read the number of a port."""
    if text.isascii() and text.isdecimal() and int(text) in PORTS:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port; use a number from 0 to 65535")


def _takes(*names: str, **manner: Any) -> Add:
    """Return what adds an argument or an option to a parser."""
    return lambda parser: parser.add_argument(*names, **manner)


def _add_output(parser: Parser) -> None:
    said = parser.add_mutually_exclusive_group()
    said.add_argument("--output", choices=["text", "json"], help="how to print (default: text)")
    said.add_argument("--json", action="store_true", help="the same as --output json")


_TARGET = _takes("target", help="GROUP/PROJECT!IID, or the address of a merge request")

COMMANDS: dict[str, tuple[str, tuple[str, ...], tuple[Add, ...]]] = {
    "run": (
        "the CI job: read the event named by TRIGGER_PAYLOAD",
        ("--dry-run",),
        (_takes("--dry-run", action="store_true", help="write nothing, log what would be"),),
    ),
    "decide": ("exit 0 where that event does not matter, 10 where it does", (), ()),
    "check": (
        "evaluate one merge request by hand",
        ("group/team!12 --dry-run", "https://gitlab.example.com/group/team/-/merge_requests/12"),
        (
            _TARGET,
            _takes("--dry-run", action="store_true", help="write nothing, show what would be"),
            _add_output,
        ),
    ),
    "ready": (
        "judge somebody before any merge request exists",
        (
            "nominee1",
            "nominee1 --policy my-policy --json",
            "nominee1 --policy my-policies/next.yml",
        ),
        (
            _takes("username", help="the account's name, with or without @"),
            _takes(
                "--policy",
                metavar="ID|FILE",
                help="only this policy, or one in a file, in force or not",
            ),
            _takes("--entry", metavar="SLUG", help="name of their entry's file, if another"),
            _takes(
                "--outcomes",
                action="store_true",
                help="tell how the counted merge requests went, too",
            ),
            _add_output,
        ),
    ),
    "sweep": ("look again at every nomination that is not over", ("", "--json"), (_add_output,)),
    "board": (
        "write pages that show who is near to a role, and who waits on whom",
        ("--output public",),
        (
            _takes(
                "--output",
                required=True,
                metavar="DIR",
                help="where to write; made if it is not there",
            ),
        ),
    ),
    "replay": (
        "tell the history of a nomination: who decided what, and how long each step took",
        ("group/team!12", "group/team!12 --json"),
        (_TARGET, _add_output),
    ),
    "drift": (
        "compare who has a role by entry, groups and files; exit 1 where they disagree",
        ("", "--policy my-policy --json"),
        (_takes("--policy", metavar="ID", help="only this policy"), _add_output),
    ),
    "detect": (
        "compare two team databases, offline",
        ("--base before/ --head after/",),
        (
            _takes("--base", required=True, metavar="DIR", help="the checkout before"),
            _takes("--head", required=True, metavar="DIR", help="the checkout after"),
            _add_output,
        ),
    ),
    "policy": (
        "work with policies",
        ("check", "check my-policies/ --json"),
        (
            _takes("action", choices=["check"], help="`check`: look for mistakes"),
            _takes("files", nargs="*", metavar="FILE", help="files or directories"),
            _add_output,
        ),
    ),
    "doctor": (
        "look whether everything in GitLab is as the bot needs it; changes nothing",
        ("", "-q", "--json"),
        (_add_output,),
    ),
    "init": (
        "make everything in GitLab as the bot needs it",
        ("", "--apply", "--rotate token --apply"),
        (
            _takes("--apply", action="store_true", help="make it so; without this only say"),
            _takes(
                "--rotate",
                choices=["token", "trigger"],
                help="replace the bot's token, or the trigger's",
            ),
        ),
    ),
    "sandbox": (
        "serve the stand-in GitLab with its pages",
        ("--port 0",),
        (
            _takes("--scenario", metavar="DIR", help="a directory of plain files"),
            _takes("--port", type=read_port, default=8080, metavar="N", help="0 for any"),
        ),
    ),
    "demo": ("tell the story of a nomination on the sandbox", (), ()),
    "completion": (
        "print a script that completes commands and options in a shell",
        ("bash > ~/.local/share/bash-completion/completions/nomination-bot",),
        (_takes("shell", choices=SHELLS, help="for which shell"),),
    ),
}
