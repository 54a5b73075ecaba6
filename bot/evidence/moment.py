"""Gather the evidence as of one moment: what changed meanwhile is read again."""

from collections.abc import Mapping, Sequence

from bot.evidence.aftermath import Aftermath
from bot.evidence.earlier import gather_earlier
from bot.evidence.facts import Source
from bot.evidence.gathering import Evidence, gather_evidence
from bot.evidence.proposals import Proposal
from bot.merge_request import Note
from bot.unread import Unread


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
