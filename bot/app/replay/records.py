"""What GitLab noted of a merge request, as events in the order in which they came."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.app.replay.values import Event
from bot.commands import NOTHING, Outcome, Replay, read_comments
from bot.evidence import Deeds, DeedsOf, Fact, Need, Source, StateChangesOf, Versions, VersionsOf
from bot.merge_request import MergeRequest, Note
from bot.unread import NOT_LOOKED_UP, Unread

# What is told of the system notes: app/services/system_notes/issuables_service.rb
# (change_issuable_assignees), merge_requests_service.rb (handle_merge_request_draft, approve_mr,
# unapprove_mr, change_branch), time_tracking and the like are of no interest here.
_TOLD = re.compile(
    r"(?:un)?assigned |(?:un)?approved this merge request$|requested (?:review|changes)"
    r"|marked this merge request as |changed target branch from |reset approvals ",
    re.IGNORECASE,
)
_NAME = re.compile(r"@([A-Za-z0-9_.-]*[A-Za-z0-9_-])")
_OUTCOMES = {
    Outcome.DONE: "heeded",
    Outcome.REFUSED: "refused",
    Outcome.NOT_UNDERSTOOD: "not understood",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The records of a merge request; `unknown` says what of them could not be read."""

    events: tuple[Event, ...]
    deeds: Deeds
    unknown: tuple[str, ...]

    def assigned_at(self, name: str) -> datetime | None:
        """Return since when somebody is assigned, where GitLab noted it."""
        at: datetime | None = None
        for deed in self.deeds.items:
            joined, _, left = deed.words.casefold().partition("unassigned ")
            if joined.startswith("assigned to ") and name.casefold() in _NAME.findall(joined):
                at = deed.at
            if name.casefold() in _NAME.findall(left):
                at = None
        return at

    def approved_at(self, name: str) -> datetime | None:
        """Return when somebody last approved, where GitLab noted it."""
        return self.deeds.approved.get(name.casefold())


def read_records(merge_request: MergeRequest, replay: Replay, word: str, source: Source) -> Records:
    """Read what GitLab noted, and put it in order with pushes, comments and changes of state."""
    deeds_need = DeedsOf.of(merge_request)
    state_need = StateChangesOf.of(merge_request)
    versions_need = VersionsOf.of(merge_request)
    needs: tuple[Need, ...] = (deeds_need, state_need, versions_need)
    facts = source.fetch_facts(needs)
    deeds = facts[deeds_need]
    known = deeds if isinstance(deeds, Deeds) else Deeds(items=(), complete=False)
    events = [
        _opening(merge_request),
        *_noted(known),
        *_states(merge_request, facts[state_need]),
        *_pushes(facts[versions_need]),
        *_commands(merge_request.notes, replay, word),
    ]
    names: dict[Need, str] = {
        deeds_need: "what GitLab noted of it",
        state_need: "when it was closed and reopened",
        versions_need: "when it was pushed",
    }
    return Records(
        events=tuple(sorted(events, key=lambda event: event.at)),
        deeds=known,
        unknown=tuple(_tell_unread(names, facts)),
    )


def _tell_unread(names: Mapping[Need, str], facts: Mapping[Need, Fact]) -> Iterator[str]:
    for need, name in names.items():
        fact = facts.get(need, NOT_LOOKED_UP)
        if isinstance(fact, Unread):
            yield f"{name}: {fact.reason}"
        elif isinstance(fact, Deeds | Versions) and not fact.complete:
            yield f"{name}: GitLab listed the newest alone"


def _opening(merge_request: MergeRequest) -> Event:
    author = merge_request.author
    by = author.username if author else None
    return Event(at=merge_request.created_at, by=by, kind="opened")


def _noted(deeds: Deeds) -> Iterator[Event]:
    for deed in deeds.items:
        if _TOLD.match(deed.words):
            yield Event(at=deed.at, by=deed.by, kind="noted", words=deed.words)


def _states(merge_request: MergeRequest, fact: Fact) -> Iterator[Event]:
    changes = fact.items if isinstance(fact, Deeds) else ()
    for change in changes:
        yield Event(at=change.at, by=change.by, kind=change.words)
    merged_at = merge_request.merged_at
    if merged_at and not any(change.words == "merged" for change in changes):
        yield Event(at=merged_at, by=None, kind="merged")


def _pushes(fact: Fact) -> Iterator[Event]:
    # The first version is the opening; who pushed is told nowhere.
    for version in fact.items[: len(fact.items) - 1] if isinstance(fact, Versions) else ():
        yield Event(at=version.at, by=None, kind="pushed", words=version.head_sha[:8])


def _commands(notes: tuple[Note, ...], replay: Replay, word: str) -> Iterator[Event]:
    answers = {answer.note_id: answer for answer in replay.answers}
    readings = read_comments(tuple(note.body for note in notes), word)
    for note in notes:
        answer = answers.get(note.id)
        if answer is None or note.internal:
            continue
        requests = readings.get(note.body, NOTHING).requests
        # An emoji answers a note as a whole, and so does this.
        outcome = _OUTCOMES[answer.outcome] if not answer.late else "too late"
        for request in requests:
            said = f"{request.verb_text} {request.arguments}".strip()
            yield Event(
                at=note.created_at, by=answer.by, kind="command", words=said, outcome=outcome
            )
