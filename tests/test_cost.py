"""Tests of what an irrelevant event costs, as a ratio to what cannot be avoided."""

import resource
import statistics
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.event_bodies import change, make_merge_request_body
from tests.processes import run_python, write_payload
from tests.test_components import write_decision

RUNS, FEW = 15, 7
LIMIT = 1.5
LOAD_ONLY = "import json, os; json.load(open(os.environ['TRIGGER_PAYLOAD'], 'rb'))"


def spent() -> float:
    """Return the processor's seconds that all ended children took, which no neighbour lengthens."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.sample(1)
@pytest.mark.parametrize("way", ["run", "decide", "component"])
def test_an_irrelevant_event_costs_little_more_than_loading_it(
    tmp_path: Path, way: str, every: bool
) -> None:
    program = tmp_path / "decision.py"
    program.write_text(write_decision(), "utf-8")
    ways = {
        "run": ["-m", "bot", "run"],
        "decide": ["-S", "-m", "bot", "decide"],
        "component": ["-IS", str(program)],
    }
    body = make_merge_request_body("update", change("title", "a", "b"))
    body["object_attributes"]["description"] = "x" * 20_000
    payload = {"TRIGGER_PAYLOAD": str(write_payload(tmp_path, body))}

    def measure(code: Sequence[str]) -> float:
        before = spent()
        assert run_python(code, payload).returncode == 0
        return spent() - before

    least, ours = ["-c", LOAD_ONLY], ways[way]
    measure(ours)
    # Interleaved, so that whatever else the machine does slows both alike.
    pairs = [(measure(least), measure(ours)) for _ in range(RUNS if every else FEW)]
    medians = [statistics.median(column) for column in zip(*pairs, strict=True)]
    assert medians[1] / medians[0] <= LIMIT
