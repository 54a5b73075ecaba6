"""Which tests are run, and how much of what is tried on many cases.

Without an option a fixed sample: of a test that runs the bot against the stand-in GitLab one case,
of one that is marked so many as it says. With `--every` all; with `--counted` a sample that reaches
every branch, to be traced, which takes twice the time; with `--rest` what that leaves out.
"""

from collections.abc import Iterable, Sequence

import hypothesis
import pytest

ALL, SAMPLE = 100, 25  # of the examples that Hypothesis makes for a test
ONE = pytest.mark.sample(1).mark
# They reach no branch that others do not, and are slow or measure time.
UNCOUNTED = frozenset(
    f"test_{name}.py" for name in ("browser", "chaos", "ci_local", "cost", "races")
)

# The same examples at every run: a failure in CI is a failure at home.
hypothesis.settings.register_profile(
    "all", max_examples=ALL, derandomize=True, deadline=None, print_blob=True
)
hypothesis.settings.register_profile(
    "sample", hypothesis.settings.get_profile("all"), max_examples=SAMPLE
)


def choose_size(every: bool) -> None:
    """Choose how many examples Hypothesis makes of now on."""
    hypothesis.settings.load_profile("all" if every else "sample")


def examples(most: int) -> hypothesis.settings:
    """Let Hypothesis make another number of examples for a test, or of a sample its share."""
    default = hypothesis.settings.default
    made = default.max_examples if default else ALL
    return hypothesis.settings(max_examples=most * made // ALL)


def choose(items: Sequence[pytest.Item], which: str) -> set[str]:
    """Name the tests that are run: of `every`, `sample`, `counted` or `rest`."""
    everything = {item.nodeid for item in items}
    if which == "every":
        return everything
    left = _find_left_out(items, counted=which != "sample")
    if which == "sample":
        return everything - left
    slow = {item.nodeid for item in items if item.path.name in UNCOUNTED}
    if which == "counted":
        return everything - left - slow
    return left | slow | {item.nodeid for item in items if _does_more(item)}


def _does_more(item: pytest.Item) -> bool:
    """Return whether a test does more where all is asked for."""
    body = getattr(item, "obj", None)
    return hasattr(body, "hypothesis") or "every" in getattr(item, "fixturenames", ())


def _runs_the_bot(item: pytest.Item) -> bool:
    """Return whether a test is one of those that take a tenth of a second and not a thousandth."""
    return "server" in getattr(item, "fixturenames", ())


def _find_left_out(items: Iterable[pytest.Item], *, counted: bool) -> set[str]:
    """Name the cases that are not in the samples of their tests, which are evenly spread."""
    cases: dict[str, list[str]] = {}
    sizes: dict[str, int] = {}
    for item in items:
        mark = item.get_closest_marker("sample") or (ONE if _runs_the_bot(item) else None)
        if mark and not (counted and mark.kwargs.get("counted")):
            name = item.nodeid.partition("[")[0]
            cases.setdefault(name, []).append(item.nodeid)
            sizes[name] = mark.args[0]
    return {each for name, ids in cases.items() for each in {*ids} - spread(ids, sizes[name])}


def spread(cases: list[str], size: int) -> set[str]:
    """Choose so many cases, evenly spread and the same each time."""
    size = min(size, len(cases))
    return {cases[number * len(cases) // size] for number in range(size)}
