"""Whoever is stopped by Ctrl-C or a cancelled job ends in order, and leaves nothing half done."""

import io
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

import pytest

from bot import __main__ as door
from bot.__main__ import run_process
from bot.command_line import try_place, write_files
from bot.sandbox.http.holding import Arrival
from bot.sandbox.http.server import Server
from tests.event_bodies import TEAM_PROJECT, make_merge_request_body
from tests.nomination_world import SECRET, make_world, settings
from tests.operator_world import empty_gitlab, host_of, operate
from tests.processes import ROOT, run_here, run_python, write_payload
from tests.raw_server import raw_server

COMMANDS = ("doctor", "init --apply", "board", "sweep", "run", "drift", "ready nominee")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def stop_here(number: int) -> None:
    """Send this process a signal."""
    os.kill(os.getpid(), number)


@pytest.mark.sample(4)
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_stopped_ends_in_order(
    command: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal comes while GitLab is asked for the first time."""
    left = [number]

    def stop(_: socket.socket, stopped: threading.Event) -> None:
        if left:
            stop_here(left.pop())
        stopped.wait()

    where = ["--output", str(tmp_path / "site")] if command == "board" else []
    monkeypatch.setattr(sys, "argv", ["nomination-bot", *command.split(), *where])
    # A signal that comes just before a wait begins does not end it: the next one does.
    monkeypatch.setattr(door, "AGAIN", 0.05)
    codes: list[int] = []
    out, err = io.StringIO(), io.StringIO()
    before = [signal.getsignal(each) for each in SIGNALS]
    with raw_server(stop) as server:
        given = settings(server.url) | {
            "NOMINATION_BOT_ADMIN_TOKEN": f"{SECRET}-too",
            "NOMINATION_BOT_PROJECT": "a/bot",
            "NOMINATION_BOT_TEAM_PROJECT": TEAM_PROJECT,
            "NOMINATION_BOT_ARTIFACTS": str(tmp_path / "artifacts"),
            "TRIGGER_PAYLOAD": str(write_payload(tmp_path, make_merge_request_body("open"))),
        }
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        with redirect_stdout(out), redirect_stderr(err):
            run_process(codes.append)
    assert codes == [128 + number]
    assert err.getvalue() == ""
    assert "Traceback" not in out.getvalue()
    assert [file.name for file in tmp_path.iterdir()] == ["TRIGGER_PAYLOAD"]
    assert [signal.getsignal(each) for each in SIGNALS] == before


DOOR = """
import os, signal, sys, threading, time
from bot import __main__ as door
from bot.cli.operating import _uninterrupted
door.AGAIN = 0.05
{body}
door._QUICK["run",] = ask
sys.argv = ["nomination-bot", "run"]
door.run_process()
"""


def run_door(body: str) -> tuple[int, str, str]:
    """Run a process whose command `run` calls `ask`; return its exit code and what it said."""
    done = run_python(["-c", DOOR.format(body=body)], {"PYTHONPATH": str(ROOT)})
    return done.returncode, done.stdout, done.stderr


STOP = """
signal.signal(signal.SIGTERM, signal.{kept})
def ask(_):
    if signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:  # to be asked again changes nothing
        os.kill(os.getpid(), signal.SIGINT)
    return 0
"""


@pytest.mark.parametrize(("kept", "code"), [("SIG_DFL", 143), ("SIG_IGN", 0)])
def test_a_process_that_is_stopped_ends_as_a_shell_has_it(kept: str, code: int) -> None:
    assert run_door(STOP.format(kept=kept)) == (code, "", "")


LOST = """
def ask(_):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt:
        pass
    threading.Event().wait(20)
    return 0
"""


def test_a_signal_that_was_lost_in_a_callback_is_not_lost() -> None:
    assert run_door(LOST) == (143, "", "")


UNHEARD = """
def ask(_):
    # It comes to a thread that does not wait, as if it came just before the wait began.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    def stop():
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        os.kill(os.getpid(), signal.SIGTERM)
    threading.Timer(0.1, stop).start()
    threading.Event().wait(20)
    return 0
"""


def test_a_signal_that_interrupts_no_wait_is_heeded_soon() -> None:
    began = time.monotonic()
    assert run_door(UNHEARD) == (143, "", "")
    assert time.monotonic() - began < 10, "it was heeded when the wait was over"


def test_a_secret_that_is_being_replaced_is_replaced_first() -> None:
    """Between the two requests the only copy of the new token is in this process."""
    with empty_gitlab() as sandbox:
        operate(sandbox.url, "init", "--apply")
        before = sandbox.world.tokens[-1]

        def stop(arrival: Arrival) -> bool:
            if sandbox.world.tokens[-1] is not before and arrival.method != "GET":
                stop_here(signal.SIGINT)
                stop_here(signal.SIGTERM)
            return False

        sandbox.server.hold(stop)
        done = operate(sandbox.url, "init", "--rotate", "token", "--apply")
        (variable,) = host_of(sandbox.world).variables
        assert variable.value == sandbox.world.tokens[-1].value != before.value
    assert done.returncode == 130
    assert done.stdout.startswith("NOMINATION_BOT_TOKEN is a new token")
    assert done.stderr == "nomination-bot: a secret is being replaced; stopping after that.\n"


ROTATE = """
signal.signal(signal.SIGINT, signal.SIG_IGN)
def ask(_):
    with _uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        print("half", flush=True)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt:
        pass
    with _uninterrupted():
        for _ in range(3):
            signal.pause()
        print("whole", flush=True)
    return 0
"""


def test_a_secret_is_replaced_first_where_an_earlier_signal_was_lost() -> None:
    """What is ignored, as in a shell's background, stops nothing, and nothing says that it does."""
    said = "nomination-bot: a secret is being replaced; stopping after that.\n"
    assert run_door(ROTATE) == (143, "half\nwhole\n", said)


UNDISTURBED = """
def ask(_):
    with _uninterrupted():
        time.sleep(0.3)
    return 0
"""


def test_while_a_secret_is_replaced_nothing_is_said_of_a_stop_that_never_came() -> None:
    assert run_door(UNDISTURBED) == (0, "", "")


def test_a_secret_can_be_replaced_beside_other_work() -> None:
    """Signals come to the main thread alone; another one cannot hold them back."""
    codes = []
    with empty_gitlab() as sandbox:
        operate(sandbox.url, "init", "--apply")

        def rotate() -> None:
            codes.append(operate(sandbox.url, "init", "--rotate", "trigger", "--apply").returncode)

        thread = threading.Thread(target=rotate)
        thread.start()
        thread.join(20)
    assert codes == [0]


# --- files --------------------------------------------------------------------------------


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_files(tmp_path / "a" / "b", {"one": "1", "two": "2"})
    folder = tmp_path / "a" / "b"
    with pytest.raises(UnicodeEncodeError):
        write_files(folder, {"one": "new", "two": "\ud800"})
    assert {file.name: file.read_text() for file in folder.iterdir()} == {"one": "1", "two": "2"}


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    write_files(tmp_path, {"one": "1"})
    # What is written goes where there is never room.
    (tmp_path / f".one.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_files(tmp_path, {"one": "new" * 10_000})
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"one": "1"}


@pytest.mark.parametrize("place", ["file", "file/below/it", "x" * 300, "/proc/none", "/dev/null/x"])
def test_a_board_that_could_not_be_written_is_told_before_anything_is_asked(
    place: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with Server(make_world().world) as server:
        given = settings(server.url)
        done = run_here("board", "--output", str(tmp_path / place), **given)
        assert server.world.requests == []
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert f"The board cannot be written to '{tmp_path / place}': " in line
    assert "name another directory by --output" in line


def test_a_place_that_is_not_there_yet_is_tried_and_left_alone(tmp_path: Path) -> None:
    try_place(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def leave_by(monkeypatch: pytest.MonkeyPatch, ask: Callable[[object], int]) -> list[int]:
    """Return the codes with which this process would leave if `run` were so."""
    codes: list[int] = []
    monkeypatch.setitem(door._QUICK, ("run",), ask)  # noqa: SLF001  what a signal meets
    monkeypatch.setattr(sys, "argv", ["nomination-bot", "run"])
    run_process(codes.append)
    return codes


def test_what_was_lost_is_raised_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "AGAIN", 0.02)

    def ask(_: object) -> int:
        with suppress(KeyboardInterrupt):
            stop_here(signal.SIGINT)
        threading.Event().wait(5)
        return 0

    assert leave_by(monkeypatch, ask) == [130]


def test_a_signal_that_a_shell_lets_pass_is_let_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def ask(_: object) -> int:
        stop_here(signal.SIGTERM)
        return 0

    try:
        assert leave_by(monkeypatch, ask) == [0]
    finally:
        signal.signal(signal.SIGTERM, before)
