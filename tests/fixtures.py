"""What tests share."""

import logging
import time
from collections.abc import Iterator
from types import CodeType

import jinja2
import pytest

from bot.gitlab.run import Run
from bot.gitlab.transport import Transport
from bot.report import templating
from bot.sandbox.http.server import Server
from bot.sandbox.world.state import World
from tests.generated import Settle
from tests.in_process import OneAtATime, reach_near_servers
from tests.nomination_world import SECRET, NominationWorld
from tests.sampling import runs_all

FAR, IN_THREADS = staticmethod(Transport.way), staticmethod(Run.make_pool)
MOMENT = 0.001  # seconds


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


@pytest.fixture(scope="session", autouse=True)
def without_threads(every: bool) -> Iterator[None]:
    """Let the bot ask one thing after another, unless all is run: threads are a tenth of it."""
    with pytest.MonkeyPatch.context() as patch:
        if not every:
            patch.setattr(Run, "make_pool", OneAtATime)
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


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the bot ask several things at the same time nevertheless."""
    monkeypatch.setattr(Run, "make_pool", IN_THREADS)


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    """Listen at one port for all tests of this process."""
    server = Server(World())
    server.glance = 0.1  # it wakes up all the time, and stops once
    with server:
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
