"""The search through all interleavings tells each that differs from the others, once."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from random import Random
from typing import cast

import pytest

from tests.interleavings import Call, Pair, explore

CALLS = (
    Call(False, "state"),
    Call(False, "evidence"),
    Call(True, "evidence"),
    Call(False, "/statuses/"),
    Call(True, "/statuses/"),
    Call(True, "/notes"),
)
Runs = Mapping[str, Sequence[Call]]
Step = tuple[str, int]


class Recorded:
    """Stands for two runs of which all requests are known."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.steps: list[Step] = []

    def start(self, names: Sequence[str]) -> None:
        """Begin."""

    def advance(self, name: str) -> None:
        """Make the next request of one run."""
        self.steps.append((name, self._count(name)))

    def waiting(self) -> dict[str, Call]:
        """Tell what each run does next."""
        counts = {name: self._count(name) for name in self.runs}
        return {n: calls[counts[n]] for n, calls in self.runs.items() if counts[n] < len(calls)}

    def finish(self) -> list[object]:
        """End."""
        return []

    def _count(self, name: str) -> int:
        return sum(each == name for each, _ in self.steps)


def what_matters(steps: Sequence[Step], runs: Runs) -> frozenset[tuple[Step, Step]]:
    """Return which request came before which, where that makes a difference."""
    return frozenset(
        (one, other)
        for one, other in combinations(steps, 2)
        if one[0] != other[0] and not runs[one[0]][one[1]].commutes(runs[other[0]][other[1]])
    )


def every_order(runs: Runs) -> list[list[Step]]:
    """List all ways of putting the requests of two runs in one row."""
    total = sum(map(len, runs.values()))
    orders = []
    for chosen in combinations(range(total), len(runs["a"])):
        left = {name: iter([(name, n) for n in range(len(runs[name]))]) for name in runs}
        orders.append([next(left["a" if n in chosen else "b"]) for n in range(total)])
    return orders


@pytest.mark.parametrize("seed", range(40))
def test_each_order_that_makes_a_difference_is_told_once(seed: int) -> None:
    random = Random(seed)  # noqa: S311  no secret
    runs = {name: random.choices(CALLS, k=random.randint(1, 6)) for name in ("a", "b")}
    told = [
        what_matters(cast("Recorded", pair).steps, runs)
        for pair, _ in explore(lambda: cast("Pair", Recorded(runs)), ("a", "b"))
    ]
    assert len(told) == len(set(told))
    assert set(told) == {what_matters(order, runs) for order in every_order(runs)}
