"""The commands about a merge request that is named: evaluate it, or tell its history."""

import json
import re
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bot.cli.telling import tell
from bot.cli.wiring import Command, connect, read_settings
from bot.command_line import Manner, wants_json
from bot.config import Settings
from bot.errors import ConfigError

if TYPE_CHECKING:
    from bot.app import Evaluation
    from bot.gitlab import GitLabClient
    from bot.publish import Problem

GATE_SHUT = 2  # exit code of `check` with gate `none`, so that a plain job can be the gate

_TARGET = re.compile(r"(?P<project>[\w.-]+(?:/[\w.-]+)+|\d+)!(?P<iid>[1-9]\d{0,8})")
_PAGE = re.compile(r"/(?P<project>[\w./-]+?)/-/merge_requests/(?P<iid>[1-9]\d{0,8})(?:[/?#].*)?")


def _check(options: Namespace, environment: Mapping[str, str]) -> int:
    settings = read_settings(environment)
    project, iid = parse_target(options.target, settings.gitlab_url)
    as_json = wants_json(options)
    with connect(settings, options.limits, first=(project, iid)) as (client, choices):
        from bot.app import rounds, sweep
        from bot.publish import GateKind
        from bot.report import GateState

        path = _team_path(client, project, settings)
        problems: list[Problem] = []
        if as_json or options.dry_run:
            evaluation = rounds.evaluate(path, iid, choices, client)
            _explain(evaluation) if as_json else _show(evaluation)
        else:
            evaluation, problems = sweep.run(path, iid, choices, client)
            tell(evaluation, problems, client, settings)
    gate = evaluation.report.gate if evaluation.report else None
    if choices.gate.kind is GateKind.NONE and gate and gate.state is not GateState.PASSED:
        return GATE_SHUT
    return 1 if problems or choices.broken else 0


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


def _replay(options: Namespace, environment: Mapping[str, str]) -> int:
    from bot.app import replay, rounds
    from bot.app.asked import with_outcomes

    settings = read_settings(environment)
    project, iid = parse_target(options.target, settings.gitlab_url)
    manner: Manner = options.manner
    with connect(settings) as (client, choices):
        path = _team_path(client, project, settings)
        manner.show(f"reading !{iid} …")
        policies = tuple(with_outcomes(each, afterwards=True) for each in choices.policies)
        asked = replace(choices.only_reading, policies=policies)
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


COMMANDS: dict[str, Command] = {"check": _check, "replay": _replay}
