"""Tests of the door, through real processes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import main
from bot.event import MAX_BYTES
from tests.event_bodies import change, make_merge_request_body, make_note_body
from tests.processes import run_bot, run_python, write_payload

TOKEN = "glpat-very-secret-indeed"  # noqa: S105  no real one
IDLE = make_merge_request_body("update", change("title", "a", "b"))
ELSEWHERE = make_merge_request_body("open") | {"project": {"path_with_namespace": "g/other"}}
IRRELEVANT = {
    "another kind": {"object_kind": "pipeline"},
    "another project": ELSEWHERE,
    "a title": IDLE,
    "a comment": make_note_body("LGTM"),
    "a comment of a bot": make_note_body("/nomination recheck")
    | {"user": {"username": "project_1_bot_a"}},
}
HEAVY = "gitlab requests yaml jinja2 ssl asyncio dataclasses typing socket inspect tenacity"


@pytest.mark.parametrize("body", IRRELEVANT.values(), ids=IRRELEVANT)
def test_an_irrelevant_event_ends_with_one_line(body: dict[str, Any], tmp_path: Path) -> None:
    done = run_bot("run", TRIGGER_PAYLOAD=write_payload(tmp_path, body))
    assert done.returncode == 0
    assert done.stdout.startswith("Nothing to do: ")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


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
    done = run_bot(*arguments, **environment)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("nomination-bot: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_missing_payload_says_how_the_job_is_started() -> None:
    assert "pipeline trigger" in complaint("run")


def test_a_payload_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gone"
    said = complaint("run", TRIGGER_PAYLOAD=path)
    assert str(path) in said
    assert "No such file" in said


def test_a_payload_that_is_a_directory_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in complaint("run", TRIGGER_PAYLOAD=tmp_path)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"object_kind": "note"}', b"\x00\xff"])
def test_a_payload_of_the_wrong_shape_is_an_expected_error(raw: bytes, tmp_path: Path) -> None:
    assert "payload" in complaint("run", TRIGGER_PAYLOAD=write_payload(tmp_path, raw))


def test_an_endless_payload_is_read_up_to_the_limit() -> None:
    assert str(MAX_BYTES) in complaint("run", TRIGGER_PAYLOAD="/dev/zero")


def test_a_hostile_payload_cannot_move_the_job_log(tmp_path: Path) -> None:
    path = tmp_path / "section_start:1:x\r\x1b[0K\x1b[31m"
    said = complaint("run", TRIGGER_PAYLOAD=path)
    assert "\x1b" not in said
    assert "\r" not in said
    assert "section_start:" not in said


def test_a_relevant_event_names_every_missing_setting(tmp_path: Path) -> None:
    said = complaint(
        "run",
        TRIGGER_PAYLOAD=write_payload(tmp_path, make_merge_request_body("open")),
        NOMINATION_BOT_GATE="ajar",
    )
    assert all(f"NOMINATION_BOT_{name} " in said for name in ("TOKEN", "GITLAB_URL", "GATE"))


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


def run_with_a_command_that_raises(error: str) -> subprocess.CompletedProcess[str]:
    code = f"""
import sys, types
sys.modules["bot.cli"] = cli = types.ModuleType("bot.cli")
exec("def run_command(*_): raise {error}", cli.__dict__)
from bot.__main__ import main
sys.exit(main(["check", "x"]))
"""
    return run_python(["-c", code], {})


def test_a_bug_shows_a_traceback_on_safe_lines() -> None:
    done = run_with_a_command_that_raises("LookupError(chr(27) + '[31mboo')")
    assert done.returncode == 3
    assert "Traceback" in done.stderr
    assert "LookupError" in done.stderr
    assert "\x1b" not in done.stderr
    assert done.stderr.rstrip().endswith("please report the lines above.")


@pytest.mark.parametrize(("raised", "code"), [("KeyboardInterrupt", 130), ("BrokenPipeError", 1)])
def test_an_interruption_is_no_bug(raised: str, code: int) -> None:
    done = run_with_a_command_that_raises(raised)
    assert done.returncode == code
    assert done.stderr == ""


def test_the_arguments_of_the_process_are_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["nomination-bot", "run"])
    monkeypatch.delenv("TRIGGER_PAYLOAD", raising=False)
    assert main() == 1
    assert "TRIGGER_PAYLOAD is not set" in capsys.readouterr().err
