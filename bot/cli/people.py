"""The commands about people: who is ready, who waits on whom, and where places disagree."""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bot.app.asked import choose_policies, with_outcomes
from bot.app.candidate import Candidate, find_slug
from bot.app.ready import assess_readiness, is_later, is_ready
from bot.cli.telling import complain
from bot.cli.wiring import BOARD, Command, connect, read_settings
from bot.command_line import Manner, try_place, wants_json, write_files
from bot.errors import ConfigError
from bot.policy import Policy
from bot.report import explain_assessment, tell_fields, write_site
from bot.rulebook import load_policies


def _ready(options: Namespace, environment: Mapping[str, str]) -> int:
    manner: Manner = options.manner
    settings = read_settings(environment)
    username = options.username.removeprefix("@")
    with connect(settings) as (client, choices):
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


def _asked_policies(wanted: str | None, known: Sequence[Policy], now: datetime) -> Sequence[Policy]:
    """Return the policies that are asked for: of an id, or what if those of a file were in force.

    No id ends as the name of a file does, or has a folder before it.
    """
    if wanted and ("/" in wanted or wanted.endswith((".yml", ".yaml"))):
        return load_policies(Path(wanted))
    return choose_policies(known, wanted, now)


def _board(options: Namespace, environment: Mapping[str, str]) -> int:
    from bot.app.board import make_board

    settings = read_settings(environment)
    manner: Manner = options.manner
    directory = Path(options.output)
    with _told_place(options.output):
        try_place(directory)
    with connect(settings, BOARD) as (client, choices):
        project = client.fetch_project_path(settings.team_project)
        where = (settings.gitlab_url, project)
        board = make_board(client, choices, where, client.now, manner.show)
        client.require_contact()
    manner.end()
    files = write_site(tell_fields(board), settings.templates)
    with _told_place(options.output):
        write_files(directory, files)
    if not manner.quiet:
        print(f"Wrote {', '.join(sorted(files))} to {directory}. {client.calls} calls.")
    for line in board.notices:
        complain(line)
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


def _drift(options: Namespace, environment: Mapping[str, str]) -> int:
    from bot.app import drift

    settings = read_settings(environment)
    manner: Manner = options.manner
    with connect(settings) as (client, choices):
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


COMMANDS: dict[str, Command] = {"ready": _ready, "board": _board, "drift": _drift}
