"""Tests over HTTP of how counted merge requests went after the nominee's review."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.assessment.findings import Finding, Verdict
from bot.assessment.kinds import AuthoredMergeRequests, ReviewedMergeRequests, ReviewOutcomes
from bot.evidence import Course, CoursesOf
from bot.policy.values import Requirement
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, NoteDraft
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.world.entities import Level, Member, MergeRequest
from tests.builders import (
    REPOSITORY,
    make_assessment,
    make_evidence,
    make_merged,
    make_policy,
    make_requirement,
    make_work,
)
from tests.nomination_world import (
    GRAPHQL,
    NominationWorld,
    Outcome,
    look_once,
    make_world,
    merge_elsewhere,
    shipped,
)

((SHIPPED,), _) = shipped()
OUTCOMES = replace(
    make_requirement(ReviewOutcomes(), id="outcomes", title="How it went"), blocking=False
)
COUNTED = (
    make_requirement(ReviewedMergeRequests(at_least=1), id="reviewed"),
    make_requirement(AuthoredMergeRequests(at_least=1), id="authored"),
)
Act = Callable[[NominationWorld, MergeRequest], None]


def run_for(
    made: NominationWorld, *requirements: Requirement, faults: Sequence[Fault] = ()
) -> Outcome:
    """Evaluate by what is counted and what is told of it."""
    policy = replace(SHIPPED, requirements=requirements or (*COUNTED, OUTCOMES))
    return look_once(made, *faults, policies=(policy,))


def finding_of(run: Outcome) -> Finding:
    """Return what was found out of how it went."""
    (assessment,) = run.evaluation.findings.assessments
    return assessment.findings[-1]


def act(*acts: Act) -> Act:
    """Do several things, one after the other."""

    def do(made: NominationWorld, mr: MergeRequest) -> None:
        for each in acts:
            made.world.tick(60)
            each(made, mr)
        made.world.tick(60)

    return do


def by(name: str, what: str, **draft: Any) -> Act:
    """Let somebody do something who may."""

    def do(made: NominationWorld, mr: MergeRequest) -> None:
        user, world = made.user(name), made.world
        member = Member(user=user, level=Level.DEVELOPER, created_at=world.now)
        made.gateway.members.setdefault(user.id, member)
        if what == "approve":
            actions.approve(world, user, mr)
        elif what == "unapprove":
            actions.unapprove(world, user, mr)
        elif what == "request":
            actions.submit_review(world, user, mr, "requested_changes")
        elif what == "push":
            change = CommitDraft(message="More", changes={f"{name}/a.md": str(world.now).encode()})
            actions.push(world, user, made.gateway, mr.source_branch, change)
        else:
            kind = "DiscussionNote" if what == "thread" else None
            given = {"type": kind} | draft
            actions.create_note(world, user, mr, replace(NoteDraft(body="?"), **given))

    return do


def rebase(made: NominationWorld, mr: MergeRequest) -> None:
    """Let the author put their work upon what was merged meanwhile."""
    world, dora, project = made.world, made.user("dora"), made.gateway
    changes = {"else.md": str(world.now).encode()}
    actions.push(
        world, made.user("olga"), project, "main", CommitDraft(message="E", changes=changes)
    )
    again = CommitDraft(message="Again", changes={"again.md": b"1"}, start_branch="main")
    actions.push(world, dora, project, "again", again)
    actions.reset_branch(world, dora, project, mr.source_branch, "again")


def make_robot(made: NominationWorld, _: MergeRequest) -> None:
    made.user("robot").bot = True


def reply(name: str) -> Act:
    """Answer in the first thread."""

    def do(made: NominationWorld, mr: MergeRequest) -> None:
        thread = next(note.discussion_id for note in mr.notes if note.resolvable)
        by(name, "thread", discussion_id=thread)(made, mr)

    return do


APPROVE = by("nina", "approve")


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("before", "state", "threads"),
    [
        (act(APPROVE), "as_it_was", 0),
        (act(APPROVE, by("max", "thread"), by("max", "thread")), "comments", 2),
        (act(APPROVE, by("max", "request")), "comments", 0),
        (act(APPROVE, by("max", "thread"), by("dora", "push")), "commits", 1),
        (act(APPROVE, by("dora", "push")), "commits", 0),
        (act(APPROVE, rebase), "rebase", 0),
        (act(APPROVE, rebase, by("dora", "push")), "commits", 0),
        # What came before the review does not matter.
        (act(by("max", "thread"), by("dora", "push"), APPROVE), "as_it_was", 0),
        # The first approval counts, however often a push takes it away; not one taken back.
        (act(APPROVE, by("max", "thread"), by("nina", "thread")), "comments", 1),
        (act(APPROVE, by("dora", "push"), by("nina", "unapprove"), APPROVE), "as_it_was", 0),
        (act(APPROVE, by("nina", "request"), by("dora", "push"), APPROVE), "as_it_was", 0),
        # Without an approval, it is the last comment.
        (act(by("nina", "thread"), by("dora", "push"), by("nina", "thread")), "as_it_was", 0),
        (act(by("nina", "thread"), by("dora", "push")), "commits", 0),
        # Neither the nominee's own words count, nor the author's, a bot's or a plain comment.
        (act(APPROVE, by("nina", "thread"), by("dora", "thread")), "as_it_was", 0),
        (act(make_robot, APPROVE, by("robot", "thread")), "as_it_was", 0),
        (act(APPROVE, by("max", "comment")), "as_it_was", 0),
        (act(APPROVE, by("max", "thread", internal=True)), "as_it_was", 0),
        # A reply begins no thread.
        (act(by("max", "thread"), APPROVE, reply("max")), "as_it_was", 0),
    ],
)
def test_what_came_after_a_review_is_told(before: Act, state: str, threads: int) -> None:
    made = make_world(authored=1, reviewed=0)
    mr = merge_elsewhere(made, before=before)
    by("max", "thread")(made, mr)  # after the merge
    finding = finding_of(run_for(made))
    (outcome,) = finding.outcomes.reviewed if finding.outcomes else ()
    assert (outcome.merged.iid, outcome.state, outcome.threads) == (mr.iid, state, threads)
    assert (finding.verdict, finding.found, finding.reason) == (Verdict.SHOWN, None, None)


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("before", "state", "threads"),
    [
        (act(), "no_review", 0),
        (act(by("nina", "thread"), by("nina", "push")), "no_review", 0),
        (act(by("nina", "push"), by("max", "approve")), "as_it_was", 0),
        (act(by("max", "thread"), by("max", "approve")), "comments", 1),
        (act(by("max", "request"), by("max", "approve")), "comments", 0),
        (act(by("max", "thread"), by("nina", "push"), by("max", "approve")), "commits", 1),
        (act(by("max", "approve"), by("nina", "push")), "commits", 0),
        (act(make_robot, by("robot", "thread"), by("nina", "push")), "no_review", 0),
    ],
)
def test_the_same_is_told_of_what_they_wrote(before: Act, state: str, threads: int) -> None:
    made = make_world(authored=0, reviewed=0)
    mr = merge_elsewhere(made, author="nina", reviewer="max", before=before)
    finding = finding_of(run_for(made))
    (outcome,) = finding.outcomes.authored if finding.outcomes else ()
    assert (outcome.merged.iid, outcome.state, outcome.threads) == (mr.iid, state, threads)


def test_the_comment_says_it_folded_with_links_and_no_row() -> None:
    made = make_world(authored=1, reviewed=0)
    plain = merge_elsewhere(made, before=act(APPROVE))
    changed = merge_elsewhere(made, before=act(APPROVE, by("max", "thread"), by("max", "thread")))
    body = run_for(made).body
    shown, _, folded = body.partition("<summary>Evidence</summary>")
    assert "How it went" not in shown
    assert "**How it went**" in folded
    assert "Reviewed and then merged: 1 of 2 as they were, 1 after comments, 0 after" in folded
    assert f"- [!{changed.iid}]" in folded
    assert f"- [!{plain.iid}]" in folded
    assert "`change-2`: as it was" in folded
    assert "after 2 comments" in folded
    assert "Written and then merged: 0 of 1 as they were" in folded
    assert "Merged from 2026-01-06 to 2026-01-06. Folders that they touched" in folded
    assert "and how many did: the top (2)." in folded
    without = run_for(made, *COUNTED).body
    assert without.partition("<summary>Evidence</summary>")[0].count("\n") == shown.count("\n")


def test_nothing_counted_is_nothing_told() -> None:
    made = make_world(authored=0, reviewed=0)
    run = run_for(made)
    assert "Nothing is counted yet." in run.body


def test_the_folders_are_those_at_the_top_whatever_their_names() -> None:
    made = make_world(authored=0, reviewed=0)
    evil = "@all `<details>` #1 \u202e"

    def write(made: NominationWorld, mr: MergeRequest) -> None:
        files = {f"{evil}/a.md": b"1", f"{evil}/b/c.md": b"1", "docs/d.md": b"1", "e.md": b"1"}
        change = CommitDraft(message="More", changes=files)
        actions.push(made.world, made.user("dora"), made.gateway, mr.source_branch, change)

    merge_elsewhere(made, before=act(write, APPROVE))
    run = run_for(made)
    outcomes = finding_of(run).outcomes
    assert outcomes is not None
    assert [(f.name, f.touched) for f in outcomes.folders] == [(".", 1), (evil, 1), ("docs", 1)]
    assert "``@all `\u2039details\u203a` #1" in run.body
    assert "\u202e" not in run.body


def test_at_most_one_more_call_is_made() -> None:
    made = make_world(authored=30, reviewed=30)
    wide = (
        make_requirement(ReviewedMergeRequests(at_least=30), id="reviewed"),
        make_requirement(AuthoredMergeRequests(at_least=30), id="authored"),
    )
    without = run_for(made, *wide).calls
    made.world.tick(60)
    run = run_for(made, *wide, OUTCOMES)
    outcomes = finding_of(run).outcomes
    assert outcomes is not None
    assert run.calls <= without + 1
    assert (len(outcomes.reviewed), len(outcomes.authored), outcomes.left_out) == (20, 20, 20)
    assert "Not looked at: 20 older ones." in run.body


def test_what_was_cut_is_not_known() -> None:
    made = make_world(authored=0, reviewed=0)
    many = [by("dora", "thread") for _ in range(120)]
    merge_elsewhere(made, before=act(APPROVE, *many))
    finding = finding_of(run_for(made))
    assert finding.outcomes is not None
    assert [each.state for each in finding.outcomes.reviewed] == ["unknown"]
    assert finding.reason == "GitLab did not list all that happened in 1 of them"


def test_what_could_not_be_read_is_unknown() -> None:
    seen = set()
    for number in range(2, 6):
        made = make_world(authored=1, reviewed=0)
        merge_elsewhere(made, before=act(APPROVE))
        calls = range(number, number + 3)
        fault = Fault(route=f"POST {GRAPHQL}", kind=Kind.GRAPHQL_ERRORS, calls=calls)
        finding = finding_of(run_for(made, faults=[fault]))
        seen.add((finding.verdict, bool(finding.reason)))
    assert seen == {(Verdict.UNKNOWN, True), (Verdict.SHOWN, False)}


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("requests", "files", "told", "named"),
    [
        ("enabled", "enabled", True, True),
        ("enabled", "private", True, False),
        ("private", "enabled", False, False),
    ],
)
def test_what_the_readers_may_not_see_is_left_out(
    requests: str, files: str, told: bool, named: bool
) -> None:
    made = make_world(authored=1, reviewed=0)
    merge_elsewhere(made, before=act(APPROVE, by("dora", "push")))
    bot = made.user("nomination-bot")
    member = Member(user=bot, level=Level.REPORTER, created_at=made.world.now)
    made.gateway.members[bot.id] = member
    made.gateway.merge_requests_access, made.gateway.repository_access = requests, files
    body = run_for(made).body
    assert ("Reviewed and then merged: 0 of 1" in body, "`dora` (1)" in body) == (told, named)
    assert ("Some details are left out here" in body) is not named


def test_folders_of_what_was_not_listed_whole_are_not_known() -> None:
    made = make_world(authored=3, reviewed=0)
    outcomes = finding_of(run_for(made)).outcomes
    assert outcomes is not None
    assert (outcomes.folders, outcomes.unlisted) == ((), 0)


def test_a_waiver_changes_no_evidence() -> None:
    made = make_world(authored=1, reviewed=0)
    made.say("/nomination waive @nina outcomes because", by="max")
    assert finding_of(run_for(made)).verdict is Verdict.SHOWN


def test_after_the_merge_it_is_shown_no_more() -> None:
    made = make_world(authored=1, reviewed=1)
    before = run_for(made)
    made.merge()
    assert "**How it went**" in before.body
    assert "How it went" not in run_for(made).body


def test_a_review_that_nothing_dates_is_followed_by_what_nobody_knows() -> None:
    merged = make_merged(7, author="linus", recorded=True)
    rule = ReviewedMergeRequests(at_least=1)
    policy = make_policy(make_requirement(rule), make_requirement(ReviewOutcomes(), id="o"))
    need = CoursesOf(REPOSITORY, (7,))
    course = Course(iid=7, author="linus", merged_at=merged.merged_at, acts=(), paths=None)
    evidence = make_evidence(make_work(authored=(), reviewed=(merged,)))
    evidence = replace(evidence, facts={need: (course,)})
    finding = make_assessment(policy, evidence=evidence).findings[1]
    assert finding.outcomes is not None
    assert [each.state for each in finding.outcomes.reviewed] == ["unknown"]
    assert (finding.outcomes.unlisted, finding.verdict) == (1, Verdict.SHOWN)
