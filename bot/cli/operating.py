"""The commands that look at what the bot needs in GitLab, and make it so."""

import signal
import threading
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bot import setup
from bot.cli.telling import complain
from bot.cli.wiring import CALLS, SETUP, Command, read_settings
from bot.command_line import Manner, wants_json
from bot.config import Secret, Settings, find_chosen
from bot.errors import ConfigError
from bot.gitlab import Transport
from bot.rulebook import load_sound


def _doctor(options: Namespace, environment: Mapping[str, str]) -> int:
    answers = []
    manner: Manner = options.manner
    with _survey(read_settings(environment), environment) as ground:
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


def _print_answer(answer: setup.Answer, manner: Manner) -> None:
    if manner.quiet and (answer.found.state is setup.State.OK or answer.found.excused):
        return
    print(f"{manner.paint(answer.found.state.value, 12)} {setup.write_line(answer)}", flush=True)


def _count(answers: Sequence[setup.Answer], calls: int) -> str:
    told = [
        f"{sum(each.found.state is state for each in answers)} {state.value}"
        for state in setup.State
    ]
    return f"{len(answers)} points: {', '.join(told)}. {calls} calls, nothing was changed."


def _init(options: Namespace, environment: Mapping[str, str]) -> int:
    settings = read_settings(environment)
    if settings.admin_token is None or settings.project is None:
        raise ConfigError(
            "`init` needs NOMINATION_BOT_ADMIN_TOKEN, a token of your own with scope `api`, and "
            "NOMINATION_BOT_PROJECT, the project whose pipelines run the bot."
        )
    manner: Manner = options.manner
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


def _rotate(options: Namespace, ground: setup.Ground) -> int:
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
    stops = (signal.SIGINT, signal.SIGTERM)
    # Before one of them came, the alarm only wakes; after that both are ignored.
    insists = all(signal.getsignal(each) is signal.SIG_IGN for each in stops)
    kinds = (*stops, *((signal.SIGALRM,) if insists else ())) if here else ()

    def hold(number: int, _: object) -> None:
        if not held:
            complain("a secret is being replaced; stopping after that.")
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
def _survey(settings: Settings, environment: Mapping[str, str]) -> Iterator[setup.Ground]:
    """Connect GitLab as the bot, and as the operator where their token is given.

    Raises UnreachableError where nothing answers.
    """
    deadline = settings.deadline * SETUP.times

    def connect(token: Secret) -> Transport:
        door = Transport(settings.gitlab_url, token, deadline, SETUP.requests * CALLS)
        door.hurried = True  # a person waits, and what fails is told as one point of many
        return door

    bot = connect(settings.token)
    operator = connect(settings.admin_token) if settings.admin_token else None
    try:
        policies = load_sound(Path(settings.policies) if settings.policies else None)
        bot.reach()
        yield setup.Ground(
            settings, find_chosen(environment), policies, (bot, operator), datetime.now(UTC)
        )
    finally:
        for door in (bot, operator):
            if door is not None:
                door.close()


COMMANDS: dict[str, Command] = {"doctor": _doctor, "init": _init}
