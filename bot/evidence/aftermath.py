"""Look back at a merge: who is followed where, and whether it went against the bot."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.commands import decides, find_stating, takes_waivers_back
from bot.evidence.facts import Fact, Ledger, Need, Source
from bot.evidence.nominee import Subject, follow_subject, without_manager
from bot.evidence.present import Trail, find_present
from bot.merge_request import MergeRequest
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """Whom a look at a merge request is about, and how far it goes.

    What was open is told as of `at`, the merge. `passed` says that the bot had opened the gate
    for what was merged; unless `judged`, the requirements are not looked up again. `moved` is when
    somebody last moved the merge request on, if that is known. `strangers` are those who acted on
    it and are no members of its project.
    """

    merge_request: MergeRequest
    subjects: Sequence[Subject]
    at: datetime
    passed: bool = False
    judged: bool = True
    moved: datetime | None = None
    strangers: frozenset[str] = frozenset()


def look_back(look: Aftermath, known: Mapping[Need, Fact], source: Source, word: str) -> Aftermath:
    """Follow everybody who was nominated to the present, and choose what is judged again."""
    merge_request, notes = look.merge_request, look.merge_request.notes
    judged = not look.passed or takes_waivers_back(notes, word)
    stated = find_stating(notes, word) if len(look.subjects) == 1 else ()
    trail = Trail(merge_request=merge_request, ledger=Ledger(known, source), stated=stated)
    subjects = [
        follow_subject(subject, find_present(subject.nomination, trail))
        for subject in look.subjects
    ]
    if not (judged or decides(notes, word)):
        subjects = [without_manager(subject) for subject in subjects]
    return replace(look, subjects=subjects, judged=judged)
