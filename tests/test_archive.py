"""Entries come out of the repository's archive in one request, bounded, and never half."""

import gzip
import io
import os
import socket
import struct
import tarfile
import threading
from collections.abc import Iterator, Mapping, Sequence

import pytest

from bot.errors import GitLabError
from bot.evidence import Tally, TallyOf, fact_of
from bot.gitlab import archive
from bot.gitlab.archive import LARGEST, MOST_BYTES, MOST_FILES, read_archive
from bot.gitlab.client import GitLabClient
from bot.gitlab.packing import pack_parts
from bot.gitlab.queries import build_parts
from bot.gitlab.tally_query import TALLY_WITHOUT_FILTER
from bot.gitlab.transport import OddAnswerError
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.repository import MODE_LINK
from bot.unread import Unread
from tests.nomination_world import (
    ENTRY,
    FOLDER,
    GATEWAY,
    TEAM,
    NominationWorld,
    connect,
    make_world,
)
from tests.raw_server import PATIENCE, answer, raw_server, saying

MANY = 70_000
PEOPLE = 14  # who are counted by one query


@pytest.fixture
def made() -> NominationWorld:
    return make_world()


def everything(_: str, __: bytes) -> bool:
    """Want every file."""
    return True


def pieces(content: bytes, size: int = 1000) -> Iterator[bytes]:
    """Yield a content as it comes over a slow line."""
    return (content[start : start + size] for start in range(0, len(content), size))


def pack(files: Mapping[str, bytes], *, link: str | None = None) -> bytes:
    """Pack files below one folder."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(f"top/{path}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo("top/link.yml")
            member.type, member.linkname = tarfile.SYMTYPE, link
            archive.addfile(member)
    return packed.getvalue()


# --- over HTTP ----------------------------------------------------------------------------


def test_one_request_reads_the_files_below_a_folder(made: NominationWorld, server: Server) -> None:
    made.push(
        {"elsewhere.yml": b"x", f"{FOLDER}/z/z\u00fc.yml": b"gitlab: z\n"}, branch="main", by="olga"
    )
    with connect(server) as client:
        found = client.fetch_archive(TEAM, "main", FOLDER, everything)
        assert client.calls == 1
    assert set(found) == {ENTRY, f"{FOLDER}/m/mia.yml", f"{FOLDER}/z/z\u00fc.yml"}
    assert found[f"{FOLDER}/z/z\u00fc.yml"] == b"gitlab: z\n"


def test_only_what_is_wanted_is_kept(server: Server) -> None:
    with connect(server) as client:
        found = client.fetch_archive(TEAM, "main", FOLDER, lambda path, _: path == ENTRY)
    assert set(found) == {ENTRY}


def test_links_are_not_followed(made: NominationWorld, server: Server) -> None:
    draft = CommitDraft(
        message="Link", changes={f"{FOLDER}/l/l.yml": b"../n/nina.yml"}, mode=MODE_LINK
    )
    actions.push(made.world, made.user("olga"), made.team, "main", draft)
    with connect(server) as client:
        assert f"{FOLDER}/l/l.yml" not in client.fetch_archive(TEAM, "main", FOLDER, everything)


@pytest.mark.parametrize(
    ("project", "branch", "folder"),
    [(TEAM, "nowhere", FOLDER), (TEAM, "main", "no/folder"), ("no/project", "main", FOLDER)],
)
def test_what_does_not_exist_is_refused(
    server: Server, project: str, branch: str, folder: str
) -> None:
    with connect(server) as client, pytest.raises(GitLabError, match="404"):
        client.fetch_archive(project, branch, folder, everything)


def test_the_page_of_a_machine_before_gitlab_is_no_archive() -> None:
    page = answer("200 OK", pack({"a.yml": b"x"}), "Content-Type: text/html")
    refused = pytest.raises(GitLabError, match="without the archive")
    with raw_server(saying(page)) as server, connect(server.url) as client, refused:
        client.fetch_archive(TEAM, "main", FOLDER, everything)


def test_after_a_cut_connection_the_archive_is_read_again() -> None:
    whole = pack({"a.yml": os.urandom(3000)})
    cut = answer("200 OK", whole)[:-1000]
    script = saying(cut, answer("200 OK", whole))
    with raw_server(script) as server, connect(server.url) as client:
        assert set(client.fetch_archive(TEAM, "main", FOLDER, everything)) == {"a.yml"}
        assert client.calls == 2


def flood(connection: socket.socket, stopped: threading.Event) -> None:
    """Send a file in small pieces for ever; one byte at a time is for the watchdog of a run."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + gzip.compress(b"")[:10])
    while not stopped.wait(PATIENCE):
        connection.sendall(b"\0" + struct.pack("<HH", 8_000, 65_535 - 8_000) + bytes(8_000))


def test_an_archive_that_never_ends_ends_with_the_time_of_the_run() -> None:
    with raw_server(flood) as server, connect(server.url, deadline=0.4) as client:
        with pytest.raises(GitLabError):
            client.fetch_archive(TEAM, "main", FOLDER, everything)
        assert client.elapsed < 5


# --- the archive itself -------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 512, 100_000])
def test_the_pieces_may_be_of_any_size(size: int) -> None:
    files = {"a/b.yml": b"x" * 3000, "c.yml": b""}
    assert read_archive(pieces(pack(files), size), everything) == files


def test_an_archive_that_ends_early_is_no_archive() -> None:
    files = {f"{n}.yml": os.urandom(700) for n in range(40)}
    whole = pack(files)
    for cut in range(0, len(whole), len(whole) // 50):
        with pytest.raises(OddAnswerError):
            read_archive(pieces(whole[:cut]), everything)


def test_an_archive_that_lacks_only_its_checksum_is_none() -> None:
    with pytest.raises(OddAnswerError):
        read_archive(pieces(pack({"a.yml": b"x", "b.yml": b"y"})[:-8]), everything)


def test_what_stands_behind_the_last_file_is_read_on_to_the_end() -> None:
    padded = gzip.compress(gzip.decompress(pack({"a.yml": b"x"})) + bytes(100_000))
    assert set(read_archive(pieces(padded), everything)) == {"a.yml"}


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x1f\x8b" + b"\0" * 50])
def test_what_is_no_archive_is_said(content: bytes) -> None:
    with pytest.raises(OddAnswerError):
        read_archive(pieces(content), everything)


@pytest.mark.sample(1)
@pytest.mark.parametrize("most", [2 * LARGEST, MOST_BYTES])
def test_a_small_archive_that_unpacks_to_very_much_is_refused(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", most)
    bomb = gzip.compress(_zeros_as_file(most * 2))
    assert len(bomb) < LARGEST
    with pytest.raises(GitLabError, match="unpacks to more than"):
        read_archive(pieces(bomb), everything)


def _zeros_as_file(size: int) -> bytes:
    member = tarfile.TarInfo("top/zeros.yml")
    member.size = size
    return member.tobuf() + bytes(size)


def test_a_file_that_is_no_entrys_size_is_left_out() -> None:
    files = {"large.yml": bytes(LARGEST + 1), "small.yml": b"x"}
    assert set(read_archive(pieces(pack(files)), everything)) == {"small.yml"}


@pytest.mark.sample(1)
@pytest.mark.parametrize("most", [500, MOST_FILES])
def test_too_many_files_are_refused(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_FILES", most)
    block = tarfile.TarInfo("top/a.yml").tobuf()
    content = gzip.compress(block * (most + 1) + bytes(1024), 1)
    with pytest.raises(GitLabError, match="more than the"):
        read_archive(pieces(content, MANY), everything)


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a/../b.yml"])
def test_a_path_that_climbs_is_a_name_and_nothing_more(path: str) -> None:
    assert list(read_archive(pieces(pack({path: b"x"})), everything)) == [path]


# --- counting for many --------------------------------------------------------------------


def count(
    client: GitLabClient, names: Sequence[str], project: str = GATEWAY
) -> Mapping[str, Tally | Unread]:
    """Count what some people did."""
    needs = {name: TallyOf(project, name, "main") for name in names}
    found = client.fetch_facts(needs.values())
    return {name: fact_of(found, need) for name, need in needs.items()}


def test_counts_are_those_of_the_default_branch(server: Server) -> None:
    with connect(server) as client:
        told = count(client, ["nina", "NINA", "nobody"])
        assert client.calls == 1
    counted = told["nina"]
    assert (getattr(counted, "authored", None), getattr(counted, "reviews", None)) == (6, 5)
    assert "no account" in getattr(told["nobody"], "reason", "")


def test_a_group_of_people_is_within_gitlabs_limit(made: NominationWorld, server: Server) -> None:
    names = [f"p{number}" for number in range(PEOPLE)]
    for name in names:
        made.user(name)
    with connect(server) as client:
        told = count(client, names)
        assert client.calls == 1
    assert all(hasattr(each, "authored") for each in told.values())


@pytest.mark.parametrize("missing", ["authored", "asked", "approved"])
def test_a_list_that_gitlab_left_out_is_no_zero(missing: str) -> None:
    account = {"username": "nina", "state": "active", "bot": False}
    project = {name: {"count": 3} for name in ("authored", "asked", "approved")} | {missing: None}
    need = TallyOf(GATEWAY, "nina", "main")
    (part,) = build_parts([need])
    told = part.read({"user": account, "project": project})
    assert "did not count" in getattr(told[need], "reason", "")


def test_names_travel_as_variables() -> None:
    needs = [TallyOf(GATEWAY, name, "main") for name in ("nina", "dora")]
    (query,) = pack_parts(build_parts(needs))
    assert "nina" not in query.text()
    assert "nina" in query.variables().values()
    assert "approvedBy" not in TALLY_WITHOUT_FILTER


def test_an_unknown_repository_is_unread(server: Server) -> None:
    with connect(server) as client:
        told = count(client, ["nina"], "no/project")
    assert "cannot be read" in getattr(told["nina"], "reason", "")


def test_where_a_filter_is_refused_the_rest_is_counted_all_the_same(server: Server) -> None:
    server.fault(Fault(route="POST /api/graphql", kind=Kind.GRAPHQL_ERRORS, calls=[0]))
    with connect(server) as client:
        told = count(client, ["nina"])
    assert getattr(told["nina"], "authored", None) == 6


def test_counts_that_gitlab_refuses_are_unread_with_its_reason(server: Server) -> None:
    server.fault(Fault(route="POST /api/graphql", kind=Kind.GRAPHQL_ERRORS))
    with connect(server) as client:
        told = count(client, ["nina", "dora"])
    assert {getattr(each, "reason", "")[:29] for each in told.values()} == {
        "GitLab did not answer a query"
    }
