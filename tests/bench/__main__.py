"""Measure what an event costs, in pairs within one run; print ratios and the goals beside them.

Usage: python -m tests.bench [--rounds N] [--danger DIR], where DIR holds node_modules/danger.
T is one `python -c pass`, J one Python that only loads the event. The stand-in GitLab answers after
the same time whatever it took to work out the answer, as long as it is less.
"""

import argparse
import json
import math
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.app.sweep import sweep_all
from bot.errors import GitLabError
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft
from bot.sandbox.http.server import Server
from bot.sandbox.http.wsgi import Environ, StartResponse
from tests import nomination_world as nw
from tests.event_bodies import make_merge_request_body
from tests.processes import ROOT, write_payload

LATENCY = 0.05  # seconds from a request to its answer, in the main table
FAR = 0.3  # seconds, so late that what comes sooner waits for the same answer
MIB = 1024  # kilobytes
HERE = Path(__file__).parent
LOAD_ONLY = "import json, os; json.load(open(os.environ['TRIGGER_PAYLOAD'], 'rb'))"
RUN = [sys.executable, "-m", "bot", "run"]
SMALL, LARGE = 10, 250  # comments
BATCH = 10  # merge requests of one sweep


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took: seconds, and its peak of memory in MiB."""

    wall: float
    peak: float


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table: a goal is met when the figure is at most, or at least, its number."""

    what: str
    figure: float
    goal: float
    at_least: bool = False

    def __str__(self) -> str:
        """Show figure, goal and whether it is met."""
        sign = "≥" if self.at_least else "≤"
        met = self.figure >= self.goal if self.at_least else self.figure <= self.goal
        word = "met" if met else "MISSED"
        return f"{self.what:<66} {self.figure:8.2f}   {sign} {self.goal:g}   {word}"


def main(arguments: Sequence[str]) -> int:
    """Measure and print; return 0 whatever the figures, as a noisy machine is no mistake."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--danger", type=Path, metavar="DIR")
    options = parser.parse_args(arguments)
    for line in measure_processes(options.rounds, options.danger):
        print(line, flush=True)
    if options.danger:
        print("Danger JS is run as:", shlex.join(_danger_command(options.danger)))
    print("the bot is run as:", shlex.join(RUN), "with the webhook's event in TRIGGER_PAYLOAD")
    print("\ncalls, as GitLab's data grow (a run's limit is 60)")
    for line in (*measure_growth(), measure_sweep()):
        print(line, flush=True)
    return 0


# --- whole processes -----------------------------------------------------------------------

# Linux lets a process begin with the peak of the one that starts it (`exec_mmap` in fs/exec.c), so
# that a small one must stand between: this one holds a whole stand-in GitLab.
LAUNCH = """
import json, os, sys, time

command = sys.argv[1:]
sink = os.open(os.devnull, os.O_RDWR)
streams = [(os.POSIX_SPAWN_DUP2, sink, stream) for stream in (0, 1, 2)]
start = time.perf_counter()
pid = os.posix_spawn(command[0], command, os.environ, file_actions=streams)
_, status, usage = os.wait4(pid, 0)
print(json.dumps([time.perf_counter() - start, usage.ru_maxrss, status]))
"""


def run_process(command: list[str], environment: Mapping[str, str]) -> Run:
    """Run a command to its end; raise RuntimeError when it fails."""
    base = {"PATH": os.defpath, "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)}
    told = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-IS", "-c", LAUNCH, *command],
        env=base | dict(environment),
        check=True,
        capture_output=True,
    )
    wall, peak, status = json.loads(told.stdout)
    if status:
        raise RuntimeError(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    return Run(wall=wall, peak=peak / MIB)


class LateServer(Server):
    """Answers each request as late as any other: its own work is GitLab's, not the bot's."""

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        came = time.perf_counter()
        answer = super().__call__(environ, start)
        self.misbehaving.stopped.wait(max(0.0, came + LATENCY - time.perf_counter()))
        return answer


@dataclass(slots=True)
class Site:
    """A server with a nomination on it."""

    made: nw.NominationWorld
    server: Server

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the bot's job."""
        return nw.settings(self.server.url)


@contextmanager
def new_site(comments: int, kind: type[Server] = LateServer) -> Iterator[Site]:
    """Serve a new world: nothing that an earlier round wrote is left in it."""
    made = nw.make_world(reviewed=5)
    for number in range(comments):
        made.say(f"Comment {number}, with a word or two.", by="dora")
    with kind(made.world) as server:
        yield Site(made=made, server=server)


def measure_processes(rounds: int, danger: Path | None) -> Iterator[Line]:
    """Measure everything once a round, in turn, so that a slow moment slows all alike."""
    columns = _tell_rounds(rounds, danger)
    walls = {what: [run.wall for run in runs] for what, runs in columns.items()}
    floor = walls["pass"]

    def ratio(one: str, other: Sequence[float]) -> float:
        return statistics.median(a / b for a, b in zip(walls[one], other, strict=True))

    def own(what: str, depth: int) -> float:
        rest = [wall - depth * LATENCY for wall in walls[what]]
        return statistics.median(seconds / t for seconds, t in zip(rest, floor, strict=True))

    # Twice, as a slow moment can part what waits for the same answer.
    first, again = map(min, zip(count_levels(), count_levels(), strict=True))
    yield Line("irrelevant event, times J", ratio("event", walls["J"]), 1.5)
    yield Line("first comment: requests that wait for each other", first, 5)
    yield Line("first comment: time of our own, in T, at 50 ms", own("first", first), 15)
    yield Line("nothing changed: requests that wait for each other", again, 4)
    yield Line("nothing changed: time of our own, in T", own("again", again), 12)
    peaks = [run.peak for run in columns["first"]]
    yield Line("first comment: peak memory, MiB", statistics.median(peaks), 40)
    if danger:
        for comments, goal in ((SMALL, 4), (LARGE, 7)):
            times = ratio(f"danger, {comments}", walls[f"again, {comments}"])
            what = f"Danger JS takes times as long, {comments} comments"
            yield Line(what, times, goal, at_least=True)


def count_levels() -> list[int]:
    """Count how many requests wait for each other, at a first look and at one more."""
    with new_site(SMALL, Server) as site:
        return [nw.count_levels(site.server, site.made.nomination, FAR) for _ in ("first", "again")]


def _tell_rounds(rounds: int, danger: Path | None) -> dict[str, list[Run]]:
    with tempfile.TemporaryDirectory() as folder:
        list(_one_round(Path(folder), danger))  # warms up
        told = [each for _ in range(rounds) for each in _one_round(Path(folder), danger)]
    return {what: [run for name, run in told if name == what] for what in dict(told)}


def _one_round(folder: Path, danger: Path | None) -> Iterator[tuple[str, Run]]:
    python = sys.executable
    body = make_merge_request_body("update")
    body["changes"] = {"title": {"previous": "a", "current": "b"}}
    payload = {"TRIGGER_PAYLOAD": str(write_payload(folder, body))}
    yield "pass", run_process([python, "-c", "pass"], {})
    yield "J", run_process([python, "-c", LOAD_ONLY], payload)
    scope = {"NOMINATION_BOT_TEAM_PROJECT": body["project"]["path_with_namespace"]}
    yield "event", run_process(RUN, payload | scope)
    yield from _first_and_again(SMALL, folder)
    if danger:
        for comments in (SMALL, LARGE):
            yield f"danger, {comments}", _danger(comments, danger)
            yield f"again, {comments}", _first_and_again(comments, folder)[0][1]


def _first_and_again(comments: int, folder: Path) -> list[tuple[str, Run]]:
    with new_site(comments) as site:
        payload = write_payload(folder, site.made.opening())
        environment = site.environment | {"TRIGGER_PAYLOAD": str(payload)}
        return [(what, run_process(RUN, environment)) for what in ("first", "again")]


def _danger(comments: int, folder: Path) -> Run:
    with new_site(comments) as site:
        return run_process(_danger_command(folder), _danger_environment(site))


def _danger_command(folder: Path) -> list[str]:
    program = folder / "node_modules" / "danger" / "distribution" / "commands" / "danger.js"
    node = shutil.which("node") or "node"
    return [node, str(program), "ci", "--dangerfile", str(HERE / "dangerfile.js")]


def _danger_environment(site: Site) -> dict[str, str]:
    return {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_PROJECT_ID": str(site.made.team.id),
        "CI_PROJECT_PATH": nw.TEAM,
        "CI_MERGE_REQUEST_PROJECT_PATH": nw.TEAM,
        "CI_MERGE_REQUEST_IID": str(site.made.nomination.iid),
        "CI_COMMIT_SHA": site.made.nomination.head_sha or "",
        "DANGER_GITLAB_HOST": site.server.url,
        "DANGER_GITLAB_API_TOKEN": nw.SECRET,
        "BENCH_GATEWAY": nw.GATEWAY,
        "BENCH_GROUP": nw.MAINTAINERS,
    }


# --- calls ---------------------------------------------------------------------------------


def measure_growth() -> Iterator[Line]:
    """Count the calls of a first look and of one at which nothing has changed."""
    for what, goal, prepare in GROWTH:
        yield from _calls(what, goal, prepare)


def _calls(what: str, goal: int, prepare: Callable[[nw.NominationWorld], None]) -> Iterator[Line]:
    made = nw.make_world()
    prepare(made)
    try:
        with Server(made.world) as server:
            first, again = (nw.run_on(server, made.nomination) for _ in range(2))
    except GitLabError as error:
        yield Line(f"{what}: {error}", math.inf, goal)
        return
    yield Line(f"{what}: calls of the first look", first.calls, goal)
    yield Line(f"{what}: calls of one that finds nothing changed", again.calls, goal - 4)


def measure_sweep() -> Line:
    """Count the calls for each merge request of a sweep of several, which finds nothing changed."""
    made = nw.make_world()
    files = nw.make_people(made, BATCH - 1, "reviewer")
    for number, path in enumerate(files):
        made.open({path: nw.entry(Path(path).stem, "maintainer")}, branch=f"nominate-{number}")
    with Server(made.world) as server:
        for _ in ("first", "again"):
            with nw.connect(server, shares=(1, BATCH)) as client:
                sweep_all(nw.TEAM, nw.make_choices(), client)
    return Line(f"a sweep of {BATCH}: calls for each", client.calls / BATCH, 3)


def _work(made: nw.NominationWorld, count: int) -> None:
    for _ in range(count // 2):
        nw.add_merged(made, "nina")
        nw.add_merged(made, "dora", reviewer="nina")


def _talk(made: nw.NominationWorld, count: int) -> None:
    for number in range(count):
        made.say(f"Comment {number}.", by="dora")


def _commit(made: nw.NominationWorld, count: int) -> None:
    for number in range(count):
        text = nw.entry("nina", "trainee_maintainer") + f"story: {number}\n".encode()
        draft = CommitDraft(message="Edit", changes={nw.ENTRY: text})
        actions.push(made.world, made.user("olga"), made.team, made.team.default_branch, draft)


def _entries(made: nw.NominationWorld, count: int) -> None:
    """Hide the nomination among other entries, each with another role of the project."""
    files = nw.make_people(made, count, "reviewer")
    changed = {path: text + b"story: changed\n" for path, text in files.items()}
    nominating = {nw.ENTRY: nw.entry("nina", "maintainer")}
    made.nomination = made.open(changed | nominating, branch="many")


GROWTH: tuple[tuple[str, int, Callable[[nw.NominationWorld], None]], ...] = (
    ("10 merge requests", 9, partial(_work, count=10)),
    ("5,000 merge requests", 9, partial(_work, count=5_000)),
    ("10 comments", 9, partial(_talk, count=10)),
    ("2,000 comments", 29, partial(_talk, count=2_000)),
    ("60 commits of the entry", 12, partial(_commit, count=60)),
    ("2 entries", 9, partial(_entries, count=1)),
    ("311 entries", 12, partial(_entries, count=310)),
)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
