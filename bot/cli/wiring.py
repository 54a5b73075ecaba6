"""Connect GitLab and the operator's choices, within the time of a run."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bot.cli.telling import complain
from bot.commands import check_word
from bot.config import Settings, parse_settings
from bot.errors import ConfigError
from bot.values import dataclass, late_patterns

if TYPE_CHECKING:
    import argparse

    from bot.app import Choices
    from bot.gitlab import GitLabClient

Command: TypeAlias = Callable[["argparse.Namespace", Mapping[str, str]], int]


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
CALLS = 60  # requests for one merge request
ONE = Limits(times=1)
LATELY = Limits(times=2, requests=5)  # for a few merge requests, as no payload names just one
SWEEP = Limits(times=20, requests=80)
SETUP = Limits(times=5, requests=8)
BOARD = Limits(times=20, requests=80)  # 60 for entries and people, the rest for nominations


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings; raise ConfigError that names what is wrong with them."""
    settings = parse_settings(environment)
    refusal = check_word(settings.word)
    if refusal:
        raise ConfigError(f"NOMINATION_BOT_COMMAND is {settings.word!r}: {refusal}")
    return settings


@contextmanager
def connect(
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
        client.meanwhile = choices.words.prepare  # compiled while the first answers are awaited
        yield client, choices
    finally:
        watchdog.cancel()
        client.close()


def _choose(settings: Settings) -> "Choices":
    with late_patterns():
        from bot import app
        from bot.evidence import tell_broken
        from bot.publish import GateChoice, GateKind
        from bot.report import About, Words
        from bot.rulebook import load_sound

    policies, broken = load_sound(Path(settings.policies) if settings.policies else None)
    for line in tell_broken(broken):
        complain(line)
    about = About(contact=settings.contact, docs_url=settings.docs_url, job_url=settings.job_url)
    return app.Choices(
        policies=policies,
        broken=broken,
        words=Words(settings.templates, settings.gitlab_url, settings.word, about),
        gate=GateChoice(kind=GateKind(settings.gate), name=settings.status_name),
        command=settings.word,
        former_ids=settings.former_ids,
        observe=settings.observe,
    )


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
