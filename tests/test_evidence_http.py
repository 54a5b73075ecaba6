"""Tests of evidence over HTTP: whose work, of which time, is counted on a real history."""

from bot.findings import Verdict
from bot.sandbox import actions
from bot.sandbox.act_notes import NoteDraft
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
    assert "| ✗ not met | 2 | 5 |" in outcome.body
    assert outcome.body.count("before that") == 4


def test_comments_in_threads_count_where_other_reviews_are_too_few() -> None:
    made = make_world(reviewed=3)
    # An answer in a thread, a remark beside all threads, and threads of other people.
    for kind, who in (("DiscussionNote", "nina"), (None, "nina"), ("DiscussionNote", "max")):
        draft = NoteDraft(body="Could this be shorter?", type=kind)
        actions.create_note(made.world, made.user(who), add_merged(made, "dora"), draft)
    outcome = judged(made)
    reviewed = next(
        f
        for f in outcome.evaluation.findings.assessments[0].findings
        if f.requirement.id == "reviewed"
    )
    assert (reviewed.verdict, reviewed.found) == (Verdict.UNMET, 4)
    assert [near.why for near in reviewed.near_misses] == ["in_no_thread"]
    mr = add_merged(made, "dora")
    draft = NoteDraft(body="And this?", type="DiscussionNote")
    actions.create_note(made.world, made.user("nina"), mr, draft)
    assert judged(made).gate == "passed"
