"""The way to the stand-in without a socket is in nothing else than that."""

from collections.abc import Mapping

import pytest
import requests

from bot.config import Secret
from bot.errors import GitLabError, RefusedError
from bot.gitlab.transport import Transport
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from tests.in_process import InProcess, make_server, way_to
from tests.nomination_world import SECRET, TEAM, NominationWorld, make_world

PATHS = (
    f"/projects/{TEAM.replace('/', '%2F')}",
    "/projects/7001/merge_requests/1/notes?order_by=created_at&sort=asc",
    "/projects/7001/repository/files/data%2Fteam_members%2Fperson%2Fn%2Fnina.yml/raw?ref=main",
)
OWN = {"Server", "Content-Length", "Connection"}  # what the socket's front says of itself


@pytest.fixture
def made() -> NominationWorld:
    return make_world()


def ask(server: Server, path: str) -> requests.Response:
    with requests.Session() as session:
        way = way_to(server)
        if way:
            session.mount(server.url, way)
        headers = {"Authorization": f"Bearer {SECRET}"}
        return session.get(f"{server.url}/~me/api/v4{path}", headers=headers, timeout=5)


def make_transport(server: Server) -> Transport:
    transport = Transport(f"{server.url}/~me", Secret(SECRET), 5, 60)
    way = way_to(server)
    if way:
        transport.go_through(way)
    return transport


def without_own(headers: Mapping[str, str]) -> set[str]:
    return headers.keys() - OWN


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_is_the_same_as_over_a_socket(
    path: str, server: Server, made: NominationWorld
) -> None:
    near = make_server()
    near.world = made.world
    one = ask(server, path)
    other = ask(near, path)
    assert (one.status_code, one.content) == (other.status_code, other.content)
    assert one.headers["Date"] == other.headers["Date"]
    assert without_own(one.headers) == without_own(other.headers)
    first, second = made.world.requests
    assert (first.path, first.query, first.user) == (second.path, second.query, second.user)
    assert first.client == second.client == "me"


@pytest.mark.usefixtures("over_sockets")
@pytest.mark.parametrize("kind", [Kind.CUT_BEFORE, Kind.CUT_AFTER, Kind.ERROR_BEFORE])
def test_failures_are_the_same_as_over_a_socket(
    kind: Kind, server: Server, made: NominationWorld
) -> None:
    near = make_server()
    near.world = made.world
    assert not isinstance(Transport.way(server.url), InProcess)
    told = []
    for each in (server, near):
        each.fault(Fault(route="*", kind=kind))
        with pytest.raises((GitLabError, RefusedError)) as error:
            make_transport(each).fetch_object("/projects/7001")
        told.append(str(error.value).replace(each.url, ""))
    assert told[0] == told[1]
