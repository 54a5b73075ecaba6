"""Read the changed team entries at the merge base, at the head, and on the target branch."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from bot.evidence.facts import Fact, Ledger, Need, Source
from bot.evidence.files import CommitsOf, DiffsOf, FileAt, TipOf
from bot.merge_request import MergeRequest
from bot.nomination import Change
from bot.unread import Content, Unread
from bot.values import dataclass

# Up to so many entries are read at all three places at once, which one query can hold.
FEW = 12
# So many bytes of entries are parsed, which are 1,000 real ones; the worst cost 2 s a million.
PARSED_BYTES = 2_500_000
TOO_MUCH = Unread(reason="the changed entries are together larger than the bot reads")
# Up to so many entries have their history read ahead, before it is known who is nominated.
HISTORIES_AHEAD = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The changed entries, and whatever else was looked up on the way."""

    items: tuple[Change, ...]
    facts: Mapping[Need, Fact]


class Further(NamedTuple):
    """What else is looked up: `ahead` in the first round, and `then` with what the rest takes."""

    ahead: Iterable[Need]
    then: Iterable[Need] = ()


def gather_changes(
    merge_request: MergeRequest,
    paths: Sequence[str],
    is_candidate: Callable[[bytes], bool],
    source: Source,
    further: Further,
) -> Changes:
    """Read changed entries in as few calls as their number allows.

    Of many entries only the heads are read, what the target branch holds where that moved on,
    and the rest for those that could nominate somebody: a merge makes an entry of the lines of
    these two.
    """
    reading = _Reading(merge_request, Ledger({}, source))
    reading.read_first(paths, further.ahead)
    wanted = [path for path in paths if reading.matters(path, is_candidate)]
    reading.read_rest(wanted, further.then)
    renames = reading.find_renames(wanted)
    if any(reading.is_new(path) for path in wanted if path not in renames):
        # Whoever gets a new entry may have had one that does not mention the role any more.
        others = [path for path in paths if path not in wanted]
        reading.look_before(others)
        wanted += others
    return Changes(
        items=tuple(reading.change(path, renames.get(path)) for path in wanted),
        facts=reading.ledger.facts,
    )


class _Reading:
    """The entries of one merge request: at its merge base, at its head, on the target branch."""

    def __init__(self, merge_request: MergeRequest, ledger: Ledger) -> None:
        self.ledger = ledger
        self._merge_request = merge_request
        self._is_merged = merge_request.state == "merged"
        self._tip = TipOf(merge_request.project, merge_request.target_branch)

    def _head(self, path: str) -> FileAt:
        return FileAt(self._merge_request.project, self._merge_request.head_sha or "", path)

    def _base(self, path: str) -> FileAt:
        return FileAt(self._merge_request.project, self._merge_request.base_sha or "", path)

    def _target(self, path: str) -> FileAt:
        return FileAt(self._merge_request.project, self._merge_request.target_branch, path)

    def _before(self, path: str) -> tuple[FileAt, FileAt]:
        return self._base(path), self._target(path)

    def _is_at_tip(self) -> bool:
        """Return whether the target branch is known to be where this merge request branched off."""
        return self.ledger[self._tip] == self._merge_request.base_sha

    def _histories(self, paths: Sequence[str]) -> set[Need]:
        few = paths if len(paths) <= HISTORIES_AHEAD and not self._is_merged else ()
        project, branch = self._merge_request.project, self._merge_request.target_branch
        return {CommitsOf(project, branch, path) for path in few}

    def read_first(self, paths: Sequence[str], ahead: Iterable[Need]) -> None:
        """Read the heads and `ahead`; the rest of a few, of many the target where it moved."""
        first: set[Need] = {self._head(path) for path in paths} | set(ahead)
        if len(paths) <= FEW:
            first |= {need for path in paths for need in self._before(path)}
            self.ledger.look_up(first | self._histories(paths))
            return
        self.ledger.look_up(first | {self._tip})
        if not self._is_merged and not self._is_at_tip():
            self.ledger.look_up(self._target(path) for path in paths)

    def read_rest(self, paths: Sequence[str], then: Iterable[Need]) -> None:
        """Read what else is compared of these, and `then` with it, if that was not read yet."""
        if any(need not in self.ledger.facts for path in paths for need in self._before(path)):
            # Of several candidates most hold the role already, so their histories can wait.
            self.look_before(paths, self._histories(paths), then)

    def look_before(self, paths: Iterable[str], *further: Iterable[Need]) -> None:
        """Read entries at the merge base and on the target branch: once, where that is the base."""
        before = [self._before(path) for path in paths]
        is_at_tip = self._is_at_tip()
        needs: set[Need] = {need for pair in before for need in (pair[:1] if is_at_tip else pair)}
        self.ledger.look_up(needs.union(*further))
        if is_at_tip:
            self.ledger.facts |= {target: self.ledger[base] for base, target in before}

    def matters(self, path: str, is_candidate: Callable[[bytes], bool]) -> bool:
        """Return whether an entry must be compared: deleted ones may be the origin of a rename."""
        head = self.ledger[self._head(path)]
        if not isinstance(head, bytes) or is_candidate(head) or path.endswith(".gitattributes"):
            return True
        # Where the target has none, the entry may go by another name there.
        target = self._target(path)
        if target not in self.ledger.facts:
            return is_candidate(b"")
        content = self.ledger[target]
        return not isinstance(content, bytes) or is_candidate(content)

    def is_new(self, path: str) -> bool:
        """Return whether there is an entry where the merge base has none."""
        ledger = self.ledger
        return ledger[self._base(path)] is None and ledger[self._head(path)] is not None

    def find_renames(self, paths: Sequence[str]) -> Mapping[str, str]:
        """Find the old paths of entries that are new at theirs; GraphQL does not tell them."""
        new = [path for path in paths if self.is_new(path)]
        if not new:
            return {}
        found = self.ledger.fetch(DiffsOf.of(self._merge_request))
        if isinstance(found, Unread):
            self.ledger.facts.update({self._base(path): found for path in new})
            return {}
        # GitLab cuts the list of a large change without a word.
        cut = Unread(reason="GitLab did not tell whether it was renamed")
        self.ledger.facts |= {self._base(path): cut for path in new if path not in found}
        renames = {path: found[path] for path in new if found.get(path, path) != path}
        self.look_before(renames.values())
        return renames

    def change(self, path: str, old_path: str | None) -> Change:
        """Return a file as it is on all sides; the old path only where git merges it with that."""
        target: Content
        if self._is_merged:
            # The role is on the target branch because of this very merge request.
            target = self.ledger[self._base(old_path or path)]
        else:
            target = self.ledger[self._target(path)]
            if old_path and target is None:
                target = self.ledger[self._target(old_path)]
            else:
                old_path = None  # git does not merge it with what was added at its new path
        return Change(
            path=path,
            old_path=old_path,
            base=self.ledger[self._base(old_path or path)],
            head=self.ledger[self._head(path)],
            target=target,
        )


def bound_changes(changes: Changes, is_entry: Callable[[str], bool]) -> Changes:
    """Leave out what would take too long to parse: small files come first, the rest is unread."""
    left = {True: PARSED_BYTES, False: 4 * PARSED_BYTES}  # other files are only searched
    bounded: dict[str, Change] = {}
    for change in sorted(changes.items, key=lambda each: (_size(each), each.path)):
        kind = is_entry(change.path) or is_entry(change.base_path)
        left[kind] -= _size(change)
        bounded[change.path] = change if left[kind] >= 0 else _unread(change)
    return replace(changes, items=tuple(bounded[change.path] for change in changes.items))


def _size(change: Change) -> int:
    sides = {side for side in (change.base, change.head, change.target) if isinstance(side, bytes)}
    return sum(map(len, sides))


def _unread(change: Change) -> Change:
    base, head, target = (
        TOO_MUCH if isinstance(side, bytes) else side
        for side in (change.base, change.head, change.target)
    )
    return replace(change, base=base, head=head, target=target)
