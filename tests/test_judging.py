"""Tests of the judgement on each kind of requirement."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from bot import policy as rules
from bot.assessment import kinds
from bot.assessment.findings import Finding, Verdict
from bot.assessment.kinds.attested import Topic
from bot.assessment.kinds.kind import kind_of
from bot.evidence import Listed, Manager, Merged
from bot.evidence.history import Tenure
from bot.merge_request import Person
from bot.unread import Unread
from tests.builders import (
    GROUP,
    NOW,
    REPOSITORY,
    judge,
    make_case,
    make_evidence,
    make_listed,
    make_member,
    make_members,
    make_merge_request,
    make_merged,
    make_nomination,
    make_person,
    make_policy,
    make_requirement,
    make_timing,
    make_work,
    tell_facts,
)
from tests.sampling import examples

MET, UNMET, UNKNOWN = Verdict.MET, Verdict.UNMET, Verdict.UNKNOWN
UNREAD = Unread(reason="GitLab answered 403")
AUTHORED = kinds.AuthoredMergeRequests(at_least=5)
REVIEWED = kinds.ReviewedMergeRequests(at_least=5)
EITHER = kinds.AuthoredOrReviewed(at_least=5)
COUNTING = (AUTHORED, REVIEWED, EITHER)
TRAINEE = "trainee_maintainer"


def count(rule: rules.Rule, authored: Any = 0, reviewed: Any = 0, **changes: Any) -> Finding:
    work = make_work(authored, reviewed)
    return judge(rule, evidence=make_evidence(work, **changes))


# --- counting ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "authored", "reviewed", "verdict", "found"),
    [
        (AUTHORED, 0, 9, UNMET, 0),
        (AUTHORED, 4, 0, UNMET, 4),
        (AUTHORED, 5, 0, MET, 5),
        (AUTHORED, 6, 0, MET, 6),
        (REVIEWED, 9, 0, UNMET, 0),
        (REVIEWED, 0, 4, UNMET, 4),
        (REVIEWED, 0, 5, MET, 5),
        (REVIEWED, 0, 6, MET, 6),
        (EITHER, 2, 2, UNMET, 4),
        (EITHER, 2, 3, MET, 5),
        (EITHER, 5, 0, MET, 5),
        (EITHER, 0, 6, MET, 6),
    ],
)
def test_merge_requests_are_counted_against_the_threshold(
    rule: rules.Rule, authored: int, reviewed: int, verdict: Verdict, found: int
) -> None:
    finding = count(rule, authored, reviewed)
    assert (finding.verdict, finding.found, finding.needed) == (verdict, found, 5)
    assert len(finding.counted) == found
    assert finding.repository == REPOSITORY
    assert finding.reason is None


@pytest.mark.parametrize("rule", COUNTING)
@pytest.mark.parametrize(
    ("account", "said"),
    [
        (None, "no account"),
        (Person(id=7, username="ada", active=True, bot=True), "bot"),
        (Person(id=7, username="ada", active=False, bot=False), "blocked"),
    ],
)
def test_the_work_of_an_account_that_is_no_person_is_unknown(
    rule: rules.Rule, account: Person | None, said: str
) -> None:
    work = make_work(9, 9, account=account)
    finding = judge(rule, evidence=make_evidence(work))
    assert finding.verdict is UNKNOWN
    assert said in (finding.reason or "")
    assert finding.counted == ()


@pytest.mark.parametrize("rule", COUNTING)
def test_work_that_cannot_be_read_is_unknown(rule: rules.Rule) -> None:
    finding = judge(rule, evidence=make_evidence(UNREAD))
    assert (finding.verdict, finding.reason, finding.needed) == (UNKNOWN, UNREAD.reason, 5)


@pytest.mark.parametrize("rule", COUNTING)
def test_work_that_was_not_looked_up_is_unknown(rule: rules.Rule) -> None:
    assert judge(rule, evidence=make_evidence(work={})).verdict is UNKNOWN


@pytest.mark.parametrize("rule", COUNTING)
def test_the_work_of_a_doubtful_account_is_unknown(rule: rules.Rule) -> None:
    doubted = judge(rule, evidence=make_evidence(make_work(9, 9)), account_doubt="it changed")
    assert (doubted.verdict, doubted.reason) == (UNKNOWN, "it changed")


def test_another_repository_may_be_counted_in() -> None:
    evidence = make_evidence(work={"group/other": make_work(5), REPOSITORY: make_work(1)})
    rule = replace(AUTHORED, repository="group/other")
    finding = judge(rule, evidence=evidence)
    assert (finding.verdict, finding.repository) == (MET, "group/other")


def test_authored_merge_requests_count_beyond_those_listed() -> None:
    listed = make_listed([make_merged(n, "ada") for n in range(10)], total=5000)
    finding = judge(
        kinds.AuthoredMergeRequests(at_least=100),
        evidence=make_evidence(replace(make_work(), authored=listed)),
    )
    assert (finding.verdict, finding.found, finding.at_least) == (MET, 5000, False)


def test_the_union_counts_authored_ones_beyond_those_listed() -> None:
    work = replace(
        make_work(reviewed=3),
        authored=make_listed([make_merged(n, "ada") for n in range(10)], total=30),
    )
    finding = judge(kinds.AuthoredOrReviewed(at_least=33), evidence=make_evidence(work))
    assert (finding.verdict, finding.found) == (MET, 33)


@pytest.mark.parametrize(("rule", "at_least"), [(REVIEWED, True), (EITHER, True)])
def test_too_few_in_a_cut_list_is_unknown(rule: rules.Rule, at_least: bool) -> None:
    cut = make_listed([make_merged(n, recorded=True) for n in range(4)], total=90)
    finding = judge(rule, evidence=make_evidence(replace(make_work(), reviewed=cut)))
    assert (finding.verdict, finding.at_least) == (UNKNOWN, at_least)
    assert "more merge requests" in (finding.reason or "")


def test_enough_in_a_cut_list_is_enough() -> None:
    cut = make_listed([make_merged(n, recorded=True) for n in range(5)], total=90)
    finding = judge(REVIEWED, evidence=make_evidence(replace(make_work(), reviewed=cut)))
    assert (finding.verdict, finding.at_least, finding.reason) == (MET, True, None)


# --- what a review is -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"recorded": True}, None),
        ({"recorded": True, "assigned": True, "review_state": "UNAPPROVED"}, None),
        ({"recorded": True, "assigned": True, "review_state": "UNREVIEWED"}, None),
        ({"assigned": True, "commented": True, "discussed": True}, None),
        # What GitLab shows now may have been set after the merge.
        ({"approved": True}, "not_dated"),
        ({"assigned": True, "review_state": "REVIEWED"}, "not_dated"),
        ({"assigned": True, "review_state": "REQUESTED_CHANGES"}, "not_dated"),
        ({"assigned": True, "review_state": "APPROVED"}, "not_dated"),
        ({"assigned": True, "review_state": "UNAPPROVED"}, "not_dated"),
        ({"assigned": True, "review_state": "REVIEWED", "recorded_late": True}, "after_merge"),
        ({"recorded_late": True}, "after_merge"),
        ({"assigned": True, "review_state": "REVIEW_STARTED"}, "assigned_only"),
        ({"assigned": True, "review_state": "UNREVIEWED"}, "assigned_only"),
        ({"assigned": True}, "assigned_only"),
    ],
)
def test_a_review_counts_by_what_is_dated_before_the_merge(
    changes: dict[str, Any], why: str | None
) -> None:
    merged = make_merged(1, **({"recorded": False} | changes))
    finding = count(replace(REVIEWED, at_least=1), reviewed=[merged])
    assert finding.verdict is (UNMET if why else MET)
    assert [near.why for near in finding.near_misses] == ([why] if why else [])


ELSEWHERE = (make_merged(301, branch="stable"), make_merged(299, branch="mine"))


@pytest.mark.parametrize(("rule", "lists"), [(AUTHORED, 1), (REVIEWED, 1), (EITHER, 2)])
@pytest.mark.parametrize(
    ("found", "stage", "shown"),
    [(4, None, 2), (5, None, 0), (4, "since", 1), (4, "never", 0)],
)
def test_what_went_into_another_branch_is_a_near_miss(
    rule: Any, lists: int, found: int, stage: str | None, shown: int
) -> None:
    items = [make_merged(302 + n, recorded=True) for n in range(found)]
    work = make_work(
        () if rule is REVIEWED else items,
        items,
        own_elsewhere=ELSEWHERE,
        asked_elsewhere=ELSEWHERE,
    )
    since = Tenure(since=SINCE if stage == "since" else None)
    rule = replace(rule, since_role=TRAINEE) if stage else rule
    finding = judge(rule, evidence=make_evidence(work, stage=since))
    assert finding.verdict is (MET if found == 5 else UNMET)
    told = [near.merged.branch for near in finding.near_misses if near.why == "other_branch"]
    assert len(told) == shown * lists
    assert finding.branch == "main"


@pytest.mark.parametrize(("discussed", "why"), [(False, ["in_no_thread"]), (None, [])])
def test_a_comment_outside_of_threads_is_a_near_miss_where_somebody_looked(
    discussed: bool | None, why: list[str]
) -> None:
    merged = make_merged(1, assigned=True, commented=True, discussed=discussed)
    finding = count(replace(REVIEWED, at_least=1), reviewed=[merged])
    assert finding.verdict is UNMET
    assert [near.why for near in finding.near_misses] == why


NOT_ASKED = (make_merged(301, commented=True), make_merged(299, commented=True))


@pytest.mark.parametrize("rule", [REVIEWED, EITHER])
@pytest.mark.parametrize(
    ("reviews", "stage", "shown"),
    [(4, None, [301, 299]), (5, None, []), (4, "since", [301]), (4, "never", [])],
)
def test_comments_of_somebody_never_asked_are_for_a_maintainer_to_count(
    rule: Any, reviews: int, stage: str | None, shown: list[int]
) -> None:
    items = [make_merged(302 + n, recorded=True) for n in range(reviews)]
    work = make_work(reviewed=items, bystander=NOT_ASKED)
    since = Tenure(since=SINCE if stage == "since" else None)
    rule = replace(rule, since_role=TRAINEE) if stage else rule
    finding = judge(rule, evidence=make_evidence(work, stage=since))
    assert finding.verdict is (MET if reviews == 5 else UNMET)
    told = [near.merged.iid for near in finding.near_misses if near.why == "not_asked"]
    assert told == shown


def test_what_was_not_read_whole_leaves_too_few_unknown() -> None:
    cut = make_merged(300, assigned=True, cut=True)
    for rule in (REVIEWED, EITHER, replace(REVIEWED, since_role=TRAINEE)):
        finding = count(rule, reviewed=[cut], stage=Tenure(since=SINCE))
        assert (finding.verdict, finding.at_least) == (UNKNOWN, True)
        assert [near.why for near in finding.near_misses] == ["not_read_whole"]
    reviews = [make_merged(300 + n, recorded=True) for n in range(1, 6)]
    assert count(REVIEWED, reviewed=[cut, *reviews]).verdict is MET


def test_what_was_not_read_whole_does_not_matter_before_the_stage() -> None:
    early = make_merged(1, assigned=True, cut=True)
    rule = replace(REVIEWED, since_role=TRAINEE)
    finding = count(rule, reviewed=[early], stage=Tenure(since=SINCE))
    assert (finding.verdict, finding.at_least) == (UNMET, False)


@pytest.mark.parametrize("author", ["ada", "ADA", "Ada"])
def test_ones_own_merge_requests_are_never_reviews(author: str) -> None:
    own = [make_merged(n, author, recorded=True, commented=True) for n in range(9)]
    finding = count(REVIEWED, reviewed=own)
    assert (finding.verdict, finding.found) == (UNMET, 0)
    assert {near.why for near in finding.near_misses} == {"own"}


def test_a_merge_request_counts_once_in_a_union() -> None:
    same = make_merged(1, "ada", recorded=True)
    finding = count(EITHER, [same, make_merged(2, "ada")], [same, make_merged(3, recorded=True)])
    assert [merged.iid for merged in finding.counted] == [3, 2, 1]
    assert finding.near_misses == ()


def test_a_review_of_a_deleted_accounts_work_counts() -> None:
    assert (
        count(replace(REVIEWED, at_least=1), reviewed=[make_merged(1, None, recorded=True)]).verdict
        is MET
    )


# --- since a role began -----------------------------------------------------------------

SINCE = NOW - timedelta(days=100)  # make_merged(300) is merged on that very moment


def since(rule: Any, numbers: Sequence[int], stage: Any, total: int | None = None) -> Finding:
    own = isinstance(rule, kinds.AuthoredMergeRequests)
    items = [make_merged(n, "ada" if own else "linus", recorded=not own) for n in numbers]
    listed = make_listed(items, total)
    changes: dict[str, Any] = {"authored" if own else "reviewed": listed}
    evidence = make_evidence(replace(make_work(), **changes), stage=stage)
    return judge(replace(rule, since_role=TRAINEE, at_least=2), evidence=evidence)


@pytest.mark.parametrize("rule", COUNTING)
@pytest.mark.parametrize(
    ("numbers", "stage", "total", "expected"),
    [
        ([300, 301], Tenure(since=SINCE), None, (MET, 2, set())),
        ([299, 301], Tenure(since=SINCE), None, (UNMET, 1, {"before_stage"})),
        ([298, 299], Tenure(since=SINCE), None, (UNMET, 0, {"before_stage"})),
        ([300, 301], Tenure(since=None), None, (UNMET, 0, {"no_stage"})),
        ([299, 301], Tenure(since=SINCE), 90, (UNMET, 1, {"before_stage"})),
        ([301], Tenure(since=SINCE), 90, (UNKNOWN, 1, set())),
        ([300], Tenure(since=SINCE), 90, (UNKNOWN, 1, set())),
        ([300, 301], Tenure(since=SINCE), 90, (MET, 2, set())),
        ([299, 301], Tenure(since=SINCE, at_least=True), None, (UNKNOWN, 1, {"before_stage"})),
        ([300, 301], Tenure(since=SINCE, at_least=True), None, (MET, 2, set())),
    ],
    ids=[
        "at", "one before", "all before", "never", "cut before it", "cut after it", "cut at it",
        "cut but enough", "stage cut", "stage cut but enough",
    ],
)  # fmt: skip
def test_only_what_was_merged_since_the_role_began_counts(
    rule: rules.Rule,
    numbers: Sequence[int],
    stage: Tenure,
    total: int | None,
    expected: tuple[Verdict, int, set[str]],
) -> None:
    finding = since(rule, numbers, stage, total)
    why = {near.why for near in finding.near_misses}
    assert (finding.verdict, finding.found, why) == expected
    assert finding.found_anytime == len(numbers)
    assert finding.stage == stage
    assert (finding.reason is None) is (finding.verdict is not UNKNOWN)


@pytest.mark.parametrize("rule", COUNTING)
def test_an_unread_stage_is_unknown_with_the_count_regardless_of_it(rule: rules.Rule) -> None:
    finding = since(rule, [1, 2, 3], UNREAD)
    assert (finding.verdict, finding.reason) == (UNKNOWN, UNREAD.reason)
    assert (finding.found, finding.found_anytime) == (None, 3)


def test_each_role_has_its_own_beginning() -> None:
    work = make_work(authored=[make_merged(n, "ada") for n in (100, 200)])
    tenures = {
        TRAINEE: Tenure(since=make_merged(200).merged_at),
        "reviewer": Tenure(since=make_merged(100).merged_at),
    }
    evidence = make_evidence(work, tenures=tenures)
    found = {
        role: judge(replace(AUTHORED, since_role=role), evidence=evidence).found for role in tenures
    }
    assert found == {TRAINEE: 1, "reviewer": 2}


def test_a_cut_list_of_ones_own_keeps_the_union_unknown() -> None:
    own = make_listed([make_merged(n, "ada") for n in range(310, 320)], total=50)
    work = replace(make_work(reviewed=[make_merged(1, recorded=True)]), authored=own)
    rule = kinds.AuthoredOrReviewed(at_least=20, since_role=TRAINEE)
    finding = judge(rule, evidence=make_evidence(work, stage=Tenure(since=SINCE)))
    assert (finding.verdict, finding.found, finding.at_least) == (UNKNOWN, 10, True)


# --- knowledge --------------------------------------------------------------------------

TOPICS = (Topic(id="python", text="Python"), Topic(id="grpc", text="gRPC"))


@pytest.mark.parametrize(
    ("attested", "verdict", "found"),
    [((), UNMET, 0), (("grpc",), UNMET, 1), (("grpc", "python"), MET, 2), (("other",), UNMET, 0)],
)
def test_every_topic_must_be_attested(
    attested: Sequence[str], verdict: Verdict, found: int
) -> None:
    finding = judge(kinds.Attested(topics=TOPICS), attested=frozenset(attested))
    assert (finding.verdict, finding.found, finding.needed) == (verdict, found, 2)
    assert [part.role for part in finding.parts] == ["python", "grpc"]


def test_a_topic_links_to_what_it_asks_for() -> None:
    topic = Topic(id="rust", text="Rust", url="https://example.com/rust")
    (part,) = judge(kinds.Attested(topics=(topic,)), attested=frozenset()).parts
    assert part.url == topic.url


# --- assignment -------------------------------------------------------------------------

ASSIGNED = kinds.Assigned(manager=True, maintainers=1)


def assign(*assignees: Any, rule: rules.Rule = ASSIGNED, **changes: Any) -> Finding:
    people = tuple(make_person(p) if isinstance(p, str) else p for p in assignees)
    reviewers = tuple(make_person(name) for name in changes.pop("reviewers", ()))
    merge_request = make_merge_request(assignees=people, reviewers=reviewers)
    return judge(rule, merge_request=merge_request, evidence=make_evidence(**changes))


@pytest.mark.parametrize(
    ("assignees", "verdict", "found"),
    [
        ((), UNMET, 0),
        (("grace",), UNMET, 1),
        (("margaret",), UNMET, 1),
        (("margaret", "linus"), UNMET, 1),
        (("grace", "margaret"), MET, 2),
        (("GRACE", "Margaret", "linus", "somebody"), MET, 2),
        (("grace", make_person("margaret", bot=True)), UNMET, 1),
        (("grace", make_person("margaret", active=False)), UNMET, 1),
        ((make_person("grace", bot=True), "margaret"), UNMET, 1),
        ((make_person("grace", active=False), "margaret"), UNMET, 1),
        (("ada", "grace"), UNMET, 1),
    ],
)
def test_the_manager_and_a_maintainer_must_be_assignees(
    assignees: Sequence[Any], verdict: Verdict, found: int
) -> None:
    finding = assign(*assignees)
    assert (finding.verdict, finding.found, finding.needed) == (verdict, found, 2)


def test_the_nominee_is_no_maintainer_of_their_own() -> None:
    members = make_members("ada", "margaret")
    assert assign("grace", "ada", members=members).verdict is UNMET


def test_the_nominee_is_no_manager_of_their_own() -> None:
    finding = assign("ada", "margaret", manager=Manager(username="ADA"))
    assert finding.verdict is UNMET
    assert finding.parts[0].state == "is_nominee"


@pytest.mark.parametrize("changes", [{"active": False}, {"bot": True}])
def test_a_manager_whose_account_cannot_act_is_told_apart(changes: dict[str, Any]) -> None:
    finding = assign("margaret", replace(make_person("Grace"), **changes))
    assert (finding.verdict, finding.parts[0].state) == (UNMET, "inactive")


def test_a_manager_who_only_reviews_is_told_apart() -> None:
    assert assign("margaret", reviewers=["Grace"]).parts[0].state == "reviewer_only"


@pytest.mark.parametrize(
    ("assignees", "changes", "verdict"),
    [
        (("margaret",), {"manager": UNREAD}, UNKNOWN),
        ((), {"manager": UNREAD}, UNMET),
        (("grace",), {"members": UNREAD}, UNKNOWN),
        ((), {"members": UNREAD}, UNMET),
        (("grace", "margaret"), {"members": UNREAD, "manager": UNREAD}, UNKNOWN),
        (("margaret",), {"manager": Manager(username=None, missing="no account")}, UNMET),
        (("grace",), {"members": make_members()}, UNMET),
        (("grace", "margaret"), {"groups": {}}, UNKNOWN),
    ],
)
def test_who_cannot_be_told_is_unknown_and_never_assigned(
    assignees: Sequence[str], changes: dict[str, Any], verdict: Verdict
) -> None:
    finding = assign(*assignees, **changes)
    assert finding.verdict is verdict
    assert bool(finding.reason) is any(part.state == "unknown" for part in finding.parts)


@pytest.mark.parametrize(
    ("member", "counts"),
    [
        (make_member("margaret", 30), True),
        (make_member("margaret", 50), True),
        (make_member("margaret", 20), False),
        (make_member("margaret", 50, bot=True), False),
        (make_member("margaret", 50, active=False), False),
    ],
)
def test_a_maintainer_is_an_active_person_of_the_level(member: Any, counts: bool) -> None:
    finding = assign("grace", "margaret", members=make_members(member))
    assert finding.verdict is (MET if counts else UNMET)


@pytest.mark.parametrize(
    ("rule", "assignees", "found", "needed"),
    [
        (kinds.Assigned(manager=False, maintainers=2), ("margaret",), 1, 2),
        (kinds.Assigned(manager=False, maintainers=2), ("margaret", "linus"), 2, 2),
        (kinds.Assigned(manager=True, maintainers=0), ("grace",), 1, 1),
    ],
)
def test_either_may_be_left_out(
    rule: rules.Rule, assignees: Sequence[str], found: int, needed: int
) -> None:
    finding = assign(*assignees, rule=rule)
    assert (finding.found, finding.needed) == (found, needed)
    assert finding.verdict is (MET if found == needed else UNMET)


# --- approval ---------------------------------------------------------------------------


def approve(rule: kinds.ApprovedBy, *approvers: Any, **changes: Any) -> Finding:
    people = tuple(make_person(p) if isinstance(p, str) else p for p in approvers)
    merge_request = make_merge_request(approved_by=people)
    return judge(rule, merge_request=merge_request, evidence=make_evidence(**changes))


@pytest.mark.parametrize(
    ("approvers", "verdict", "found"),
    [
        ((), UNMET, 0),
        (("margaret",), UNMET, 1),
        (("margaret", "MARGARET"), UNMET, 1),
        (("margaret", "LINUS"), MET, 2),
        (("margaret", "linus", "grace"), MET, 2),
        (("margaret", "grace"), UNMET, 1),
        (("margaret", make_person("linus", bot=True)), UNMET, 1),
        (("margaret", make_person("linus", active=False)), UNMET, 1),
    ],
)
def test_maintainers_approve(approvers: Sequence[Any], verdict: Verdict, found: int) -> None:
    finding = approve(kinds.ApprovedBy(at_least=2, by="maintainers"), *approvers)
    assert (finding.verdict, finding.found, finding.needed) == (verdict, found, 2)


@pytest.mark.parametrize(
    ("approvers", "manager", "verdict"),
    [
        (("grace",), Manager(username="Grace"), MET),
        (("margaret",), Manager(username="grace"), UNMET),
        ((make_person("grace", active=False),), Manager(username="grace"), UNMET),
        (("grace",), Manager(username=None, missing="none"), UNMET),
        (("ada",), Manager(username="ada"), UNMET),
        (("grace",), UNREAD, UNKNOWN),
    ],
)
def test_the_manager_approves(approvers: Sequence[Any], manager: Any, verdict: Verdict) -> None:
    finding = approve(kinds.ApprovedBy(at_least=1, by="manager"), *approvers, manager=manager)
    assert finding.verdict is verdict


def test_the_nominee_never_approves() -> None:
    rule = kinds.ApprovedBy(at_least=1, by="maintainers")
    finding = approve(rule, "ADA", members=make_members("ada"))
    assert (finding.verdict, finding.parts) == (UNMET, ())


def test_approvals_are_unknown_when_maintainers_are() -> None:
    rule = kinds.ApprovedBy(at_least=1, by="maintainers")
    finding = approve(rule, "margaret", members=UNREAD)
    assert (finding.verdict, finding.reason) == (UNKNOWN, UNREAD.reason)


@pytest.mark.parametrize(
    ("settled", "approved", "state", "verdict"),
    [
        (timedelta(days=1), {"linus": timedelta(hours=1)}, "approved", MET),
        (timedelta(days=1), {"linus": timedelta(days=2)}, "outdated", UNMET),
        # Within one second nobody can tell which came first.
        (timedelta(days=1), {"linus": timedelta(days=1)}, "outdated", UNMET),
        (timedelta(days=1), {"grace": timedelta(hours=1)}, "undated", UNKNOWN),
        (None, {}, "undated", UNKNOWN),
    ],
)
def test_an_approval_counts_where_it_came_after_the_present_content(
    settled: timedelta | None, approved: dict[str, timedelta], state: str, verdict: Verdict
) -> None:
    mr = make_merge_request(approved_by=(make_person("linus"),))
    timing: Any = UNREAD
    if settled:
        times = {key: NOW - age for key, age in approved.items()}
        settled_at = NOW - settled + timedelta(milliseconds=500)
        timing = make_timing(mr, settled=settled_at, approved=times)
    rule = kinds.ApprovedBy(at_least=1, by="maintainers")
    finding = judge(rule, merge_request=mr, timing=timing)
    assert [part.state for part in finding.parts] == [state]
    assert (finding.verdict, bool(finding.reason)) == (verdict, verdict is UNKNOWN)


def test_approvals_that_are_too_few_in_any_case_are_not_unknown() -> None:
    mr = make_merge_request(approved_by=(make_person("linus"),))
    rule = kinds.ApprovedBy(at_least=2, by="maintainers")
    assert judge(rule, merge_request=mr, timing=UNREAD).verdict is UNMET


def test_without_a_beginning_it_is_unknown_how_long_it_is_open() -> None:
    finding = judge(kinds.OpenFor(days=1), timing=UNREAD)
    assert (finding.verdict, finding.reason) == (UNKNOWN, UNREAD.reason)


def test_other_approvals_are_shown_as_such() -> None:
    finding = approve(kinds.ApprovedBy(at_least=1, by="maintainers"), "grace", "linus")
    assert {part.name: part.state for part in finding.parts} == {
        "grace": "other",
        "linus": "approved",
    }


# --- time and role ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "verdict", "found"),
    [
        (timedelta(days=7) - timedelta(seconds=1), UNMET, 6),
        (timedelta(days=7), MET, 7),
        (timedelta(days=8), MET, 8),
        (timedelta(seconds=-5), UNMET, 0),
    ],
)
def test_a_merge_request_stays_open_for_whole_days(
    age: timedelta, verdict: Verdict, found: int
) -> None:
    merge_request = make_merge_request(created_at=NOW - age)
    finding = judge(kinds.OpenFor(days=7), merge_request=merge_request)
    assert (finding.verdict, finding.found, finding.needed) == (verdict, found, 7)


def test_the_role_of_a_doubtful_account_is_unknown() -> None:
    finding = judge(kinds.RoleHeld(role=TRAINEE), account_doubt="it changed")
    assert (finding.verdict, finding.reason) == (UNKNOWN, "it changed")


@pytest.mark.parametrize(
    ("before", "verdict"),
    [
        (("trainee_maintainer",), MET),
        (("Trainee_Maintainer backend",), MET),
        (("trainee-maintainer",), MET),
        (("reviewer", "trainee_maintainer"), MET),
        (("reviewer",), UNMET),
        (("reviewer trainee_maintainer",), UNMET),
        (("",), UNMET),
        ((), UNMET),
    ],
)
def test_a_role_is_held_by_its_first_word(before: tuple[str, ...], verdict: Verdict) -> None:
    finding = judge(kinds.RoleHeld(role=TRAINEE), nomination=make_nomination(before=before))
    assert finding.verdict is verdict


# --- for all kinds ----------------------------------------------------------------------

EVERY_KIND: tuple[rules.Rule, ...] = (
    *COUNTING,
    replace(REVIEWED, since_role=TRAINEE),
    replace(EITHER, since_role=TRAINEE),
    kinds.Attested(topics=TOPICS),
    ASSIGNED,
    kinds.ApprovedBy(at_least=1, by="maintainers"),
    kinds.ApprovedBy(at_least=1, by="manager"),
    kinds.ApprovedBy(at_least=1, by="maintainers", share=50),
    kinds.OpenFor(days=1),
    kinds.RoleHeld(role=TRAINEE),
    kinds.Labelled(label="ready"),
    kinds.NoOpenThreads(by="maintainers"),
    kinds.ReviewOutcomes(),
)


def test_every_kind_is_judged_here() -> None:
    assert set(kinds.KINDS) == {type(rule) for rule in EVERY_KIND}


LOOKED_UP = [
    rule
    for rule in EVERY_KIND
    if not isinstance(rule, kinds.Attested | kinds.OpenFor | kinds.RoleHeld) and not rule.evidence
]


@given(st.sampled_from(LOOKED_UP), st.sampled_from(["everything", "the own part"]))
def test_a_failed_look_up_is_never_met(rule: rules.Rule, what: str) -> None:
    people = tuple(map(make_person, ("grace", "margaret", "linus")))
    evidence = make_evidence(make_work(9, 9))
    if what == "everything":
        evidence = replace(
            tell_facts(evidence, groups={GROUP: UNREAD}),
            work={REPOSITORY: UNREAD},
            tenures={TRAINEE: UNREAD},
            manager=UNREAD,
        )
    elif isinstance(rule, kinds.ApprovedBy) and rule.by == "manager":
        evidence = replace(evidence, manager=UNREAD)
    elif isinstance(rule, kinds.ApprovedBy | kinds.Assigned | kinds.NoOpenThreads):
        evidence = tell_facts(evidence, groups={GROUP: UNREAD})
    else:
        evidence = replace(evidence, work={REPOSITORY: UNREAD})
    merge_request = make_merge_request(assignees=people, approved_by=people)
    finding = judge(rule, merge_request=merge_request, evidence=evidence)
    assert finding.verdict is UNKNOWN
    assert finding.reason


MERGED = st.builds(
    make_merged,
    st.integers(200, 399),
    st.sampled_from(["ada", "linus", None]),
    approved=st.booleans(),
    recorded=st.none() | st.booleans(),
    recorded_late=st.booleans(),
    commented=st.booleans(),
    discussed=st.none() | st.booleans(),
    assigned=st.booleans(),
)
LISTS = st.lists(MERGED, max_size=12, unique_by=lambda merged: merged.iid)
STAGES = st.builds(
    Tenure,
    since=st.none() | st.just(SINCE) | st.just(NOW - timedelta(days=1)),
    at_least=st.booleans(),
)
RANK = {UNMET: 0, UNKNOWN: 1, MET: 2}


def judge_lists(rule: rules.Rule, authored: Listed, reviewed: Listed, stage: Tenure) -> Finding:
    work = make_work(authored=(), reviewed=())
    evidence = make_evidence(replace(work, authored=authored, reviewed=reviewed), stage=stage)
    return judge(rule, evidence=evidence)


def own(merged: Sequence[Merged]) -> list[Merged]:
    return [replace(each, iid=each.iid + 1000, author="ada") for each in merged]


KINDS = st.sampled_from(
    [replace(rule, since_role=role) for rule in COUNTING for role in (None, TRAINEE)]
)


@examples(50)
@given(KINDS, LISTS, LISTS, MERGED, STAGES)
def test_more_evidence_never_turns_met_into_not_met(
    rule: rules.Rule,
    authored: list[Merged],
    reviewed: list[Merged],
    more: Merged,
    stage: Tenure,
) -> None:
    before = judge_lists(rule, make_listed(own(authored)), make_listed(reviewed), stage)
    with_more = [*reviewed, replace(more, iid=900)]
    after = judge_lists(
        rule, make_listed(own([*authored, replace(more, iid=901)])), make_listed(with_more), stage
    )
    assert RANK[after.verdict] >= RANK[before.verdict]
    assert (after.found or 0) >= (before.found or 0)


@examples(50)
@given(KINDS, LISTS, LISTS, STAGES, st.randoms(use_true_random=False))
def test_the_order_of_the_evidence_does_not_matter(
    rule: rules.Rule, authored: list[Merged], reviewed: list[Merged], stage: Tenure, chance: Any
) -> None:
    def shuffled(items: list[Merged]) -> Listed:
        listed = make_listed(chance.sample(items, len(items)))
        return replace(listed, items=tuple(chance.sample(listed.items, len(listed.items))))

    before = judge_lists(rule, make_listed(own(authored)), make_listed(reviewed), stage)
    after = judge_lists(rule, shuffled(own(authored)), shuffled(reviewed), stage)
    assert (after.verdict, after.found) == (before.verdict, before.found)
    assert {merged.iid for merged in after.counted} == {merged.iid for merged in before.counted}


CUTS = st.tuples(st.integers(0, 12), st.integers(0, 12))


@examples(50)
@given(KINDS, LISTS, LISTS, STAGES, CUTS)
def test_a_cut_list_never_reverses_a_verdict(
    rule: rules.Rule,
    authored: list[Merged],
    reviewed: list[Merged],
    stage: Tenure,
    cuts: tuple[int, int],
) -> None:
    def cut(items: list[Merged], length: int) -> Listed:
        return make_listed(make_listed(items).items[:length], total=len(items))

    whole = judge_lists(rule, make_listed(own(authored)), make_listed(reviewed), stage)
    parts = judge_lists(rule, cut(own(authored), cuts[0]), cut(reviewed, cuts[1]), stage)
    assert {whole.verdict, parts.verdict} != {MET, UNMET}


def test_a_rule_of_no_kind_cannot_be_judged() -> None:
    requirement = make_requirement(rules.Rule())
    with pytest.raises(TypeError, match="wanted"):
        kind_of(requirement).judge(make_case(make_policy(requirement)), requirement)


@pytest.mark.parametrize("rule", EVERY_KIND)
def test_every_kind_names_one_of_few_for_the_next_step_or_nobody(rule: rules.Rule) -> None:
    actor = kind_of(make_requirement(rule)).find_actor(make_requirement(rule))
    assert actor in {None, "author", "nominee", "manager", "approver", "maintainer", "anyone"}
