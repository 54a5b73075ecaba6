"""Settings shared by all tests."""

import logging
import time
from collections.abc import Generator, Iterator

import hypothesis
import pytest

from bot.gitlab_transport import Transport
from bot.sandbox.server import Server
from bot.sandbox.state import World
from tests.nomination_world import SECRET, NominationWorld

# What tests and stories give to the bot as its token, each made up; none may ever be printed.
TOKENS = (
    "glpat-n0m1n4t10n-s3cr3t",
    "glpat-sandbox-nomination-bot",
    "glpat-very-secret-indeed",
    "glpat-0123456789abcdefghij",
)

MOMENT = 0.05  # seconds

# The same examples at every run: a failure in CI is a failure at home.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let expected files be rewritten, to be reviewed as a diff, and samples be left whole."""
    parser.addoption("--bless", action="store_true", help="rewrite the expected files")
    parser.addoption("--every-order", action="store_true", help="play all interleavings there are")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: two workers then end at the same time."""
    items.sort(key=lambda item: item.path.name != "test_races.py")


@pytest.fixture
def bless(request: pytest.FixtureRequest) -> bool:
    """Tell whether expected files are to be rewritten."""
    return bool(request.config.getoption("--bless"))


@pytest.fixture
def every_order(request: pytest.FixtureRequest) -> bool:
    """Tell whether all interleavings are to be played, however long that takes."""
    return bool(request.config.getoption("--every-order"))


@pytest.fixture(scope="session", autouse=True)
def hasty() -> Iterator[None]:
    """Let nobody in this process wait longer than a moment between two tries."""

    def sleep(seconds: float) -> None:
        time.sleep(min(seconds, MOMENT))  # noqa: TID251  in place of the door's

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transport, "sleep", staticmethod(sleep))
        yield


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
    printed = [report.longreprtext, *(text for _, text in report.sections)]
    if any(token in text for token in TOKENS for text in printed):
        report.outcome, report.sections = "failed", []
        report.longrepr = "This test printed a token of the bot."
    return report
