"""Tests of every command, by the door through which processes come."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from bot.app.sweep import MOST_LOOKS
from bot.cli import run_command
from bot.cli.named import GATE_SHUT
from bot.cli.wiring import give_up
from bot.errors import BotError, ConfigError
from bot.event import MAX_BYTES
from bot.rulebook.loading import SHIPPED
from bot.sandbox.acts import actions
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Level
from tests.builders import TROUBLE
from tests.event_bodies import make_merge_request_body
from tests.nomination_world import (
    ENTRY,
    FOLDER,
    SECRET,
    TEAM,
    NominationWorld,
    add_check,
    entry,
    make_world,
    settings as world_settings,
)
from tests.processes import ROOT, run_bot, run_here, run_python, write_payload
from tests.raw_server import drip, hang, raw_server

TARGET = f"{TEAM}!1"
Done = subprocess.CompletedProcess[str]

pytestmark = pytest.mark.usefixtures("everything_written")


@pytest.fixture
def made() -> NominationWorld:
    return make_world(reviewed=3)


def settings(url: str, **more: str) -> dict[str, str]:
    given = {"DEADLINE": "20", **more}
    job = world_settings(url, job=True)
    return job | {f"NOMINATION_BOT_{name}": value for name, value in given.items()}


def bot(url: str, *arguments: str, **more: str) -> Done:
    """Run a command by the door of all processes; its token never shows."""
    return keeping_secrets(run_here(*arguments, **settings(url, **more)))


def process(url: str, *arguments: str, **more: str) -> Done:
    """Run a command as a person or a job does, in a process of its own."""
    return keeping_secrets(run_bot(*arguments, **settings(url, **more)))


def keeping_secrets(done: Done) -> Done:
    """Look for the token in what was printed."""
    assert SECRET not in done.stdout + done.stderr
    return done


def here(url: str, *arguments: str, **more: str) -> int:
    """Run a command behind the door, where errors are raised."""
    return run_command(arguments, settings(url, **more))


def one_line(done: Done) -> str:
    """Return the one line in which an expected error is told."""
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("nomination-bot: ")
    return line


# --- check --------------------------------------------------------------------------------


def test_check_evaluates_and_publishes(made: NominationWorld, server: Server) -> None:
    done = process(server.url, "check", TARGET)
    assert (done.returncode, done.stderr) == (0, "")
    first, *_, last = done.stdout.splitlines()
    assert first.startswith(f"{TARGET} (opened, head ")
    note = made.own_notes()[0]
    assert last == (
        "!1 @nina: 1 of 3 open (reviewed 3/5); gate failed; "
        f"comment {server.url}/{TEAM}/-/merge_requests/1#note_{note.id}; 3 writes, 9 calls"
    )
    assert len(made.own_notes()) == 1
    again = bot(server.url, "check", f"{server.url}/{TEAM}/-/merge_requests/1#note_1")
    assert "0 writes, 5 calls" in again.stdout


def test_a_dry_run_shows_all_and_writes_nothing(made: NominationWorld, server: Server) -> None:
    done = bot(server.url, "check", TARGET, "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert "| Requirement |" in done.stdout
    for would in ("set the gate (commit-status)", "create the comment", "mark the merge request"):
        assert f"would {would}" in done.stdout
    assert made.writes() == []


def test_a_dry_run_says_when_there_is_nothing_to_do(
    made: NominationWorld, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    here(server.url, "check", TARGET)
    capfd.readouterr()
    assert here(server.url, "check", TARGET, "--dry-run") == 0
    assert "would write nothing" in capfd.readouterr().out
    mr = made.open({"README.md": b"x"}, branch="readme")
    assert here(server.url, "check", f"{TEAM}!{mr.iid}", "--dry-run") == 0
    assert "nominates nobody" in capfd.readouterr().out


def test_json_is_the_assessment_and_writes_nothing(made: NominationWorld, server: Server) -> None:
    done = bot(server.url, "check", TARGET, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["iid"], told["gate"]) == (1, "failed")
    assert [each["username"] for each in told["nominations"]] == ["nina"]
    assert made.writes() == []


def test_what_nominates_nobody_is_said_in_a_line(made: NominationWorld, server: Server) -> None:
    mr = made.open({"README.md": b"x"}, branch="readme")
    done = bot(server.url, "check", f"{TEAM}!{mr.iid}")
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f"!{mr.iid} nobody is nominated; nothing to say; 0 writes, ")
    assert (done.returncode, made.writes()) == (0, [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "!1",
        "group!1",
        f"{TEAM}#1",
        f"{TEAM}!0",
        f"{TEAM}!x",
        "a/b!1 ",
        "http://127.0.0.1:1/!1",
        "https://elsewhere.example/a/b/-/merge_requests/1",
    ],
)
def test_a_bad_target_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="names no merge request"):
        here("http://127.0.0.1:1", "check", text)


def test_a_number_names_the_project_too(made: NominationWorld, server: Server) -> None:
    assert here(server.url, "check", "7001!1") == 0
    assert len(made.own_notes()) == 1


# --- the gate as exit code ----------------------------------------------------------------


def test_without_a_gate_the_exit_code_is_the_gate(made: NominationWorld, server: Server) -> None:
    done = bot(server.url, "check", TARGET, GATE="none")
    assert (done.returncode, done.stderr) == (GATE_SHUT, "")
    assert made.statuses() == []
    made.review_all(2)
    assert here(server.url, "check", TARGET, GATE="none") == 0
    mr = made.open({"README.md": b"x"}, branch="readme")
    assert here(server.url, "check", f"{TEAM}!{mr.iid}", GATE="none") == 0


def test_what_is_closed_has_no_gate(
    made: NominationWorld, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    made.nomination.state = "closed"
    made.say("/nomination recheck")
    assert here(server.url, "check", TARGET, GATE="none") == 0
    assert "gate left alone; " in capfd.readouterr().out


def test_a_refused_gate_fails_the_job_in_words(made: NominationWorld, server: Server) -> None:
    bot_user = made.user("nomination-bot")
    made.team.members[bot_user.id].level = Level.REPORTER
    done = bot(server.url, "check", TARGET)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("nomination-bot: gate: GitLab answered 403")
    assert "needs the Developer role" in line
    assert TROUBLE in made.own_notes()[0].body


def test_a_missing_check_is_said_even_where_nobody_is_nominated(
    made: NominationWorld, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    add_check(made, "other")
    mr = made.open({"README.md": b"x"}, branch="readme")
    gate = "external-status-check"
    assert here(server.url, "check", f"{TEAM}!{mr.iid}", GATE=gate) == 0
    told = capfd.readouterr()
    assert "no external status check named nomination-bot" in told.err
    assert made.writes() == []


def test_a_status_check_is_answered_without_any_comment(
    made: NominationWorld, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    add_check(made)
    mr = made.open({"README.md": b"x"}, branch="readme")
    assert here(server.url, "check", f"{TEAM}!{mr.iid}", GATE="external-status-check") == 0
    assert "1 writes, 3 calls" in capfd.readouterr().out
    assert [answer.status for answer in mr.check_answers] == ["passed"]


# --- settings -----------------------------------------------------------------------------


def test_all_missing_settings_are_told_at_once() -> None:
    done = run_here("check", TARGET)
    token, url = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert "NOMINATION_BOT_TOKEN" in token
    assert "NOMINATION_BOT_GITLAB_URL" in url


def test_all_wrong_settings_are_told_at_once() -> None:
    wrong = {"GATE": "fence", "DEADLINE": "soon", "FORMER_IDS": "me", "TEAM_PROJECT": "here"}
    done = bot("gopher://x", "sweep", **wrong)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == len(wrong) + 1
    for name in ("GITLAB_URL", *wrong):
        assert f"nomination-bot: NOMINATION_BOT_{name}" in done.stderr


@pytest.mark.parametrize("word", ["assign", "nomi nation", "1"])
def test_a_command_word_that_gitlab_knows_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match="NOMINATION_BOT_COMMAND is"):
        here("http://127.0.0.1:1", "check", TARGET, COMMAND=word)


def test_settings_take_effect(made: NominationWorld, server: Server, tmp_path: Path) -> None:
    (tmp_path / "gate.txt.j2").write_text("Custom words\n", "utf-8")
    code = here(
        server.url, "check", TARGET, TEMPLATES=str(tmp_path), STATUS_NAME="other", COMMAND="nominee"
    )
    assert code == 0
    (status,) = [job for pipeline in made.team.pipelines for job in pipeline.jobs]
    assert (status.name, status.description) == ("other", "Custom words")
    assert "/nominee recheck" in made.own_notes()[0].body


# --- bad input ----------------------------------------------------------------------------

SHAPES = {
    "not JSON": b"{",
    "empty": b"",
    "a list": b"[]",
    "no kind": b"{}",
    "no merge request": json.dumps(
        make_merge_request_body("open")
        | {"object_attributes": 1, "project": {"path_with_namespace": TEAM}}
    ).encode(),
    "a merge request that is not there": f'"{TEAM}" "iid": 99'.encode(),
    "too long": b" " * (MAX_BYTES + 1),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_payload_of_the_wrong_shape_leads_to_what_changed_lately(
    name: str, tmp_path: Path, server: Server, made: NominationWorld
) -> None:
    path = write_payload(tmp_path, SHAPES[name])
    done = run_here("run", **settings(server.url), TRIGGER_PAYLOAD=path)
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert "The payload is not what GitLab sends: " in done.stderr
    assert done.stderr.count("\n") == 1
    assert len(made.own_notes()) == 1
    assert [status.status for status in made.statuses()] == ["failed"]


def test_a_payload_that_cannot_be_read_leads_there_too(
    tmp_path: Path, server: Server, made: NominationWorld
) -> None:
    path = tmp_path / "section_start:1:x\r\x1b[0K\x1b[31m"
    done = run_here("run", **settings(server.url), TRIGGER_PAYLOAD=path)
    assert done.returncode == 0
    assert "No such file" in done.stderr
    assert not {"\x1b", "\r"} & set(done.stderr)
    assert "section_start:" not in done.stderr
    assert len(made.own_notes()) == 1


def test_an_expanded_payload_leads_to_its_merge_request(
    tmp_path: Path, server: Server, made: NominationWorld
) -> None:
    raw = payload(made, tmp_path, title="$USER").read_bytes().replace(b"$USER", b'"x"')
    done = run_here("run", **settings(server.url), TRIGGER_PAYLOAD=write_payload(tmp_path, raw))
    assert done.returncode == 0
    assert "Looking at !1 instead" in done.stderr
    assert len(made.own_notes()) == 1


def test_a_broken_payload_leads_to_few_of_many(
    tmp_path: Path, server: Server, made: NominationWorld
) -> None:
    for number in range(MOST_LOOKS + 1):
        made.open({f"{FOLDER}/a/a{number}.yml": entry(f"a{number}")}, branch=f"a{number}")
    made.open({"README.md": b"x"}, branch="readme")
    given = settings(server.url, GATE="none")
    done = run_here("run", **given, TRIGGER_PAYLOAD=write_payload(tmp_path, b"{"))
    assert f"Looked at {MOST_LOOKS} merge requests." in done.stdout


def test_a_broken_payload_hides_no_failure_of_gitlab(tmp_path: Path, server: Server) -> None:
    server.fault(Fault(route="*", kind=Kind.UNAUTHORIZED))
    done = run_here("run", **settings(server.url), TRIGGER_PAYLOAD=write_payload(tmp_path, b"{"))
    assert done.returncode == 1
    assert "NOMINATION_BOT_TOKEN" in done.stderr


def test_a_broken_payload_hides_no_failure_at_what_it_names(
    tmp_path: Path, server: Server, made: NominationWorld
) -> None:
    other = made.open({f"{FOLDER}/a/ada.yml": entry("ada")}, branch="ada")
    raw = payload(made, tmp_path).read_bytes()[:-1]
    raw += f', "iid": {other.iid}, "iid": 999'.encode()
    server.fault(Fault(route="POST */notes", kind=Kind.FORBIDDEN))
    done = run_here("run", **settings(server.url), TRIGGER_PAYLOAD=write_payload(tmp_path, raw))
    assert done.returncode == 1
    assert "!1: comment: GitLab answered 403" in done.stderr
    assert "!999" not in done.stderr.splitlines()[-1]
    assert "Looked at 2 merge requests." in done.stdout


@pytest.mark.parametrize(
    ("route", "failed", "done", "last"),
    [
        ("POST */statuses/{sha}", "set the gate", "create the comment", "; gate not set; "),
        ("POST */notes", "create the comment", "set the gate", "; no comment yet; "),
        ("POST */award_emoji", "mark the merge request", "set the gate", "; gate failed; "),
    ],
)
def test_the_log_tells_of_no_write_that_was_refused(
    server: Server, route: str, failed: str, done: str, last: str
) -> None:
    server.fault(Fault(route=route, kind=Kind.FORBIDDEN))
    run = bot(server.url, "check", TARGET)
    lines = run.stdout.splitlines()
    assert run.returncode == 1
    assert [line for line in lines if line.startswith(f"  could not: {failed}")]
    assert not [line for line in lines if line.startswith(f"  did: {failed}")]
    assert [line for line in lines if line.startswith(f"  did: {done}")]
    assert last in lines[-1]


def test_the_log_tells_of_no_gate_that_a_fork_cannot_have(made: NominationWorld) -> None:
    fork = actions.fork_project(made.world, made.user("nina"), made.team)
    made.nomination.source_project = fork
    with Server(made.world) as server:
        run = bot(server.url, "check", TARGET)
    assert run.returncode == 0
    assert "; gate not set; comment http" in run.stdout.splitlines()[-1]


def test_what_goes_into_another_branch_leaves_the_gate_alone_and_says_so(
    made: NominationWorld,
) -> None:
    with Server(made.world) as server:
        bot(server.url, "check", TARGET)
        made.nomination.target_branch = "stable"
        run = bot(server.url, "check", TARGET)
    assert "nobody is nominated; gate left alone; comment http" in run.stdout.splitlines()[-1]
    (note,) = [note for note in made.nomination.notes if note.author.bot]
    assert "it goes into `stable`, and only a merge into `main` gives a role" in note.body
    assert "a new pipeline starts without it. There is nothing to do here." in note.body


def test_a_sweep_that_could_list_nothing_looked_at_nothing(server: Server) -> None:
    server.fault(Fault(route="*", kind=Kind.UNAUTHORIZED))
    done = run_here("sweep", **settings(server.url))
    assert done.returncode == 1
    assert "Looked at 0 merge requests." in done.stdout


def payload(made: NominationWorld, directory: Path, **changes: Any) -> Path:
    body = make_merge_request_body("open")
    body["project"] |= {"id": 7001, "path_with_namespace": TEAM}
    body["object_attributes"] |= {"iid": made.nomination.iid, **changes}
    return write_payload(directory, body)


def test_an_event_is_evaluated_and_published(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    path = payload(made, tmp_path)
    done = run_bot("run", **settings(server.url), TRIGGER_PAYLOAD=path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "; gate failed; comment http" in done.stdout
    assert "; 3 writes, " in done.stdout
    assert len(made.own_notes()) == 1


def test_an_event_of_a_project_known_by_number_is_too(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    path = payload(made, tmp_path)
    given = settings(server.url, TEAM_PROJECT="7001")
    assert run_here("run", **given, TRIGGER_PAYLOAD=path).returncode == 0
    assert len(made.own_notes()) == 1


def test_an_event_whose_gate_is_refused_fails_the_job(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    made.team.members[made.user("nomination-bot").id].level = Level.REPORTER
    path = payload(made, tmp_path)
    done = run_here("run", **settings(server.url), TRIGGER_PAYLOAD=path)
    assert done.returncode == 1
    assert "needs the Developer role" in done.stderr


def test_run_with_further_words_is_refused() -> None:
    with pytest.raises(ConfigError, match="--fast"):
        here("http://127.0.0.1:1", "run", "--fast")
    with pytest.raises(ConfigError, match="the event is in TRIGGER_PAYLOAD"):
        here("http://127.0.0.1:1", "run")


def deleted(made: NominationWorld, _: dict[str, str]) -> str:
    del made.team.merge_requests[1]
    return "does not exist or the token cannot read it"


def private(made: NominationWorld, _: dict[str, str]) -> str:
    made.team.visibility = "private"
    made.team.members.clear()
    return "does not exist or the token cannot read it"


def wrong_token(_: NominationWorld, given: dict[str, str]) -> str:
    given["NOMINATION_BOT_TOKEN"] = "glpat-wrong"  # noqa: S105  a made-up one
    return "check NOMINATION_BOT_TOKEN"


def expired_token(made: NominationWorld, _: dict[str, str]) -> str:
    made.world.tokens[0].expires_at = made.world.now.date()
    return "check NOMINATION_BOT_TOKEN"


def useless_scope(made: NominationWorld, _: dict[str, str]) -> str:
    made.world.tokens[0].scopes = ("read_user",)
    return "check NOMINATION_BOT_TOKEN"


def gitlab_down(_: NominationWorld, given: dict[str, str]) -> str:
    given["CI_SERVER_URL"] = "http://127.0.0.1:9"
    given["NOMINATION_BOT_DEADLINE"] = "5"
    return "cannot be reached"


def bad_policies(_: NominationWorld, given: dict[str, str]) -> str:
    given["NOMINATION_BOT_POLICIES"] = str(Path(__file__).parent / "no-such-directory")
    return "no-such-directory"


def bad_templates(_: NominationWorld, given: dict[str, str]) -> str:
    given["NOMINATION_BOT_TEMPLATES"] = "/no/such/directory"
    return "NOMINATION_BOT_TEMPLATES"


CAUSES = (
    deleted,
    private,
    wrong_token,
    expired_token,
    useless_scope,
    gitlab_down,
    bad_policies,
    bad_templates,
)


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: str(cause.__name__))
def test_what_is_wrong_is_one_line_and_nothing_is_written(
    cause: Any, made: NominationWorld, server: Server
) -> None:
    given = settings(server.url)
    expected = cause(made, given)
    line = one_line(run_here("check", TARGET, **given))
    assert expected in line
    assert SECRET not in line
    assert made.writes() == []


def test_an_unknown_project_is_one_line(server: Server) -> None:
    assert "404 to GET /projects/4711" in one_line(bot(server.url, "check", "4711!1"))


def test_a_token_that_may_only_read_is_told_for_each_write(
    made: NominationWorld, server: Server
) -> None:
    made.world.tokens[0].scopes = ("read_api",)
    done = bot(server.url, "check", TARGET)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert [line.split(":")[1] for line in lines] == [" gate", " comment", " mark"]
    assert all("the scope `api`" in line for line in lines)


def test_a_broken_template_is_one_line(server: Server, tmp_path: Path) -> None:
    (tmp_path / "comment.md.j2").write_text("{{ nobody.knows }}", "utf-8")
    assert "comment.md.j2" in one_line(bot(server.url, "check", TARGET, TEMPLATES=str(tmp_path)))


def test_a_bug_shows_its_trace_but_never_the_token(server: Server, tmp_path: Path) -> None:
    endless = "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}"
    (tmp_path / "comment.md.j2").write_text(endless, "utf-8")
    done = bot(server.url, "check", TARGET, TEMPLATES=str(tmp_path))
    assert done.returncode == 3
    assert "RecursionError" in done.stderr
    assert "this is a bug" in done.stderr


# --- the end of time ----------------------------------------------------------------------


# As the bot's own door does, but with a tenth of the shortest deadline there is.
IN_A_HURRY = """
import functools
from bot import __main__, cli
from bot.cli.wiring import Limits
hurry = Limits(times=0.1, grace=0.3)
cli.run_command = functools.partial(cli.run_command, limits=hurry)
__main__.run_process()
"""


@pytest.mark.sample(1)
@pytest.mark.parametrize("script", [hang, drip])
def test_a_process_ends_at_its_deadline_whatever_the_server_does(script: Any) -> None:
    with raw_server(script) as raw:
        began = time.monotonic()
        command = ["-c", IN_A_HURRY, "check", TARGET]
        done = keeping_secrets(run_python(command, settings(raw.url, DEADLINE="5")))
        assert time.monotonic() - began < 0.5 + 0.3 + 8  # the last for starting on a busy machine
    line = one_line(done)
    assert "cannot be reached" in line or "this run is used up" in line


def test_whoever_gives_up_says_so_and_leaves(capfd: pytest.CaptureFixture[str]) -> None:
    codes: list[int] = []
    give_up(codes.append)
    assert codes == [1]
    assert "the time of this run is used up" in capfd.readouterr().err


def test_a_server_that_says_to_wait_too_long_is_left_at_once(server: Server) -> None:
    server.fault(Fault(route="*", kind=Kind.RACK_429, seconds=3600))
    began = time.monotonic()
    assert "429" in one_line(bot(server.url, "check", TARGET))
    assert time.monotonic() - began < 10


def test_nothing_of_a_finished_run_is_left(server: Server) -> None:
    """A timer that is left would end the process of whoever runs a command in it."""
    others = {*threading.enumerate()}  # as of a job that another test has left running
    with pytest.raises(BotError):
        here(server.url, "check", "4711!1")
    left = {*threading.enumerate()} - others
    # One that was called off may take a moment to end, but does nothing any more.
    assert all(each.finished.is_set() for each in left if isinstance(each, threading.Timer))


# --- sweep and ready ----------------------------------------------------------------------


def test_sweep_looks_at_what_is_open(made: NominationWorld, server: Server) -> None:
    assert here(server.url, "check", TARGET) == 0
    made.review_all(2)
    done = bot(server.url, "sweep")
    assert (done.returncode, done.stderr) == (0, "")
    looked, count = done.stdout.splitlines()
    assert looked == "looking at !1"
    assert count.startswith("Looked at 1 merge requests. ")
    assert [job.status for job in made.statuses() if not job.retried] == ["success"]


def test_sweep_tells_what_failed_and_where(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    assert here(server.url, "check", TARGET) == 0
    server.fault(Fault(route="POST /api/graphql", kind=Kind.GRAPHQL_ERRORS))
    assert here(server.url, "sweep") == 1
    told = capfd.readouterr().err
    assert "nomination-bot: !1: GitLab did not answer a query" in told
    assert "nomination-bot: what changed lately was not all listed" in told


def test_ready_answers_before_any_merge_request(made: NominationWorld, server: Server) -> None:
    done = bot(server.url, "ready", "@nina")
    assert (done.returncode, done.stderr) == (0, "")
    assert "nina as Maintainer of the AI Gateway" in done.stdout
    assert (
        "NOT MET  Review at least 5 merge requests as a trainee maintainer: 3 of 5" in done.stdout
    )
    assert made.writes() == []


def test_ready_as_json(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    assert here(server.url, "ready", "NINA", "--entry", "nina", "--json") == 0
    (told,) = json.loads(capfd.readouterr().out)
    assert {r["id"]: r["found"] for r in told["requirements"]}["authored"] == 6


def test_ready_of_somebody_without_an_entry(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    assert here(server.url, "ready", "dora", "--policy", "ai-gateway") == 0
    told = capfd.readouterr().out
    assert "dora as Maintainer" in told
    assert f"There is no entry {FOLDER}/d/dora.yml, so no earlier role" in told
    assert "--entry SLUG" in told


def test_ready_says_why_a_review_does_not_count(
    made: NominationWorld, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    made.push({f"{FOLDER}/o/other.yml": entry("nina")}, branch="main", by="olga")
    assert here(server.url, "ready", "nina", "--entry", "other") == 0
    assert "(they never had the earlier role)" in capfd.readouterr().out


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nina", "--policy", "none"], "There is no policy 'none'; there are: ai-gateway"),
        (["dora", "--entry", "nina"], "is the entry of 'nina', not of 'dora'"),
        (["nina", "--entry", "../mia"], "'../mia' is no name of an entry's file"),
        ([""], "'' is no name of an entry's file"),
    ],
)
def test_ready_refuses_in_words(server: Server, arguments: list[str], expected: str) -> None:
    with pytest.raises(BotError) as error:
        here(server.url, "ready", *arguments)
    assert expected in str(error.value)


def test_ready_of_somebody_whose_entry_cannot_be_read(server: Server) -> None:
    server.fault(Fault(route="POST /api/graphql", kind=Kind.GRAPHQL_ERRORS))
    with pytest.raises(BotError, match=r"nina\.yml cannot be read \(GitLab did not answer"):
        here(server.url, "ready", "nina")


def test_ready_of_somebody_whose_entry_is_unreadable(made: NominationWorld, server: Server) -> None:
    made.push({ENTRY: b"gitlab: [\n"}, branch="main", by="olga")
    with pytest.raises(BotError, match=r"nina\.yml"):
        here(server.url, "ready", "nina")


# --- what needs no GitLab -----------------------------------------------------------------


def write_database(directory: Path, files: Mapping[str, bytes]) -> str:
    for path, content in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)
    return str(directory)


def test_detect_compares_two_checkouts(tmp_path: Path) -> None:
    base = write_database(tmp_path / "base", {ENTRY: entry("nina", "reviewer")})
    wrong = f"{FOLDER}/o/ola.yml"
    head = write_database(
        tmp_path / "head", {ENTRY: entry("nina", "maintainer"), wrong: entry("ola", "maintaner")}
    )
    done = run_here("detect", "--base", base, "--head", head)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"nina gains maintainer of ai-gateway in {ENTRY}\n" in done.stdout
    assert f"{wrong}: " in done.stdout
    told = json.loads(run_here("detect", "--base", base, "--head", head, "--json").stdout)
    assert told["nominations"] == [
        {
            "username": "nina",
            "project": "ai-gateway",
            "from": ["reviewer"],
            "to": ["maintainer"],
            "path": ENTRY,
        }
    ]
    assert [remark["path"] for remark in told["remarks"]] == [wrong]


def test_detect_says_a_thing_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    base = write_database(tmp_path / "a", {ENTRY: entry("nina", "reviewer")})
    head = write_database(tmp_path / "b", {ENTRY: b"gitlab: nina\nprojects: [\n"})
    assert run_command(["detect", "--base", base, "--head", head], {}) == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == len(set(lines)) == 1


def test_detect_says_when_there_is_nobody(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    base = write_database(tmp_path, {ENTRY: entry("nina", "reviewer")})
    assert run_command(["detect", "--base", base, "--head", base], {}) == 0
    assert capfd.readouterr().out == "Nobody is nominated.\n"


def test_detect_takes_the_operators_policies(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    policies = Path(__file__).parent.parent / "examples" / "policies"
    base = write_database(tmp_path / "a", {ENTRY: entry("nina", "reviewer")})
    head = write_database(tmp_path / "b", {ENTRY: entry("nina", "maintainer")})
    given = {"NOMINATION_BOT_POLICIES": str(policies)}
    assert run_command(["detect", "--base", base, "--head", head], given) == 0
    assert "nina gains maintainer" in capfd.readouterr().out


def test_detect_refuses_what_is_no_directory() -> None:
    done = run_here("detect", "--base", "/no/such", "--head", "/no/such")
    assert "does not exist" in one_line(done)


def test_policies_are_checked(tmp_path: Path) -> None:
    done = run_here("policy", "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "ai-gateway" in done.stdout
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("id: x\nodd: 1\n", "utf-8")
    refused = run_here("policy", "check", str(wrong))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{wrong}:" in refused.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["check"], ["policy", "burn"], ["sandbox", "--port", "65536"]]
)
def test_wrong_arguments_are_explained_in_a_line(arguments: list[str]) -> None:
    assert " --help` shows how." in one_line(run_here(*arguments))


def test_help_names_every_command() -> None:
    shown = run_bot("--help").stdout
    for command in ("run", "check", "detect", "policy", "sandbox", "ready", "sweep", "demo"):
        assert f"\n    {command} " in shown


# --- the sandbox --------------------------------------------------------------------------


def test_a_scenario_that_is_not_there_cannot_be_served(tmp_path: Path) -> None:
    done = run_here("sandbox", "--scenario", str(tmp_path / "none"), "--port", "0")
    assert "the scenario cannot be used: " in one_line(done)


def test_policies_that_are_not_there_are_told_before_anything_is_served(tmp_path: Path) -> None:
    none = str(tmp_path / "none")
    done = run_here("sandbox", "--port", "0", NOMINATION_BOT_POLICIES=none)
    assert f"NOMINATION_BOT_POLICIES is '{none}': there is no such directory." in one_line(done)


@pytest.mark.sample(0)
def test_the_sandbox_judges_by_the_operators_policies(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    text = (SHIPPED / "ai-gateway.yml").read_text(encoding="utf-8")
    changed = text.replace("Author at least 5 merge requests", "Author a great deal")
    (own / "ai-gateway.yml").write_text(changed, encoding="utf-8")
    environment = {"PYTHONPATH": str(ROOT), "NOMINATION_BOT_POLICIES": "own"}
    command = [sys.executable, "-m", "bot", "sandbox", "--port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[4]
        told = process.stdout.readline() + process.stdout.readline()
        page = f"{address}/gitlab-com/www-gitlab-com/-/merge_requests/1"
        with urlopen(page, timeout=10) as answer:  # noqa: S310 - loopback
            shown = answer.read().decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    assert f"NOMINATION_BOT_POLICIES={own}" in told
    assert "Author a great deal" in shown


def forget(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """Have a module imported anew, though another test may have used it."""
    package, _, name = module.rpartition(".")
    monkeypatch.delitem(sys.modules, module, raising=False)
    if package in sys.modules:
        monkeypatch.delattr(sys.modules[package], name, raising=False)


def test_without_its_packages_the_sandbox_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("demo", "terminal"):
        forget(monkeypatch, f"bot.sandbox.story.{name}")
    monkeypatch.setitem(sys.modules, "markdown_it", None)
    line = one_line(run_here("demo"))
    assert "The sandbox needs markdown_it: run `make sandbox` or `make demo` in a checkout" in line
    # Whoever registers a name that no project of ours has would run code here.
    assert "pip install" not in line


def test_a_part_of_the_bot_that_is_missing_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch, "bot.sandbox.story.demo")
    monkeypatch.setitem(sys.modules, "bot.sandbox.story.terminal", None)
    done = run_here("demo")
    assert done.returncode == 3
    assert "ModuleNotFoundError: " in done.stderr
