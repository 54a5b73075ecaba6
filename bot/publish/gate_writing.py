"""Post the gate, and say what a person can do where GitLab refuses it."""

from bot.errors import GitLabError, RefusedError
from bot.merge_request import MergeRequest
from bot.publish.gate import COMMIT_STATES, GateKind
from bot.publish.gate_plan import GateWrite, is_shown
from bot.publish.writer import (
    BAD_REQUEST,
    CONFLICT,
    FORBIDDEN,
    FULL,
    NOT_FOUND,
    HeadMovedError,
    Writer,
    write_once,
)
from bot.report import GateState

# What a person can do about a refused gate; GitLab's own words seldom tell. Which code stands for
# what is in app/services/ci/create_commit_status_service.rb.
STATUS_ADVICE = {
    FORBIDDEN: (
        "the bot's account needs the Developer role in this project, and where the source branch "
        "is protected also the right to push to it"
    ),
    NOT_FOUND: (
        "the head or its pipeline is not, or no longer, in this project; push again or start a "
        "new pipeline"
    ),
    FULL: "the pipeline of the head has no room for another job; start a new pipeline",
}
FORK_ADVICE = (
    "the pipeline of the head is one of the fork; a member of this project can run one here, on "
    "the Pipelines tab of the merge request"
)
CHECK_ADVICE = {
    FORBIDDEN: "the bot's account needs the Developer role in this project and must not be author",
    NOT_FOUND: "external status checks take GitLab Ultimate, and the check must still exist",
}


def write_gate(gate: GateWrite, merge_request: MergeRequest, writer: Writer) -> None:
    """Post the gate; raise GitLabError that says what a person can do where it is refused."""
    try:
        if gate.kind is GateKind.STATUS_CHECK:
            writer.answer_status_check(merge_request, gate.fields)
        else:
            _post_status_once(gate, merge_request, writer)
    except RefusedError as error:
        raise _explain(error, gate, merge_request) from None


def _explain(error: RefusedError, gate: GateWrite, merge_request: MergeRequest) -> GitLabError:
    # The answer is for a commit that is not the head any more (doc/api/status_checks.md).
    if gate.kind is GateKind.STATUS_CHECK and error.code == CONFLICT:
        return HeadMovedError("somebody pushed while the gate was written.")
    table = CHECK_ADVICE if gate.kind is GateKind.STATUS_CHECK else STATUS_ADVICE
    if error.code == NOT_FOUND and merge_request.from_fork:
        table = {NOT_FOUND: FORK_ADVICE}
    advice = error.advice if "scope" in error.words else table.get(error.code, error.advice)
    reason = f"GitLab answered {error.code} ({error.words or 'no reason given'})"
    return GitLabError(f"{reason}: {advice}." if advice else f"{reason}.")


def _post_status_once(gate: GateWrite, merge_request: MergeRequest, writer: Writer) -> None:
    name = str(gate.fields["name"])
    write_once(
        lambda: _post_status(gate, merge_request, writer),
        lambda: is_shown(gate.fields, writer.fetch_statuses(merge_request, name), merge_request),
        writer,
    )


def _post_status(gate: GateWrite, merge_request: MergeRequest, writer: Writer) -> None:
    try:
        writer.set_commit_status(merge_request, gate.fields)
    except RefusedError as error:
        # GitLab's answer when a status is pending already, which it cannot become again.
        pending = gate.fields["state"] == COMMIT_STATES[GateState.PENDING]
        if (
            not pending
            or error.code != BAD_REQUEST
            or "Cannot transition status" not in error.words
        ):
            raise
