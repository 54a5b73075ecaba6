"""Tests over HTTP of the requirement that a merge request bears a label."""

from dataclasses import replace

import pytest

from bot.assessment.kinds import Labelled
from bot.sandbox.acts import actions
from bot.sandbox.http.faults import Fault, Kind
from tests.builders import make_requirement
from tests.nomination_world import look_once, make_world, shipped

((SHIPPED,), _) = shipped()
POLICY = replace(SHIPPED, requirements=(make_requirement(Labelled(label="ready")),))


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("labels", "broken", "gate", "said"),
    [
        (("bug", "ready"), False, "passed", "✓&nbsp;met | set | `ready` |"),
        (("Ready",), False, "failed", "the label `ready` is set on this merge request."),
        ((), False, "failed", "✗&nbsp;not&nbsp;met | not set | `ready` |"),
        (("ready",), True, "pending", "could not be checked"),
    ],
)
def test_the_label_counts_that_is_set_now(
    labels: tuple[str, ...], broken: bool, gate: str, said: str
) -> None:
    made = make_world()
    update = actions.MergeRequestUpdate(labels=labels)
    actions.update_merge_request(made.world, made.user("olga"), made.nomination, update)
    route = "GET /api/v4/projects/{id}/merge_requests/{merge_request_iid}"
    faults = [Fault(route=route, kind=Kind.FORBIDDEN)] if broken else []
    outcome = look_once(made, *faults, policies=(POLICY,))
    assert (outcome.gate, said in outcome.body) == (gate, True)
