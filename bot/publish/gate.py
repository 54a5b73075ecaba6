"""The gate in GitLab's terms: a commit status, an external status check, or none."""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import Enum

from bot.evidence import Fact, Need, StatusChecksOf, StatusesOf
from bot.merge_request import CommitStatus, MergeRequest, StatusCheck
from bot.report import GateState
from bot.team import may_concern_entries
from bot.values import dataclass

# From our words to GitLab's for a commit status; those of a status check are ours.
COMMIT_STATES = {
    GateState.PASSED: "success",
    GateState.FAILED: "failed",
    GateState.PENDING: "pending",
}


class GateKind(Enum):
    """How the gate is shown to GitLab."""

    COMMIT_STATUS = "commit-status"
    STATUS_CHECK = "external-status-check"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateChoice:
    """Which kind of gate the operator chose, and what GitLab calls it."""

    kind: GateKind
    name: str


def has_posted(
    merge_request: MergeRequest,
    known: Mapping[Need, Fact],
    choice: GateChoice,
    former_ids: Collection[int] = (),
) -> bool:
    """Return whether the bot has set the gate before, which then must not stay as it is.

    What an account set that the bot had before is the bot's, too.
    """
    accounts = {merge_request.me.id, *former_ids}
    return any(
        isinstance(status, CommitStatus) and status.author_id in accounts
        for need in gate_needs(merge_request, choice)
        for status in items_of(known.get(need))
    )


def items_of(fact: Fact | None) -> tuple[object, ...]:
    """Return what a fact lists; nothing where it was not read."""
    return fact if isinstance(fact, tuple) else ()


def runs_here(merge_request: MergeRequest) -> bool:
    """Return whether the head has a pipeline of this project, which a fork's need not."""
    pipeline = merge_request.head_pipeline
    return pipeline is not None and pipeline.is_of_merge_request


def may_be_awaited(merge_request: MergeRequest, choice: GateChoice, globs: Collection[str]) -> bool:
    """Return whether a job of the merge request's pipeline may wait for the gate to be set.

    The guard of `templates/nomination-gate.yml` runs in merge request pipelines alone, and waits
    whoever is nominated.
    """
    return (
        choice.kind is GateKind.COMMIT_STATUS
        and bool(gate_needs(merge_request, choice))
        and runs_here(merge_request)
        and concerns_gate(merge_request, choice, globs)
    )


def gate_needs(merge_request: MergeRequest, choice: GateChoice) -> tuple[Need, ...]:
    """Return what tells the present gate; nothing where the gate is left alone."""
    # Where it is not judged, its head may be another's, whose gate a status would open.
    if merge_request.state != "opened" or not is_judged(merge_request, choice):
        return ()
    return past_needs(merge_request, choice)


def past_needs(merge_request: MergeRequest, choice: GateChoice) -> tuple[Need, ...]:
    """Return what tells whether the gate was open when a merge request was merged."""
    if choice.kind is GateKind.NONE:
        return ()
    if choice.kind is GateKind.STATUS_CHECK:
        return (StatusChecksOf.of(merge_request),)
    return (StatusesOf(merge_request.project_id, merge_request.status_sha, choice.name),)


def was_open(
    merge_request: MergeRequest,
    known: Mapping[Need, Fact],
    choice: GateChoice,
    accounts: Collection[int],
) -> bool:
    """Return whether the bot, by any of its accounts, had opened the gate for what was merged.

    A status is one of the commit, so that what is opened later with the same head may change it.
    """
    said = [
        each.state == COMMIT_STATES[GateState.PASSED]
        if isinstance(each, CommitStatus)
        else each.status == GateState.PASSED.value
        for need in past_needs(merge_request, choice)
        for each in items_of(known.get(need))
        if (
            isinstance(each, CommitStatus)
            and each.author_id in accounts
            and not _is_later(each, merge_request.merged_at)
        )
        or (isinstance(each, StatusCheck) and each.name == choice.name)
    ]
    return bool(said) and all(said)


def _is_later(status: CommitStatus, merged_at: datetime | None) -> bool:
    """Return whether a status came to its end after the merge, which is told in whole seconds."""
    # app/models/commit_status.rb: `finished_at` is set with each success and failure.
    at = status.finished_at
    return at is not None and merged_at is not None and at.replace(microsecond=0) > merged_at


def is_judged(merge_request: MergeRequest, choice: GateChoice) -> bool:
    """Return whether it matters what a merge request changes.

    One into another branch gives nobody a role; but an answer to a status check belongs to the
    head, and outlasts a change of the target.
    """
    return merge_request.counts or choice.kind is GateKind.STATUS_CHECK


def concerns_gate(merge_request: MergeRequest, choice: GateChoice, globs: Collection[str]) -> bool:
    """Return whether a merge request may have a gate of ours: one that changes entries has."""
    return choice.kind is GateKind.STATUS_CHECK or may_concern_entries(
        merge_request.changed_paths, globs
    )
