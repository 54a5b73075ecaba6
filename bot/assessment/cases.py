"""Judge everybody whom a look is about."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot import policy as rules
from bot.assessment.assessing import Assessment, assess
from bot.assessment.at_merge import as_of, find_open
from bot.assessment.findings import Case
from bot.assessment.offers import plan_offers
from bot.commands import Replay
from bot.evidence import Aftermath, Evidence, Subject, evidence_key


def assess_all(
    look: Aftermath,
    evidence: Mapping[str, Evidence],
    replayed: Replay,
    policies: Sequence[rules.Policy],
) -> tuple[Assessment, ...]:
    """Judge every nominee; after the merge, keep in mind what was open then."""
    found = []
    for subject in look.subjects:
        case = _case(subject, evidence[evidence_key(subject)], look, replayed)
        assessment = assess(case, replayed, rules.newer_than(policies, case.policy))
        is_merged = look.merge_request.state == "merged"
        if is_merged:
            assessment = _keep_open(assessment, replayed, look)
            assessment = plan_offers(case, assessment, held=replayed.held is not None)
        found.append(assessment)
    return tuple(found)


def _case(subject: Subject, evidence: Evidence, look: Aftermath, replayed: Replay) -> Case:
    return Case(
        subject=subject,
        merge_request=look.merge_request,
        evidence=as_of(evidence, look.merge_request.merged_at),
        attested=replayed.attested.get(subject.nomination.username.casefold(), frozenset()),
        now=look.at,
        moved=look.moved,
        strangers=look.strangers,
    )


def _keep_open(assessment: Assessment, replayed: Replay, look: Aftermath) -> Assessment:
    if not look.judged:
        return assessment
    key = assessment.nomination.username.casefold()
    taken_back = {requirement for who, requirement in replayed.taken_back if who == key}
    return replace(
        assessment, left_open=find_open(assessment.findings, taken_back, passed=look.passed)
    )
