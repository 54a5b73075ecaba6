"""Compare what the places say of everybody with what the entries say; pure, but for accounts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from urllib.parse import quote

from bot.app.drift.places import Facts, Naming, is_public, read_places
from bot.app.drift.roll import (
    Entries,
    Holder,
    Roll,
    call_roll,
    doubt_role,
    show_entries,
    tell_unread,
)
from bot.app.drift.values import Difference, Drift, Place, unread_places
from bot.evidence import Fact, Members, ProfileOf, Source
from bot.merge_request import Person
from bot.policy import Policy
from bot.unread import Unread

# What may stand behind a name that a place holds, and how that is said.
STATES = {
    "inactive": "the account is blocked or deactivated",
    "gone": "GitLab knows no account of this name",
}
BOT = "bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """All that one person is compared in."""

    roll: Roll
    places: tuple[Naming, ...]
    entries: Place
    entry_url: str


def compare(
    policy: Policy, facts: Facts, entries: Entries, source: Source, gitlab_url: str
) -> Drift:
    """Compare the places of a policy with the entries; accounts are looked up by the source."""
    places, unread = read_places(policy, facts, gitlab_url)
    roll = call_roll(policy, entries)
    home = f"{gitlab_url}/{quote(entries.project)}/-"
    scene = _Scene(
        roll=roll,
        places=tuple(places),
        entries=show_entries(roll, entries, home, public=is_public(facts, entries.project)),
        entry_url=f"{home}/edit/{quote(entries.branch)}",
    )
    people = _everybody(scene)
    accounts = _look_up(people, facts, source)
    doubts = {key: [*_doubt(key, people[key], accounts[key], roll)] for key in sorted(people)}
    private = [line for key in doubts if not _is_told(key, scene) for line in doubts[key]]
    differences = [each for key in doubts for each in _differ(people[key], accounts[key], scene)]
    shown = (scene.entries, *(place.shown for place in places), *unread)
    return Drift(
        id=policy.id,
        title=policy.title,
        project=policy.project,
        role=policy.role,
        places=shown,
        differences=tuple(differences),
        unknown=(*unread_places(shown), *tell_unread(policy, roll), *chain(*doubts.values())),
        private=tuple(private),
    )


def _everybody(scene: _Scene) -> dict[str, str]:
    """Return everybody whom any place names, as it is written there, by case-folded name."""
    named = [name for place in scene.places for name in place.names()]
    named += [holder.username for holder in scene.roll.holders.values() if holder.has_role]
    return {name.casefold(): name for name in named}


def _is_told(key: str, scene: _Scene) -> bool:
    """Return whether anything that everybody may see names somebody."""
    if scene.entries.public and key in scene.roll.holders:
        return True
    return any(place.shown.public and place.lack(key) is None for place in scene.places)


def _look_up(
    people: Mapping[str, str], facts: Facts, source: Source
) -> Mapping[str, Unread | str | None]:
    """Return the state of everybody's account: none for one that is as it must be.

    The groups tell of their members; the others are looked up.
    """
    told = {
        member.username.casefold(): _standing(bot=member.bot, active=member.active)
        for fact in facts.values()
        if isinstance(fact, Members)
        for member in fact.direct
    }
    needs = {key: ProfileOf(name) for key, name in people.items() if key not in told}
    found = source.fetch_facts(needs.values()) if needs else {}
    return {key: told[key] if key in told else _state(found[needs[key]]) for key in people}


def _state(fact: Fact | None) -> Unread | str | None:
    if isinstance(fact, Unread):
        return fact
    if not isinstance(fact, Person):
        return "gone"
    return _standing(bot=fact.bot, active=fact.active)


def _standing(*, bot: bool, active: bool) -> str | None:
    if bot:
        return BOT
    return None if active else "inactive"


def _doubt(key: str, username: str, account: Unread | str | None, roll: Roll) -> Iterator[str]:
    doubt = doubt_role(key, username, roll)
    if doubt:
        yield doubt
    if isinstance(account, Unread):
        yield f"whether the account {username} is active: {account.reason}"


def _differ(username: str, account: Unread | str | None, scene: _Scene) -> Iterator[Difference]:
    if account == BOT:  # bots are not people
        return
    key = username.casefold()
    holder = scene.roll.holders.get(key)
    if isinstance(account, str):
        yield from _differ_gone(username, account, scene, holder)
    elif holder and holder.has_role:
        yield from _differ_missing(holder, scene)
    elif not (scene.roll.unknown or doubt_role(key, username, scene.roll)):
        yield from _differ_extra(username, scene, holder)


def _differ_gone(
    username: str, state: str, scene: _Scene, holder: Holder | None
) -> Iterator[Difference]:
    """Yield every place that names an account nobody can use."""
    if holder and holder.has_role:
        yield Difference(
            username=username,
            place=scene.entries,
            problem=state,
            detail=f"has the role by {holder.path}, but {STATES[state]}",
            mend="take the role out of the entry, or mend the name in it",
            url=f"{scene.entry_url}/{quote(holder.path)}",
        )
    for place in scene.places:
        if place.lack(username) is None:
            problem = (state, f"is named there, but {STATES[state]}")
            yield _differ_at(place, username, problem, place.leaving(username))


def _differ_missing(holder: Holder, scene: _Scene) -> Iterator[Difference]:
    for place in scene.places:
        lack = place.lack(holder.username)
        if lack:
            problem = (lack[0], f"has the role by {holder.path}, but {lack[1]}")
            yield _differ_at(place, holder.username, problem, place.joining(holder.username))


def _differ_extra(username: str, scene: _Scene, holder: Holder | None) -> Iterator[Difference]:
    why = f"{holder.path} does not give the role" if holder else "no entry names them"
    problem = ("without_role" if holder else "without_entry", f"is named there, but {why}")
    for place in scene.places:
        if place.lack(username) is None:
            mend, edit = place.leaving(username)
            change = (f"{mend}, or give them the role in an entry", edit)
            yield _differ_at(place, username, problem, change)


def _differ_at(
    place: Naming, username: str, problem: tuple[str, str], change: tuple[str, str | None]
) -> Difference:
    return Difference(
        username=username,
        place=place.shown,
        problem=problem[0],
        detail=problem[1],
        mend=change[0],
        url=place.shown.url,
        edit=change[1],
    )
