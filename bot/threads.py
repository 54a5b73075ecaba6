"""Reviews that consist of comments only, by people nobody had asked for a review.

GitLab has no filter for them, so they are looked for among the merge requests that were
merged last, and only where everything else is too little.
"""

from dataclasses import replace
from datetime import datetime

from bot.facts import Listed, Merged, Threads, Work
from bot.nomination import Unread

MOST = 20  # merge requests whose threads are read


def find_candidates(work: Work, since: datetime | None, missing: int) -> tuple[Merged, ...]:
    """Return what may be reviews by comments alone, newest first; nothing where none is missing."""
    if missing <= 0:
        return ()
    return tuple(m for m in work.bystander if since is None or m.merged_at >= since)[:MOST]


def join_threads(work: Work, iids: tuple[int, ...], threads: Threads | Unread) -> Work:
    """Put what was looked at among the reviewed; what could not be read stays in doubt."""
    looked = [
        replace(merged, discussed=_is_in(merged, threads), cut=_is_cut(merged, threads))
        for merged in work.bystander
        if merged.iid in iids
    ]
    items = sorted((*work.reviewed.items, *looked), key=lambda m: m.merged_at, reverse=True)
    reviewed = Listed(
        items=tuple(items),
        total=work.reviewed.total + len(looked),
        seen_since=work.reviewed.seen_since,
    )
    return replace(work, reviewed=reviewed, bystander=())


def _is_in(merged: Merged, threads: Threads | Unread) -> bool:
    return isinstance(threads, Threads) and merged.iid in threads.found


def _is_cut(merged: Merged, threads: Threads | Unread) -> bool:
    return isinstance(threads, Unread) or merged.iid in threads.cut
