"""The door: what a process start needs to turn an event away, and no more."""
# One module: how a process begins, is stopped and ends is read together, signals above all.

from __future__ import annotations

import errno
import gc
import os
import signal
import sys

from bot.errors import BotError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot import event

GO_ON = 10  # exit code of `decide` when the event matters, or may
# So many objects may come into being before Python looks for unreachable ones: what imports make
# stays, and going through it a hundred times takes a twentieth of their time.
GARBAGE = 100_000
SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN = 1.0  # seconds
SIGNALLED = 128  # and the number of the signal: the exit code, as a shell has it
FULL = (errno.ENOSPC, errno.EDQUOT)


def main(
    arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ
) -> int:
    """Run a command; return 0 when done, 1 on an expected error, 3 on a bug."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a sign shows its number; that is no reason to crash.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        quick = _QUICK.get(tuple(arguments))
        if quick:
            return quick(environment)
        from bot.cli import run_command  # noqa: PLC0415  irrelevant events must not pay for it

        return run_command(arguments, environment)
    except BotError as error:
        _complain(str(error))
        return 1
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt as stop:
        return SIGNALLED + int(next(iter(stop.args), signal.SIGINT))
    except Exception as error:
        return _fail(error)


def _run(environment: Mapping[str, str]) -> int:
    from bot import event  # noqa: PLC0415  the other commands do not need it yet

    found = _decide(environment)
    if isinstance(found, event.Irrelevant):
        return 0
    from bot.values import late_patterns  # noqa: PLC0415  irrelevant events must not pay for it

    with late_patterns():
        from bot import cli  # noqa: PLC0415  nor for this
    if isinstance(found, event.Event):
        return cli.run_event(found, environment)
    if isinstance(found, event.Push):
        return cli.run_push(found, environment)
    if isinstance(found, event.Stranger):
        return cli.run_stranger(found, environment)
    return cli.run_broken(found, environment)


def _say_whether_to_go_on(environment: Mapping[str, str]) -> int:
    """Return 0 where the job can end: it needs no install, no connection, and no token."""
    from bot import event  # noqa: PLC0415  the other commands do not need it yet

    return 0 if isinstance(_decide(environment), event.Irrelevant) else GO_ON


def _run_dry(environment: Mapping[str, str]) -> int:
    return _run({**environment, "NOMINATION_BOT_OBSERVE": "true"})


# What is done without reading arguments, which takes imports that irrelevant events need not pay.
_QUICK = {
    ("run",): _run,
    ("run", "--dry-run"): _run_dry,
    ("decide",): _say_whether_to_go_on,
}


def _decide(
    environment: Mapping[str, str],
) -> event.Event | event.Push | event.Irrelevant | event.Stranger | event.Broken:
    """Read the event and say in a line what is not as usual with it."""
    from bot import event, scope  # noqa: PLC0415  the other commands do not need them yet

    raw = _payload(environment, event.MAX_BYTES + 1)
    found = event.read_event(raw, *scope.parse_scope(environment))
    if isinstance(found, event.Irrelevant):
        print(f"Nothing to do: {found.reason}.")
    elif isinstance(found, event.Broken):
        seen = ", ".join(f"!{iid}" for iid in found.iids)
        _complain(
            f"The payload is not what GitLab sends: {found.reason}. "
            f"Looking at {seen or 'what changed lately'} instead."
        )
    return found


def _payload(environment: Mapping[str, str], limit: int) -> bytes:
    path = environment.get("TRIGGER_PAYLOAD")
    if not path:
        raise BotError(
            "TRIGGER_PAYLOAD is not set; start this job by a webhook through a pipeline trigger, "
            "or use `nomination-bot check GROUP/PROJECT!IID`."
        )
    try:
        with open(path, "rb") as file:
            return file.read(limit)
    except OSError as error:
        _complain(
            f"The payload {path!r} that TRIGGER_PAYLOAD names cannot be read: {error.strerror}."
        )
        return b""


def _complain(message: str) -> None:
    from bot.inert import log_line  # noqa: PLC0415  only failures need it

    for line in message.splitlines():
        print(f"nomination-bot: {log_line(line)}", file=sys.stderr)


def _fail(error: Exception) -> int:
    """Tell of what nobody expected; return the exit code."""
    if isinstance(error, OSError) and error.errno in FULL:
        _complain(
            f"The output could not be written: {error.strerror}. Make room, and run it again."
        )
        return 1
    _report_bug(error)
    return 3


def _report_bug(error: Exception) -> None:
    import traceback  # noqa: PLC0415  only bugs need it

    from bot.inert import log_line  # noqa: PLC0415  only failures need it

    for line in traceback.format_exception(error):
        for part in line.splitlines():
            print(log_line(part), file=sys.stderr)
    print("nomination-bot: this is a bug; please report the lines above.", file=sys.stderr)


def run_process(leave: Callable[[int], object] = os._exit) -> None:
    """Be a process of its own, and leave at once: a request may still hang in a thread."""
    gc.set_threshold(GARBAGE)
    # Where a stream was closed, Python has none; what would be written there goes nowhere.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    before = {each: signal.getsignal(each) for each in SIGNALS}
    for each, handler in before.items():
        if handler is not signal.SIG_IGN:  # as in a shell's background
            signal.signal(each, _stop)
            # Python heeds a signal between two steps of its own, and one that comes just before a
            # wait begins not before the wait ends: something has to interrupt it.
            signal.signal(signal.SIGALRM, lambda *_: None)
            signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
    try:
        code = main()
        signal.setitimer(signal.ITIMER_REAL, 0)  # what insists must not cut the last lines off
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            code = code or 1
        leave(code)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _stop(number: int, _: object) -> None:
    """End in order when asked for the first time; being asked again changes nothing.

    What is raised within a callback of Python's own is lost, so it is raised again each second.
    """

    def insist(_: int, __: object) -> None:
        raise KeyboardInterrupt(number)

    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, insist)
    # Anew: until it insists there is a whole second in which to end in order.
    signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    run_process()
