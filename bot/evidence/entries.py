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
    ledger = Ledger({}, source)
    _read_first(merge_request, paths, ledger, further.ahead)
    wanted = [path for path in paths if _matters(merge_request, path, ledger, is_candidate)]
    if any(n not in ledger.facts for path in wanted for n in _before(merge_request, path)):
        # Of several candidates most hold the role already, so their histories can wait.
        _look_before(merge_request, wanted, ledger, _histories(merge_request, wanted), further.then)
    renames = _find_renames(merge_request, wanted, ledger)
    if any(_is_new(merge_request, path, renames, ledger) for path in wanted):
        # Whoever gets a new entry may have had one that does not mention the role any more.
        others = [path for path in paths if path not in wanted]
        _look_before(merge_request, others, ledger)
        wanted += others
    return Changes(
        items=tuple(_change(merge_request, path, renames.get(path), ledger) for path in wanted),
        facts=ledger.facts,
    )


def _read_first(
    merge_request: MergeRequest, paths: Sequence[str], ledger: Ledger, ahead: Iterable[Need]
) -> None:
    """Read the heads and `ahead`; the rest of a few, and of many the target where it moved."""
    first: set[Need] = {_head(merge_request, path) for path in paths} | set(ahead)
    if len(paths) <= FEW:
        first |= {n for path in paths for n in _before(merge_request, path)}
        first |= _histories(merge_request, paths)
        ledger.look_up(first)
        return
    ledger.look_up(first | {_tip(merge_request)})
    if merge_request.state != "merged" and not _is_at_tip(merge_request, ledger):
        ledger.look_up(_target(merge_request, path) for path in paths)


def _look_before(
    merge_request: MergeRequest, paths: Iterable[str], ledger: Ledger, *further: Iterable[Need]
) -> None:
    """Read entries at the merge base and on the target branch: once, where that is the base."""
    before = [_before(merge_request, path) for path in paths]
    is_at_tip = _is_at_tip(merge_request, ledger)
    needs: set[Need] = {need for pair in before for need in (pair[:1] if is_at_tip else pair)}
    ledger.look_up(needs.union(*further))
    if is_at_tip:
        ledger.facts |= {target: ledger[base] for base, target in before}


def _is_at_tip(merge_request: MergeRequest, ledger: Ledger) -> bool:
    """Return whether the target branch is known to be where this merge request branched off."""
    return ledger[_tip(merge_request)] == merge_request.base_sha


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


def _histories(merge_request: MergeRequest, paths: Sequence[str]) -> set[Need]:
    is_over = merge_request.state == "merged"
    few = paths if len(paths) <= HISTORIES_AHEAD and not is_over else ()
    return {CommitsOf(merge_request.project, merge_request.target_branch, path) for path in few}


def _matters(
    merge_request: MergeRequest,
    path: str,
    ledger: Ledger,
    is_candidate: Callable[[bytes], bool],
) -> bool:
    """Return whether an entry must be compared: deleted ones may be the origin of a rename."""
    head = ledger[_head(merge_request, path)]
    if not isinstance(head, bytes) or is_candidate(head):
        return True
    # Where the target has none, the entry may go by another name there.
    target = _target(merge_request, path)
    if target not in ledger.facts:
        return is_candidate(b"")
    content = ledger[target]
    return not isinstance(content, bytes) or is_candidate(content)


def _find_renames(
    merge_request: MergeRequest, paths: Sequence[str], ledger: Ledger
) -> Mapping[str, str]:
    """Find the old paths of entries that are new at theirs; GraphQL does not tell them."""
    new = [
        path
        for path in paths
        if ledger[_base(merge_request, path)] is None
        and ledger[_head(merge_request, path)] is not None
    ]
    if not new:
        return {}
    found = ledger.fetch(DiffsOf(merge_request.project_id, merge_request.iid))
    if isinstance(found, Unread):
        ledger.facts.update({_base(merge_request, path): found for path in new})
        return {}
    # GitLab cuts the list of a large change without a word.
    cut = Unread(reason="GitLab did not tell whether it was renamed")
    ledger.facts.update(
        {_base(merge_request, path): cut for path in new if path not in found.listed}
    )
    renames = {path: found.old_paths[path] for path in new if path in found.old_paths}
    _look_before(merge_request, renames.values(), ledger)
    return renames


def _is_new(
    merge_request: MergeRequest,
    path: str,
    renames: Mapping[str, str],
    ledger: Ledger,
) -> bool:
    is_there = ledger[_head(merge_request, path)] is not None
    return is_there and path not in renames and ledger[_base(merge_request, path)] is None


def _change(merge_request: MergeRequest, path: str, old_path: str | None, ledger: Ledger) -> Change:
    target: Content
    if merge_request.state == "merged":
        # The role is on the target branch because of this very merge request.
        target = ledger[_base(merge_request, old_path or path)]
    else:
        target = ledger[_target(merge_request, path)]
        if old_path and target is None:
            target = ledger[_target(merge_request, old_path)]
        else:
            old_path = None  # git does not merge it with what was added at its new path
    earlier = old_path or path
    return Change(
        path=path,
        old_path=old_path,
        base=ledger[_base(merge_request, earlier)],
        head=ledger[_head(merge_request, path)],
        target=target,
    )


def _head(merge_request: MergeRequest, path: str) -> FileAt:
    return FileAt(merge_request.project, merge_request.head_sha or "", path)


def _base(merge_request: MergeRequest, path: str) -> FileAt:
    return FileAt(merge_request.project, merge_request.base_sha or "", path)


def _target(merge_request: MergeRequest, path: str) -> FileAt:
    return FileAt(merge_request.project, merge_request.target_branch, path)


def _tip(merge_request: MergeRequest) -> TipOf:
    return TipOf(merge_request.project, merge_request.target_branch)


def _before(merge_request: MergeRequest, path: str) -> tuple[FileAt, FileAt]:
    return _base(merge_request, path), _target(merge_request, path)
