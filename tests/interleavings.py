"""All ways in which two runs of the bot can interleave, each told once.

Requests that do not influence each other may change places without any difference, so of
all such orders only one is run (sleep sets): reads commute with reads, writes of different
things with each other, and what is evidence with everything that the bot writes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot import app
from bot.config import Secret
from bot.errors import GitLabError
from bot.sandbox.holding import Arrival
from bot.sandbox.server import Server
from tests.chaos.jobs import CALLS, DEADLINE, Job, Jobs, QuickTransport, SteppedClient
from tests.nomination_world import SECRET, TEAM, NominationWorld, make_choices

ROUTES = ("/award_emoji", "/statuses/", "/notes")
READS_NOTES = ("NominationMergeRequest", "NominationNotes")


class _Telling(QuickTransport):
    """Says which query it is about to ask."""

    asks = ""

    def query(
        self, text: str, variables: Mapping[str, object], *, patient: bool = True
    ) -> Mapping[str, object]:
        """Send a query."""
        self.asks = text.split("query ", 1)[1].split("(", 1)[0]
        return super().query(text, variables, patient=patient)


class Backwards(SteppedClient):
    """Makes the writes that go out together in the opposite order."""

    def run_together(self, writes: Sequence[Callable[[], None]]) -> list[GitLabError | None]:
        """Make the last write first."""
        return super().run_together(writes[::-1])[::-1]


@dataclass(frozen=True, slots=True)
class Call:
    """A request as far as it can influence another one."""

    writes: bool
    topic: str

    def commutes(self, other: "Call") -> bool:
        """Tell whether the order of two requests makes no difference."""
        if not (self.writes or other.writes):
            return True
        if "evidence" in {self.topic, other.topic}:
            return True
        return self.topic != other.topic and "state" not in {self.topic, other.topic}


@dataclass(slots=True)
class Node:
    """A choice that is still to be made: who goes first, and who was tried before."""

    schedule: tuple[str, ...]
    asleep: Mapping[str, Call] = field(default_factory=dict)


@dataclass(slots=True)
class Pair:
    """Two runs side by side in a fresh world."""

    server: Server
    made: NominationWorld
    jobs: Jobs
    backwards: frozenset[str]
    transports: dict[str, _Telling] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)

    def start(self, names: Sequence[str]) -> None:
        """Bring each run to its first request."""
        for name in names:
            self.jobs.start(Job(name, self.made.nomination.iid), self._work)

    def _work(self, job: Job) -> None:
        url = f"{self.server.url}/~{job.name}"
        transport = self.transports[job.name] = _Telling(url, Secret(SECRET), DEADLINE, CALLS)
        client = (Backwards if job.name in self.backwards else SteppedClient)(transport)
        try:
            _, problems = app.run(TEAM, job.iid, make_choices(), client)
            job.problems.extend(problems)
        finally:
            client.close()

    def waiting(self) -> dict[str, Call]:
        """Tell what each run that is not over does next."""
        found = {}
        for job in self.jobs.live:
            arrival = self.jobs.next_call(job)
            if arrival is not None:
                found[job.name] = self._describe(arrival)
        return found

    def _describe(self, arrival: Arrival) -> Call:
        if arrival.path.endswith("/graphql"):
            if self.transports[arrival.client].asks not in READS_NOTES:
                return Call(False, "evidence")
            # Whoever has just created a comment looks for others, and for nothing else.
            return Call(False, "/notes" if arrival.client in self.created else "state")
        if arrival.method == "GET":
            return Call(False, "/statuses/" if arrival.path.endswith("/statuses") else "evidence")
        return Call(True, next(route for route in ROUTES if route in arrival.path))

    def advance(self, name: str) -> None:
        """Let one run make its next request."""
        job = next(job for job in self.jobs.live if job.name == name)
        arrival = self.jobs.next_call(job)
        if arrival is not None and arrival.path.endswith("/notes"):
            self.created.add(name)
        elif arrival is not None and self._describe(arrival).topic == "/notes":
            self.created.discard(name)
        self.jobs.advance(job)

    def finish(self) -> list[Job]:
        """Let all end, one after another."""
        while any(not job.done for job in self.jobs.live):
            self.jobs.advance(next(job for job in self.jobs.live if not job.done))
        return self.jobs.reap()


def explore(begin: Callable[[], Pair], names: Sequence[str]) -> Iterator[tuple[Pair, list[Job]]]:
    """Yield the world after every interleaving that differs from all others."""
    stack = [Node(())]
    while stack:
        node = stack.pop()
        pair = begin()
        pair.start(names)
        for name in node.schedule:
            pair.advance(name)
        told = _follow(pair, node, stack)
        ended = pair.finish()
        if told:
            yield pair, ended


def _follow(pair: Pair, node: Node, stack: list[Node]) -> bool:
    """Go on to the end, and keep the other choices for later; False where nothing is new."""
    schedule, asleep = node.schedule, dict(node.asleep)
    while waiting := pair.waiting():
        awake = [name for name in waiting if name not in asleep]
        if not awake:
            return False
        chosen, *others = _choices(awake, waiting)
        tried = dict(asleep)
        for name, before in zip(others, awake, strict=False):
            tried[before] = waiting[before]
            stack.append(Node((*schedule, name), _still_asleep(tried, waiting[name])))
        pair.advance(chosen)
        asleep = _still_asleep(asleep, waiting[chosen])
        schedule = (*schedule, chosen)
    return True


def _choices(awake: Sequence[str], waiting: Mapping[str, Call]) -> Sequence[str]:
    """Return who may go first: nobody needs to try another order around evidence."""
    free = [name for name in awake if waiting[name].topic == "evidence"]
    return free[:1] or awake


def _still_asleep(asleep: Mapping[str, Call], done: Call) -> dict[str, Call]:
    return {name: call for name, call in asleep.items() if call.commutes(done)}
