"""Say from which branches the bot opens merge requests for the steps after a merge.

The name of a branch follows from policy, step and nominee, so that the merge request is found
again and nothing has to be remembered. A branch that is there is never written to: where another
merge request is due, because the file changed since, the next name is taken.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bot import policy as rules
from bot.evidence.facts import Fact, Need, Offers, OffersOf, fact_of
from bot.merge_request import Person
from bot.policy import FollowUp, Policy
from bot.unread import Unread

# How many merge requests the bot opens for one step and name, one after another.
MOST_OFFERS = 3
# The bot leaves this in the description of what it closes; GraphQL does not tell who closed.
WITHDRAWN = "<!-- nomination-bot:withdrawn -->"
_LONGEST = 60
_UNSAFE = re.compile(r"[^a-z0-9_-]")


def own_offers(policies: Iterable[Policy], me: Person) -> set[OffersOf]:
    """Say which lists hold the bot's own merge requests for steps, whoever is nominated."""
    checks = [step.check for policy in policies for step in policy.follow_ups]
    return {
        OffersOf(check.project, author=me.username)
        for check in checks
        if isinstance(check, rules.ListedIn) and check.open
    }


def offer_needs(
    policy: Policy, names: Sequence[str | None], me: Person, known: Mapping[Need, Fact]
) -> set[OffersOf]:
    """Say by which branches to ask where the list of all of the bot's is not complete."""
    return {need for need in _needs_of_steps(policy, names) if _find_all(need, me, known) is None}


def read_offers(
    policy: Policy, names: Sequence[str | None], me: Person, known: Mapping[Need, Fact]
) -> dict[OffersOf, Offers | Unread]:
    """Return the merge requests from the branches of each step."""
    found: dict[OffersOf, Offers | Unread] = {}
    for need in _needs_of_steps(policy, names):
        own = _find_all(need, me, known)
        found[need] = fact_of(known, need)
        if own is not None:
            items = tuple(offer for offer in own.items if offer.branch in need.branches)
            found[need] = replace(own, items=items)
    return found


def _needs_of_steps(policy: Policy, names: Sequence[str | None]) -> Iterator[OffersOf]:
    needs = (find_offers_of(policy, step, names) for step in policy.follow_ups)
    return (need for need in needs if need is not None)


def _find_all(need: OffersOf, me: Person, known: Mapping[Need, Fact]) -> Offers | None:
    own = fact_of(known, OffersOf(need.project, author=me.username))
    return own if isinstance(own, Offers) and own.complete else None


def find_offers_of(policy: Policy, step: FollowUp, names: Iterable[str | None]) -> OffersOf | None:
    """Return the need for the merge requests of one step, if the bot is to open any."""
    check = step.check
    if not isinstance(check, rules.ListedIn) or not check.open:
        return None
    branches = (branch for name in names if name for branch in offer_branches(policy, step, name))
    return OffersOf(check.project, branches=tuple(dict.fromkeys(branches)))


def offer_branches(policy: Policy, step: FollowUp, username: str) -> tuple[str, ...]:
    """Return the names of the branches for one step and nominee, in the order they are taken."""
    first = f"nomination-bot/{policy.id}/{step.id}/{_safe(username.casefold())}"
    return (first, *(f"{first}.{number}" for number in range(2, MOST_OFFERS + 1)))


def _safe(name: str) -> str:
    """Return a name as part of a branch's: git forbids some, such as two dots in a row.

    What had to be changed is told apart by a digest.
    """
    shown = _UNSAFE.sub("-", name)[:_LONGEST]
    if shown == name:
        return shown
    return f"{shown}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
