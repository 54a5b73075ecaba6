"""Say what was open when a merge request was merged, by what GitLab tells afterwards."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from bot.assessment.findings import Finding, Verdict
from bot.evidence import Evidence, Listed, Work
from bot.unread import Unread


def as_of(evidence: Evidence, merged_at: datetime | None) -> Evidence:
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


def find_open(
    findings: Collection[Finding], taken_back: Collection[str], *, passed: bool
) -> tuple[Finding, ...]:
    """Return the blocking requirements that were open at the merge, unmet ones first.

    Where the bot had opened the gate for this very head, that counts: what changed without an
    event, such as an assignment after the merge, is not held against anybody. What somebody
    took back by a command is.
    """
    return tuple(
        finding
        for verdict in (Verdict.UNMET, Verdict.UNKNOWN)
        for finding in findings
        if finding.requirement.blocking and finding.verdict is verdict
        if not passed or finding.requirement.id in taken_back
    )
