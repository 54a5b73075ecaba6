"""Judge everybody whom a look is about."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot import policy as rules
from bot.assessment.assessing import Assessment, assess
from bot.assessment.findings import Case
from bot.assessment.offers import plan_offers
from bot.commands import Replay
from bot.evidence import Aftermath, Evidence, Listed, Subject, Work, evidence_key
from bot.unread import Unread


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
            assessment = plan_offers(case, assessment, policies, held=replayed.held is not None)
        found.append(assessment)
    return tuple(found)


def _case(subject: Subject, evidence: Evidence, look: Aftermath, replayed: Replay) -> Case:
    return Case(
        subject=subject,
        merge_request=look.merge_request,
        evidence=_as_of(evidence, look.merge_request.merged_at),
        attested=replayed.attested.get(subject.nomination.username.casefold(), frozenset()),
        now=look.at,
        moved=look.moved,
        strangers=look.strangers,
    )


def _keep_open(assessment: Assessment, replayed: Replay, look: Aftermath) -> Assessment:
    """Keep in mind what was open at the merge.

    Where the bot had opened the gate for this very head, that counts: what changed without an
    event, such as an assignment after the merge, is not held against anybody. What somebody
    took back by a command is.
    """
    if not look.judged:
        return assessment
    key = assessment.nomination.username.casefold()
    left = [
        each
        for each in assessment.open_findings
        if not look.passed or (key, each.requirement.id) in replayed.taken_back
    ]
    return replace(assessment, left_open=tuple(left))


def _as_of(evidence: Evidence, merged_at: datetime | None) -> Evidence:
    """Leave out the work that was merged later: it makes up for nothing.

    Who is assigned, and who approved, GitLab tells of the present alone.
    """
    if merged_at is None:
        return evidence
    work = {place: _work_as_of(each, merged_at) for place, each in evidence.work.items()}
    return replace(evidence, work=work)


def _work_as_of(work: Work | Unread, merged_at: datetime) -> Work | Unread:
    if isinstance(work, Unread):
        return work
    return replace(
        work,
        authored=_listed_as_of(work.authored, merged_at),
        reviewed=_listed_as_of(work.reviewed, merged_at),
    )


def _listed_as_of(listed: Listed, merged_at: datetime) -> Listed:
    items = tuple(merged for merged in listed.items if merged.merged_at <= merged_at)
    return replace(listed, items=items, total=listed.total - len(listed.items) + len(items))
