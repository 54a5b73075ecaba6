"""From an empty GitLab to a merge that is blocked; and every fault is found, one line each."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from bot.evidence import FileAt, TallyOf, WorkOf
from bot.gitlab.queries import _PARTS
from bot.gitlab.rest import READERS
from bot.gitlab.transport import Transport
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, NoteDraft
from bot.sandbox.acts.merging import assess_merge
from bot.sandbox.http.faults import Fault as Failure, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import (
    Group,
    HookEvent,
    Level,
    Member,
    Project,
    ProjectSettings,
    Schedule,
    TriggerToken,
    Variable,
    Webhook,
)
from bot.sandbox.world.hooks import FOREVER
from bot.sandbox.world.state import World
from bot.setup.needs import FOR_NEEDS
from bot.setup.sample import Sample
from tests.nomination_world import writes_in
from tests.operator_world import (
    HOST,
    OPERATOR_TOKEN,
    TEAM,
    empty_gitlab,
    host_of,
    nominate,
    operate,
    serving,
    settings,
    team_of,
)
from tests.processes import run_here

# Policies that ask the bot to open merge requests.
OPENING = str(Path(__file__).parent.parent / "examples" / "policies" / "opening")
TOKEN = "NOMINATION_BOT_TOKEN"  # noqa: S105  the name of a variable


def points(done: Any) -> dict[str, str]:
    """Return the state of every point."""
    return {each["id"]: each["state"] for each in json.loads(done.stdout)["points"]}


# --- from nothing to a working gate -------------------------------------------------------


@pytest.fixture(scope="module")
def sound() -> Iterator[World]:
    """Return a GitLab that `init` set up, with a nomination whose gate is failed."""
    with empty_gitlab() as sandbox:
        world = sandbox.world
        before = operate(sandbox.url, "doctor")
        assert before.returncode == 1
        assert writes_in(world.requests) == []
        planned = operate(sandbox.url, "init")
        assert (planned.returncode, planned.stderr) == (0, "")
        assert len(planned.stdout.splitlines()) == before.stdout.count("\nwrong")
        assert writes_in(world.requests) == []
        made = operate(sandbox.url, "init", "--apply")
        assert (made.returncode, made.stderr) == (0, "")
        assert made.stdout.count("did ") == planned.stdout.count("would ")
        mr = nominate(world)
        sandbox.drain()
        assert [run.log for run in sandbox.runner.runs if run.exit_code] == []
        assert len(mr.comments) == 1
        assert assess_merge(world, mr) == "ci_must_pass"
        yield world
        people = [world.user("manager1"), world.user("maintainer1")]
        actions.assign(world, world.user("nominee1"), mr, people)
        waiver = NoteDraft(body="/nomination waive reviewed I have seen enough of them")
        actions.create_note(world, world.user("maintainer1"), mr, waiver)
        sandbox.drain()
        assert assess_merge(world, mr) == "mergeable", mr.comments[0].body


@pytest.fixture
def server(sound: World) -> Iterator[Server]:
    with serving(sound) as running:
        yield running


def test_a_sound_installation_has_nothing_to_complain_of(server: Server) -> None:
    done = operate(server.url, "doctor", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert writes_in(server.world.requests) == []
    assert server.world.violations == []


def test_the_gate_is_proved_by_a_merge_request_that_it_holds_back(server: Server) -> None:
    done = operate(server.url, "doctor")
    assert "gate-blocks: !1 has a failed gate and cannot be merged" in done.stdout
    assert "cannot tell" not in done.stdout.replace("0 cannot tell", "")


def test_a_second_init_has_nothing_to_do(server: Server) -> None:
    for arguments in (["init"], ["init", "--apply"]):
        done = operate(server.url, *arguments)
        assert done.returncode == 0
        assert "did " not in done.stdout
        assert "would " not in done.stdout
    assert writes_in(server.world.requests) == []


def test_init_tries_each_query_as_often_as_the_doctor(server: Server) -> None:
    """It makes what can be set first: no query has to be tried before."""
    requests = server.world.requests
    tried = []
    for arguments in (["doctor"], ["init", "--apply"]):
        requests.clear()
        operate(server.url, *arguments)
        tried.append([each.body for each in requests if each.path == "/api/graphql"])
    assert tried[0] == tried[1] != []


def test_init_stores_the_token_masked_protected_and_not_expanded(sound: World) -> None:
    (variable,) = host_of(sound).variables
    assert variable.key == TOKEN
    assert (variable.masked, variable.protected, variable.raw) == (True, True, True)


# --- faults -------------------------------------------------------------------------------


def hook_of(world: World) -> Webhook:
    return team_of(world).webhooks[0]


def variable_of(world: World) -> Variable:
    return host_of(world).variables[0]


def bot_token(world: World) -> Any:
    return next(each for each in world.tokens if each.user.bot)


def change_file(project: Project, world: World, path: str, content: bytes | None) -> None:
    draft = CommitDraft(message="Change", changes={path: content})
    operator = world.user("operator1")
    project.members.setdefault(operator.id, world.project(TEAM).members[operator.id])
    actions.push(world, operator, project, project.default_branch, draft)


def set_level(world: World, username: str, level: Level, project: str = TEAM) -> None:
    world.project(project).members[world.user(username).id].level = level


def deliver(world: World, status: int | None, answer: str = "") -> None:
    event = HookEvent(
        id=99, trigger="merge_request_hooks", url="", status=status, answer=answer, at=world.now
    )
    hook_of(world).events.append(event)


def hide(world: World, project: str, *who: str) -> None:
    found = world.project(project)
    found.visibility = "private"
    found.members = {n: m for n, m in found.members.items() if m.user.username not in who}


GATEWAY = "gitlab-org/modelops/applied-ml/code-suggestions/ai-assist"
PROVISIONER = "gitlab-com/gl-infra/platform/runway/provisioner"
CI = ".gitlab-ci.yml"
DAY = timedelta(days=1)
OVERWRITTEN = "nomination-gate: {script: ['true']}\n"
COMPONENT = "include:\n  - component: $CI_SERVER_FQDN/x/nomination-gate@1\n"


@dataclass(frozen=True)
class Fault:
    """What is planted, which point must find it, and words that must stand in its line."""

    point: str
    said: str
    plant: Callable[[World], object]
    by_init: bool = False
    settings: dict[str, str] = field(default_factory=dict)


def assign(target: Callable[[World], object], **values: object) -> Callable[[World], None]:
    def plant(world: World) -> None:
        found = target(world)
        for name, value in values.items():
            setattr(found, name, value)

    return plant


def readdress(change: Callable[[str], str]) -> Callable[[World], None]:
    """Give the webhook another address."""

    def plant(world: World) -> None:
        hook_of(world).url = change(hook_of(world).url)

    return plant


def nothing(_: World) -> None:
    """Plant nothing: the settings are the fault."""


def add(variable: Variable) -> Callable[[World], None]:
    return lambda world: host_of(world).variables.append(variable)


def host_ci(old: str, new: str) -> Callable[[World], None]:
    def plant(world: World) -> None:
        project = host_of(world)
        commit = project.repository.find_commit("main")
        assert commit is not None
        text = (project.repository.content(commit, CI) or b"").decode()
        assert old in text
        change_file(project, world, CI, text.replace(old, new).encode())

    return plant


def post_elsewhere(world: World) -> None:
    """Let the failed gate not count: the pipeline is a success in spite of it."""
    mr = team_of(world).merge_requests[1]
    for pipeline in team_of(world).pipelines:
        for job in pipeline.jobs:
            job.allow_failure = job.status == "failed"
    assert assess_merge(world, mr) == "mergeable"


def double_hook(world: World) -> None:
    hook = hook_of(world)
    team_of(world).webhooks.append(
        Webhook(id=77, url=hook.url, url_variables=dict(hook.url_variables))
    )


def team_settings(world: World) -> ProjectSettings:
    return team_of(world).settings


def host_settings(world: World) -> ProjectSettings:
    return host_of(world).settings


def itself(world: World) -> World:
    return world


def schedule_of(world: World) -> Schedule:
    return host_of(world).schedules[0]


def trigger_of(world: World) -> TriggerToken:
    return host_of(world).triggers[0]


def ignore_mark(world: World) -> None:
    """List all where marked ones are asked for; none of them has the bot's mark."""
    world.ignored = frozenset({"my_reaction_emoji"})
    team_of(world).merge_requests[1].awards.clear()


def ask_for_issue(world: World) -> None:
    """Ask for the issue of what does not work, of an account that is no member of the project."""
    add(Variable(key="NOMINATION_BOT_ISSUE", value="true", protected=True))(world)


def let_open_issues(world: World) -> None:
    ask_for_issue(world)
    bot = world.user("nomination-bot")
    actions.add_member(world, world.user("operator1"), host_of(world), bot, Level.GUEST)


def without_issues(world: World) -> None:
    let_open_issues(world)
    host_of(world).issues_access = "disabled"


def limit_membership(world: World, day: date) -> None:
    team_of(world).members[world.user("nomination-bot").id].expires_at = day


def team_ci(content: bytes | None) -> Callable[[World], None]:
    return lambda world: change_file(team_of(world), world, CI, content)


def guard_is(line: str) -> Callable[[World], None]:
    return team_ci(f"nomination-gate:\n  script: ['exit 1']\n  {line}\n".encode())


def included(inputs: str = "", more: str = "") -> Callable[[World], None]:
    """Include the component, with inputs, before what else stands in the configuration."""
    return team_ci(f"{COMPONENT}    inputs: {{{inputs}}}\n{more}".encode())


def group_of(world: World) -> Group:
    found = world.find_group("gitlab-org/maintainers/ai-gateway")
    assert found is not None
    return found


FAULTS = {
    "token revoked": Fault("token", "401", assign(bot_token, revoked=True)),
    "token ends": Fault(
        "token-expiry", "2026-02-10", assign(bot_token, expires_at=date(2026, 2, 10))
    ),
    "token cannot write": Fault("token-scope", "read_api", assign(bot_token, scopes=("read_api",))),
    "token of the operator": Fault(
        "account",
        "who is you",
        assign(variable_of, value="glpat-sandbox-operator"),
        settings={"TOKEN": "glpat-sandbox-operator"},
    ),
    "old GitLab": Fault("version", "15.11", assign(lambda world: world, version="15.11.0")),
    "role too low": Fault(
        "role", "level 20", lambda w: set_level(w, "nomination-bot", Level.REPORTER), by_init=True
    ),
    "role too high": Fault(
        "role", "level 40", lambda w: set_level(w, "nomination-bot", Level.MAINTAINER)
    ),
    "team database elsewhere": Fault(
        "team-project", "404", nothing, settings={"TEAM_PROJECT": "gitlab-com/other"}
    ),
    "team database archived": Fault("team-project", "archived", assign(team_of, archived=True)),
    "counted project hidden": Fault(
        f"project {GATEWAY}", "does not exist for the bot", lambda w: hide(w, GATEWAY)
    ),
    "group hidden": Fault(
        "group gitlab-org/maintainers/ai-gateway",
        "does not exist for the bot",
        assign(group_of, visibility="private"),
    ),
    "group empty": Fault(
        "group gitlab-org/maintainers/ai-gateway",
        "no direct members",
        lambda w: group_of(w).members.clear(),
    ),
    "list of deployers hidden": Fault(
        f"file {PROVISIONER}:inventory.json",
        "cannot be read",
        lambda w: hide(w, PROVISIONER, "nomination-bot"),
    ),
    "list of reviewers gone": Fault(
        f"file {GATEWAY}:renovate.json",
        "cannot be read",
        lambda w: change_file(w.project(GATEWAY), w, "renovate.json", None),
    ),
    "host is another": Fault(
        "host-project", "404", nothing, settings={"PROJECT": "gitlab-org/none"}
    ),
    "operator is no Maintainer": Fault(
        "host-project", "level 30", lambda w: set_level(w, "operator1", Level.DEVELOPER, HOST)
    ),
    "branch open": Fault(
        "branch", "not protected", lambda w: host_of(w).protected_branches.clear(), by_init=True
    ),
    "branch for Developers": Fault(
        "branch",
        "Developers may",
        lambda w: setattr(host_of(w).protected_branches[0], "push_level", 30),
    ),
    "token not stored": Fault(
        "variable-token", "not set", lambda w: host_of(w).variables.clear(), by_init=True
    ),
    "token not masked": Fault(
        "variable-token", "not masked", assign(variable_of, masked=False), by_init=True
    ),
    "token not protected": Fault(
        "variable-token", "not protected", assign(variable_of, protected=False), by_init=True
    ),
    "another token stored": Fault(
        "variable-token",
        "another token",
        assign(variable_of, value="glpat-an-older-one"),
        by_init=True,
    ),
    "variable misspelt": Fault(
        "variables",
        "NOMINATION_BOT_GAET is no setting",
        add(Variable(key="NOMINATION_BOT_GAET", value="none", protected=True)),
    ),
    "variable unprotected": Fault(
        "variables",
        "NOMINATION_BOT_COMMAND",
        add(Variable(key="NOMINATION_BOT_COMMAND", value="promotion")),
        by_init=True,
        settings={"COMMAND": "promotion"},
    ),
    "variable differs": Fault(
        "variables",
        "NOMINATION_BOT_COMMAND",
        add(Variable(key="NOMINATION_BOT_COMMAND", value="other", protected=True)),
        by_init=True,
        settings={"COMMAND": "promotion"},
    ),
    "variable not given here": Fault(
        "variables",
        "not given now",
        add(Variable(key="NOMINATION_BOT_COMMAND", value="promotion", protected=True)),
    ),
    "anybody passes variables": Fault(
        "pipeline-variables",
        "developer",
        assign(host_settings, pipeline_variables_role="developer"),
        by_init=True,
    ),
    "nobody passes on an old GitLab": Fault(
        "pipeline-variables",
        "refuses every webhook",
        assign(itself, version="17.9.1-ee"),
        by_init=True,
    ),
    "no job for events": Fault(
        "jobs", "nomination-bot run", host_ci("- nomination-bot run", "- 'true'")
    ),
    "no job for sweeps": Fault(
        "jobs", "nomination-bot sweep", host_ci("- nomination-bot sweep", "- 'true'")
    ),
    "pushes cancel events": Fault(
        "jobs", "cancels", host_ci("on_new_commit: none", "on_new_commit: interruptible")
    ),
    "configuration broken": Fault("jobs", "Invalid", host_ci("workflow:", "workflow: [")),
    "no trigger token": Fault(
        "trigger", "none", lambda w: host_of(w).triggers.clear(), by_init=True
    ),
    "trigger token of somebody gone": Fault(
        "trigger",
        "not active",
        lambda w: setattr(trigger_of(w), "owner", blocked(w)),
    ),
    "trigger token of a Developer": Fault(
        "trigger", "level 30", lambda w: setattr(trigger_of(w), "owner", developer(w))
    ),
    "trigger token expired": Fault(
        "trigger", "expired", lambda w: setattr(trigger_of(w), "expires_at", w.now)
    ),
    "no schedule": Fault("schedule", "none", lambda w: host_of(w).schedules.clear(), by_init=True),
    "schedule off": Fault(
        "schedule", "none is active", assign(schedule_of, active=False), by_init=True
    ),
    "schedule of somebody gone": Fault(
        "schedule", "not active", lambda w: setattr(schedule_of(w), "owner", blocked(w))
    ),
    "no webhook": Fault("webhook", "none", lambda w: team_of(w).webhooks.clear(), by_init=True),
    "token ends in three days": Fault(
        "token-expiry", "2026-02-05", assign(bot_token, expires_at=date(2026, 2, 5))
    ),
    "membership ends": Fault(
        "role", "ends on 2026-02-09", lambda w: limit_membership(w, date(2026, 2, 9))
    ),
    "token for one environment": Fault(
        "variable-token",
        "for the environment 'production' alone",
        assign(variable_of, environment_scope="production"),
        by_init=True,
    ),
    "token twice": Fault(
        "variable-token",
        "set 2 times",
        add(Variable(key=TOKEN, value="glpat-an-older-one", environment_scope="production")),
    ),
    "token in a file": Fault(
        "variable-token", "a file", assign(variable_of, variable_type="file"), by_init=True
    ),
    "setting for one environment": Fault(
        "variables",
        "NOMINATION_BOT_COMMAND",
        add(
            Variable(
                key="NOMINATION_BOT_COMMAND",
                value="promotion",
                protected=True,
                environment_scope="review/*",
            )
        ),
        by_init=True,
        settings={"COMMAND": "promotion"},
    ),
    "hidden setting unprotected": Fault(
        "variables",
        "NOMINATION_BOT_COMMAND",
        add(Variable(key="NOMINATION_BOT_COMMAND", value="promotion", masked=True, hidden=True)),
        by_init=True,
        settings={"COMMAND": "promotion"},
    ),
    "operator's token stored": Fault(
        "variables",
        "NOMINATION_BOT_ADMIN_TOKEN",
        add(Variable(key="NOMINATION_BOT_ADMIN_TOKEN", value=OPERATOR_TOKEN, protected=True)),
    ),
    "jobs sent elsewhere": Fault(
        "variables",
        "NOMINATION_BOT_GITLAB_URL of the jobs",
        add(
            Variable(
                key="NOMINATION_BOT_GITLAB_URL", value="https://elsewhere.example", protected=True
            )
        ),
    ),
    "host archived": Fault("host-project", "archived", assign(host_of, archived=True)),
    "host without CI/CD": Fault(
        "jobs", "CI/CD switched off", assign(host_of, builds_access="disabled")
    ),
    "team database without CI/CD": Fault(
        "guard", "CI/CD switched off", assign(team_of, builds_access="disabled")
    ),
    "no merge requests": Fault(
        "team-project", "no merge requests", assign(team_of, merge_requests_access="disabled")
    ),
    "counted project archived": Fault(
        f"project {GATEWAY}", "archived", assign(lambda w: w.project(GATEWAY), archived=True)
    ),
    "list of deployers unreadable": Fault(
        f"file {PROVISIONER}:inventory.json",
        "no list can be read",
        lambda w: change_file(w.project(PROVISIONER), w, "inventory.json", b"{"),
    ),
    "list of deployers not text": Fault(
        f"file {PROVISIONER}:inventory.json",
        "no list can be read",
        lambda w: change_file(w.project(PROVISIONER), w, "inventory.json", b"\xff\xfe"),
    ),
    "trigger token ends": Fault(
        "trigger", "expires on", lambda w: setattr(trigger_of(w), "expires_at", w.now + 3 * DAY)
    ),
    "trigger token of a stranger": Fault(
        "trigger",
        "@colleague1 has level 0",
        lambda w: setattr(trigger_of(w), "owner", w.user("colleague1")),
    ),
    "schedule of a stranger": Fault(
        "schedule",
        "@colleague1 has level 0",
        lambda w: setattr(schedule_of(w), "owner", w.user("colleague1")),
    ),
    "schedule of another branch": Fault(
        "schedule",
        "there is none on main",
        assign(schedule_of, ref="refs/heads/old"),
        by_init=True,
    ),
    "schedule once a year": Fault(
        "schedule", "runs daily", assign(schedule_of, cron="0 0 1 1 *"), by_init=True
    ),
    "schedule once a week": Fault(
        "schedule", "runs daily", assign(schedule_of, cron="0 5 * * 1"), by_init=True
    ),
    "webhook of another project": Fault(
        "webhook",
        "but for the trigger of project 99",
        readdress(lambda url: url.replace("8200", "99")),
        by_init=True,
    ),
    "webhook without verification": Fault(
        "webhook-ssl", "off", assign(hook_of, enable_ssl_verification=False), by_init=True
    ),
    "webhook without a token": Fault(
        "webhook-token",
        "no token in it",
        readdress(lambda url: url.partition("?")[0]),
        by_init=True,
    ),
    "webhook with a template": Fault(
        "webhook-address",
        "a template of its own",
        assign(hook_of, custom_webhook_template='{"kind":"{{object_kind}}"}'),
    ),
    "webhook switched off for now": Fault(
        "webhook-enabled",
        "temporarily disabled until",
        lambda w: setattr(hook_of(w), "disabled_until", w.now + DAY),
    ),
    "skipped pipelines count": Fault(
        "gate-setting", "skipped", assign(team_settings, skipped_is_success=True), by_init=True
    ),
    "guard may fail": Fault("guard", "may fail", guard_is("allow_failure: true")),
    "guard may fail by its rule": Fault(
        "guard",
        "may fail",
        guard_is("rules: [{if: $CI_MERGE_REQUEST_IID, allow_failure: true}]"),
    ),
    "guard by hand": Fault("guard", "does not start by itself", guard_is("when: manual")),
    "guard never": Fault("guard", "does not start by itself", guard_is("rules: [{when: never}]")),
    "guard never by rules of rules": Fault(
        "guard", "does not start by itself", guard_is("rules: [[[{when: never}]]]")
    ),
    "guard only spoken of": Fault(
        "guard", "no job fails", team_ci(b"# include nomination-gate here\nother: {script: [x]}\n")
    ),
    "guard hidden": Fault(
        "guard", "no job fails", team_ci(b".nomination-gate: {script: [x]}\na: {script: [x]}\n")
    ),
    "guard written over": Fault("guard", "is written over", included(more=OVERWRITTEN)),
    "guard of another status": Fault(
        "guard", "waits for the status 'other'", included("status-name: other")
    ),
    "guard of another account": Fault(
        "guard", "waits for @somebody", included("account: somebody")
    ),
    "guard of other files": Fault(
        "guard", "does not start where data/", included("team-files: [data/projects/*]")
    ),
    "two webhooks": Fault("webhook", "there are 2", double_hook),
    "webhook of another branch": Fault(
        "webhook-address",
        "old",
        readdress(lambda url: url.replace("main", "old")),
        by_init=True,
    ),
    "webhook to another host": Fault(
        "webhook-address",
        "elsewhere.example",
        readdress(lambda url: re.sub("http://[^/]*", "https://elsewhere.example", url)),
        by_init=True,
    ),
    "webhook passes variables": Fault(
        "webhook-address",
        "variables",
        readdress(lambda url: url + "&variables[A]=b"),
        by_init=True,
    ),
    "comments off": Fault(
        "webhook-events", "note_events off", assign(hook_of, note_events=False), by_init=True
    ),
    "pushes off": Fault(
        "webhook-events", "push_events off", assign(hook_of, push_events=False), by_init=True
    ),
    "pushes to all branches": Fault(
        "webhook-events",
        "to other branches",
        assign(hook_of, push_events_branch_filter=""),
        by_init=True,
    ),
    "pipeline events on": Fault(
        "webhook-events", "pipeline_events on", assign(hook_of, pipeline_events=True), by_init=True
    ),
    "confidential comments on": Fault(
        "webhook-events",
        "confidential_note_events on",
        assign(hook_of, confidential_note_events=True),
        by_init=True,
    ),
    "trigger token shown": Fault(
        "webhook-token",
        "openly",
        lambda w: assign(hook_of, url=hook_of(w).address, url_variables={})(w),
        by_init=True,
    ),
    "webhook switched off": Fault(
        "webhook-enabled", "disabled", assign(hook_of, disabled_until=FOREVER)
    ),
    "deliveries refused": Fault(
        "webhook-deliveries",
        "Insufficient permissions",
        lambda w: deliver(w, 400, '{"message":{"base":["Insufficient permissions"]}}'),
    ),
    "nobody answers": Fault("webhook-deliveries", "internal error", lambda w: deliver(w, None)),
    "pipelines may fail": Fault(
        "gate-setting", "off", assign(team_settings, pipelines_must_succeed=False), by_init=True
    ),
    "no guard": Fault(
        "guard",
        "no job fails",
        team_ci(b"other:\n  script: ['true']\n"),
    ),
    "no configuration to guard": Fault("guard", "Please provide content", team_ci(None)),
    "gate does not block": Fault("gate-blocks", "can be merged all the same", post_elsewhere),
    "field missing": Fault(
        "query merge request",
        "preparedAt",
        assign(itself, lacking=("MergeRequest.preparedAt",)),
    ),
    "filter of a higher tier": Fault(
        "query approvers",
        "approvedBy",
        assign(itself, lacking=("Project.mergeRequests.approvedBy",)),
    ),
    "members untold": Fault(
        "query members",
        "accessLevels",
        assign(itself, lacking=("Group.groupMembers.accessLevels",)),
    ),
    "complexity refused": Fault(
        "query all at once", "complexity", assign(itself, complexity_limit=200)
    ),
    "filter by path ignored": Fault(
        "query history", "`path` is ignored", assign(itself, ignored=frozenset({"path"}))
    ),
    "no guest where the issue belongs": Fault(
        "query issues of the bot's project",
        "must be a Guest",
        ask_for_issue,
        settings={"ISSUE": "true"},
    ),
    "no issues": Fault(
        "query issues of the bot's project",
        "has no issues",
        without_issues,
        settings={"ISSUE": "true"},
    ),
    "filter by mark ignored": Fault(
        "query marked merge requests",
        "`my_reaction_emoji` is ignored",
        ignore_mark,
    ),
}


def blocked(world: World) -> Any:
    gone = world.user("colleague1")
    gone.state = "blocked"
    return gone


def developer(world: World) -> Any:
    user = world.user("colleague1")
    actions.add_member(world, world.user("operator1"), host_of(world), user, Level.DEVELOPER)
    return user


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_in_one_line(server: Server, name: str) -> None:
    fault, world = FAULTS[name], server.world
    fault.plant(world)
    done = operate(server.url, "doctor", "-q", **fault.settings)
    (line,) = done.stdout.splitlines()
    assert done.returncode == 1
    assert f" {fault.point}: expected " in line
    assert fault.said in line
    assert "; next: " in line
    assert server.url in line
    assert writes_in(world.requests) == []


# Parts that have nothing to do with each other: a fault of each can be planted at the same time.
APART = re.compile(
    "branch|file|guard|jobs|pipeline-variables|query|role|schedule|token-expiry|trigger|"
    "variable-token|variables|webhook"
)


def share_out(*, by_init: bool) -> list[list[str]]:
    """Put the n-th faults of all such parts together, and each of the others alone."""
    parts: dict[str, list[str]] = {}
    alone = []
    for name, fault in FAULTS.items():
        part = APART.match(fault.point)
        if fault.by_init is not by_init:
            continue
        if part:
            parts.setdefault(part[0], []).append(name)
        else:
            alone.append([name])
    together = [[name for name in row if name] for row in zip_longest(*parts.values())]
    return [*together, *alone]


def plant_all(world: World, names: list[str]) -> tuple[list[Fault], dict[str, str]]:
    """Plant faults; return them, and the settings by which they are looked for."""
    faults = [FAULTS[name] for name in names]
    for fault in faults:
        fault.plant(world)
    return faults, {name: value for fault in faults for name, value in fault.settings.items()}


@pytest.mark.sample(1)
@pytest.mark.parametrize("names", share_out(by_init=True), ids=", ".join)
def test_init_mends_what_was_planted(server: Server, names: list[str]) -> None:
    """Each fault by a change of its own; nothing is amiss afterwards."""
    faults, given = plant_all(server.world, names)
    made = operate(server.url, "init", "--apply", **given)
    did = [line for line in made.stdout.splitlines() if line.startswith("did ")]
    assert len(did) == len(faults), made.stdout + made.stderr
    done = operate(server.url, "doctor", "-q", **given)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.sample(1)
@pytest.mark.parametrize("names", share_out(by_init=False), ids=", ".join)
def test_init_leaves_to_people_what_it_cannot_mend(server: Server, names: list[str]) -> None:
    faults, given = plant_all(server.world, names)
    told = operate(server.url, "init", **given).stdout.splitlines()
    assert len(told) == len(faults), told
    for fault in faults:
        (line,) = (each for each in told if re.search(f"[ (]{re.escape(fault.point)}: ", each))
        assert line.startswith(("by hand: ", "would send a test delivery"))
    assert writes_in(server.world.requests) == []


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("", None),
        ("role", "level 20"),
        ("archived", "the project is archived"),
        ("disabled", "takes no merge requests"),
    ],
)
def test_whether_the_bot_may_open_merge_requests_is_looked_at(
    server: Server, trouble: str, said: str | None
) -> None:
    gateway = server.world.project(GATEWAY)
    bot = server.world.user("nomination-bot")
    for project in (gateway, server.world.project(PROVISIONER)):
        level = Level.REPORTER if trouble == "role" and project is gateway else Level.DEVELOPER
        project.members[bot.id] = Member(user=bot, level=level, created_at=server.world.now)
    gateway.archived = trouble == "archived"
    if trouble == "disabled":
        gateway.merge_requests_access = "disabled"
    done = operate(server.url, "doctor", POLICIES=OPENING)
    lines = [line for line in done.stdout.splitlines() if " merge requests gitlab-" in line]
    assert len(lines) == 2
    wrong = [line for line in lines if line.startswith("wrong")]
    assert [f" merge requests {GATEWAY}:renovate.json: " in line for line in wrong] == (
        [True] if said else []
    )
    assert all(said in line for line in wrong if said)


def test_the_issue_of_what_does_not_work_can_be_kept(server: Server) -> None:
    let_open_issues(server.world)
    done = operate(server.url, "doctor", ISSUE="true")
    assert done.returncode == 0
    assert "query issues of the bot's project: answered" in done.stdout


def test_every_query_that_the_bot_can_send_is_tried() -> None:
    """A new kind of fact needs a point of its own."""
    sample = Sample(
        project="a/b",
        project_id=1,
        branch="main",
        iid=1,
        sha="c0",
        real=True,
        repository="g/p",
        group="g",
        username="bot",
        user_id=7,
        status_name="gate",
        changed=str,
    )
    tried = {type(find(sample)) for find, _ in FOR_NEEDS.values()}
    # Nobody counts what a bot did, and the doctor asks as the bot.
    assert tried | {WorkOf, TallyOf} == set(_PARTS) | set(READERS) | {FileAt}


def test_a_query_without_any_answer_says_nothing_of_gitlabs_version(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Transport, "contact_seconds", 0.01)
    server.fault(Failure(route="POST /api/graphql", kind=Kind.CUT_BEFORE))
    found = points(operate(server.url, "doctor", "--json"))
    told = {state for name, state in found.items() if name.startswith("query ")}
    assert told == {"ok", "cannot tell"}


def test_json_holds_every_point(server: Server) -> None:
    hook_of(server.world).note_events = False
    done = operate(server.url, "doctor", "--json")
    told = json.loads(done.stdout)
    (found,) = [each for each in told["points"] if each["state"] == "wrong"]
    assert (done.returncode, told["sound"]) == (1, False)
    assert found["id"] == "webhook-events"
    assert found["found"] == "note_events off"
    assert found["link"] == f"{server.url}/{TEAM}/-/hooks"


def test_without_the_operator_what_they_alone_see_is_left_out(server: Server) -> None:
    done = operate(server.url, "doctor", ADMIN_TOKEN="", PROJECT="")
    assert done.returncode == 0
    assert "NOMINATION_BOT_ADMIN_TOKEN" in done.stdout
    assert not re.search("^wrong", done.stdout, re.MULTILINE)


# --- status checks ------------------------------------------------------------------------


def test_init_makes_the_status_check_where_that_is_the_gate(server: Server) -> None:
    team_of(server.world).settings.tier = "ultimate"
    chosen = {"GATE": "external-status-check"}
    made = operate(server.url, "init", "--apply", **chosen)
    assert made.returncode == 0, made.stdout + made.stderr
    (check,) = team_of(server.world).status_checks
    assert check.name == "nomination-bot"
    assert "/trigger/pipeline?token=glptt-" in check.external_url
    assert team_of(server.world).settings.checks_must_succeed
    done = operate(server.url, "doctor", "-q", **chosen)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_status_check_starts_a_branch_of_any_name(server: Server) -> None:
    """What follows a `#` in an address is not sent."""
    team_of(server.world).settings.tier = "ultimate"
    host = host_of(server.world)
    branches = host.repository.branches
    branches["bot#1"] = branches[host.default_branch]
    host.default_branch = "bot#1"
    operate(server.url, "init", "--apply", GATE="external-status-check")
    (check,) = team_of(server.world).status_checks
    assert "/ref/bot%231/trigger/pipeline?token=glptt-" in check.external_url


def test_a_tier_without_status_checks_is_told(server: Server) -> None:
    done = operate(server.url, "doctor", "-q", GATE="external-status-check")
    assert "no 'Status checks must succeed'" in done.stdout
    assert done.returncode == 1


def test_without_a_gate_nothing_is_required(server: Server) -> None:
    team_of(server.world).settings.pipelines_must_succeed = False
    done = operate(server.url, "doctor", "-q", GATE="none")
    # The variable for the jobs is the one difference.
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["variables:"]


# --- rotation -----------------------------------------------------------------------------


def test_rotating_the_token_keeps_the_account(server: Server) -> None:
    planned = operate(server.url, "init", "--rotate", "token")
    assert planned.stdout.startswith("would ")
    assert writes_in(server.world.requests) == []
    done = operate(server.url, "init", "--rotate", "token", "--apply")
    assert (done.returncode, done.stderr) == (0, "")
    (variable,) = host_of(server.world).variables
    new = server.world.tokens[-1]
    assert (variable.value, new.user.username) == (new.value, "nomination-bot")
    assert new.value not in done.stdout
    assert new.expires_at is not None
    assert new.expires_at > date(2027, 1, 1)
    assert f"take the new one from {server.url}/{HOST}/-/settings/ci_cd#" in done.stdout
    after = operate(server.url, "doctor", "-q", TOKEN=new.value)
    assert (after.returncode, after.stdout) == (0, "")
    # With the old one, which is still set here, nothing is undone.
    (line,) = operate(server.url, "doctor", "-q").stdout.splitlines()
    assert "if it was rotated, take the one that the bot's project has" in line
    again = operate(server.url, "init", "--apply")
    assert (again.returncode, variable.value) == (1, new.value)
    assert again.stdout.startswith("by hand: token: ")


def test_a_token_is_rotated_into_a_variable_that_all_jobs_can_read(server: Server) -> None:
    variable = variable_of(server.world)
    variable.variable_type, variable.environment_scope = "file", "review"
    done = operate(server.url, "init", "--rotate", "token", "--apply")
    assert (done.returncode, done.stderr) == (0, "")
    assert (variable.variable_type, variable.environment_scope) == ("env_var", "*")


def test_a_token_that_could_not_be_stored_is_not_rotated(server: Server) -> None:
    host_of(server.world).variables.clear()
    done = operate(server.url, "init", "--rotate", "token", "--apply")
    assert done.returncode == 1
    assert not bot_token(server.world).revoked


@pytest.mark.parametrize("how", ["expired", "revoked"])
def test_a_token_that_is_over_takes_the_place_of_none(server: Server, how: str) -> None:
    """GitLab rotates only what works, and a revoked one ends those that followed it."""
    (variable,) = host_of(server.world).variables
    variable.value = "glpat-the-one-that-works"
    if how == "expired":
        bot_token(server.world).expires_at = server.world.now.date()
    else:
        bot_token(server.world).revoked = True
    done = operate(server.url, "init", "--rotate", "token", "--apply")
    assert done.returncode == 1
    assert "make another token of the same account" in done.stderr
    assert "check NOMINATION_BOT_TOKEN" in done.stderr
    assert variable.value == "glpat-the-one-that-works"
    assert writes_in(server.world.requests) == []


def test_rotating_the_trigger_removes_only_what_init_made(server: Server) -> None:
    world = server.world
    (old,) = host_of(world).triggers
    other = type(old)(id=50, value="glptt-another", owner=old.owner, description="by hand")
    host_of(world).triggers.append(other)
    done = operate(server.url, "init", "--rotate", "trigger", "--apply")
    assert (done.returncode, done.stderr) == (0, "")
    left = host_of(world).triggers
    assert other in left
    assert old not in left
    (new,) = [each for each in left if each is not other]
    assert hook_of(world).url_variables == {"trigger_token": new.value}
    assert "'by hand'" in done.stdout


@pytest.mark.parametrize("missing", ["ADMIN_TOKEN", "PROJECT"])
def test_init_says_what_it_needs(missing: str) -> None:
    given = settings("http://127.0.0.1:9", **{missing: ""})
    done = run_here("init", **given)
    assert done.returncode == 1
    assert f"NOMINATION_BOT_{missing}" in done.stderr


@pytest.mark.parametrize("how", ["wrong", "expired"])
@pytest.mark.parametrize("words", [(), ("--apply",), ("--rotate", "trigger", "--apply")])
def test_init_with_a_token_that_is_over_says_so(
    server: Server, words: tuple[str, ...], how: str
) -> None:
    """What it cannot see must not look as if it were as it must be."""
    given = {"ADMIN_TOKEN": "glpat-wrong"} if how == "wrong" else {}
    if how == "expired":
        token = next(t for t in server.world.tokens if t.value == OPERATOR_TOKEN)
        token.expires_at = server.world.now.date()
    done = operate(server.url, "init", *words, **given)
    assert (done.returncode, done.stdout) == (1, "")
    assert "check NOMINATION_BOT_ADMIN_TOKEN" in done.stderr
    assert writes_in(server.world.requests) == []


def test_what_init_is_refused_is_said_and_the_rest_is_done(server: Server) -> None:
    world = server.world
    team_of(world).settings.pipelines_must_succeed = False
    host_of(world).schedules.clear()
    set_level(world, "operator1", Level.DEVELOPER)
    done = operate(server.url, "init", "--apply")
    assert done.returncode == 1
    assert "could not switch 'Pipelines must succeed' on" in done.stdout
    assert "did schedule" in done.stdout
    assert "by hand: " in done.stdout


def test_the_component_counts_as_guard_though_its_job_is_called_otherwise(
    server: Server,
) -> None:
    included("job-name: bot-answered, account: Nomination-Bot", "other: {script: ['1']}\n")(
        server.world
    )
    done = operate(server.url, "doctor", "-q")
    assert (done.returncode, done.stdout) == (0, "")


def test_one_guard_that_holds_is_enough(server: Server) -> None:
    good = "nomination-gate:\n  script: ['exit 1']\n"
    team_ci(f"{good}old-nomination-gate: {{script: [x], when: manual}}\n".encode())(server.world)
    done = operate(server.url, "doctor", "-q")
    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_hidden_is_left_as_it_is(server: Server) -> None:
    """GitLab tells its value to nobody, so that it can neither be compared nor written anew."""
    given = Variable(
        key="NOMINATION_BOT_COMMAND", value="promotion", masked=True, hidden=True, protected=True
    )
    add(given)(server.world)
    for command in ("doctor", "init"):
        done = operate(server.url, command, "-q", COMMAND="promotion")
        assert (done.returncode, done.stdout) == (0, "")


def test_an_older_trigger_token_of_somebody_gone_is_no_fault(server: Server) -> None:
    """What `init --rotate` had to leave to its owner does not stand for the new one."""
    old = TriggerToken(
        id=1, value="glptt-old", owner=blocked(server.world), description="nomination-bot"
    )
    host_of(server.world).triggers.insert(0, old)
    host_of(server.world).triggers[1].id = 2
    done = operate(server.url, "doctor", "-q")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_schedule_that_somebody_switched_off_stays_off(server: Server) -> None:
    host = host_of(server.world)
    host.schedules[0].description, host.schedules[0].active = "nightly", False
    made = operate(server.url, "init", "--apply")
    assert made.returncode == 0
    assert [each.active for each in host.schedules] == [False, True]


def test_a_schedule_for_the_board_is_none_for_the_sweep(server: Server) -> None:
    board = Schedule(
        id=99, description="board", ref="refs/heads/main", cron="0 5 * * *",
        owner=blocked(server.world), created_at=server.world.now,
    )  # fmt: skip
    host_of(server.world).schedules.insert(0, board)
    done = operate(server.url, "doctor", "-q")
    assert (done.returncode, done.stdout) == (0, "")
