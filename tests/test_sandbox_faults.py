"""Misbehaviour on demand, over WSGI and over real sockets."""

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from bot.sandbox.acts import actions
from bot.sandbox.http.faults import Fault, Kind, parse_fault
from bot.sandbox.http.holding import Arrival
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import MergeRequest
from bot.sandbox.world.state import World
from tests.sandbox_client import MR, Api, give_token
from tests.sandbox_worlds import PROJECT, make_world, open_mr

NOTES = "* /api/v4/projects/{id}/merge_requests/{noteable_id}/notes"
ANY = "*"


def make_api() -> tuple[World, MergeRequest, Api]:
    world = make_world()
    return world, open_mr(world), Api(world, "developer")


def strike(api: Api, kind: Kind, route: str = ANY, **fault: Any) -> None:
    api.server.fault(Fault(route=route, kind=kind, **fault))


@pytest.mark.parametrize(
    ("kind", "fault", "status", "words"),
    [
        (Kind.RACK_429, {"seconds": 7}, 429, b"Retry later\n"),
        (Kind.APPLICATION_429, {}, 429, b"requested too many times"),
        (Kind.ERROR_BEFORE, {}, 502, b"Bad Gateway"),
        (Kind.ERROR_BEFORE, {"status": 503, "html": True}, 503, b"<h1>503 Service Unavailable"),
        (Kind.UNAUTHORIZED, {}, 401, b"401 Unauthorized"),
        (Kind.FORBIDDEN, {}, 403, b"403 Forbidden"),
        (Kind.CONFLICT, {}, 409, b"in progress"),
        (Kind.READ_ONLY, {}, 503, b"read-only"),
        (Kind.GRAPHQL_ERRORS, {}, 200, b'"data": null'),
    ],
)
def test_a_refusal_answers_and_writes_nothing(
    kind: Kind, fault: dict[str, Any], status: int, words: bytes
) -> None:
    _, mr, api = make_api()
    strike(api, kind, **fault)
    reply = api.post(f"{MR}/notes", body="x")
    assert (reply.status, words in reply.raw, mr.notes) == (status, True, [])


def test_the_rack_limit_says_when_to_retry_and_the_application_limit_does_not() -> None:
    _, _, api = make_api()
    strike(api, Kind.RACK_429, calls=[0], seconds=7)
    strike(api, Kind.APPLICATION_429, calls=[1])
    rack, application = api.get(MR), api.get(MR)
    assert (rack.headers["Retry-After"], rack.headers["RateLimit-Remaining"]) == ("7", "0")
    assert rack.headers["Content-Type"].startswith("text/plain")
    assert "Retry-After" not in application.headers


@pytest.mark.parametrize(("kind", "written"), [(Kind.ERROR_BEFORE, 0), (Kind.ERROR_AFTER, 1)])
def test_an_error_comes_before_or_after_the_write(kind: Kind, written: int) -> None:
    _, mr, api = make_api()
    strike(api, kind, status=500)
    assert api.post(f"{MR}/notes", body="x").status == 500
    assert len(mr.notes) == written


def test_a_fault_strikes_the_calls_it_names_on_the_routes_it_names() -> None:
    _, _, api = make_api()
    strike(api, Kind.FORBIDDEN, NOTES, calls=range(1, 3))
    assert [api.get(f"{MR}/notes").status for _ in range(4)] == [200, 403, 403, 200]
    assert api.get(MR).status == 200
    api.server.misbehaving.faults.switch_off()
    assert [api.get(f"{MR}/notes").status for _ in range(4)] == [200] * 4


def test_read_only_lets_reads_pass() -> None:
    _, _, api = make_api()
    strike(api, Kind.READ_ONLY, status=403)
    assert api.get(MR).status == 200
    assert api.put(MR, title="x").status == 403
    assert api.ask("{ currentUser { id } }").status == 200
    award = 'mutation { awardEmojiAdd(input: {awardableId: "x", name: "y"}) { errors } }'
    assert api.ask(award).status == 403
    assert api.send("POST", "/api/graphql", data=b"[]").status == 200


def test_pages_are_truncated_and_repeated() -> None:
    _, _, api = make_api()
    for number in range(4):
        api.post(f"{MR}/notes", body=f"{number}")

    def page(number: int) -> list[str]:
        found = api.get(f"{MR}/notes", page=number, per_page=2, sort="asc").body
        return [each["body"] for each in found]

    strike(api, Kind.TRUNCATED_PAGE, calls=[0])
    strike(api, Kind.REPEATED_PAGE, calls=[2])
    strike(api, Kind.EMPTY_BODY, calls=[4])
    assert [page(1), page(1), page(2), page(2)] == [["0"], ["0", "1"], ["0", "1"], ["2", "3"]]
    assert api.get(f"{MR}/notes").raw == b""
    strike(api, Kind.TRUNCATED_PAGE)
    strike(api, Kind.REPEATED_PAGE)
    assert api.get(MR).body["iid"] == 1


def test_a_stale_read_shows_what_was_before_the_last_write() -> None:
    _, _, api = make_api()
    strike(api, Kind.STALE, calls=[1, 2])
    bodies = [len(api.get(f"{MR}/notes").body)]
    api.post(f"{MR}/discussions", body="x")
    bodies += [len(api.get(f"{MR}/notes").body) for _ in range(2)]
    assert bodies == [0, 0, 1]


def test_a_stale_write_is_a_write() -> None:
    world, mr, api = make_api()
    strike(api, Kind.STALE)
    api.post(f"{MR}/notes", body="x")
    assert len(mr.notes) == 1
    strike(api, Kind.STALE)
    assert world.previous is not None


def test_an_open_merge_request_seems_unprepared() -> None:
    world, mr, api = make_api()
    strike(api, Kind.UNPREPARED, calls=range(2))
    query = '{ project(fullPath: "group/team") { mergeRequest(iid: "1") { preparedAt } } }'
    assert api.get(MR).body["prepared_at"] is None
    told = api.ask(query).body["data"]["project"]["mergeRequest"]
    assert told["preparedAt"] is None
    assert api.get(MR).body["prepared_at"] is not None
    assert (mr.unprepared_reads, world.unprepared_reads) == (0, 0)


def test_a_head_moves_behind_one_s_back() -> None:
    world, mr, api = make_api()
    actions.close(world, world.user("author"), open_mr(world, "other"))
    old = mr.head_sha
    strike(api, Kind.MOVED_HEAD, calls=[0])
    assert api.get(MR).body["sha"] == mr.head_sha != old
    before, after = mr.versions
    store = mr.project.repository.store
    assert store.commits[before.head_sha].tree == store.commits[after.head_sha].tree


def test_cut_connections_are_logged_without_a_status() -> None:
    world, mr, api = make_api()
    strike(api, Kind.CUT_AFTER, NOTES)
    api.post(f"{MR}/notes", body="x")
    assert ([each.status for each in world.requests], len(mr.notes)) == ([0], 1)


# switching by HTTP


def test_faults_are_switched_by_http() -> None:
    _, _, api = make_api()
    given = {"route": ANY, "kind": "forbidden", "calls": [1]}
    told = api.send("POST", "/-/sandbox/faults", json=given).body
    assert (told[0]["kind"], told[0]["calls"], told[0]["seen"]) == ("forbidden", [1], 0)
    assert [api.get(MR).status for _ in range(2)] == [200, 403]
    counted = api.send("GET", "/-/sandbox/faults").body[0]
    assert (counted["seen"], counted["struck"]) == (2, 1)
    assert api.send("DELETE", "/-/sandbox/faults").body == []
    assert api.send("POST", "/-/sandbox/faults", data=b"{").status == 400


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"route": ANY}, "needs route and kind"),
        ({"route": ANY, "kind": "earthquake"}, "unknown kind 'earthquake'"),
        ({"route": ANY, "kind": "hang", "when": 1}, "unknown key 'when'"),
    ],
)
def test_a_strange_fault_is_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_fault(given)


# real sockets


def fetch(server: Server, path: str, token: str, data: bytes | None = None) -> Any:
    headers = {"PRIVATE-TOKEN": token, "Content-Type": "application/json"}
    request = urllib.request.Request(server.url + path, data, headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310 - loopback
        return json.load(response)


def test_a_world_is_served_on_loopback() -> None:
    world = make_world()
    open_mr(world)
    token = give_token(world, "developer")
    with Server(world) as server:
        assert fetch(server, f"/api/v4{MR}", token)["web_url"].startswith(server.url)
        assert fetch(server, f"/~one/api/v4{MR}", token)["iid"] == 1
        link = urllib.request.urlopen(f"{server.url}/~one/api/v4/projects/7/merge_requests")  # noqa: S310 - loopback
        assert f"{server.url}/~one/api/v4/projects/7" in link.headers["Link"]
        link.close()
    assert [each.client for each in world.requests] == ["", "one", "one"]
    assert [each.user for each in world.requests] == ["developer", "developer", None]
    with pytest.raises(urllib.error.URLError):
        fetch(server, f"/api/v4{MR}", token)


@pytest.mark.parametrize("kind", [Kind.CUT_BEFORE, Kind.CUT_AFTER, Kind.HANG])
def test_a_cut_connection_has_no_answer(kind: Kind) -> None:
    world = make_world()
    mr = open_mr(world)
    token = give_token(world, "developer")
    with Server(world) as server:
        server.fault(Fault(route="POST *", kind=kind, seconds=0.05))
        with pytest.raises((http.client.HTTPException, OSError)):
            fetch(server, f"/api/v4{MR}/notes", token, b'{"body": "x"}')
    assert len(mr.notes) == (1 if kind is Kind.CUT_AFTER else 0)


def test_latency_delays_and_a_stop_ends_all_waiting() -> None:
    world = make_world()
    open_mr(world)
    token = give_token(world, "developer")
    server = Server(world).start()
    server.fault(Fault(route=ANY, kind=Kind.LATENCY, calls=[0], seconds=0.1))
    server.fault(Fault(route=ANY, kind=Kind.HANG, calls=[1], seconds=60))
    began = time.monotonic()
    fetch(server, f"/api/v4{MR}", token)
    assert time.monotonic() - began >= 0.1
    ended: list[bool] = []

    def hang() -> None:
        try:
            fetch(server, f"/api/v4{MR}", token)
        except (http.client.HTTPException, OSError):
            ended.append(True)

    thread = threading.Thread(target=hang)
    thread.start()
    time.sleep(0.05)  # noqa: TID251 - the request must be under way
    server.stop()
    thread.join(5)
    assert ended == [True]


def test_held_requests_go_on_one_by_one_in_the_order_chosen() -> None:
    world = make_world()
    mr = open_mr(world)
    token = give_token(world, "developer")
    with Server(world) as server:
        hold = server.hold(lambda arrival: arrival.method == "POST")

        def write(name: str) -> None:
            body = json.dumps({"body": name}).encode()
            fetch(server, f"/~{name}/api/v4{MR}/notes", token, body)

        threads = [threading.Thread(target=write, args=(name,)) for name in ("one", "two")]
        for thread in threads:
            thread.start()
        assert hold.wait_for(lambda waiting: len(waiting) == 2, 5)
        assert fetch(server, f"/api/v4{MR}", token)["user_notes_count"] == 0
        by_name = {arrival.client: arrival for arrival in hold.waiting()}
        for number, name in enumerate(("two", "one"), start=1):
            hold.release(by_name[name])
            wait_for_notes(mr, number)
        for thread in threads:
            thread.join(5)
    assert [note.body for note in mr.notes] == ["two", "one"]
    assert {arrival.user for arrival in by_name.values()} == {"developer"}


def wait_for_notes(mr: MergeRequest, count: int) -> None:
    for _ in range(500):
        if len(mr.notes) == count:
            return
        time.sleep(0.01)  # noqa: TID251 - another thread writes
    raise AssertionError("no note came")


def test_a_closed_hold_lets_all_pass() -> None:
    world, _, api = make_api()
    hold = api.server.hold(lambda _: True)
    waiting = threading.Thread(target=api.get, args=(MR,))
    waiting.start()
    assert hold.wait_for(lambda arrivals: len(arrivals) == 1, 5)
    hold.close()
    waiting.join(5)
    assert not hold.waiting()
    assert api.get(MR).status == 200
    assert isinstance(world.requests[0].seconds, float)


def test_an_arrival_tells_where_it_wants_to_go() -> None:
    _, _, api = make_api()
    seen: list[Arrival] = []

    def note(arrival: Arrival) -> bool:
        seen.append(arrival)
        return False

    api.server.hold(note)
    api.get(MR)
    api.ask("{ currentUser { id } }")
    api.get("/nowhere")
    assert [arrival.route for arrival in seen] == [
        "/api/v4/projects/{id}/merge_requests/{merge_request_iid}",
        "/api/graphql",
        "(unknown)",
    ]
    assert [arrival.number for arrival in seen] == [1, 2, 3]


def test_a_mounted_application_has_its_paths_but_never_the_api_s() -> None:
    _, _, api = make_api()

    def pages(_environ: object, start: Any) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        return [b"page"]

    api.server.mount("/", pages)
    assert api.send("GET", "/group/team").raw == b"page"
    assert api.get(MR).body["iid"] == 1
    assert api.send("GET", "/-/sandbox/faults").body == []


def test_the_log_holds_what_a_contract_test_needs() -> None:
    world, _, api = make_api()
    api.get(f"{MR}/notes?per_page=5&sort=asc")
    api.post(f"{MR}/notes", body="x")
    api.get("/projects/7/repository/files/README.md/raw?ref=main")
    one, two, three = world.requests
    assert (one.method, one.status, one.query) == ("GET", 200, {"per_page": ["5"], "sort": ["asc"]})
    assert one.answer_headers["X-Page"] == "1"
    assert (two.status, two.body) == (201, {"body": "x"})
    assert isinstance(two.answer, dict)
    assert (two.answer["body"], three.answer) == ("x", "hello\n")
    assert world.project(PROJECT).id == 7


# connections


def send(connection: http.client.HTTPConnection, method: str, path: str, **more: Any) -> Any:
    connection.request(method, path, **more)
    response = connection.getresponse()
    return response.status, response.read()


def test_a_connection_is_kept_for_many_requests_and_ends_with_the_server() -> None:
    world = make_world()
    open_mr(world)
    headers = {"PRIVATE-TOKEN": give_token(world, "developer")}
    with Server(world) as server:
        kept = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)
        assert send(kept, "POST", f"/api/v4{MR}/notes?body=x", headers=headers)[0] == 201
        assert send(kept, "DELETE", f"/api/v4{MR}/notes/1", headers=headers) == (204, b"")
        assert send(kept, "HEAD", f"/api/v4{MR}", headers=headers)[1] == b""
        headers["Content-Type"] = "application/json"
        chunks = iter([b'{"body"', b': "y"}'])
        assert send(kept, "POST", f"/api/v4{MR}/notes", body=chunks, headers=headers)[0] == 201
        other = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)
        send(other, "GET", f"/api/v4{MR}")
        assert server.connections.count == 2
        assert [each.connection for each in world.requests] == [1, 1, 1, 1, 2]
        other.close()
    kept.auto_open = 0
    with pytest.raises((http.client.HTTPException, OSError)):
        send(kept, "GET", f"/api/v4{MR}")


def test_a_bug_of_the_stand_in_is_a_500_and_a_violation() -> None:
    world = make_world()

    def broken(_environ: object, _start: object) -> list[bytes]:
        raise ZeroDivisionError("by design")

    with Server(world) as server:
        server.mount("/broken", broken)
        link = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)
        assert send(link, "GET", "/broken") == (500, b"The stand-in failed\n")
        assert send(link, "GET", "/api/v4/nothing")[0] == 404
        link.close()
    assert "by design" in world.violations[0]


def test_another_world_is_served_without_faults_and_holds() -> None:
    worlds = make_world(), make_world()
    for world in worlds:
        open_mr(world)
    token = give_token(worlds[1], "developer")
    with Server(worlds[0]) as server:
        server.fault(Fault(route=ANY, kind=Kind.UNAUTHORIZED))
        server.hold(lambda _: True)
        server.turn_to(worlds[1])
        assert fetch(server, f"/api/v4{MR}", token)["web_url"].startswith(server.url)
    assert [len(world.requests) for world in worlds] == [0, 1]
