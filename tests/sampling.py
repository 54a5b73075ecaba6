"""Which tests are run, and how much of what is tried on many cases.

Without an option a fixed sample: of a test that runs the bot against the stand-in GitLab one case,
of one that is marked so many as it says. With `--every` all.
"""

from collections.abc import Iterable

import hypothesis
import pytest

ALL, SAMPLE = 100, 10  # of the examples that Hypothesis makes for a test
ONE = pytest.mark.sample(1).mark
SLOW = ("test_races.py", "test_chaos.py", "test_scenarios.py")

# The same examples at every run: a failure in CI is a failure at home.
hypothesis.settings.register_profile(
    "all", max_examples=ALL, derandomize=True, deadline=None, print_blob=True
)
hypothesis.settings.register_profile(
    "sample", hypothesis.settings.get_profile("all"), max_examples=SAMPLE
)


def pytest_configure(config: pytest.Config) -> None:
    """Choose how many examples Hypothesis makes of now on."""
    config.addinivalue_line(
        "markers", "sample(size): run so many cases, or all of them with --every"
    )
    hypothesis.settings.load_profile("all" if runs_all(config) else "sample")


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


def runs_all(config: pytest.Config) -> bool:
    """Return whether all is to be run of what is tried on many cases."""
    return bool(config.getoption("--every"))


def examples(most: int) -> hypothesis.settings:
    """Let Hypothesis make another number of examples for a test, or of a sample its share."""
    default = hypothesis.settings.default
    made = default.max_examples if default else ALL
    return hypothesis.settings(max_examples=most * made // ALL)


def _runs_the_bot(item: pytest.Item) -> bool:
    """Return whether a test is one of those that take a tenth of a second and not a thousandth."""
    return "server" in getattr(item, "fixturenames", ())


def find_left_out(items: Iterable[pytest.Item]) -> set[str]:
    """Name the cases that are not in the samples of their tests, which are evenly spread."""
    cases: dict[str, list[str]] = {}
    sizes: dict[str, int] = {}
    for item in items:
        mark = item.get_closest_marker("sample") or (ONE if _runs_the_bot(item) else None)
        if mark:
            name = item.nodeid.partition("[")[0]
            cases.setdefault(name, []).append(item.nodeid)
            sizes[name] = mark.args[0]
    return {each for name, ids in cases.items() for each in {*ids} - spread(ids, sizes[name])}


def spread(cases: list[str], size: int) -> set[str]:
    """Choose so many cases, evenly spread and the same each time."""
    size = min(size, len(cases))
    return {cases[number * len(cases) // size] for number in range(size)}
