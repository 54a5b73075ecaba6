"""Tests of the sentence as a whole, over HTTP: from a merge request to what GitLab shows."""

import json
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from bot.app.rounds import evaluate
from bot.app.searches import SWEPT
from bot.app.sweep import run, sweep_all
from bot.errors import GitLabError
from bot.evidence import Need, Source, StandingOf
from bot.evidence.facts import Facts
from bot.evidence.proposals import MOST_NOMINATIONS
from bot.gitlab.budget import WRITING
from bot.gitlab.transport import Transport
from bot.publish.gate import GateKind
from bot.report.rendering import MARKER
from bot.report.values import GateState
from bot.rulebook.loading import load_policies
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import (
    CommitDraft,
    MergeRequestDraft,
    MergeRequestUpdate,
    NoteDraft,
    StatusDraft,
)
from bot.sandbox.acts.pipelines import check_status, run_again
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Level, Member, MergeRequest, Reviewer, Start
from tests.builders import TROUBLE
from tests.nomination_world import (
    ENTRY,
    FOLDER,
    GRAPHQL,
    STATUS,
    TEAM,
    NominationWorld,
    Outcome,
    add_check,
    add_user,
    awards,
    connect,
    count_levels,
    entry,
    make_choices,
    make_people,
    make_world,
    run_on,
)
from tests.raw_server import answer, raw_server, saying

SLOW = 0.15  # seconds
CHECK = GateKind.STATUS_CHECK
NOTES = "POST */notes"
STATUSES = "POST */statuses/*"
RESPONSES = "POST */status_check_responses"


@pytest.fixture
def made() -> NominationWorld:
    return make_world()


def one_note(made: NominationWorld, mr: MergeRequest | None = None) -> str:
    (note,) = made.own_notes(mr)
    return note.body


def gates(made: NominationWorld) -> list[tuple[str, str]]:
    return [(job.status, job.sha) for job in made.statuses() if not job.retried]


def settled(made: NominationWorld, server: Server, **choices: Any) -> Outcome:
    """Run once more, which must write nothing."""
    before = len(made.writes())
    outcome = run_on(server, made.nomination, **choices)
    assert made.writes()[before:] == []
    assert outcome.problems == []
    return outcome


# --- what it costs ------------------------------------------------------------------------


def test_a_typical_nomination_takes_nine_calls_at_most_and_then_writes_nothing() -> None:
    made = make_world(authored=12, reviewed=8)
    with Server(made.world) as server:
        first = run_on(server, made.nomination)
        assert (first.gate, first.problems) == ("passed", [])
        assert first.calls <= 9
        assert settled(made, server).calls <= 5
    assert len(made.writes()) == 3


@pytest.mark.usefixtures("in_threads")
def test_calls_wait_for_each_other_four_deep(made: NominationWorld, server: Server) -> None:
    run_on(server, made.nomination)
    made.say("/nomination hold for a moment")
    before = len(made.writes())
    assert count_levels(server, made.nomination, SLOW) == 4
    assert len(made.writes()) - before == 3


def test_a_waiver_for_nobody_by_name_never_moves_to_another_person(
    server: Server, made: NominationWorld
) -> None:
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    made.say("/nomination waive assigned they were asked in person")
    assert run_on(server, made.nomination).gate == "passed"
    made.push({ENTRY: entry("nina", "maintainer") + b"job: other\n"}, branch="nominate-nina")
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "failed"
    assert "write `/nomination waive @nina assigned" in one_note(made)
    made.say("/nomination waive @nina assigned they were asked in person")
    made.push({"README.md": b"more\n"}, branch="nominate-nina")
    assert run_on(server, made.nomination).gate == "passed"


def test_a_hold_of_somebody_unknown_keeps_the_gate_shut(
    server: Server, made: NominationWorld
) -> None:
    made.say("/nomination hold not before the holidays", by="max")
    made.say("/nomination waive @nina assigned they were asked in person", by="mia")
    assert run_on(server, made.nomination).gate == "failed"
    made.group.visibility = "private"
    made.group.members = {}
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "pending"
    assert "whether they may could not be checked" in one_note(made)


def test_a_waiver_that_is_edited_away_loses_its_answer(
    server: Server, made: NominationWorld
) -> None:
    note = made.say("/nomination waive @nina assigned they were asked in person")
    run_on(server, made.nomination)
    assert awards(note) == ["white_check_mark"]
    actions.edit_note(made.world, made.user("max"), made.nomination, note, "Never mind.")
    run_on(server, made.nomination)
    assert note.awards == []
    settled(made, server)


def test_a_merged_results_pipeline_gets_the_gate(made: NominationWorld, server: Server) -> None:
    made.push({"README.md": b"merged\n"}, branch="merge-result", by="olga")
    commit = made.team.repository.find_commit("merge-result")
    assert commit is not None
    start = Start(
        project=made.team,
        user=made.user("nina"),
        sha=commit.sha,
        ref=f"refs/merge-requests/{made.nomination.iid}/head",
        source="merge_request_event",
        merge_request=made.nomination,
        source_sha=made.nomination.head_sha,
    )
    pipeline = actions.create_pipeline(made.world, start)
    run_on(server, made.nomination)
    assert [(job.sha, job.pipeline) for job in made.statuses()] == [(commit.sha, pipeline)]
    settled(made, server)


@pytest.mark.usefixtures("in_threads")
def test_a_first_comment_is_looked_at_once_more(made: NominationWorld, server: Server) -> None:
    assert count_levels(server, made.nomination, SLOW) == 5


@pytest.mark.sample(1)
@pytest.mark.parametrize("count", [12, 5000])
def test_the_number_of_merge_requests_costs_no_calls(count: int) -> None:
    made = make_world(authored=count, reviewed=8)
    with Server(made.world) as server:
        outcome = run_on(server, made.nomination)
    assert outcome.gate == "passed"
    assert outcome.calls <= 10


@pytest.mark.sample(1)
@pytest.mark.parametrize("is_hidden", [True, False])
def test_three_hundred_entries_take_twelve_calls(is_hidden: bool, made: NominationWorld) -> None:
    files = make_people(made, 310, None)
    moved = {path: content + b"job: other\n" for path, content in files.items()}
    if is_hidden:
        moved[ENTRY] = entry("nina", "maintainer")
    mr = made.open(moved, branch="hr-sync")
    with Server(made.world) as server:
        outcome = run_on(server, mr)
    assert outcome.calls <= 12
    assert outcome.problems == []
    assert bool(made.own_notes(mr)) is is_hidden
    assert bool(made.writes()) is is_hidden
    people = [a.nomination.username for a in outcome.evaluation.findings.assessments]
    assert people == (["nina"] if is_hidden else [])


@pytest.mark.sample(1)
@pytest.mark.parametrize(("count", "first", "again"), [(1, 9, 5), (310, 14, 10)])
def test_entries_with_other_roles_of_the_project_take_few_calls(
    count: int, first: int, again: int, made: NominationWorld
) -> None:
    files = make_people(made, count, "reviewer")
    changed = {path: content + b"job: other\n" for path, content in files.items()}
    mr = made.open({**changed, ENTRY: entry("nina", "maintainer")}, branch="hr-sync")
    with Server(made.world) as server:
        outcomes = [run_on(server, mr) for _ in range(2)]
    assert [outcome.calls for outcome in outcomes] == [first, again]
    assert [outcome.problems for outcome in outcomes] == [[], []]
    people = [a.nomination.username for a in outcomes[0].evaluation.findings.assessments]
    assert people == ["nina"]


def test_an_irrelevant_merge_request_takes_one_call_and_nothing_is_said(
    made: NominationWorld, server: Server
) -> None:
    mr = made.open({"README.md": b"hello\n"}, branch="readme")
    outcome = run_on(server, mr)
    assert (outcome.calls, outcome.evaluation.report) == (1, None)
    assert made.writes() == []


def test_many_people_are_examined_as_far_as_it_goes_and_that_is_said(
    made: NominationWorld, server: Server
) -> None:
    files = make_people(made, MOST_NOMINATIONS + 5, "reviewer")
    mr = made.open({path: entry(path[-8:-4], "maintainer") for path in files}, branch="many")
    first = run_on(server, mr)
    assert first.calls <= 60
    assert first.problems == []
    assert len(first.evaluation.findings.assessments) == MOST_NOMINATIONS
    assert f"only the first {MOST_NOMINATIONS} of {MOST_NOMINATIONS + 5} nominations" in one_note(
        made, mr
    )
    assert first.gate != "passed"
    before = len(made.writes())
    again = run_on(server, mr)
    assert again.body == first.body
    assert made.writes()[before:] == []


@pytest.mark.parametrize("calls", range(9, 20))
def test_when_calls_run_out_what_is_unknown_is_said(
    calls: int, made: NominationWorld, server: Server
) -> None:
    outcome = run_on(server, made.nomination, {"calls": calls})
    assert outcome.problems == []
    assert outcome.calls <= calls
    assert outcome.gate == ("pending" if calls < 13 else "passed")
    note = one_note(made)
    assert ("a run makes at most" in note) is (calls < 13)


# --- the gate: commit statuses ------------------------------------------------------------


def test_without_any_pipeline_a_status_is_posted_for_the_branch(
    made: NominationWorld, server: Server
) -> None:
    run_on(server, made.nomination)
    (status,) = made.statuses()
    assert (status.status, status.ref) == ("success", "nominate-nina")
    assert status.pipeline.source == "external"
    settled(made, server)
    settled(made, server)


@pytest.mark.sample(1)
@pytest.mark.parametrize("kind", ["merge_request_event", "push"])
def test_a_status_joins_the_pipeline_of_the_head(kind: str) -> None:
    made = make_world(settings={"pipelines": kind, "tier": "premium"})
    with Server(made.world) as server:
        run_on(server, made.nomination)
        (status,) = made.statuses()
        assert status.pipeline.source == kind
        assert all(pipeline.source == kind for pipeline in made.team.pipelines)
        settled(made, server)
    assert made.world.violations == []


def test_a_newer_pipeline_of_the_head_gets_the_status_too(
    made: NominationWorld, server: Server
) -> None:
    run_on(server, made.nomination)
    mr = made.nomination
    start = Start(
        project=made.team,
        user=mr.author,
        sha=mr.head_sha or "",
        ref=f"refs/merge-requests/{mr.iid}/head",
        source="merge_request_event",
        merge_request=mr,
    )
    actions.create_pipeline(made.world, start)
    run_on(server, mr)
    assert [job.pipeline.source for job in made.statuses()] == ["external", "merge_request_event"]
    settled(made, server)


def test_a_push_moves_the_gate_to_the_new_head(made: NominationWorld, server: Server) -> None:
    run_on(server, made.nomination)
    old = made.nomination.head_sha
    made.push({"README.md": b"more\n"}, branch="nominate-nina")
    run_on(server, made.nomination)
    assert [sha for _, sha in gates(made)] == [old, made.nomination.head_sha]


def test_a_head_that_moves_meanwhile_is_evaluated_again(
    made: NominationWorld, server: Server
) -> None:
    server.fault(Fault(route=f"POST {GRAPHQL}", kind=Kind.MOVED_HEAD, calls=[2]))
    run_on(server, made.nomination)
    assert gates(made) == [("success", made.nomination.head_sha)]
    assert (made.nomination.head_sha or "")[:8] in one_note(made)


def test_a_head_that_never_stands_still_is_an_error(made: NominationWorld, server: Server) -> None:
    server.fault(Fault(route=f"POST {GRAPHQL}", kind=Kind.MOVED_HEAD))
    with pytest.raises(GitLabError, match="moved 3 times"):
        run_on(server, made.nomination)
    # Whoever knows a head leaves a gate behind, and it is shut.
    assert [state for state, _ in gates(made)] == ["pending"]
    assert made.own_notes() == []


class Meddling:
    """A source before whose last look somebody does something, so many times."""

    def __init__(self, source: Source, act: Callable[[], object], times: int) -> None:
        self.source, self.act, self.times = source, act, times

    def fetch_facts(self, needs: Collection[Need]) -> Facts:
        """Do it, and look then."""
        if self.times and any(isinstance(need, StandingOf) for need in needs):
            self.times -= 1
            self.act()
        return self.source.fetch_facts(needs)


def run_meddled(
    server: Server, made: NominationWorld, act: Callable[[], object], times: int = 1
) -> Outcome:
    """Run while somebody acts between what is read first and what is read last."""
    with connect(server.url) as client:
        source = Meddling(client, act, times)
        evaluation, problems = run(TEAM, made.nomination.iid, make_choices(), client, source)
        told = list(map(str, problems))
        return Outcome(evaluation=evaluation, problems=told, calls=client.calls)


def test_the_gate_never_opens_on_what_was_true_at_no_moment(server: Server) -> None:
    server.world = (made := make_world(reviewed=3)).world

    def hold_then_review() -> None:
        made.say("/nomination hold wait for the release")
        made.review_all(2)

    assert run_meddled(server, made, hold_then_review).gate == "failed"
    assert [state for state, _ in gates(made)] == ["failed"]
    assert "On hold" in one_note(made)


def test_a_waiver_that_is_deleted_meanwhile_does_not_count(
    server: Server, made: NominationWorld
) -> None:
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    waiver = made.say("/nomination waive @nina assigned because")

    def delete() -> None:
        actions.delete_note(made.world, made.user("max"), made.nomination, waiver)

    assert run_meddled(server, made, delete).gate == "failed"


def test_people_who_never_stop_keep_the_gate_shut_but_not_the_bot_silent(
    server: Server, made: NominationWorld
) -> None:
    outcome = run_meddled(server, made, lambda: made.say("And another thing."), times=9)
    assert (outcome.gate, outcome.problems) == ("pending", [])
    assert "people changed the merge request, or commented, all the while" in one_note(made)
    assert run_on(server, made.nomination).gate == "passed"


def test_the_bots_own_comment_changes_nothing(server: Server, made: NominationWorld) -> None:
    quiet = run_on(server, made.nomination).calls
    made.say("/nomination recheck")
    first = run_meddled(server, made, lambda: run_on(server, made.nomination))
    assert first.gate == "passed"
    assert first.calls < quiet


@pytest.mark.parametrize("gate", [GateKind.COMMIT_STATUS, CHECK])
def test_who_stepped_down_is_not_brought_back_by_an_old_branch(
    server: Server, made: NominationWorld, gate: GateKind
) -> None:
    add_check(made)
    made.user("bob")
    path, more = f"{FOLDER}/b/bob.yml", "".join(f"line{n}: text\n" for n in range(12)).encode()
    head, role = entry("bob"), entry("bob", "maintainer").removeprefix(entry("bob"))
    made.push({path: head + role + more}, branch="main", by="olga")
    made.push({path: head + more + role}, branch="tidy")
    made.push({path: head + more}, branch="main", by="olga")
    opening = MergeRequestDraft(title="Tidy up", source_branch="tidy", target_branch="main")
    mr = actions.open_merge_request(made.world, made.user("nina"), made.team, opening)
    assert run_on(server, mr, gate=gate).gate == "pending"
    assert "rebase the merge request" in one_note(made, mr)


RENAMED = f"{FOLDER}/n/nina-n.yml"
HELD = ("/nomination waive @nina assigned agreed", "/nomination waive @nina reviewed agreed")


def hold_as_manager(made: NominationWorld, mr: MergeRequest) -> None:
    """Let all be waived that could close the gate, and the manager hold."""
    for waiver in HELD:
        made.say(waiver, by="max", mr=mr)
    made.say("/nomination hold not yet", by="mia", mr=mr)


@pytest.mark.parametrize(("cut", "gate"), [(False, "failed"), (True, "pending")])
def test_a_cut_list_of_changes_does_not_hide_whose_entry_was_renamed(
    server: Server, made: NominationWorld, cut: bool, gate: str
) -> None:
    files = {ENTRY: None, RENAMED: entry("nina", "maintainer"), "aaa.md": b"x"}
    made.push(files, branch="nominate-nina")
    hold_as_manager(made, made.nomination)
    if cut:
        server.fault(Fault(route="GET */diffs", kind=Kind.TRUNCATED_PAGE))
    assert run_on(server, made.nomination).gate == gate


def test_an_entry_that_was_changed_beside_a_new_one_still_names_the_manager(
    server: Server, made: NominationWorld
) -> None:
    files = {ENTRY: entry("nina-old"), RENAMED: entry("nina", "maintainer", manager="dora")}
    mr = made.open(files, branch="split")
    hold_as_manager(made, mr)
    assert run_on(server, mr).gate == "failed"


@pytest.mark.parametrize(("hidden", "gate"), [(False, "failed"), (True, "pending")])
def test_a_deleted_entry_that_cannot_be_read_may_be_the_nominees(
    server: Server, made: NominationWorld, hidden: bool, gate: str
) -> None:
    odd = entry("nina", "trainee_maintainer").decode().encode("utf-16")
    made.push({ENTRY: odd}, branch="main", by="olga")
    mr = made.open({ENTRY: None, RENAMED: entry("nina", "maintainer")}, branch="fresh")
    hold_as_manager(made, mr)
    if hidden:
        server.fault(Fault(route="GET */raw", kind=Kind.FORBIDDEN))
    assert run_on(server, mr).gate == gate


def test_a_manager_that_is_no_text_is_not_known(server: Server, made: NominationWorld) -> None:
    odd = entry("nina", "trainee_maintainer").replace(b"reports_to: mia", b"reports_to: [mia]")
    made.push({ENTRY: odd}, branch="main", by="olga")
    hold_as_manager(made, made.nomination)
    assert run_on(server, made.nomination).gate == "pending"
    assert "is a list or a mapping instead of a text" in one_note(made)


def test_a_forged_success_is_replaced(server: Server, made: NominationWorld) -> None:
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    run_on(server, made.nomination)
    draft = StatusDraft(state="success", name=STATUS, ref="nominate-nina", description="Ready")
    head = made.nomination.head_sha or ""
    actions.set_commit_status(made.world, made.user("nina"), made.team, head, draft)
    assert gates(made)[0][0] == "success"
    run_on(server, made.nomination)
    (status,) = [job for job in made.statuses() if not job.retried]
    assert (status.status, status.author.username) == ("failed", "nomination-bot")
    settled(made, server)


def test_a_status_of_another_is_answered_with_the_first_comment(
    server: Server, made: NominationWorld
) -> None:
    mr = made.open({"README.md": b"more\n"}, branch="readme")
    draft = StatusDraft(state="failed", name=STATUS, ref="readme", description="Forged")
    actions.set_commit_status(made.world, made.user("nina"), made.team, mr.head_sha or "", draft)
    made.say("/nomination help", mr=mr)
    run_on(server, mr)
    assert gates(made)[-1][0] == "success"
    before = len(made.writes())
    run_on(server, mr)
    assert made.writes()[before:] == []


DOUBTS = [
    (Kind.ERROR_BEFORE, 500),
    (Kind.ERROR_BEFORE, 502),
    (Kind.ERROR_BEFORE, 503),
    (Kind.ERROR_AFTER, 500),
    (Kind.ERROR_AFTER, 502),
    (Kind.ERROR_AFTER, 503),
    (Kind.CUT_BEFORE, None),
    (Kind.CUT_AFTER, None),
    (Kind.EMPTY_BODY, None),
    (Kind.RACK_429, None),
    (Kind.APPLICATION_429, None),
]


WRITTEN = (NOTES, STATUSES, "POST */award_emoji")


@pytest.mark.parametrize(("kind", "status"), DOUBTS)
@pytest.mark.parametrize("routes", [[route] for route in WRITTEN] + [list(WRITTEN)], ids=str)
def test_each_thing_is_written_once_whatever_fails(
    made: NominationWorld, server: Server, routes: list[str], kind: Kind, status: int | None
) -> None:
    for route in routes:  # the first of each: the writes go out at the same time
        server.fault(Fault(route=route, kind=kind, status=status, calls=range(1)))
    outcome = run_on(server, made.nomination)
    assert outcome.problems == []
    assert len(made.own_notes()) == 1
    assert len(made.statuses()) == 1
    assert [award.name for award in made.nomination.awards] == ["eyes"]
    settled(made, server)


REFUSALS = {
    "no role": "needs the Developer role",
    "busy pipeline": "no room for another job",
}


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", ["no role", "busy pipeline"])
def test_a_refused_gate_is_said_and_not_written_again_and_again(name: str) -> None:
    made = make_world(settings={"pipelines": "push", "tier": "premium"})
    bot = made.user("nomination-bot")
    if name == "no role":
        made.team.members[bot.id].level = Level.REPORTER
    else:
        for number in range(500):
            actions.add_job(made.world, made.team.pipelines[-1], f"job {number}", "success")
    with Server(made.world) as server:
        outcome = run_on(server, made.nomination)
        assert [problem.split(":")[0] for problem in outcome.problems] == ["gate"]
        assert REFUSALS[name] in outcome.problems[0]
        note = one_note(made)
        assert TROUBLE in note
        assert REFUSALS[name] in note
        updated = made.own_notes()[0].updated_at
        run_on(server, made.nomination)
        assert made.own_notes()[0].updated_at == updated
        made.team.members[bot.id].level = Level.DEVELOPER
        made.team.pipelines[-1].jobs.clear()
        assert run_on(server, made.nomination).problems == []
        assert TROUBLE not in one_note(made)
        settled(made, server)


def test_a_token_that_may_only_read_writes_nothing_and_says_why(
    made: NominationWorld, server: Server
) -> None:
    made.world.tokens[0].scopes = ("read_api",)
    outcome = run_on(server, made.nomination)
    assert [problem.split(":")[0] for problem in outcome.problems] == ["gate", "comment", "mark"]
    assert all("scope `api`" in problem for problem in outcome.problems)
    assert made.nomination.comments == []


def test_a_locked_discussion_still_gets_its_gate(made: NominationWorld, server: Server) -> None:
    bot = made.user("nomination-bot")
    update = MergeRequestUpdate(discussion_locked=True)
    actions.update_merge_request(made.world, made.user("olga"), made.nomination, update)
    del made.team.members[bot.id]
    add_check(made)
    outcome = run_on(server, made.nomination)
    assert any("the discussion is locked" in problem for problem in outcome.problems)
    made.team.members[bot.id] = Member(user=bot, level=Level.DEVELOPER, created_at=made.world.now)
    assert run_on(server, made.nomination).problems == []


# --- the gate: external status checks -----------------------------------------------------


def check_answers(mr: MergeRequest) -> list[tuple[str, str]]:
    return [(answer.status, answer.sha) for answer in mr.check_answers]


def test_a_status_check_is_answered_for_the_head(made: NominationWorld, server: Server) -> None:
    add_check(made)
    run_on(server, made.nomination, gate=CHECK)
    assert check_answers(made.nomination) == [("passed", made.nomination.head_sha)]
    settled(made, server, gate=CHECK)


def test_a_status_check_is_answered_for_every_merge_request(
    made: NominationWorld, server: Server
) -> None:
    add_check(made)
    mr = made.open({"README.md": b"hello\n"}, branch="readme")
    outcome = run_on(server, mr, gate=CHECK)
    assert check_answers(mr) == [("passed", mr.head_sha)]
    assert outcome.evaluation.report is None
    assert mr.comments == []
    assert outcome.calls == 3
    assert run_on(server, mr, gate=CHECK).calls == 2


def test_a_pending_answer_that_gitlab_turned_to_failed_is_not_given_again(
    made: NominationWorld, server: Server
) -> None:
    check = add_check(made)
    made.gateway.visibility = "private"
    assert run_on(server, made.nomination, gate=CHECK).gate == "pending"
    made.world.tick(121)
    assert check_status(made.world, made.nomination, check) == "failed"
    settled(made, server, gate=CHECK)
    made.gateway.visibility = "public"
    run_on(server, made.nomination, gate=CHECK)
    assert made.nomination.check_answers[-1].status == "passed"
    made.gateway.visibility = "private"
    run_on(server, made.nomination, gate=CHECK)
    assert check_answers(made.nomination)[-1] == ("pending", made.nomination.head_sha)


@pytest.mark.parametrize("has_other", [True, False])
def test_a_check_that_is_missing_is_said(
    made: NominationWorld, server: Server, has_other: bool
) -> None:
    add_check(made, "other")
    if not has_other:
        made.team.status_checks.clear()
    outcome = run_on(server, made.nomination, gate=CHECK)
    assert "no external status check named nomination-bot" in outcome.body
    assert TROUBLE in one_note(made)
    settled(made, server, gate=CHECK)


def test_without_ultimate_the_gate_is_said_to_be_missing(
    made: NominationWorld, server: Server
) -> None:
    outcome = run_on(server, made.nomination, gate=CHECK)
    assert TROUBLE in outcome.body
    assert "404" in outcome.body


def test_a_check_whose_head_moved_is_evaluated_again(made: NominationWorld, server: Server) -> None:
    add_check(made)
    server.fault(Fault(route=RESPONSES, kind=Kind.MOVED_HEAD, calls=[0]))
    outcome = run_on(server, made.nomination, gate=CHECK)
    assert outcome.problems == []
    assert check_answers(made.nomination) == [("passed", made.nomination.head_sha)]
    assert (made.nomination.head_sha or "")[:8] in one_note(made)


def test_a_check_whose_head_moves_for_ever_is_an_error(
    made: NominationWorld, server: Server
) -> None:
    add_check(made)
    server.fault(Fault(route=RESPONSES, kind=Kind.MOVED_HEAD))
    with pytest.raises(GitLabError, match="moved 3 times"):
        run_on(server, made.nomination, gate=CHECK)
    assert made.nomination.check_answers == []


def test_the_author_of_a_merge_request_cannot_answer_its_check(made: NominationWorld) -> None:
    add_check(made)
    bot = made.user("nomination-bot")
    draft = CommitDraft(message="x", changes={ENTRY: entry("nina", "maintainer")})
    actions.push(made.world, bot, made.team, "by-bot", draft)
    opening = MergeRequestDraft(title="x", source_branch="by-bot", target_branch="main")
    mr = actions.open_merge_request(made.world, bot, made.team, opening)
    with Server(made.world) as server:
        outcome = run_on(server, mr, gate=CHECK)
    assert "must not be author" in outcome.problems[0]


def test_without_a_gate_only_the_comment_is_written(made: NominationWorld, server: Server) -> None:
    run_on(server, made.nomination, gate=GateKind.NONE)
    assert made.statuses() == []
    assert made.nomination.check_answers == []
    assert one_note(made)
    settled(made, server, gate=GateKind.NONE)


# --- forks and branches -------------------------------------------------------------------


def open_from_fork(made: NominationWorld) -> MergeRequest:
    nina = made.user("nina")
    fork = actions.fork_project(made.world, nina, made.team)
    draft = CommitDraft(message="x", changes={ENTRY: entry("nina", "maintainer")})
    actions.push(made.world, nina, fork, "from-fork", draft)
    opening = MergeRequestDraft(
        title="x", source_branch="from-fork", target_branch="main", source_project=fork
    )
    return actions.open_merge_request(made.world, nina, made.team, opening)


def test_a_fork_is_evaluated_and_says_that_its_gate_cannot_be_set(
    made: NominationWorld, server: Server
) -> None:
    mr = open_from_fork(made)
    outcome = run_on(server, mr)
    assert "the changes come from a fork" in one_note(made, mr)
    assert (outcome.gate, outcome.problems) == ("failed", [])
    assert made.statuses() == []
    before = len(made.writes())
    run_on(server, mr)
    assert len(made.writes()) == before


def test_a_fork_with_a_pipeline_here_gets_its_gate(made: NominationWorld, server: Server) -> None:
    mr = open_from_fork(made)
    assert mr.source_project is not None
    start = Start(
        project=mr.source_project,
        user=made.user("olga"),
        sha=mr.head_sha or "",
        ref=f"refs/merge-requests/{mr.iid}/head",
        source="merge_request_event",
        merge_request=mr,
    )
    actions.create_pipeline(made.world, start)
    outcome = run_on(server, mr)
    assert "a member of this project can run one here" in outcome.problems[0]
    assert TROUBLE in one_note(made, mr)


def test_of_more_reviews_than_are_listed_it_is_said_that_there_may_be_others() -> None:
    made = make_world(reviewed=40)
    with Server(made.world) as server:
        body = run_on(server, made.nomination).body
    assert "| ✓&nbsp;met | 30+ | 5 |" in body
    assert "- and at least 25 more" in body


def test_reviews_that_are_too_far_back_are_settled_by_newer_ones() -> None:
    made = make_world(reviewed=2)
    ask_only(made, 40)
    with Server(made.world) as server:
        outcome = run_on(server, made.nomination)
    assert outcome.gate == "pending"
    assert "than were examined. Newer reviews come first and settle it, or" in outcome.body


def test_who_is_ready_without_a_gate_is_told_what_comes_first(
    made: NominationWorld, server: Server
) -> None:
    server.fault(Fault(route="POST */statuses/{sha}", kind=Kind.FORBIDDEN))
    run_on(server, made.nomination)
    step = next(line for line in one_note(made).splitlines() if line.startswith("**Next step"))
    assert step.endswith("as said below, then a maintainer of `ai-gateway` reviews and merges it.")


def ask_only(made: NominationWorld, count: int) -> None:
    """Have so many merge requests merged of which the nominee was asked for a review in vain."""
    iids = made.gateway.merge_requests
    old = next(mr for mr in iids.values() if mr.find_reviewer(made.user("nina")))
    for number in range(count):
        asked = Reviewer(user=made.user("nina"), created_at=old.created_at)
        at = (old.merged_at or old.created_at) + timedelta(days=1, minutes=number)
        mr = replace(old, iid=1000 + number, id=1000 + number, approvals={}, notes=[], merged_at=at)
        mr.reviewers = [asked]
        iids[mr.iid] = mr


def test_a_fork_gets_its_gate_by_what_the_comment_advises(
    made: NominationWorld, server: Server
) -> None:
    mr = open_from_fork(made)
    run_on(server, mr)
    note = one_note(made, mr)
    assert "a member of this project runs a pipeline here, on the Pipelines tab" in note
    assert "When that is mended, comment `/nomination recheck`." in note
    pipeline = run_again(made.world, made.user("max"), mr)
    outcome = run_on(server, mr)
    assert outcome.problems == []
    assert TROUBLE not in one_note(made, mr)
    assert [job.status for job in made.statuses() if job.pipeline is pipeline] == ["failed"]


def test_a_fork_can_be_gated_by_a_status_check(made: NominationWorld, server: Server) -> None:
    add_check(made)
    mr = open_from_fork(made)
    run_on(server, mr, gate=CHECK)
    assert check_answers(mr) == [("failed", mr.head_sha)]


def test_a_family_in_a_title_is_shown_as_one(made: NominationWorld, server: Server) -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    made.gateway.merge_requests[6].title = f"For the {family} and a\u200db"
    assert f"`For the {family} and a\\u200db`" in run_on(server, made.nomination).body


def test_a_deleted_source_branch_changes_nothing(made: NominationWorld, server: Server) -> None:
    actions.delete_branch(made.world, made.user("nina"), made.team, "nominate-nina")
    outcome = run_on(server, made.nomination)
    assert (outcome.gate, len(made.own_notes())) == ("passed", 1)


def test_a_role_that_came_to_the_target_meanwhile_nominates_nobody(
    made: NominationWorld, server: Server
) -> None:
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    run_on(server, made.nomination)
    assert gates(made)[-1][0] == "failed"
    made.push({ENTRY: entry("nina", "maintainer")}, branch="main", by="olga")
    run_on(server, made.nomination)
    assert "nominates nobody" in one_note(made)
    assert gates(made)[-1][0] == "success"
    settled(made, server)


def test_a_gate_is_opened_again_though_the_comment_is_gone(
    made: NominationWorld, server: Server
) -> None:
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    run_on(server, made.nomination)
    (note,) = made.own_notes()
    actions.delete_note(made.world, made.user("olga"), made.nomination, note)
    made.push({ENTRY: entry("nina", "maintainer")}, branch="main", by="olga")
    run_on(server, made.nomination)
    assert made.own_notes() == []
    assert gates(made)[-1][0] == "success"
    settled(made, server)


def test_a_role_on_another_target_branch_is_judged_there(
    made: NominationWorld, server: Server
) -> None:
    made.push({ENTRY: entry("nina", "maintainer")}, branch="other", by="olga")
    update = MergeRequestUpdate(target_branch="other")
    actions.update_merge_request(made.world, made.user("nina"), made.nomination, update)
    assert run_on(server, made.nomination).evaluation.report is None


# --- what is said and when ----------------------------------------------------------------


def test_a_near_miss_alone_gets_a_short_comment(made: NominationWorld, server: Server) -> None:
    wrong = entry("nina").decode() + "projects:\n  ai_gateway: maintainer\n"
    mr = made.open({ENTRY: wrong.encode()}, branch="near")
    outcome = run_on(server, mr)
    note = one_note(made, mr)
    assert "nominates nobody, but it looks as if it was meant to" in note
    assert "Remarks" in note
    assert len(note) < 1500
    assert outcome.gate == "passed"
    before = len(made.writes())
    run_on(server, mr)
    assert len(made.writes()) == before


def test_what_cannot_be_read_keeps_the_gate_shut(made: NominationWorld, server: Server) -> None:
    mr = made.open({ENTRY: b"projects: [ai-gateway\n"}, branch="broken")
    outcome = run_on(server, mr)
    assert outcome.gate == "pending"
    assert "not known whether" in one_note(made, mr)


def test_a_nomination_that_is_withdrawn_is_said_to_be_none(
    made: NominationWorld, server: Server
) -> None:
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    run_on(server, made.nomination)
    made.push({ENTRY: entry("nina", "trainee_maintainer")}, branch="nominate-nina")
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "passed"
    assert "nominates nobody" in one_note(made)
    assert [sha for state, sha in gates(made) if state == "failed"] != [made.nomination.head_sha]


def test_a_draft_is_evaluated_and_told_what_is_next(made: NominationWorld, server: Server) -> None:
    update = MergeRequestUpdate(title="Draft: Nina")
    actions.update_merge_request(made.world, made.user("nina"), made.nomination, update)
    assert run_on(server, made.nomination).gate == "passed"
    assert "marks this merge request as ready" in one_note(made)


def test_nobody_is_told_about_what_was_closed_before(made: NominationWorld, server: Server) -> None:
    actions.close(made.world, made.user("nina"), made.nomination)
    assert run_on(server, made.nomination).evaluation.report is None
    made.say("/nomination recheck")
    run_on(server, made.nomination)
    assert "Closed" in one_note(made)
    assert made.statuses() == []


def test_a_closed_nomination_rests_until_it_is_reopened(
    made: NominationWorld, server: Server
) -> None:
    run_on(server, made.nomination)
    actions.close(made.world, made.user("nina"), made.nomination)
    run_on(server, made.nomination)
    assert "Closed" in one_note(made)
    settled(made, server)
    actions.reopen(made.world, made.user("nina"), made.nomination)
    run_on(server, made.nomination)
    assert "Closed" not in one_note(made)


def test_a_merge_request_that_is_just_being_merged_is_left_alone(
    made: NominationWorld, server: Server
) -> None:
    made.nomination.state = "locked"
    outcome = run_on(server, made.nomination)
    assert "The gate" not in one_note(made)
    assert made.statuses() == []
    assert outcome.problems == []


def finish(made: NominationWorld) -> None:
    """Take every follow-up step."""
    member = Member(user=made.user("nina"), level=Level.DEVELOPER, created_at=made.world.now)
    made.group.members[member.user.id] = member
    olga = made.user("olga")
    for project, path in ((made.gateway, "renovate.json"), (made.provisioner, "inventory.json")):
        commit = project.repository.find_commit("main")
        assert commit is not None
        old = project.repository.store.blobs[commit.tree[path].sha]
        draft = CommitDraft(message="x", changes={path: old.replace(b'"max"', b'"max", "nina"')})
        actions.push(made.world, olga, project, "main", draft)


def test_after_the_merge_the_comment_tracks_the_steps(
    made: NominationWorld, server: Server
) -> None:
    run_on(server, made.nomination)
    made.merge()
    statuses = len(made.statuses())
    run_on(server, made.nomination)
    before = one_note(made)
    finish(made)
    run_on(server, made.nomination)
    assert one_note(made) != before
    assert len(made.statuses()) == statuses
    outcome = settled(made, server)
    assert all(assessment.done for assessment in outcome.evaluation.findings.assessments)


def test_several_people_share_one_comment_and_one_gate(
    made: NominationWorld, server: Server
) -> None:
    made.push({f"{FOLDER}/d/dora.yml": entry("dora", "reviewer")}, branch="main", by="olga")
    both = {
        ENTRY: entry("nina", "maintainer"),
        f"{FOLDER}/d/dora.yml": entry("dora", "maintainer"),
    }
    mr = made.open(both, branch="both", assignees=(made.user("mia"), made.user("max")))
    outcome = run_on(server, mr)
    assert outcome.gate == "failed"
    note = one_note(made, mr)
    assert "`@nina`" in note
    assert "`@dora`" in note
    assert len([job for job in made.statuses() if job.sha == mr.head_sha]) == 1


def test_the_policy_of_the_opening_day_is_the_one_that_counts(
    made: NominationWorld, server: Server
) -> None:
    (shipped,) = load_policies(None)
    newer = replace(shipped, version="2026-01-07", in_force_from=date(2026, 1, 7))
    outcome = run_on(server, made.nomination, policies=(shipped, newer))
    (assessment,) = outcome.evaluation.findings.assessments
    assert (assessment.policy, assessment.newer_policy) == (shipped, newer)
    assert "2026-01-07" in one_note(made)
    made.world.tick(3 * 86_400)
    later = made.open({ENTRY: entry("nina", "maintainer"), "x": b"x"}, branch="later")
    found = run_on(server, later, policies=(shipped, newer)).evaluation.findings.assessments
    assert found[0].policy == newer


# --- the comment's own fate ---------------------------------------------------------------


def test_a_comment_that_somebody_changed_is_put_right(
    made: NominationWorld, server: Server
) -> None:
    run_on(server, made.nomination)
    (note,) = made.own_notes()
    right = note.body
    actions.edit_note(made.world, made.user("olga"), made.nomination, note, "All is well, merge!")
    run_on(server, made.nomination)
    assert (one_note(made), len(made.nomination.comments)) == (right, 1)


def test_a_comment_that_somebody_deleted_is_written_again(
    made: NominationWorld, server: Server
) -> None:
    run_on(server, made.nomination)
    actions.delete_note(made.world, made.user("olga"), made.nomination, made.own_notes()[0])
    run_on(server, made.nomination)
    assert one_note(made)
    settled(made, server)


def test_a_marker_of_somebody_else_is_not_the_bots(made: NominationWorld, server: Server) -> None:
    forged = made.say(f"{MARKER}\nReady!", by="nina")
    run_on(server, made.nomination)
    assert forged.body.endswith("Ready!")
    assert [note.author.username for note in made.own_notes()] == ["nina", "nomination-bot"]
    settled(made, server)


def test_of_doubled_comments_the_oldest_stays(made: NominationWorld, server: Server) -> None:
    run_on(server, made.nomination)
    (first,) = made.own_notes()
    made.say(first.body, by="nomination-bot")
    run_on(server, made.nomination)
    assert made.own_notes() == [first]


def test_two_first_comments_at_once_become_one(made: NominationWorld, server: Server) -> None:
    bot = made.user("nomination-bot")
    first: list[object] = []

    def doubled(event: Any) -> None:
        if event.kind == "note_created" and not first:
            first.append(event)
            draft = NoteDraft(body=f"{MARKER}\nby another process")
            actions.create_note(made.world, bot, made.nomination, draft)

    made.world.subscribers.append(doubled)
    run_on(server, made.nomination)
    assert len(made.own_notes()) == 1
    run_on(server, made.nomination)
    assert "by another process" not in one_note(made)
    settled(made, server)


def test_the_comment_of_a_former_account_is_taken_over(
    made: NominationWorld, server: Server
) -> None:
    former = add_user(made.world, "former-bot")
    level = Member(user=former, level=Level.DEVELOPER, created_at=made.world.now)
    made.team.members[former.id] = level
    made.say(f"{MARKER}\nold words", by="former-bot")
    ids = frozenset({former.id})
    run_on(server, made.nomination, former_ids=ids)
    assert [n.author.username for n in made.own_notes()] == ["former-bot", "nomination-bot"]
    settled(made, server, former_ids=ids)


# --- commands -----------------------------------------------------------------------------


def test_a_maintainer_waives_what_is_missing(server: Server, made: NominationWorld) -> None:
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    waived = made.say("/nomination waive assigned everybody knows", by="max")
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "passed"
    assert "everybody knows" in one_note(made)
    assert len(waived.awards) == 1
    made.say("/nomination unwaive assigned", by="max")
    assert run_on(server, made.nomination).gate == "failed"
    settled(made, server)


def test_a_waiver_ends_with_its_givers_role_and_so_does_its_emoji(
    server: Server, made: NominationWorld
) -> None:
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    waived = made.say("/nomination waive assigned everybody knows", by="max")
    assert run_on(server, made.nomination).gate == "passed"
    del made.group.members[made.user("max").id]
    assert run_on(server, made.nomination).gate == "failed"
    assert awards(waived) == ["no_entry_sign"]
    settled(made, server)


@pytest.mark.parametrize("who", ["nina", "dora"])
def test_a_waiver_of_somebody_else_is_refused(
    server: Server, made: NominationWorld, who: str
) -> None:
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    made.say("/nomination waive assigned because", by=who)
    assert run_on(server, made.nomination).gate == "failed"
    settled(made, server)


def test_a_hold_shuts_the_gate_until_it_is_released(server: Server, made: NominationWorld) -> None:
    run_on(server, made.nomination)
    made.say("/nomination hold wait for the release", by="mia")
    assert run_on(server, made.nomination).gate == "failed"
    assert "On hold" in one_note(made)
    made.say("/nomination release", by="max")
    assert run_on(server, made.nomination).gate == "passed"
    assert [status for status, _ in gates(made)] == ["success"]
    settled(made, server)


def test_a_hold_counts_though_it_cannot_be_read_who_is_the_manager(
    server: Server, made: NominationWorld
) -> None:
    unclear = entry("nina", "trainee_maintainer").replace(b"mia", b"[mia]")
    made.push({ENTRY: unclear}, branch="main", by="olga")
    made.say("/nomination waive @nina assigned because", by="max")
    assert run_on(server, made.nomination).gate == "passed"
    made.say("/nomination hold wait for the release", by="mia")
    assert run_on(server, made.nomination).gate == "pending"
    assert "mia wrote the command hold, and whether they may" in one_note(made)
    made.say("/nomination release", by="max")
    assert run_on(server, made.nomination).gate == "passed"
    settled(made, server)


def test_an_edited_command_has_no_effect(server: Server, made: NominationWorld) -> None:
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    note = made.say("I look at this tomorrow", by="max")
    changed = "/nomination waive assigned because"
    actions.edit_note(made.world, made.user("olga"), made.nomination, note, changed)
    assert run_on(server, made.nomination).gate == "failed"


# --- unknown things -----------------------------------------------------------------------


def test_what_cannot_be_looked_up_is_unknown_and_shuts_the_gate(
    server: Server, made: NominationWorld
) -> None:
    made.gateway.visibility = "private"
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "pending"
    assert outcome.problems == []
    assert "could&nbsp;not&nbsp;check" in one_note(made)
    made.gateway.visibility = "public"
    assert run_on(server, made.nomination).gate == "passed"


def test_statuses_that_cannot_be_read_are_said(server: Server, made: NominationWorld) -> None:
    add_check(made)
    server.fault(Fault(route="GET */status_checks", kind=Kind.FORBIDDEN, calls=[0]))
    outcome = run_on(server, made.nomination, gate=GateKind.STATUS_CHECK)
    assert made.nomination.check_answers == []
    assert "present state of the gate could not be read" in one_note(made)
    assert "present state of the gate could not be read" in outcome.problems[0]
    assert run_on(server, made.nomination, gate=GateKind.STATUS_CHECK).problems == []
    assert made.nomination.check_answers[-1].status == "passed"


def test_statuses_that_cannot_be_read_are_not_written_for_nobody(
    server: Server, made: NominationWorld
) -> None:
    run_on(server, made.nomination)
    made.push({ENTRY: entry("nina", "trainee_maintainer")}, branch="nominate-nina")
    before = gates(made)
    server.fault(Fault(route="GET */statuses", kind=Kind.FORBIDDEN))
    outcome = run_on(server, made.nomination)
    assert "present state of the gate could not be read" in outcome.problems[0]
    assert gates(made) == before


def test_a_maintainers_group_that_is_hidden_is_unknown(
    server: Server, made: NominationWorld
) -> None:
    made.group.visibility = "private"
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "pending"
    assert "does not exist or cannot be read by the bot" in one_note(made)


def test_every_answer_failing_is_one_error_and_nothing_written(
    server: Server, made: NominationWorld
) -> None:
    server.fault(Fault(route="*", kind=Kind.ERROR_BEFORE, html=True))
    with pytest.raises(GitLabError, match="502"):
        run_on(server, made.nomination, {"deadline": 3})
    assert made.writes() == []


def test_a_merge_request_that_cannot_be_read_again_shuts_the_gate(
    server: Server, made: NominationWorld
) -> None:
    server.fault(Fault(route=f"POST {GRAPHQL}", kind=Kind.GRAPHQL_ERRORS, calls=range(2, 40)))
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "pending"
    assert "the merge request could not be read again at the end" in one_note(made)


def test_a_list_of_files_that_was_cut_shuts_the_gate(server: Server, made: NominationWorld) -> None:
    with connect(server.url) as client:
        client.fetch_merge_request(TEAM, 1)
    told: Any = made.world.requests[-1].answer
    told["data"]["project"]["mergeRequest"]["diffStatsSummary"]["fileCount"] = 2
    cut = saying(answer("200 OK", json.dumps(told).encode()))
    with raw_server(cut) as raw, connect(raw.url) as client:
        report = evaluate(TEAM, 1, make_choices(), client).report
    assert report is not None
    assert report.gate is not None
    assert report.gate.state is GateState.PENDING
    assert "GitLab did not list all changed files" in (report.body or "")


# --- the sweep ----------------------------------------------------------------------------


def sweep_now(server: Server, **limits: Any) -> tuple[list[Any], int]:
    with connect(server.url, **{"shares": (20, 20), **limits}) as client:
        looks = sweep_all(TEAM, make_choices(), client)
        return looks, client.calls


def test_the_sweep_finds_what_no_event_told(server: Server, made: NominationWorld) -> None:
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    run_on(server, made.nomination)
    made.assign()
    looks, _ = sweep_now(server)
    assert [(look.iid, look.problems) for look in looks] == [(1, ())]
    assert gates(made)[0][0] == "success"
    before = len(made.writes())
    sweep_now(server)
    assert len(made.writes()) == before


def test_the_sweep_passes_over_what_is_over(server: Server, made: NominationWorld) -> None:
    run_on(server, made.nomination)
    made.merge()
    assert len(sweep_now(server)[0]) == 1
    assert made.nomination.awards
    finish(made)
    assert len(sweep_now(server)[0]) == 1
    assert made.nomination.awards == []
    looks, calls = sweep_now(server)
    assert (looks, calls) == ([], len(SWEPT) + 1)
    assert "nina" in one_note(made)


def test_the_sweep_passes_over_withdrawn_nominations(server: Server, made: NominationWorld) -> None:
    run_on(server, made.nomination)
    made.push({ENTRY: entry("nina", "trainee_maintainer")}, branch="nominate-nina")
    sweep_now(server)
    assert made.nomination.awards == []
    assert "nominates nobody" in one_note(made)


@pytest.mark.parametrize(("calls", "failed"), [({1}, False), ({1, 6}, True)])
def test_a_failure_at_one_never_stops_the_sweep_and_is_told_when_it_comes_twice(
    server: Server, made: NominationWorld, calls: set[int], failed: bool
) -> None:
    run_on(server, made.nomination)
    other = made.open({ENTRY: entry("nina", "maintainer"), "x": b"x"}, branch="other")
    run_on(server, other)
    server.fault(Fault(route=f"POST {GRAPHQL}", kind=Kind.GRAPHQL_ERRORS, calls=calls))
    looks, _ = sweep_now(server)
    assert {look.iid for look in looks} == {made.nomination.iid, other.iid}
    assert sorted(bool(look.problems) for look in looks) == [False, failed]


def test_the_sweep_goes_on_where_what_changed_lately_is_not_told(
    server: Server, made: NominationWorld
) -> None:
    run_on(server, made.nomination)
    server.fault(Fault(route=f"POST {GRAPHQL}", kind=Kind.GRAPHQL_ERRORS, calls=[0, 1]))
    known, listing = sweep_now(server)[0]
    assert (known.iid, known.problems) == (made.nomination.iid, ())
    assert listing.iid is None
    assert "what changed lately" in listing.problems[0].what


@pytest.mark.parametrize("state", SWEPT)
def test_the_sweep_goes_on_where_what_is_marked_is_not_told(
    server: Server, made: NominationWorld, state: str
) -> None:
    run_on(server, made.nomination)
    number = SWEPT.index(state)
    both = [number, number + 1]
    server.fault(Fault(route="GET *merge_requests", kind=Kind.FORBIDDEN, calls=both))
    looks = sweep_now(server)[0]
    assert (looks[0].iid, looks[0].problems) == (made.nomination.iid, ())
    assert f"what is marked and {state} was not all listed" in looks[-1].problems[0].what


def skip_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the clock forward in place of waiting."""
    skipped, monotonic = [0.0], time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + sum(skipped))
    monkeypatch.setattr(Transport, "sleep", staticmethod(skipped.append))


def test_what_takes_all_its_time_leaves_the_others_theirs(
    server: Server, made: NominationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_on(server, made.nomination)
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    other = made.open({ENTRY: entry("nina", "maintainer"), "x": b"x"}, branch="other")
    server.fault(Fault(route=f"POST {GRAPHQL}", kind=Kind.RACK_429, seconds=10, calls=range(1, 4)))
    skip_waits(monkeypatch)
    looks, _ = sweep_now(server, deadline=22)
    # The first, which failed for that, was looked at again at the end.
    assert [bool(look.problems) for look in looks] == [False, False]
    assert {look.iid for look in looks} == {made.nomination.iid, other.iid}


def test_what_needs_many_requests_leaves_the_others_theirs(
    server: Server, made: NominationWorld
) -> None:
    for number in range(3):
        mr = made.open({ENTRY: entry("nina", "maintainer"), "x": b"x"}, branch=f"b{number}")
        run_on(server, mr)
    looks, calls = sweep_now(server, calls=WRITING + 1)
    assert len(looks) == 4
    assert 2 * len(looks) < calls <= 4 * (WRITING + 1) + 3


def test_the_sweep_tells_which_gate_cannot_be_set(server: Server, made: NominationWorld) -> None:
    mr = open_from_fork(made)
    run_on(server, mr)
    told = {look.iid: (look.problems, look.notices) for look in sweep_now(server)[0]}
    problems, (notice,) = told[mr.iid]
    assert problems == ()
    assert "the changes come from a fork" in notice


@pytest.mark.parametrize(("merged", "calls"), [(False, 5), (True, 3)])
def test_the_sweep_is_cheap_where_nothing_moved(
    server: Server, made: NominationWorld, merged: bool, calls: int
) -> None:
    run_on(server, made.nomination)
    if merged:
        made.merge()
        run_on(server, made.nomination)
    before = len(made.writes())
    looks, made_calls = sweep_now(server)
    # The two lists of marked merge requests and that of the latest are asked for once in all.
    assert (len(looks), made_calls - len(SWEPT) - 1) == (1, calls)
    assert len(made.writes()) == before


def test_a_sweep_of_five_takes_five_calls_each_and_writes_nothing_again(
    server: Server, made: NominationWorld
) -> None:
    run_on(server, made.nomination)
    for path in make_people(made, 4, "reviewer"):
        mr = made.open({path: entry(path[-8:-4], "maintainer")}, branch=path[-8:-4])
        run_on(server, mr)
    before = len(made.writes())
    looks, calls = sweep_now(server)
    assert [look.problems for look in looks] == [()] * 5
    assert calls <= len(SWEPT) + 1 + 5 * 5
    assert len(made.writes()) == before


def test_the_sweep_reads_shared_facts_once(server: Server, made: NominationWorld) -> None:
    files = make_people(made, 3, "reviewer")
    for path in files:
        name = path[-8:-4]
        mr = made.open({path: entry(name, "maintainer")}, branch=name)
        run_on(server, mr)
    _, first = sweep_now(server)
    # The lists, five calls each, and the first nomination, which is examined for the first time.
    assert first <= len(SWEPT) + 1 + 3 * 5 + 9
    asked = [str(r.body) for r in made.world.requests[-first:] if r.route == GRAPHQL]
    assert sum("renovate.json" in body for body in asked) == 1
