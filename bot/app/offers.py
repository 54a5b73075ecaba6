"""Do what the bot may do of the steps itself, between the judgement and the report of it."""

from dataclasses import replace
from functools import partial

from bot.app import Choices, Evaluation
from bot.assessment import Assessment, Step
from bot.evidence import find_offers_of
from bot.publish import Offerer, Problem, Work, do_step, tell_move
from bot.report import describe_offer


def make_offers(
    evaluation: Evaluation, choices: Choices, gitlab: Offerer
) -> tuple[Evaluation, list[Problem]]:
    """Open and close the merge requests for steps; return what is to be shown then.

    The second value is what went wrong.
    """
    if not evaluation.plan.moves:
        return evaluation, []
    findings, problems, made = evaluation.findings, list[Problem](), list[str]()
    assessments: list[Assessment] = []
    for assessment in findings.assessments:
        steps: list[Step] = []
        for step in assessment.steps:
            done, wrong = _make_offer(assessment, step, evaluation, choices, gitlab)
            steps.append(done)
            problems += wrong
            opened = step.move.opens if done.offer else None
            if not wrong:
                made += tell_move(step, replace(step.move, opens=opened))
        assessments.append(replace(assessment, steps=tuple(steps)))
    findings = replace(findings, assessments=tuple(assessments))
    report, plan = evaluation.replan(findings)
    plan = replace(plan, moves=tuple(made))
    return replace(evaluation, findings=findings, report=report, plan=plan), problems


def _make_offer(
    assessment: Assessment,
    step: Step,
    evaluation: Evaluation,
    choices: Choices,
    gitlab: Offerer,
) -> tuple[Step, list[Problem]]:
    names = (assessment.nomination.username, assessment.former_name)
    need = find_offers_of(step.follow_up, names)
    if need is None or not step.move:
        return step, []
    merge_request = evaluation.merge_request
    text = partial(describe_offer, merge_request=merge_request, words=choices.words)
    work = Work(assessment=assessment, step=step, need=need, gitlab=gitlab, describe=text)
    return do_step(work)
