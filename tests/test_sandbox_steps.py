"""Scenarios are read strictly, and played over real HTTP with real processes."""

import io
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bot.sandbox.scenarios import FIRST_NOMINATION, STORY
from bot.sandbox.story.comparing import Change
from bot.sandbox.story.demo import Teller, run_demo
from bot.sandbox.story.running import Sandbox
from bot.sandbox.story.scenario import ScenarioError, Step, read_scenario
from bot.sandbox.story.setting import Stage
from bot.sandbox.story.step_acts import ACTS
from bot.sandbox.story.steps import Outcome, StepError, play, tell
from tests.generated import Settle
from tests.processes import run_job_here
from tests.snapshots import snapshot

# A stand-in for the bot: it answers every comment of a person with one of its own, an emoji and
# a status, and fails when told to.
ANSWER = """
import json, os, sys

def call(method, path, body):
    import urllib.request
    request = urllib.request.Request(
        os.environ["CI_API_V4_URL"] + path, json.dumps(body).encode(),
        {"PRIVATE-TOKEN": os.environ["NOMINATION_BOT_TOKEN"], "Content-Type": "application/json"},
        method=method,
    )
    urllib.request.urlopen(request, timeout=10).close()

if "TRIGGER_PAYLOAD" not in os.environ:
    sys.exit(print("swept"))
event = json.load(open(os.environ["TRIGGER_PAYLOAD"]))
if event["object_kind"] != "note" or event["user"]["username"] == "robot":
    sys.exit(print("nothing to do"))
note, mr = event["object_attributes"], event["merge_request"]
if "fail" in note["note"]:
    sys.exit("told to fail")
place = f"/projects/{event['project_id']}/merge_requests/{mr['iid']}"
call("POST", f"{place}/notes", {"body": f"Seen {note['id']} at {os.environ['CI_SERVER_URL']}/x"})
call("POST", f"{place}/notes/{note['id']}/award_emoji", {"name": "eyes"})
call("POST", f"/projects/{event['project_id']}/statuses/{mr['last_commit']['id']}",
     {"state": "failed", "name": "gate", "description": "one more", "ref": mr["source_branch"]})
"""
SEED = {
    "users": {
        "ana": None,
        "ben": None,
        "cleo": None,
        "robot": {"bot": True},
    },
    "groups": {"tools": None, "group/owners": {"members": {"cleo": "owner"}}},
    "projects": {
        "tools/runner": {
            "members": {"cleo": "maintainer"},
            "triggers": [{"owner": "cleo", "token": "glptt-not-a-real-one"}],
        },
        "group/team": {
            "settings": {"tier": "ultimate"},
            "members": {
                "ana": "developer",
                "ben": "maintainer",
                "cleo": "owner",
                "robot": "developer",
            },
            "webhooks": [
                {
                    "url": "/api/v4/projects/tools%2Frunner/ref/main/trigger/pipeline"
                    "?token=glptt-not-a-real-one"
                }
            ],
            "status_checks": [{"name": "check", "url": "http://127.0.0.1:9/none"}],
        },
    },
    "tokens": [{"user": "robot", "token": "glpat-not-a-real-one"}],
}
CI = {
    "answer": {"script": ['python3 "$ANSWER"'], "resource_group": "one"},
}
OPEN = {
    "project": "group/team",
    "branch": "change",
    "title": "A change",
    "files": {"a.md": "new\n"},
}


def make_folder(folder: Path) -> Path:
    """Write a scenario's folder without steps."""
    (folder / "seed.yml").write_text(yaml.safe_dump(SEED))
    for path, content in {
        "tools/runner/.gitlab-ci.yml": yaml.safe_dump(CI),
        "group/team/README.md": "hello\n",
        "group/team/list.json": '["ana"]\n',
    }.items():
        file = folder / "files" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    (folder / "answer.py").write_text(ANSWER)
    return folder


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Run the sandbox with the stand-in for the bot, one merge request open."""
    folder = make_folder(tmp_path)
    with Sandbox(folder, {"ANSWER": str(folder / "answer.py")}) as sandbox:
        stage = Stage(sandbox=sandbox, folder=folder)
        do(stage, "open_merge_request", OPEN)
        yield stage


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Stage]:
    """Set the same stage where nobody listens, so that no job runs."""
    with Sandbox(make_folder(tmp_path)) as sandbox:
        stage = Stage(sandbox=sandbox, folder=tmp_path)
        team = stage.world.project("group/team")
        team.webhooks.clear()
        team.status_checks.clear()
        do(stage, "open_merge_request", OPEN)
        yield stage


def make_step(act: str, given: object = None, by: str = "ana", **more: str) -> Step:
    """Build a step as if it had been read."""
    alone = ACTS[act].alone
    if alone is not None and not isinstance(given, dict):
        given = {alone: given}
    assert given is None or isinstance(given, dict)
    return Step(number=1, title="A step", by=by, act=act, given=given or {}, **more)


def do(stage: Stage, act: str, given: object = None, by: str = "ana", **more: str) -> Outcome:
    """Play one step."""
    return play(stage, make_step(act, given, by, **more))


def test_a_comment_reaches_the_bot_and_its_answer_is_told(stage: Stage) -> None:
    outcome = do(stage, "comment", "hello\n\nmore")
    assert outcome.comments == (f"Seen 1 at {stage.sandbox.url}/x",)
    assert outcome.emoji == (("hello", "eyes"),)
    assert [(each.name, each.state) for each in outcome.gate] == [
        ("gate", "failed"),
        ("check", "pending"),
    ]
    assert outcome.state == "opened"
    assert outcome.api_calls == 3
    assert [job.exit_code for job in outcome.jobs] == [0, 0]
    assert stage.sandbox.world.violations == []


def test_a_failed_job_is_told(stage: Stage) -> None:
    outcome = do(stage, "comment", "please fail")
    assert [job.exit_code for job in outcome.jobs] == [1]
    assert "told to fail" in outcome.jobs[0].log


def test_a_sweep_runs_the_scheduled_job(stage: Stage) -> None:
    outcome = do(stage, "sweep", by="cleo")
    assert "swept" in outcome.jobs[0].log


@pytest.mark.sample(1)
@pytest.mark.parametrize(("fault", "jobs"), [("lost", 0), ("doubled", 2), ("", 1)])
def test_a_step_can_lose_or_double_its_webhook(stage: Stage, fault: str, jobs: int) -> None:
    outcome = do(stage, "close", fault=fault)
    assert len(outcome.jobs) == jobs
    assert stage.sandbox.hooks.fault == ""


def test_people_do_what_steps_say(quiet: Stage) -> None:
    mr = quiet.mr
    do(quiet, "assign", ["ben"])
    do(quiet, "assign", ["cleo"])
    do(quiet, "unassign", ["ben"])
    do(quiet, "request_review", ["ben"])
    do(quiet, "approve", by="ben")
    do(quiet, "rename", "Another title")
    assert [each.username for each in mr.assignees] == ["cleo"]
    assert [each.user.username for each in mr.reviewers] == ["ben"]
    assert quiet.world.user("ben") in mr.approvals
    assert mr.title == "Another title"
    do(quiet, "unapprove", by="ben")
    assert not mr.approvals
    do(quiet, "close")
    assert do(quiet, "reopen").state == "opened"
    assert do(quiet, "merge", by="ben").state == "merged"


def test_comments_are_edited_and_deleted_by_their_place(quiet: Stage) -> None:
    for text in ("one", "two"):
        do(quiet, "comment", {"text": text, "internal": True}, by="ben")
    do(quiet, "edit_comment", {"text": "first", "comment": 1}, by="ben")
    do(quiet, "edit_comment", "last", by="ben")
    assert [each.body for each in quiet.mr.comments] == ["first", "last"]
    do(quiet, "delete_comment", -2, by="ben")
    assert [each.body for each in quiet.mr.comments] == ["last"]


def test_a_push_moves_the_head(quiet: Stage) -> None:
    (quiet.folder / "b.md").write_text("from a file\n")
    before = quiet.mr.head_sha
    do(quiet, "push", {"files": {"b.md": {"from": "b.md"}, "a.md": None}})
    assert quiet.mr.head_sha != before
    commit = quiet.mr.project.repository.find_commit(str(quiet.mr.head_sha))
    assert commit is not None
    assert "a.md" not in commit.tree
    assert quiet.mr.project.repository.content(commit, "b.md") == b"from a file\n"


def test_a_merge_request_can_come_from_a_fork(quiet: Stage) -> None:
    do(quiet, "open_merge_request", OPEN | {"fork": True, "branch": "other", "target": "main"})
    assert quiet.mr.source_project is quiet.world.project("ana/team")
    do(quiet, "push", {"files": {"c.md": "x\n"}, "message": "More"})
    do(quiet, "close", merge_request="group/team!1")
    assert quiet.mr.iid == 1


def test_work_elsewhere_is_done_in_bulk(quiet: Stage) -> None:
    reviewing = {"project": "group/team", "author": "cleo", "merger": "ben", "count": 2}
    do(quiet, "review_elsewhere", reviewing)
    do(quiet, "author_elsewhere", {"project": "group/team", "merger": "ben"})
    others = [mr for mr in quiet.world.project("group/team").merge_requests.values() if mr.iid > 1]
    assert [(mr.state, mr.author.username) for mr in others] == [
        ("merged", "cleo"),
        ("merged", "cleo"),
        ("merged", "ana"),
    ]
    assert [len(mr.approvals) for mr in others] == [1, 1, 0]
    assert quiet.mr.iid == 1


def test_a_review_elsewhere_may_be_a_thread_alone(quiet: Stage) -> None:
    reviewing = {"project": "group/team", "author": "cleo", "merger": "ben", "comment": "Why?"}
    do(quiet, "review_elsewhere", reviewing)
    mr = quiet.world.project("group/team").merge_requests[2]
    assert [(note.author.username, note.resolvable) for note in mr.comments] == [("ana", True)]
    assert (mr.state, len(mr.approvals)) == ("merged", 0)
    assert [each.user.username for each in mr.reviewers] == ["ana"]


def test_files_and_members_change(quiet: Stage) -> None:
    change = {"project": "group/team", "path": "list.json", "old": '"ana"', "new": '"ana", "ben"'}
    do(quiet, "edit_file", change, by="ben")
    writing = {"project": "group/team", "path": "new.md", "content": "x\n"}
    do(quiet, "write_file", writing, by="ben")
    repository = quiet.world.project("group/team").repository
    head = repository.find_commit("main")
    assert head is not None
    assert repository.content(head, "list.json") == b'["ana", "ben"]\n'
    assert repository.content(head, "new.md") == b"x\n"
    group = quiet.place("group/owners")
    do(quiet, "add_member", {"person": "ana", "to": "group/owners", "level": "guest"}, by="cleo")
    assert group.members[quiet.world.user("ana").id].level == 10
    do(quiet, "remove_member", {"person": "ana", "from": "group/owners"}, by="cleo")
    assert quiet.world.user("ana").id not in group.members


def test_days_pass(quiet: Stage) -> None:
    before = quiet.world.now
    do(quiet, "wait_days", 3)
    assert (quiet.world.now - before).days == 3


def test_a_refusal_can_be_expected(quiet: Stage) -> None:
    assert do(quiet, "merge", refused="401").refusal == "401 Unauthorized"
    for by, refused in (("ana", "no such words"), ("ben", "401")):
        with pytest.raises(StepError, match="refused"):
            do(quiet, "merge", by=by, refused=refused)


@pytest.mark.parametrize(
    ("act", "given", "words"),
    [
        ("comment", "hello", "there is no user 'nobody'"),
        ("assign", ["nobody"], "there is no user 'nobody'"),
        ("delete_comment", 1, "there is no comment 1, only 0"),
        ("push", {"files": {"a": 5}}, "a: expected a text, null, or {from: FILE}"),
        ("push", {"files": {"a": {"from": "none"}}}, "No such file"),
        ("add_member", {"person": "ana", "to": "no/place"}, "there is no project 'no/place'"),
        (
            "edit_file",
            {"project": "group/team", "path": "none", "old": "a", "new": "b"},
            "none holds 'a' 0 times, expected once",
        ),
    ],
)
def test_a_step_that_cannot_be_done_says_why(
    quiet: Stage, act: str, given: object, words: str
) -> None:
    by = "nobody" if act == "comment" else "cleo"
    with pytest.raises(StepError, match=r"step 1 \(A step\)") as problem:
        do(quiet, act, given, by=by)
    assert words in str(problem.value)


@pytest.mark.parametrize("reference", ["group/team!9", "group/team!x", "nonsense"])
def test_an_unknown_merge_request_is_an_error(quiet: Stage, reference: str) -> None:
    with pytest.raises(StepError, match="there is no merge request"):
        do(quiet, "close", merge_request=reference)


def test_a_step_before_any_merge_request_needs_one_named(tmp_path: Path) -> None:
    with Sandbox(make_folder(tmp_path)) as sandbox:
        stage = Stage(sandbox=sandbox, folder=tmp_path)
        with pytest.raises(StepError, match="no merge request has been opened"):
            do(stage, "close")
        assert do(stage, "wait_days", 1).comments == ()


def test_a_busy_sandbox_is_not_waited_for_for_ever(quiet: Stage) -> None:
    quiet.sandbox.activity.begin()
    with pytest.raises(TimeoutError, match="still busy"):
        quiet.sandbox.drain(0.01)
    quiet.sandbox.activity.end()


def test_a_snapshot_is_equal_on_every_run(stage: Stage) -> None:
    outcome = do(stage, "comment", "hello")
    files = snapshot(outcome, stage.sandbox.url)
    assert files.keys() == {"01-a-step.md", "01-a-step.json"}
    assert files["01-a-step.md"] == "Seen 1 at https://gitlab.example.com/x\n"
    facts = json.loads(files["01-a-step.json"])
    assert facts["jobs"][1] == {
        "name": "answer",
        "exit_code": 0,
        "api_calls": 0,
        "log": ["nothing to do"],
    }
    assert facts["emoji"] == [{"note": "hello", "emoji": "eyes"}]
    assert facts["gate"][0] == {"name": "gate", "state": "failed", "description": "one more"}
    assert snapshot(do(stage, "wait_days", 1), "").keys() == files.keys()


def test_nothing_said_is_no_file(quiet: Stage) -> None:
    assert snapshot(do(quiet, "wait_days", 1), "").keys() == {"01-a-step.json"}


def write_steps(folder: Path, **written: object) -> Path:
    """Write a scenario's steps."""
    (folder / "steps.yml").write_text(yaml.safe_dump({"title": "A story", "steps": []} | written))
    return folder


STEP = {"title": "x", "by": "ana"}


def test_steps_are_read(tmp_path: Path) -> None:
    steps = [
        {**STEP, "comment": "hi", "merge_request": "a/b!1", "refused": "no", "fault": "lost"},
        {**STEP, "merge": None},
        {**STEP, "assign": {"people": ["ben"]}},
    ]
    scenario = read_scenario(write_steps(tmp_path, steps=steps, variables={"A": 1}, about="it"))
    assert scenario.variables == {"A": "1"}
    assert [dict(step.given) for step in scenario.steps] == [
        {"text": "hi"}, {}, {"people": ["ben"]},
    ]  # fmt: skip
    first = scenario.steps[0]
    assert (first.merge_request, first.refused, first.fault) == ("a/b!1", "no", "lost")
    assert read_scenario(tmp_path / "none").steps == ()


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"more": 1}, "unknown more; known are about, steps, title, variables"),
        ({"steps": [STEP]}, "step 1: expected one act of add_member, add_"),
        ({"steps": [{**STEP, "merge": None, "close": None}]}, "expected one act"),
        ({"steps": [{**STEP, "merge": None, "extra": 1}]}, "step 1: unknown extra"),
        ({"steps": [{"title": "x", "merge": None}]}, "`by` and `title` are missing"),
        ({"steps": [{**STEP, "merge": {"now": 1}}]}, "merge: unknown now; known are none"),
        ({"steps": [{**STEP, "merge": "now"}]}, "merge: expected a mapping"),
        ({"steps": [{**STEP, "edit_file": {"path": "x"}}]}, "edit_file: missing new, old, project"),
    ],
)
def test_a_wrong_scenario_is_refused(tmp_path: Path, written: object, words: str) -> None:
    assert isinstance(written, dict)
    with pytest.raises(ScenarioError) as problem:
        read_scenario(write_steps(tmp_path, **written))
    assert words in str(problem.value)


@pytest.mark.parametrize("text", ["- a", "title: x"])
def test_a_scenario_needs_title_and_steps(tmp_path: Path, text: str) -> None:
    (tmp_path / "steps.yml").write_text(text)
    with pytest.raises(ScenarioError, match="expected a mapping with `title` and `steps`"):
        read_scenario(tmp_path)


def test_the_acts_are_documented(settle: Settle) -> None:
    lines = ["| act | keys | what it does |", "| --- | --- | --- |"]
    for name, act in sorted(ACTS.items()):
        marks = {act.alone: " \\*"}
        keys = [f"**`{key}`**{marks.get(key, '')}" for key in sorted(act.needs)]
        keys += [f"`{key}`{marks.get(key, '')}" for key in sorted(act.may)]
        lines.append(f"| `{name}` | {', '.join(keys) or 'none'} | {act.about} |")
    page = Path(__file__).parents[1] / "docs" / "sandbox.md"
    after = "<!-- acts: generated from bot/sandbox/story/step_acts.py by `make bless` -->\n"
    settle(page, "\n".join(lines) + "\n", after=after, before="<!-- end of acts -->")


def test_every_act_takes_the_keys_it_names_alone() -> None:
    for name, act in ACTS.items():
        assert act.about, name
        assert act.alone is None or act.alone in act.needs | act.may, name


def test_the_shipped_scenario_can_be_read() -> None:
    scenario = read_scenario(FIRST_NOMINATION)
    assert scenario.title == "A first nomination"
    assert len(scenario.steps) == 10


def test_a_story_is_told_step_by_step(tmp_path: Path) -> None:
    steps = [
        {**STEP, "open_merge_request": OPEN},
        {**STEP, "comment": "hello"},
        {**STEP, "approve": None, "by": "ben"},
    ]
    folder = write_steps(make_folder(tmp_path), steps=steps)
    variables = {"ANSWER": str(folder / "answer.py")}
    with Sandbox(folder, variables) as sandbox:
        told = list(tell(sandbox, read_scenario(folder)))
    assert [len(outcome.comments) for outcome in told] == [0, 1, 1]


def test_the_demo_prints_what_gitlab_shows(tmp_path: Path) -> None:
    steps = [
        {**STEP, "open_merge_request": OPEN},
        {**STEP, "comment": "hello"},
        {**STEP, "wait_days": 1},
        {**STEP, "approve": None, "by": "ben"},
        {**STEP, "comment": "please fail"},
    ]
    folder = make_folder(tmp_path)
    write_steps(folder, steps=steps, variables={"ANSWER": str(folder / "answer.py")})
    out = io.StringIO()
    assert run_demo(out, folder) == 1
    shown = out.getvalue()
    assert "2 of 5. x  (@ana)" in shown
    assert "  > hello" in shown
    assert "The bot answers with :eyes:" in shown
    assert "  | Seen 1 at http://127.0.0.1:" in shown
    assert "Gate gate: failed  one more" in shown
    assert "3 API calls in 2 jobs" in shown
    assert "0 API calls in 1 job," in shown
    assert "No webhook tells the bot." in shown
    assert "The comment is unchanged." in shown
    assert "The job failed with exit code 1" in shown


def tell_demo(width: int) -> str:
    """Tell the shipped story on a screen of some columns."""
    out = io.StringIO()
    assert run_demo(out, width=width, execute=run_job_here) == 0
    return out.getvalue()


@pytest.fixture(scope="module")
def demo() -> str:
    """Tell the shipped story, on a screen of 80 columns."""
    return tell_demo(80)


def test_the_demo_shows_what_the_bot_can_do(demo: str) -> None:
    for words in (
        "/nomination atest", "Did you mean attest?", "> /nomination attest all",
        "> /nomination waive", "| ✓ waived |", "+ On hold by @maintainer2",
        "GitLab refuses: 405", "by itself", "4 | 5", "every step is done", "What to try next:",
        "The bot mentions @maintainer1", "provisioner!1: Add nominee1 to members",
        "On the way: @nominee1 (trainee maintainer): 7 of 5 author; 3 of 5 review",
        "steps left: 4", "no drift, people with the role: 4", "Drift: none",
    ):  # fmt: skip
        assert words in demo.replace("\n    ", " ")


def test_the_demo_fits_the_screen_and_shows_the_whole_comment_once(demo: str) -> None:
    before, *screens, after = demo.split("-" * 80 + "\n\n")
    assert demo.count("The bot comments:") == 1
    assert "The bot comments:" in screens[0]
    assert max(len(each.splitlines()) for each in (before, *screens[1:], after)) <= 24
    assert max(map(len, demo.splitlines())) <= 80
    assert "\x1b" not in demo


@pytest.mark.sample(0)
def test_the_demo_fits_a_narrow_screen() -> None:
    lines = tell_demo(44).splitlines()
    assert [line for line in lines if len(line) > 44] == []
    assert [line for line in lines if line != line.rstrip()] == []


def change(mark: str, number: int) -> Change:
    """Make a changed line."""
    return Change(mark, f"line {number}")


def test_a_change_too_long_for_the_screen_is_cut() -> None:
    teller = Teller(width=80)
    few = [change("-", 1), change("+", 2), change("~", 3)]
    assert list(teller.changes(few, 14)) == ["  - line 1", "  + line 2", "  ~ line 3"]
    many = [change("-", 1), *(change("+", number) for number in range(20))]
    told = list(teller.changes(many, 14))
    assert told[0] == "  1 line went away; new:"
    assert told[1] == "  + line 0"
    assert (len(told), told[-1]) == (14, "    and more")


def test_colour_marks_what_came_and_what_went() -> None:
    told = list(Teller(width=80, colour=True).changes([change("-", 1), change("+", 2)], 9))
    assert told == ["\x1b[31m  - line 1\x1b[0m", "\x1b[32m  + line 2\x1b[0m"]


def test_what_the_story_needs_is_in_the_wheel() -> None:
    configuration = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    copied = configuration["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    policies = Path(read_scenario(STORY).variables["NOMINATION_BOT_POLICIES"])
    assert [each.name for each in policies.iterdir()] == ["ai-gateway.yml"]
    here = str(policies.relative_to(Path.cwd()))
    assert copied[here] == f"bot/{here}"


@pytest.mark.parametrize("written", [{"shipped": "nowhere"}, {"other": "bot"}, {"shipped": None}])
def test_a_variable_that_names_nothing_shipped_is_refused(tmp_path: Path, written: object) -> None:
    write_steps(tmp_path, variables={"A": written})
    with pytest.raises(ScenarioError, match=r"variables: A: expected a text, or \{shipped: PATH\}"):
        read_scenario(tmp_path)


@pytest.mark.parametrize(
    ("given", "wrong"),
    [("policy check", False), ({"command": "policy check", "exit_code": 1}, True)],
)
def test_a_command_ends_as_the_step_says(tmp_path: Path, given: object, wrong: bool) -> None:
    folder = make_folder(tmp_path)
    write_steps(folder, steps=[{**STEP, "run": given}])
    scenario = read_scenario(folder)
    with Sandbox(folder) as sandbox:
        sandbox.runner.execute = run_job_here
        stage = Stage(sandbox=sandbox, folder=folder)
        if wrong:
            with pytest.raises(StepError, match="exit code 0, not 1"):
                play(stage, scenario.steps[0])
        else:
            assert "nomination-bot policy check" in play(stage, scenario.steps[0]).terminal
