"""Pair nominations with the policies that they are judged by, and gather the evidence at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.evidence.aftermath import Aftermath
from bot.evidence.ahead import find_moved, find_strangers
from bot.evidence.broken_policies import Rules, find_doubts
from bot.evidence.ci_files import find_ci_doubts
from bot.evidence.earlier import gather_earlier
from bot.evidence.facts import Ledger, Source
from bot.evidence.gathering import Evidence, gather_evidence
from bot.evidence.nominee import Subject, find_subject
from bot.evidence.proposals import Proposal
from bot.evidence.timing import (
    NOT_TIMED,
    Timing,
    entry_needs,
    in_force,
    timed_policies,
    trace_timing,
)
from bot.merge_request import Note
from bot.nomination import Nomination
from bot.policy import Policy
from bot.unread import Unread

_WHICH_VERSION = (
    "since when the nomination is in this merge request could not be read, and so not by which "
    "version of the policy it is judged"
)


def choose_subjects(
    proposal: Proposal, rules: Rules, source: Source, now: datetime
) -> tuple[Aftermath, list[str]]:
    """Choose who is judged by which policy, and say what is not known of that."""
    merge_request, known = proposal.merge_request, proposal.changes.facts
    subjects, doubts = _find_subjects(proposal, rules.policies, source, now)
    doubts += find_ci_doubts(proposal, rules.globs, source)
    doubts += find_doubts(rules.broken, proposal.changes.items)
    look = Aftermath(
        merge_request=merge_request,
        subjects=subjects,
        at=merge_request.merged_at or now,
        moved=find_moved(merge_request, known),
        strangers=find_strangers(merge_request, known),
    )
    return look, doubts


def _find_subjects(
    proposal: Proposal, policies: Sequence[Policy], source: Source, now: datetime
) -> tuple[list[Subject], list[str]]:
    merge_request, items = proposal.merge_request, proposal.changes.items
    by_base = {change.base_path: change for change in items}
    by_path = {change.path: change for change in items}
    timings = _timings(proposal, timed_policies(policies, merge_request, now), source)
    subjects: list[Subject] = []
    doubts: dict[str, None] = {}
    for nomination in proposal.nominations:
        timing = timings.get(nomination, NOT_TIMED)
        since = timing.nominated if isinstance(timing, Timing) else merge_request.created_at
        policy = in_force(policies, nomination.project, nomination.role, since)
        last = merge_request.merged_at or now
        present = in_force(policies, nomination.project, nomination.role, last)
        if nomination in timings and isinstance(timing, Unread) and policy != present:
            doubts[f"{_WHICH_VERSION}: {timing.reason}"] = None
        # A new entry may have come to the target meanwhile, which then names the manager.
        before = nomination.base_path
        change = by_base.get(before) if before else by_path.get(nomination.path)
        subject = find_subject(nomination, policy, change, merge_request)
        subjects.append(replace(subject, timing=timing))
    return subjects, list(doubts)


def _timings(
    proposal: Proposal, timed: Sequence[Policy], source: Source
) -> Mapping[Nomination, Timing | Unread]:
    """Find out since when each nomination stands in the merge request, where that matters."""
    merge_request, roles = proposal.merge_request, {(p.project, p.role) for p in timed}
    nominations = [n for n in proposal.nominations if (n.project, n.role) in roles]
    if not nominations:
        return {}
    ledger = Ledger(proposal.changes.facts, source)
    ledger.look_up(n for each in nominations for n in entry_needs(each, merge_request, ledger))
    return {each: trace_timing(each, merge_request, ledger) for each in nominations}


def gather_at_once(
    look: Aftermath, proposal: Proposal, source: Source, *, last: bool
) -> tuple[Mapping[str, Evidence], Sequence[Note], list[str]] | None:
    """Gather what is judged, with earlier comments, and say what is missing.

    None when all of it is to be read again.
    """
    if not look.subjects:
        return {}, (), []
    merge_request, known = proposal.merge_request, proposal.changes.facts
    earlier, missing = gather_earlier(merge_request, known, source, proposal.nominations)
    evidence, standing = gather_evidence(
        look.subjects, merge_request, known, source, judged=look.judged
    )
    if isinstance(standing, Unread):
        missing.append("the merge request could not be read again at the end")
    elif standing and not merge_request.stands(standing):
        if not last or standing.head_sha != merge_request.head_sha:
            return None
        missing.append("people changed the merge request, or commented, all the while")
    return evidence, earlier, missing
