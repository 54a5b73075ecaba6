"""The guard job of the team database: it runs for real, and silence keeps the gate shut."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, StatusDraft
from bot.sandbox.acts.merging import assess_merge
from bot.sandbox.acts.pipelines import add_job, run_again
from bot.sandbox.ci.jobs import Runner
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import CommitStatus, MergeRequest, Pipeline, Token
from bot.sandbox.world.shipped import read_component
from tests.nomination_world import (
    ENTRY,
    FOLDER,
    SECRET,
    STATUS,
    TEAM,
    NominationWorld,
    entry,
    make_world,
    run_on,
    settings,
)
from tests.processes import run_here
from tests.raw_server import Script, answer, drip, raw_server, saying

READ_ONLY = "glpat-0123456789abcdefghij"
COMPONENT = "$CI_SERVER_FQDN/tools/bot/nomination-gate@1"


@dataclass(slots=True)
class Guarded:
    """A team database that includes the component, with its runner."""

    made: NominationWorld
    server: Server
    runner: Runner
    mr: MergeRequest

    def pipeline(self) -> Pipeline:
        """Return the newest pipeline of the merge request."""
        return self.made.team.pipelines[-1]

    def wait(self) -> str:
        """Wait until all jobs have ended; return the log of the last."""
        assert self.runner.activity.wait(30)
        return self.runner.runs[-1].log

    def push(self, role: str = "maintainer") -> None:
        """Let the nominee push."""
        self.made.push({ENTRY: entry("nina", role)}, branch="again")

    def post(
        self, state: str, by: str = "nomination-bot", pipeline: Pipeline | None = None
    ) -> CommitStatus:
        """Post a status of the bot's name to a pipeline."""
        chosen = pipeline or self.pipeline()
        draft = StatusDraft(state=state, name=STATUS, ref=chosen.ref, pipeline_id=chosen.id)
        return actions.set_commit_status(
            self.made.world, self.made.user(by), self.made.team, chosen.sha, draft
        )

    def verdict(self) -> str:
        """Tell what is in the way of a merge."""
        return assess_merge(self.made.world, self.mr)


def configure(made: NominationWorld, inputs: Mapping[str, object], branch: str = "main") -> None:
    """Include the component on a branch; a bot that answers has time enough for it."""
    given = {"time-limit": 30, "poll-interval": 0.05, **inputs}
    text = json.dumps({"include": [{"component": COMPONENT, "inputs": given}]}).encode()
    change = CommitDraft(message="Guard", changes={".gitlab-ci.yml": text})
    actions.push(made.world, made.user("olga"), made.team, branch, change)


SILENCE = {"time-limit": 0.15}  # where nothing is to come
in_silence = pytest.mark.parametrize("inputs", [SILENCE], indirect=True)


@pytest.fixture
def inputs(request: pytest.FixtureRequest) -> Mapping[str, object]:
    """Return the inputs that a test asks for."""
    return dict(getattr(request, "param", {}))


@pytest.fixture
def guarded(inputs: Mapping[str, object]) -> Iterator[Guarded]:
    """Include the component on the default branch and open a nomination after that."""
    made = make_world(settings={"tier": "premium"})
    olga, nina = made.user("olga"), made.user("nina")
    actions.close(made.world, olga, made.nomination)
    configure(made, inputs)
    made.team.settings.pipelines = "merge_request_event"
    made.team.settings.pipelines_must_succeed = True
    with Server(made.world) as server:
        made.world.external_url = server.url
        runner = Runner(made.world, {})
        made.world.run_jobs = runner.run_jobs
        mr = made.open({ENTRY: entry("nina", "maintainer")}, branch="again")
        actions.assign(made.world, nina, mr, [made.user("mia"), made.user("max")])
        yield Guarded(made, server, runner, mr)
        runner.close()


def test_the_guard_waits_for_the_bot_and_lets_it_pass(guarded: Guarded) -> None:
    assert guarded.verdict() == "ci_still_running"
    run_on(guarded.server, guarded.mr)
    assert "has answered: success" in guarded.wait()
    assert guarded.verdict() == "mergeable"


@in_silence
def test_silence_keeps_the_gate_shut(guarded: Guarded) -> None:
    said = guarded.wait()
    assert "is missing. It did not answer within 0.15 seconds" in said
    assert "/nomination recheck" in said
    assert guarded.verdict() == "ci_must_pass"


def test_a_revoked_token_and_a_push_do_not_open_the_gate(guarded: Guarded) -> None:
    run_on(guarded.server, guarded.mr)
    guarded.wait()
    assert guarded.verdict() == "mergeable"
    token = next(each for each in guarded.made.world.tokens if each.value == SECRET)
    token.revoked = True
    configure(guarded.made, SILENCE, "again")
    guarded.push("maintainer backend")
    job = settings(guarded.server.url, job=True)
    done = run_here("check", f"{TEAM}!{guarded.mr.iid}", **job)
    assert done.returncode == 1
    guarded.wait()
    assert guarded.verdict() == "ci_must_pass"


@pytest.mark.sample(1)
@in_silence
@pytest.mark.parametrize("state", ["failed", "pending", "canceled"])
def test_only_a_success_lets_it_pass(guarded: Guarded, state: str) -> None:
    guarded.post(state)
    assert f"is {state}." in guarded.wait()
    assert guarded.verdict() in {"ci_must_pass", "ci_still_running"}


@pytest.mark.parametrize("inputs", [{"when-failed": "pass"}], indirect=True)
def test_the_failure_can_be_left_to_the_status_itself(guarded: Guarded) -> None:
    guarded.post("failed")
    assert "has answered: failed" in guarded.wait()
    assert guarded.verdict() == "ci_must_pass"
    guarded.post("success")
    assert guarded.verdict() == "mergeable"


@in_silence
def test_another_head_or_pipeline_says_nothing_about_this_one(guarded: Guarded) -> None:
    first = guarded.pipeline()
    guarded.post("success")
    guarded.wait()
    again = run_again(guarded.made.world, guarded.made.user("max"), guarded.mr)
    assert again is not first
    guarded.post("success", pipeline=first)
    guarded.wait()
    assert guarded.verdict() == "ci_must_pass"


@in_silence
def test_a_job_of_the_bots_name_is_no_answer(guarded: Guarded) -> None:
    add_job(guarded.made.world, guarded.pipeline(), STATUS, "success")
    assert "is missing." in guarded.wait()


@pytest.mark.parametrize(
    "kind", [Kind.ERROR_BEFORE, Kind.RACK_429, Kind.CUT_BEFORE, Kind.EMPTY_BODY]
)
@pytest.mark.sample(1)
def test_failures_of_gitlab_are_waited_out(guarded: Guarded, kind: Kind) -> None:
    guarded.server.fault(Fault(route="*", kind=kind, calls=range(3)))
    guarded.post("success")
    assert "has answered: success" in guarded.wait()


@in_silence
def test_a_gitlab_that_never_answers_keeps_it_shut(guarded: Guarded) -> None:
    guarded.server.fault(Fault(route="*", kind=Kind.ERROR_BEFORE))
    guarded.post("success")
    assert "The last look failed: " in guarded.wait()
    assert guarded.verdict() == "ci_must_pass"


NAMED = {"account": "Nomination-Bot"}


def read_with_a_token(guarded: Guarded, inputs: Mapping[str, object]) -> None:
    """Start another pipeline, whose guard has other inputs and a token."""
    reader = guarded.made.user("max")
    token = Token(id=99, value=READ_ONLY, user=reader, scopes=("read_api",))
    guarded.made.world.tokens.append(token)
    guarded.runner.variables["NOMINATION_GATE_TOKEN"] = READ_ONLY
    configure(guarded.made, inputs, "again")


@in_silence
def test_a_private_project_takes_a_token(guarded: Guarded) -> None:
    guarded.made.team.visibility = "private"
    guarded.post("success")
    assert "set NOMINATION_GATE_TOKEN" in guarded.wait()
    read_with_a_token(guarded, {})
    guarded.post("success")
    assert "has answered: success" in guarded.wait()


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("named", "by", "said"),
    [
        (NAMED | SILENCE, "dora", "is missing."),
        (NAMED, "nomination-bot", "has answered: success"),
    ],
)
@pytest.mark.parametrize("inputs", [NAMED | SILENCE], indirect=True)
def test_a_forged_status_does_not_count_where_the_account_is_named(
    guarded: Guarded, named: Mapping[str, object], by: str, said: str
) -> None:
    read_with_a_token(guarded, named)
    guarded.post("success", by=by)
    assert said in guarded.wait()
    assert READ_ONLY not in guarded.runner.runs[-1].log


@pytest.mark.parametrize("inputs", [{"account": "nomination-bot"}], indirect=True)
def test_an_account_cannot_be_told_without_a_token(guarded: Guarded) -> None:
    guarded.post("success")
    assert "with a token only: set NOMINATION_GATE_TOKEN" in guarded.wait()
    assert guarded.verdict() == "ci_must_pass"


def test_the_guard_leaves_other_merge_requests_alone(guarded: Guarded) -> None:
    before = len(guarded.runner.runs)
    guarded.made.open({"README.md": b"text\n"}, branch="readme")
    assert len(guarded.runner.runs) == before
    guarded.made.open({f"{FOLDER}/q/q.yml": entry("quin")}, branch="quin")
    assert len(guarded.runner.runs) == before + 1


@in_silence
def test_in_a_fork_the_guard_says_what_to_do(guarded: Guarded) -> None:
    world, nina = guarded.made.world, guarded.made.user("nina")
    fork = actions.fork_project(world, nina, guarded.made.team)
    fork.settings.pipelines = "merge_request_event"
    change = CommitDraft(message="x", changes={ENTRY: entry("nina", "maintainer x")})
    actions.push(world, nina, fork, "from-fork", change)
    opening_ = actions.MergeRequestDraft(
        title="x", source_branch="from-fork", target_branch="main", source_project=fork
    )
    actions.open_merge_request(world, nina, guarded.made.team, opening_)
    assert "This is a pipeline of a fork" in guarded.wait()


def guard(url: str, limit: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the script of the job against a server that need not be a GitLab."""
    text = read_component("nomination-gate") or ""
    script = textwrap.dedent(text.partition("<<'GATE'\n")[2].rpartition("GATE")[0])
    given = {"CI_API_V4_URL": url, "CI_API_GRAPHQL_URL": url, "CI_PROJECT_PATH": TEAM}
    given |= {"CI_PIPELINE_ID": "1", "CI_PIPELINE_IID": "1", "CI_COMMIT_SHA": "a" * 40}
    given |= {"CI_PROJECT_ID": "7", "CI_MERGE_REQUEST_PROJECT_ID": "7"}
    return subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-I", "-", STATUS, "", limit, "0.1", "fail"],
        env=given | more,
        input=script,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


PAGE = {"jobs": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "x"}}}
ENDLESS = json.dumps({"data": {"project": {"pipeline": PAGE}}}).encode()


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("script", "limit", "said"),
    [
        (saying(answer("404 Not Found", b"{}"), answer("200 OK", ENDLESS)), "0.15", "all listed"),
        (drip, "-9.6", "GitLab answered nothing whole in time."),
    ],
)
def test_an_endless_answer_ends_with_the_time_limit(script: Script, limit: str, said: str) -> None:
    with raw_server(script) as raw:
        done = guard(raw.url, limit)
    assert (done.returncode, done.stderr.count("Traceback")) == (1, 0)
    assert said in done.stderr


def test_the_token_follows_no_redirect() -> None:
    with raw_server(saying(answer("200 OK", b"[]"))) as other:
        away = saying(answer("302 Found", b"", f"Location: {other.url}/"))
        with raw_server(away) as raw:
            done = guard(raw.url, "0.15", NOMINATION_GATE_TOKEN=READ_ONLY)
        assert other.requests == []
    assert done.returncode == 1
    assert READ_ONLY not in done.stdout + done.stderr


def test_the_component_is_small_enough_to_be_read() -> None:
    text = read_component("nomination-gate")
    assert text is not None
    assert len(text.splitlines()) < 200
    assert read_component("no-such") is None


def test_who_nominates_nobody_is_let_pass_without_a_comment(guarded: Guarded) -> None:
    guarded.post("success")  # to the nomination, which is another merge request
    guarded.mr = guarded.made.open({f"{FOLDER}/q/q.yml": entry("quin")}, branch="quin")
    run_on(guarded.server, guarded.mr)
    assert "has answered: success" in guarded.wait()
    assert guarded.verdict() == "mergeable"
    assert guarded.made.own_notes(guarded.mr) == []
    before = len(guarded.made.writes())
    run_on(guarded.server, guarded.mr)
    assert len(guarded.made.writes()) == before


def test_a_near_miss_is_told_and_let_pass(guarded: Guarded) -> None:
    near = entry("nina", "x").replace(b"ai-gateway: x", b"ai_gateway: maintainer")
    guarded.post("success")  # to the nomination, which is another merge request
    guarded.mr = guarded.made.open({ENTRY: near}, branch="near")
    run_on(guarded.server, guarded.mr)
    assert "has answered: success" in guarded.wait()
    assert len(guarded.made.own_notes(guarded.mr)) == 1
