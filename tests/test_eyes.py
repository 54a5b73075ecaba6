"""What an operator sees of a run: the story in the log, artifacts, and runs that only observe."""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bot import policy as rules
from bot.assessment import kinds
from bot.evidence import Exposure, Present
from bot.merge_request import Visibility
from bot.report.artifacts import write_artifacts
from bot.report.log import Outcome, tell_story
from bot.report.values import Gate, GateState
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.unread import Unread
from tests.builders import (
    GROUP,
    REPOSITORY,
    make_assessment,
    make_evidence,
    make_findings,
    make_follow_up,
    make_merge_request,
    make_merged,
    make_nomination,
    make_policy,
    make_requirement,
    make_work,
)
from tests.event_bodies import make_merge_request_body
from tests.hostile import CORPUS
from tests.nomination_world import SECRET, TEAM, NominationWorld, make_world, settings
from tests.processes import run_here, write_payload

NOTE = "https://gitlab.example.com/x#note_9"
HIDDEN = {
    REPOSITORY: Exposure(merge_requests=Visibility.PRIVATE, files=Visibility.PRIVATE),
}
AUTHORED = make_requirement(kinds.AuthoredMergeRequests(at_least=5), id="authored", title="Author")
READY = make_requirement(kinds.RoleHeld(role="trainee_maintainer"), id="held", title="Hold it")
TALK = make_requirement(kinds.RoleHeld(role="reviewer"), id="talk", title="Talk", blocking=False)


def outcome(**changes: object) -> Outcome:
    policy = make_policy(
        AUTHORED, READY, TALK, follow_ups=(make_follow_up(rules.Manual(), title="Celebrate"),)
    )
    findings = make_findings(make_assessment(policy))
    told = {
        "findings": findings,
        "gate": Gate(state=GateState.FAILED, description="Author"),
        "spoken": True,
        "writes": (("create the comment (9 characters)", NOTE), ("mark it", "")),
        "comment_url": NOTE,
        "calls": 9,
    }
    return Outcome(**(told | changes))  # type: ignore[arg-type]


def test_the_log_says_for_how_many_days_it_waits_for_whom() -> None:
    assert "  waits for: @nina for 3 days" in tell_story(outcome(waits=("@nina for 3 days",)))
    assert not [line for line in tell_story(outcome()) if "waits for" in line]


def test_the_log_tells_one_story_that_ends_with_who_what_and_where() -> None:
    lines = tell_story(outcome(event="a comment of !231"))
    assert lines[0] == "event: a comment of !231"
    assert lines[1].endswith("/merge_requests/231")
    assert lines[2:] == [
        "  looked at: 0 comments, 1 changed files, 1 nominations",
        "@ada as Maintainer of the AI Gateway:",
        "  not met: Author, 0 of 5",
        "  met: Hold it, 1 of 1",
        "  not yet: Talk, 0 of 1",
        "wrote:",
        f"  did: create the comment: {NOTE}",
        "  did: mark it",
        f"!231 @ada: 1 of 2 open (authored 0/5); gate failed; comment {NOTE}; 2 writes, 9 calls",
    ]


def sections(lines: list[str]) -> list[tuple[str, list[str]]]:
    """Read the sections of a log by GitLab's own rule, which knows them by these signs."""
    found: list[tuple[str, list[str]]] = []
    opened: list[str] = []
    # lib/gitlab/regex.rb, `build_trace_section_regex`.
    marks = r"section_(start|end):(\d+):([a-zA-Z0-9_.-]+)(\[[^\]]*\])?\r\x1b\[0K"
    for kind, _, name, _ in re.findall(marks, "\n".join(lines)):
        if kind == "start":
            found.append((name, list(opened)))
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []
    return found


def test_in_a_job_each_chapter_can_be_folded_away() -> None:
    lines = tell_story(outcome(event="a comment of !231"), 1764245000.7)
    assert lines[0] == "\x1b[0Ksection_start:1764245000:event\r\x1b[0Kevent: a comment of !231"
    assert lines[1] == "\x1b[0Ksection_end:1764245000:event\r\x1b[0K"
    names = ["event", "looked_at", "nomination_1", "writes"]
    assert sections(lines) == [(name, []) for name in names]
    assert "section_" not in lines[-1]
    signs = re.compile(r"\x1b\[0Ksection_end:.*|\x1b\[0K(section_start:\d+:\w+\r\x1b\[0K)?")
    bare = [signs.sub("", line) for line in lines]
    assert [line for line in bare if line] == tell_story(outcome(event="a comment of !231"))


FORGED = "\x1b[0Ksection_end:1:writes\r\x1b[0K\nsection_start:1:evil\r\x1b[0KAll is well"


def test_no_foreign_text_begins_or_ends_a_section() -> None:
    assessment = make_assessment(make_policy(AUTHORED), nomination=make_nomination(username=FORGED))
    found = replace(assessment.findings[0], reason=FORGED)
    findings = make_findings(replace(assessment, findings=(found,)))
    given = outcome(findings=findings, event=FORGED, writes=((FORGED, FORGED),))
    assert [name for name, _ in sections(tell_story(given, 1.0))] == [
        "event", "looked_at", "nomination_1", "writes",
    ]  # fmt: skip
    assert all(line.isprintable() for line in tell_story(given))


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        ({"findings": make_findings(), "spoken": False}, "nobody is nominated; nothing to say; "),
        ({"gate": None}, "; gate left alone; "),
        ({"comment_url": None}, "; no comment yet; "),
        ({"observed": True}, "; 2 writes left out, "),
        ({"findings": make_findings(make_assessment(make_policy(READY)))}, "!231 @ada: ready; "),
        (
            {"findings": make_findings(make_assessment(evidence=make_evidence(work={})))},
            "1 of 1 open (wanted unknown); ",
        ),
    ],
)
def test_the_last_line_says_what_there_is_to_say(changes: dict[str, object], last: str) -> None:
    assert last in tell_story(outcome(**changes))[-1]


def test_after_the_merge_the_steps_are_told() -> None:
    merged = make_merge_request(state="merged")
    step = make_follow_up(rules.GroupMember(group=GROUP, level=30), title="Join")
    policy = make_policy(READY, follow_ups=(step, make_follow_up(rules.Manual(), title="Cheer")))
    assessment = make_assessment(policy, merge_request=merged)
    findings = make_findings(assessment, merge_request=merged)
    lines = tell_story(outcome(findings=findings, gate=None))
    assert "  open: Join" in lines
    assert "  manual: Cheer" in lines
    assert lines[-1].startswith("!231 @ada: merged, 1 of 2 steps left; gate left alone; ")
    gone = replace(assessment, present=Present(username="ada", gone="it was taken back"))
    over = tell_story(outcome(findings=replace(findings, assessments=(gone,))))
    assert "!231 @ada: merged, the role is over; " in over[-1]


def test_what_only_is_observed_would_be() -> None:
    lines = tell_story(outcome(observed=True))
    assert "left out:" in lines
    assert f"  would: create the comment: {NOTE}" in lines


@pytest.mark.sample(12)
@pytest.mark.parametrize("text", [*CORPUS, "x" * 100_000])
def test_no_foreign_text_leaves_its_line_or_breaks_an_artifact(text: str) -> None:
    assessment = make_assessment(
        make_policy(AUTHORED),
        nomination=make_nomination(username=text),
        evidence=make_evidence(work={}),
    )
    found = replace(assessment.findings[0], reason=text)
    findings = make_findings(replace(assessment, findings=(found,)))
    given = outcome(findings=findings)
    for line in tell_story(given):
        assert line.isprintable()
    files = write_artifacts(given)
    assert json.loads(files["nomination.json"])["iid"] == 231
    (suite,) = ElementTree.fromstring(files["junit.xml"])  # noqa: S314  our own
    assert len(suite) == 1


def test_each_requirement_is_a_test_case_for_gitlabs_widget() -> None:
    unread = make_requirement(kinds.Assigned(manager=True, maintainers=0), id="as", title="Assign")
    policy = make_policy(AUTHORED, READY, TALK, unread)
    evidence = make_evidence(manager=Unread(reason="no <entry> & more"))
    files = write_artifacts(
        outcome(findings=make_findings(make_assessment(policy, evidence=evidence)))
    )
    (suite,) = ElementTree.fromstring(files["junit.xml"])  # noqa: S314  our own
    assert {k: suite.get(k) for k in ("tests", "failures", "errors")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
    }
    told = {case.get("name"): [part.tag for part in case] for case in suite}
    assert told == {"Author": ["failure"], "Hold it": [], "Talk": ["skipped"], "Assign": ["error"]}
    assert suite[3][0].text == "no <entry> & more"
    assert suite[0][0].get("message") == "not met, 0 of 5"


def test_metrics_are_openmetrics() -> None:
    text = write_artifacts(outcome(seconds=1.5, problems=("gate: no",)))["metrics.txt"]
    assert text.endswith("# EOF\n")
    rows = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert rows["nomination_bot_calls"] == "9"
    assert rows["nomination_bot_seconds"] == "1.5"
    assert rows["nomination_bot_looks_failed"] == "1"
    assert rows['nomination_bot_requirements{verdict="unmet"}'] == "2"
    assert all(re.fullmatch(r"[0-9.]+", value) for value in rows.values())


def test_artifacts_tell_no_more_than_the_comment() -> None:
    private = make_assessment(
        make_policy(AUTHORED),
        evidence=make_evidence(
            make_work([make_merged(1, "ada", title="Secret")]), exposures=HIDDEN
        ),
    )
    files = write_artifacts(outcome(findings=make_findings(private)))
    assert "Secret" not in "".join(files.values())


# --- through the door ---------------------------------------------------------------------


@pytest.fixture
def made() -> NominationWorld:
    return make_world(reviewed=3)


def bot(url: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return run_here(*arguments, **settings(url, job=True), **more)


def payload(directory: Path) -> str:
    body = make_merge_request_body("open")
    body["object_attributes"]["iid"] = 1
    body["project"]["path_with_namespace"] = TEAM
    return str(write_payload(directory, body))


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        (("run",), {"NOMINATION_BOT_OBSERVE": "true"}),
        (("run", "--dry-run"), {}),
        (("check", f"{TEAM}!1"), {"NOMINATION_BOT_OBSERVE": "True"}),
        (("sweep",), {"NOMINATION_BOT_OBSERVE": "true"}),
    ],
)
def test_a_run_that_observes_writes_nothing(
    made: NominationWorld,
    server: Server,
    tmp_path: Path,
    arguments: tuple[str, ...],
    more: dict[str, str],
) -> None:
    path = payload(tmp_path)
    done = bot(server.url, *arguments, TRIGGER_PAYLOAD=path, **more)
    assert (done.returncode, done.stderr) == (0, "")
    assert made.writes() == []
    assert "left out" in done.stdout or arguments == ("sweep",)


def test_a_run_that_breaks_off_while_it_observes_does_not_even_shut_the_gate(
    made: NominationWorld, server: Server
) -> None:
    server.fault(Fault(route="POST /api/graphql", kind=Kind.GRAPHQL_ERRORS))
    done = bot(server.url, "check", f"{TEAM}!1", NOMINATION_BOT_OBSERVE="true")
    assert done.returncode == 1
    assert made.writes() == []


def test_what_observing_is_takes_true_or_false(server: Server) -> None:
    done = bot(server.url, "check", f"{TEAM}!1", NOMINATION_BOT_OBSERVE="maybe")
    assert done.stderr == "nomination-bot: NOMINATION_BOT_OBSERVE is 'maybe': use true or false.\n"


@pytest.mark.parametrize("arguments", [("run",), ("sweep",)])
def test_only_the_log_of_a_job_has_sections(
    server: Server, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    given = {"TRIGGER_PAYLOAD": payload(tmp_path)}
    in_job = bot(server.url, *arguments, GITLAB_CI="true", **given)
    assert in_job.returncode == 0
    found = [name for name, _ in sections([in_job.stdout])]
    assert found == (
        ["looks"] if arguments == ("sweep",) else ["event", "looked_at", "nomination_1", "writes"]
    )
    last = in_job.stdout.splitlines()[-1]
    assert "!1" in last or "1 merge requests" in last
    assert "section_" not in last
    elsewhere = bot(server.url, *arguments, **given)
    assert "\x1b" not in elsewhere.stdout
    assert "section_" not in elsewhere.stdout
    if arguments == ("run",):
        assert elsewhere.stdout.startswith("event: a change of !1\n")
        assert re.search(
            r"^  waits for: @nina for ([0-9]+ days?|less than a day)$",
            elsewhere.stdout,
            re.MULTILINE,
        )


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("check", f"{TEAM}!1"), {"nomination.json", "junit.xml", "metrics.txt"}),
        (("sweep",), {"metrics.txt"}),
    ],
)
def test_artifacts_are_written_where_a_directory_is_named(
    server: Server, tmp_path: Path, arguments: tuple[str, ...], names: set[str]
) -> None:
    folder = tmp_path / "a" / "b"
    done = bot(server.url, *arguments, NOMINATION_BOT_ARTIFACTS=str(folder))
    assert done.returncode == 0
    assert {file.name for file in folder.iterdir()} == names
    assert SECRET not in "".join(file.read_text() for file in folder.iterdir())


def test_artifacts_that_cannot_be_written_fail_no_run(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = str(tmp_path / "file" / "b")
    done = bot(server.url, "check", f"{TEAM}!1", NOMINATION_BOT_ARTIFACTS=folder)
    assert done.returncode == 0
    assert "the artifacts could not be written" in done.stderr
