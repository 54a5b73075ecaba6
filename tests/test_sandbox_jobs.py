"""Jobs of the sandbox run as on a runner: chosen by rules, fresh processes, masked logs."""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from bot.sandbox.ci.ci_file import (
    FILTERED_BY_WORKFLOW,
    is_true,
    parse_duration,
    select_jobs,
)
from bot.sandbox.ci.job_environment import JobRun, command_folders
from bot.sandbox.ci.jobs import Runner
from bot.sandbox.ci.shell import mask, run_script
from bot.sandbox.world.activity import Activity
from bot.sandbox.world.entities import (
    Pipeline,
    Project,
    Protection,
    Start,
    Token,
    TriggerToken,
    User,
    Variable,
)
from bot.sandbox.world.repository import Repository, Signature
from bot.sandbox.world.shipped import CI_FILE, ci_definition
from bot.sandbox.world.state import RefusedError, RequestRecord, World

NOW = datetime(2026, 2, 2, tzinfo=UTC)
MASKED = "glpat-not-a-real-one"
COMPONENT = Path(__file__).parents[1] / "templates" / "nomination-bot.yml"
TRIGGER = {"CI_PIPELINE_SOURCE": "trigger"}


def make_ci(script: str, *, more: str = "") -> str:
    """Write a configuration whose one job runs on a trigger."""
    return f"""
answer:
  rules: [{{if: $CI_PIPELINE_SOURCE == "trigger"}}]
  script:
    - {json.dumps(script)}
  {more}
"""


def make_world(ci: str | None) -> World:
    """Build a world with one project that holds a CI configuration."""
    world = World(NOW)
    owner = world.add_user(User(id=1, username="owner", name="Owner", created_at=NOW))
    bot = world.add_user(User(id=2, username="bot", name="Bot", created_at=NOW, bot=True))
    world.tokens.append(Token(id=1, value=MASKED, user=bot))
    repository = Repository()
    files = {"README.md": b"x"} | ({CI_FILE: ci.encode()} if ci else {})
    signature = Signature(name="Owner", email="owner@example.com", at=NOW)
    repository.commit_tree("main", repository.changed_tree({}, files), "Begin", signature)
    project = Project(
        id=7,
        path_with_namespace="tools/bot",
        name="bot",
        created_at=NOW,
        repository=repository,
        owner=owner,
    )
    project.triggers.append(TriggerToken(id=1, value="glptt-secret", owner=owner))
    world.add_project(project)
    return world


def make_call(world: World, ref: str = "main", **variables: str) -> Start:
    """Build the call that the trigger endpoint makes."""
    project = world.project("tools/bot")
    payload = {"object_kind": "note", "id": "7", "ref": ref}
    return Start(
        project=project,
        ref=ref,
        source="trigger",
        user=project.triggers[0].owner,
        payload=payload,
        variables=variables,
        short_token=project.triggers[0].value[:4],
    )


@pytest.fixture
def runners() -> Iterator[list[Runner]]:
    """Close every runner that a test starts."""
    started: list[Runner] = []
    yield started
    for each in started:
        each.close()


def run(runners: list[Runner], ci: str, **variables: str) -> JobRun:
    """Trigger a pipeline and wait for its one job."""
    runner = Runner(make_world(ci), {"NOMINATION_BOT_TOKEN": MASKED, "PLAIN": "visible value"})
    runners.append(runner)
    runner.start(make_call(runner.world, **variables))
    assert runner.activity.wait(10)
    return runner.runs[0]


def test_a_triggered_job_reads_its_payload_from_a_file(runners: list[Runner]) -> None:
    done = run(runners, make_ci('cat "$TRIGGER_PAYLOAD"'))
    assert done.exit_code == 0
    assert '{"object_kind": "note", "id": "7", "ref": "main"}' in done.log
    assert done.job.status == "success"
    assert done.job.finished_at is not None
    assert done.log.endswith("Job succeeded\n")


def test_a_job_run_again_gets_what_was_passed_at_first(runners: list[Runner]) -> None:
    done = run(runners, make_ci('echo "$MODE"; cat "$TRIGGER_PAYLOAD"'), MODE="fast")
    assert runners[-1].run_jobs(done.job.pipeline)
    assert runners[-1].activity.wait(10)
    first, second = runners[-1].runs
    assert second.log == first.log
    assert 'fast\n{"object_kind": "note"' in second.log


def test_the_log_shows_commands_and_masks_tokens_only(runners: list[Runner]) -> None:
    done = run(runners, make_ci('echo "$NOMINATION_BOT_TOKEN $CI_JOB_TOKEN $PLAIN"'))
    assert done.log.splitlines() == [
        '$ echo "$NOMINATION_BOT_TOKEN $CI_JOB_TOKEN $PLAIN"',
        "[MASKED] [MASKED] visible value",
        "Job succeeded",
    ]


def test_a_job_gets_what_a_runner_sets_and_nothing_of_ours(runners: list[Runner]) -> None:
    done = run(runners, make_ci("env | cut -d= -f1 | sort | tr '\\n' ' '; echo"))
    names = set(done.log.splitlines()[1].split())
    assert {"CI", "GITLAB_CI", "CI_SERVER_URL", "CI_API_V4_URL", "CI_JOB_ID"} <= names
    assert {"CI_PIPELINE_SOURCE", "CI_PIPELINE_ID", "CI_PROJECT_PATH"} <= names
    assert {"CI_COMMIT_REF_NAME", "TRIGGER_PAYLOAD", "CI_TRIGGER_SHORT_TOKEN"} <= names
    ours = {"PATH", "HOME", "LANG", "PLAIN", "PWD", "SHLVL", "_"}
    known = ("CI", "GITLAB_", "NOMINATION_BOT_", "TRIGGER_PAYLOAD")
    assert not [name for name in names - ours if not name.startswith(known)]


def test_passed_variables_win(runners: list[Runner]) -> None:
    more = "variables: {PLAIN: written, MINE: {value: from the file, description: x}}"
    done = run(runners, make_ci('echo "$PLAIN, $MINE"', more=more), PLAIN="passed")
    assert "passed, from the file" in done.log


def test_the_first_failing_line_ends_the_job(runners: list[Runner]) -> None:
    done = run(runners, make_ci("false | true\necho unreachable > out; cat out"))
    assert done.exit_code == 1
    assert done.job.status == "failed"
    assert "\nunreachable" not in done.log
    assert done.log.endswith("ERROR: Job failed: exit status 1\n")


def test_a_job_is_killed_with_its_children_at_its_timeout(runners: list[Runner]) -> None:
    done = run(runners, make_ci("sleep 60 & sleep 60", more="timeout: 1 seconds"))
    assert done.exit_code is None
    assert done.seconds < 10
    assert "ERROR: Job failed: execution took longer than" in done.log


def test_calls_of_the_bot_during_the_job_are_counted(runners: list[Runner], tmp_path: Path) -> None:
    began, enough = tmp_path / "began", tmp_path / "enough"
    world = make_world(make_ci(f"touch {began}; until [ -e {enough} ]; do sleep 0.01; done"))
    runner = Runner(world, {"NOMINATION_BOT_TOKEN": MASKED})
    runners.append(runner)
    runner.start(make_call(world))
    while not began.exists():
        threading.Event().wait(0.01)
    for user in ("bot", "owner", None, "bot"):
        world.requests.append(make_record(user))
    enough.touch()
    assert runner.activity.wait(10)
    assert runner.runs[0].api_calls == 2


def make_record(user: str | None) -> RequestRecord:
    """Build the record of a request."""
    return RequestRecord(
        at=NOW,
        method="GET",
        route="/x",
        path="/x",
        query={},
        body=None,
        status=200,
        answer=None,
        user=user,
        seconds=0.0,
    )


@pytest.mark.parametrize(
    ("group", "order"), [("one", "begin end begin end"), (None, "begin begin end end")]
)
def test_a_resource_group_runs_one_job_at_a_time(
    runners: list[Runner], tmp_path: Path, group: str | None, order: str
) -> None:
    both = f'until [ "$(grep -c begin {tmp_path}/order)" = 2 ]; do sleep 0.01; done'
    wait = "sleep 0.1" if group else both
    script = f"echo begin >> {tmp_path}/order; {wait}; echo end >> {tmp_path}/order"
    world = make_world(make_ci(script, more=f"resource_group: {group}" if group else ""))
    runner = Runner(world, {})
    runners.append(runner)
    for _ in range(2):
        runner.start(make_call(world))
    assert runner.activity.wait(10)
    assert (tmp_path / "order").read_text().split() == order.split()


def test_an_unknown_ref_is_refused(runners: list[Runner]) -> None:
    world = make_world(make_ci("true"))
    runner = Runner(world, {})
    runners.append(runner)
    with pytest.raises(RefusedError, match="Reference not found"):
        runner.start(make_call(world, "no-such-branch"))


def test_runs_are_found_by_job(runners: list[Runner]) -> None:
    done = run(runners, make_ci("true"))
    assert runners[0].find_run(done.job.id) is done
    assert runners[0].find_run(done.job.id + 1) is None


def test_closing_stops_a_running_job() -> None:
    world = make_world(make_ci("sleep 60"))
    runner = Runner(world, {})
    runner.start(make_call(world))
    while runner.runs[0].job.status == "pending":
        threading.Event().wait(0.01)
    runner.close()
    assert runner.activity.quiet
    assert runner.runs[0].exit_code is None


@pytest.mark.parametrize("source", ["trigger", "schedule"])
def test_the_project_without_its_own_file_uses_the_bots(source: str) -> None:
    jobs = select_jobs(ci_definition(), {"CI_PIPELINE_SOURCE": source})
    assert len(jobs) == 1
    # An event waits for nothing, and sweeps only for each other.
    assert bool(jobs[0].resource_group) is (source == "schedule")


def test_a_schedule_runs_the_jobs_of_schedules(runners: list[Runner]) -> None:
    world = make_world("sweep: {rules: [{if: $CI_PIPELINE_SOURCE == 'schedule'}], script: [env]}")
    runner = Runner(world, {})
    runners.append(runner)
    pipeline: Pipeline = runner.schedule(world.project("tools/bot"), world.user("owner"))
    assert runner.activity.wait(10)
    assert pipeline.status == "success"
    assert "TRIGGER_PAYLOAD" not in runner.runs[0].log


@pytest.mark.parametrize(("protected", "given"), [("main", 1), ("ma*", 1), ("other", 0)])
def test_protected_variables_are_for_protected_branches(
    runners: list[Runner], protected: str, given: int
) -> None:
    world = make_world("sweep: {script: [env]}")
    project = world.project("tools/bot")
    project.protected_branches = [Protection(name=protected)]
    project.variables.append(Variable(key="KEPT", value="back", protected=True))
    runner = Runner(world, {})
    runners.append(runner)
    runner.schedule(project, world.user("owner"))
    assert runner.activity.wait(10)
    assert runner.runs[0].log.count("KEPT=back") == given


RULES = """
workflow:
  rules:
    - if: $CI_COMMIT_TAG
      when: never
    - when: always
default: {before_script: [prepare]}
.hidden: {script: [x]}
always: {script: [[a, b], c], before_script: [], stage: build}
manual: {rules: [{when: manual}], script: [x]}
first:
  rules:
    - {if: '$CI_PIPELINE_SOURCE != "trigger"', when: never}
    - if: $MODE =~ /^fast/
  script: d
"""


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"MODE": "fast"}, {"always": ("a", "b", "c")}),
        (TRIGGER, {"always": ("a", "b", "c")}),
        ({**TRIGGER, "MODE": "faster"}, {"always": ("a", "b", "c"), "first": ("prepare", "d")}),
    ],
)
def test_rules_choose_the_jobs(
    variables: Mapping[str, str], expected: Mapping[str, tuple[str, ...]]
) -> None:
    assert {job.name: job.script for job in select_jobs(RULES, variables)} == expected


@pytest.mark.parametrize(
    ("text", "variables", "words"),
    [
        (RULES, {"CI_COMMIT_TAG": "v1"}, FILTERED_BY_WORKFLOW),
        (make_ci("true"), {"CI_PIPELINE_SOURCE": "push"}, "Pipeline will not run"),
        ("a: [", TRIGGER, "Invalid configuration format"),
        ("- a", TRIGGER, "Invalid configuration format"),
        ("a: text", TRIGGER, "Invalid configuration format"),
    ],
)
def test_a_pipeline_without_jobs_is_refused(
    text: str, variables: Mapping[str, str], words: str
) -> None:
    with pytest.raises(RefusedError, match=words) as refusal:
        select_jobs(text, variables)
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("$A", True),
        ("$B", False),
        ("$EMPTY", False),
        ('$A == "1"', True),
        ("$A != '1'", False),
        ("$B == null", True),
        ("$A == $SAME", True),
        ("$A =~ /^[0-9]$/", True),
        ("$A !~ /^[0-9]$/", False),
        (r"$P =~ /a\/b/", True),
        ('$B == "1" || $A == "1" && $P', True),
        ("$A && $B", False),
        ('$A && "" != ""', False),
        ('$A && "policies" != ""', True),
    ],
)
def test_conditions_follow_gitlab(condition: str, *, expected: bool) -> None:
    variables = {"A": "1", "SAME": "1", "EMPTY": "", "P": "a/b"}
    assert is_true(condition, variables) is expected


def test_an_unknown_condition_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown condition"):
        is_true("($A)", {})


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("10 minutes", 600), ("1h 30m", 5400), ("2s", 2)]
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


def test_a_wrong_duration_is_an_error() -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration("soon")


def test_short_values_are_not_masked() -> None:
    assert mask("abc abcdefgh abcdefghi", ["abc", "abcdefgh", "abcdefghi"]) == (
        "abc [MASKED] [MASKED]"
    )


def test_odd_bytes_do_not_break_the_log(tmp_path: Path) -> None:
    done = run_script(["printf 'a\\377b'"], tmp_path, {}, 10, threading.Event())
    assert "a\N{REPLACEMENT CHARACTER}b" in done.log


def test_work_counts_as_under_way_until_its_end() -> None:
    activity = Activity()
    activity.begin()
    assert not activity.quiet
    assert not activity.wait(0.01)
    with pytest.raises(RuntimeError), activity.ending():
        raise RuntimeError
    assert activity.quiet


@pytest.mark.parametrize("installed", [True, False])
def test_the_command_under_test_is_the_one_on_the_path(tmp_path: Path, *, installed: bool) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    if installed:
        (programs / "nomination-bot").touch()
    folders = command_folders(tmp_path, programs).split(":")
    assert folders[-1] == str(programs)
    assert Path(folders[0], "nomination-bot").exists()


def test_the_component_runs_the_same_commands_as_the_projects_own_jobs() -> None:
    header, _, body = COMPONENT.read_text(encoding="utf-8").partition("\n---\n")
    inputs = yaml.safe_load(header)["spec"]["inputs"]
    # A default name would let whoever registers it have the token.
    assert [name for name, each in inputs.items() if "default" not in each] == ["package"]
    for name, each in inputs.items():
        body = body.replace(f"$[[ inputs.{name} ]]", each.get("default", name))
    assert "$[[" not in body
    for source in ("trigger", "schedule"):
        variables = {"CI_PIPELINE_SOURCE": source}
        (own,), (included,) = (select_jobs(text, variables) for text in (ci_definition(), body))
        assert included.script[-1] == own.script[-1]
        assert included.resource_group == own.resource_group
        assert included.timeout == own.timeout


def test_before_script_can_end_the_job_and_the_log_shows_first_lines(
    runners: list[Runner],
) -> None:
    ci = make_ci("echo unreachable", more='before_script: ["echo once\\nexit 0"]')
    done = run(runners, ci)
    assert done.log.splitlines() == [
        "$ echo once # collapsed multi-line command",
        "once",
        "Job succeeded",
    ]


def test_the_bots_own_job_decides_from_its_checkout(runners: list[Runner]) -> None:
    runner = Runner(make_world(None), {"NOMINATION_BOT_TOKEN": MASKED})
    runners.append(runner)
    call = make_call(runner.world)
    runner.start(replace(call, payload={"object_kind": "build"}))
    assert runner.activity.wait(10)
    (done,) = runner.runs
    assert done.exit_code == 0
    assert "Nothing to do: " in done.log
    assert "nomination-bot run" not in done.log


INCLUDED = """
spec:
  inputs:
    name: {}
    files: {type: array, default: ["a/**/*.yml"]}
---
$[[ inputs.name ]]:
  script: [x]
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
      changes: $[[ inputs.files ]]
"""


@pytest.mark.parametrize(
    ("given", "changed", "runs"),
    [
        ({}, ("a/b/c.yml",), True),
        ({}, ("a/c.yml",), True),
        ({}, ("b/c.yml",), False),
        ({}, None, True),
        ({"files": ["?.md", "x*"]}, ("a.md",), True),
        ({"files": ["?.md", "x*"]}, ("ab.md", "x/y"), False),
        ({"files": ["x/**"]}, ("x/y/z",), True),
    ],
)
def test_included_jobs_run_by_the_changed_paths(
    given: dict[str, object], changed: tuple[str, ...] | None, runs: bool
) -> None:
    text = json.dumps(
        {
            "include": [{"local": "/gate.yml", "inputs": {"name": "gate", **given}}],
            "always": {"script": ["y"]},
        }
    )
    variables = {"CI_PIPELINE_SOURCE": "merge_request_event"}
    jobs = select_jobs(text, variables, changed, {"/gate.yml": INCLUDED}.get)
    assert [job.name for job in jobs] == (["gate"] if runs else []) + ["always"]


@pytest.mark.parametrize(
    ("included", "words"),
    [
        ('"gate.yml"', "`name` input: required value has not been provided"),
        ("{local: gate.yml, inputs: {name: a, more: 1}}", "`more` input: unknown input"),
        ('"gone.yml"', "Included file `gone.yml` does not exist!"),
    ],
)
def test_a_wrong_include_is_refused(included: str, words: str) -> None:
    read = {"gate.yml": INCLUDED}.get
    with pytest.raises(RefusedError, match=words):
        select_jobs(f"include: {included}\na: {{script: [x]}}", {}, read=read)
