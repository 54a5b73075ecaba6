"""Settings shared by all tests."""

import gc
import importlib
import logging
import os
import shutil
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from types import CodeType

import jinja2
import pytest

from bot.gitlab.transport import Transport
from bot.report import templating
from bot.sandbox.http.server import Server
from bot.sandbox.world.state import World
from tests.generated import Settle
from tests.in_process import reach_near_servers
from tests.nomination_world import SECRET, NominationWorld
from tests.sampling import choose_size, find_left_out

# What tests and stories give to the bot as its token, each made up; none may ever be printed.
TOKENS = (
    "glpat-n0m1n4t10n-s3cr3t",
    "glpat-sandbox-nomination-bot",
    "glpat-very-secret-indeed",
    "glpat-0123456789abcdefghij",
)

FAR = staticmethod(Transport.way)
MOMENT = 0.001  # seconds
SLOW = ("test_races.py", "test_chaos.py", "test_scenarios.py")


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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest: the workers then end at the same time.

    A blessing runs nothing but what can be blessed, and all of that.
    """
    items.sort(key=lambda item: SLOW.index(item.path.name) if item.path.name in SLOW else len(SLOW))
    if config.getoption("--bless"):
        items[:] = [item for item in items if "bless" in getattr(item, "fixturenames", ())]
    elif not runs_all(config):
        left_out = find_left_out(items)
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left_out])
        items[:] = [item for item in items if item.nodeid not in left_out]


def pytest_collection_finish() -> None:
    """Spare the collector thousands of tests and modules that stay anyway."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def pytest_configure(config: pytest.Config) -> None:
    """Keep to the time that is given, and to samples where not all is asked for."""
    config.addinivalue_line(
        "markers", "sample(size): run so many cases, or all of them with --every"
    )
    choose_size(runs_all(config))
    # Tests send it; what a shell starts in the background ignores it, and so do its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    limit = config.getoption("--at-most")
    if limit is not None:
        config.pluginmanager.register(AtMost(limit))


def runs_all(config: pytest.Config) -> bool:
    """Return whether all is to be run of what is tried on many cases."""
    return bool(config.getoption("--every"))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Keep what slipcover counted in the workers where `.ci/covered.py` looks for it."""
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


@pytest.fixture
def bless(request: pytest.FixtureRequest) -> bool:
    """Tell whether expected files are to be rewritten."""
    return bool(request.config.getoption("--bless"))


@pytest.fixture
def settle(bless: bool) -> Settle:
    """Return what holds a file against what is generated now, or rewrites it."""
    return Settle(bless)


@pytest.fixture(scope="session")
def every(request: pytest.FixtureRequest) -> bool:
    """Tell whether all is to be run of what else is a sample, however long that takes."""
    return runs_all(request.config)


@pytest.fixture(scope="session", autouse=True)
def hasty() -> Iterator[None]:
    """Let nobody in this process wait longer than a moment between two tries."""

    def sleep(seconds: float) -> None:
        time.sleep(min(seconds, MOMENT))  # noqa: TID251  in place of the door's

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transport, "sleep", staticmethod(sleep))
        yield


@pytest.fixture(scope="session", autouse=True)
def near() -> Iterator[None]:
    """Spare the bot the sockets of servers in this process: they are half of what a test costs."""
    with pytest.MonkeyPatch.context() as patch:
        reach_near_servers(patch)
        # Else each request searches the whole environment for proxies, twice.
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield


class Remembered(templating.KeptTemplates):
    """Compiled templates that are read once in a process."""

    def __init__(self) -> None:
        super().__init__(templating.KEPT.directory, templating.KEPT.pattern)
        self._codes: dict[str, CodeType] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Fill in what is in memory, or in a file."""
        bucket.code = self._codes.get(bucket.key)
        if bucket.code is None:
            super().load_bytecode(bucket)
            self._remember(bucket)

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Keep what was compiled, in memory as well."""
        self._remember(bucket)
        super().dump_bytecode(bucket)

    def _remember(self, bucket: jinja2.bccache.Bucket) -> None:
        if bucket.key and bucket.code is not None:
            self._codes[bucket.key] = bucket.code


@pytest.fixture(scope="session", autouse=True)
def remembered() -> Iterator[None]:
    """Spare each run in this process to read the templates anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(templating, "KEPT", Remembered())
        yield


@pytest.fixture
def over_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the bot's requests go through a socket nevertheless."""
    monkeypatch.setattr(Transport, "way", FAR)


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    """Listen at one port for all tests of this process."""
    with Server(World()) as server:
        yield server


@pytest.fixture
def server(shared_server: Server, made: NominationWorld) -> Iterator[Server]:
    """Serve the world that a test has `made`, which must find no fault with the bot."""
    shared_server.turn_to(made.world)
    yield shared_server
    assert made.world.violations == []


@pytest.fixture
def everything_written(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Search all output of this process for the token, libraries' debug logs too."""
    caplog.set_level(logging.DEBUG)
    yield
    out, err = capfd.readouterr()
    assert SECRET not in out + err + caplog.text
    assert "Retrying" not in caplog.text, "urllib3 must not retry on its own"


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
