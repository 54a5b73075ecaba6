"""Tell one story: people act, events are carried, jobs run side by side, GitLab fails."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from bot import app
from bot.app import sweep
from bot.event import Push
from bot.publish.gate import GateKind
from bot.sandbox.http.holding import Hold
from bot.sandbox.http.misbehaving import Misbehaving
from bot.sandbox.http.server import Server
from tests.chaos.acts import act
from tests.chaos.checks import check_end, check_gate
from tests.chaos.courier import Courier
from tests.chaos.jobs import Job, Jobs, evaluate, make_client
from tests.chaos.offers import Offers
from tests.chaos.plot import Plot, begin
from tests.chaos.watch import Watch
from tests.chaos.weather import choose_faults
from tests.nomination_world import TEAM, make_choices
from tests.offer_world import opening_policies

SIDE_BY_SIDE = 2
SWEEP_CALLS = 500


class Theatre:
    """A server that many stories play on, one after another."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.hold: Hold = server.hold(lambda arrival: bool(arrival.client))
        self._choices_by_gate = {
            gate.value: make_choices(gate=gate, policies=opening_policies())
            for gate in GateKind
            if gate is not GateKind.NONE
        }

    def choices(self, gate: str) -> app.Choices:
        """Return what an evaluation follows."""
        return self._choices_by_gate[gate]

    def stage(self, plot: Plot) -> None:
        """Serve the world of a story."""
        plot.world.external_url = self.server.url
        self.server.world = plot.world
        self.server.misbehaving = Misbehaving()


@dataclass(slots=True)
class Told:
    """What became of a story: what happened, what was wrong, and how much there was of it."""

    seed: int
    lines: list[str] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Story:
    """One story; everything in it follows from the seed."""

    def __init__(self, theatre: Theatre, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311  stories, not secrets
        self._theatre = theatre
        self._plot = begin(self._random)
        self.told = Told(seed)
        self._jobs = Jobs(theatre.hold)
        self._courier = Courier(self._plot.world, self._random)
        self._offers = Offers(self._plot, Random(f"offers {seed}"))  # noqa: S311  stories, too
        self._watch = Watch(self._plot, self.told.wrongs, self._offers)
        self._steps_left = self._random.randint(5, 20)
        self._number = 0
        theatre.stage(self._plot)
        if self._random.random() < 0.7:
            self._courier.waiting.append(self._plot.made.nomination.iid)

    def tell(self) -> Told:
        """Tell the story to its end, and check what must hold there."""
        self._say(f"gate {self._plot.gate}, pipelines {self._plot.made.team.settings.pipelines}")
        while self._steps_left or self._courier.waiting or self._jobs.live:
            self._choose()()
        self._clear_up()
        self._sweep_clean()
        self._count()
        return self.told

    def _say(self, line: str) -> None:
        self.told.lines.append(line)

    def _choose(self) -> Callable[[], None]:
        live = len(self._jobs.live)
        choices: list[tuple[Callable[[], None], int]] = []
        if self._steps_left:
            choices.append((self._step, 1 if live else 4))
        if self._courier.waiting and live < SIDE_BY_SIDE:
            choices.append((self._start, 1 if live else 6))
        if live:
            choices.append((self._advance, 14))
        return self._random.choices([c for c, _ in choices], [weight for _, weight in choices])[0]

    def _step(self) -> None:
        self._steps_left -= 1
        for job in self._jobs.live:
            job.alone = False
        self._watch.look()  # a fault may have moved a head meanwhile
        self._say(act(self._plot))
        also = self._offers.act()
        if also:
            self._say(also)
        self.told.counts["steps"] += 1
        self._watch.look()

    def _start(self) -> None:
        self._number += 1
        told = self._courier.take()
        push = told if isinstance(told, Push) else None
        job = Job(f"job{self._number}", told if isinstance(told, int) else 0, push)
        faults = [*choose_faults(self._random), *self._offers.choose_faults()]
        for fault in faults:
            self._theatre.server.fault(fault)
        alone = not self._jobs.live
        for other in (job, *self._jobs.live):
            other.alone = other.alone and alone
            other.spoiled = other.spoiled or bool(faults) or self._is_spoiled()
        job.began = self._watch.now
        weather = ", ".join(f"{f.kind} {f.route} {sorted(f.calls or ())}" for f in faults)
        about = "a push" if push else f"!{job.iid}"
        self._say(f"{job.name} begins with {about}; {weather or 'no faults'}")
        self.told.counts["deliveries"] += 1
        self._jobs.start(job, self._work)
        self._reap()

    def _is_spoiled(self) -> bool:
        return bool(self._theatre.server.misbehaving.faults.switched)

    def _work(self, job: Job) -> None:
        client = make_client(self._theatre.server, job.name, self._random)
        evaluate(client, self._theatre.choices(self._plot.gate), job)

    def _advance(self) -> None:
        job = self._random.choice(self._jobs.live)
        self._watch.current = job
        arrival = self._jobs.advance(job)
        self._watch.current = None
        if arrival is not None:
            self._say(f"  {job.name}: {arrival.method} {arrival.path}")
        self._reap()

    def _reap(self) -> None:
        for job in self._jobs.reap():
            self._say(f"{job.name} ends: {'; '.join(job.problems) or 'done'}")
            if job.trouble:
                self.told.wrongs.append(f"{job.name} met a bug: {job.trouble}")
            if job.alone and not job.spoiled:
                self.told.wrongs += job.problems
                for mr in map(self._plot.made.team.merge_requests.__getitem__, job.seen):
                    self.told.wrongs += check_gate(self._plot, mr, f"after {job.name}")
        if not self._jobs.live:
            self._clear_up()

    def _clear_up(self) -> None:
        faults = self._theatre.server.misbehaving.faults
        self.told.counts["faults"] += sum(each.struck for each in faults.switched)
        faults.switch_off()
        self._plot.world.keeps_previous, self._plot.world.previous = False, None
        self._watch.look()

    def _sweep_clean(self) -> None:
        """Sweep, then look at what the sweep cannot find, and check what must hold."""
        self._say("the faults end")
        choices, server = self._theatre.choices(self._plot.gate), self._theatre.server
        job = self._watch.current = Job("sweep", 0, began=self._watch.now)
        if self._random.random() < 0.5:
            client = make_client(server, calls=SWEEP_CALLS)
            looks = sweep.sweep_all(TEAM, choices, client)
            client.close()
            self.told.wrongs += [f"sweep: {problem}" for look in looks for problem in look.problems]
            seen = {look.iid for look in looks}
        else:
            seen = set()
        for mr in self._plot.merge_requests:
            if mr.iid not in seen:
                job.iid = mr.iid
                evaluate(make_client(server), choices, job)
        self.told.wrongs += [f"at the end: {problem}" for problem in job.problems]
        self._watch.current = None
        self.told.wrongs += self._offers.check_end()
        check_end(self._plot, self._watch, self._theatre, self.told.wrongs)

    def _count(self) -> None:
        self.told.counts["calls"] += len(self._plot.world.requests)
        self.told.counts.update(self._courier.counts)
        self.told.counts["jobs"] += self._number
