"""What the rules of the process say of a merge request, told naively from the world itself.

Nothing of the bot is used here: entries are read with a plain YAML parser, and what a
comment orders is known from how the story wrote it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import yaml

from bot.sandbox.world.entities import DiffVersion, MergeRequest, Note, User
from bot.sandbox.world.line_merge import merge_texts
from bot.sandbox.world.repository import Commit, changed_paths
from tests.chaos.plot import Order, Plot
from tests.nomination_world import FOLDER

DEVELOPER = 30
ENOUGH = 5
MAINTAINER = "maintainer"
WAIVABLE = ("authored", "reviewed", "assigned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What holds of a merge request at a moment.

    `passed` says whether the gate may be open, `nominees` who is nominated, `due` whether
    a comment is; `told` whether anything ever gave the bot a reason to speak.
    """

    head: str | None
    state: str
    nominees: tuple[str, ...]
    passed: bool
    told: bool
    waived: frozenset[tuple[str, str]] = frozenset()
    held: bool = False
    attested: frozenset[str] = frozenset()

    @property
    def due(self) -> bool:
        """Whether there must be a comment."""
        return bool(self.nominees) and self.state == "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Nominee:
    name: str
    former_name: str
    path: str
    entry: str
    manager: str | None
    manager_known: bool
    doubtful: bool


def judge(plot: Plot, mr: MergeRequest) -> Verdict:
    """Judge a merge request as the world is now."""
    diff = mr.diff
    changes = _changed_entries(plot, diff) if diff else {}
    present = _find_present(plot, mr, changes)
    merged = _merge(changes, present)
    nominees = _find_nominees(plot, mr, changes, present, merged)
    # What a merge makes is unknown, or it makes something that nobody can read.
    unread = len(merged) < len(changes) or any(
        _is_unreadable(after) and after != present[path] for path, after in merged.items()
    )
    unread = unread or any(_is_handed_over(each, changes, present, merged) for each in nominees)
    waived, held = _replay(plot, mr, nominees)
    ready = all(_is_ready(plot, mr, each, waived) for each in nominees)
    mentioned = any(head and b"maint" in head for _, head in changes.values())
    commanded = any("/nomination" in note.body for note in mr.comments)
    return Verdict(
        head=mr.head_sha,
        state=mr.state,
        nominees=tuple(each.name for each in nominees),
        passed=not unread
        and ready
        and not (held and nominees)
        and not _may_be_closed(plot, mr, nominees)
        and not _may_be_hidden(plot, mr, nominees),
        told=mentioned or commanded or unread or bool(nominees),
        waived=frozenset(waived),
        held=held,
        attested=_attested(plot, mr, nominees),
    )


Changes = Mapping[str, tuple[bytes | None, bytes | None]]
Entries = Mapping[str, bytes | None]


def _changed_entries(plot: Plot, diff: DiffVersion) -> Changes:
    repository = plot.made.team.repository
    assert diff.base_sha is not None
    base, head = repository.store.commits[diff.base_sha], repository.store.commits[diff.head_sha]
    return {
        path: (repository.content(base, path), repository.content(head, path))
        for path in changed_paths(base.tree, head.tree)
        if path.startswith(FOLDER)
    }


def _find_present(plot: Plot, mr: MergeRequest, changes: Changes) -> Entries:
    """Return what the changed entries are without the merge request."""
    if mr.state == "merged":
        return {path: base for path, (base, _) in changes.items()}
    repository, target = plot.made.team.repository, _target(plot, mr)
    return {path: repository.content(target, path) for path in changes}


def _merge(changes: Changes, present: Entries) -> Entries:
    """Return what a merge makes of the entries, where it can be told."""
    merged: dict[str, bytes | None] = {}
    for path, (base, head) in changes.items():
        now = present[path]
        if head is None or now in {base, head}:
            merged[path] = head
        elif base is not None and now is not None:
            after = merge_texts(base, now, head)
            if after is not None:
                merged[path] = after
    return merged


def _is_handed_over(nominee: _Nominee, changes: Changes, present: Entries, merged: Entries) -> bool:
    """Tell whether the target branch gave an entry to somebody else than it was changed for."""
    path = nominee.entry
    base, head = changes[path]
    return present[path] != base and account_of(head) != account_of(merged[path])


@cache  # at every look the same few entries are read
def _parse(content: bytes | None) -> Mapping[str, Any]:
    if content is None:
        return {}
    try:
        parsed = yaml.safe_load(content)
    except yaml.YAMLError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _is_unreadable(head: bytes | None) -> bool:
    return head is not None and not _parse(head)


def role_of(content: bytes | None) -> str:
    """Return the role that an entry gives, the wanted one where it is among several."""
    written = (_parse(content).get("projects") or {}).get("ai-gateway", "")
    roles = [
        str(each).split()[:1] for each in (written if isinstance(written, list) else [written])
    ]
    words = [word for role in roles for word in role]
    return MAINTAINER if MAINTAINER in words else next(iter(words), "")


def _target(plot: Plot, mr: MergeRequest) -> Commit:
    found = plot.made.team.repository.find_commit(mr.target_branch)
    assert found is not None
    return found


def _find_nominees(
    plot: Plot, mr: MergeRequest, changes: Changes, present: Entries, merged: Entries
) -> list[_Nominee]:
    held = {account_of(now) for now in present.values() if role_of(now) == MAINTAINER}
    found: dict[str, _Nominee] = {}
    for path, after in sorted(merged.items()):
        name = account_of(after)
        if role_of(after) != MAINTAINER or name in held:
            continue
        origin = _find_origin(present, path, name)
        base, now = changes[origin or path][0], present[origin or path]
        told = base if now is None else now
        nominee = _Nominee(
            name=_present_name(plot, mr, path, name),
            former_name=name,
            path=origin,
            entry=path,
            manager=_find_manager(plot, mr, _parse(told).get("reports_to")),
            manager_known=not _is_unreadable(told),
            doubtful=any(side is not None and account_of(side) != name for side in (base, now)),
        )
        found.setdefault(name, nominee)
    return list(found.values())


def _present_name(plot: Plot, mr: MergeRequest, path: str, name: str) -> str:
    """Return what a nominee is called after the merge.

    An entry may be handed to somebody else, who was not nominated: only whose name is left
    behind is called otherwise there.
    """
    if mr.state != "merged" or plot.world.find_user(name) is not None:
        return name
    now = _parse(plot.made.team.repository.content(_target(plot, mr), path)).get("gitlab")
    return now if isinstance(now, str) else name


def account_of(content: bytes | None) -> str:
    """Return the account that an entry names."""
    return str(_parse(content).get("gitlab"))


def _find_origin(present: Entries, path: str, name: str) -> str:
    """Return where the nominee's entry is without the merge request: this file, or another.

    It names their manager, also where nobody can tell what the merge makes of it: an entry that
    is handed to them names its former holder's.
    """
    own = [each for each, now in present.items() if account_of(now) == name]
    return path if path in own else min(own, default="")


def _find_manager(plot: Plot, mr: MergeRequest, slug: str | None) -> str | None:
    path = f"{FOLDER}/{slug[:1]}/{slug}.yml" if slug else ""
    content = plot.made.team.repository.content(_target(plot, mr), path)
    name = _parse(content).get("gitlab")
    return name if isinstance(name, str) else None


def _is_person(user: User) -> bool:
    return user.state == "active" and not user.bot


def _maintainers(plot: Plot) -> set[str]:
    members = plot.made.group.members.values()
    return {m.user.username for m in members if m.level >= DEVELOPER and _is_person(m.user)}


def _is_ready(plot: Plot, mr: MergeRequest, who: _Nominee, waived: set[tuple[str, str]]) -> bool:
    assigned = {user.username for user in mr.assignees if _is_person(user)}
    manager = who.manager != who.name and who.manager in assigned
    maintainer = bool((_maintainers(plot) - {who.name}) & assigned)
    user = plot.world.find_user(who.name)
    sure = not who.doubtful and user is not None and _is_person(user)
    met = {
        "authored": sure and _authored(plot, who.name) >= ENOUGH,
        "reviewed": sure and _reviewed(plot, who.name, _trainee_since(plot, mr, who)) >= ENOUGH,
        "assigned": manager and maintainer,
    }
    return all(met[each] or (who.name, each) in waived for each in WAIVABLE)


def _merged(plot: Plot) -> Iterator[MergeRequest]:
    project = plot.made.gateway
    return (
        mr
        for mr in project.merge_requests.values()
        if mr.state == "merged" and mr.target_branch == project.default_branch
    )


def _authored(plot: Plot, name: str) -> int:
    return sum(mr.author.username == name for mr in _merged(plot))


def _reviewed(plot: Plot, name: str, since: datetime | None) -> int:
    if since is None:
        return 0
    return sum(
        mr.author.username != name
        and mr.merged_at is not None
        and mr.merged_at >= since
        and any(_shows_review(note, name) and note.created_at <= mr.merged_at for note in mr.notes)
        for mr in _merged(plot)
    )


def _shows_review(note: Note, name: str) -> bool:
    """Tell whether GitLab noted a review: what a push takes away is still written there."""
    said = note.body in {"approved this merge request", "requested changes"}
    return note.system and said and note.author.username == name


def _trainee_since(plot: Plot, mr: MergeRequest, who: _Nominee) -> datetime | None:
    """Return when the target branch first made the nominee a trainee."""
    repository = plot.made.team.repository
    commit, first = _target(plot, mr), None
    while True:
        then = repository.content(commit, who.path)
        if role_of(then) == "trainee_maintainer" and account_of(then) == who.name:
            first = commit.committer.at
        if not commit.parents:
            return first
        commit = repository.store.commits[commit.parents[0]]


def _replay(
    plot: Plot, mr: MergeRequest, nominees: Sequence[_Nominee]
) -> tuple[set[tuple[str, str]], bool]:
    """Return what is waived for whom, and whether somebody holds the merge request."""
    waived: set[tuple[str, str]] = set()
    # By nominee and comment, and whether maintainers alone can release it.
    holds: dict[tuple[str, int], bool] = {}
    for note, order in _orders(plot, mr, nominees) if nominees else ():
        if mr.merged_at is not None and note.created_at > mr.merged_at:
            continue
        over = {n.name for n in nominees if _authority(plot, mr, note, order, nominees, n)}
        if order.verb == "hold":
            lost = _lost(plot, mr, note, order, nominees)
            absent = _is_absent(note.author)
            holds |= {(who, note.id): absent or who in lost for who in over | lost}
        elif order.verb == "release":
            may = note.author.username in _maintainers(plot)
            there = None if note in mr.comments else _said_beside(plot, note)
            holds = {
                (who, said): gone
                for (who, said), gone in holds.items()
                if who not in over or gone > may or (there is not None and said not in there)
            }
        target = _target_of(order, nominees)
        if order.verb == "waive" and target in over and _is_meant(plot, mr, note, order, nominees):
            waived.add((str(target), order.requirement))
        elif order.verb == "unwaive" and target in over:
            waived.discard((str(target), order.requirement))
    return waived, bool(holds)


def _said_beside(plot: Plot, note: Note) -> set[int]:
    """Return the comments of the merge request of a comment: a release there ends those."""
    place = next(mr for mr in plot.merge_requests if note in mr.comments)
    return {each.id for each in place.comments}


def _lost(
    plot: Plot, mr: MergeRequest, note: Note, order: Order, nominees: Sequence[_Nominee]
) -> set[str]:
    """Return whom somebody still holds that decides here no more, but did when the bot ticked."""
    ticked = any(each.name == "white_check_mark" and each.user.bot for each in note.awards)
    verdicts = [_authority(plot, mr, note, order, nominees, each) for each in nominees]
    own = {each.name for each in nominees} | {mr.author.username}
    if not ticked or note.author.username in own or any(v is not False for v in verdicts):
        return set()
    return {each.name for each in nominees}


def _target_of(order: Order, nominees: Sequence[_Nominee]) -> str | None:
    meant = [each.name for each in nominees if order.who in {None, each.name, each.former_name}]
    return meant[0] if len(meant) == 1 else order.who


def _is_absent(user: User) -> bool:
    """Tell whether an account is deleted, or not active: what it closed stays closed."""
    return user.username == "ghost" or user.state != "active"


def _authority(  # noqa: PLR0913, PLR0917  all that the rule speaks of
    plot: Plot,
    mr: MergeRequest,
    note: Note,
    order: Order,
    nominees: Sequence[_Nominee],
    over: _Nominee,
) -> bool | None:
    """Tell whether an order counts for a nominee; None where the manager is not known."""
    name, closes = note.author.username, order.verb in {"hold", "unwaive"}
    if name == "ghost":
        return closes
    absent = _is_absent(note.author)
    judged = {each.name for each in nominees}
    if name in {mr.author.username, over.name} or (name in judged and not closes):
        return False
    members = plot.made.group.members.values()
    powers = {m.user.username for m in members if m.level >= DEVELOPER and not m.user.bot}
    if absent:
        return closes and (name in powers or name == over.manager)
    if name in powers:
        return True
    belongs = note.author.id in plot.made.team.members
    if over.manager_known:
        return belongs and name == over.manager
    return None if belongs else False


def _may_be_closed(plot: Plot, mr: MergeRequest, nominees: Sequence[_Nominee]) -> bool:
    """Tell whether somebody who may be the manager, as far as is known, closed the gate."""
    doubts: set[tuple[str, str]] = set()
    for note, order in _orders(plot, mr, nominees):
        verdicts = {
            each.name: _authority(plot, mr, note, order, nominees, each) for each in nominees
        }
        unsure = {name for name, verdict in verdicts.items() if verdict is None}
        if order.verb == "release" and note in mr.comments:
            doubts -= {("hold", name) for name, verdict in verdicts.items() if verdict}
        elif order.verb == "hold":
            doubts |= {("hold", name) for name in unsure}
        elif order.verb == "unwaive" and (
            # Somebody who may decide about one nominee is asked for which they meant it.
            _target_of(order, nominees) in unsure or True not in verdicts.values()
        ):
            doubts |= {("unwaive", name) for name in unsure}
    return bool(doubts)


def _may_be_hidden(plot: Plot, mr: MergeRequest, nominees: Sequence[_Nominee]) -> bool:
    """Tell whether somebody who may close the gate wrote a comment that is too long to be read."""
    powers = _maintainers(plot) | {each.manager for each in nominees}
    unknown = not all(each.manager_known for each in nominees)
    return bool(nominees) and any(
        order.verb == "unread" and (unknown or note.author.username in powers)
        for note, order in _orders(plot, mr, nominees)
    )


def _is_anybodys(plot: Plot, mr: MergeRequest, nominees: Sequence[_Nominee]) -> bool:
    """Tell whether another entry is changed that may come to nominate somebody, without a push."""
    changes = _changed_entries(plot, mr.diff) if mr.diff else {}
    present = _find_present(plot, mr, changes)
    own = {path for each in nominees for path in (each.path, each.entry)}
    return any(
        side is not None and b"ai-gateway" in side.lower()
        for path, sides in changes.items()
        if path not in own
        for side in (*sides, present[path])
    )


def _is_meant(
    plot: Plot, mr: MergeRequest, note: Note, order: Order, nominees: Sequence[_Nominee]
) -> bool:
    """Tell whether it is known for whom a waiver was."""
    if order.who or mr.diff is None:
        return True
    later = note.created_at > mr.diff.created_at.replace(microsecond=0)
    return later and not _is_anybodys(plot, mr, nominees)


def _attested(plot: Plot, mr: MergeRequest, nominees: Sequence[_Nominee]) -> frozenset[str]:
    said = {
        note.author.username
        for note, order in _orders(plot, mr, nominees)
        if order.verb == "attest" and (mr.merged_at is None or note.created_at <= mr.merged_at)
    }
    return frozenset(said & {each.name for each in nominees})


def _orders(
    plot: Plot, mr: MergeRequest, nominees: Sequence[_Nominee]
) -> Iterator[tuple[Note, Order]]:
    """Yield the orders of the comments that count, oldest first.

    Of other merge requests that propose the same, unless they are merged, holds and releases.
    """
    notes = list(mr.comments)
    entries = {path for each in nominees for path in (each.entry, each.path)}
    for other in plot.merge_requests:
        if other is not mr and other.state != "merged" and _proposes(plot, other, mr, entries):
            notes += other.comments
    for note in sorted(notes, key=lambda each: each.id):
        if note.last_edited_at is None and not note.author.bot:
            said = plot.orders.get(note.id, ())
            yield from ((note, order) for order in said if _counts(note, order, mr))


def _proposes(plot: Plot, other: MergeRequest, mr: MergeRequest, entries: set[str]) -> bool:
    """Tell whether another one is from the same branch, or changes a nominee's entry.

    One of the author's that changes nothing any more may have.
    """
    if other.source_branch == mr.source_branch:
        return True
    own, diff = other.author is mr.author, other.diff
    if diff is None or diff.base_sha is None:
        return True
    store = plot.made.team.repository.store
    base, head = store.commits[diff.base_sha], store.commits[diff.head_sha]
    touched = changed_paths(base.tree, head.tree)
    return bool(entries & set(touched)) or (own and not touched)


def _counts(note: Note, order: Order, mr: MergeRequest) -> bool:
    """Tell whether an order is heeded here, whoever may give it."""
    if note not in mr.comments and order.verb not in {"hold", "release"}:
        return False
    return order.verb in {"hold", "unwaive"} or not _is_absent(note.author)
