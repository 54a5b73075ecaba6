"""What a merge changes: who is followed where, and whether it went against the bot."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.assessment import Assessment, find_open
from bot.commands import Replay, decides, find_stating, takes_waivers_back
from bot.evidence import (
    Fact,
    Need,
    Source,
    Subject,
    Trail,
    exposures_of,
    find_present,
    follow_subject,
    follow_up_needs,
    without_manager,
)
from bot.merge_request import MergeRequest
from bot.policy import Policy
from bot.publish import GateChoice, past_needs, was_open


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """Whom a look at a merge request is about, and how far it goes.

    `passed` says that the bot had opened the gate for what was merged; unless `judged`, the
    requirements are not looked up again.
    """

    subjects: Sequence[Subject]
    passed: bool = False
    judged: bool = True


def needs_ahead(
    merge_request: MergeRequest, policies: Collection[Policy], choice: GateChoice
) -> set[Need]:
    """Return what a merged nomination needs whoever is nominated, so that it is asked for first."""
    steps = {need for policy in policies for need in follow_up_needs(policy)}
    return steps.union(exposures_of(policies), past_needs(merge_request, choice))


def look_back(
    look: Aftermath,
    merge_request: MergeRequest,
    known: Mapping[Need, Fact],
    source: Source,
    choice: tuple[GateChoice, frozenset[int], str],
) -> Aftermath:
    """Follow everybody who was nominated to the present, and choose what is judged again."""
    gate, former_ids, word = choice
    notes = merge_request.notes
    passed = was_open(merge_request, known, gate, {merge_request.me.id, *former_ids})
    judged = not passed or takes_waivers_back(notes, word)
    stated = find_stating(notes, word) if len(look.subjects) == 1 else ()
    trail = Trail(merge_request=merge_request, known=known, source=source, stated=stated)
    subjects = [
        follow_subject(subject, find_present(subject.nomination, trail))
        for subject in look.subjects
    ]
    if not (judged or decides(notes, word)):
        subjects = [without_manager(subject) for subject in subjects]
    return Aftermath(subjects=subjects, passed=passed, judged=judged)


def keep_open(assessment: Assessment, replayed: Replay, look: Aftermath) -> Assessment:
    """Keep in mind what was open at the merge."""
    if not look.judged:
        return assessment
    key = assessment.nomination.username.casefold()
    taken_back = {requirement for who, requirement in replayed.taken_back if who == key}
    return replace(
        assessment, left_open=find_open(assessment.findings, taken_back, passed=look.passed)
    )
