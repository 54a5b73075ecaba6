"""Whatever slows or ends a run, a gate is written for the head that it knew."""

import threading
import time
from typing import Any

import pytest

from bot import app
from bot.app import rounds, sweep
from bot.cli.wiring import give_up
from bot.errors import GitLabError
from bot.gitlab import Transport
from bot.publish import Problem, last_word
from bot.publish.gate import GateKind
from bot.sandbox.acts import actions
from bot.sandbox.acts.pipelines import add_job, create_pipeline
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Start
from tests.nomination_world import (
    ENTRY,
    TEAM,
    NominationWorld,
    add_check,
    connect,
    entry,
    make_choices,
    make_world,
    run_on,
)
from tests.raw_server import answer, raw_server, saying

QUERY = "POST /api/graphql"
MOVED = Fault(route="GET */statuses", kind=Kind.MOVED_HEAD)


@pytest.fixture
def made() -> NominationWorld:
    """Open a nomination that is ready."""
    return make_world()


def shown(made: NominationWorld) -> list[str]:
    return [status.status for status in made.statuses()]


def answers(made: NominationWorld) -> list[str]:
    return [answer.status for answer in made.nomination.check_answers]


def break_templates(**choices: Any) -> app.Choices:
    """Return choices whose words cannot be written: a bug in the middle of a run."""
    return make_choices(**choices, words=None)


def test_a_run_that_takes_long_says_first_that_a_verdict_is_to_come(
    made: NominationWorld, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "SLOW", 0.04)
    server.fault(Fault(route=QUERY, kind=Kind.LATENCY, seconds=0.08))
    assert run_on(server, made.nomination).gate == "passed"
    assert shown(made) == ["success"]
    (status,) = made.statuses()
    posts = [r.body for r in made.world.requests if r.path.endswith(status.sha)]
    assert [post.get("state") for post in posts if isinstance(post, dict)] == ["pending", "success"]


def test_a_run_that_takes_no_time_pays_nothing_for_that(
    made: NominationWorld, server: Server
) -> None:
    assert run_on(server, made.nomination).calls <= 9
    assert shown(made) == ["success"]


def test_a_verdict_that_stands_is_left_alone_meanwhile(
    made: NominationWorld, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_on(server, made.nomination)
    monkeypatch.setattr(rounds, "SLOW", 0.04)
    server.fault(Fault(route=QUERY, kind=Kind.LATENCY, seconds=0.08))
    run_on(server, made.nomination)
    assert shown(made) == ["success"]


@pytest.mark.parametrize("before", [False, True])
def test_a_bug_shuts_the_gate_whatever_stood_there(
    made: NominationWorld, server: Server, *, before: bool
) -> None:
    if before:
        run_on(server, made.nomination)
    with connect(server.url) as client, pytest.raises(AttributeError):
        sweep.run(TEAM, 1, break_templates(), client)
    assert shown(made)[-1] == "pending"
    assert made.statuses()[-1].description == last_word.BROKEN_OFF
    run_on(server, made.nomination)
    assert shown(made)[-1] == "success"


def test_what_is_shut_already_stays_as_it_is(made: NominationWorld, server: Server) -> None:
    made.say("/nomination hold not yet")
    run_on(server, made.nomination)
    with connect(server.url) as client, pytest.raises(AttributeError):
        sweep.run(TEAM, 1, break_templates(), client)
    assert shown(made) == ["failed"]


def test_it_is_shut_without_a_look_where_that_fails(made: NominationWorld, server: Server) -> None:
    run_on(server, made.nomination)
    server.fault(Fault(route="GET */statuses", kind=Kind.FORBIDDEN))
    with connect(server.url) as client, pytest.raises(AttributeError):
        sweep.run(TEAM, 1, break_templates(), client)
    assert shown(made)[-1] == "pending"


@pytest.mark.parametrize("kind", [Kind.FORBIDDEN, Kind.EMPTY_BODY])
def test_a_success_of_old_goes_though_it_cannot_be_read(
    made: NominationWorld, server: Server, kind: Kind
) -> None:
    run_on(server, made.nomination)
    made.say("/nomination hold not yet")
    server.fault(Fault(route="GET */statuses", kind=kind))
    assert run_on(server, made.nomination).problems == []
    assert shown(made)[-1] == "failed"


def test_an_answer_of_old_that_was_cut_off_its_list_is_looked_for_once_more(
    made: NominationWorld, server: Server
) -> None:
    add_check(made)
    run_on(server, made.nomination, gate=GateKind.STATUS_CHECK)
    made.say("/nomination hold not yet")
    server.fault(Fault(route="GET */status_checks", kind=Kind.TRUNCATED_PAGE, calls=[0]))
    run_on(server, made.nomination, gate=GateKind.STATUS_CHECK)
    assert answers(made) == ["passed", "pending"]


def test_an_answer_of_old_is_looked_for_once_more(made: NominationWorld, server: Server) -> None:
    add_check(made)
    run_on(server, made.nomination, gate=GateKind.STATUS_CHECK)
    made.say("/nomination hold not yet")
    server.fault(Fault(route="GET */status_checks", kind=Kind.FORBIDDEN, calls=[0]))
    outcome = run_on(server, made.nomination, gate=GateKind.STATUS_CHECK)
    assert "could not be read" in outcome.problems[0]
    assert answers(made) == ["passed", "pending"]


def test_a_merge_request_that_is_read_beside_hides_no_head(
    made: NominationWorld, server: Server
) -> None:
    run_on(server, made.nomination)
    nina = made.user("nina")
    actions.close(made.world, nina, made.nomination)
    draft = actions.MergeRequestDraft(
        title="Again", source_branch="nominate-nina", target_branch="main"
    )
    again = actions.open_merge_request(made.world, nina, made.team, draft)
    with connect(server.url) as client, pytest.raises(AttributeError):
        sweep.run(TEAM, again.iid, break_templates(), client)
    assert shown(made)[-1] == "pending"


def test_a_failure_to_shut_it_does_not_hide_the_trouble(
    made: NominationWorld, server: Server
) -> None:
    server.fault(Fault(route="POST */statuses/{sha}", kind=Kind.FORBIDDEN))
    with connect(server.url) as client, pytest.raises(AttributeError):
        sweep.run(TEAM, 1, break_templates(), client)
    assert shown(made) == []


def test_a_comment_that_cannot_be_paged_leaves_a_gate_behind(
    made: NominationWorld, server: Server
) -> None:
    for number in range(120):
        made.say(f"comment {number}")
    server.fault(Fault(route=QUERY, kind=Kind.FORBIDDEN, calls={1}))
    with connect(server.url) as client, pytest.raises(GitLabError):
        sweep.run(TEAM, 1, make_choices(), client)
    assert shown(made) == ["pending"]


@pytest.mark.parametrize("path", ["README.md", "data/other/x.txt"])
def test_a_merge_request_without_entries_gets_no_gate(
    made: NominationWorld, server: Server, path: str
) -> None:
    other = made.open({path: b"text\n"}, branch="other")
    made.say("/nomination recheck", mr=other)
    with connect(server.url) as client, pytest.raises(AttributeError):
        sweep.run(TEAM, other.iid, break_templates(), client)
    assert shown(made) == []


def test_gate_none_and_other_branches_are_left_alone(made: NominationWorld, server: Server) -> None:
    with connect(server.url) as client, pytest.raises(AttributeError):
        sweep.run(TEAM, 1, break_templates(gate=GateKind.NONE), client)
    assert shown(made) == []


def test_a_fork_gets_no_status(made: NominationWorld, server: Server) -> None:
    nina = made.user("nina")
    fork = actions.fork_project(made.world, nina, made.team)
    files = {ENTRY: entry("nina", "maintainer")}
    actions.push(made.world, nina, fork, "mine", actions.CommitDraft(message="x", changes=files))
    draft = actions.MergeRequestDraft(
        title="x", source_branch="mine", target_branch="main", source_project=fork
    )
    mr = actions.open_merge_request(made.world, nina, made.team, draft)
    with connect(server.url) as client, pytest.raises(AttributeError):
        sweep.run(TEAM, mr.iid, break_templates(), client)
    assert shown(made) == []


@pytest.mark.parametrize("before", [False, True])
def test_a_status_check_is_shut_likewise(
    made: NominationWorld, server: Server, *, before: bool
) -> None:
    add_check(made)
    if before:
        run_on(server, made.nomination, gate=GateKind.STATUS_CHECK)
        assert answers(made) == ["passed"]
    with connect(server.url) as client, pytest.raises(AttributeError):
        sweep.run(TEAM, 1, break_templates(gate=GateKind.STATUS_CHECK), client)
    # What nobody has answered is pending already, and fails by itself.
    assert answers(made) == (["passed", "pending"] if before else [])


@pytest.mark.parametrize("kind", [Kind.FORBIDDEN, None])
def test_a_check_that_cannot_be_found_is_left_to_fail(
    made: NominationWorld, server: Server, kind: Kind | None
) -> None:
    made.team.settings.tier = "ultimate"
    if kind:
        add_check(made)
        server.fault(Fault(route="GET */status_checks", kind=kind))
    with connect(server.url) as client, pytest.raises(AttributeError):
        sweep.run(TEAM, 1, break_templates(gate=GateKind.STATUS_CHECK), client)
    assert answers(made) == []


def test_a_head_that_never_stands_still_is_left_shut(made: NominationWorld, server: Server) -> None:
    server.fault(MOVED)
    with connect(server.url) as client, pytest.raises(GitLabError, match="moved"):
        sweep.run(TEAM, 1, make_choices(), client)
    assert shown(made)[-1:] == ["pending"]


def test_a_verdict_that_was_late_is_looked_at_again(
    made: NominationWorld, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "LATE", 0.1)
    server.fault(Fault(route="POST */statuses/{sha}", kind=Kind.LATENCY, seconds=0.15, calls={0}))

    def interfere() -> None:
        made.say("/nomination hold not yet")

    timer = threading.Timer(0.0, interfere)
    original = rounds.publish

    def publish(*given: Any) -> list[Problem]:
        if not timer.is_alive() and not made.own_notes():
            timer.start()
        return original(*given)

    monkeypatch.setattr(rounds, "publish", publish)
    outcome = run_on(server, made.nomination)
    timer.join()
    assert outcome.gate == "failed"
    assert shown(made)[-1] == "failed"


def test_whoever_is_ended_writes_first_what_is_owed(made: NominationWorld, server: Server) -> None:
    run_on(server, made.nomination)
    choices = make_choices()
    with connect(server.url, deadline=0.5) as client:

        def shut(hurried: bool) -> None:
            assert hurried
            last_word.shut_gate(
                client, choices.gate, choices.rules.globs, finally_=True, hurried=hurried
            )

        client.owe(shut)
        client.fetch_merge_request(TEAM, 1)
        codes: list[int] = []
        give_up(codes.append, lambda: client.pay(3))
        assert codes == [1]
        assert shown(made)[-1] == "pending"
        client.owe(None)
        client.pay()


def test_before_the_head_is_known_nothing_is_owed(made: NominationWorld, server: Server) -> None:
    made.nomination.unprepared_reads = 99
    with connect(server.url, deadline=1) as client, pytest.raises(GitLabError):
        sweep.run(TEAM, 1, make_choices(), client)
    assert shown(made) == []


def test_a_pipeline_that_is_still_to_come_is_waited_for(
    made: NominationWorld, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Transport, "sleep", staticmethod(time.sleep))  # noqa: TID251  as the door does
    monkeypatch.setattr(rounds, "PIPELINE_WAITS", (0.1, 0.2, 0.4))
    made.team.settings.pipelines_must_succeed = True
    made.push({ENTRY: entry("nina", "maintainer backend")}, branch="nominate-nina")

    def start() -> None:
        world, mr = made.world, made.nomination
        with world.lock:
            pipeline = Start(
                project=made.team,
                user=mr.author,
                sha=mr.head_sha or "",
                ref=f"refs/merge-requests/{mr.iid}/head",
                source="merge_request_event",
                merge_request=mr,
            )
            add_job(world, create_pipeline(world, pipeline), "x", "success")

    timer = threading.Timer(0.05, start)
    timer.start()
    run_on(server, made.nomination)
    (pipeline,) = made.team.pipelines
    assert [job.name for job in pipeline.jobs] == ["x", "nomination-bot"]


def test_a_pipeline_that_does_not_come_is_not_waited_for_long(
    made: NominationWorld, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "PIPELINE_WAITS", (0.01, 0.01))
    made.team.settings.pipelines_must_succeed = True
    made.push({ENTRY: entry("nina", "maintainer backend")}, branch="nominate-nina")
    calls = run_on(server, made.nomination).calls
    assert shown(made) == ["success"]
    made.world.tick(120)
    assert run_on(server, made.nomination).calls < calls


def test_no_pipeline_is_waited_for_after_the_deadline(
    made: NominationWorld, server: Server
) -> None:
    made.team.settings.pipelines_must_succeed = True
    made.push({ENTRY: entry("nina", "maintainer backend")}, branch="nominate-nina")
    began = time.monotonic()
    with connect(server.url, deadline=0.9) as client:
        rounds.evaluate(TEAM, 1, make_choices(), client)
    assert time.monotonic() - began < 2


def test_an_answer_of_another_shape_tells_no_head() -> None:
    body = b'{"data": {"currentUser": {}, "project": {"mergeRequest": {"iid": "1"}}}}'
    with (
        raw_server(saying(answer("200 OK", body))) as raw,
        connect(raw.url) as client,
        pytest.raises(GitLabError, match="did not list the comments"),
    ):
        sweep.run(TEAM, 1, make_choices(), client)
    assert len(raw.requests) == 1
