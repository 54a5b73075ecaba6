"""Tests of evidence over HTTP: whose work, of which time, is counted on a real history."""

import pytest

from bot.evidence import Manager
from bot.findings import Finding, Verdict
from bot.sandbox import actions
from bot.sandbox.act_notes import NoteDraft
from bot.sandbox.entities import MergeRequest, Reviewer
from bot.sandbox.server import Server
from tests.nomination_world import (
    ENTRY,
    FOLDER,
    NominationWorld,
    Outcome,
    add_merged,
    entry,
    make_world,
    run_on,
)

RENAMED = f"{FOLDER}/n/nina-new.yml"
DAY = 86_400


def judged(made: NominationWorld) -> Outcome:
    """Evaluate the nomination and make sure that GitLab had nothing to complain of."""
    with Server(made.world) as server:
        outcome = run_on(server, made.nomination)
    assert made.world.violations == []
    return outcome


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
    assert judged(made).gate == "passed"


def test_a_stage_in_an_entry_that_was_deleted_and_written_again_counts() -> None:
    made = make_world(trainee=False, reviewed=0)
    put(made, "trainee_maintainer")
    made.review_all(5)
    put(made, None)
    put(made, "reviewer")
    nominate(made)
    assert judged(made).gate == "passed"


def test_the_stage_of_somebody_who_had_the_file_before_does_not_count() -> None:
    made = make_world(trainee=False, reviewed=0)
    put(made, "trainee_maintainer", who="dora")
    put(made, None)
    put(made, "reviewer")
    made.review_all(5)
    nominate(made)
    outcome = judged(made)
    assert outcome.gate == "pending"
    assert "was another account" in outcome.body


def test_reviews_merged_before_the_stage_are_near_misses() -> None:
    made = make_world(trainee=False, reviewed=4)
    put(made, "trainee_maintainer")
    made.review_all(2)
    nominate(made)
    outcome = judged(made)
    assert outcome.gate == "failed"
    assert "| ✗&nbsp;not&nbsp;met | 2 | 5 |" in outcome.body
    assert outcome.body.count("before that") == 4


def reviewed(made: NominationWorld) -> Finding:
    """Evaluate the nomination and return what was found of its reviews."""
    (assessment,) = judged(made).evaluation.findings.assessments
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
    assert judged(made).gate == "passed"


def test_comments_after_the_merge_are_no_review() -> None:
    made = make_world(reviewed=4)
    mr = comment(made)
    mr.merged_at = mr.created_at
    finding = reviewed(made)
    assert (finding.verdict, finding.found) == (Verdict.UNMET, 4)
    assert [near.why for near in finding.near_misses] == ["in_no_thread"]


def test_comments_of_somebody_never_asked_are_near_misses_and_stay_so() -> None:
    made = make_world(reviewed=4)
    comment(made).reviewers.clear()
    finding = reviewed(made)
    assert (finding.verdict, finding.found) == (Verdict.UNMET, 4)
    assert [near.why for near in finding.near_misses] == ["not_asked"]
    # Others merge on: the near miss leaves the list, and the verdict stays what it was.
    for _ in range(101):
        add_merged(made, "max")
    finding = reviewed(made)
    assert (finding.verdict, finding.found, finding.near_misses) == (Verdict.UNMET, 4, ())


@pytest.mark.parametrize("comments", [21, 101])
def test_more_comments_than_are_read_leave_the_count_unknown(comments: int) -> None:
    made = make_world(reviewed=3)
    if comments > 100:
        mr = comment(made, kind=None)
        for _ in range(comments):
            made.say("And this?", by="nina", mr=mr)
    else:
        for _ in range(comments):
            comment(made, kind=None)
    finding = reviewed(made)
    assert (finding.verdict, finding.found) == (Verdict.UNKNOWN, 3)
    assert sum(near.why == "not_read_whole" for near in finding.near_misses) == 1


def test_an_account_is_the_same_however_the_entry_writes_it() -> None:
    made = make_world(reviewed=0)
    put(made, "trainee_maintainer", who="Nina")
    made.review_all(5)
    for mr in made.gateway.merge_requests.values():
        mr.reviewers.clear()
    made.world.tick(DAY)
    made.nomination = made.open({ENTRY: entry("Nina", "maintainer")}, branch="again")
    made.assign()
    assert judged(made).gate == "passed"


def test_a_stage_that_was_given_up_before_a_rename_is_looked_for() -> None:
    made = make_world(trainee=False, reviewed=0)
    put(made, "trainee_maintainer")
    made.review_all(5)
    put(made, "reviewer")
    made.world.tick(DAY)
    moved = {ENTRY: None, RENAMED: entry("nina", "reviewer")}
    made.push(moved, branch="main", by="olga")
    nominate(made, RENAMED)
    assert judged(made).gate == "passed"


def test_the_manager_is_the_present_one_however_old_the_branch_is() -> None:
    made = make_world(assigned=False)
    now = entry("nina", "trainee_maintainer", "olga")
    made.push({ENTRY: now, f"{FOLDER}/o/olga.yml": entry("olga")}, branch="main", by="olga")
    actions.assign(made.world, made.user("nina"), made.nomination, [made.user("max")])
    (assessment,) = judged(made).evaluation.findings.assessments
    assert assessment.manager == Manager(username="olga")
