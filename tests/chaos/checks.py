"""What must hold at the end of every story."""

from collections.abc import Iterator
from difflib import unified_diff
from typing import Protocol

from bot import app
from bot.app import Evaluation, sweep
from bot.publish.plan import is_same_text
from bot.report.rendering import MARKER
from bot.sandbox.acts.pipelines import check_status, find_head_pipeline
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import MergeRequest
from bot.sandbox.world.state import World
from tests.chaos.jobs import make_client
from tests.chaos.oracle import Verdict, judge
from tests.chaos.plot import Plot
from tests.chaos.watch import Watch
from tests.nomination_world import STATUS, TEAM, writes_in

REFUSED = 403


class Stage(Protocol):
    """What the end of a story is checked on."""

    server: Server

    def choices(self, gate: str) -> app.Choices:
        """Return what an evaluation follows."""


def check_gate(plot: Plot, mr: MergeRequest, when: str) -> Iterator[str]:
    """Check that the gate at the head says what the rules say."""
    if mr.state != "opened" or _is_empty(mr):
        return
    verdict = judge(plot, mr)
    shown = _shown_gate(plot, mr)
    if shown is None:
        if verdict.nominees:
            yield f"{when}: !{mr.iid} has no gate, but nominates {verdict.nominees}"
    elif (shown in {"success", "passed"}) is not verdict.passed:
        yield f"{when}: the gate of !{mr.iid} is {shown}, but {verdict}"


def _is_empty(mr: MergeRequest) -> bool:
    """Return whether there is nothing left to merge, as from a branch that was merged before."""
    return mr.diff is not None and mr.diff.base_sha == mr.head_sha


def _shown_gate(plot: Plot, mr: MergeRequest) -> str | None:
    if plot.gate == "external-status-check":
        check = mr.project.status_checks[0]
        answered = any(each.sha == mr.head_sha for each in mr.check_answers)
        return check_status(plot.world, mr, check) if answered else "not answered"
    pipeline = find_head_pipeline(mr)
    own = [
        each
        for each in (pipeline.jobs if pipeline else ())
        if each.name == STATUS and not each.retried
    ]
    return own[-1].status if own else None


def check_end(plot: Plot, watch: Watch, stage: Stage, wrongs: list[str]) -> None:
    """Check the world after a clean look at every merge request."""
    for mr in plot.merge_requests:
        wrongs += check_gate(plot, mr, "at the end")
        wrongs += _check_comments(plot, watch, mr)
        wrongs += _check_doubles(plot, mr)
    before = len(_writes(plot.world))
    for mr in plot.merge_requests:
        wrongs += _check_orders(judge(plot, mr), _evaluate(stage, plot, mr))
    wrongs += [f"a further look wrote {each}" for each in _writes(plot.world)[before:]]
    wrongs += _check_texts(plot, stage)
    wrongs += plot.world.violations


def _check_orders(verdict: Verdict, evaluation: Evaluation) -> Iterator[str]:
    """Check that those comments were obeyed that the rules let be obeyed, and no others."""
    replay, found = evaluation.findings.replay, evaluation.findings.assessments
    seen = (
        {each.nomination.username for each in found},
        set(replay.waivers),
        replay.held is not None,
        {name for name, topics in replay.attested.items() if topics},
    )
    wanted = (set(verdict.nominees), set(verdict.waived), verdict.held, set(verdict.attested))
    if seen != wanted:
        yield f"!{evaluation.merge_request.iid}: the bot sees {seen}, the rules {wanted}"


def _writes(world: World) -> list[str]:
    # Where branches are protected is told by trying alone.
    writes = (
        r for r in writes_in(world.requests) if not (r.status == REFUSED and "/commits" in r.route)
    )
    return [f"{r.method} {r.path} {r.body}" for r in writes]


def _check_comments(plot: Plot, watch: Watch, mr: MergeRequest) -> Iterator[str]:
    count, verdict = len(plot.own_notes(mr)), judge(plot, mr)
    if count > 1:
        yield f"!{mr.iid} has {count} comments of the bot"
    if verdict.due and not count:
        yield f"!{mr.iid} has no comment: {verdict}"
    if count and not watch.was_told(mr):
        yield f"!{mr.iid} has a comment that nothing asked for"


def _check_doubles(plot: Plot, mr: MergeRequest) -> Iterator[str]:
    for note in mr.comments:
        names = [award.name for award in note.awards if award.user is plot.bot]
        if len(names) != len(set(names)):
            yield f"note {note.id} of !{mr.iid} has doubled emoji {names}"


def _evaluate(stage: Stage, plot: Plot, mr: MergeRequest) -> Evaluation:
    client = make_client(stage.server)
    try:
        choices = stage.choices(plot.gate)
        evaluation, _ = sweep.run(TEAM, mr.iid, choices, client, client)
    finally:
        client.close()
    return evaluation


def _check_texts(plot: Plot, stage: Stage) -> Iterator[str]:
    """Compare each comment with what is said in a world that has never seen the bot."""
    shown = {mr.iid: plot.own_notes(mr) for mr in plot.merge_requests}
    twin = plot.world.snapshot()
    stage.server.world = twin
    try:
        for iid, mr in twin.project(TEAM).merge_requests.items():
            _forget(mr, plot.bot.id, keep=bool(shown[iid]))
            report = _evaluate(stage, plot, mr).report
            clean = (report and report.body) or ""
            said = shown[iid][0].body if shown[iid] else ""
            if not is_same_text(said, clean):
                yield f"the comment of !{iid} differs from a clean one: {_compare(said, clean)}"
    finally:
        stage.server.world = plot.world


def _compare(said: str, clean: str) -> str:
    lines = unified_diff(said.splitlines(), clean.splitlines(), "said", "clean", lineterm="", n=0)
    return "\n" + "\n".join(lines)


def _forget(mr: MergeRequest, bot: int, *, keep: bool) -> None:
    """Take away everything the bot ever did; a bare marker stays where it has spoken."""
    own = [note for note in mr.notes if note.author.id == bot]
    for note in own:
        mr.notes.remove(note)
    mr.awards = [award for award in mr.awards if award.user.id != bot]
    # What was answered and gated before a merge is GitLab's record of it, and no look at it
    # afterwards can tell that again.
    if mr.state != "merged":
        for note in mr.notes:
            # That a hold was heeded is told by its tick alone, once its author lost authority.
            kept = "white_check_mark" if "/nomination hold" in note.body else None
            note.awards = [
                award for award in note.awards if award.user.id != bot or award.name == kept
            ]
        mr.check_answers.clear()
    past = {each.head_sha for each in mr.project.merge_requests.values() if each.state == "merged"}
    for pipeline in mr.project.pipelines:
        if pipeline.sha not in past:
            pipeline.jobs = [job for job in pipeline.jobs if job.author.id != bot]
    if keep:
        own[0].body = MARKER
        own[0].last_edited_at = own[0].last_edited_by = None
        mr.notes.append(own[0])
