"""Merged merge requests that the nominee wrote, reviewed, or either."""
# One module: three kinds that count by one rule, and differ in which of the work they choose.

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.assessment.findings import MORE, NO_ACCOUNT, NO_PERSON, Case, Finding, NearMiss, Verdict
from bot.assessment.kinds.kind import RequirementKind
from bot.evidence import Listed, Merged, Work
from bot.policy import Counting, Requirement
from bot.unread import NOT_LOOKED_UP, Unread
from bot.values import dataclass

# Why comments of somebody who was never a reviewer do not count, whatever they say.
NOT_ASKED = "not_asked"
# What was merged into another branch: anybody may approve and merge in a branch of theirs.
OTHER_BRANCH = "other_branch"
# What is of no interest where there is enough.
ASIDE = frozenset({NOT_ASKED, OTHER_BRANCH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What of somebody's work counts, what nearly does, and the lists that it was found in.

    Counted whenever it was merged, there are `total`, more of them only if not `complete`.
    """

    good: tuple[Merged, ...]
    near: tuple[NearMiss, ...]
    lists: tuple[Listed, ...]
    total: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingKind(Counting, RequirementKind):
    """A rule that counts merge requests."""

    turn = "nominee"  # whose work is counted

    @abstractmethod
    def select(self, work: Work, username: str) -> Selection:
        """Choose what counts."""

    def judge(self, case: Case, requirement: Requirement) -> Finding:
        """Count what is known, and say what nearly counts."""
        place = case.policy.place_of(self)
        listed = case.evidence.work.get(place)
        blank = Finding(
            requirement=requirement,
            verdict=Verdict.UNKNOWN,
            needed=self.at_least,
            repository=place,
            branch=listed.branch if isinstance(listed, Work) else None,
        )
        work = _usable_work(case, listed)
        if isinstance(work, Unread):
            return replace(blank, reason=work.reason)
        chosen = self.select(work, case.nomination.username)
        if self.since_role is None:
            return _count(blank, self.at_least, chosen)
        stage = case.evidence.tenures.get(self.since_role, NOT_LOOKED_UP)
        found = replace(blank, stage=stage, found_anytime=len(chosen.good))
        if isinstance(stage, Unread):
            return replace(found, reason=stage.reason)
        found = _count(found, self.at_least, _since(chosen, stage.since))
        if stage.at_least and found.verdict is Verdict.UNMET:
            reason = "the role before may have begun earlier, outside what was examined"
            return replace(found, verdict=Verdict.UNKNOWN, reason=reason)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoredMergeRequests(CountingKind):
    """Ask for merged merge requests that the nominee authored, maybe only since a role began."""

    kind = "authored_merge_requests"
    about = "Merged merge requests in `repository` that the nominee wrote."
    effort = 7
    reviewed = False

    def select(self, work: Work, _: str) -> Selection:
        """Choose what they wrote."""
        return Selection(
            good=work.authored.items,
            near=_elsewhere(work.own_elsewhere),
            lists=(work.authored,),
            # GitLab counts these itself, however few of them it lists.
            total=work.authored.total,
            complete=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedMergeRequests(CountingKind):
    """Ask for merged merge requests of others that the nominee reviewed."""

    kind = "reviewed_merge_requests"
    about = "Merged merge requests of others or bots in `repository` that the nominee reviewed."
    effort = 5
    authored = False

    def select(self, work: Work, username: str) -> Selection:
        """Choose what they reviewed."""
        good, near = _split_reviews(work, username)
        return Selection(
            good=good,
            near=near,
            lists=(work.reviewed,),
            total=len(good),
            complete=work.reviewed.complete and not _doubtful(near),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoredOrReviewed(CountingKind):
    """Ask for a number of merge requests in total, authored or reviewed, each counted once."""

    kind = "authored_or_reviewed"
    about = "Both together; a merge request counts once."
    effort = 6

    def select(self, work: Work, username: str) -> Selection:
        """Choose what they wrote or reviewed, newest first."""
        reviewed, near = _split_reviews(work, username)
        near = tuple(n for n in near if n.why != "own") + _elsewhere(work.own_elsewhere)
        both = {m.iid: m for m in (*reviewed, *work.authored.items)}
        return Selection(
            good=tuple(sorted(both.values(), key=lambda m: m.merged_at, reverse=True)),
            near=near,
            lists=(work.authored, work.reviewed),
            # One's own are never among the reviewed, so those that were not listed add to them.
            total=len(both) + max(0, work.authored.total - len(work.authored.items)),
            complete=work.reviewed.complete and not _doubtful(near),
        )


def _usable_work(case: Case, work: Work | Unread | None) -> Work | Unread:
    if case.subject.doubt:
        return Unread(reason=case.subject.doubt)
    if not isinstance(work, Work):
        return work or NOT_LOOKED_UP
    account = work.account
    if account is None:
        return Unread(reason=NO_ACCOUNT)
    if account.bot:
        return Unread(reason=NO_PERSON)
    if not account.active:
        return Unread(reason="the account is blocked or deactivated")
    return work


def _split_reviews(work: Work, username: str) -> tuple[tuple[Merged, ...], tuple[NearMiss, ...]]:
    good: list[Merged] = []
    near: list[NearMiss] = []
    for merged in work.reviewed.items:
        if (merged.author or "").casefold() == username.casefold():
            near.append(NearMiss(merged=merged, why="own"))
        elif merged.reviewed:
            good.append(merged)
        elif why := _why_not(merged):
            near.append(NearMiss(merged=merged, why=why))
    near += _elsewhere(work.asked_elsewhere)
    near += [NearMiss(merged=merged, why=NOT_ASKED) for merged in work.bystander]
    return tuple(good), tuple(near)


def _elsewhere(items: Iterable[Merged]) -> tuple[NearMiss, ...]:
    return tuple(NearMiss(merged=merged, why=OTHER_BRANCH) for merged in items)


def _why_not(merged: Merged) -> str | None:
    """Say why what somebody was to review is no review of theirs; None where nobody looked."""
    if merged.doubtful:
        return "not_read_whole"
    if merged.recorded_late:
        return "after_merge"
    looked_for = merged.commented or (merged.marked and merged.recorded is None)
    if looked_for and merged.discussed is None:
        # There is enough without it.
        return None
    if merged.marked:
        return "not_dated"
    return "in_no_thread" if merged.commented else "assigned_only"


def _doubtful(near: Iterable[NearMiss]) -> bool:
    """Return whether any may be a review after all, because not all of it was read."""
    return any(n.merged.doubtful for n in near)


def _since(chosen: Selection, since: datetime | None) -> Selection:
    """Leave what was merged since a role began; nothing where it never did."""
    if since is None:
        early = tuple(NearMiss(merged=m, why="no_stage") for m in chosen.good)
        near = tuple(n for n in chosen.near if n.why not in ASIDE)
        return replace(chosen, good=(), near=early + near, total=0, complete=True)
    counted = tuple(m for m in chosen.good if m.merged_at >= since)
    early = tuple(
        NearMiss(merged=m, why="before_stage") for m in chosen.good if m.merged_at < since
    )
    near = tuple(n for n in chosen.near if n.why not in ASIDE or n.merged.merged_at >= since)
    doubtful = _doubtful(n for n in near if n.merged.merged_at >= since)
    return replace(
        chosen,
        good=counted,
        near=early + near,
        total=len(counted),
        complete=all(listed.covers(since) for listed in chosen.lists) and not doubtful,
    )


def _count(blank: Finding, at_least: int, chosen: Selection) -> Finding:
    near, reason = chosen.near, None
    if chosen.total >= at_least:
        verdict = Verdict.MET
        # What a maintainer might count is of no interest where there is enough.
        near = tuple(n for n in near if n.why not in ASIDE)
    elif chosen.complete:
        verdict = Verdict.UNMET
    else:
        verdict = Verdict.UNKNOWN
        reason = MORE
    return replace(
        blank,
        verdict=verdict,
        found=chosen.total,
        at_least=not chosen.complete,
        counted=chosen.good,
        near_misses=near,
        reason=reason,
    )
