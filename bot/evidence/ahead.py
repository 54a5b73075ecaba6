"""Say what is asked for with the entries, while it is not known who is nominated."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.evidence.earlier import earlier_needs
from bot.evidence.facts import Fact, Need
from bot.evidence.needs import branch_needs, exposures_of, follow_up_needs
from bot.evidence.offers import own_offers
from bot.evidence.people import MembersOf
from bot.evidence.records import Deeds, DeedsOf
from bot.evidence.timing import timed_policies, timing_needs
from bot.merge_request import MergeRequest
from bot.policy import Policy

# So many needs that the policies alone tell are read ahead.
MOST_AHEAD = 4


def needs_ahead(
    merge_request: MergeRequest, policies: Sequence[Policy], now: datetime
) -> set[Need]:
    """Return what any nomination takes; after the merge that is also what the steps take."""
    needs: set[Need] = {*earlier_needs(merge_request), *_ahead_of_subjects(policies)}
    if merge_request.state == "merged":
        needs |= exposures_of(policies).union(*map(follow_up_needs, policies))
        needs |= own_offers(policies, merge_request.me)
    if timed_policies(policies, merge_request, now):
        needs |= set(timing_needs(merge_request))
    elif any(policy.notify for policy in policies) and not merge_request.merged_at:
        needs.add(DeedsOf.of(merge_request))
    return needs


def find_moved(merge_request: MergeRequest, known: Mapping[Need, Fact]) -> datetime | None:
    """Return when somebody last moved the merge request on, if that was looked up."""
    found = known.get(DeedsOf.of(merge_request))
    if not isinstance(found, Deeds):
        return None
    return found.moved or merge_request.created_at


def find_strangers(merge_request: MergeRequest, known: Mapping[Need, Fact]) -> frozenset[str]:
    """Return who acted on an open merge request without being a member of its project.

    Who leaves after the merge was none then.
    """
    if merge_request.merged_at:
        return frozenset()
    notes = merge_request.notes
    authors = frozenset(n.author.key for n in notes if n.author and not n.by_member)
    found = known.get(DeedsOf.of(merge_request))
    return authors | found.strangers if isinstance(found, Deeds) else authors


def _ahead_of_subjects(policies: Sequence[Policy]) -> tuple[Need, ...]:
    needs: list[Need] = [MembersOf(policy.maintainers.group) for policy in policies]
    needs += sorted(branch_needs(policies), key=repr)
    return tuple(dict.fromkeys(needs))[:MOST_AHEAD]
