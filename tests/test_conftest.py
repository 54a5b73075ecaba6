"""Tests of what all tests are watched for."""

import pytest

from tests.conftest import TOKENS, without_tokens


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
