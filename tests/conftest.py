"""How the tests are run; what they share is in `fixtures.py`."""

import gc
import importlib
import os
import shutil
import signal
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

# What tests and stories give to the bot as its token, each made up; none may ever be printed.
TOKENS = (
    "glpat-n0m1n4t10n-s3cr3t",
    "glpat-sandbox-nomination-bot",
    "glpat-very-secret-indeed",
    "glpat-0123456789abcdefghij",
)

gc.disable()  # what is imported and made before the first test stays anyway


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let expected files be rewritten, to be reviewed as a diff, and samples be whole."""
    parser.addoption("--bless", action="store_true", help="rewrite the expected files")
    parser.addoption("--at-most", type=float, metavar="SECONDS", help="begin no test later")
    parser.addoption("--every", action="store_true", help="run all of what else is a sample")


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Let each worker begin with other files: what one of them has compiled the others find."""
    worker = getattr(session.config, "workerinput", None)
    if worker and session.config.args == session.config.getini("testpaths"):
        files = sorted(Path(__file__).parent.glob("test_*.py"))
        first = len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        for file in files[first:] + files[:first]:
            # What cannot be imported is told when it is collected.
            with suppress(Exception, pytest.skip.Exception):
                importlib.import_module(f"tests.{file.stem}")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Search for garbage where all is run; a sample leaves a third of a gigabyte of it."""
    if session.config.getoption("--every"):
        gc.freeze()
        gc.set_threshold(100_000, 20, 20)
        gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Keep to the time that is given, and load what whoever runs tests needs."""
    # Tests send it; what a shell starts in the background ignores it, and so do its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A process that leads others runs none, and they wait for it: Hypothesis and the stand-in
    # alone are a second.
    if config.getoption("dist", "no") == "no" or config.option.collectonly:
        for name in ("tests.sampling", "tests.fixtures"):
            config.pluginmanager.import_plugin(name)
    limit = config.getoption("--at-most")
    if limit is not None:
        config.pluginmanager.register(AtMost(limit))


def run_test(item: pytest.Item, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
    """Run a test, its fixtures too."""
    return runtestprotocol(item, log=False, nextitem=nextitem)


# CPython maps memory for each 16 KiB of frames, and unmaps it when they return: below pytest's own
# frames a loop that crosses such an end does so each time (`push_chunk` in its pystate.c). A frame
# that asks for much has a piece of its own, in which all that it calls has room.
run_test.__code__ = run_test.__code__.replace(co_stacksize=600_000)


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Tell the process that leads others of a test once.

    It would be told of begin, setup, call, teardown and end: both spend a millisecond on that.
    """
    if not hasattr(item.config, "workerinput"):
        return None
    for report in run_test(item, nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    return True


def pytest_unconfigure(config: pytest.Config) -> None:
    """Keep what slipcover counted in the workers where `.ci/covered.py` looks for it."""
    gc.freeze()  # pytest searches all that is left five times, half a second
    counted = os.environ.get("SLIPCOVER_COVERAGE_DIR")  # noqa: TID251  slipcover's way to say it
    if counted and not hasattr(config, "workerinput"):
        shutil.copy(Path(counted, "merged.json"), ".coverage.json")
        shutil.rmtree(counted)


class AtMost:
    """Begins no test when a time is over, and says how many were not begun."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: float | None = None
        self._left = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self) -> bool | None:
        """Pass over a test when time is over; the first one is always run."""
        now = time.monotonic()
        if self._ends is None:
            self._ends = now + self._seconds
        self._left += now >= self._ends
        return True if now >= self._ends else None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was not run."""
        if self._left:
            terminalreporter.line(f"{self._left} tests were not begun in {self._seconds:.0f} s")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail every test that prints a token, be it in a log, a traceback or an assertion."""
    report = yield
    return without_tokens(report)


def without_tokens(report: pytest.TestReport) -> pytest.TestReport:
    """Turn a report that holds a token into a failure that does not."""
    # Nothing was printed by most tests, and to find that out by writing a report takes long.
    printed = [report.longreprtext] if report.longrepr else []
    printed += [text for _, text in report.sections]
    if any(token in text for token in TOKENS for text in printed):
        report.outcome, report.sections = "failed", []
        report.longrepr = "This test printed a token of the bot."
    return report
