"""Tests of the judgement on a nomination as a whole: waivers, gate, maintainers, manager."""

from typing import Any

import pytest

from bot.assessment import kinds
from bot.assessment.assessing import Assessment
from bot.assessment.findings import Verdict
from bot.assessment.kinds.attested import Topic
from bot.evidence import Manager, Members
from bot.unread import Unread
from tests.builders import (
    GROUP,
    make_assessment,
    make_evidence,
    make_member,
    make_members,
    make_nomination,
    make_policy,
    make_replay,
    make_requirement,
    make_waiver,
    make_work,
)

UNREAD = Unread(reason="GitLab answered 500")
FIVE, TWO = kinds.AuthoredMergeRequests(at_least=5), kinds.AuthoredMergeRequests(at_least=2)
WAIVER = make_waiver()


def waived(*keys: tuple[str, str], authored: Any = 3, **changes: Any) -> Assessment:
    """Judge Ada, who authored three merge requests, by two requirements, with waivers."""
    policy = make_policy(
        make_requirement(FIVE, id="five", **changes), make_requirement(TWO, id="two")
    )
    work = authored if isinstance(authored, Unread) else make_work(authored)
    return make_assessment(
        policy,
        make_replay(waivers=dict.fromkeys(keys, WAIVER)),
        nomination=make_nomination("Ada"),
        evidence=make_evidence(work),
    )


def test_every_requirement_is_judged_in_the_order_of_the_policy() -> None:
    findings = waived().findings
    assert [f.requirement.id for f in findings] == ["five", "two"]
    assert [f.verdict for f in findings] == [Verdict.UNMET, Verdict.MET]
    assert [f.waiver for f in findings] == [None, None]


@pytest.mark.parametrize(("authored", "measured"), [(3, Verdict.UNMET), (UNREAD, Verdict.UNKNOWN)])
def test_a_waiver_opens_the_gate_and_keeps_what_was_measured(
    authored: Any, measured: Verdict
) -> None:
    found = waived(("ada", "five"), ("ada", "two"), authored=authored)
    finding = found.findings[0]
    assert (finding.verdict, finding.measured) == (Verdict.WAIVED, measured)
    assert finding.waiver == WAIVER
    assert found.ready


def test_a_waiver_of_what_is_met_is_not_mentioned() -> None:
    finding = waived(("ada", "two")).findings[1]
    assert (finding.verdict, finding.waiver, finding.measured) == (Verdict.MET, None, None)


@pytest.mark.parametrize("key", [("bea", "five"), ("ada", "two"), ("Ada", "five"), ("ada", "")])
def test_a_waiver_for_another_person_or_requirement_opens_nothing(key: tuple[str, str]) -> None:
    found = waived(key)
    assert found.findings[0].verdict is Verdict.UNMET
    assert not found.ready


def test_only_blocking_requirements_keep_the_gate_shut() -> None:
    assert not waived().ready
    assert [f.requirement.id for f in waived().open_findings] == ["five"]
    assert waived(blocking=False).ready


def test_what_people_can_meet_is_listed_before_what_is_unknown() -> None:
    policy = make_policy(
        make_requirement(TWO, id="unknown"),
        make_requirement(kinds.Attested(topics=(Topic(id="a", text="A"),)), id="unmet"),
    )
    found = make_assessment(policy, evidence=make_evidence(UNREAD))
    assert [f.requirement.id for f in found.open_findings] == ["unmet", "unknown"]


@pytest.mark.parametrize(
    ("members", "maintainers"),
    [
        (make_members("margaret", make_member("dora", 20)), ("margaret",)),
        (make_members(), ()),
        (UNREAD, None),
    ],
)
def test_maintainers_who_are_not_known_are_not_said_to_be_none(
    members: Members | Unread, maintainers: tuple[str, ...] | None
) -> None:
    found = make_assessment(evidence=make_evidence(groups={GROUP: members}))
    assert found.maintainers == maintainers


@pytest.mark.parametrize("manager", [Manager(username="grace"), UNREAD])
def test_the_manager_is_the_one_of_the_evidence(manager: Manager | Unread) -> None:
    assert make_assessment(evidence=make_evidence(manager=manager)).manager == manager


def test_a_newer_policy_is_passed_on_and_does_not_judge() -> None:
    newer = make_policy(make_requirement(FIVE, id="newer"), version="2")
    found = make_assessment(newer_policy=newer)
    assert found.newer_policy is newer
    assert "newer" not in [f.requirement.id for f in found.findings]
