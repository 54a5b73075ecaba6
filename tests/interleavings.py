"""All ways in which two runs of the bot can interleave, each told once.

Requests that do not influence each other may change places without any difference, so of all
such orders only one is run: reads commute with reads, writes of different things with each
other, and what is evidence with everything that the bot writes. Other orders are tried only
where one request did influence a later one (source sets), and never twice (sleep sets).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.app import sweep
from bot.errors import GitLabError
from bot.sandbox.http.holding import Arrival
from bot.sandbox.http.server import Server
from tests.chaos.jobs import Job, Jobs, QuickTransport, SteppedClient, make_transport
from tests.nomination_world import TEAM, NominationWorld, make_choices

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
class Choice:
    """Who went first where several could, who was tried before, and who is to be tried."""

    waiting: Mapping[str, Call]
    asleep: dict[str, Call]
    chosen: str
    wanted: set[str] = field(default_factory=set)

    @property
    def call(self) -> Call:
        """Return the request that was made."""
        return self.waiting[self.chosen]

    def asleep_after(self) -> dict[str, Call]:
        """Return whose next request was tried before, and still makes no difference."""
        return {name: call for name, call in self.asleep.items() if call.commutes(self.call)}

    def turn(self) -> bool:
        """Choose somebody who was not tried yet; False where nobody is left."""
        self.asleep[self.chosen] = self.call
        left = sorted(self.wanted & self.waiting.keys() - self.asleep.keys())
        if left:
            self.chosen = left[0]
        return bool(left)


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
        transport = self.transports[job.name] = make_transport(_Telling, self.server, job.name)
        client = (Backwards if job.name in self.backwards else SteppedClient)(transport)
        try:
            _, problems = sweep.run(TEAM, job.iid, make_choices(), client)
            job.problems.extend(map(str, problems))
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
    path: list[Choice] = []
    while True:
        pair = begin()
        pair.start(names)
        for choice in path:
            pair.advance(choice.chosen)
        told = _follow(pair, path)
        ended = pair.finish()
        if told:
            yield pair, ended
        _find_others(path)
        while path and not path[-1].turn():
            path.pop()
        if not path:
            return


def _follow(pair: Pair, path: list[Choice]) -> bool:
    """Go on to the end, and keep every choice made; False where nothing is new."""
    asleep = path[-1].asleep_after() if path else {}
    while waiting := pair.waiting():
        awake = [name for name in waiting if name not in asleep]
        if not awake:
            return False
        # Nobody needs to try another order around evidence.
        free = [name for name in awake if waiting[name].topic == "evidence"]
        path.append(Choice(waiting, asleep, chosen=(free or awake)[0]))
        pair.advance(path[-1].chosen)
        asleep = path[-1].asleep_after()
    return True


def _find_others(path: Sequence[Choice]) -> None:
    """Where one run's request came before another's that it influences, let the other go first.

    Of two runs only: with more, whoever leads to the other request would have to begin.
    """
    befores: list[set[int]] = []  # of each request, all that must come before it
    for number, choice in enumerate(path):
        before: set[int] = set()
        for earlier in _influences(path, number):
            if earlier not in before and path[earlier].chosen != choice.chosen:
                path[earlier].wanted.add(choice.chosen)
            before |= befores[earlier] | {earlier}
        befores.append(before)


def _influences(path: Sequence[Choice], number: int) -> Iterator[int]:
    """Yield the earlier requests that influence a request, the last one first."""
    choice = path[number]
    for earlier in reversed(range(number)):
        other = path[earlier]
        if other.chosen == choice.chosen or not other.call.commutes(choice.call):
            yield earlier
