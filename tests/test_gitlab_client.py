"""Tests of reading facts and writing over HTTP, with GitLab in every mood."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.config import Secret
from bot.errors import DoubtfulWriteError, GitLabError, RefusedError
from bot.evidence import (
    Commits,
    CommitsOf,
    DeedsOf,
    DefaultBranchOf,
    DiffsOf,
    Fact,
    FileAt,
    Members,
    MembersOf,
    Need,
    RenameOf,
    StandingOf,
    StateChangesOf,
    StatusChecksOf,
    StatusesOf,
    ThreadsOf,
    VersionsOf,
    Work,
)
from bot.evidence.timing import pushed_at
from bot.gitlab.ahead import ask_ahead
from bot.gitlab.budget import WRITING
from bot.gitlab.client import GitLabClient
from bot.gitlab.facts import MEMBER_PAGES
from bot.gitlab.lists import LIST_PAGES
from bot.gitlab.merge_requests import NOTE_PAGES
from bot.gitlab.rest import DIFF_PAGES
from bot.gitlab.transport import Transport
from bot.merge_request import MergeRequest, Standing
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import StatusDraft
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Group, Level, Member
from bot.unread import Unread
from tests.builders import work_of
from tests.nomination_world import (
    ENTRY,
    GATEWAY,
    GRAPHQL,
    MAINTAINERS,
    SECRET,
    START,
    STATUS,
    TEAM,
    NominationWorld,
    add_check,
    awards,
    connect,
    entry,
    make_world,
    open_another,
)
from tests.raw_server import answer, raw_server, saying

WORK = work_of(GATEWAY, "nina")
RENOVATE = FileAt(GATEWAY, "main", "renovate.json")
QUERY = f"POST {GRAPHQL}"
NOBODY = {"id": "gid://gitlab/User/6", "username": "bot", "bot": True}


@pytest.fixture
def made() -> NominationWorld:
    return make_world(authored=2, reviewed=1)


@pytest.fixture
def client(server: Server) -> Iterator[GitLabClient]:
    with connect(server.url) as connected:
        yield connected


def read(client: GitLabClient) -> MergeRequest:
    return client.fetch_merge_request(TEAM, 1)


def ask(client: GitLabClient, need: Need) -> Fact:
    return client.fetch_facts({need})[need]


def reason(fact: Fact) -> str:
    assert isinstance(fact, Unread), fact
    return fact.reason


def queries(made: NominationWorld) -> int:
    return sum(request.route == GRAPHQL for request in made.world.requests)


# --- the project and the merge request ----------------------------------------------------


def test_a_path_is_itself_and_costs_nothing(client: GitLabClient) -> None:
    assert client.fetch_project_path(TEAM) == TEAM
    assert client.calls == 0


def test_the_path_of_a_number_is_looked_up(client: GitLabClient) -> None:
    assert client.fetch_project_path("7001") == TEAM


def test_an_unknown_number_is_refused_in_words(client: GitLabClient) -> None:
    with pytest.raises(RefusedError, match=r"404 to GET /projects/404.*does not exist, or"):
        client.fetch_project_path("404")


def test_a_project_without_a_path_is_an_error() -> None:
    said = saying(answer("200 OK", b'{"id": 1}'))
    told = pytest.raises(GitLabError, match="did not tell the path")
    with raw_server(said) as raw, connect(raw.url) as client, told:
        client.fetch_project_path("1")


def test_a_merge_request_is_read_with_its_comments(
    made: NominationWorld, client: GitLabClient
) -> None:
    made.say("hello")
    found = read(client)
    assert (found.project_id, found.iid, found.state) == (7001, 1, "opened")
    assert found.changed_paths == (ENTRY,)
    assert [note.body for note in found.notes] == ["hello"]
    assert found.me.username == "nomination-bot"
    assert client.now() == made.world.now


def test_many_comments_cost_the_pages_they_need(
    made: NominationWorld, client: GitLabClient
) -> None:
    for number in range(620):
        made.say(f"comment {number}")
    found = read(client)
    assert [note.body for note in found.notes] == [f"comment {n}" for n in range(620)]
    assert client.calls == 7


def test_too_many_comments_are_an_error_not_a_part() -> None:
    page = {"pageInfo": {"hasNextPage": True, "endCursor": "x"}, "nodes": []}
    data = {"currentUser": NOBODY, "project": {"mergeRequest": {"notes": page}}}
    endless = saying(answer("200 OK", json.dumps({"data": data}).encode()))
    with raw_server(endless) as raw, connect(raw.url, calls=100) as client:
        with pytest.raises(GitLabError, match="more comments than the bot reads"):
            read(client)
        assert len(raw.requests) == NOTE_PAGES + 1


@pytest.mark.parametrize(("project", "iid"), [(TEAM, 99), ("gitlab-com/other", 1)])
def test_a_merge_request_that_is_not_there_says_what_to_check(
    client: GitLabClient, project: str, iid: int
) -> None:
    with pytest.raises(GitLabError) as error:
        client.fetch_merge_request(project, iid)
    assert f"{project}!{iid} does not exist or the token cannot read it" in str(error.value)
    assert "NOMINATION_BOT_TEAM_PROJECT" in str(error.value)


def test_a_wrong_token_is_told(server: Server) -> None:
    wrong = connect(server.url, token="glpat-wrong")  # noqa: S106  a made-up one
    with wrong as client, pytest.raises(GitLabError, match="check NOMINATION_BOT_TOKEN"):
        read(client)


def test_a_revoked_token_is_told(made: NominationWorld, client: GitLabClient) -> None:
    made.world.tokens[0].revoked = True
    with pytest.raises(GitLabError, match="check NOMINATION_BOT_TOKEN"):
        read(client)


def test_a_blocked_account_is_told(made: NominationWorld, client: GitLabClient) -> None:
    made.user("nomination-bot").state = "blocked"
    with pytest.raises(GitLabError, match="check NOMINATION_BOT_TOKEN"):
        read(client)


def test_the_default_branch_is_looked_up(client: GitLabClient) -> None:
    assert client.fetch_default_branch(TEAM) == "main"


def test_a_project_without_a_default_branch_is_an_error() -> None:
    said = saying(answer("200 OK", b'{"default_branch": null}'))
    told = pytest.raises(GitLabError, match="did not tell the default branch of")
    with raw_server(said) as raw, connect(raw.url) as client, told:
        client.fetch_default_branch(TEAM)


# --- waiting for the changes --------------------------------------------------------------


def test_a_merge_request_in_preparation_is_waited_for(
    made: NominationWorld, server: Server, client: GitLabClient
) -> None:
    server.fault(Fault(route=QUERY, kind=Kind.UNPREPARED, calls=[0]))
    assert read(client).prepared
    assert client.calls == 2
    assert made.world.violations == []


def test_the_wait_for_preparation_ends_with_the_deadline(server: Server) -> None:
    server.fault(Fault(route=QUERY, kind=Kind.UNPREPARED))
    began = time.monotonic()
    told = pytest.raises(GitLabError, match="has not prepared the changes")
    with connect(server.url, deadline=1) as client, told:
        read(client)
    assert time.monotonic() - began < 2


def test_an_old_gitlab_that_never_tells_is_believed_after_a_while(
    made: NominationWorld, client: GitLabClient
) -> None:
    read(client)
    told: Any = made.world.requests[-1].answer
    told["data"]["project"]["mergeRequest"]["preparedAt"] = None
    body = json.dumps(told).encode()
    with raw_server(saying(answer("200 OK", body))) as raw, connect(raw.url) as old:
        assert not read(old).prepared
        assert old.calls == 1


# --- answers of unexpected shapes ---------------------------------------------------------

ODD_MERGE_REQUESTS: dict[str, Any] = {
    "no user": {"currentUser": None, "project": {"mergeRequest": {}}},
    "no notes": {"currentUser": NOBODY, "project": {"mergeRequest": {"notes": None}}},
    "no nodes": {
        "currentUser": NOBODY,
        "project": {"mergeRequest": {"notes": {"pageInfo": {"hasNextPage": False}, "nodes": None}}},
    },
    "nothing else": {
        "currentUser": NOBODY,
        "project": {"mergeRequest": {"notes": {"pageInfo": {"hasNextPage": False}, "nodes": []}}},
    },
    "a list": {"currentUser": NOBODY, "project": []},
    "text": {"currentUser": NOBODY, "project": "odd"},
    "a list within": {"currentUser": NOBODY, "project": {"mergeRequest": [1]}},
    "a page without words": {
        "currentUser": NOBODY,
        "project": {"mergeRequest": {"notes": {"pageInfo": {}, "nodes": []}}},
    },
}


@pytest.mark.parametrize("name", ODD_MERGE_REQUESTS)
def test_an_odd_merge_request_is_an_error_not_a_crash(name: str) -> None:
    said = saying(answer("200 OK", json.dumps({"data": ODD_MERGE_REQUESTS[name]}).encode()))
    told = pytest.raises(GitLabError)
    with raw_server(said) as raw, connect(raw.url) as client, told:
        read(client)


NEEDS: Sequence[Need] = [
    WORK,
    RENOVATE,
    MembersOf(MAINTAINERS),
    StandingOf(TEAM, 1),
    CommitsOf(TEAM, "main", ENTRY),
    RenameOf(TEAM, "main", ENTRY),
    DiffsOf(TEAM, 1),
    StatusesOf(7001, "a" * 40, STATUS),
    StatusChecksOf(TEAM, 1),
    VersionsOf(TEAM, 1),
    StateChangesOf(TEAM, 1),
    DeedsOf(TEAM, 1),
    DefaultBranchOf(GATEWAY),
    ThreadsOf(GATEWAY, "nina", (1,)),
]
ODD_BODIES = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"[1]",
    b'[{"id": 1}]',
    b'{"data": null}',
    b'{"data": {}}',
    b'{"data": {"project0": 1, "user0": 1, "group0": 1}}',
    b'{"data": {"project0": {"repository": 1, "authored": {}}, "group0": {"direct": {}}}}',
    b'{"data": {"project0": {"authored": {"nodes": [1]}, "assigned": {"nodes": []}}}}',
    b"<html>maintenance</html>",
]
NO_ROWS = b"[]"


@pytest.mark.sample(12)
@pytest.mark.parametrize("body", ODD_BODIES)
@pytest.mark.parametrize("need", NEEDS, ids=lambda need: type(need).__name__)
def test_an_odd_answer_is_unknown_never_a_value(need: Need, body: bytes) -> None:
    with raw_server(saying(answer("200 OK", body))) as raw, connect(raw.url) as client:
        fact = ask(client, need)
    lists = CommitsOf | DiffsOf | StatusesOf | StatusChecksOf | StateChangesOf
    is_list = isinstance(need, lists)
    if is_list and body == NO_ROWS:
        assert not isinstance(fact, Unread)
    else:
        assert isinstance(fact, Unread), fact


# --- facts --------------------------------------------------------------------------------


def test_facts_of_all_kinds_come_together(made: NominationWorld, client: GitLabClient) -> None:
    add_check(made)
    statuses = StatusesOf(7001, made.nomination.head_sha or "", STATUS)
    found = client.fetch_facts({*NEEDS, statuses} - {NEEDS[7]})
    assert isinstance(found[WORK], Work)
    assert isinstance(found[RENOVATE], bytes)
    assert isinstance(found[MembersOf(MAINTAINERS)], Members)
    standing = found[StandingOf(TEAM, 1)]
    assert isinstance(standing, Standing)
    assert client.fetch_merge_request(TEAM, 1).stands(standing)
    assert found[DiffsOf(TEAM, 1)] == {ENTRY: ENTRY}
    assert found[statuses] == ()
    commits = found[CommitsOf(TEAM, "main", ENTRY)]
    assert isinstance(commits, Commits)
    assert commits.complete
    assert len(commits.items) == 2
    assert found[RenameOf(TEAM, "main", ENTRY)] is None
    assert not any(isinstance(fact, Unread) for fact in found.values())
    assert made.world.violations == []


def test_nothing_needed_costs_nothing(client: GitLabClient) -> None:
    assert client.fetch_facts(set()) == {}
    assert client.calls == 0


def test_what_does_not_exist_is_told(client: GitLabClient) -> None:
    needs: dict[Need, str | None] = {
        FileAt(GATEWAY, "main", "no.json"): None,
        FileAt(GATEWAY, "no-branch", "renovate.json"): "no revision no-branch",
        FileAt("group/none", "main", "renovate.json"): "cannot be read by the bot",
        work_of("group/none", "nina"): "cannot be read by the bot",
        MembersOf("group/none"): "does not exist or cannot be read",
        StandingOf(TEAM, 99): "did not tell the present state",
        CommitsOf("group/none", "main", ENTRY): "404 Project Not Found",
        StatusChecksOf(TEAM, 1): "404",
    }
    found = client.fetch_facts(needs)
    for need, expected in needs.items():
        if expected is None:
            assert found[need] is None
        else:
            assert expected in reason(found[need])


def test_a_private_project_is_unknown_not_empty(
    made: NominationWorld, client: GitLabClient
) -> None:
    made.gateway.visibility = "private"
    assert "cannot be read by the bot" in reason(ask(client, WORK))


UTF_16 = "gitlab: nina\nprojects:\n  ai-gateway: maintainer\n".encode("utf-16")


@pytest.mark.parametrize("content", [UTF_16, b"\x00\x01\xff", b"plain", "ünïcode".encode(), b""])
def test_files_come_byte_by_byte(
    made: NominationWorld, client: GitLabClient, content: bytes
) -> None:
    made.push({ENTRY: content}, branch="odd")
    assert ask(client, FileAt(TEAM, "odd", ENTRY)) == content


def test_bytes_that_cannot_be_had_are_unknown(
    made: NominationWorld, server: Server, client: GitLabClient
) -> None:
    made.push({ENTRY: UTF_16}, branch="odd")
    server.fault(Fault(route="GET */raw", kind=Kind.FORBIDDEN))
    assert "403" in reason(ask(client, FileAt(TEAM, "odd", ENTRY)))


def test_one_bad_part_does_not_spoil_the_others(
    made: NominationWorld, server: Server, client: GitLabClient
) -> None:
    # All parts together, the work, and the work in a simpler way.
    server.fault(Fault(route=QUERY, kind=Kind.GRAPHQL_ERRORS, calls=[0, 1, 2]))
    found = client.fetch_facts({WORK, RENOVATE, StandingOf(TEAM, 1)})
    unread = [fact for fact in found.values() if isinstance(fact, Unread)]
    assert len(unread) == 1
    assert "Internal server error" in unread[0].reason
    assert queries(made) == 5


def test_work_is_asked_for_in_a_simpler_way_when_that_fails(
    made: NominationWorld, server: Server, client: GitLabClient
) -> None:
    server.fault(Fault(route=QUERY, kind=Kind.GRAPHQL_ERRORS, calls=[0]))
    assert isinstance(ask(client, WORK), Work)
    assert queries(made) == 2


def test_a_failing_rest_call_leaves_the_others(server: Server, client: GitLabClient) -> None:
    server.fault(Fault(route="GET */commits*", kind=Kind.FORBIDDEN))
    found = client.fetch_facts({RENOVATE, CommitsOf(TEAM, "main", ENTRY)})
    assert isinstance(found[RENOVATE], bytes)
    assert "403" in reason(found[CommitsOf(TEAM, "main", ENTRY)])


def test_work_is_counted_whatever_its_number(made: NominationWorld, client: GitLabClient) -> None:
    found = ask(client, WORK)
    assert isinstance(found, Work)
    assert (found.authored.total, found.reviewed.total) == (2, 1)
    assert made.world.violations == []


def test_a_history_that_was_cut_says_so(made: NominationWorld, client: GitLabClient) -> None:
    for number in range(101):
        content = entry("nina", f"reviewer {number}")
        made.push({ENTRY: content}, branch="main", by="olga")
    found = ask(client, CommitsOf(TEAM, "main", ENTRY))
    assert isinstance(found, Commits)
    assert not found.complete
    assert len(found.items) == 100


def test_renames_are_read_over_all_pages(made: NominationWorld, client: GitLabClient) -> None:
    new = {f"data/new/{n}.yml": entry(f"p{n}") for n in range(120)}
    old = {path.replace("new", "old"): content for path, content in new.items()}
    made.push(old, branch="main", by="olga")
    mr = made.open(new | dict.fromkeys(old), branch="move")
    found = ask(client, DiffsOf(TEAM, mr.iid))
    assert found == dict(zip(new, old, strict=True))
    renamed = RenameOf(TEAM, mr.head_sha or "", "data/new/7.yml")
    assert ask(client, renamed) == "data/old/7.yml"


def test_a_rename_is_found_on_any_page_of_a_large_commit(
    made: NominationWorld, client: GitLabClient
) -> None:
    old = {f"data/old/{n:03}.yml": entry(f"p{n}") for n in range(230)}
    new = {path.replace("old", "new"): content for path, content in old.items()}
    made.push(old, branch="main", by="olga")
    made.push(new | dict.fromkeys(old), branch="move")
    for number in (7, 229):
        renamed = RenameOf(TEAM, "move", f"data/new/{number:03}.yml")
        assert ask(client, renamed) == f"data/old/{number:03}.yml"
    assert ask(client, RenameOf(TEAM, "main", "data/old/001.yml")) is None
    # It is asked of commits that change the file, so a list without it was cut.
    assert "did not list" in reason(ask(client, RenameOf(TEAM, "move", "data/new/none.yml")))


def test_a_commit_without_an_end_is_read_up_to_the_limit() -> None:
    row = {"new_path": "a.yml", "old_path": "b.yml", "renamed_file": True}
    page = answer("200 OK", json.dumps([row]).encode(), "X-Next-Page: 2")
    with raw_server(saying(page)) as raw, connect(raw.url) as client:
        assert "did not list all files" in reason(ask(client, RenameOf(TEAM, "x", ENTRY)))
        assert len(raw.requests) == DIFF_PAGES


def add_members(made: NominationWorld, count: int) -> set[str]:
    """Add developers to the maintainers' group and return everybody in it."""
    for number in range(count):
        user = made.user(f"member-{number:04}")
        made.group.members[user.id] = Member(user=user, level=Level.DEVELOPER, created_at=START)
    return {member.user.username for member in made.group.members.values()}


@pytest.mark.parametrize(("more", "calls"), [(97, 1), (98, 1), (99, 2), (298, 3)])
def test_the_members_of_a_large_group_are_read_over_all_pages(
    made: NominationWorld, client: GitLabClient, more: int, calls: int
) -> None:
    everybody = add_members(made, more)
    found = ask(client, MembersOf(MAINTAINERS))
    assert isinstance(found, Members)
    assert {member.username for member in found.direct} == everybody
    assert [member.username for member in found.owners] == ["olga"]
    assert (found.following, client.calls) == (None, calls)
    assert made.world.violations == []


@pytest.mark.sample(1)
@pytest.mark.parametrize("inherited", [False, True])
def test_a_group_without_an_end_is_read_up_to_the_limit(
    made: NominationWorld, client: GitLabClient, inherited: bool
) -> None:
    add_members(made, 1100)
    found = ask(client, MembersOf(MAINTAINERS, inherited))
    assert client.calls == MEMBER_PAGES
    if inherited:
        assert isinstance(found, Members)
        assert len(found.direct) == 1000
        assert found.following
    else:
        assert "more than 1000 direct members" in reason(found)


def test_a_further_page_of_members_that_fails_leaves_them_unread(
    made: NominationWorld, server: Server, client: GitLabClient
) -> None:
    add_members(made, 120)
    server.fault(Fault(route=QUERY, kind=Kind.GRAPHQL_ERRORS, calls=[1]))
    assert "Internal server error" in reason(ask(client, MembersOf(MAINTAINERS)))


def test_a_further_page_of_members_that_is_no_list_leaves_them_unread() -> None:
    user = {"username": "max", "state": "active", "bot": False}
    direct = {
        "pageInfo": {"hasNextPage": True, "endCursor": "x"},
        "nodes": [{"accessLevel": {"integerValue": 40}, "user": user}],
    }
    bodies = [
        json.dumps({"data": {"group0": page}}).encode() for page in ({"direct": direct}, None)
    ]
    said = saying(*(answer("200 OK", body) for body in bodies))
    with raw_server(said) as raw, connect(raw.url) as client:
        assert "did not list all members" in reason(ask(client, MembersOf(MAINTAINERS)))


def test_inherited_members_are_listed_where_they_are_wanted(
    made: NominationWorld, client: GitLabClient
) -> None:
    parent = Group(
        id=made.world.next_id("group"), full_path="gitlab-org", name="g", created_at=START
    )
    dora = made.user("dora")
    parent.members[dora.id] = Member(user=dora, level=Level.DEVELOPER, created_at=START)
    made.world.add_group(parent)
    made.group.parent = parent
    direct, all_of = (ask(client, MembersOf(MAINTAINERS, each)) for each in (False, True))
    assert isinstance(direct, Members)
    assert isinstance(all_of, Members)
    assert {m.username for m in all_of.direct} - {m.username for m in direct.direct} == {"dora"}


def test_requests_run_out_in_the_same_way_every_time(server: Server) -> None:
    needs: set[Need] = {FileAt(TEAM, f"branch-{n}", "a" * 20) for n in range(200)}
    needs |= {work_of(GATEWAY, f"person-{n}") for n in range(9)}

    def look() -> set[Need]:
        with connect(server.url, calls=WRITING + 6) as client:
            found = client.fetch_facts(needs)
            assert client.calls == 6
        return {n for n, f in found.items() if isinstance(f, Unread) and "at most" in f.reason}

    first = look()
    assert first
    assert look() == first


# --- writing ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.ERROR_BEFORE, Kind.ERROR_AFTER, Kind.CUT_AFTER])
def test_a_comment_that_is_doubtful_is_not_written_again_here(
    made: NominationWorld, server: Server, client: GitLabClient, kind: Kind
) -> None:
    here = read(client)
    server.fault(Fault(route="POST */notes", kind=kind))
    with pytest.raises(DoubtfulWriteError):
        client.create_note(here, "hello")
    assert len(made.writes()) == 1


def test_a_comment_taken_for_quick_actions_is_an_error(
    made: NominationWorld, client: GitLabClient
) -> None:
    with pytest.raises(GitLabError, match="took the comment for quick actions"):
        client.create_note(read(client), "/draft")
    assert made.nomination.comments == []


def test_a_comment_is_written_changed_and_removed(
    made: NominationWorld, client: GitLabClient
) -> None:
    here = read(client)
    number = client.create_note(here, "hello")
    client.update_note(here, number, "changed")
    assert [note.body for note in client.fetch_notes(here)] == ["changed"]
    client.delete_note(here, number)
    client.delete_note(here, number)
    assert client.fetch_notes(here) == ()
    assert made.world.violations == []


@pytest.mark.parametrize("way", ["in order", "turned round", "spoken already", "known too little"])
def test_of_many_comments_only_the_new_ones_are_read_again(
    made: NominationWorld, client: GitLabClient, way: str
) -> None:
    for number in range(105):
        made.say(f"Comment {number}.")
    if way == "spoken already":
        made.say("I was here.", by="nomination-bot")
    if way == "turned round":  # GitLab promises no order
        made.nomination.notes.reverse()
    here = read(client)
    if way == "known too little":
        here = replace(here, notes=here.notes[:-1])
    number = client.create_note(here, "hello")
    later = made.say("A word in between.")
    before = client.calls
    found = client.fetch_notes(here)
    assert client.calls - before == (1 if way == "in order" else 2)
    assert {note.id for note in found} == {note.id for note in made.nomination.comments}
    assert {number, later.id} <= {note.id for note in found}
    assert len(found) == len(made.nomination.comments)


@pytest.fixture
def asking(server: Server) -> Iterator[tuple[Transport, GitLabClient]]:
    transport = Transport(server.url, Secret(SECRET), 30, 60)
    client = GitLabClient(transport)
    yield transport, client
    client.close()


def test_what_is_asked_ahead_is_read_once(
    made: NominationWorld, asking: tuple[Transport, GitLabClient]
) -> None:
    transport, client = asking
    ask_ahead(transport, TEAM, 1)
    found = read(client)
    assert (found.iid, client.calls) == (1, 1)
    made.say("Meanwhile.")
    assert read(client).notes[-1].body == "Meanwhile."
    assert client.calls == 2
    ask_ahead(transport, "7001", 1)  # a project that is given by its number is looked up before
    assert client.calls == 2


def test_what_fails_when_asked_ahead_fails_when_read(
    asking: tuple[Transport, GitLabClient],
) -> None:
    transport, client = asking
    ask_ahead(transport, TEAM, 404)
    with pytest.raises(GitLabError, match="!404 does not exist"):
        client.fetch_merge_request(TEAM, 404)


def test_removing_what_is_somebody_elses_is_refused(
    made: NominationWorld, client: GitLabClient
) -> None:
    note = made.say("mine")
    with pytest.raises(RefusedError):
        client.delete_note(read(client), note.id)
    assert made.nomination.comments == [note]


@pytest.mark.parametrize("kind", [Kind.ERROR_AFTER, Kind.CUT_AFTER, Kind.ERROR_BEFORE])
def test_an_emoji_is_put_once_whatever_happens(
    made: NominationWorld, server: Server, client: GitLabClient, kind: Kind
) -> None:
    note, here = made.say("/nomination help"), read(client)
    server.fault(Fault(route="POST */award_emoji", kind=kind, calls=[0]))
    client.award_emoji(here, note.id, "eyes")
    client.award_emoji(here, note.id, "eyes")
    assert awards(note) == ["eyes"]


def test_an_emoji_that_is_refused_is_an_error(server: Server, client: GitLabClient) -> None:
    here = read(client)
    server.fault(Fault(route="POST */award_emoji", kind=Kind.FORBIDDEN))
    with pytest.raises(GitLabError, match="refused the emoji :eyes:"):
        client.watch(here)


def test_an_emoji_on_a_comment_that_is_refused_is_an_error(
    made: NominationWorld, server: Server, client: GitLabClient
) -> None:
    note, here = made.say("/nomination help"), read(client)
    server.fault(Fault(route="POST */award_emoji", kind=Kind.FORBIDDEN))
    with pytest.raises(RefusedError):
        client.award_emoji(here, note.id, "eyes")


def test_merge_requests_that_changed_lately_are_listed_with_their_paths_on_all_pages(
    made: NominationWorld, client: GitLabClient
) -> None:
    long_ago = made.world.now - timedelta(days=9)
    before = dict(client.fetch_recent(TEAM, long_ago))
    assert any("team_members" in path for path in before[1] or ())
    for number in range(51):
        open_another(made, f"branch-{number}", f"notes-{number}.md")
    found = dict(client.fetch_recent(TEAM, long_ago))
    assert len(found) == len(before) + 51
    assert ("notes-7.md",) in found.values()
    assert list(client.fetch_recent(TEAM, made.world.now + timedelta(days=1))) == []


def listed(number: int, **stats: object) -> dict[str, object]:
    return {"iid": str(number), "diffRefs": {"baseSha": "a" * 40}, **stats}


def test_paths_that_were_not_all_told_are_unknown() -> None:
    paths, whole = [{"path": "a.yml"}], {"fileCount": 1}
    nodes = [
        listed(1, diffStats=None, diffStatsSummary=whole),
        listed(2, diffStats=paths, diffStatsSummary=None),
        listed(3, diffStats=paths, diffStatsSummary={"fileCount": 2}),
        listed(4, diffStats=paths, diffStatsSummary=whole),
    ]
    page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": nodes}
    body = json.dumps({"data": {"project": {"mergeRequests": page}}}).encode()
    with raw_server(saying(answer("200 OK", body))) as raw, connect(raw.url) as client:
        found = dict(client.fetch_recent(TEAM, datetime(2026, 1, 1, tzinfo=UTC)))
    assert found == {1: None, 2: None, 3: None, 4: ("a.yml",)}


def test_a_list_without_an_end_is_read_up_to_the_limit_and_called_cut() -> None:
    page = {
        "pageInfo": {"hasNextPage": True, "endCursor": "x"},
        "nodes": [listed(1, diffStats=None, diffStatsSummary=None)],
    }
    body = json.dumps({"data": {"project": {"mergeRequests": page}}}).encode()
    found: list[Any] = []
    with raw_server(saying(answer("200 OK", body))) as raw, connect(raw.url, calls=200) as client:
        recent = client.fetch_recent(TEAM, datetime(2026, 1, 1, tzinfo=UTC))
        with pytest.raises(GitLabError, match="more merge requests to look through"):
            found.extend(recent)
        assert found == [(1, None)] * LIST_PAGES
        assert len(raw.requests) == LIST_PAGES


def test_the_mark_for_the_sweep_is_found_and_taken_off(
    made: NominationWorld, client: GitLabClient
) -> None:
    here = read(client)
    assert client.fetch_watched(TEAM, "opened") == []
    client.watch(here)
    actions.award_emoji(made.world, made.user("max"), made.nomination, "eyes")
    actions.award_emoji(made.world, made.user("nomination-bot"), made.nomination, "tada")
    assert client.fetch_watched(TEAM, "opened") == [1]
    assert client.fetch_watched(TEAM, "merged") == []
    client.unwatch(here)
    assert client.fetch_watched(TEAM, "opened") == []
    left = {(award.name, award.user.username) for award in made.nomination.awards}
    assert left == {("eyes", "max"), ("tada", "nomination-bot")}


@pytest.mark.parametrize("body", [b"{}", b"[1]", b'[{"name": "eyes"}]', b"<html>"])
def test_an_odd_list_of_marks_is_an_error_not_a_crash(client: GitLabClient, body: bytes) -> None:
    here = read(client)
    with raw_server(saying(answer("200 OK", body))) as raw, connect(raw.url) as odd:
        with pytest.raises(GitLabError):
            odd.fetch_watched(TEAM, "opened")
        with pytest.raises(GitLabError):
            odd.unwatch(here)


def test_a_status_is_posted_and_read_again(made: NominationWorld, client: GitLabClient) -> None:
    here = read(client)
    fields = {"state": "failed", "name": STATUS, "description": "no", "ref": "nominate-nina"}
    client.set_commit_status(here, fields)
    draft = StatusDraft(state="success", name="other", ref="nominate-nina")
    actions.set_commit_status(made.world, made.user("max"), made.team, here.head_sha or "", draft)
    (status,) = client.fetch_statuses(here, STATUS)
    assert (status.state, status.description, status.author_id) == ("failed", "no", here.me.id)


@pytest.mark.parametrize("kind", [Kind.ERROR_AFTER, Kind.CUT_AFTER, Kind.ERROR_BEFORE])
def test_a_check_is_answered_again_when_that_failed(
    made: NominationWorld, server: Server, client: GitLabClient, kind: Kind
) -> None:
    check = add_check(made)
    here = read(client)
    server.fault(Fault(route="POST */status_check_responses", kind=kind, calls=[0]))
    answered: dict[str, str | int] = {
        "external_status_check_id": check.id,
        "sha": here.head_sha or "",
        "status": "passed",
    }
    client.answer_status_check(here, answered)
    assert made.nomination.check_answers[-1].status == "passed"


def test_writes_go_out_together_and_each_tells_its_failure(client: GitLabClient) -> None:
    here = read(client)
    done: list[int] = []

    def refuse() -> None:
        client.delete_note(here, 999)
        raise GitLabError("no")

    first, second = client.run_together([lambda: done.append(1), refuse])
    assert first is None
    assert str(second) == "no"
    assert done == [1]


def test_the_last_requests_are_kept_for_writing(made: NominationWorld, server: Server) -> None:
    with connect(server.url, calls=WRITING + 1) as client:
        here = read(client)
        assert "at most" in reason(ask(client, RENOVATE))
        (failed,) = client.run_together([lambda: client.update_note(here, 1, "x")])
        assert isinstance(failed, RefusedError)
        client.create_note(here, "hello")
    assert len(made.nomination.comments) == 1


def test_without_a_date_the_own_clock_is_read() -> None:
    with connect("http://127.0.0.1:1") as client:
        assert abs(time.time() - client.now().timestamp()) < 5  # noqa: TID251  compares clocks


def test_the_last_push_is_that_of_the_newest_version(
    made: NominationWorld, client: GitLabClient
) -> None:
    here = client.fetch_merge_request(TEAM, 1)
    first = pushed_at(here, client.fetch_facts([VersionsOf.of(here)]))
    assert first
    made.push({ENTRY: entry("nina", "maintainer") + b"job: other\n"}, branch="nominate-nina")
    later = pushed_at(here, client.fetch_facts([VersionsOf.of(here)]))
    assert later
    assert later > first


def test_changes_without_any_version_have_no_known_push(
    made: NominationWorld, client: GitLabClient
) -> None:
    here = client.fetch_merge_request(TEAM, 1)
    made.nomination.versions.clear()
    facts = client.fetch_facts([VersionsOf.of(here)])
    assert isinstance(facts[VersionsOf.of(here)], Unread)
    assert pushed_at(here, facts) == datetime.max.replace(tzinfo=UTC)
