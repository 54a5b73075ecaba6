"""Find what was said in other merge requests that propose the same.

To close a merge request that is held, and to open another from its branch, or from a branch with
another name, must not end the hold.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from bot.evidence.facts import Asks, Fact, Ledger, Need, Source
from bot.evidence.records import EarlierOf
from bot.merge_request import MergeRequest, Note
from bot.nomination import Nomination
from bot.unread import Unread
from bot.values import dataclass

PAGES = 5  # of the merge requests from branches of one name; forks often use the same
MOST = 6  # earlier merge requests from one branch that are read
MOST_OTHERS = 12  # of those from other branches


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What other merge requests with comments, none of them merged, change, by their numbers.

    None where GitLab did not list all of it. `own` are those of whom it was asked for, and
    `merged` theirs that were, by the branch.
    """

    paths: Mapping[int, tuple[str, ...] | None]
    own: frozenset[int] = frozenset()
    merged: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ProposedOf(Asks[Proposed]):
    """The need for what else somebody proposes, and for the newest of anybody."""

    project: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """A merge request from a branch of the same name; forks have branches of their own."""

    iid: int
    merged_into: str | None
    source_project_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Siblings:
    """A page of such merge requests, newest first; `following` leads to the next."""

    items: tuple[Sibling, ...]
    following: str | None = None


@dataclass(frozen=True, slots=True)
class SiblingsOf(Asks[Siblings]):
    """The need for the merge requests from source branches of a name, those after a cursor."""

    project: str
    branch: str
    after: str | None = None


def siblings_of(merge_request: MergeRequest) -> SiblingsOf:
    """Return the need for the merge requests from branches of the same name."""
    return SiblingsOf(merge_request.project, merge_request.source_branch)


def earlier_needs(merge_request: MergeRequest) -> tuple[Need, ...]:
    """Return what leads to the other merge requests that propose the same."""
    return (siblings_of(merge_request), *_proposed_needs(merge_request))


def _proposed_needs(merge_request: MergeRequest) -> tuple[ProposedOf, ...]:
    author = merge_request.author
    return (ProposedOf(merge_request.project, author.username),) if author else ()


def gather_earlier(
    merge_request: MergeRequest,
    known: Mapping[Need, Fact],
    source: Source,
    nominations: Sequence[Nomination] = (),
) -> tuple[list[Note], list[str]]:
    """Read the comments of the merge requests that came from the same branch and are not merged.

    So are those of its author, and the newest of anybody, that change the entry of a nominee.
    What was held in one that is merged, is over with it, unless it went into a branch of no
    consequence, as anybody can let it. Returns, too, why some may be missing.
    """
    ledger = Ledger(known, source)
    found = _read_all(siblings_of(merge_request), ledger)
    if isinstance(found, Unread):
        return [], [f"whether the branch is held from before is not known: {found.reason}"]
    own = [
        sibling
        for sibling in found
        if sibling.iid != merge_request.iid
        and sibling.merged_into != _branch_that_counts(merge_request)
        and sibling.source_project_id == merge_request.source_project_id
    ]
    others, unknown = _choose_others(merge_request, nominations, ledger)
    if len(own) > MOST:
        unknown.append(
            f"of the {len(own)} earlier merge requests from this branch, the newest {MOST} were "
            "read; open this one from a branch with a new name"
        )
    chosen = dict.fromkeys([*(sibling.iid for sibling in own[:MOST]), *others])
    return _read_notes(merge_request, chosen, unknown, ledger)


def _choose_others(
    merge_request: MergeRequest, nominations: Sequence[Nomination], ledger: Ledger
) -> tuple[list[int], list[str]]:
    """Choose the merge requests that change the same entries, and say what is not known."""
    entries = frozenset(p for each in nominations for p in (each.path, each.base_path) if p)
    needs = _proposed_needs(merge_request)
    ledger.look_up(needs)
    found = [ledger[need] for need in needs]
    unknown = [
        f"whether the nominee is held in another merge request is not known: {each.reason}"
        for each in found
        if isinstance(each, Unread)
    ]
    branch = _branch_that_counts(merge_request)
    chosen = (_may_concern(each, entries, branch) for each in found if isinstance(each, Proposed))
    others = [iid for iid in dict.fromkeys(chain(*chosen)) if iid != merge_request.iid]
    if len(others) > MOST_OTHERS:
        unknown.append(
            f"{len(others)} other merge requests change the same entry, and the bot reads "
            f"{MOST_OTHERS} of them: an operator looks whether anything is held in the others"
        )
    return others[:MOST_OTHERS], unknown


def _branch_that_counts(merge_request: MergeRequest) -> str:
    return merge_request.default_branch or merge_request.target_branch


def _may_concern(found: Proposed, entries: frozenset[str], counting: str) -> Iterator[int]:
    """Yield those that change an entry, or may have done so when something was held.

    To push until a merge request changes nothing any more, and to close it, is to end no hold.
    """
    for iid, paths in found.paths.items():
        emptied = not paths and iid in found.own
        if paths is None or emptied or not entries.isdisjoint(paths):
            yield iid
    # Anybody can let one be merged into a branch of no consequence, which ends no hold.
    yield from (iid for iid, branch in found.merged if branch != counting)


def _read_notes(
    merge_request: MergeRequest, iids: Iterable[int], unknown: Sequence[str], ledger: Ledger
) -> tuple[list[Note], list[str]]:
    needs = [EarlierOf(merge_request.project, iid) for iid in iids]
    ledger.look_up(needs)
    notes: list[Note] = []
    missing: list[str] = []
    for need in needs:
        earlier = ledger[need]
        if isinstance(earlier, Unread):
            missing.append(f"what was said in the earlier !{need.iid} could not be read")
        else:
            notes.extend(earlier.notes)
    return notes, [*missing, *unknown]


def _read_all(need: SiblingsOf, ledger: Ledger) -> list[Sibling] | Unread:
    items: list[Sibling] = []
    for _ in range(PAGES):
        page = ledger[need]
        if isinstance(page, Unread):
            return page
        items += page.items
        if page.following is None:
            return items
        need = replace(need, after=page.following)
        ledger.look_again([need])
    return Unread(reason="too many merge requests came from branches of this name")
