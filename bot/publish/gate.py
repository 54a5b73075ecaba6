"""The gate in GitLab's terms: a commit status, an external status check, or none."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import Enum

from bot.evidence import Fact, Need, StatusChecksOf, StatusesOf
from bot.merge_request import CommitStatus, MergeRequest, StatusCheck
from bot.report import Findings, Gate, GateState
from bot.team import may_concern_entries
from bot.unread import Unread
from bot.values import dataclass

DESCRIPTION_LIMIT = 255  # GitLab's, for a commit status
URL_LIMIT = 255  # likewise

# One table from our words to GitLab's, for each kind of gate.
COMMIT_STATES = {
    GateState.PASSED: "success",
    GateState.FAILED: "failed",
    GateState.PENDING: "pending",
}
CHECK_STATES = {
    GateState.PASSED: "passed",
    GateState.FAILED: "failed",
    GateState.PENDING: "pending",
}


class GateKind(Enum):
    """How the gate is shown to GitLab."""

    COMMIT_STATUS = "commit-status"
    STATUS_CHECK = "external-status-check"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateWrite:
    """What would be posted to GitLab for the gate."""

    kind: GateKind
    fields: Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateChoice:
    """Which kind of gate the operator chose, and what GitLab calls it."""

    kind: GateKind
    name: str


def plan_gate(
    findings: Findings,
    gate: Gate | None,
    known: Mapping[Need, Fact],
    choice: GateChoice,
) -> tuple[GateWrite | None, str | None]:
    """Plan what to post, if anything, or say why the gate cannot be set.

    That nobody is nominated is posted where it is awaited, or corrects what was said before.
    """
    merge_request = findings.merge_request
    needs = gate_needs(merge_request, choice)
    if gate is None or not needs:
        return None, None
    fact = known.get(needs[0])
    is_harmless = not findings.assessments and gate.state is GateState.PASSED
    is_ours = not is_harmless or findings.awaited
    if isinstance(fact, Unread) and (choice.kind is GateKind.STATUS_CHECK or not is_ours):
        return None, f"the present state of the gate could not be read ({fact.reason})."
    if choice.kind is GateKind.STATUS_CHECK:
        checks = [c for c in _items(fact) if isinstance(c, StatusCheck)]
        planned = plan_check(gate, merge_request, checks, choice.name)
        return (None, f"{planned}.") if isinstance(planned, str) else (planned, None)
    statuses = [s for s in _items(fact) if isinstance(s, CommitStatus)]
    if not is_ours and not statuses:
        return None, None
    if merge_request.from_fork and not runs_here(merge_request):
        return None, (
            "the changes come from a fork, and GitLab keeps commit statuses of a fork in the fork; "
            "open the merge request from a branch of this project, or a member of this project "
            "runs a pipeline here, on the Pipelines tab."
        )
    # What could not be read may be a success of old: it is written over without a look.
    return plan_status(gate, merge_request, statuses, choice.name), None


def is_gate_unread(
    merge_request: MergeRequest, known: Mapping[Need, Fact], choice: GateChoice
) -> bool:
    """Tell whether the present gate could not be read."""
    needs = gate_needs(merge_request, choice)
    return any(isinstance(known.get(need), Unread) for need in needs)


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
        for status in _items(known.get(need))
    )


def _items(fact: Fact | None) -> tuple[object, ...]:
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
        return (StatusChecksOf(merge_request.project_id, merge_request.iid),)
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
        else each.status == CHECK_STATES[GateState.PASSED]
        for need in past_needs(merge_request, choice)
        for each in _items(known.get(need))
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


def plan_status(
    gate: Gate, merge_request: MergeRequest, known: Iterable[CommitStatus], name: str
) -> GateWrite | None:
    """Plan the commit status for the head, or None when GitLab shows it already."""
    pipeline = merge_request.head_pipeline
    if pipeline and pipeline.sha != merge_request.status_sha:
        pipeline = None
    fields: dict[str, str | int] = {
        "state": COMMIT_STATES[gate.state],
        "name": name,
        "description": gate.description[:DESCRIPTION_LIMIT],
        "ref": (pipeline and pipeline.ref) or merge_request.source_branch,
    }
    url = gate.url or merge_request.web_url
    if len(url) <= URL_LIMIT:
        fields["target_url"] = url
    if pipeline:
        fields["pipeline_id"] = pipeline.id
    if is_shown(fields, known, merge_request):
        return None
    return GateWrite(kind=GateKind.COMMIT_STATUS, fields=fields)


def is_shown(
    fields: Mapping[str, str | int], known: Iterable[CommitStatus], merge_request: MergeRequest
) -> bool:
    """Return whether the bot itself has posted such a status in the same pipeline.

    Without a pipeline it is the branch that tells which merge request a status is for.
    """
    # GitLab cannot go from pending to pending, so the words of a pending status stay its first.
    pending = COMMIT_STATES[GateState.PENDING]
    return any(
        status.author_id == merge_request.me.id
        and (
            status.pipeline_id == fields["pipeline_id"]
            if "pipeline_id" in fields
            else status.ref == fields.get("ref")
        )
        and status.state == fields["state"]
        and (status.state == pending or status.description == fields["description"])
        for status in known
    )


def plan_check(
    gate: Gate, merge_request: MergeRequest, known: Iterable[StatusCheck], name: str
) -> GateWrite | str | None:
    """Plan the answer to the external status check; a text says why there is none."""
    for check in known:
        if check.name == name:
            status = CHECK_STATES[gate.state]
            # GitLab turns pending to failed after two minutes (status_checks.md); writing it again
            # would only start them again, and either keeps the gate shut.
            is_pending = gate.state is GateState.PENDING
            shown = {status, CHECK_STATES[GateState.FAILED]} if is_pending else {status}
            if check.status in shown:
                return None
            fields: dict[str, str | int] = {
                "sha": merge_request.head_sha or "",
                "external_status_check_id": check.id,
                "status": status,
            }
            return GateWrite(kind=GateKind.STATUS_CHECK, fields=fields)
    return f"this project has no external status check named {name}"


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
