"""What the rules of the process say of a merge request, told naively from the world itself.

Nothing of the bot is used here: entries are read with a plain YAML parser, and what a
comment orders is known from how the story wrote it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from bot.sandbox.entities import DiffVersion, MergeRequest, Note, User
from bot.sandbox.repository import Commit, changed_paths
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
    path: str
    manager: str | None
    manager_known: bool
    doubtful: bool


def judge(plot: Plot, mr: MergeRequest) -> Verdict:
    """Judge a merge request as the world is now."""
    diff = mr.diff
    changes = _changed_entries(plot, diff) if diff else {}
    nominees = _find_nominees(plot, mr, changes)
    unread = any(_is_unreadable(head) for _, head in changes.values())
    unread = unread or _may_come_back(plot, mr, changes)
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
        told=mentioned or commanded,
        waived=frozenset(waived),
        held=held,
        attested=_attested(plot, mr, nominees),
    )


Entries = Mapping[str, tuple[bytes | None, bytes | None]]


def _changed_entries(plot: Plot, diff: DiffVersion) -> Entries:
    repository = plot.made.team.repository
    base, head = repository.store.commits[diff.base_sha], repository.store.commits[diff.head_sha]
    return {
        path: (repository.content(base, path), repository.content(head, path))
        for path in changed_paths(base.tree, head.tree)
        if path.startswith(FOLDER)
    }


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


def _role(content: bytes | None) -> str:
    written = str((_parse(content).get("projects") or {}).get("ai-gateway", "")).split()
    return written[0] if written else ""


def _target(plot: Plot, mr: MergeRequest) -> Commit:
    found = plot.made.team.repository.find_commit(mr.target_branch)
    assert found is not None
    return found


def _find_nominees(plot: Plot, mr: MergeRequest, changes: Entries) -> list[_Nominee]:
    repository = plot.made.team.repository
    held = {_parse(base).get("gitlab") for base, _ in changes.values() if _role(base) == MAINTAINER}
    found: dict[str, _Nominee] = {}
    for path, (base, head) in sorted(changes.items()):
        name = str(_parse(head).get("gitlab"))
        if _role(head) != MAINTAINER or name in held:
            continue
        now = repository.content(_target(plot, mr), path)
        granted = _role(now) == MAINTAINER and _parse(now).get("gitlab") == name
        if granted and mr.state != "merged":
            continue
        # After the merge the target branch holds what the merge request made of the entry.
        told = base if now is None or mr.state == "merged" else now
        nominee = _Nominee(
            name=name,
            path=_find_origin(changes, path, name),
            manager=_find_manager(plot, mr, _parse(told).get("reports_to")),
            manager_known=not _is_unreadable(told),
            doubtful=base is not None and _parse(base).get("gitlab") != name,
        )
        found.setdefault(name, nominee)
    return list(found.values())


def _may_come_back(plot: Plot, mr: MergeRequest, changes: Entries) -> bool:
    """Tell whether somebody held the role where the branch began, and on the target no more."""
    held: dict[str, list[str]] = {}
    for path, (base, _) in changes.items():
        if _role(base) == MAINTAINER:
            held.setdefault(str(_parse(base).get("gitlab")), []).append(path)
    target = _target(plot, mr)
    now = {path: plot.made.team.repository.content(target, path) for path in changes}
    return mr.state != "merged" and any(
        not any(_role(now[p]) == MAINTAINER and _parse(now[p]).get("gitlab") == name for p in paths)
        for name, paths in held.items()
        if any(
            _role(h) == MAINTAINER and _parse(h).get("gitlab") == name for _, h in changes.values()
        )
    )


def _find_origin(changes: Entries, path: str, name: str) -> str:
    """Return where the nominee's entry was before: the same file, or another changed one."""
    own = [each for each, (base, _) in changes.items() if _parse(base).get("gitlab") == name]
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
    return (mr for mr in plot.made.gateway.merge_requests.values() if mr.state == "merged")


def _authored(plot: Plot, name: str) -> int:
    return sum(mr.author.username == name for mr in _merged(plot))


def _reviewed(plot: Plot, name: str, since: datetime | None) -> int:
    if since is None:
        return 0
    return sum(
        mr.author.username != name
        and mr.merged_at is not None
        and mr.merged_at >= since
        and any(each.user.username == name for each in mr.approvals)
        for mr in _merged(plot)
    )


def _trainee_since(plot: Plot, mr: MergeRequest, who: _Nominee) -> datetime | None:
    """Return when the target branch first made the nominee a trainee."""
    repository = plot.made.team.repository
    commit, first = _target(plot, mr), None
    while True:
        if _role(repository.content(commit, who.path)) == "trainee_maintainer":
            first = commit.committer.at
        if not commit.parents:
            return first
        commit = repository.store.commits[commit.parents[0]]


def _replay(
    plot: Plot, mr: MergeRequest, nominees: Sequence[_Nominee]
) -> tuple[set[tuple[str, str]], bool]:
    """Return what is waived for whom, and whether somebody holds the merge request."""
    waived: set[tuple[str, str]] = set()
    held = False
    for note, order in _orders(plot, mr) if nominees else ():
        late = mr.merged_at is not None and note.created_at > mr.merged_at
        if late or not _may_decide(plot, mr, note.author.username, nominees):
            continue
        if order.verb in {"hold", "release"}:
            held = order.verb == "hold"
        target = order.who or (nominees[0].name if len(nominees) == 1 else None)
        concerned = [each for each in nominees if each.name == target]
        if not concerned or not _may_decide(plot, mr, note.author.username, concerned):
            continue
        if order.verb == "waive" and not _is_outdated(mr, note, order):
            waived.add((concerned[0].name, order.requirement))
        elif order.verb == "unwaive":
            waived.discard((concerned[0].name, order.requirement))
    return waived, held


def _may_be_closed(plot: Plot, mr: MergeRequest, nominees: Sequence[_Nominee]) -> bool:
    """Tell whether somebody who may be the manager, as far as is known, closed the gate."""
    if all(each.manager_known for each in nominees):
        return False
    closed = False
    judged = {each.name for each in nominees} | {mr.author.username}
    for note, order in _orders(plot, mr):
        sure = _may_decide(plot, mr, note.author.username, nominees)
        if order.verb == "release" and sure:
            closed = False
        elif order.verb in {"hold", "unwaive"} and note.author.username not in judged:
            closed = closed or not sure
    return closed


def _may_be_hidden(plot: Plot, mr: MergeRequest, nominees: Sequence[_Nominee]) -> bool:
    """Tell whether somebody who may close the gate wrote a comment that is too long to be read."""
    powers = _maintainers(plot) | {each.manager for each in nominees}
    unknown = not all(each.manager_known for each in nominees)
    return bool(nominees) and any(
        order.verb == "unread" and (unknown or note.author.username in powers)
        for note, order in _orders(plot, mr)
    )


def _is_outdated(mr: MergeRequest, note: Note, order: Order) -> bool:
    """Tell whether nobody knows any more for whom a waiver was."""
    if order.who or mr.diff is None:
        return False
    return note.created_at <= mr.diff.created_at.replace(microsecond=0)


def _attested(plot: Plot, mr: MergeRequest, nominees: Sequence[_Nominee]) -> frozenset[str]:
    said = {note.author.username for note, order in _orders(plot, mr) if order.verb == "attest"}
    return frozenset(said & {each.name for each in nominees})


def _orders(plot: Plot, mr: MergeRequest) -> Iterator[tuple[Note, Order]]:
    """Yield the orders of the comments that count, oldest first."""
    for note in sorted(mr.comments, key=lambda each: each.id):
        if note.last_edited_at is None and _is_person(note.author):
            for order in plot.orders.get(note.id, ()):
                yield note, order


def _may_decide(plot: Plot, mr: MergeRequest, name: str, over: Sequence[_Nominee]) -> bool:
    judged = {each.name for each in over} | {mr.author.username}
    powers = _maintainers(plot) | {each.manager for each in over}
    return name in powers and name not in judged
