"""Find who gains which role: the difference between two states of the team database."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from bot import entry_remarks as say
from bot.detection import Detection, Nomination, Remark, RoleKey
from bot.entry_change import (
    Bases,
    Change,
    Content,
    Origin,
    Refused,
    Side,
    Unread,
    is_same_person,
    read_side,
)
from bot.near_miss import find_new_near_misses, is_newly_mentioned
from bot.spelling import may_mention
from bot.team_db import TEAM_FILES, Entry, fold_key, is_team_file

__all__ = [
    "Change",
    "Content",
    "Detection",
    "Nomination",
    "Remark",
    "RoleKey",
    "Unread",
    "find_nominations",
]

_MAX_NEAR_MISSES = 5  # shown of one entry and role


def find_nominations(
    changes: Iterable[Change], wanted: Collection[RoleKey], glob: str = TEAM_FILES
) -> Detection:
    """Compare the entries of all changed files and report who newly holds a wanted role.

    A role is new when the same username did not hold it in any entry at the base, wherever in the
    change set that was, and the target branch has not granted it meanwhile.
    """
    roles = sorted({replace(each, role=each.role.casefold()) for each in wanted})
    return _Search(sorted(changes, key=lambda change: change.path), roles, glob).detection()


class _Search:
    """Collect the answers of one change set."""

    def __init__(self, changes: list[Change], wanted: list[RoleKey], glob: str) -> None:
        self._wanted = wanted
        self._glob = glob
        self._heads = [
            (change, read_side(change.head, change.path))
            for change in changes
            if is_team_file(change.path, glob)
        ]
        self._outside = [change for change in changes if not is_team_file(change.path, glob)]
        self._entries = [
            (change, head)
            for change, head in self._heads
            if isinstance(head, Entry) and _is_changed(change) and self._mentions(change.head)
        ]
        usernames = {head.username for _, head in self._entries if head.username is not None}
        self._bases = Bases(changes, glob, usernames)
        self._nominations: dict[tuple[str, RoleKey], Nomination] = {}
        self._remarks: set[Remark] = set()
        self._unread: set[Remark] = set()

    def detection(self) -> Detection:
        for change, head in self._heads:
            if _is_changed(change):
                self._remark_on_unreadable(change, head)
        for change, head in self._entries:
            self._examine(change, head)
        for change in self._outside:
            self._examine_outside(change)
        self._remark_on_doubles()
        return Detection(
            nominations=tuple(self._nominations.values()),
            remarks=tuple(sorted(self._remarks)),
            unread=tuple(sorted(self._unread)),
        )

    def _mentions(self, content: Content) -> bool:
        return isinstance(content, bytes) and any(
            may_mention(content, wanted.project) for wanted in self._wanted
        )

    def _remark(self, path: str, message: str, *, near_miss: bool = False) -> None:
        self._remarks.add(Remark(path=path, message=message, near_miss=near_miss))

    def _remark_on_unreadable(self, change: Change, head: Side) -> None:
        if isinstance(head, Unread):
            self._mark_unread(change.path, "after", head)
        elif isinstance(head, Refused):
            meant = any(
                _is_text_new(change, wanted) and not self._held(change, wanted)
                for wanted in self._wanted
            )
            self._remark(change.path, head.message, near_miss=meant)
            if self._mentions(change.head):
                self._unread.add(Remark(path=change.path, message=head.message, near_miss=meant))

    def _mark_unread(self, path: str, when: str, side: Unread) -> None:
        message = say.not_known(path, when, side.reason)
        self._unread.add(Remark(path=path, message=message, near_miss=False))

    def _held(self, change: Change, wanted: RoleKey) -> bool:
        base = self._bases.at(change.base_path)
        return isinstance(base, Entry) and base.holds(wanted.project, wanted.role)

    def _examine(self, change: Change, head: Entry) -> None:
        origin = self._bases.origin(change, head.username)
        held = [each for each in self._wanted if head.holds(each.project, each.role)]
        nominated = [each for each in held if self._nominates(change, head, each, origin)]
        for wanted in nominated:
            for message in _remarks_on_capitals(head, wanted):
                self._remark(change.path, message)
        if nominated:
            for message in head.remarks:
                self._remark(change.path, message)
            return
        for wanted in self._wanted:
            if wanted not in held:
                self._look_for_near_miss(change, head, wanted, origin)

    def _nominates(self, change: Change, head: Entry, wanted: RoleKey, origin: Origin) -> bool:
        if isinstance(origin.side, Unread):
            self._mark_unread(change.base_path, "before", origin.side)
            return False
        if head.username is None:
            if not self._held(change, wanted):
                for message in (say.without_username(str(wanted)), *head.remarks):
                    self._remark(change.path, message, near_miss=True)
            return False
        if self._held_before(change, head.username, wanted):
            return False
        if self._is_granted_meanwhile(change, head.username, wanted):
            self._remark(change.path, say.granted_meanwhile(head.username, str(wanted)))
            return False
        nomination = self._nomination(change, head, wanted, origin)
        self._nominations.setdefault((head.username.casefold(), wanted), nomination)
        return True

    def _is_granted_meanwhile(self, change: Change, username: str, wanted: RoleKey) -> bool:
        # What the target branch holds at the old path of a file that was no entry grants nothing.
        is_entry = is_team_file(change.base_path, self._glob)
        return is_entry and _holds(read_side(change.target, change.path), username, wanted)

    def _held_before(self, change: Change, username: str, wanted: RoleKey) -> bool:
        """Tell whether somebody held the role at the base, which is unknown to be still so here.

        The author chooses the base by branching from an old commit: what it has and the target
        branch has no more, a merge can bring back.
        """
        sides = {path: self._bases.at(path) for path in self._bases.paths_of(username)}
        held = [path for path, side in sides.items() if _holds(side, username, wanted)]
        still = [self._bases.on_target(path) for path in held]
        if held and not any(_holds(side, username, wanted) for side in still):
            message = say.taken_away_meanwhile(username, str(wanted))
            self._unread.add(Remark(path=change.path, message=message, near_miss=False))
        return bool(held)

    def _nomination(
        self, change: Change, head: Entry, wanted: RoleKey, origin: Origin
    ) -> Nomination:
        before = origin.entry.roles_for(wanted.project) if origin.entry else ()
        present = self._bases.on_target(origin.path) if origin.path else None
        if is_same_person(present, head.username) and isinstance(present, Entry):
            before = present.roles_for(wanted.project)
        doubts = tuple(_doubts(head, origin))
        for message in doubts:
            self._remark(change.path, message)
        return Nomination(
            username=head.username or "",
            project=wanted.project,
            role=wanted.role,
            before=before,
            after=head.roles_for(wanted.project),
            path=change.path,
            base_path=origin.path,
            reports_to=head.reports_to,
            cautions=(*doubts, *self._cautions(change, origin)),
        )

    def _cautions(self, change: Change, origin: Origin) -> Iterator[str]:
        if origin.entry is None and not isinstance(origin.side, Refused):
            yield say.new_entry()
            for path, reason in self._bases.unread_deletions():
                # It may be the nominee's, and name a manager.
                self._mark_unread(path, "before", Unread(reason=reason))
                yield say.unread_deletion()
        if isinstance(read_side(change.target, change.path), (Unread, Refused)):
            yield say.unread_target()

    def _look_for_near_miss(
        self, change: Change, head: Entry, wanted: RoleKey, origin: Origin
    ) -> None:
        if isinstance(origin.side, Unread) or self._held(change, wanted):
            return
        base = origin.entry
        if base is not None and base.holds(wanted.project, wanted.role):
            return
        new = find_new_near_misses(head, base, wanted.project, wanted.role)
        for found in sorted(new)[:_MAX_NEAR_MISSES]:
            self._remark(change.path, say.not_a_role(found, str(wanted)), near_miss=True)
        if new or head.partial:
            meant = bool(new) or _is_text_new(change, wanted)
            for message in head.remarks:
                if base is None or message not in base.remarks:
                    self._remark(change.path, message, near_miss=meant)

    def _examine_outside(self, change: Change) -> None:
        """Remark on a role that is written into a file which is not read as an entry."""
        name = change.path.casefold()
        if not name.startswith("data/team") or "/vacancy/" in name:
            return
        nominated = {wanted for _, wanted in self._nominations}
        for wanted in self._wanted:
            if wanted not in nominated and _is_text_new(change, wanted):
                self._remark(
                    change.path, say.not_an_entry(change.path, str(wanted)), near_miss=True
                )

    def _remark_on_doubles(self) -> None:
        """Warn of every nominee whom several files claim, at the nomination and at those files."""
        claims: dict[str, list[str]] = defaultdict(list)
        for change, head in self._heads:
            if isinstance(head, Entry) and head.username is not None:
                claims[head.username.casefold()].append(change.path)
        for key, nomination in self._nominations.items():
            paths = claims[key[0]]
            if len(paths) > 1:
                message = say.claimed_often(nomination.username, paths)
                for path in paths:
                    self._remark(path, message)
                cautions = (*nomination.cautions, message)
                self._nominations[key] = replace(nomination, cautions=cautions)


def _is_changed(change: Change) -> bool:
    # Two sides that could not be read for the same reason are not known to be equal.
    is_unknown = isinstance(change.head, Unread)
    return is_unknown or change.head != change.base or change.old_path is not None


def _is_text_new(change: Change, wanted: RoleKey) -> bool:
    base = change.base if isinstance(change.base, bytes) else None
    return isinstance(change.head, bytes) and is_newly_mentioned(
        change.head, base, wanted.project, wanted.role
    )


def _holds(side: Side, username: str, wanted: RoleKey) -> bool:
    return (
        isinstance(side, Entry)
        and is_same_person(side, username)
        and side.holds(wanted.project, wanted.role)
    )


def _remarks_on_capitals(head: Entry, wanted: RoleKey) -> Iterator[str]:
    keys = [key for key in head.roles if fold_key(key) == fold_key(wanted.project)]
    yield from (say.capitals(key, wanted.project) for key in keys if key != wanted.project)
    for role in head.roles_for(wanted.project):
        word = role.split(maxsplit=1)[0]
        if word != wanted.role and word.casefold() == wanted.role:
            yield say.capitals(word, wanted.role)


def _doubts(head: Entry, origin: Origin) -> Iterator[str]:
    if origin.entry and not is_same_person(origin.entry, head.username):
        yield say.other_account(origin.entry.username or "", head.username or "")
    if isinstance(origin.side, Refused):
        yield say.unreadable_before()
