"""Settings shared by all tests."""

import hypothesis
import pytest

# The same examples at every run: a failure in CI is a failure at home.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let expected files be rewritten, to be reviewed as a diff."""
    parser.addoption("--bless", action="store_true", help="rewrite the expected files")


@pytest.fixture
def bless(request: pytest.FixtureRequest) -> bool:
    """Tell whether expected files are to be rewritten."""
    return bool(request.config.getoption("--bless"))
