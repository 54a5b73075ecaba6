"""Reviews by comments alone: a reviewer who wrote in a thread before the merge.

GitLab's lists tell who commented on a merge request, but neither where nor when, so that is
looked up, and only where everything else is too little.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bot import policy as rules
from bot.facts import Merged, Threads, ThreadsOf, Work
from bot.nomination import Unread

MOST = 20  # merge requests whose threads are read

Counting = rules.AuthoredMergeRequests | rules.ReviewedMergeRequests | rules.AuthoredOrReviewed


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What of somebody's work may be reviews by comments alone, and the newest, which are read."""

    work: Work
    candidates: frozenset[int]
    need: ThreadsOf


def count_known(work: Work, rule: Counting, since: datetime | None, username: str) -> int:
    """Count what is known to count without looking into threads."""
    counted: set[int] = set()
    if not isinstance(rule, rules.AuthoredMergeRequests):
        counted |= {m.iid for m in _by_others(work, username) if m.reviewed and _in(m, since)}
    if not isinstance(rule, rules.ReviewedMergeRequests):
        counted |= {m.iid for m in work.authored.items if _in(m, since)}
    return len(counted)


def find_candidates(work: Work, since: datetime | None, username: str) -> tuple[Merged, ...]:
    """Return what may be reviews by comments alone."""
    return tuple(
        m for m in _by_others(work, username) if m.commented and not m.reviewed and _in(m, since)
    )


def may_suffice(work: Work, rule: Counting, username: str) -> bool:
    """Tell whether there may be enough, whenever it was merged and whatever threads show."""
    found = count_known(work, rule, None, username)
    if isinstance(rule, rules.AuthoredMergeRequests):
        return found >= rule.at_least
    found += len(find_candidates(work, None, username))
    return found >= rule.at_least or not work.reviewed.complete


def plan_look(work: Work, project: str, username: str, candidates: Iterable[Merged]) -> Look:
    """Choose the newest of the candidates."""
    newest = sorted({m.iid: m for m in candidates}.values(), key=lambda m: m.merged_at)[::-1]
    return Look(
        work=work,
        candidates=frozenset(m.iid for m in newest),
        need=ThreadsOf(project, username, tuple(sorted(m.iid for m in newest[:MOST]))),
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
    cut = merged.cut or merged.iid in threads.cut
    return replace(merged, discussed=merged.iid in threads.found, cut=cut)


def _by_others(work: Work, username: str) -> list[Merged]:
    own = username.casefold()
    return [m for m in work.reviewed.items if (m.author or "").casefold() != own]


def _in(merged: Merged, since: datetime | None) -> bool:
    return since is None or merged.merged_at >= since
