"""What must hold at every moment of a story."""

from collections.abc import Iterator

from bot.sandbox.world.entities import Award, CommitStatus, MergeRequest, Note, StatusCheckAnswer
from bot.sandbox.world.state import Event
from tests.chaos.jobs import Job
from tests.chaos.offers import Offers
from tests.chaos.oracle import Verdict, judge
from tests.chaos.plot import STRANGERS, Plot
from tests.nomination_world import STATUS

Posted = tuple[str, str, int]


class Watch:
    """Looks at the world whenever something happens, and remembers what held when.

    The gate of an open merge request may pass only if the rules let it pass at some moment
    between the first request of the run that passed it and the write. A run whose
    reads were struck by a fault may have read the state before the last act, so the moment
    before the run counts as well.
    """

    def __init__(self, plot: Plot, wrongs: list[str], offers: Offers) -> None:
        self._plot = plot
        self._offers = offers
        self._wrongs = wrongs
        self.current: Job | None = None
        self.now = 0
        self.verdicts: dict[int, list[tuple[int, Verdict]]] = {}
        self._posted: dict[int, tuple[int, Posted]] = {}
        self.look()
        plot.world.subscribers.append(self.notice)

    def look(self) -> None:
        """Remember what holds now of every merge request."""
        self.now += 1
        self._offers.look(self.now)
        for mr in self._plot.merge_requests:
            self.verdicts.setdefault(mr.iid, []).append((self.now, judge(self._plot, mr)))

    def was_told(self, mr: MergeRequest) -> bool:
        """Tell whether anything ever gave the bot a reason to speak."""
        return any(verdict.told for _, verdict in self.verdicts[mr.iid])

    def notice(self, event: Event) -> None:
        """Check what the bot does at the moment it does it, and look at what others change."""
        if event.kind == "merge_request_changed":
            self.look()
        if event.actor is self._plot.bot and self.current is not None:
            self._check(event, self.current)
        self._offers.remember(event)

    def _check(self, event: Event, job: Job) -> None:
        self._wrongs += self._offers.check(event, job.began - int(job.spoiled))
        if not job.spoiled:
            self._wrongs += self._offers.check_doubles(f"in {job.name}", but=self._offers.reopened)
        if event.kind == "status_set" and isinstance(event.subject, CommitStatus):
            self._check_status(event.subject)
        elif event.kind == "check_answered" and isinstance(event.subject, StatusCheckAnswer):
            self._check_passed(event.subject.status, event.subject.sha, event.merge_request)
        elif event.kind == "emoji_added" and event.note is not None:
            self._check_emoji(event.note, event.subject)

    def _check_status(self, status: CommitStatus) -> None:
        self._check_passed(status.status, status.sha)
        job = self.current
        posted = (status.status, status.description or "", status.id)
        before = self._posted.get(status.pipeline.id)
        self._posted[status.pipeline.id] = (self.now, posted)
        if before is None or job is None or job.spoiled:
            return
        at, (state, text, number) = before
        replaced = any(
            each.name == STATUS and number < each.id < status.id and not each.author.bot
            for each in status.pipeline.jobs
        )
        if (state, text) == posted[:2] and at < job.began and not replaced:
            self._wrongs.append(f"{job.name} posted {state!r} ({text}) twice on one pipeline")

    def _check_passed(self, state: str, sha: str, asked: MergeRequest | None = None) -> None:
        job = self.current
        if state not in {"success", "passed"} or job is None:
            return
        for mr in self._plot.merge_requests:
            # A sweep looks at all; and what is merged has no gate to pass any more.
            meant = mr.iid == job.iid if job.iid else mr.head_sha == sha
            # A status is of a commit, the answer to a check of one merge request.
            if not meant or asked not in {None, mr} or mr.state != "opened":
                continue
            if not any(v.passed and v.head == sha for v in self._moments(mr, job)):
                now = judge(self._plot, mr)
                self._wrongs.append(f"{job.name} passed the gate of !{mr.iid} at {sha[:8]}: {now}")

    def _moments(self, mr: MergeRequest, job: Job) -> Iterator[Verdict]:
        """Yield what held at any moment of a run, from just before its first request on."""
        since = job.began - int(job.spoiled)
        known = self.verdicts.get(mr.iid, [])
        before = [verdict for at, verdict in known if at <= since]
        yield from before[-1:]
        yield from (verdict for at, verdict in known if at > since)
        yield judge(self._plot, mr)

    def _check_emoji(self, note: Note, award: object) -> None:
        if not isinstance(award, Award) or award.name != "white_check_mark":
            return
        orders = self._plot.orders.get(note.id, ())
        powers = [o.verb for o in orders if o.verb not in {"recheck", "attest"}]
        if note.author.username in STRANGERS and powers:
            self._wrongs.append(f"a stranger's note {note.id} was obeyed: {note.body!r}")
