"""Evaluate and publish, again when the merge request changed meanwhile, and leave a gate behind."""

from datetime import datetime, timedelta

from bot.app import Choices, Evaluation, evaluate_once
from bot.app.offers import make_offers
from bot.errors import GitLabError
from bot.evidence import Source
from bot.gitlab import GitLabClient
from bot.merge_request import MergeRequest
from bot.publish import (
    SLOW,
    GateKind,
    HeadMovedError,
    Problem,
    apply_plan,
    concerns_gate,
    shut_gate,
)
from bot.report import GateState, render_report

# How often all is evaluated again because somebody pushed meanwhile.
ROUNDS = 3
# Seconds between reading and writing after which another run may have read and written more.
LATE = 5.0
# Seconds between looks for a pipeline, as long as a change is so new that one may be to come.
PIPELINE_WAITS = (1.0, 2.0, 4.0)
PIPELINE_COMES = timedelta(minutes=1)


def run_alone(
    project: str, iid: int, choices: Choices, gitlab: GitLabClient, source: Source | None
) -> tuple[Evaluation, list[Problem]]:
    """Evaluate one merge request and publish; return what could not be written, too.

    Raises GitLabError when the head does not stand still.
    """
    if choices.observe:
        return evaluate(project, iid, choices, gitlab, source), []

    def shut(hurried: bool) -> None:
        shut_gate(gitlab, choices.gate, choices.rules.globs, finally_=True, hurried=hurried)

    gitlab.owe(shut)
    try:
        return _run_rounds(project, iid, choices, gitlab, source)
    except Exception:
        # Whoever knows the head leaves a gate behind: a success of old says nothing about now.
        gitlab.pay()
        raise
    finally:
        gitlab.owe(None)


def _run_rounds(
    project: str, iid: int, choices: Choices, gitlab: GitLabClient, source: Source | None
) -> tuple[Evaluation, list[Problem]]:
    for number in range(1, ROUNDS + 1):
        evaluation = _evaluate_in_time(project, iid, choices, gitlab, source)
        known = gitlab.elapsed
        evaluation, unmade = make_offers(evaluation, choices, gitlab)
        try:
            problems = [*unmade, *publish(evaluation, choices, gitlab)]
        except HeadMovedError:
            continue
        # What waited so long to be written may have overtaken what another run wrote meanwhile.
        if number == ROUNDS or gitlab.elapsed - known < LATE:
            return evaluation, problems
    raise GitLabError(_unsteady(project, iid))


def _evaluate_in_time(
    project: str, iid: int, choices: Choices, gitlab: GitLabClient, source: Source | None
) -> Evaluation:
    """Evaluate; when that takes long, say on a head without a verdict that one is to come."""
    stop = gitlab.after(
        SLOW, lambda: shut_gate(gitlab, choices.gate, choices.rules.globs, finally_=False)
    )
    try:
        return evaluate(project, iid, choices, gitlab, source)
    finally:
        # One that is being written must not overtake the verdict.
        stop()


def publish(evaluation: Evaluation, choices: Choices, gitlab: GitLabClient) -> list[Problem]:
    """Write the plan of an evaluation to GitLab; return what could not be written.

    Raises HeadMovedError when somebody pushed meanwhile.
    """

    def body_with(problem: str) -> str:
        return render_report(evaluation.findings, choices.words, evaluation.now, problem).body

    plan = evaluation.plan
    problems = apply_plan(plan, evaluation.merge_request, gitlab, body_with)
    gate = evaluation.report.gate if evaluation.report else None
    looked_for = plan.gate_unread or choices.gate.kind is GateKind.STATUS_CHECK
    if plan.gate_problem and looked_for and gate and gate.state is not GateState.PASSED:
        gitlab.pay()  # which looks once more, lest an answer of old stays
    if plan.gate_unread and plan.gate_problem:
        problems.append(Problem(what="gate", why=plan.gate_problem))
    return problems


def evaluate(
    project: str, iid: int, choices: Choices, gitlab: GitLabClient, source: Source | None = None
) -> Evaluation:
    """Evaluate a merge request; again when it changed while this was going on.

    Raises GitLabError when the head does not stand still.
    """
    for number in range(1, ROUNDS + 1):
        merge_request = _fetch(project, iid, choices, gitlab)
        evaluation = evaluate_once(
            merge_request, choices, source or gitlab, gitlab.now(), last=number == ROUNDS
        )
        if evaluation is not None:
            return evaluation
    raise GitLabError(_unsteady(project, iid))


def _fetch(project: str, iid: int, choices: Choices, gitlab: GitLabClient) -> MergeRequest:
    """Read a merge request; wait a little for a pipeline that is still to come.

    GitLab makes it in a job of its own after a push. A status that is there before it makes
    another pipeline, and the one that counts for merging then has none.
    """
    pauses = iter(PIPELINE_WAITS)
    while True:
        found = gitlab.fetch_merge_request(project, iid)
        pause = next(pauses, None)
        awaited = pause is not None and _awaits_pipeline(found, choices, gitlab.now())
        if not (awaited and gitlab.wait(pause or 0)):
            return found


def _awaits_pipeline(merge_request: MergeRequest, choices: Choices, now: datetime) -> bool:
    changed = merge_request.updated_at
    return (
        choices.gate.kind is GateKind.COMMIT_STATUS
        and merge_request.needs_pipeline
        and merge_request.head_pipeline is None
        and merge_request.state == "opened"
        and merge_request.counts
        and changed is not None
        and now - changed < PIPELINE_COMES
        and concerns_gate(merge_request, choices.gate, choices.rules.globs)
    )


def _unsteady(project: str, iid: int) -> str:
    return (
        f"The head of {project}!{iid} moved {ROUNDS} times while it was evaluated; "
        "the event of the last push evaluates it again."
    )
