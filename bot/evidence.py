"""Say which facts a nomination's policy needs, and collect them through a port."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bot import policy as rules
from bot.errors import TeamDatabaseError
from bot.facts import (
    CommitsOf,
    Fact,
    FileAt,
    HeadOf,
    Members,
    MembersOf,
    Merged,
    Need,
    Source,
    Threads,
    ThreadsOf,
    Work,
    WorkOf,
    content_of,
)
from bot.merge_request import MergeRequest
from bot.nomination import Change, Content, Nomination, Unread
from bot.policy import Policy
from bot.stages import Stage, Wanted, read_entry, revision_needs, trace_stages
from bot.team_db import parse_entry
from bot.threads import find_candidates, join_threads

T = TypeVar("T")

COUNTING = (rules.AuthoredMergeRequests, rules.ReviewedMergeRequests, rules.AuthoredOrReviewed)
Reviewing = rules.ReviewedMergeRequests | rules.AuthoredOrReviewed


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """The account of the manager that the entry names, or why there is none."""

    username: str | None
    missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is judged about one nomination; stages by role, work by repository."""

    work: Mapping[str, Work | Unread]
    stages: Mapping[str, Stage | Unread]
    manager: Manager | Unread
    groups: Mapping[str, Members | Unread]
    files: Mapping[FileAt, Content]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A nomination with what its evidence starts from.

    `reports_to` is what the entry said before the merge request, which can neither choose
    nor invent its own manager; `doubt` says why the account's work may be somebody else's.
    """

    nomination: Nomination
    policy: Policy
    reports_to: str | None
    manager_file: FileAt | None
    doubt: str | None


def find_subject(
    nomination: Nomination, policy: Policy, change: Change | None, merge_request: MergeRequest
) -> Subject:
    """Find the manager and whether the account can be trusted to be the nominee's.

    `change` is that of the file which held the nominee's entry at the base, if any did.
    """
    earlier = read_entry(change.base) if change else None
    slug = earlier.reports_to if earlier else None
    doubt = None
    if earlier and (earlier.username or "").casefold() != nomination.username.casefold():
        doubt = "this merge request itself changes the account in the entry"
    path = manager_path(nomination.path, slug)
    return Subject(
        nomination=nomination,
        policy=policy,
        reports_to=slug,
        manager_file=FileAt(merge_request.project, merge_request.target_branch, path)
        if path
        else None,
        doubt=doubt,
    )


def manager_path(path: str, slug: str | None) -> str | None:
    """Return the path of the entry with a slug, beside another entry's path."""
    if not slug or slug.startswith(".") or any(c in slug for c in "/\\\0"):
        return None
    folder = path.rsplit("/", 2)[0]
    return f"{folder}/{slug[0].lower()}/{slug}.yml"


def needs_of(subject: Subject, *, merged: bool) -> set[Need]:
    """Say which facts judging one nomination takes, apart from the entry's history."""
    policy = subject.policy
    needs: set[Need] = {MembersOf(policy.maintainers.group)}
    if subject.manager_file:
        # After the merge too: the manager's earlier commands are still judged.
        needs.add(subject.manager_file)
    if not merged:
        username = subject.nomination.username
        needs |= {WorkOf(repository, username) for repository in counted_repositories(policy)}
    for step in policy.follow_ups:
        if isinstance(step.check, rules.GroupMember):
            needs.add(MembersOf(step.check.group))
        elif isinstance(step.check, rules.ListedIn):
            needs.add(FileAt(step.check.project, step.check.ref, step.check.path))
    return needs


def gather_evidence(
    subjects: Sequence[Subject],
    merge_request: MergeRequest,
    known: Mapping[Need, Fact],
    source: Source,
) -> tuple[Mapping[str, Evidence], str | None]:
    """Collect the evidence of every nomination, by username and policy, and the head read last.

    The head is `None` when it could not be read.
    """
    merged = merge_request.state == "merged"
    facts = dict(known)
    # After the merge nothing is gated, so the head does not matter any more.
    head_need = HeadOf(merge_request.project, merge_request.iid)
    needs: set[Need] = set() if merged else {head_need}
    for subject in subjects:
        needs |= needs_of(subject, merged=merged)
    histories = {} if merged else _histories(subjects, merge_request)
    needs |= {need for need in histories.values() if need not in facts}
    needs |= {n for h in histories.values() for n in revision_needs(facts.get(h))}
    facts.update(source.fetch_facts(needs - facts.keys()))
    late = {n for h in histories.values() for n in revision_needs(facts.get(h))} - facts.keys()
    if late:
        facts.update(source.fetch_facts(late))
    evidence = {
        evidence_key(subject): Evidence(
            work={
                repository: _as(Work, facts.get(WorkOf(repository, subject.nomination.username)))
                for repository in counted_repositories(subject.policy)
            },
            stages=trace_stages(
                histories.get(evidence_key(subject)),
                facts,
                source,
                Wanted(
                    username=subject.nomination.username,
                    project=subject.policy.project,
                    roles=earlier_roles(subject.policy),
                ),
            ),
            manager=find_manager(
                content_of(facts, subject.manager_file) if subject.manager_file else None,
                subject.reports_to,
            ),
            groups={
                need.group: _as(Members, fact)
                for need, fact in facts.items()
                if isinstance(need, MembersOf)
            },
            files={need: content_of(facts, need) for need in facts if isinstance(need, FileAt)},
        )
        for subject in subjects
    }
    threads = {key: thread_needs(s, evidence[key]) for s in subjects for key in [evidence_key(s)]}
    late_needs = {need for wanted in threads.values() for need in wanted}
    if late_needs:
        # With the head once more, which is to be read last.
        facts.update(source.fetch_facts({*late_needs, head_need}))
        evidence = {
            key: _with_threads(found, threads[key], facts) for key, found in evidence.items()
        }
    head = merge_request.head_sha if merged else facts.get(head_need)
    return evidence, head if isinstance(head, str) else None


def thread_needs(subject: Subject, found: Evidence) -> set[ThreadsOf]:
    """Say in which merge requests a nominee who lacks reviews may have given them by comments."""
    wanted: dict[str, dict[int, Merged]] = {}
    for requirement in subject.policy.requirements:
        rule = requirement.rule
        if not isinstance(rule, Reviewing):
            continue
        repository = rule.repository or subject.policy.repository
        work = found.work[repository]
        stage = found.stages.get(rule.since_role) if rule.since_role else Stage(since=None)
        if not isinstance(work, Work) or not isinstance(stage, Stage):
            continue
        if rule.since_role and stage.since is None:
            continue
        missing = rule.at_least - _count_reviews(work, rule, stage, subject.nomination.username)
        candidates = find_candidates(work, stage.since, missing)
        wanted.setdefault(repository, {}).update({m.iid: m for m in candidates})
    return {
        ThreadsOf(repository, subject.nomination.username, tuple(sorted(merged)))
        for repository, merged in wanted.items()
        if merged
    }


def _count_reviews(work: Work, rule: Reviewing, stage: Stage, username: str) -> int:
    """Count what is known without looking into threads."""
    own = username.casefold()
    counted = {m.iid for m in work.reviewed.items if m.reviewed and _by(m) != own and _in(m, stage)}
    if isinstance(rule, rules.AuthoredOrReviewed):
        counted |= {m.iid for m in work.authored.items if _in(m, stage)}
    return len(counted)


def _by(merged: Merged) -> str:
    return (merged.author or "").casefold()


def _in(merged: Merged, stage: Stage) -> bool:
    return stage.since is None or merged.merged_at >= stage.since


def _with_threads(
    found: Evidence, needs: Iterable[ThreadsOf], facts: Mapping[Need, Fact]
) -> Evidence:
    work = dict(found.work)
    for need in needs:
        known = work[need.project]
        if isinstance(known, Work):
            work[need.project] = join_threads(known, need.iids, _as(Threads, facts.get(need)))
    return replace(found, work=work)


def evidence_key(subject: Subject) -> str:
    """Return what tells one nomination of a merge request from another."""
    return f"{subject.nomination.username.casefold()} {subject.policy.label}"


def _histories(subjects: Sequence[Subject], merge_request: MergeRequest) -> dict[str, CommitsOf]:
    return {
        evidence_key(subject): CommitsOf(
            merge_request.project, merge_request.target_branch, subject.nomination.base_path
        )
        for subject in subjects
        if earlier_roles(subject.policy) and subject.nomination.base_path
    }


def _as(kind: type[T], fact: Fact | None) -> T | Unread:
    if isinstance(fact, kind | Unread):
        return fact
    return Unread(reason="it was not looked up")


def counted_repositories(policy: Policy) -> tuple[str, ...]:
    """Return the repositories whose merge requests the policy counts."""
    found = [
        requirement.rule.repository or policy.repository
        for requirement in policy.requirements
        if isinstance(requirement.rule, COUNTING)
    ]
    return tuple(dict.fromkeys(found))


def earlier_roles(policy: Policy) -> tuple[str, ...]:
    """Return the roles whose first appearance in the entry's history matters."""
    return tuple(
        dict.fromkeys(
            requirement.rule.since_role
            for requirement in policy.requirements
            if isinstance(requirement.rule, COUNTING) and requirement.rule.since_role
        )
    )


def find_manager(content: Content, slug: str | None) -> Manager | Unread:
    """Read the manager's account from the manager's entry."""
    if not slug:
        return Manager(
            username=None, missing="no manager was in the entry before this merge request"
        )
    if isinstance(content, Unread):
        return content
    if content is None:
        return Manager(username=None, missing="the entry that `reports_to` names does not exist")
    try:
        entry = parse_entry(content, "the manager's entry")
    except TeamDatabaseError as error:
        return Unread(reason=str(error))
    if not entry.username:
        return Manager(username=None, missing="the manager's entry names no account")
    return Manager(username=entry.username)
