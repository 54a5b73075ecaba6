"""The door for people and jobs: arguments, environment, clock, wiring, exit code."""

import argparse
import gc
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from bot import inert
from bot.command_text import check_word
from bot.config import Settings, parse_settings
from bot.errors import BotError, ConfigError
from bot.event import Event

if TYPE_CHECKING:
    from types import ModuleType

    from bot.app import Choices, Evaluation
    from bot.gitlab_client import GitLabClient

GATE_SHUT = 2  # exit code of `check` with gate `none`, so that a plain job can be the gate

_TARGET = re.compile(r"(?P<project>[\w.-]+(?:/[\w.-]+)+|\d+)!(?P<iid>[1-9]\d{0,8})")
_PAGE = re.compile(r"/(?P<project>[\w./-]+?)/-/merge_requests/(?P<iid>[1-9]\d{0,8})(?:[/?#].*)?")


@dataclass(frozen=True, slots=True)
class Limits:
    """How many times the requests, and the time, of one merge request a run may take."""

    requests: int
    times: int


PORTS = range(65536)
GRACE = 2.0  # seconds between the deadline and the end of the process
CALLS = 60  # requests for one merge request
ONE = Limits(requests=1, times=1)
SWEEP = Limits(requests=80, times=20)


class _Parser(argparse.ArgumentParser):
    """Say wrong arguments like any other mistake: argparse's exit code is the gate's."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; `{self.prog} --help` shows how.")


def run_command(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run any command but `run` on an event; return the exit code."""
    options = _parser().parse_args(arguments)
    chosen = COMMANDS[options.command]
    return chosen(options, environment)


def run_event(event: Event, environment: Mapping[str, str]) -> int:
    """Evaluate the merge request of an event and publish."""
    return _evaluate(event.project, event.iid, _settings(environment))


def check_address(environment: Mapping[str, str]) -> None:
    """Raise GitLabError when the configured team database has moved, so that nobody waits."""
    settings = _settings(environment)
    with _wire(settings) as (client, _):
        client.fetch_default_branch(settings.team_project)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="nomination-bot", description="Says who is ready to be a maintainer, and what is left."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("run", help="the CI job: read the event named by TRIGGER_PAYLOAD")
    check = commands.add_parser("check", help="evaluate one merge request by hand")
    check.add_argument("target", help="GROUP/PROJECT!IID, or the address of a merge request")
    check.add_argument("--dry-run", action="store_true", help="write nothing, show what would be")
    check.add_argument("--json", action="store_true", help="print the assessment; writes nothing")
    detect = commands.add_parser("detect", help="compare two team databases, offline")
    detect.add_argument("--base", required=True, metavar="DIR")
    detect.add_argument("--head", required=True, metavar="DIR")
    detect.add_argument("--json", action="store_true")
    policy = commands.add_parser("policy", help="work with policies")
    policy.add_argument("action", choices=["check"])
    policy.add_argument("files", nargs="*", metavar="FILE")
    sandbox = commands.add_parser("sandbox", help="serve the stand-in GitLab with its pages")
    sandbox.add_argument("--scenario", metavar="DIR")
    sandbox.add_argument("--port", type=_port, default=8080, metavar="N")
    ready = commands.add_parser("ready", help="judge somebody before any merge request exists")
    ready.add_argument("username")
    ready.add_argument("--policy", metavar="ID", help="only this policy")
    ready.add_argument("--entry", metavar="SLUG", help="name of their entry's file, if another")
    ready.add_argument("--json", action="store_true")
    commands.add_parser("sweep", help="look again at every nomination that is not over")
    commands.add_parser("demo", help="tell the story of a nomination on the sandbox")
    return parser


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) in PORTS:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port; use a number from 0 to 65535")


def _run(_: argparse.Namespace, __: Mapping[str, str]) -> int:
    raise ConfigError("`nomination-bot run` takes no options; the event is in TRIGGER_PAYLOAD.")


def _check(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from bot.gate import GateKind
    from bot.report import GateState

    settings = _settings(environment)
    project, iid = parse_target(options.target, settings.gitlab_url)
    from bot import app

    with _wire(settings) as (client, choices):
        path = client.fetch_project_path(project)
        problems: list[str] = []
        if options.json or options.dry_run:
            evaluation = app.evaluate(path, iid, choices, client)
            _explain(evaluation) if options.json else _show(evaluation)
        else:
            evaluation, problems = app.run(path, iid, choices, client)
            _tell(evaluation, problems, client.calls)
    gate = evaluation.report.gate if evaluation.report else None
    if choices.gate.kind is GateKind.NONE and gate and gate.state is not GateState.PASSED:
        return GATE_SHUT
    return 1 if problems else 0


def _evaluate(project: str, iid: int, settings: Settings) -> int:
    from bot import app

    with _wire(settings) as (client, choices):
        path = client.fetch_project_path(project)
        evaluation, problems = app.run(path, iid, choices, client)
    _tell(evaluation, problems, client.calls)
    return 1 if problems else 0


def _ready(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from bot.explain import explain_assessment
    from bot.ready import Candidate, assess_readiness, choose_policies, is_later, is_ready

    settings = _settings(environment)
    username = options.username.removeprefix("@")
    with _wire(settings) as (client, choices):
        project = client.fetch_project_path(settings.team_project)
        now = datetime.now(UTC)
        branch = client.fetch_default_branch(project)
        # The files are lower case by convention, whatever the account is.
        slug = options.entry or username.lower()
        who = Candidate(username=username, slug=slug, project=project, branch=branch)
        assessments = [
            assess_readiness(who, policy, client, now)
            for policy in choose_policies(choices.policies, options.policy, now)
        ]
    if options.json:
        told = [
            explain_assessment(each, settings.gitlab_url) | {"ready": is_ready(each)}
            for each in assessments
        ]
        print(json.dumps(told, indent=2))
    else:
        for each in assessments:
            values = {"assessment": each, "ready": is_ready(each), "is_later": is_later}
            print(choices.words.render("ready.txt.j2", **values))
    return 0


def _sweep(_: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from bot import app

    settings = _settings(environment)
    with _wire(settings, SWEEP) as (client, choices):
        looks = app.sweep_all(client.fetch_project_path(settings.team_project), choices, client)
    print(f"Looked at {len(looks)} merge requests. {client.calls} calls.")
    for look in looks:
        where = f"!{look.iid}: " if look.iid else ""
        for line in (*look.notices, *look.problems):
            print(f"nomination-bot: {where}{inert.log_line(line)}", file=sys.stderr)
    return 1 if any(look.problems for look in looks) else 0


def _settings(environment: Mapping[str, str]) -> Settings:
    settings = parse_settings(environment)
    refusal = check_word(settings.word)
    if refusal:
        raise ConfigError(f"NOMINATION_BOT_COMMAND is {settings.word!r}: {refusal}")
    return settings


@contextmanager
def _wire(settings: Settings, limits: Limits = ONE) -> Iterator[tuple["GitLabClient", "Choices"]]:
    """Connect GitLab and the operator's choices; let go of everything at the end."""
    from bot import app
    from bot.gate import GateChoice, GateKind
    from bot.gitlab_client import GitLabClient
    from bot.gitlab_transport import Transport
    from bot.policy import load_policies
    from bot.report import Words

    choices = app.Choices(
        policies=load_policies(Path(settings.policies) if settings.policies else None),
        words=Words(settings.templates, settings.gitlab_url, settings.word),
        gate=GateChoice(kind=GateKind(settings.gate), name=settings.status_name),
        command=settings.word,
        former_ids=settings.former_ids,
    )
    deadline = settings.deadline * limits.times
    shares = (limits.times, limits.requests)
    transport = Transport(
        settings.gitlab_url, settings.token, settings.deadline, CALLS, shares=shares
    )
    client = GitLabClient(transport)
    # A server that answers a byte at a time outlasts every time limit of a request.
    watchdog = threading.Timer(deadline + GRACE, give_up)
    watchdog.daemon = True
    watchdog.start()
    # Compiling takes as long as many a request, most of which is waiting.
    threading.Thread(target=choices.words.prepare, daemon=True).start()
    try:
        yield client, choices
    finally:
        watchdog.cancel()
        client.close()


def give_up(leave: Callable[[int], object] = os._exit) -> None:
    """Say that time is up, and leave at once."""
    print("nomination-bot: the time of this run is used up; stopped.", file=sys.stderr, flush=True)
    leave(1)


def _explain(evaluation: "Evaluation") -> None:
    from bot.explain import as_json

    address = evaluation.merge_request.gitlab_url
    print(json.dumps(as_json(evaluation.findings, address), indent=2, ensure_ascii=True))


def _show(evaluation: "Evaluation") -> None:
    if evaluation.report is None:
        print("Nothing to say: this merge request nominates nobody.")
    else:
        print(evaluation.report.body)
    lines = evaluation.plan.lines()
    print("\n".join(f"would {line}" for line in lines) or "would write nothing")


def _tell(evaluation: "Evaluation", problems: Sequence[str], calls: int) -> None:
    merge_request = evaluation.merge_request
    where = f"{merge_request.project}!{merge_request.iid}"
    written = len(evaluation.plan.lines())
    if evaluation.report is None:
        print(f"{where}: nominates nobody; nothing to say. {written} writes, {calls} calls.")
    else:
        people = len(evaluation.findings.assessments)
        gate = evaluation.report.gate
        state = gate.state.value if gate else "left alone"
        print(f"{where}: {people} nominations, gate {state}; {written} writes, {calls} calls.")
    known = [f"gate: {evaluation.plan.gate_problem}"] if evaluation.plan.gate_problem else []
    for problem in (*known, *problems):
        print(f"nomination-bot: {inert.log_line(problem)}", file=sys.stderr)


def parse_target(text: str, gitlab_url: str) -> tuple[str, int]:
    """Read GROUP/PROJECT!IID or a merge request's address; raise ConfigError otherwise."""
    # The same path on another GitLab is another merge request.
    page = text.removeprefix(gitlab_url)
    match = _TARGET.fullmatch(text) if page == text else _PAGE.fullmatch(page)
    if match is None:
        raise ConfigError(
            f"{text!r} names no merge request of {gitlab_url}; "
            "expected GROUP/PROJECT!IID or its address."
        )
    return match["project"], int(match["iid"])


def _detect(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from bot.detect import as_json, run_detect
    from bot.nomination import RoleKey
    from bot.policy import load_policies

    directory = environment.get("NOMINATION_BOT_POLICIES")
    policies = load_policies(Path(directory) if directory else None)
    wanted = {RoleKey(project=p.project, role=p.role) for p in policies}
    gc.disable()  # thousands of short-lived trees without cycles: collecting costs a tenth
    found = run_detect(options.base, options.head, wanted)
    if options.json:
        print(json.dumps(as_json(found), indent=2, ensure_ascii=True))
        return 0
    for nomination in found.nominations:
        who = inert.log_line(nomination.username)
        print(f"{who} gains {nomination.role} of {nomination.project} in {nomination.path}")
    for remark in (*found.unread, *found.remarks):
        print(f"{inert.log_line(remark.path)}: {inert.log_line(remark.message)}")
    if not (found.nominations or found.unread or found.remarks):
        print("Nobody is nominated.")
    return 0


def _policy(options: argparse.Namespace, _: Mapping[str, str]) -> int:
    from bot.policy import check_policies

    print("\n".join(check_policies([Path(name) for name in options.files])))
    return 0


def _sandbox(options: argparse.Namespace, _: Mapping[str, str]) -> int:
    pages = _import_sandbox("pages")
    scenario = Path(options.scenario) if options.scenario else None
    return int(pages.serve(scenario, options.port))


def _demo(_: argparse.Namespace, __: Mapping[str, str]) -> int:
    return int(_import_sandbox("demo").run_demo(sys.stdout))


def _import_sandbox(name: str) -> "ModuleType":
    from importlib import import_module

    try:
        return import_module(f"bot.sandbox.{name}")
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("bot"):
            raise
        raise ConfigError(
            f"The sandbox needs {error.name}: run `pip install nomination-bot[sandbox]` first."
        ) from None


COMMANDS = {
    "run": _run,
    "check": _check,
    "detect": _detect,
    "policy": _policy,
    "ready": _ready,
    "sweep": _sweep,
    "sandbox": _sandbox,
    "demo": _demo,
}

__all__ = ["BotError", "parse_target", "run_command", "run_event"]
