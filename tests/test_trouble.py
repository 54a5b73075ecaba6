"""The issue that says what has not worked, and since when: opened, updated and closed by sweeps."""

import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import Look
from bot.app.trouble import MARKER, MOST, TITLE, Trouble, find_troubles, keep_issue
from bot.cli.sweeping import _look_at_all
from bot.config import Secret, parse_settings
from bot.errors import RefusedError
from bot.gitlab import Issue, Issues, Transport
from bot.policy import BrokenPolicy
from bot.publish import Problem
from bot.report import Words
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Issue as Stored, Level, Project, Token
from tests.hostile import CORPUS
from tests.nomination_world import (
    SECRET,
    TEAM,
    NominationWorld,
    add_project,
    make_choices,
    make_world,
    settings,
)
from tests.processes import run_here

HOST = "gitlab-org/nomination-bot"
NOTES = "POST *notes"


@pytest.fixture
def made() -> Iterator[NominationWorld]:
    made = make_world(reviewed=3)
    add_project(made.world, HOST, 7900, {"README.md": b"The bot.\n"})
    yield made
    assert made.world.violations == []


@pytest.fixture
def host(made: NominationWorld) -> Project:
    return made.world.project(HOST)


def sweep(server: Server, **more: str) -> subprocess.CompletedProcess[str]:
    given = {"CI_PROJECT_PATH": HOST, "NOMINATION_BOT_ISSUE": "true"}
    done = run_here("sweep", **(settings(server.url, job=True) | given | more))
    assert SECRET not in done.stdout + done.stderr
    return done


def break_comments(server: Server) -> None:
    server.fault(Fault(route=NOTES, kind=Kind.FORBIDDEN))


def test_an_issue_is_opened_kept_and_closed(
    made: NominationWorld, host: Project, server: Server
) -> None:
    break_comments(server)
    first = sweep(server)
    assert first.returncode == 1
    assert first.stdout.splitlines()[-1].startswith(
        "Looked at 1 merge requests. Something failed at !1. "
    )
    (issue,) = host.issues.values()
    assert f"issue: opened {server.url}/{HOST}/-/issues/1" in first.stderr
    assert (issue.title, issue.state, issue.confidential) == (TITLE, "opened", True)
    assert f"{server.url}/{TEAM}/-/merge_requests/1" in issue.description
    assert "GitLab answered 403" in issue.description
    assert SECRET not in issue.description
    before, since = issue.description, made.world.now
    made.world.tick(3 * 3600)
    again = sweep(server)
    assert again.returncode == 1
    assert "issue:" not in again.stderr
    assert list(host.issues.values()) == [issue]
    assert issue.description == before
    assert f"Since {since:%Y-%m-%d %H}:" in before
    server.misbehaving.faults.switch_off()
    whole = sweep(server)
    assert whole.returncode == 0
    assert f"issue: closed {server.url}/{HOST}/-/issues/1" in whole.stderr
    assert issue.state == "closed"
    assert f"Something had not since {since:%Y-%m-%d %H}:" in issue.description
    assert sweep(server).stderr == ""


def test_what_fails_later_is_added(made: NominationWorld, host: Project, server: Server) -> None:
    break_comments(server)
    sweep(server)
    first = made.world.now
    made.world.tick(3 * 3600)
    server.fault(Fault(route="GET *merge_requests", kind=Kind.FORBIDDEN))
    said = sweep(server)
    assert f"issue: updated {server.url}/{HOST}/-/issues/1" in said.stderr
    (issue,) = host.issues.values()
    assert issue.description.splitlines()[1].startswith(f"Since {first:%Y-%m-%d %H}:")
    assert "\n| `what is marked and " in issue.description
    assert f"{server.url}/{TEAM}/-/merge_requests/1" in issue.description


@pytest.mark.parametrize("more", [{"NOMINATION_BOT_ISSUE": ""}, {"NOMINATION_BOT_OBSERVE": "true"}])
def test_no_issue_is_opened_unless_it_is_asked_for(
    host: Project, server: Server, more: dict[str, str]
) -> None:
    server.fault(Fault(route="POST /api/graphql", kind=Kind.GRAPHQL_ERRORS))
    assert sweep(server, **more).returncode == 1
    assert host.issues == {}


def test_what_fails_once_and_then_works_is_no_trouble(host: Project, server: Server) -> None:
    server.fault(Fault(route=NOTES, kind=Kind.FORBIDDEN, calls={0}))
    assert sweep(server).returncode == 0
    assert host.issues == {}


def test_a_sweep_that_cannot_begin_leaves_an_issue(host: Project, server: Server) -> None:
    said = sweep(server, NOMINATION_BOT_TEAM_PROJECT="424242")
    assert said.returncode == 1
    assert "| `the sweep` |" in host.issues[1].description
    assert "404" in host.issues[1].description


def test_a_team_database_named_by_number_has_no_link(
    made: NominationWorld, host: Project, server: Server
) -> None:
    break_comments(server)
    sweep(server, NOMINATION_BOT_TEAM_PROJECT=str(made.team.id))
    assert "| `!1` |" in host.issues[1].description


def test_a_bug_leaves_an_issue_and_its_trace(host: Project, server: Server, tmp_path: Path) -> None:
    endless = "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}"
    (tmp_path / "comment.md.j2").write_text(endless, "utf-8")
    said = sweep(server, NOMINATION_BOT_TEMPLATES=str(tmp_path))
    assert said.returncode == 3
    assert "RecursionError" in said.stderr
    assert "RecursionError" in host.issues[1].description


def test_a_bug_is_a_trouble_before_it_is_raised() -> None:
    class Client:
        def fetch_project_path(self, _: str) -> str:
            raise KeyError("nobody thought of this")

    given = {"NOMINATION_BOT_TOKEN": SECRET, "CI_SERVER_URL": "https://gitlab.example.com"}
    looks, bug = _look_at_all(parse_settings(given), make_choices(), Client())  # type: ignore[arg-type]
    assert isinstance(bug, KeyError)
    told = list(map(str, looks[0].problems))
    assert told == ["the sweep: a bug (KeyError), see the log of the job"]


def test_an_issue_that_cannot_be_written_fails_the_sweep_and_says_so(
    host: Project, server: Server
) -> None:
    break_comments(server)
    server.fault(Fault(route="POST *issues", kind=Kind.FORBIDDEN))
    said = sweep(server)
    assert said.returncode == 1
    assert f"the issue in {HOST}: GitLab answered 403" in said.stderr
    assert "nomination-bot: !1: " in said.stderr
    assert host.issues == {}


@pytest.mark.parametrize("kind", [Kind.ERROR_AFTER, Kind.CUT_AFTER])
def test_an_issue_is_never_opened_twice_where_the_answer_was_lost(
    host: Project, server: Server, kind: Kind
) -> None:
    break_comments(server)
    server.fault(Fault(route="POST *issues", kind=kind, calls={0}))
    said = sweep(server)
    assert f"issue: opened {server.url}/{HOST}/-/issues/1" in said.stderr
    assert len(host.issues) == 1


def test_where_it_is_not_known_to_be_opened_and_is_not_the_next_sweep_does(
    host: Project, server: Server
) -> None:
    break_comments(server)
    server.fault(Fault(route="POST *issues", kind=Kind.ERROR_BEFORE, calls={0}))
    assert f"the issue in {HOST}: " in sweep(server).stderr
    assert host.issues == {}
    sweep(server)
    assert len(host.issues) == 1


def add_issue(made: NominationWorld, host: Project, description: str, by: str) -> Stored:
    now, iid = made.world.tick(60), len(host.issues) + 1
    issue = Stored(
        id=iid,
        iid=iid,
        title=TITLE,
        author=made.user(by),
        created_at=now,
        updated_at=now,
        description=description,
    )
    host.issues[iid] = issue
    return issue


def test_it_is_found_by_author_and_mark_and_doubles_are_closed(
    made: NominationWorld, host: Project, server: Server
) -> None:
    forged = add_issue(made, host, MARKER, "max")
    other = add_issue(made, host, f"Quoted:\n{MARKER}", "nomination-bot")
    own = add_issue(made, host, MARKER, "nomination-bot")
    double = add_issue(made, host, MARKER, "nomination-bot")
    break_comments(server)
    sweep(server)
    assert len(host.issues) == 4
    assert (forged.description, other.state) == (MARKER, "opened")
    assert "/merge_requests/1" in own.description
    assert (double.state, double.description) == ("closed", f"{MARKER}\nThe same as #3.\n")


def test_a_guest_of_a_private_project_may_keep_it(
    made: NominationWorld, host: Project, server: Server
) -> None:
    host.visibility = "private"
    break_comments(server)
    assert f"the issue in {HOST}: GitLab answered 404" in sweep(server).stderr
    olga, bot = made.user("olga"), made.user("nomination-bot")
    host.members[bot.id] = type(host.members[olga.id])(
        user=bot, level=Level.GUEST, created_at=made.world.now
    )
    sweep(server)
    server.misbehaving.faults.switch_off()
    sweep(server)
    assert host.issues[1].state == "closed"


# --- words and times ----------------------------------------------------------------------

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
WORDS = Words(None, "https://gitlab.example.com", "nomination")


HEAD = ("| Where | What |", "| --- | --- |")


class Memory(Issues):
    """An issue tracker that holds one issue at most."""

    def __init__(self, description: str | None = None, age: int = 1) -> None:
        self.issue: Issue | None = None
        self.closed = False
        if description is not None:
            self._store(description, NOW - timedelta(hours=age))

    def _store(self, description: str, created_at: datetime) -> None:
        self.issue = Issue(
            iid=1, title=TITLE, description=description, created_at=created_at, web_url="u"
        )

    def fetch_open(self) -> list[Issue]:
        """List the issue."""
        return [self.issue] if self.issue else []

    def create(self, title: str, description: str) -> str:
        """Make the issue."""
        self._store(description, NOW)
        return title

    def change(self, iid: int, description: str, *, close: bool = False) -> None:
        """Change the issue."""
        assert iid == 1
        self._store(description, NOW)
        self.closed = close

    @property
    def text(self) -> str:
        """Return what stands there."""
        return self.issue.description if self.issue else ""


def test_since_when_is_told_by_gitlab_whatever_somebody_wrote() -> None:
    tracker = Memory(
        f"{MARKER}\nSince 1999-01-01 00:00 UTC <!-- since 1999-01-01T00:00Z -->", age=2
    )
    keep_issue([Trouble(place="!1", words="It failed.")], tracker, WORDS, NOW)
    assert "1999" not in tracker.text
    assert "\nSince 2026-03-01 10:00 UTC the nomination bot" in tracker.text


@pytest.mark.parametrize("text", CORPUS)
def test_foreign_text_in_the_issue_is_inert(text: str) -> None:
    tracker = Memory()
    keep_issue([Trouble(place=text, words=text)], tracker, WORDS, NOW)
    lines = tracker.text.splitlines()
    (row,) = [line for line in lines if line.startswith("| ") and line not in HEAD]
    assert "<!--" not in row
    assert not any(line.startswith("/") for line in lines)
    assert len(lines) == len(lines_of("x"))


def lines_of(words: str) -> list[str]:
    tracker = Memory()
    keep_issue([Trouble(place="!1", words=words)], tracker, WORDS, NOW)
    return tracker.text.splitlines()


def test_many_troubles_are_cut_and_those_of_one_place_joined() -> None:
    tracker = Memory()
    found = [Trouble(place=f"!{n}", words="No.") for n in range(MOST + 2)]
    again = Trouble(place="!0", words="Nor that.")
    keep_issue([*found, again, again], tracker, WORDS, NOW)
    assert sum(line.startswith("| `!") for line in tracker.text.splitlines()) == MOST
    assert "And 2 more: see the log" in tracker.text
    assert "No. Nor that. |" in tracker.text


def test_broken_policies_are_troubles() -> None:
    broken = BrokenPolicy(
        source="/etc/policies/a.yml",
        mistakes=("/etc/policies/a.yml:3: no.",),
        project="p",
        role="maintainer",
        team_files="x",
    )
    looks = [Look(iid=None, problems=(Problem(what="a list was not all listed", why="500"),))]
    listed, policy = find_troubles(looks, [broken], "https://gitlab.example.com/t")
    assert (listed.place, listed.words) == ("a list was not all listed", "500")
    assert policy.place == "policy a.yml"
    assert policy.words.startswith("/etc/policies/a.yml:3: no. ")


def test_an_odd_answer_is_an_error_that_says_so(
    made: NominationWorld, host: Project, server: Server
) -> None:
    add_issue(made, host, MARKER, "nomination-bot").created_at = None  # type: ignore[assignment]
    said = sweep(server)
    assert "another shape than expected" in said.stderr
    assert said.returncode == 1


# --- what the sandbox refuses ---------------------------------------------------------------


def test_the_sandbox_refuses_what_gitlab_refuses(
    made: NominationWorld, host: Project, server: Server
) -> None:
    for name in ("max", "dora"):
        token = Token(id=900 + len(name), value=f"glpat-{name}-issues", user=made.user(name))
        made.world.tokens.append(token)
    own, others = (
        Transport(server.url, Secret(f"glpat-{name}-issues"), 20, 50) for name in ("max", "dora")
    )
    address = Issues(own, HOST).create("Mine", "text")
    assert address == f"{server.url}/{HOST}/-/issues/1"
    path = f"/projects/{host.id}/issues"
    host.issues_access = "disabled"
    assert refused(own, "post", path, {"title": "x"}) == 403
    host.issues_access = "enabled"
    for fields, code in (
        ({"title": " "}, 400),
        ({"title": "x" * 256}, 400),
        ({}, 400),
    ):
        assert refused(own, "post", path, fields) == code
    assert refused(own, "put", f"{path}/1", {}) == 400
    assert refused(own, "put", f"{path}/9", {"title": "x"}) == 404
    # One that is confidential is not there for others; one that is not is not theirs to change.
    assert refused(others, "put", f"{path}/1", {"title": "x"}) == 404
    host.issues[1].confidential = False
    assert refused(others, "put", f"{path}/1", {"title": "x"}) == 403
    own.change("put", f"{path}/1", {"state_event": "close"})
    assert host.issues[1].closed_by is made.user("max")
    own.change("put", f"{path}/1", {"state_event": "reopen"})
    rows, _ = others.fetch_rows(path, {"sort": "desc", "order_by": "updated_at"})
    assert [(row["iid"], row["closed_at"]) for row in rows] == [(1, None)]


def refused(door: Transport, verb: str, path: str, fields: Mapping[str, object]) -> int:
    with pytest.raises(RefusedError) as error:
        door.change(verb, path, fields)
    return error.value.code
