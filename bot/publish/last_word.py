"""Shut the gate of a head whose verdict takes long, or does not come at all."""

from collections.abc import Collection
from contextlib import suppress
from typing import Protocol

from bot.errors import GitLabError
from bot.evidence import Fact, Need
from bot.merge_request import CommitStatus, MergeRequest, StatusCheck
from bot.publish.gate import GateChoice, GateKind, concerns_gate, gate_needs, runs_here
from bot.publish.gate_plan import GateWrite, plan_check, plan_status
from bot.publish.gate_writing import write_gate
from bot.publish.writer import Writer
from bot.report import Gate, GateState

# A first comment takes two or three seconds of an ordinary GitLab's time; a run that takes longer
# says first that a verdict is to come.
SLOW = 5.0
STARTED = "The bot is still looking; it answers here"
BROKEN_OFF = "The bot could not finish; comment the recheck command, or see the log of its job"


class Gatekeeper(Writer, Protocol):
    """What shutting a gate asks of GitLab."""

    def known_head(self) -> MergeRequest | None:
        """Return what is known of the merge request that is looked at, once its head is."""

    def fetch_gate(self, need: Need) -> Fact:
        """Read the present gate, whatever else is under way."""


def shut_gate(
    gitlab: Gatekeeper,
    choice: GateChoice,
    globs: Collection[str],
    *,
    finally_: bool,
    hurried: bool = False,
) -> bool:
    """Make the gate of the known head pending, as far as can be; return whether it was known.

    While a verdict is still to come, one that stands is left alone. At the end none is to come,
    so a success that was posted for what was known then gives way, too. Whoever is hurried posts a
    status without a look at the present one. Fails without a word: the
    trouble that ends the run is the one to tell.
    """
    merge_request = gitlab.known_head()
    if merge_request is None:
        return False
    concerned = concerns_gate(merge_request, choice, globs)
    needs = gate_needs(merge_request, choice) if concerned else ()
    if not needs:
        return True
    gate = Gate(
        state=GateState.PENDING,
        description=BROKEN_OFF if finally_ else STARTED,
        url=merge_request.web_url,
    )
    with suppress(GitLabError):
        blind = hurried and choice.kind is GateKind.COMMIT_STATUS
        fact = () if blind else gitlab.fetch_gate(needs[0])
        write = _plan(gate, merge_request, choice, fact, finally_=finally_)
        if write is not None:
            write_gate(write, merge_request, gitlab)
    return True


def _plan(
    gate: Gate,
    merge_request: MergeRequest,
    choice: GateChoice,
    fact: Fact | None,
    *,
    finally_: bool,
) -> GateWrite | None:
    known = fact if isinstance(fact, tuple) else ()
    checks = [item for item in known if isinstance(item, StatusCheck)]
    if checks:
        standing = {check.status for check in checks if check.name == choice.name} - {"pending"}
        planned = plan_check(gate, merge_request, checks, choice.name)
        stays = _stays(standing, "passed", finally_=finally_)
        return None if stays or isinstance(planned, str) else planned
    if choice.kind is GateKind.STATUS_CHECK:
        return None  # Which check to answer could not be read; what nobody answers fails by itself.
    if merge_request.from_fork and not runs_here(merge_request):
        return None
    own = {
        item.state
        for item in known
        if isinstance(item, CommitStatus)
        and item.author_id == merge_request.me.id
        and _is_here(item, merge_request)
    }
    if _stays(own, "success", finally_=finally_):
        return None
    return plan_status(gate, merge_request, (), choice.name)


def _stays(standing: set[str], passed: str, *, finally_: bool) -> bool:
    """Return whether what stands is left alone: a shut gate always, an open one at first."""
    return bool(standing) and (not finally_ or passed not in standing)


def _is_here(status: CommitStatus, merge_request: MergeRequest) -> bool:
    """Return whether a status is in the pipeline that counts for merging."""
    pipeline = merge_request.head_pipeline
    return pipeline is None or status.pipeline_id in {None, pipeline.id}
