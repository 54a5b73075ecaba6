"""The door for people and jobs: arguments, environment, clock, wiring, exit code."""

import gc
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot import inert
from bot.commands import check_word
from bot.config import SETTINGS, Settings, find_chosen, parse_settings
from bot.errors import BotError, ConfigError, PolicyError
from bot.event import Broken, Event, Push, Stranger
from bot.values import dataclass, late_patterns

if TYPE_CHECKING:
    import argparse
    from types import ModuleType

    from bot.app import Choices, Evaluation, Look
    from bot.command_line import Manner
    from bot.config import Secret
    from bot.gitlab import GitLabClient
    from bot.policy import BrokenPolicy, Policy
    from bot.report import About
    from bot.setup import Answer, Ground

GATE_SHUT = 2  # exit code of `check` with gate `none`, so that a plain job can be the gate

_TARGET = re.compile(r"(?P<project>[\w.-]+(?:/[\w.-]+)+|\d+)!(?P<iid>[1-9]\d{0,8})")
_PAGE = re.compile(r"/(?P<project>[\w./-]+?)/-/merge_requests/(?P<iid>[1-9]\d{0,8})(?:[/?#].*)?")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of the time and the requests of one merge request a run may take.

    `times` is how often the deadline, `requests` how often the requests; `grace` are the seconds
    between the deadline and the end of the process, to shut the gate in.
    """

    times: float
    requests: int = 1
    grace: float = 3.0


POLICIES = "NOMINATION_BOT_POLICIES"
# What an event tells of, by its kind.
EVENTS = {"merge_request": "a change", "note": "a comment"}
CALLS = 60  # requests for one merge request
ONE = Limits(times=1)
LATELY = Limits(times=2, requests=5)  # for a few merge requests, as no payload names just one
SWEEP = Limits(times=20, requests=80)
SETUP = Limits(times=5, requests=8)
BOARD = Limits(times=20, requests=80)  # 60 for entries and people, the rest for nominations


def run_command(
    arguments: Sequence[str], environment: Mapping[str, str], limits: Limits = ONE
) -> int:
    """Run any command but `run` on an event; return the exit code.

    The limits are those of one look at one merge request.
    """
    from bot.command_line import build_parser

    options = build_parser().parse_args(arguments)
    options.limits = limits
    if options.verbose:
        _tell_requests()
    chosen = COMMANDS[options.command]
    return chosen(options, environment)


def _tell_requests() -> None:
    """Write every request to standard error, as the library beneath reports it: without headers."""
    import logging

    class Inert(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return inert.log_line(record.getMessage())

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Inert())
    requests = logging.getLogger("urllib3.connectionpool")
    requests.handlers = [handler]
    requests.setLevel(logging.DEBUG)


def _manner(options: "argparse.Namespace", environment: Mapping[str, str]) -> "Manner":
    from bot.command_line import choose_manner

    return choose_manner(environment, sys.stdout, sys.stderr, quiet=options.quiet)


def run_event(event: Event, environment: Mapping[str, str]) -> int:
    """Evaluate the merge request of an event and publish."""
    about = EVENTS.get(event.kind, event.kind)
    return _evaluate(event, f"{about} of !{event.iid}", _settings(environment))


def run_broken(broken: Broken, environment: Mapping[str, str]) -> int:
    """Look at the merge requests that a broken payload seems to name, else at recent ones.

    A look that fails never stops the others; only GitLab's failures and ours end in 1.
    """
    from bot.app import sweep

    settings = _settings(environment)
    with _wire(settings, LATELY) as (client, choices):
        project = client.fetch_project_path(settings.team_project)
        guessed = sweep.look_at(project, broken.iids, choices, client)
        # That a number leads nowhere is the payload's fault, which fails no run.
        looks = [look for look in guessed if not look.missing]
        looks = looks or sweep.look_lately(project, choices, client)
    return _tell_looks(looks, client.calls)


def run_push(push: Push, environment: Mapping[str, str]) -> int:
    """Look at the open merge requests that touch the entries which a push changed."""
    from bot.app import sweep

    settings = _settings(environment)
    with _wire(settings, LATELY) as (client, choices):
        project = client.fetch_project_path(settings.team_project)
        changed = client.fetch_changed(project, push.before, push.after)
        looks = sweep.look_at_touching(project, changed, choices, client)
    return _tell_looks(looks, client.calls)


def run_stranger(stranger: Stranger, environment: Mapping[str, str]) -> int:
    """Raise GitLabError when the configured team database has moved, so that nobody waits."""
    settings = _settings(environment)
    with _wire(settings) as (client, _):
        client.fetch_default_branch(settings.team_project)
    print(f"Nothing to do: {stranger.reason}.")
    return 0


def _run(_: "argparse.Namespace", __: Mapping[str, str]) -> int:
    raise ConfigError(
        "`run` takes no option but `--dry-run`, and `decide` none; the event is in TRIGGER_PAYLOAD."
    )


def _check(options: "argparse.Namespace", environment: Mapping[str, str]) -> int:
    from bot.command_line import wants_json

    settings = _settings(environment)
    project, iid = parse_target(options.target, settings.gitlab_url)
    as_json = wants_json(options)
    with _wire(settings, options.limits, first=(project, iid)) as (client, choices):
        from bot.app import rounds, sweep
        from bot.publish import GateKind
        from bot.report import GateState

        path = _team_path(client, project, settings)
        problems: list[str] = []
        if as_json or options.dry_run:
            evaluation = rounds.evaluate(path, iid, choices, client)
            _explain(evaluation) if as_json else _show(evaluation)
        else:
            evaluation, problems = sweep.run(path, iid, choices, client)
            _tell(evaluation, problems, client, settings)
    gate = evaluation.report.gate if evaluation.report else None
    if choices.gate.kind is GateKind.NONE and gate and gate.state is not GateState.PASSED:
        return GATE_SHUT
    return 1 if problems or choices.broken else 0


def _team_path(client: "GitLabClient", project: str, settings: Settings) -> str:
    """Return the path of the team database; raise ConfigError for any other project."""
    path = client.fetch_project_path(project)
    team = path if project == settings.team_project else None
    team = team or client.fetch_project_path(settings.team_project)
    if path.casefold() != team.casefold():
        raise ConfigError(
            f"{path} is not the team database, which is {team}: name one of its merge requests, "
            "or set NOMINATION_BOT_TEAM_PROJECT."
        )
    return path


def _evaluate(event: Event, about: str, settings: Settings) -> int:
    with _wire(settings, first=(event.project, event.iid)) as (client, choices):
        from bot.app import sweep

        path = client.fetch_project_path(event.project)
        evaluation, problems = sweep.run(path, event.iid, choices, client)
        _tell(evaluation, problems, client, settings, about)
    return 1 if problems or choices.broken else 0


def _ready(options: "argparse.Namespace", environment: Mapping[str, str]) -> int:
    from bot.app.ready import (
        Candidate,
        assess_readiness,
        find_slug,
        is_later,
        is_ready,
        with_outcomes,
    )
    from bot.command_line import wants_json
    from bot.report import explain_assessment

    manner = _manner(options, environment)

    settings = _settings(environment)
    username = options.username.removeprefix("@")
    with _wire(settings) as (client, choices):
        project = client.fetch_project_path(settings.team_project)
        branch = client.fetch_default_branch(project)
        now = client.now()
        # The files are lower case by convention, whatever the account is.
        who = Candidate(username=username, slug=username.lower(), project=project, branch=branch)
        search = partial(client.find_files, project, branch)
        assessments = []
        for policy in _asked_policies(options.policy, choices.policies, now):
            manner.show(f"judging @{username} by {policy.label} …")
            asked = with_outcomes(policy) if options.outcomes else policy
            own = options.entry or find_slug(who, policy.team_files, client, search)
            assessments.append(assess_readiness(replace(who, slug=own), asked, client, now))
        manner.end()
    if wants_json(options):
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


def _asked_policies(
    wanted: str | None, known: "Sequence[Policy]", now: datetime
) -> "Sequence[Policy]":
    """Return the policies that are asked for: of an id, or what if those of a file were in force.

    No id ends as the name of a file does, or has a folder before it.
    """
    from bot.app.ready import choose_policies
    from bot.rulebook import load_policies

    if wanted and ("/" in wanted or wanted.endswith((".yml", ".yaml"))):
        return load_policies(Path(wanted))
    return choose_policies(known, wanted, now)


def _sweep(options: "argparse.Namespace", environment: Mapping[str, str]) -> int:
    from bot.command_line import wants_json

    settings = _settings(environment)
    manner = _manner(options, environment)
    as_json = wants_json(options)
    lines_told = not (manner.lively or manner.quiet or as_json)

    def tell(_: str, iid: int) -> None:
        if manner.lively:
            manner.tell(f"looking at !{iid} …")
        elif lines_told:
            print(f"looking at !{iid}", flush=True)

    with _wire(settings, SWEEP) as (client, choices):
        client.on_look = tell
        with _folded(settings if lines_told else None):
            looks, bug = _look_at_all(settings, choices, client)
        manner.end()
        looks += _keep_issue(looks, settings, choices, client)
    if settings.artifacts:
        _save(Path(settings.artifacts), {"metrics.txt": _count_looks(looks, client)})
    code = _tell_looks(looks, client.calls, manner=manner, as_json=as_json)
    if bug is not None:
        raise bug
    return code or (1 if choices.broken else 0)


@contextmanager
def _folded(settings: Settings | None) -> Iterator[None]:
    """Let the log of a job fold away what is told within."""
    from bot.report import Chapter, fold

    at = _time_of_job(settings) if settings else None
    start, *end = fold(Chapter(name="looks", title="sweep: every nomination that is not over"), at)
    if at is not None:
        print(start, flush=True)
    try:
        yield
    finally:
        if at is not None:
            print(*end, sep="\n", flush=True)


def _look_at_all(
    settings: Settings, choices: "Choices", client: "GitLabClient"
) -> tuple[list["Look"], Exception | None]:
    """Sweep; a bug that ends it early is returned, so that it can be told before it is raised."""
    from bot.app import Look, sweep

    try:
        project = client.fetch_project_path(settings.team_project)
        looks = sweep.sweep_all(project, choices, client)
        client.require_contact()
        return looks, None
    except BotError as error:
        return [Look(iid=None, problems=(f"the sweep: {error}",))], None
    except Exception as bug:
        told = f"the sweep: a bug ({type(bug).__name__}), see the log of the job"
        return [Look(iid=None, problems=(told,))], bug


def _keep_issue(
    looks: "Sequence[Look]", settings: Settings, choices: "Choices", client: "GitLabClient"
) -> "list[Look]":
    """Keep the issue of what does not work; that it could not be kept is one more problem."""
    from bot.app import Look, trouble

    if not settings.issue or settings.observe or settings.project is None:
        return []
    # A project's number alone leads nowhere.
    path = "" if settings.team_project.isdecimal() else settings.team_project
    team = f"{settings.gitlab_url}/{path}/-/merge_requests" if path else ""
    troubles = trouble.find_troubles(looks, choices.broken, team)
    try:
        issues = client.issues_of(settings.project)
        done = trouble.keep_issue(troubles, issues, choices.words, client.now())
    except BotError as error:
        return [Look(iid=None, problems=(f"the issue in {settings.project}: {error}",))]
    return [Look(iid=None, problems=(), notices=(f"issue: {done}",))] if done else []


def _count_looks(looks: "Sequence[Look]", client: "GitLabClient") -> str:
    from bot.report import write_metrics

    failed = sum(bool(look.problems) for look in looks)
    number = sum(look.iid is not None for look in looks)
    counts = {"looks": number, "failed": failed, "calls": client.calls}
    return write_metrics({}, **counts, seconds=client.elapsed)


def _board(options: "argparse.Namespace", environment: Mapping[str, str]) -> int:
    from bot.app.board import as_json, make_board
    from bot.command_line import try_place, write_files
    from bot.report import write_site

    settings = _settings(environment)
    manner = _manner(options, environment)
    directory = Path(options.output)
    with _told_place(options.output):
        try_place(directory)
    with _wire(settings, BOARD) as (client, choices):
        project = client.fetch_project_path(settings.team_project)
        where = (settings.gitlab_url, project)
        board = make_board(client, choices, where, client.now, manner.show)
        client.require_contact()
    manner.end()
    files = write_site(as_json(board), settings.templates)
    with _told_place(options.output):
        write_files(directory, files)
    if not manner.quiet:
        print(f"Wrote {', '.join(sorted(files))} to {directory}. {client.calls} calls.")
    for line in board.notices:
        _complain(line)
    return 1 if choices.broken else 0


@contextmanager
def _told_place(output: str) -> Iterator[None]:
    """Raise ConfigError where what is done within finds that the board cannot be written there."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"The board cannot be written to {output!r}: {error.strerror or error}; "
            "make room there, or name another directory by --output."
        ) from None


def _replay(options: "argparse.Namespace", environment: Mapping[str, str]) -> int:
    from bot.app import replay, rounds
    from bot.app.ready import with_outcomes
    from bot.command_line import wants_json
    from bot.publish import GateChoice, GateKind

    settings = _settings(environment)
    project, iid = parse_target(options.target, settings.gitlab_url)
    manner = _manner(options, environment)
    with _wire(settings) as (client, choices):
        path = _team_path(client, project, settings)
        # What only reads has no gate, and none to read.
        gate = GateChoice(kind=GateKind.NONE, name=choices.gate.name)
        manner.show(f"reading !{iid} …")
        policies = tuple(with_outcomes(each, afterwards=True) for each in choices.policies)
        asked = replace(choices, gate=gate, policies=policies)
        evaluation = rounds.evaluate(path, iid, asked, client)
        client.only_read()
        manner.show("reading its history …")
        told = replay.trace(evaluation, choices.command, client)
    manner.end()
    if wants_json(options):
        print(json.dumps(replay.as_json(told), indent=2))
    else:
        describe = partial(choices.words.render, "outcomes.txt.j2")
        print("\n".join(replay.tell(told, lambda went: describe(went=went))))
    return 1 if choices.broken else 0


def _drift(options: "argparse.Namespace", environment: Mapping[str, str]) -> int:
    from bot.app import drift
    from bot.app.ready import choose_policies
    from bot.command_line import wants_json

    settings = _settings(environment)
    manner = _manner(options, environment)
    with _wire(settings) as (client, choices):
        project = client.fetch_project_path(settings.team_project)
        # Where all have mistakes, nothing is left to compare, which was said already.
        is_some = options.policy or choices.policies
        today = datetime.now(UTC)
        policies = choose_policies(choices.policies, options.policy, today) if is_some else []
        where = (settings.gitlab_url, project)
        found = drift.find_drift(client, policies, where, manner.show)
        client.require_contact()
    manner.end()
    if wants_json(options):
        print(json.dumps(drift.as_json(found), indent=2))
    else:
        for line in drift.tell(found, brief=manner.quiet):
            print(line)
        if not manner.quiet:
            print(f"{client.calls} calls, nothing was changed.")
    agree = all(each.sound for each in found)
    return 0 if agree and not choices.broken else 1


def _tell_looks(
    looks: Sequence["Look"],
    calls: int,
    *,
    manner: "Manner | None" = None,
    as_json: bool = False,
) -> int:
    failed = [(look.iid, problem) for look in looks for problem in look.problems]
    number = sum(look.iid is not None for look in looks)
    if as_json:
        problems = [{"iid": iid, "problem": problem} for iid, problem in failed]
        told = {"looked_at": number, "calls": calls, "problems": problems}
        print(json.dumps(told, indent=2))
    for look in looks:
        for line in (*look.notices, *look.problems):
            _complain(line, look.iid)
    if not as_json and (manner is None or not manner.quiet):
        print(_sum_up(looks, number, calls))
    return 1 if failed else 0


def _sum_up(looks: Sequence["Look"], number: int, calls: int) -> str:
    """Say at the end what went wrong and where."""
    places = [f"!{look.iid}" if look.iid else "the sweep itself" for look in looks if look.problems]
    wrong = f" Something failed at {', '.join(dict.fromkeys(places))}." if places else ""
    return f"Looked at {number} merge requests.{wrong} {calls} calls."


def _settings(environment: Mapping[str, str]) -> Settings:
    settings = parse_settings(environment)
    refusal = check_word(settings.word)
    if refusal:
        raise ConfigError(f"NOMINATION_BOT_COMMAND is {settings.word!r}: {refusal}")
    return settings


@contextmanager
def _wire(
    settings: Settings, limits: Limits = ONE, first: tuple[str, int] | None = None
) -> Iterator[tuple["GitLabClient", "Choices"]]:
    """Connect GitLab and the operator's choices; let go of everything at the end.

    The `first` merge request is asked for at once: what judges it is imported meanwhile.
    """
    with late_patterns():
        from bot.gitlab import Transport, ask_ahead

    deadline = settings.deadline * limits.times
    shares = (limits.times, limits.requests)
    transport = Transport(
        settings.gitlab_url, settings.token, settings.deadline, CALLS, shares=shares
    )
    if first:
        ask_ahead(transport, *first)
    with late_patterns():
        from bot.gitlab import GitLabClient

    client = GitLabClient(transport)
    # A server that answers a byte at a time outlasts every time limit of a request.
    last_word = partial(client.pay, limits.grace)
    watchdog = threading.Timer(
        deadline, give_up, kwargs={"last_word": last_word, "grace": limits.grace}
    )
    watchdog.daemon = True
    watchdog.start()
    try:
        choices = _choose(settings)
        client.meanwhile = choices.words.prepare
        yield client, choices
    finally:
        watchdog.cancel()
        client.close()


def _choose(settings: Settings) -> "Choices":
    with late_patterns():
        from bot import app
        from bot.publish import GateChoice, GateKind
        from bot.report import Words
        from bot.rulebook import load_sound

    policies, broken = load_sound(Path(settings.policies) if settings.policies else None)
    _warn_of(broken)
    return app.Choices(
        policies=policies,
        broken=broken,
        words=Words(settings.templates, settings.gitlab_url, settings.word, _about(settings)),
        gate=GateChoice(kind=GateKind(settings.gate), name=settings.status_name),
        command=settings.word,
        former_ids=settings.former_ids,
        observe=settings.observe,
    )


def _about(settings: Settings) -> "About":
    from bot.report import About

    return About(contact=settings.contact, docs_url=settings.docs_url, job_url=settings.job_url)


def _warn_of(broken: "Sequence[BrokenPolicy]") -> None:
    from bot.evidence import tell_broken

    for line in tell_broken(broken):
        _complain(line)


def _complain(line: str, iid: int | None = None) -> None:
    """Write a line of foreign text to standard error, and which merge request it is about."""
    where = f"!{iid}: " if iid else ""
    print(f"nomination-bot: {where}{inert.log_line(line)}", file=sys.stderr)


def give_up(
    leave: Callable[[int], object] = os._exit,
    last_word: Callable[[], None] = lambda: None,
    grace: float = ONE.grace,
) -> None:
    """Say that time is up, let the gate be shut in a moment that is left for it, and leave."""
    print("nomination-bot: the time of this run is used up; stopped.", file=sys.stderr, flush=True)
    writing = threading.Thread(target=last_word, daemon=True)
    writing.start()
    writing.join(grace)
    leave(1)


def _explain(evaluation: "Evaluation") -> None:
    from bot.report import as_json

    address = evaluation.merge_request.gitlab_url
    print(json.dumps(as_json(evaluation.findings, address), indent=2, ensure_ascii=True))


def _show(evaluation: "Evaluation") -> None:
    if evaluation.report is None:
        print("Nothing to say: this merge request nominates nobody.")
    else:
        print(evaluation.report.body)
    lines = evaluation.plan.lines()
    print("\n".join(f"would {line}" for line in lines) or "would write nothing")


def _tell(
    evaluation: "Evaluation",
    problems: Sequence[str],
    client: "GitLabClient",
    settings: Settings,
    event: str = "",
) -> None:
    from bot.publish import GateKind
    from bot.report import Outcome, tell_story, tell_waits, write_artifacts

    report, address = evaluation.report, evaluation.merge_request.web_url
    comment_url = evaluation.findings.gate_url or client.created.get(address)
    planned, plan = evaluation.plan.places(), evaluation.plan
    failed = {problem.partition(":")[0] for problem in problems}
    if address in client.created:
        failed.discard("comment")  # it is there, whatever became of what followed
    # A commit status is one of the head, which may be another merge request's.
    is_judged = evaluation.merge_request.counts or settings.gate != GateKind.COMMIT_STATUS.value
    outcome = Outcome(
        findings=evaluation.findings,
        gate=report.gate if report and is_judged else None,
        spoken=report is not None,
        waits=tell_waits(report.turns, evaluation.now) if report else (),
        event=event,
        writes=tuple(
            (what, (comment_url or "") if where is None else f"{address}{where}")
            for what, where, part in planned
            if part not in failed
        ),
        unwritten=tuple(what for what, _, part in planned if part in failed),
        unset="gate" in failed or plan.gate_problem is not None,
        problems=tuple(problems),
        comment_url=comment_url,
        observed=settings.observe,
        calls=client.calls,
        seconds=client.elapsed,
    )
    if settings.artifacts:
        _save(Path(settings.artifacts), write_artifacts(outcome))
    _tell_problems(evaluation, problems)
    print("\n".join(tell_story(outcome, _time_of_job(settings))))


def _time_of_job(settings: Settings) -> float | None:
    """Return the time where the log is one of a job, whose sections tell it."""
    return datetime.now(UTC).timestamp() if settings.in_job else None


def _save(directory: Path, files: Mapping[str, str]) -> None:
    """Write artifacts; that one cannot be written is told, but fails no run."""
    from bot.command_line import write_files

    try:
        write_files(directory, files)
    except OSError as error:
        _complain(f"the artifacts could not be written to {directory}: {error.strerror}.")


def _tell_problems(evaluation: "Evaluation", problems: Sequence[str]) -> None:
    known = [f"gate: {evaluation.plan.gate_problem}"] if evaluation.plan.gate_problem else []
    for problem in dict.fromkeys((*known, *problems)):
        _complain(problem)
    if evaluation.again:
        print(f"Looked again at {len(evaluation.again)} open ones that touch the same entries.")
    for look in evaluation.again:
        for problem in look.problems:
            _complain(problem, look.iid)


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


def _detect(options: "argparse.Namespace", environment: Mapping[str, str]) -> int:
    from bot.command_line import wants_json
    from bot.nomination import as_json, run_detect
    from bot.policy import wanted_roles
    from bot.rulebook import load_policies

    directory = environment.get(POLICIES)
    policies = load_policies(Path(directory) if directory else None)
    wanted = wanted_roles(policies)
    gc.disable()  # thousands of short-lived trees without cycles: collecting costs a tenth
    manner = _manner(options, environment)
    manner.show("comparing the two team databases …")
    found = run_detect(options.base, options.head, wanted)
    manner.end()
    if wants_json(options):
        print(json.dumps(as_json(found), indent=2, ensure_ascii=True))
        return 0
    for nomination in found.nominations:
        who = inert.log_line(nomination.username)
        print(f"{who} gains {nomination.role} of {nomination.project} in {nomination.path}")
    # An entry that cannot be read is among both.
    told = dict.fromkeys((each.path, each.message) for each in (*found.unread, *found.remarks))
    for path, message in told:
        print(f"{inert.log_line(path)}: {inert.log_line(message)}")
    if not (found.nominations or found.unread or found.remarks):
        print("Nobody is nominated.")
    return 0


def _policy(options: "argparse.Namespace", _: Mapping[str, str]) -> int:
    from bot.command_line import wants_json
    from bot.rulebook import check_policies

    paths = [Path(name) for name in options.files]
    if wants_json(options):
        try:
            told = {"ok": check_policies(paths), "mistakes": []}
        except PolicyError as error:
            told = {"ok": [], "mistakes": str(error).splitlines()}
        print(json.dumps(told, indent=2))
        return 1 if told["mistakes"] else 0
    lines = check_policies(paths)
    if not options.quiet:
        print("\n".join(lines))
    return 0


def _doctor(options: "argparse.Namespace", environment: Mapping[str, str]) -> int:
    from bot import setup
    from bot.command_line import wants_json

    answers = []
    manner = _manner(options, environment)
    with _survey(_settings(environment), environment) as ground:
        for answer in setup.examine(ground):
            answers.append(answer)
            if not wants_json(options):
                _print_answer(answer, manner)
    sound = setup.is_sound(answers)
    if wants_json(options):
        print(setup.as_json(answers))
    elif not manner.quiet:
        print(_count(answers, ground.calls))
    return 0 if sound else 1


def _print_answer(answer: "Answer", manner: "Manner") -> None:
    from bot import setup

    if manner.quiet and (answer.found.state is setup.State.OK or answer.found.excused):
        return
    print(f"{manner.paint(answer.found.state.value, 12)} {setup.write_line(answer)}", flush=True)


def _count(answers: "Sequence[Answer]", calls: int) -> str:
    from bot import setup

    told = [
        f"{sum(each.found.state is state for each in answers)} {state.value}"
        for state in setup.State
    ]
    return f"{len(answers)} points: {', '.join(told)}. {calls} calls, nothing was changed."


def _init(options: "argparse.Namespace", environment: Mapping[str, str]) -> int:
    from bot import setup

    settings = _settings(environment)
    if settings.admin_token is None or settings.project is None:
        raise ConfigError(
            "`init` needs NOMINATION_BOT_ADMIN_TOKEN, a token of your own with scope `api`, and "
            "NOMINATION_BOT_PROJECT, the project whose pipelines run the bot."
        )
    manner = _manner(options, environment)
    with _survey(settings, environment) as ground:
        # With a token that has ended nearly all is unknown, which looks as if little were left.
        ground.as_operator("/user")
        if options.rotate:
            return _rotate(options, ground)
        work = setup.apply_changes if options.apply else setup.plan_changes
        left = work(ground, print)
    for answer in left:
        print(f"by hand: {setup.write_line(answer)}")
    if options.apply and not left and not manner.quiet:
        print("All that `init` can see is as it must be; `nomination-bot doctor` tells the rest.")
    return 1 if options.apply and left else 0


def _rotate(options: "argparse.Namespace", ground: "Ground") -> int:
    from bot import setup

    if not options.apply:
        print(f"would replace the {options.rotate}; add --apply to do it")
        return 0
    with _uninterrupted():
        setup.rotate(options.rotate, ground, print)
    return 0


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold back what would stop us while a secret is replaced: half of that would lose it.

    That is Ctrl-C, SIGTERM, and the alarm by which a process insists on an earlier one of these.
    """
    held: list[int] = []
    here = threading.current_thread() is threading.main_thread()
    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM) if here else ()

    def hold(number: int, _: object) -> None:
        if not held:
            _complain("a secret is being replaced; stopping after that.")
        held.append(number)

    heard = [each for each in kinds if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, hold) for each in heard}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler or signal.SIG_DFL)
    for number in held[:1]:
        signal.raise_signal(number)


@contextmanager
def _survey(settings: Settings, environment: Mapping[str, str]) -> Iterator["Ground"]:
    """Connect GitLab as the bot, and as the operator where their token is given.

    Raises UnreachableError where nothing answers.
    """
    from bot import setup
    from bot.gitlab import Transport
    from bot.rulebook import load_sound

    deadline = settings.deadline * SETUP.times

    def connect(token: "Secret") -> Transport:
        door = Transport(settings.gitlab_url, token, deadline, SETUP.requests * CALLS)
        door.hurried = True
        return door

    wanted = setup.Wanted(
        url=settings.gitlab_url,
        team_project=settings.team_project,
        host_project=settings.project,
        gate=settings.gate,
        status_name=settings.status_name,
        token=settings.token,
        variables=find_chosen(environment),
        heard=frozenset(each.name for each in SETTINGS),
        issue=settings.issue,
    )
    bot = connect(settings.token)
    operator = connect(settings.admin_token) if settings.admin_token else None
    try:
        policies = load_sound(Path(settings.policies) if settings.policies else None)
        bot.reach()
        yield setup.Ground(wanted, policies, (bot, operator), datetime.now(UTC))
    finally:
        for door in (bot, operator):
            if door is not None:
                door.close()


def _completion(options: "argparse.Namespace", _: Mapping[str, str]) -> int:
    from bot.command_line import write_completion

    print(write_completion(options.shell), end="")
    return 0


def _sandbox(options: "argparse.Namespace", environment: Mapping[str, str]) -> int:
    pages = _import_sandbox("serve")
    scenario = Path(options.scenario) if options.scenario else None
    return int(pages.serve(scenario, options.port, variables=_own_policies(environment)))


def _own_policies(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what makes the sandbox's jobs judge by the operator's policies, wherever they run."""
    policies = environment.get(POLICIES, "").strip()
    if policies and not Path(policies).exists():
        raise ConfigError(f"{POLICIES} is {policies!r}: there is no such directory.")
    return {POLICIES: str(Path(policies).resolve())} if policies else {}


def _demo(options: "argparse.Namespace", environment: Mapping[str, str]) -> int:
    from bot.command_line import choose_width

    width, colour = choose_width(environment), _manner(options, environment).colour
    return int(_import_sandbox("demo").run_demo(sys.stdout, width=width, colour=colour))


def _import_sandbox(name: str) -> "ModuleType":
    from importlib import import_module

    try:
        return import_module(f"bot.sandbox.story.{name}")
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("bot"):
            raise
        raise ConfigError(
            f"The sandbox needs {error.name}: run `make sandbox` or `make demo` in a checkout of "
            "this project, which install what they need."
        ) from None


COMMANDS = {
    "run": _run,
    "decide": _run,
    "check": _check,
    "detect": _detect,
    "policy": _policy,
    "ready": _ready,
    "sweep": _sweep,
    "board": _board,
    "replay": _replay,
    "drift": _drift,
    "doctor": _doctor,
    "init": _init,
    "sandbox": _sandbox,
    "demo": _demo,
    "completion": _completion,
}
