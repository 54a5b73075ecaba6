"""Say from which branches the bot opens merge requests for the steps after a merge.

The name of a branch follows from policy, step and nominee, so that the merge request is found
again and nothing has to be remembered. A branch that is there is never written to: where another
merge request is due, because the file changed since, the next name is taken.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot import policy as rules
from bot.evidence.facts import Fact, Need, Offers, OffersOf
from bot.merge_request import Person
from bot.policy import FollowUp, Policy
from bot.unread import NOT_LOOKED_UP, Unread

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
    policy: Policy, names: Iterable[str | None], me: Person, known: Mapping[Need, Fact]
) -> set[OffersOf]:
    """Say by which branches to ask where the list of all of the bot's is not complete."""
    given, needs = tuple(names), set[OffersOf]()
    for step in policy.follow_ups:
        need = find_offers_of(policy, step, given)
        if need is not None:
            own = known.get(OffersOf(need.project, author=me.username))
            if not (isinstance(own, Offers) and own.complete):
                needs.add(need)
    return needs


def read_offers(need: OffersOf, me: Person, known: Mapping[Need, Fact]) -> Offers | Unread:
    """Return the merge requests from the branches of one step."""
    own = known.get(OffersOf(need.project, author=me.username))
    if isinstance(own, Offers) and own.complete:
        return replace(own, items=tuple(o for o in own.items if o.branch in need.branches))
    found = known.get(need, NOT_LOOKED_UP)
    return found if isinstance(found, Offers | Unread) else NOT_LOOKED_UP


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
