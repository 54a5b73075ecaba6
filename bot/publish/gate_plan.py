"""Plan what to post to GitLab for the gate."""

from collections.abc import Iterable, Mapping

from bot.evidence import Fact, Need
from bot.merge_request import CommitStatus, MergeRequest, StatusCheck
from bot.publish.gate import (
    COMMIT_STATES,
    GateChoice,
    GateKind,
    gate_needs,
    items_of,
    runs_here,
)
from bot.report import Findings, Gate, GateState
from bot.unread import Unread
from bot.values import dataclass

# GitLab's for a commit status (doc/api/commits.md, "Set commit pipeline status").
DESCRIPTION_LIMIT = 255
URL_LIMIT = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class GateWrite:
    """What would be posted to GitLab for the gate."""

    kind: GateKind
    fields: Mapping[str, str | int]


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
        checks = [c for c in items_of(fact) if isinstance(c, StatusCheck)]
        planned = plan_check(gate, merge_request, checks, choice.name)
        return (None, f"{planned}.") if isinstance(planned, str) else (planned, None)
    statuses = [s for s in items_of(fact) if isinstance(s, CommitStatus)]
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


def plan_status(
    gate: Gate, merge_request: MergeRequest, known: Iterable[CommitStatus], name: str
) -> GateWrite | None:
    """Plan the commit status for the head, or None when GitLab shows it already."""
    # One of another commit cannot be named: GitLab looks for it by commit, branch and number
    # (`first_matching_pipeline`, app/services/ci/create_commit_status_service.rb).
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
            status = gate.state.value
            # GitLab turns pending to failed after two minutes (status_checks.md); writing it again
            # would only start them again, and either keeps the gate shut.
            is_pending = gate.state is GateState.PENDING
            shown = {status, GateState.FAILED.value} if is_pending else {status}
            if check.status in shown:
                return None
            fields: dict[str, str | int] = {
                "sha": merge_request.head_sha or "",
                "external_status_check_id": check.id,
                "status": status,
            }
            return GateWrite(kind=GateKind.STATUS_CHECK, fields=fields)
    return f"this project has no external status check named {name}"
