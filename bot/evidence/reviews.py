"""Reviews that GitLab's lists do not date: by comments alone, by states, by a reset approval.

The lists tell who commented on a merge request and how a reviewer stands, but not when, so that
is looked up, and only where everything else is too little.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.evidence.work import Merged, Threads, ThreadsOf, Work
from bot.policy import Counting
from bot.unread import Unread
from bot.values import dataclass

MOST = 20  # merge requests that are looked into


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What of somebody's work may be reviews without a date, and the newest, which are read."""

    work: Work
    candidates: frozenset[int]
    need: ThreadsOf


def count_known(work: Work, rule: Counting, since: datetime | None, username: str) -> int:
    """Count what is known to count without looking into threads."""
    counted: set[int] = set()
    if rule.reviewed:
        counted |= {m.iid for m in _by_others(work, username) if m.reviewed and _in(m, since)}
    if rule.authored:
        counted |= {m.iid for m in work.authored.items if _in(m, since)}
    return len(counted)


def find_candidates(work: Work, since: datetime | None, username: str) -> tuple[Merged, ...]:
    """Return what may be reviews although no list tells so."""
    return tuple(
        m
        for m in _by_others(work, username)
        if _may_be_review(m) and not m.reviewed and _in(m, since)
    )


def _may_be_review(merged: Merged) -> bool:
    """Return whether there may be a thread of a reviewer, or a note that was not listed."""
    unlisted = merged.recorded is None and (merged.assigned or merged.marked)
    return unlisted or (merged.assigned and merged.commented)


def may_suffice(work: Work, rule: Counting, username: str) -> bool:
    """Return whether there may be enough, whenever it was merged and whatever threads show."""
    found = count_known(work, rule, None, username)
    if not rule.reviewed:
        return found >= rule.at_least
    found += len(find_candidates(work, None, username))
    return found >= rule.at_least or not work.reviewed.complete


def plan_look(work: Work, project: str, username: str, candidates: Iterable[Merged]) -> Look:
    """Choose the newest of the candidates, those first that show more than a request."""
    likely = sorted(
        {m.iid: m for m in candidates}.values(),
        key=lambda m: (m.marked or m.commented, m.merged_at),
        reverse=True,
    )
    return Look(
        work=work,
        candidates=frozenset(m.iid for m in likely),
        need=ThreadsOf(project, username, tuple(sorted(m.iid for m in likely[:MOST]))),
    )


def join_threads(look: Look, threads: Threads | Unread) -> Work:
    """Add to somebody's work what was seen; what was not looked at stays in doubt."""
    work = look.work
    items = tuple(
        _with_threads(merged, look, threads) if merged.iid in look.candidates else merged
        for merged in work.reviewed.items
    )
    return replace(work, reviewed=replace(work.reviewed, items=items))


def _with_threads(merged: Merged, look: Look, threads: Threads | Unread) -> Merged:
    if isinstance(threads, Unread) or merged.iid not in look.need.iids:
        return replace(merged, cut=True)
    iid = merged.iid
    return replace(
        merged,
        # Comments of somebody who was never asked for a review are none.
        discussed=iid in threads.found and merged.assigned,
        recorded=iid in threads.recorded,
        recorded_late=iid in threads.late,
        cut=merged.cut or iid in threads.cut,
    )


def _by_others(work: Work, username: str) -> list[Merged]:
    own = username.casefold()
    return [m for m in work.reviewed.items if (m.author or "").casefold() != own]


def _in(merged: Merged, since: datetime | None) -> bool:
    return since is None or merged.merged_at >= since
