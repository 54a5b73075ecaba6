"""Tests of evidence over HTTP: whose work, of which time, is counted on a real history."""

from collections.abc import Callable

import pytest

from bot.assessment.findings import Finding, Verdict
from bot.evidence import Manager
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import NoteDraft
from bot.sandbox.world.entities import MergeRequest, Reviewer
from tests.nomination_world import (
    ENTRY,
    FOLDER,
    NominationWorld,
    add_merged,
    entry,
    look_once,
    make_world,
    merge_elsewhere,
    push_elsewhere,
)

RENAMED = f"{FOLDER}/n/nina-new.yml"
DAY = 86_400
Review = Callable[[NominationWorld, MergeRequest], None]


def put(made: NominationWorld, role: str | None, *, who: str = "nina", path: str = ENTRY) -> None:
    """Merge an entry with a role into the target branch; without a role delete the file."""
    made.world.tick(DAY)
    content = entry(who, role) if role else None
    made.push({path: content}, branch="main", by="olga")


def nominate(made: NominationWorld, path: str = ENTRY) -> None:
    """Open the nomination anew, after all that happened."""
    made.world.tick(DAY)
    made.nomination = made.open({path: entry("nina", "maintainer")}, branch="again")
    made.assign()


def test_a_stage_that_began_before_a_rename_counts_from_its_beginning() -> None:
    made = make_world(trainee=False, reviewed=0)
    put(made, "trainee_maintainer")
    made.review_all(5)
    made.world.tick(DAY)
    moved = {ENTRY: None, RENAMED: entry("nina", "trainee_maintainer")}
    made.push(moved, branch="main", by="olga")
    nominate(made, RENAMED)
    assert look_once(made).gate == "passed"


def test_a_stage_in_an_entry_that_was_deleted_and_written_again_counts() -> None:
    made = make_world(trainee=False, reviewed=0)
    put(made, "trainee_maintainer")
    made.review_all(5)
    put(made, None)
    put(made, "reviewer")
    nominate(made)
    assert look_once(made).gate == "passed"


def test_the_stage_of_somebody_who_had_the_file_before_does_not_count() -> None:
    made = make_world(trainee=False, reviewed=0)
    put(made, "trainee_maintainer", who="dora")
    put(made, None)
    put(made, "reviewer")
    made.review_all(5)
    nominate(made)
    outcome = look_once(made)
    assert outcome.gate == "pending"
    assert "was another account" in outcome.body


def test_reviews_merged_before_the_stage_are_near_misses() -> None:
    made = make_world(trainee=False, reviewed=4)
    put(made, "trainee_maintainer")
    made.review_all(2)
    nominate(made)
    outcome = look_once(made)
    assert outcome.gate == "failed"
    assert "| ✗&nbsp;not&nbsp;met | 2 | 5 |" in outcome.body
    assert outcome.body.count("before that") == 4


def reviewed(made: NominationWorld) -> Finding:
    """Evaluate the nomination and return what was found of its reviews."""
    (assessment,) = look_once(made).evaluation.findings.assessments
    return next(f for f in assessment.findings if f.requirement.id == "reviewed")


def comment(
    made: NominationWorld, *, who: str = "nina", kind: str | None = "DiscussionNote"
) -> MergeRequest:
    """Let somebody comment on a merged merge request of dora's that nina was asked to review."""
    mr = add_merged(made, "dora")
    now = mr.merged_at or mr.created_at
    mr.reviewers.append(Reviewer(user=made.user("nina"), created_at=now))
    draft = NoteDraft(body="Could this be shorter?", type=kind)
    actions.create_note(made.world, made.user(who), mr, draft)
    mr.merged_at = made.world.now
    return mr


def test_comments_in_threads_count_where_other_reviews_are_too_few() -> None:
    made = make_world(reviewed=3)
    # An answer in a thread, a remark beside all threads, and a thread of somebody else.
    comment(made)
    comment(made, kind=None)
    comment(made, who="max")
    finding = reviewed(made)
    assert (finding.verdict, finding.found) == (Verdict.UNMET, 4)
    assert [near.why for near in finding.near_misses] == ["assigned_only", "in_no_thread"]
    comment(made)
    assert look_once(made).gate == "passed"


def test_comments_after_the_merge_are_no_review() -> None:
    made = make_world(reviewed=4)
    mr = comment(made)
    mr.merged_at = mr.created_at
    finding = reviewed(made)
    assert (finding.verdict, finding.found) == (Verdict.UNMET, 4)
    assert [near.why for near in finding.near_misses] == ["in_no_thread"]


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("asked", "found"),
    [("nina", (5, [])), ("max", (4, ["after_merge"]))],
    ids=["who was asked before, too", "who was not asked before"],
)
def test_who_was_asked_for_a_review_after_the_merge_alone_gave_none(
    asked: str, found: tuple[int, list[str]]
) -> None:
    def discuss(made: NominationWorld, mr: MergeRequest) -> None:
        draft = NoteDraft(body="Could this be shorter?", type="DiscussionNote")
        actions.create_note(made.world, made.user("nina"), mr, draft)

    made = make_world(reviewed=4)
    mr = merge_elsewhere(made, reviewer=asked, before=discuss)
    made.world.tick(3600)
    for name in ("rita", "nina"):
        actions.set_reviewers(made.world, made.user("dora"), mr, [made.user(name)])
    finding = reviewed(made)
    assert (finding.found, [near.why for near in finding.near_misses]) == found


def test_comments_of_somebody_never_asked_are_near_misses_and_stay_so() -> None:
    made = make_world(reviewed=4)
    comment(made).reviewers.clear()
    finding = reviewed(made)
    assert (finding.verdict, finding.found) == (Verdict.UNMET, 4)
    assert [near.why for near in finding.near_misses] == ["not_asked"]
    # Others merge on: the near miss leaves the list, and the verdict stays what it was.
    for _ in range(31):
        add_merged(made, "max")
    finding = reviewed(made)
    assert (finding.verdict, finding.found, finding.near_misses) == (Verdict.UNMET, 4, ())


@pytest.mark.sample(1)
@pytest.mark.parametrize("comments", [21, 101])
def test_more_comments_than_are_read_leave_the_count_unknown(comments: int) -> None:
    made = make_world(reviewed=3)
    if comments > 100:
        mr = comment(made, kind=None)
        for _ in range(comments):
            made.say("And this?", by="nina", mr=mr)
        mr.merged_at = made.world.now
    else:
        for _ in range(comments):
            comment(made, kind=None)
    finding = reviewed(made)
    assert (finding.verdict, finding.found) == (Verdict.UNKNOWN, 3)
    assert sum(near.why == "not_read_whole" for near in finding.near_misses) == 1


# --- when a review was given, and into which branch ------------------------------------------


def approve(made: NominationWorld, mr: MergeRequest) -> None:
    actions.approve(made.world, made.user("nina"), mr)


def approve_and_push(made: NominationWorld, mr: MergeRequest) -> None:
    made.gateway.settings.tier = "premium"  # where a push resets approvals
    approve(made, mr)
    push_elsewhere(made, mr.source_branch)
    assert (mr.approvals, mr.reviewers[0].state) == ({}, "unapproved")


def approve_push_and_ask_again(made: NominationWorld, mr: MergeRequest) -> None:
    approve_and_push(made, mr)
    actions.request_review_again(made.world, made.user("dora"), mr, made.user("nina"))


def take_back(made: NominationWorld, mr: MergeRequest) -> None:
    approve(made, mr)
    actions.unapprove(made.world, made.user("nina"), mr)


def request_changes(made: NominationWorld, mr: MergeRequest) -> None:
    actions.submit_review(made.world, made.user("nina"), mr, "requested_changes")


def review(made: NominationWorld, mr: MergeRequest) -> None:
    actions.submit_review(made.world, made.user("nina"), mr, "reviewed", "Why so?")


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "before",
    [approve, approve_and_push, approve_push_and_ask_again, take_back, request_changes, review],
)
def test_what_happened_before_the_merge_counts_whatever_became_of_it(before: Review) -> None:
    made = make_world(reviewed=0)
    for _ in range(5):
        merge_elsewhere(made, before=before)
    assert look_once(made).gate == "passed"


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("state", "why"), [("reviewed", "not_dated"), ("requested_changes", "after_merge")]
)
def test_a_state_that_is_set_after_the_merge_is_no_review(state: str, why: str) -> None:
    made = make_world(reviewed=0)
    mrs = [merge_elsewhere(made) for _ in range(5)]
    # Praise before the merge does not make the state older.
    made.say("Nice!", by="nina", mr=mrs[0])
    mrs[0].merged_at = made.world.now
    made.world.tick(DAY)
    for mr in mrs:
        actions.submit_review(made.world, made.user("nina"), mr, state, "")
    finding = reviewed(made)
    assert (finding.verdict, finding.found) == (Verdict.UNMET, 0)
    assert [near.why for near in finding.near_misses] == [why] * 5


def test_an_approval_that_is_given_after_the_merge_is_no_review() -> None:
    made = make_world(reviewed=0)
    for _ in range(5):
        mr = merge_elsewhere(made)
        # Older versions of GitLab let people approve what was merged.
        mr.state = "opened"
        approve(made, mr)
        mr.state = "merged"
    finding = reviewed(made)
    assert (finding.verdict, finding.found) == (Verdict.UNMET, 0)
    assert [near.why for near in finding.near_misses] == ["after_merge"] * 5


def test_an_approval_that_nothing_dates_is_left_to_a_maintainer() -> None:
    made = make_world(reviewed=5)
    for mr in made.gateway.merge_requests.values():
        mr.notes.clear()
    outcome = look_once(made)
    assert outcome.gate == "failed"
    assert "GitLab does not tell when" in outcome.body


def test_work_that_went_into_a_branch_of_ones_own_never_counts() -> None:
    made = make_world(authored=0, reviewed=0)
    for _ in range(5):
        merge_elsewhere(made, target="mine", author="nina")
        merge_elsewhere(made, target="mine", before=approve)
    outcome = look_once(made)
    assert outcome.gate == "failed"
    (assessment,) = outcome.evaluation.findings.assessments
    for finding in assessment.findings[:2]:
        assert (finding.verdict, finding.found) == (Verdict.UNMET, 0)
        assert [near.why for near in finding.near_misses] == ["other_branch"] * 5
    assert "into `mine`, not the default branch" in outcome.body
    assert "target_branch=main" in outcome.body
    for _ in range(5):
        merge_elsewhere(made, author="nina")
        merge_elsewhere(made, before=approve)
    assert look_once(made).gate == "passed"


def test_the_default_branch_is_the_counted_project_s_whatever_its_name_is() -> None:
    made = make_world(authored=5, reviewed=5)
    made.gateway.default_branch = "trunk"
    actions.create_branch(made.world, made.user("olga"), made.gateway, "trunk", "main")
    assert look_once(made).gate == "failed"
    for mr in made.gateway.merge_requests.values():
        mr.target_branch = "trunk"
    assert look_once(made).gate == "passed"


def test_a_project_without_a_default_branch_leaves_the_count_unknown() -> None:
    made = make_world()
    made.gateway.repository.branches.clear()
    outcome = look_once(made)
    assert outcome.gate == "pending"
    assert "did not tell the default branch" in outcome.body


def test_many_merges_into_other_branches_hide_nothing() -> None:
    made = make_world(reviewed=3)
    for _ in range(40):
        add_merged(made, "nina").target_branch = "mine"
        add_merged(made, "dora", reviewer="nina").target_branch = "mine"
    finding = reviewed(made)
    assert (finding.verdict, finding.found, finding.at_least) == (Verdict.UNMET, 3, False)
    made.review_all(2)
    assert look_once(made).gate == "passed"


def test_an_account_is_the_same_however_the_entry_writes_it() -> None:
    made = make_world(reviewed=0)
    put(made, "trainee_maintainer", who="Nina")
    made.review_all(5)
    for mr in made.gateway.merge_requests.values():
        mr.reviewers.clear()
    made.world.tick(DAY)
    made.nomination = made.open({ENTRY: entry("Nina", "maintainer")}, branch="again")
    made.assign()
    assert look_once(made).gate == "passed"


def test_a_stage_that_was_given_up_before_a_rename_is_looked_for() -> None:
    made = make_world(trainee=False, reviewed=0)
    put(made, "trainee_maintainer")
    made.review_all(5)
    put(made, "reviewer")
    made.world.tick(DAY)
    moved = {ENTRY: None, RENAMED: entry("nina", "reviewer")}
    made.push(moved, branch="main", by="olga")
    nominate(made, RENAMED)
    assert look_once(made).gate == "passed"


def test_the_manager_is_the_present_one_however_old_the_branch_is() -> None:
    made = make_world(assigned=False)
    now = entry("nina", "trainee_maintainer", "olga")
    made.push({ENTRY: now, f"{FOLDER}/o/olga.yml": entry("olga")}, branch="main", by="olga")
    actions.assign(made.world, made.user("nina"), made.nomination, [made.user("max")])
    (assessment,) = look_once(made).evaluation.findings.assessments
    assert assessment.manager == Manager(username="olga")
