"""Tests of the door: by it in this process, and as a process of its own where that matters."""

import errno
import io
import json
import runpy
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

import bot.__main__
from bot.__main__ import GO_ON, main, run_process
from bot.event import MAX_BYTES
from tests.event_bodies import change, make_merge_request_body, make_note_body
from tests.processes import run_bot, run_here, run_python, write_payload

TOKEN = "glpat-very-secret-indeed"  # noqa: S105  no real one
IDLE = make_merge_request_body("update", change("title", "a", "b"))
ELSEWHERE = make_merge_request_body("open") | {"project": {"path_with_namespace": "g/other"}}
IRRELEVANT = {
    "another kind": {"object_kind": "build"},
    "another project": ELSEWHERE,
    "a title": IDLE,
    "a comment": make_note_body("LGTM"),
    "a comment of a bot": make_note_body("/nomination recheck")
    | {"user": {"username": "project_1_bot_a"}},
}
HEAVY = "gitlab requests yaml jinja2 ssl asyncio dataclasses typing socket inspect tenacity"


@pytest.mark.parametrize("body", IRRELEVANT.values(), ids=IRRELEVANT)
def test_an_irrelevant_event_ends_with_one_line(body: dict[str, Any], tmp_path: Path) -> None:
    done = run_here("run", TRIGGER_PAYLOAD=write_payload(tmp_path, body))
    assert done.returncode == 0
    assert done.stdout.startswith("Nothing to do: ")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


@pytest.mark.sample(2)
@pytest.mark.parametrize("body", IRRELEVANT.values(), ids=IRRELEVANT)
def test_an_irrelevant_event_loads_nothing_heavy(body: dict[str, Any], tmp_path: Path) -> None:
    code = (
        "import json, sys; from bot.__main__ import main; code = main(['run']);"
        "json.dump([code, sorted(sys.modules)], sys.stderr)"
    )
    done = run_python(["-S", "-c", code], {"TRIGGER_PAYLOAD": str(write_payload(tmp_path, body))})
    exit_code, modules = json.loads(done.stderr)
    assert exit_code == 0
    assert set(HEAVY.split()).isdisjoint(modules)
    assert {name for name in modules if name.startswith("bot.")} == {
        "bot.__main__",
        "bot.errors",
        "bot.event",
        "bot.scope",
    }


def complaint(*arguments: str, **environment: str | Path) -> str:
    done = run_here(*arguments, **environment)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("nomination-bot: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_missing_payload_says_how_the_job_is_started() -> None:
    assert "pipeline trigger" in complaint("run")


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"object_kind": "note"}', b"\x00\xff"])
def test_a_payload_of_the_wrong_shape_is_told_in_a_line(raw: bytes, tmp_path: Path) -> None:
    done = run_here("decide", TRIGGER_PAYLOAD=write_payload(tmp_path, raw))
    assert (done.returncode, done.stdout) == (GO_ON, "")
    assert done.stderr.startswith("nomination-bot: The payload is not what GitLab sends: ")
    assert done.stderr.count("\n") == 1


def test_an_endless_payload_is_read_up_to_the_limit() -> None:
    done = run_here("decide", TRIGGER_PAYLOAD="/dev/zero")
    assert done.returncode == GO_ON
    assert str(MAX_BYTES) in done.stderr


@pytest.mark.parametrize("body", IRRELEVANT.values(), ids=IRRELEVANT)
def test_a_job_can_decide_that_it_is_over(body: dict[str, Any], tmp_path: Path) -> None:
    done = run_here("decide", TRIGGER_PAYLOAD=write_payload(tmp_path, body))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Nothing to do: ")


@pytest.mark.parametrize(
    "body", [make_merge_request_body("open"), make_note_body("/nomination recheck")]
)
def test_a_job_goes_on_without_a_word(body: dict[str, Any], tmp_path: Path) -> None:
    done = run_here("decide", TRIGGER_PAYLOAD=write_payload(tmp_path, body))
    assert (done.returncode, done.stdout, done.stderr) == (GO_ON, "", "")


def test_a_relevant_event_names_every_missing_setting_in_a_line(tmp_path: Path) -> None:
    path = write_payload(tmp_path, make_merge_request_body("open"))
    done = run_here("run", TRIGGER_PAYLOAD=path, NOMINATION_BOT_GATE="ajar")
    lines = done.stderr.splitlines()
    names = ("TOKEN", "GITLAB_URL", "GATE")
    assert done.returncode == 1
    assert [f"nomination-bot: NOMINATION_BOT_{name}" for name in names] == [
        line.split(" (")[0].split(" is ")[0] for line in lines
    ]


def test_a_misspelt_setting_stops_even_an_event_of_another_project(tmp_path: Path) -> None:
    body = make_merge_request_body("open")
    body["project"]["path_with_namespace"] = "other/project"
    path = write_payload(tmp_path, body)
    said = complaint("run", TRIGGER_PAYLOAD=path, NOMINATION_BOT_TEAM_PROJCT="other/project")
    assert "did you mean NOMINATION_BOT_TEAM_PROJECT?" in said


def test_a_wrong_command_word_is_refused(tmp_path: Path) -> None:
    said = complaint(
        "run",
        TRIGGER_PAYLOAD=write_payload(tmp_path, make_merge_request_body("open")),
        NOMINATION_BOT_TOKEN=TOKEN,
        NOMINATION_BOT_GITLAB_URL="http://127.0.0.1:9",
        NOMINATION_BOT_COMMAND="approve",
    )
    assert "NOMINATION_BOT_COMMAND" in said
    assert TOKEN not in said


class Failing(io.StringIO):
    """An output on which everything fails."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def write(self, _: str) -> int:
        """Fail."""
        raise self.error

    def flush(self) -> None:
        """Fail as well."""
        raise self.error


def run_where_printing_raises(error: BaseException, *arguments: str) -> tuple[int, str]:
    """Return the exit code and what was complained of."""
    with redirect_stdout(Failing(error)), redirect_stderr(io.StringIO()) as complaints:
        code = main(arguments, {})
    return code, complaints.getvalue()


def test_a_bug_shows_a_traceback_on_safe_lines() -> None:
    code, said = run_where_printing_raises(LookupError("\x1b[31mboo"), "policy", "check")
    assert code == 3
    assert "Traceback" in said
    assert "LookupError" in said
    assert "\x1b" not in said
    assert said.rstrip().endswith("please report the lines above.")


@pytest.mark.parametrize("command", [("policy", "check"), ("demo",)])
@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 1)])
def test_an_interruption_is_no_bug(
    raised: BaseException, code: int, command: tuple[str, ...]
) -> None:
    assert run_where_printing_raises(raised, *command) == (code, "")


def test_the_arguments_of_the_process_are_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["nomination-bot", "run"])
    monkeypatch.delenv("TRIGGER_PAYLOAD", raising=False)
    assert main() == 1
    assert "TRIGGER_PAYLOAD is not set" in capsys.readouterr().err


def leave_with(
    monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], output: io.StringIO
) -> list[int]:
    """Return the codes with which a process of such arguments and such an output leaves."""
    codes: list[int] = []
    monkeypatch.setattr(sys, "argv", ["nomination-bot", *arguments])
    monkeypatch.delenv("TRIGGER_PAYLOAD", raising=False)
    with redirect_stdout(output), redirect_stderr(io.StringIO()):
        run_process(codes.append)
    return codes


@pytest.mark.parametrize(("arguments", "code"), [(["policy", "check"], 0), (["run"], 1)])
def test_a_process_leaves_once_with_the_code_of_its_command(
    arguments: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert leave_with(monkeypatch, arguments, io.StringIO()) == [code]


def test_a_full_disk_is_no_bug() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    code, said = run_where_printing_raises(full, "policy", "check")
    assert (code, said.count("\n")) == (1, 1)
    assert "could not be written: No space left on device. Make room" in said


@pytest.mark.parametrize("closed", [("stdout",), ("stdout", "stderr")])
def test_closed_outputs_are_no_bug(
    closed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python has no stream where the shell closed it (`>&-`)."""
    codes: list[int] = []
    monkeypatch.setattr(sys, "argv", ["nomination-bot", "policy", "check"])
    for name in closed:
        monkeypatch.setattr(sys, name, None)
    run_process(codes.append)
    assert codes == [0]


class Full(io.StringIO):
    """An output that only buffers, on a disk that is full."""

    def flush(self) -> None:
        """Fail."""
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("arguments", [["policy", "check"], ["run"]])
def test_a_process_whose_output_is_lost_has_failed(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert leave_with(monkeypatch, arguments, Full()) == [1]


def test_the_module_is_a_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["nomination-bot", "--help"])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(Path(bot.__main__.__file__)), run_name="__main__")
    assert left.value.code == 0
    assert "COMMAND" in capsys.readouterr().out


def test_a_process_of_its_own_ends_with_the_code(tmp_path: Path) -> None:
    done = run_bot("run", TRIGGER_PAYLOAD=write_payload(tmp_path, IDLE))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Nothing to do: ")
    assert run_bot("run", TRIGGER_PAYLOAD=tmp_path).returncode == 1
