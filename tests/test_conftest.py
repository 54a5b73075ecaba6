"""Tests of what all tests are watched for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import pytest

from tests.conftest import TOKENS, without_tokens
from tests.sampling import find_left_out, spread


def make_report(printed: str) -> pytest.TestReport:
    """Report a test that passed and printed something."""
    return pytest.TestReport(
        nodeid="x",
        location=("x", 1, "x"),
        keywords={},
        outcome="passed",
        longrepr=None,
        when="call",
        sections=[("Captured stderr call", f"before {printed} after")],
    )


@pytest.mark.parametrize("token", TOKENS)
def test_a_test_that_prints_a_token_fails_and_shows_none(token: str) -> None:
    report = without_tokens(make_report(token))
    assert (report.outcome, report.sections) == ("failed", [])
    assert token not in report.longreprtext


def test_other_words_are_left_alone() -> None:
    report = without_tokens(make_report("glpat-"))
    assert (report.outcome, len(report.sections)) == ("passed", 1)


@pytest.mark.parametrize(
    ("size", "chosen"), [(0, ""), (1, "a"), (2, "ac"), (3, "abd"), (5, "abcde"), (9, "abcde")]
)
def test_a_sample_is_spread_over_all_cases(size: int, chosen: str) -> None:
    assert spread(list("abcde"), size) == set(chosen)


@pytest.mark.sample(2)
@pytest.mark.parametrize("_number", range(5))
def test_of_a_marked_test_a_sample_is_run_or_every_case(
    request: pytest.FixtureRequest, every: bool, _number: int
) -> None:
    name = request.node.nodeid.partition("[")[0]
    run = [each for each in request.session.items if each.nodeid.startswith(f"{name}[")]
    # One that is asked for by its name is run in any case.
    assert len(run) in ({1, 5} if every else {1, 2})


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a choice asks of a test."""

    nodeid: str
    marks: tuple[pytest.MarkDecorator, ...] = ()
    fixturenames: tuple[str, ...] = ()

    def get_closest_marker(self, _: str) -> pytest.Mark | None:
        """Return how much of it is run."""
        return self.marks[0].mark if self.marks else None


CASES = (
    Case(nodeid="test_a.py::test_plain"),
    *(Case(nodeid=f"test_a.py::test_many[{n}]", marks=(pytest.mark.sample(2),)) for n in "1234"),
    *(Case(nodeid=f"test_a.py::test_looks[{n}]", fixturenames=("server",)) for n in "12"),
    *(Case(nodeid=f"test_a.py::test_cheap[{n}]") for n in "12"),
)


def test_of_a_test_that_runs_the_bot_one_case_is_run_and_of_a_marked_one_as_it_says() -> None:
    left = find_left_out(cast(Sequence[pytest.Item], CASES))
    assert {each.partition("::test_")[2] for each in left} == {"many[2]", "many[4]", "looks[2]"}
