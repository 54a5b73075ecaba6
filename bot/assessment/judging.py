"""Judge one requirement; pure, one small function for each kind."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from bot import policy as rules
from bot.assessment.findings import Case, Finding, NearMiss, Part, Verdict
from bot.evidence import Counting, Listed, Manager, Merged, Timing, Work
from bot.policy import Requirement
from bot.team import role_spellings
from bot.unread import NOT_LOOKED_UP, Unread

# Why comments of somebody who was never a reviewer do not count, whatever they say.
NOT_ASKED = "not_asked"
# What was merged into another branch: anybody may approve and merge in a branch of theirs.
OTHER_BRANCH = "other_branch"
# What is of no interest where there is enough.
ASIDE = frozenset({NOT_ASKED, OTHER_BRANCH})


def _judge_authored(case: Case, requirement: Requirement) -> Finding:
    rule = _counting(requirement)
    work = _usable_work(case, rule)
    if isinstance(work, Unread):
        return _unknown(requirement, work.reason, rule, case)
    authored, near = work.authored, _elsewhere(work.own_elsewhere)
    if rule.since_role is None:
        # GitLab counts these itself, however few of them it lists.
        return _count(requirement, case, authored.items, near, total=authored.total, complete=True)
    return _count_since(requirement, case, authored.items, near, (authored,))


def _judge_reviewed(case: Case, requirement: Requirement) -> Finding:
    rule = _counting(requirement)
    work = _usable_work(case, rule)
    if isinstance(work, Unread):
        return _unknown(requirement, work.reason, rule, case)
    good, near = _split_reviews(work, case.nomination.username)
    if rule.since_role is None:
        complete = work.reviewed.complete and not _doubtful(near)
        return _count(requirement, case, good, near, complete=complete)
    return _count_since(requirement, case, good, near, (work.reviewed,))


def _judge_either(case: Case, requirement: Requirement) -> Finding:
    rule = _counting(requirement)
    work = _usable_work(case, rule)
    if isinstance(work, Unread):
        return _unknown(requirement, work.reason, rule, case)
    reviewed, near = _split_reviews(work, case.nomination.username)
    near = tuple(n for n in near if n.why != "own") + _elsewhere(work.own_elsewhere)
    both = {m.iid: m for m in (*reviewed, *work.authored.items)}
    newest = tuple(sorted(both.values(), key=lambda m: m.merged_at, reverse=True))
    if rule.since_role is None:
        # One's own are never among the reviewed, so those that were not listed add to them.
        total = len(newest) + max(0, work.authored.total - len(work.authored.items))
        complete = work.reviewed.complete and not _doubtful(near)
        return _count(requirement, case, newest, near, total=total, complete=complete)
    return _count_since(requirement, case, newest, near, (work.authored, work.reviewed))


def _counting(requirement: Requirement) -> Counting:
    rule = requirement.rule
    if not isinstance(rule, Counting):
        raise TypeError(f"{requirement.id} does not count merge requests")
    return rule


def _usable_work(case: Case, rule: Counting) -> Work | Unread:
    """Return what the nominee did, unless it cannot be told whose work it is."""
    if case.account_doubt:
        return Unread(reason=case.account_doubt)
    work = case.evidence.work.get(rule.repository or case.policy.repository)
    if not isinstance(work, Work):
        return work or NOT_LOOKED_UP
    account = work.account
    if account is None:
        return Unread(
            reason="GitLab knows no account of this name (renamed, deleted, or not visible)"
        )
    if account.bot:
        return Unread(reason="the account is a bot's, and bots are not people")
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


def _count_since(
    requirement: Requirement,
    case: Case,
    good: Sequence[Merged],
    near: Sequence[NearMiss],
    lists: Sequence[Listed],
) -> Finding:
    rule = _counting(requirement)
    stage = case.evidence.tenures.get(rule.since_role or "", NOT_LOOKED_UP)
    if isinstance(stage, Unread):
        unknown = _unknown(requirement, stage.reason, rule, case)
        return replace(unknown, stage=stage, found_anytime=len(good))
    if stage.since is None:
        early = tuple(NearMiss(merged=m, why="no_stage") for m in good)
        near = [n for n in near if n.why not in ASIDE]
        counted: tuple[Merged, ...] = ()
        complete = True
    else:
        since = stage.since
        counted = tuple(m for m in good if m.merged_at >= since)
        early = tuple(NearMiss(merged=m, why="before_stage") for m in good if m.merged_at < since)
        near = [n for n in near if n.why not in ASIDE or n.merged.merged_at >= since]
        doubtful = _doubtful([n for n in near if n.merged.merged_at >= since])
        complete = all(listed.covers(since) for listed in lists) and not doubtful
    finding = _count(requirement, case, counted, (*early, *near), complete=complete)
    if stage.at_least and finding.verdict is Verdict.UNMET:
        reason = "the role before may have begun earlier, outside what was examined"
        finding = replace(finding, verdict=Verdict.UNKNOWN, reason=reason)
    return replace(finding, stage=stage, found_anytime=len(good))


def _count(  # noqa: PLR0913  the parts of one finding, named at every call
    requirement: Requirement,
    case: Case,
    counted: Sequence[Merged],
    near: Sequence[NearMiss],
    *,
    complete: bool,
    total: int | None = None,
) -> Finding:
    rule = _counting(requirement)
    found = len(counted) if total is None else total
    reason = None
    if found >= rule.at_least:
        verdict = Verdict.MET
        # What a maintainer might count is of no interest where there is enough.
        near = [n for n in near if n.why not in ASIDE]
    elif complete:
        verdict = Verdict.UNMET
    else:
        verdict = Verdict.UNKNOWN
        reason = "there are more merge requests or comments than were examined"
    return Finding(
        requirement=requirement,
        verdict=verdict,
        found=found,
        needed=rule.at_least,
        at_least=not complete,
        counted=tuple(counted),
        near_misses=tuple(near),
        repository=rule.repository or case.policy.repository,
        branch=_branch(rule, case),
        reason=reason,
    )


def _branch(rule: Counting, case: Case) -> str | None:
    """Return the branch into which was merged what is counted, if it is known."""
    work = case.evidence.work.get(rule.repository or case.policy.repository)
    return work.branch if isinstance(work, Work) else None


def _unknown(requirement: Requirement, reason: str, rule: Counting, case: Case) -> Finding:
    return Finding(
        requirement=requirement,
        verdict=Verdict.UNKNOWN,
        needed=rule.at_least,
        repository=rule.repository or case.policy.repository,
        branch=_branch(rule, case),
        reason=reason,
    )


def _judge_attested(case: Case, requirement: Requirement) -> Finding:
    rule = requirement.rule
    assert isinstance(rule, rules.Attested)  # noqa: S101  the table below pairs them
    parts = tuple(
        Part(
            role=topic.id,
            name=topic.text,
            state="attested" if topic.id in case.attested else "open",
            url=topic.url,
            section=topic.section,
        )
        for topic in rule.topics
    )
    found = sum(part.state == "attested" for part in parts)
    return Finding(
        requirement=requirement,
        verdict=Verdict.MET if found == len(parts) else Verdict.UNMET,
        found=found,
        needed=len(parts),
        parts=parts,
    )


def _judge_assigned(case: Case, requirement: Requirement) -> Finding:
    rule = requirement.rule
    assert isinstance(rule, rules.Assigned)  # noqa: S101  the table below pairs them
    assignees = {p.key for p in case.merge_request.assignees if p.active and not p.bot}
    reviewers = {p.key for p in case.merge_request.reviewers}
    parts: list[Part] = []
    if rule.manager:
        parts.append(_manager_part(case, assignees, reviewers))
    if rule.maintainers:
        parts.extend(_maintainer_parts(case, rule.maintainers, assignees))
    states = {part.state for part in parts}
    if states <= {"assigned"}:
        verdict = Verdict.MET
    elif "unknown" in states and states <= {"assigned", "unknown"}:
        verdict = Verdict.UNKNOWN
    else:
        verdict = Verdict.UNMET
    assigned = [part.role for part in parts if part.state == "assigned"]
    reasons = [part.name or "" for part in parts if part.state == "unknown"]
    return Finding(
        requirement=requirement,
        verdict=verdict,
        # More maintainers than needed do not make up for the manager.
        found=assigned.count("manager") + min(assigned.count("maintainer"), rule.maintainers),
        needed=int(rule.manager) + rule.maintainers,
        parts=tuple(parts),
        reason="; ".join(reasons) or None,
    )


def _manager_part(case: Case, assignees: set[str], reviewers: set[str]) -> Part:
    manager = case.evidence.manager
    if isinstance(manager, Unread):
        return Part(role="manager", name=manager.reason, state="unknown")
    if manager.username is None:
        return Part(role="manager", name=manager.missing, state="none")
    key = manager.username.casefold()
    if key == case.nomination.username.casefold():
        return Part(role="manager", name=manager.username, state="is_nominee")
    if key in assignees:
        # Anybody may take a name that was freed.
        state = "stranger" if key in case.strangers else "assigned"
        return Part(role="manager", name=manager.username, state=state)
    if any(person.key == key for person in case.merge_request.assignees):
        return Part(role="manager", name=manager.username, state="inactive")
    state = "reviewer_only" if key in reviewers else "missing"
    return Part(role="manager", name=manager.username, state=state)


def _maintainer_parts(case: Case, needed: int, assignees: set[str]) -> list[Part]:
    maintainers = case.maintainers()
    if isinstance(maintainers, Unread):
        return [Part(role="maintainer", name=maintainers.reason, state="unknown")]
    nominee = case.nomination.username.casefold()
    others = [m for m in maintainers if m.casefold() != nominee]
    assigned = [m for m in others if m.casefold() in assignees]
    parts = [Part(role="maintainer", name=m, state="assigned") for m in assigned]
    absent = Part(role="maintainer", name=None, state="missing" if others else "none")
    return parts + [absent] * (needed - len(assigned))


def _judge_approved(case: Case, requirement: Requirement) -> Finding:
    rule = requirement.rule
    assert isinstance(rule, rules.ApprovedBy)  # noqa: S101  the table below pairs them
    nominee = case.nomination.username.casefold()
    people = [p for p in case.merge_request.approved_by if p.active and not p.bot]
    approvers = {p.key: p.username for p in people}
    approvers.pop(nominee, None)
    counting = _counting_approvers(case, rule.by)
    if isinstance(counting, Unread):
        return Finding(
            requirement=requirement,
            verdict=Verdict.UNKNOWN,
            needed=rule.at_least,
            reason=counting.reason,
        )
    keys = {name.casefold() for name in counting}
    parts = tuple(
        Part(
            role=rule.by,
            name=name,
            state=_approver_state(case, rule.by, key) if key in keys else "other",
        )
        for key, name in approvers.items()
    )
    states = [part.state for part in parts]
    found, undated = states.count("approved"), states.count("undated")
    verdict, reason = Verdict.UNMET, None
    if found >= rule.at_least:
        verdict = Verdict.MET
    elif found + undated >= rule.at_least:
        verdict, reason = Verdict.UNKNOWN, _why_undated(case.timing)
    return Finding(
        requirement=requirement,
        verdict=verdict,
        found=found,
        needed=rule.at_least,
        parts=parts,
        reason=reason,
    )


def _approver_state(case: Case, by: str, key: str) -> str:
    is_stranger = by == "manager" and key in case.strangers
    return "stranger" if is_stranger else _approval_state(case.timing, key)


def _approval_state(timing: Timing | Unread, key: str) -> str:
    """Return whether somebody's approval, which stands, is one of what is proposed now.

    A push does not take approvals away in every project; times are whole seconds.
    """
    if isinstance(timing, Unread) or key not in timing.approved:
        return "undated"
    is_present = timing.approved[key] > timing.settled.replace(microsecond=0)
    return "approved" if is_present else "outdated"


def _why_undated(timing: Timing | Unread) -> str:
    if isinstance(timing, Unread):
        return timing.reason
    return "GitLab does not tell when some approvals were given"


def _counting_approvers(case: Case, by: str) -> tuple[str, ...] | Unread:
    if by == "maintainers":
        return case.maintainers()
    manager = case.evidence.manager
    if isinstance(manager, Manager):
        return (manager.username,) if manager.username else ()
    return manager


def _judge_open_for(case: Case, requirement: Requirement) -> Finding:
    rule = requirement.rule
    assert isinstance(rule, rules.OpenFor)  # noqa: S101  the table below pairs them
    if isinstance(case.timing, Unread):
        return Finding(
            requirement=requirement,
            verdict=Verdict.UNKNOWN,
            needed=rule.days,
            reason=case.timing.reason,
        )
    age = case.now - case.timing.opened
    return Finding(
        requirement=requirement,
        verdict=Verdict.MET if age >= timedelta(days=rule.days) else Verdict.UNMET,
        found=max(age.days, 0),
        needed=rule.days,
    )


def _judge_role_held(case: Case, requirement: Requirement) -> Finding:
    rule = requirement.rule
    assert isinstance(rule, rules.RoleHeld)  # noqa: S101  the table below pairs them
    if case.account_doubt:
        return Finding(
            requirement=requirement,
            verdict=Verdict.UNKNOWN,
            needed=1,
            reason=case.account_doubt,
        )
    first_words = {role.split()[0].casefold() for role in case.nomination.before if role.split()}
    held = not first_words.isdisjoint(role_spellings(rule.role))
    return Finding(
        requirement=requirement,
        verdict=Verdict.MET if held else Verdict.UNMET,
        found=int(held),
        needed=1,
        parts=tuple(Part(role="role", name=role, state="held") for role in case.nomination.before),
    )


Judge = Callable[[Case, Requirement], Finding]

JUDGES: Mapping[type, Judge] = {
    rules.AuthoredMergeRequests: _judge_authored,
    rules.ReviewedMergeRequests: _judge_reviewed,
    rules.AuthoredOrReviewed: _judge_either,
    rules.Attested: _judge_attested,
    rules.Assigned: _judge_assigned,
    rules.ApprovedBy: _judge_approved,
    rules.OpenFor: _judge_open_for,
    rules.RoleHeld: _judge_role_held,
}
