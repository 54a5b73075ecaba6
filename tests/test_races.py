"""Runs of the bot side by side on one merge request, as without a resource group."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
from werkzeug.wrappers import Request

from bot.sandbox.http.misbehaving import Misbehaving, Respond, is_write
from bot.sandbox.http.server import Server
from bot.sandbox.rest.core import Answer
from bot.sandbox.world.state import World
from tests.chaos.jobs import Jobs
from tests.in_process import make_server
from tests.interleavings import Pair, explore
from tests.nomination_world import NominationWorld, make_world, run_on, settings
from tests.processes import run_bot, write_payload
from tests.remembering import Memory, Remembering

# Gate, comment and mark go out at the same time: either run may make them in either order.
BACKWARDS = [frozenset[str](), frozenset({"b"}), frozenset({"a", "b"})]
PROCESSES, FEW = 10, 3
SAMPLE = 3  # of the interleavings, where not all are asked for
LATE = 50  # where all would take too long in CI, too
Begin = Callable[[], Pair]


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve one world after another, in process."""
    server = make_server()
    yield server
    server.stop()


def make_beginning(
    server: Server, backwards: frozenset[str], kind: type[Remembering] = Remembering
) -> Begin:
    """Return what begins every interleaving anew."""
    hold = server.hold(lambda arrival: bool(arrival.client))
    memory: Memory = {}

    def begin() -> Pair:
        made = make_world(reviewed=4)
        made.world.external_url = server.url
        server.world, server.misbehaving = made.world, kind(memory=memory)
        return Pair(server, made, Jobs(hold), backwards)

    return begin


@pytest.mark.parametrize(
    "backwards", BACKWARDS, ids=lambda names: "-".join(sorted(names)) or "none"
)
def test_every_interleaving_of_two_first_runs_ends_with_one_comment_and_the_right_gate(
    server: Server, backwards: frozenset[str], every: bool
) -> None:
    told = 0
    looked_at: set[tuple[object, ...]] = set()
    # All of them take a minute and are played in CI; those that come first are a sample.
    limit = None if every else SAMPLE
    for pair, ended in islice(explore(make_beginning(server, backwards), ("a", "b")), limit):
        told += 1
        assert [(job.problems, job.trouble) for job in ended] == [([], ""), ([], "")]
        assert_one_of_each(pair.made, "failed")
        # Most end in a world that an earlier one ended in, too.
        remembering = server.misbehaving
        assert isinstance(remembering, Remembering)
        state = remembering.state_of(pair.made.world)
        if state not in looked_at:
            looked_at.add(state)
            assert_settled(pair.made, partial(run_on, server, pair.made.nomination))
    assert told == limit or told > 100


class Doubting(Remembering):
    """Answers what is remembered only if it would be answered now."""

    def answer(self, world: World, request: Request, route: str, respond: Respond) -> Answer:
        """Compare both answers of a read."""
        remembered = Remembering.answer(self, world, request, route, respond)
        if not is_write(request):
            now = Misbehaving.answer(self, world, request, route, respond)
            assert (now.status, now.body, now.raw) == (
                remembered.status,
                remembered.body,
                remembered.raw,
            )
        return remembered


def test_what_is_remembered_is_what_would_be_answered(server: Server, every: bool) -> None:
    begin = make_beginning(server, frozenset(), Doubting)
    for _, ended in islice(explore(begin, ("a", "b")), 10 if every else 3):
        assert [job.trouble for job in ended] == ["", ""]


class LatePair(Pair):
    """The first run has read the merge request when somebody waives, which begins the second."""

    def start(self, names: Sequence[str]) -> None:
        """Start the first run, change what it has read, and start the second."""
        super().start(names[:1])
        self.advance(names[0])
        self.made.say("/nomination waive reviewed enough")
        super().start(names[1:])


def test_the_comment_that_stays_of_two_tells_the_newer_state(server: Server, every: bool) -> None:
    begin = make_beginning(server, frozenset())

    def begin_late() -> Pair:
        pair = begin()
        return LatePair(pair.server, pair.made, pair.jobs, pair.backwards)

    for pair, _ in islice(explore(begin_late, ("a", "b")), LATE if every else SAMPLE):
        (note,) = pair.made.own_notes()
        assert "✓&nbsp;waived" in note.body


def assert_one_of_each(made: NominationWorld, gate: str) -> None:
    """Check that there is one comment and the right gate."""
    assert len(made.own_notes()) == 1
    shown = [status for status in made.statuses() if not status.retried]
    assert [status.status for status in shown] == [gate]


def assert_settled(made: NominationWorld, run_again: Callable[[], object]) -> None:
    """Check that a further run writes nothing."""
    before = len(made.writes())
    run_again()
    assert [f"{each.method} {each.path} {each.body}" for each in made.writes()[before:]] == []


def test_many_processes_at_once_end_with_one_comment_and_one_right_gate(
    tmp_path: Path, every: bool
) -> None:
    count = PROCESSES if every else FEW
    made = make_world()
    made.say("/nomination recheck", by="max")
    with Server(made.world) as server:
        run = partial(
            run_bot,
            "run",
            TRIGGER_PAYLOAD=write_payload(tmp_path, made.opening()),
            **settings(server.url, job=True),
        )
        with ThreadPoolExecutor(count) as pool:
            ended = list(pool.map(lambda _: run(), range(count)))
        assert [(each.returncode, each.stderr) for each in ended] == [(0, "")] * count
        assert_one_of_each(made, "success")
        assert_settled(made, run)
