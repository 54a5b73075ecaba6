"""Find who gains which role: the difference between two states of the team database."""
# One module: each step asks the same sides and adds to the same answers, and what one remarks on
# depends on whether another nominated; what asks the sides alone is in sides.py.

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from bot.nomination import remarks as say
from bot.nomination.mentions import is_newly_mentioned
from bot.nomination.merge_result import merge_contents
from bot.nomination.near_miss import find_near_stages, find_new_near_misses
from bot.nomination.origin import Bases, Origin, Refused, Side, is_same_person
from bot.nomination.sides import Sides
from bot.nomination.values import Change, Detection, Nomination, NotMerged, NotPlain, Remark
from bot.team import (
    TEAM_FILES,
    Entry,
    RoleKey,
    fold_key,
    is_team_file,
    lies_among_entries,
    rules_entries,
)
from bot.unread import Content, Unread

_MAX_NEAR_MISSES = 5  # shown of one entry and role


def find_nominations(
    changes: Iterable[Change], wanted: Collection[RoleKey], glob: str = TEAM_FILES
) -> Detection:
    """Compare the entries that a merge would make with those of the target branch.

    A role is new when the merge gives it to a username that holds it in no entry of the target
    branch, wherever in the change set that is.
    """
    roles = sorted({replace(each, role=each.role.casefold()) for each in wanted})
    return _Search(sorted(changes, key=lambda change: change.path), roles, glob).detection()


def _merged(change: Change) -> Change:
    """Return what a merge does: from what the target branch holds to the result."""
    if change.target == change.base and not isinstance(change.base, Unread):
        return change
    result = merge_contents(change.base, change.head, change.target)
    return replace(change, base=change.target, head=result)


class _Search:
    """Collect the answers of one change set."""

    def __init__(self, proposed: list[Change], wanted: list[RoleKey], glob: str) -> None:
        self._wanted = wanted
        self._glob = glob
        self._nominations: dict[tuple[str, RoleKey], Nomination] = {}
        self._remarks: set[Remark] = set()
        self._unread: set[Remark] = set()
        self._sides = Sides(proposed, wanted, glob)
        changes = [self._guard(_merged(change)) for change in proposed]
        self._heads = [
            (change, self._sides.read(change.head, change.path))
            for change in changes
            if is_team_file(change.path, glob)
        ]
        self._outside = [change for change in changes if not is_team_file(change.path, glob)]
        self._entries = [
            (change, head)
            for change, head in self._heads
            if isinstance(head, Entry)
            and (_is_changed(change) or self._sides.has_moved(change))
            and self._sides.mentions(change.head)
        ]
        usernames = {head.username for _, head in self._entries if head.username is not None}
        self._bases = Bases(changes, glob, usernames)

    def detection(self) -> Detection:
        for change, head in self._heads:
            if _is_changed(change):
                self._remark_on_unreadable(change, head)
        for change, head in self._entries:
            self._examine(change, head)
        for change in self._outside:
            if lies_among_entries(change.path, self._glob):
                self._examine_beside(change)
            if rules_entries(change.path, self._glob):
                self._examine_rules(change)
            self._examine_outside(change)
        self._remark_on_doubles()
        nominations = self._nominations.values()
        nominating = {path for each in nominations for path in (each.path, each.base_path)}
        proposed = self._sides.proposed
        others = (change for path, change in proposed.items() if path not in nominating)
        return Detection(
            nominations=tuple(nominations),
            remarks=tuple(sorted(self._remarks)),
            unread=tuple(sorted(self._unread)),
            at_stake=self._sides.at_stake,
            named=any(map(self._sides.is_named, proposed.values())),
            beside=bool(nominating) and any(map(self._sides.is_named, others)),
        )

    def _remark(self, path: str, message: str, *, near_miss: bool = False) -> None:
        self._remarks.add(Remark(path=path, message=message, near_miss=near_miss))

    def _guard(self, change: Change) -> Change:
        """Mark as unread what other readers may take otherwise, unless the change leaves it alone.

        Where the target branch holds such an entry, nothing counts as held before.
        """
        sides = (change.base, change.head)
        if not (is_team_file(change.path, self._glob) and any(map(self._sides.mentions, sides))):
            return change
        before, after = (self._sides.read_laxly(side, change.path) for side in sides)
        if before.source == after.source:
            return change
        if after.messages:
            self._mark_authors(change.path, say.not_plain(change.path, after.messages))
        if not before.messages:
            return change
        reason = say.not_plain(change.base_path, before.messages)
        return replace(change, base=NotPlain(reason=reason))

    def _remark_on_unreadable(self, change: Change, head: Side) -> None:
        if isinstance(head, NotMerged):
            original = self._sides.proposed[change.path]
            sides = (original.base, original.head, original.target)
            if original.target is None or any(map(self._sides.mentions, sides)):
                self._mark_unmerged(change, head)
        elif isinstance(head, Unread):
            self._mark_unread(change.path, "after", head)
        elif isinstance(head, Refused):
            meant = any(
                _is_text_new(change, wanted) and not self._held(change, wanted)
                for wanted in self._wanted
            )
            self._remark(change.path, head.message, near_miss=meant)
            if self._sides.mentions(change.head):
                self._unread.add(Remark(path=change.path, message=head.message, near_miss=meant))

    def _mark_unmerged(self, change: Change, head: NotMerged) -> None:
        if head.is_read:
            self._mark_authors(change.path, say.not_merged(change.path, head.reason))
        else:
            self._mark_unread(change.base_path, "before", head)

    def _mark_authors(self, path: str, message: str) -> None:
        self._unread.add(Remark(path=path, message=message, near_miss=False, is_authors=True))

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
                self._examine_nobody(change, head, wanted)
            return False
        if any(
            _holds(self._bases.at(path), head.username, wanted)
            for path in self._bases.paths_of(head.username)
        ):
            if self._sides.was_granted(change, wanted):
                self._remark(change.path, say.granted_meanwhile(head.username, str(wanted)))
            return False
        nomination = self._nomination(change, head, wanted, origin)
        self._nominations.setdefault((head.username.casefold(), wanted), nomination)
        return True

    def _examine_nobody(self, change: Change, head: Entry, wanted: RoleKey) -> None:
        """Mark a role without an account as unread: the team page shows it, by the name."""
        for message in head.remarks:
            self._remark(change.path, message, near_miss=True)
        self._mark_authors(change.path, say.without_username(change.path, str(wanted)))

    def _nomination(
        self, change: Change, head: Entry, wanted: RoleKey, origin: Origin
    ) -> Nomination:
        before = origin.entry.roles_for(wanted.project) if origin.entry else ()
        self._doubt_branch(change, head)
        doubts = tuple(_doubts(head, origin))
        for message in (*doubts, *_stages_meant(origin.entry, wanted)):
            self._remark(change.path, message)
        return Nomination(
            username=head.username or "",
            project=wanted.project,
            role=wanted.role,
            before=before,
            after=head.roles_for(wanted.project),
            path=change.path,
            base_path=origin.path,
            cautions=(*doubts, *self._cautions(origin)),
        )

    def _cautions(self, origin: Origin) -> Iterator[str]:
        if origin.entry is None and not isinstance(origin.side, Refused):
            yield say.NEW_ENTRY
            for path, reason in self._bases.unread_deletions():
                # It may be the nominee's, and name a manager.
                self._mark_unread(path, "before", Unread(reason=reason))
                yield say.UNREAD_DELETION

    def _doubt_branch(self, change: Change, head: Entry) -> None:
        """Mark as unread what was made, waived and approved for another account than it is now."""
        meant = self._sides.read(self._sides.proposed[change.path].head, change.path)
        if self._sides.has_moved(change) and not is_same_person(meant, head.username):
            old = meant.username if isinstance(meant, Entry) else None
            self._mark_authors(change.path, say.account_moved(old or "", head.username or ""))

    def _look_for_near_miss(
        self, change: Change, head: Entry, wanted: RoleKey, origin: Origin
    ) -> None:
        if isinstance(origin.side, Unread) or self._held(change, wanted):
            return
        base = origin.entry
        if base is not None and base.holds(wanted.project, wanted.role):
            return
        new = find_new_near_misses(head, base, wanted)
        for found in sorted(new)[:_MAX_NEAR_MISSES]:
            self._remark(change.path, say.not_a_role(found, str(wanted)), near_miss=True)
        before = find_near_stages(base, wanted) if base else frozenset()
        for found, stage in sorted(find_near_stages(head, wanted) - before)[:_MAX_NEAR_MISSES]:
            right = f"{wanted.project}: {stage}"
            self._remark(change.path, say.not_a_stage(found, right), near_miss=True)
        if new or head.partial:
            meant = bool(new) or _is_text_new(change, wanted)
            for message in head.remarks:
                if base is None or message not in base.remarks:
                    self._remark(change.path, message, near_miss=meant)

    def _examine_beside(self, change: Change) -> None:
        """Mark as unread what other readers may take for an entry although its name is none's."""
        self._remark_on_unreadable(change, self._sides.read(change.head, change.path))
        is_nothing = change.head is None and change.base is None  # a submodule, or a folder's link
        if is_nothing or (_is_changed(change) and self._sides.mentions(change.head)):
            self._mark_authors(change.path, say.among_entries(change.path))

    def _examine_rules(self, change: Change) -> None:
        """Mark as unread what lets git write entries out as other bytes than those read here."""
        if isinstance(change.head, Unread):
            self._mark_unread(change.path, "after", change.head)
        elif not _encodings(change.head) <= _encodings(change.base):
            self._mark_authors(change.path, say.written_otherwise(change.path))

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


def _encodings(attributes: Content) -> set[bytes]:
    lines = attributes.splitlines() if isinstance(attributes, bytes) else ()
    return {line for line in lines if b"working-tree-encoding" in line}


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


def _stages_meant(before: Entry | None, wanted: RoleKey) -> Iterator[str]:
    """Say what somebody who gains the role may take for the stage before it."""
    stages = sorted(find_near_stages(before, wanted)) if before else []
    for found, stage in stages[:_MAX_NEAR_MISSES]:
        yield say.was_not_a_stage(found, f"{wanted.project}: {stage}")


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
        yield say.UNREADABLE_BEFORE
