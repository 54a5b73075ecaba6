"""Tests over HTTP of since when a nomination stands: by what GitLab dates, not by its opening."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from bot import policy as rules
from bot.assessment import kinds
from bot.assessment.findings import Finding, Verdict
from bot.policy.values import Policy
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import MergeRequestDraft, MergeRequestUpdate
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.world.entities import MergeRequest
from tests.builders import make_requirement
from tests.nomination_world import (
    ENTRY,
    NominationWorld,
    Outcome,
    entry,
    look_once,
    make_world,
    shipped,
)

DAY = 86_400
((SHIPPED,), _) = shipped()
WAITING = make_requirement(kinds.OpenFor(days=7))
APPROVED = make_requirement(kinds.ApprovedBy(at_least=1, by="maintainers"))
NOMINATED = {ENTRY: entry("nina", "maintainer")}
CHANGED = {ENTRY: entry("nina", "maintainer") + b"job: other\n"}
HARMLESS = {ENTRY: entry("nina", "trainee_maintainer") + b"job: other\n"}
Act = Callable[[NominationWorld, MergeRequest], None]


def judged(
    made: NominationWorld, mr: MergeRequest, *policies: Policy, broken: str | None = None
) -> Outcome:
    faults = [Fault(route=broken, kind=Kind.ERROR_BEFORE, status=403)] if broken else []
    return look_once(made, *faults, mr=mr, policies=policies)


def finding_of(
    made: NominationWorld, mr: MergeRequest, requirement: rules.Requirement, **more: str
) -> Finding:
    policy = replace(SHIPPED, requirements=(requirement,))
    (assessment,) = judged(made, mr, policy, **more).evaluation.findings.assessments
    (finding,) = assessment.findings
    return finding


def open_old(made: NominationWorld, files: dict[str, bytes], target: str = "main") -> MergeRequest:
    """Open a merge request and let a week and a day pass."""
    made.push(files, branch="work", by="nina")
    draft = MergeRequestDraft(title="Work", source_branch="work", target_branch=target)
    mr = actions.open_merge_request(made.world, made.user("nina"), made.team, draft)
    made.world.tick(8 * DAY)
    return mr


def nothing(_made: NominationWorld, _mr: MergeRequest) -> None:
    """Do nothing."""


def push(files: dict[str, bytes]) -> Act:
    return lambda made, mr: made.push(files, branch=mr.source_branch)


def both(*acts: Act) -> Act:
    def act(made: NominationWorld, mr: MergeRequest) -> None:
        for each in acts:
            each(made, mr)

    return act


def reopen(made: NominationWorld, mr: MergeRequest) -> None:
    actions.close(made.world, made.user("nina"), mr)
    actions.reopen(made.world, made.user("nina"), mr)


def retarget(made: NominationWorld, mr: MergeRequest) -> None:
    actions.create_branch(made.world, made.user("olga"), made.team, "other", "main")
    for target in ("other", "main"):
        update = MergeRequestUpdate(target_branch=target)
        actions.update_merge_request(made.world, made.user("nina"), mr, update)


def rebase(made: NominationWorld, mr: MergeRequest) -> None:
    made.push({"README.md": b"on main\n"}, branch="main", by="olga")
    made.push({"README.md": b"on main\n"}, branch=mr.source_branch)


def rename(made: NominationWorld, mr: MergeRequest) -> None:
    update = MergeRequestUpdate(title="Draft: something else")
    actions.update_merge_request(made.world, made.user("nina"), mr, update)


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("first", "act", "met"),
    [
        (NOMINATED, nothing, True),
        (NOMINATED, rename, True),
        (NOMINATED, rebase, True),
        (NOMINATED, push({"x": b"1"}), True),
        (NOMINATED, push(CHANGED), False),
        (NOMINATED, both(push(HARMLESS), push(NOMINATED)), False),
        (NOMINATED, reopen, False),
        (NOMINATED, retarget, False),
        ({"README.md": b"x"}, push(NOMINATED), False),
        (HARMLESS, push(NOMINATED), False),
        ({ENTRY: b"[broken"}, push(NOMINATED), False),
    ],
    ids=[
        "untouched", "renamed", "rebased", "other file", "changed", "taken out and in", "reopened",
        "retargeted", "not in it before", "harmless before", "broken before",
    ],
)  # fmt: skip
def test_open_for_counts_from_when_the_nomination_was_pushed_or_reopened(
    first: dict[str, bytes], act: Act, met: bool
) -> None:
    made = make_world()
    mr = open_old(made, first)
    act(made, mr)
    finding = finding_of(made, mr, WAITING)
    assert (finding.verdict, finding.found) == ((Verdict.MET, 8) if met else (Verdict.UNMET, 0))
    made.world.tick(7 * DAY)
    assert finding_of(made, mr, WAITING).verdict is Verdict.MET


def test_what_is_pushed_while_it_is_closed_counts_from_its_reopening() -> None:
    made = make_world()
    mr = open_old(made, HARMLESS)
    actions.close(made.world, made.user("nina"), mr)
    push(NOMINATED)(made, mr)
    made.world.tick(8 * DAY)
    actions.reopen(made.world, made.user("nina"), mr)
    assert finding_of(made, mr, WAITING).verdict is Verdict.UNMET


def approve(made: NominationWorld, mr: MergeRequest) -> None:
    actions.approve(made.world, made.user("max"), mr)


def approve_again(made: NominationWorld, mr: MergeRequest) -> None:
    actions.unapprove(made.world, made.user("max"), mr)
    approve(made, mr)


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("act", "state"),
    [
        (approve, "approved"),
        (both(approve, push({"x": b"1"})), "approved"),
        (both(approve, rebase), "approved"),
        (both(approve, reopen), "approved"),
        (both(approve, push(CHANGED)), "outdated"),
        (both(approve, retarget), "outdated"),
        (both(approve, push(HARMLESS), push(NOMINATED)), "outdated"),
        (both(approve, push(CHANGED), approve_again), "approved"),
    ],
    ids=[
        "approved", "other file", "rebased", "reopened", "changed", "retargeted", "out and in",
        "approved again",
    ],
)  # fmt: skip
def test_only_approvals_of_the_present_content_count(act: Act, state: str) -> None:
    made = make_world()
    mr = open_old(made, NOMINATED)
    act(made, mr)
    finding = finding_of(made, mr, APPROVED)
    assert [(part.name, part.state) for part in finding.parts] == [("max", state)]
    assert finding.verdict is (Verdict.MET if state == "approved" else Verdict.UNMET)


def test_an_approval_of_what_was_harmless_is_said_to_be_outdated() -> None:
    made = make_world()
    mr = open_old(made, HARMLESS)
    approve(made, mr)
    push(NOMINATED)(made, mr)
    outcome = judged(made, mr, replace(SHIPPED, requirements=(APPROVED,)))
    assert outcome.gate == "failed"
    assert "approved before the entry became what it is now" in outcome.body


def test_an_approval_that_nothing_dates_is_unknown() -> None:
    made = make_world()
    mr = open_old(made, NOMINATED)
    approve(made, mr)
    mr.notes.clear()
    finding = finding_of(made, mr, APPROVED)
    assert (finding.verdict, finding.found) == (Verdict.UNKNOWN, 0)
    assert "does not tell when" in str(finding.reason)


NEWER = replace(SHIPPED, version="newer", in_force_from=date(2026, 1, 10))


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("first", "act", "version"),
    [
        (NOMINATED, nothing, SHIPPED.version),
        (NOMINATED, push(CHANGED), SHIPPED.version),
        (NOMINATED, reopen, SHIPPED.version),
        (NOMINATED, retarget, "newer"),
        ({"README.md": b"x"}, push(NOMINATED), "newer"),
        (HARMLESS, push(NOMINATED), "newer"),
        (HARMLESS, both(push(NOMINATED), push(CHANGED)), "newer"),
        ({ENTRY: entry("nils", "maintainer")}, push(NOMINATED), "newer"),
    ],
    ids=[
        "untouched", "changed", "reopened", "retargeted", "not in it before", "harmless before",
        "changed since", "somebody else before",
    ],
)  # fmt: skip
def test_the_policy_is_that_of_the_day_on_which_the_nomination_appeared(
    first: dict[str, bytes], act: Act, version: str
) -> None:
    made = make_world()
    mr = open_old(made, first)
    act(made, mr)
    (assessment,) = judged(made, mr, SHIPPED, NEWER).evaluation.findings.assessments
    assert assessment.policy.version == version


ROUTES = ("versions", "resource_state_events")


@pytest.mark.sample(1)
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("requirement", [WAITING, APPROVED])
def test_what_cannot_be_dated_is_unknown(route: str, requirement: rules.Requirement) -> None:
    made = make_world()
    mr = open_old(made, NOMINATED)
    approve(made, mr)
    finding = finding_of(made, mr, requirement, broken=f"GET */merge_requests/*/{route}")
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.reason


def test_a_policy_that_cannot_be_chosen_leaves_the_gate_shut() -> None:
    made = make_world()
    made.assign()
    mr = made.nomination
    made.world.tick(8 * DAY)
    assert judged(made, mr, SHIPPED, NEWER).gate == "passed"
    outcome = judged(made, mr, SHIPPED, NEWER, broken="GET */merge_requests/*/versions")
    assert outcome.gate == "pending"
    assert "by which version of the policy" in outcome.body


def test_times_are_not_asked_for_where_they_change_nothing() -> None:
    made = make_world()
    judged(made, made.nomination, SHIPPED, replace(NEWER, in_force_from=date(2026, 3, 1)))
    routes = {record.route for record in made.world.requests}
    assert not any(route.endswith(ROUTES) for route in routes)
