"""Runs of the bot that stop before every request until the story lets them go on."""

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TypeVar

from bot import app
from bot.app import sweep
from bot.config import Secret
from bot.errors import GitLabError
from bot.event import Push
from bot.gitlab.client import GitLabClient
from bot.gitlab.transport import Transport
from bot.sandbox.http.holding import Arrival, Hold
from bot.sandbox.http.server import Server
from tests.in_process import OneAtATime, way_to
from tests.nomination_world import SECRET, TEAM

DEADLINE = 50.0  # seconds; shorter than the longest wait a fault dictates
CALLS = 60
PATIENCE = 60.0  # seconds until a story is given up as hanging


class QuickTransport(Transport):
    """Waits for nothing: faults end when the story says so, not with time."""

    first_pause = 0.0005

    def wait(self, seconds: float) -> bool:  # noqa: ARG002  waits for nothing
        """Pass over the wait."""
        return True


Q = TypeVar("Q", bound=QuickTransport)


class SteppedClient(GitLabClient):
    """Has never more than one request under way, so that a story can be told again."""

    def __init__(self, transport: Transport, random: Random | None = None) -> None:
        self.make_pool = partial(OneAtATime, random)
        super().__init__(transport)

    @property
    def elapsed(self) -> float:
        """Take no time: a story is told at its own pace."""
        return 0.0

    def after(self, seconds: float, act: Callable[[], bool]) -> Callable[[], None]:  # noqa: ARG002
        """Never act beside all else."""
        return lambda: None


@dataclass(slots=True, eq=False)
class Job:
    """One run of the bot on a merge request, or after a push; `trouble` is a bug's traceback."""

    name: str
    iid: int
    push: Push | None = None
    began: int = 0
    alone: bool = True
    spoiled: bool = False
    done: bool = False
    calls: int = 0
    seen: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    trouble: str = ""

    def start(self, work: Callable[["Job"], None], after: Callable[[], None]) -> None:
        """Work in a thread of its own."""

        def run() -> None:
            try:
                work(self)
            except GitLabError as error:
                self.problems.append(str(error))
            except Exception:
                self.trouble = traceback.format_exc()
            finally:
                self.done = True
                after()

        threading.Thread(target=run, daemon=True).start()


def make_transport(kind: type[Q], server: Server, name: str = "", calls: int = CALLS) -> Q:
    """Connect to a server, by a name if it is to know one: in process unless it is served."""
    url = f"{server.url}/~{name}" if name else server.url
    transport = kind(url, Secret(SECRET), DEADLINE, calls)
    way = way_to(server)
    if way:
        transport.go_through(way)
    return transport


def make_client(
    server: Server, name: str = "", random: Random | None = None, calls: int = CALLS
) -> SteppedClient:
    """Connect a client that does one thing after another."""
    return SteppedClient(make_transport(QuickTransport, server, name, calls), random)


def evaluate(client: SteppedClient, choices: app.Choices, job: Job) -> None:
    """Evaluate what the job is to look at and publish, as `nomination-bot run` does."""
    try:
        if job.push is None:
            _, problems = sweep.run(TEAM, job.iid, choices, client)
            job.problems.extend(map(str, problems))
            job.seen.append(job.iid)
            return
        changed = client.fetch_changed(TEAM, job.push.before, job.push.after)
        looks = sweep.look_at_touching(TEAM, changed, choices, client)
        job.problems.extend(str(problem) for look in looks for problem in look.problems)
        job.seen.extend(look.iid for look in looks if look.iid)
    finally:
        job.calls = client.calls
        client.close()


class Jobs:
    """All jobs that are under way, each parked before its next request."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self.live: list[Job] = []

    def start(self, job: Job, work: Callable[[Job], None]) -> None:
        """Start a job and let it come to its first request."""
        self.live.append(job)
        job.start(work, self._hold.nudge)
        self.settle()

    def advance(self, job: Job) -> Arrival | None:
        """Let a job do its next request, and come to the one after it."""
        arrival = self._parked(job)
        if arrival is not None:
            self._hold.release(arrival)
        self.settle()
        return arrival

    def settle(self) -> None:
        """Wait until every job is parked or done; raise TimeoutError."""

        def is_settled(waiting: tuple[Arrival, ...]) -> bool:
            parked = {arrival.client for arrival in waiting}
            return all(job.done or job.name in parked for job in self.live)

        if not self._hold.wait_for(is_settled, PATIENCE):
            raise TimeoutError("a job neither asks nor ends")

    def reap(self) -> list[Job]:
        """Remove the jobs that are done, and return them."""
        ended = [job for job in self.live if job.done]
        self.live = [job for job in self.live if not job.done]
        return ended

    def next_call(self, job: Job) -> Arrival | None:
        """Look at the request a job is parked before."""
        return self._parked(job)

    def _parked(self, job: Job) -> Arrival | None:
        return next((a for a in self._hold.waiting() if a.client == job.name), None)
