"""Lists that GitLab gives in pages: what is not on the first page counts, or is called cut."""

import pytest

from bot.errors import GitLabError
from bot.evidence import StatusesOf
from bot.gitlab.merge_requests import EMOJI_LISTS, EMOJI_PAGES, PEOPLE_PAGES
from bot.publish.gate import GateKind
from bot.sandbox.acts import actions
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Award, MergeRequest, Note, Reviewer
from tests.nomination_world import (
    STATUS,
    TEAM,
    NominationWorld,
    add_check,
    add_user,
    connect,
    make_world,
    run_on,
)

MANY = 130  # more than GitLab's largest page


@pytest.fixture
def made() -> NominationWorld:
    """Open a nomination that is ready."""
    return make_world()


def put_emoji(made: NominationWorld, target: Note | MergeRequest, count: int) -> None:
    """Let one person react with so many emoji, before anybody else does."""
    max_ = made.user("max")
    target.awards[:0] = [
        Award(
            id=made.world.next_id("award"),
            name=f"emoji_{number}",
            user=max_,
            created_at=made.world.now,
        )
        for number in range(count)
    ]


def push_others_first(made: NominationWorld, count: int = MANY) -> None:
    """Put strangers before everybody who is assigned, reviews, or has approved."""
    people = [add_user(made.world, f"z{number:04}") for number in range(count)]
    mr = made.nomination
    mr.assignees[:0] = people
    mr.reviewers[:0] = [Reviewer(user=each, created_at=made.world.now) for each in people]


def test_whoever_is_assigned_beyond_the_first_page_is_assigned(
    made: NominationWorld, server: Server
) -> None:
    push_others_first(made)
    outcome = run_on(server, made.nomination)
    assert (outcome.gate, outcome.problems) == ("passed", [])
    before = len(made.writes())
    assert run_on(server, made.nomination).gate == "passed"
    assert len(made.writes()) == before


def test_people_are_read_to_the_end_of_each_list(made: NominationWorld, server: Server) -> None:
    push_others_first(made)
    with connect(server.url) as client:
        found = client.fetch_merge_request(TEAM, made.nomination.iid)
    assert {"mia", "max"} <= {person.username for person in found.assignees}
    assert (len(found.assignees), len(found.reviewers)) == (MANY + 2, MANY)


def test_a_list_of_people_without_an_end_is_an_error(made: NominationWorld, server: Server) -> None:
    push_others_first(made, (PEOPLE_PAGES + 1) * 100 + 1)
    with connect(server.url) as client, pytest.raises(GitLabError, match="more assignees"):
        client.fetch_merge_request(TEAM, made.nomination.iid)


@pytest.mark.sample(1)
@pytest.mark.parametrize("count", [0, 25, MANY])
def test_a_command_is_answered_once_whatever_others_put_on_it(
    made: NominationWorld, server: Server, count: int
) -> None:
    note = made.say("/nomination hold not yet")
    put_emoji(made, note, count)
    put_emoji(made, made.nomination, count)
    run_on(server, made.nomination)
    assert [a.name for a in note.awards if a.user.bot] == ["white_check_mark"]
    before = len(made.writes())
    run_on(server, made.nomination)
    assert len(made.writes()) == before
    note.body = "never mind"
    run_on(server, made.nomination)
    assert [a.name for a in note.awards if a.user.bot] == []


def test_an_answer_that_cannot_be_seen_is_not_given_again_and_again(
    made: NominationWorld, server: Server
) -> None:
    notes = [made.say("/nomination hold not yet") for _ in range(EMOJI_LISTS + 2)]
    for note in notes:
        put_emoji(made, note, EMOJI_PAGES * 100 + 1)
    run_on(server, made.nomination)
    outcome = run_on(server, made.nomination)
    assert (outcome.gate, outcome.problems) == ("failed", [])
    assert not any(a.user.bot for note in notes for a in note.awards)
    assert outcome.calls <= 5 + EMOJI_LISTS * EMOJI_PAGES


def test_emoji_that_cannot_be_read_stop_nothing(made: NominationWorld, server: Server) -> None:
    put_emoji(made, made.say("/nomination hold not yet"), MANY)
    server.fault(Fault(route="GET */award_emoji", kind=Kind.FORBIDDEN))
    assert run_on(server, made.nomination).gate == "failed"


@pytest.mark.parametrize("others", [19, 20, 25, MANY])
def test_a_check_beyond_the_first_page_is_answered(
    made: NominationWorld, server: Server, others: int
) -> None:
    for number in range(others):
        add_check(made, f"check {number}")
    add_check(made)
    outcome = run_on(server, made.nomination, gate=GateKind.STATUS_CHECK)
    assert (outcome.gate, outcome.problems) == ("passed", [])
    assert made.nomination.check_answers[-1].status == "passed"


def test_statuses_of_all_pipelines_are_read(made: NominationWorld, server: Server) -> None:
    sha, olga = made.nomination.head_sha or "", made.user("olga")
    for number in range(MANY):
        draft = actions.StatusDraft(state="success", name=STATUS, ref=f"branch-{number}")
        made.team.repository.branches[f"branch-{number}"] = sha
        actions.set_commit_status(made.world, olga, made.team, sha, draft)
    with connect(server.url) as client:
        need = StatusesOf(made.team.id, sha, STATUS)
        found = client.fetch_facts({need})[need]
    assert isinstance(found, tuple)
    assert len(found) == len(made.statuses())
