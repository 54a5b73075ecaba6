"""Say from which branches the bot opens merge requests for the steps after a merge.

The name of a branch follows from list and nominee, so that the merge request is found again,
whatever policy and step are called by then, and two policies that ask for the same share it. A
branch that is there is never written to: where another merge request is due, because the file
changed since, the next name is taken.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bot.evidence.facts import Asks, Fact, Need, fact_of
from bot.merge_request import Person
from bot.policy import FollowUp, ListedIn, Policy
from bot.unread import Unread
from bot.values import dataclass

# How many merge requests the bot opens for one step and name, one after another.
MOST_OFFERS = 3
# The bot leaves this in the description of what it closes; GraphQL does not tell who closed.
WITHDRAWN = "<!-- nomination-bot:withdrawn -->"
_LONGEST = 60
_UNSAFE = re.compile(r"[^a-z0-9_-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A merge request from a branch of the bot's for a step.

    `whose` are the accounts that made its commits, nobody where GitLab knows no account;
    `withdrawn` says that it was the bot who closed it.
    """

    iid: int
    web_url: str
    state: str
    branch: str
    target: str
    author_id: int | None
    whose: frozenset[int | None]
    conflicts: bool = False
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """Such merge requests, oldest first; `refusal` is why the bot may open none there.

    Not `complete` where the oldest were left out.
    """

    items: tuple[Offer, ...]
    refusal: str | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class OffersOf(Asks[Offers]):
    """The need for the merge requests of an account in a project, or from some branches of it."""

    project: str
    author: str | None = None
    branches: tuple[str, ...] = ()


def own_offers(policies: Iterable[Policy], me: Person) -> set[OffersOf]:
    """Say which lists hold the bot's own merge requests for steps, whoever is nominated."""
    return {
        OffersOf(check.project, author=me.username)
        for policy in policies
        for check in policy.checks_of(ListedIn)
        if check.open
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
    needs = (find_offers_of(step, names) for step in policy.follow_ups)
    return (need for need in needs if need is not None)


def _find_all(need: OffersOf, me: Person, known: Mapping[Need, Fact]) -> Offers | None:
    own = fact_of(known, OffersOf(need.project, author=me.username))
    return own if isinstance(own, Offers) and own.complete else None


def find_offers_of(step: FollowUp, names: Iterable[str | None]) -> OffersOf | None:
    """Return the need for the merge requests of one step, if the bot is to open any."""
    check = step.check
    if not isinstance(check, ListedIn) or not check.open:
        return None
    branches = (branch for name in names if name for branch in offer_branches(check, name))
    return OffersOf(check.project, branches=tuple(dict.fromkeys(branches)))


def offer_branches(check: ListedIn, username: str) -> tuple[str, ...]:
    """Return the names of the branches for one list and nominee, in the order they are taken."""
    entry = (check.entry.list, check.entry.key, check.entry.value) if check.entry else ()
    place = "\0".join((check.ref, check.path, check.key, *entry))
    file = check.path.rpartition("/")[2].lower()
    first = f"nomination-bot/{_shorten(file)}-{_digest(place)}/{_safe(username.casefold())}"
    return (first, *(f"{first}.{number}" for number in range(2, MOST_OFFERS + 1)))


def _safe(name: str) -> str:
    """Return a name as part of a branch's: git forbids some, such as two dots in a row.

    What had to be changed is told apart by a digest.
    """
    shown = _shorten(name)
    return shown if shown == name else f"{shown}-{_digest(name)}"


def _shorten(name: str) -> str:
    return _UNSAFE.sub("-", name)[:_LONGEST]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
