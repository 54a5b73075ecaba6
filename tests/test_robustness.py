"""What stands between the bot and GitLab: edges, copies that lag, other addresses, terminals."""

import json
from pathlib import Path

import pytest

from bot.errors import GitLabError
from bot.gitlab import Transport
from bot.gitlab.merge_requests import LAG_WAITS
from bot.publish.gate import GateKind
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from tests.builders import TROUBLE
from tests.event_bodies import make_merge_request_body
from tests.nomination_world import (
    GRAPHQL,
    TEAM,
    NominationWorld,
    add_check,
    connect,
    make_world,
    run_on,
    settings,
)
from tests.processes import run_bot, run_here, write_payload
from tests.raw_server import answer, raw_server, saying

QUERY = f"POST {GRAPHQL}"
WRITES = {
    "status": "POST */statuses/*",
    "comment": "POST */notes",
    "check": "POST */status_check_responses",
}


@pytest.fixture
def made() -> NominationWorld:
    """Open a nomination that is ready."""
    return make_world()


@pytest.mark.sample(4)
@pytest.mark.parametrize("status", range(520, 531))
def test_an_edge_that_fails_in_passing_changes_nothing(
    made: NominationWorld, server: Server, status: int
) -> None:
    server.fault(Fault(route=QUERY, kind=Kind.ERROR_BEFORE, status=status, calls=[0, 2]))
    server.fault(Fault(route="GET *", kind=Kind.ERROR_AFTER, status=status, calls=[0]))
    outcome = run_on(server, made.nomination)
    assert (outcome.gate, outcome.problems) == ("passed", [])


@pytest.mark.sample(3)
@pytest.mark.parametrize("kind", [Kind.ERROR_AFTER, Kind.CUT_AFTER, Kind.EMPTY_BODY])
@pytest.mark.parametrize("what", WRITES)
@pytest.mark.parametrize("status", [502, 520, 524])
def test_a_write_that_landed_all_the_same_is_made_once_and_no_trouble_is_told(
    made: NominationWorld, server: Server, kind: Kind, what: str, status: int
) -> None:
    gate = GateKind.STATUS_CHECK if what == "check" else GateKind.COMMIT_STATUS
    if what == "check":
        add_check(made)
    server.fault(Fault(route=WRITES[what], kind=kind, status=status, calls=[0]))
    outcome = run_on(server, made.nomination, gate=gate)
    (note,) = made.own_notes()
    assert outcome.problems == []
    assert TROUBLE not in note.body
    if what != "check":
        assert [status.status for status in made.statuses()] == ["success"]
    before = len(made.writes())
    run_on(server, made.nomination, gate=gate)
    assert len(made.writes()) == before


@pytest.mark.parametrize("what", ["status", "comment"])
def test_a_write_that_was_lost_is_made_again(
    made: NominationWorld, server: Server, what: str
) -> None:
    server.fault(Fault(route=WRITES[what], kind=Kind.ERROR_BEFORE, status=522, calls=[0]))
    assert run_on(server, made.nomination).problems == []
    assert [status.status for status in made.statuses()] == ["success"]
    assert len(made.own_notes()) == 1


@pytest.mark.parametrize("what", ["status", "comment"])
def test_a_write_that_landed_at_the_last_try_is_no_trouble(
    made: NominationWorld, server: Server, what: str
) -> None:
    server.fault(Fault(route=WRITES[what], kind=Kind.ERROR_BEFORE, status=522, calls=[0, 1]))
    server.fault(Fault(route=WRITES[what], kind=Kind.ERROR_AFTER, status=524, calls=[2]))
    assert run_on(server, made.nomination).problems == []
    assert [status.status for status in made.statuses()] == ["success"]
    (note,) = made.own_notes()
    assert TROUBLE not in note.body


@pytest.mark.parametrize("what", ["status", "comment"])
def test_an_edge_that_fails_at_writing_for_a_while_is_waited_for(
    made: NominationWorld, server: Server, what: str
) -> None:
    server.fault(Fault(route=WRITES[what], kind=Kind.ERROR_BEFORE, status=520, calls=range(5)))
    outcome = run_on(server, made.nomination, limits={"deadline": 120})
    assert (outcome.gate, outcome.problems) == ("passed", [])
    assert [job.status for job in made.statuses()] == ["success"]
    assert len(made.own_notes()) == 1


@pytest.mark.parametrize("what", ["status", "comment"])
def test_a_write_that_never_lands_is_told(made: NominationWorld, server: Server, what: str) -> None:
    server.fault(Fault(route=WRITES[what], kind=Kind.ERROR_BEFORE, status=522))
    (problem,) = run_on(server, made.nomination).problems
    assert "not known whether it was done" in problem


# --- copies that lag ----------------------------------------------------------------------


def test_what_is_not_there_yet_is_asked_for_again(made: NominationWorld) -> None:
    with Server(made.world) as server, connect(server.url) as client:
        client.fetch_merge_request(TEAM, 1)
        told = json.dumps(made.world.requests[-1].answer).encode()
        whole = json.loads(told)
        whole["data"]["project"]["mergeRequest"] = None
        late = answer("200 OK", json.dumps(whole).encode())
        with raw_server(saying(late, late, answer("200 OK", told))) as raw:
            with connect(raw.url) as lagging:
                assert lagging.fetch_merge_request(TEAM, 1).iid == 1
            assert len(raw.requests) == 3


def test_what_does_not_exist_is_told_after_a_few_seconds(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(Transport, "sleep", staticmethod(slept.append))
    with connect(server.url) as client:
        with pytest.raises(GitLabError, match="does not exist or the token cannot read"):
            client.fetch_merge_request(TEAM, 99)
        assert client.calls == 1 + len(LAG_WAITS)
    assert slept == list(LAG_WAITS)


def test_a_project_that_cannot_be_read_is_told_at_once(server: Server) -> None:
    with connect(server.url) as client:
        with pytest.raises(GitLabError, match="does not exist or the token cannot read"):
            client.fetch_merge_request("group/none", 1)
        assert client.calls == 2


# --- a team project that moved ------------------------------------------------------------

MOVED = answer(
    "301 Moved Permanently", b"", "Location: https://gitlab.example.com/api/v4/projects/7001"
)


def event_of(path: str, tmp_path: Path) -> str:
    body = make_merge_request_body("open")
    body["project"]["path_with_namespace"] = path
    return str(write_payload(tmp_path, body))


@pytest.mark.parametrize("path", ["elsewhere/www-gitlab-com", "gitlab-com/renamed"])
def test_an_event_of_a_project_that_moved_says_so(path: str, tmp_path: Path) -> None:
    with raw_server(saying(MOVED)) as raw:
        done = run_here("run", TRIGGER_PAYLOAD=event_of(path, tmp_path), **settings(raw.url))
    assert done.returncode == 1
    assert "mend the path of a project that has moved" in done.stderr


def test_an_event_of_a_neighbour_is_none_of_ours(server: Server, tmp_path: Path) -> None:
    payload = event_of("gitlab-com/other", tmp_path)
    done = run_here("run", TRIGGER_PAYLOAD=payload, **settings(server.url))
    assert (done.returncode, done.stderr) == (0, "")
    assert "another project" in done.stdout


def test_an_event_of_a_stranger_makes_no_connection(tmp_path: Path) -> None:
    payload = event_of("some/thing", tmp_path)
    with raw_server(saying(MOVED)) as raw:
        done = run_here("run", TRIGGER_PAYLOAD=payload, **settings(raw.url))
        assert raw.requests == []
    assert done.returncode == 0


def test_a_query_about_a_project_that_moved_says_so() -> None:
    me = {"currentUser": {"id": "gid://gitlab/User/1", "username": "b", "bot": True}}
    gone = answer("200 OK", json.dumps({"data": {**me, "project": None}}).encode())
    with (
        raw_server(saying(gone, MOVED)) as raw,
        connect(raw.url) as client,
        pytest.raises(GitLabError, match="has moved"),
    ):
        client.fetch_merge_request(TEAM, 1)


# --- addresses and terminals --------------------------------------------------------------


def test_links_for_people_use_the_address_that_gitlab_gives_itself(
    made: NominationWorld, server: Server
) -> None:
    made.world.external_url = "https://gitlab.public.example/git"
    body = run_on(server, made.nomination).body
    assert "https://gitlab.public.example/git/gitlab-org/modelops" in body
    assert server.url not in body
    assert "gitlab.example.com" not in body


@pytest.mark.sample(1)
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("arguments", [["--dry-run"], ["--json"], []])
def test_any_terminal_will_do(server: Server, encoding: str, arguments: list[str]) -> None:
    given = settings(server.url) | {"PYTHONIOENCODING": encoding}
    done = run_bot("check", f"{TEAM}!1", *arguments, **given)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    if arguments == ["--dry-run"]:
        assert "\\u2713" in done.stdout
