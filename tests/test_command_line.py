"""The command line answers mistakes with what was meant, and is quiet where nobody watches."""

import argparse
import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.command_line import SHELLS, Manner, choose_manner, choose_width, write_completion
from bot.command_line.commands import COMMANDS, read_port
from bot.command_line.parser import build_parser, find_version
from bot.config import SETTINGS
from bot.rulebook.loading import SHIPPED
from bot.sandbox.http.server import Server
from tests.nomination_world import SECRET, TEAM, add_user, make_world, settings
from tests.processes import run_here
from tests.team_files import make_entry

PERSON = "data/team_members/person/a/ada.yml"


class Terminal(io.StringIO):
    """A stream that a person watches."""

    def isatty(self) -> bool:
        """Tell that somebody watches."""
        return True


# --- words ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["swep"], "`sweep`"),
        (["chekc", "x"], "`check`"),
        (["doctr"], "`doctor`"),
        (["policy", "chek"], "`check`"),
        (["sweep", "--jsn"], "`--json`"),
        (["check", "a/b!1", "--dryrun"], "`--dry-run`"),
        (["ready", "ann", "--polcy=x"], "`--policy`"),
        (["sweep", "--output", "jsn"], "`json`"),
        (["completion", "bahs"], "`bash`"),
    ],
)
def test_what_was_meant_is_named(arguments: list[str], meant: str) -> None:
    done = run_here(*arguments)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert f"Did you mean {meant}?" in line


@pytest.mark.parametrize("arguments", [["fly"], ["sweep", "--zzzzzz"], ["sweep", "surplus"]])
def test_where_nothing_is_near_nothing_is_guessed(arguments: list[str]) -> None:
    done = run_here(*arguments)
    assert done.returncode == 1
    assert "Did you mean" not in done.stderr


def test_options_are_never_abbreviated() -> None:
    assert run_here("check", f"{TEAM}!1", "--dry").returncode == 1


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        build_parser().parse_args(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"nomination-bot {find_version()}\n"


def test_help_names_every_command_option_and_setting() -> None:
    parser = build_parser()
    text = parser.format_help()
    assert all(f"\n    {name} " in text for name in COMMANDS)
    assert all(setting.name in text for setting in SETTINGS)
    for name, below in parser.subcommands().items():
        shown = below.format_help()
        assert all(option in shown for option in below.all_options()), name
        options = [line for line in shown.splitlines() if line.startswith("  -")]
        assert all(len(line.split("  ")) > 2 or len(line) > 23 for line in options), name


# --- completion -------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_knows_every_command_and_option(shell: str) -> None:
    done = run_here("completion", shell)
    assert (done.returncode, done.stdout) == (0, write_completion(shell))
    for name, below in build_parser().subcommands().items():
        assert name in done.stdout
        for option in below.all_options():
            assert option.lstrip("-") in done.stdout


def test_bash_completes_a_command_and_its_options(tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(write_completion("bash"), "utf-8")
    ask = (
        f"source {script}; COMP_WORDS=(nomination-bot {{}}); COMP_CWORD={{}};"
        " _nomination_bot; echo ${COMPREPLY[@]}"
    )
    for words, place, expected in (("do", 1, "doctor"), ("ready --pol", 2, "--policy")):
        done = subprocess.run(  # noqa: S603  bash and our own script
            ["/bin/bash", "-c", ask.replace("{}", words, 1).replace("{}", str(place), 1)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [expected]


# --- manner -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "width"), [("60", 60), ("0", 96), ("", 96), ("wide", 96), ("²", 96), ("-5", 96)]
)
def test_a_story_is_as_wide_as_columns_says(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "__stdout__", io.StringIO())  # no terminal to ask
    assert choose_width({"COLUMNS": columns}) == width


def test_colour_and_liveliness_are_for_terminals_only() -> None:
    pipe, screen = io.StringIO(), Terminal()
    assert not choose_manner({}, pipe, pipe, quiet=False).colour
    on = choose_manner({"TERM": "xterm"}, screen, screen, quiet=False)
    assert on.paint("wrong", 6) == "\x1b[31mwrong \x1b[0m"
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        off = choose_manner(environment, screen, screen, quiet=False)
        assert off.paint("wrong") == "wrong"
    assert on.paint("odd") == "odd"


def test_progress_replaces_itself_on_a_terminal_and_is_taken_away() -> None:
    err = Terminal()
    manner = Manner(err=err, lively=True)
    manner.show("one")
    manner.show("two\x1b[31m")
    manner.end()
    assert err.getvalue().startswith("\r\x1b[Kone\r\x1b[Ktwo")
    assert err.getvalue().endswith("\r\x1b[K")
    assert "\n" not in err.getvalue()
    assert "\x1b[31m" not in err.getvalue()


def test_elsewhere_and_where_quiet_is_wanted_progress_is_nothing() -> None:
    pipe, screen = io.StringIO(), Terminal()
    for err, quiet in ((pipe, False), (screen, True)):
        manner = choose_manner({"TERM": "xterm"}, err, err, quiet=quiet)
        manner.show("one")
        manner.end()
        assert err.getvalue() == ""


# --- JSON, quiet and at length ----------------------------------------------------------


def test_policies_are_checked_as_json(tmp_path: Path) -> None:
    done = run_here("policy", "check", "--output", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["mistakes"] == []
    assert run_here("policy", "check", str(SHIPPED), "-q").stdout == ""
    assert ": ok, ai-gateway@" in run_here("policy", "check", str(SHIPPED)).stdout
    (tmp_path / "odd.yml").write_text("odd: 1\n", "utf-8")
    wrong = run_here("policy", "check", str(tmp_path), "--json")
    assert wrong.returncode == 1
    assert all("odd.yml" in line for line in json.loads(wrong.stdout)["mistakes"])


@pytest.mark.usefixtures("over_sockets")
def test_a_sweep_as_json_quietly_and_at_length() -> None:
    with Server(make_world().world) as server:
        told = run_here("sweep", "--json", **settings(server.url))
        quiet = run_here("-q", "sweep", **settings(server.url))
        wordy = run_here("sweep", "-v", **settings(server.url))
    assert json.loads(told.stdout)["looked_at"] == 1
    assert json.loads(told.stdout)["problems"] == []
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert '"POST /api/graphql HTTP/1.1" 200' in wordy.stderr
    assert SECRET not in wordy.stderr


def test_a_merge_request_of_another_project_is_an_error() -> None:
    made = make_world()
    add_user(made.world, "somebody")
    with Server(made.world) as server:
        done = run_here("check", f"{made.gateway.path_with_namespace}!1", **settings(server.url))
        by_number = run_here("check", "7001!1", "--dry-run", **settings(server.url))
    assert done.returncode == 1
    assert "is not the team database" in done.stderr
    assert by_number.returncode == 0


def test_detect_of_wrong_directories_is_an_error(tmp_path: Path) -> None:
    done = run_here("detect", "--base", str(tmp_path), "--head", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert "two checkouts of the team database" in done.stderr
    file = tmp_path / PERSON
    file.parent.mkdir(parents=True)
    file.write_text(make_entry(), "utf-8")
    done = run_here("detect", "--base", str(tmp_path), "--head", str(tmp_path), "--output", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["nominations"] == []


def test_what_is_not_installed_has_no_version() -> None:
    assert find_version("there-is-no-such-package") == "of a checkout"


def test_ports_are_numbers() -> None:
    assert read_port("0") == 0
    for text in ("65536", "x", "-1"):
        with pytest.raises(argparse.ArgumentTypeError, match="is no port"):
            read_port(text)
    assert "Did you mean" not in run_here("check").stderr


def test_progress_is_shown_to_who_watches_a_sweep() -> None:
    out = io.StringIO()
    with (
        Server(make_world().world) as server,
        redirect_stderr(Terminal()) as err,
        redirect_stdout(out),
    ):
        assert main(["sweep"], settings(server.url) | {"TERM": "xterm"}) == 0
    assert "\r\x1b[Klooking at !1" in err.getvalue()
    assert "looking" not in out.getvalue()
