"""Compare what the places say of everybody with what the entries say; pure, but for accounts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from bot.app.drift.places import Facts, Naming, is_public, read_places
from bot.app.drift.values import Difference, Drift, Place, unread_places
from bot.errors import TeamDatabaseError
from bot.evidence import Fact, Members, Profile, ProfileOf, Source
from bot.policy import Policy
from bot.team import is_team_file, may_mention, may_name, parse_entry
from bot.unread import Unread

# What may stand behind a name that a place holds, and how that is said.
STATES = {
    "inactive": "the account is blocked or deactivated",
    "gone": "GitLab knows no account of this name",
}
BOT = "bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """The entries of the team database that may matter, by path, or why they are not known."""

    project: str
    branch: str
    files: Mapping[str, bytes] | Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holder:
    """Somebody whom an entry gives the role, or who has one without it."""

    username: str
    path: str
    has_role: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Roll:
    """Whom the entries name, by case-folded username; `unread` are the contents of broken ones."""

    holders: Mapping[str, _Holder]
    unread: Mapping[str, bytes]
    nameless: tuple[str, ...] = ()
    unknown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """All that one person is compared in."""

    roll: _Roll
    places: tuple[Naming, ...]
    entries: Place
    entry_url: str
    facts: Facts


def compare(
    policy: Policy, facts: Facts, entries: Entries, source: Source, gitlab_url: str
) -> Drift:
    """Compare the places of a policy with the entries; accounts are looked up by the source."""
    places, unread = read_places(policy, facts, gitlab_url)
    roll = _call_roll(policy, entries)
    home = f"{gitlab_url}/{quote(entries.project)}/-"
    scene = _Scene(
        roll=roll,
        places=tuple(places),
        entries=_show_entries(roll, entries, home, public=is_public(facts, entries.project)),
        entry_url=f"{home}/edit/{quote(entries.branch)}",
        facts=facts,
    )
    people = _everybody(scene)
    accounts = _look_up(people, facts, source)
    differences: list[Difference] = []
    doubts: list[str] = []
    private: list[str] = []
    for key, username in sorted(people.items()):
        account = accounts[key]
        doubt = _doubt_role(key, username, roll)
        found = [doubt] if doubt else []
        if isinstance(account, Unread):
            found.append(f"whether the account {username} is active: {account.reason}")
        doubts += found
        private += [] if _is_told(key, scene) else found
        differences += _differ(username, account, scene, doubtful=doubt is not None)
    shown = (scene.entries, *(place.shown for place in places), *unread)
    return Drift(
        id=policy.id,
        title=policy.title,
        project=policy.project,
        role=policy.role,
        places=shown,
        differences=tuple(differences),
        unknown=(*unread_places(shown), *_broken(policy, roll), *doubts),
        private=tuple(private),
    )


# --- the entries ------------------------------------------------------------------------


def _call_roll(policy: Policy, entries: Entries) -> _Roll:
    if isinstance(entries.files, Unread):
        return _Roll(holders={}, unread={}, unknown=entries.files.reason)
    holders: dict[str, _Holder] = {}
    unread: dict[str, bytes] = {}
    nameless: list[str] = []
    for path, content in sorted(entries.files.items()):
        if not is_team_file(path, policy.team_files):
            continue
        try:
            entry = parse_entry(content, path)
        except TeamDatabaseError:
            unread[path] = content
            continue
        has_role = entry.has_stage(policy.project, policy.role)
        if not entry.username:
            nameless += [path] if has_role else []
            continue
        found = _Holder(username=entry.username, path=path, has_role=has_role)
        known = holders.get(entry.username.casefold())
        if known is None or has_role:
            holders[entry.username.casefold()] = found
    return _Roll(holders=holders, unread=unread, nameless=tuple(nameless))


def _show_entries(roll: _Roll, entries: Entries, home: str, *, public: bool) -> Place:
    number = sum(holder.has_role for holder in roll.holders.values())
    return Place(
        kind="entry",
        name=f"the entries of {entries.project}",
        url=f"{home}/tree/{quote(entries.branch)}",
        public=public,
        people=None if roll.unknown else number,
        unknown=roll.unknown,
    )


def _broken(policy: Policy, roll: _Roll) -> Iterator[str]:
    for path, content in roll.unread.items():
        if may_mention(content, policy.project):
            yield f"whether {path} gives the role: the entry cannot be read"
    for path in roll.nameless:
        yield f"whom {path} gives the role: the entry names no account"


# --- people -----------------------------------------------------------------------------


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
    if not isinstance(fact, Profile):
        return "gone"
    return _standing(bot=fact.bot, active=fact.active)


def _standing(*, bot: bool, active: bool) -> str | None:
    if bot:
        return BOT
    return None if active else "inactive"


def _doubt_role(key: str, username: str, roll: _Roll) -> str | None:
    """Say why it is not known whether somebody has the role, if it is not."""
    if key in roll.holders or roll.unknown:
        return None
    path = next((p for p, content in roll.unread.items() if may_name(content, {key})), None)
    return f"whether {username} has the role: {path} cannot be read" if path else None


def _differ(
    username: str, account: Unread | str | None, scene: _Scene, *, doubtful: bool
) -> Iterator[Difference]:
    if account == BOT:  # bots are not people
        return
    holder = scene.roll.holders.get(username.casefold())
    if isinstance(account, str):
        yield from _differ_gone(username, account, scene, holder)
    elif holder and holder.has_role:
        yield from _differ_missing(holder, scene)
    elif not (scene.roll.unknown or doubtful):
        yield from _differ_extra(username, scene, holder)


def _differ_gone(
    username: str, state: str, scene: _Scene, holder: _Holder | None
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


def _differ_missing(holder: _Holder, scene: _Scene) -> Iterator[Difference]:
    for place in scene.places:
        lack = place.lack(holder.username)
        if lack:
            problem = (lack[0], f"has the role by {holder.path}, but {lack[1]}")
            yield _differ_at(place, holder.username, problem, place.joining(holder.username))


def _differ_extra(username: str, scene: _Scene, holder: _Holder | None) -> Iterator[Difference]:
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
