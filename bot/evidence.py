"""Say which facts a nomination's policy needs, and collect them through a port."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bot import policy as rules
from bot.errors import TeamDatabaseError
from bot.facts import (
    CommitsOf,
    Exposure,
    ExposureOf,
    Fact,
    FileAt,
    Members,
    MembersOf,
    Merged,
    Need,
    Source,
    StandingOf,
    Threads,
    Work,
    WorkOf,
    content_of,
)
from bot.merge_request import MergeRequest, Standing
from bot.nomination import Change, Content, Nomination, Unread
from bot.policy import Policy
from bot.stages import Stage, Wanted, read_entry, revision_needs, trace_stages
from bot.team_db import Entry, parse_entry
from bot.threads import (
    Counting,
    Look,
    count_known,
    find_candidates,
    join_threads,
    may_suffice,
    plan_look,
)

T = TypeVar("T")

NOT_LOOKED_UP = Unread(reason="it was not looked up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """The account of the manager that the entry names, or why there is none."""

    username: str | None
    missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is judged about one nomination; stages by role, work by repository.

    `groups` holds direct members, `inherited` those that belong by a parent group as well;
    `exposures` says, by project, who may see what was found there.
    """

    work: Mapping[str, Work | Unread]
    stages: Mapping[str, Stage | Unread]
    manager: Manager | Unread
    groups: Mapping[str, Members | Unread]
    files: Mapping[FileAt, Content]
    inherited: Mapping[str, Members | Unread] = field(default_factory=dict)
    exposures: Mapping[str, Exposure | Unread] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A nomination with what its evidence starts from.

    `reports_to` is what the entry says without the merge request, which can neither choose
    nor invent its own manager; `doubt` says why the account's work may be somebody else's.
    """

    nomination: Nomination
    policy: Policy
    reports_to: str | Unread | None
    manager_file: FileAt | None
    doubt: str | None


def find_subject(
    nomination: Nomination, policy: Policy, change: Change | None, merge_request: MergeRequest
) -> Subject:
    """Find the manager and whether the account can be trusted to be the nominee's.

    `change` is that of the file which held the nominee's entry at the base, if any did.
    """
    earlier = _read_side(change.base, "before this merge request") if change else None
    # The author chooses the base by branching from an old commit, but not the target branch.
    present = _read_side(change.target, "on the target branch") if change else None
    slug = _reports_to(earlier if present is None else present)
    path = manager_path(nomination.path, slug if isinstance(slug, str) else None)
    return Subject(
        nomination=nomination,
        policy=policy,
        reports_to=slug,
        manager_file=FileAt(merge_request.project, merge_request.target_branch, path)
        if path
        else None,
        doubt=_find_doubt(earlier, nomination.username),
    )


def _read_side(content: Content, where: str) -> Entry | Unread | None:
    if content is None:
        return None
    return read_entry(content) or Unread(reason=f"the entry {where} cannot be read")


def _reports_to(entry: Entry | Unread | None) -> str | Unread | None:
    if isinstance(entry, Entry) and entry.manager_unclear:
        return Unread(reason="`reports_to` in the entry is a list or a mapping instead of a text")
    return entry.reports_to if isinstance(entry, Entry) else entry


def _find_doubt(earlier: Entry | Unread | None, username: str) -> str | None:
    if isinstance(earlier, Unread):
        return earlier.reason
    if earlier and (earlier.username or "").casefold() != username.casefold():
        return "this merge request itself changes the account in the entry"
    return None


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
        needs |= set(work_needs(subject).values())
        needs |= {ExposureOf(repository) for repository in work_needs(subject)}
    for step in policy.follow_ups:
        if isinstance(step.check, rules.GroupMember):
            needs.add(MembersOf(step.check.group))
            if not step.check.direct:
                needs.add(MembersOf(step.check.group, inherited=True))
        elif isinstance(step.check, rules.ListedIn):
            needs.add(FileAt(step.check.project, step.check.ref, step.check.path))
            if merged:
                # Before the merge no line of it is shown.
                needs.add(ExposureOf(step.check.project))
    return needs


def work_needs(subject: Subject) -> Mapping[str, WorkOf]:
    """Say whose work is counted in which repositories, and up to how much."""
    needs: dict[str, WorkOf] = {}
    for rule, repository in _counting_rules(subject.policy):
        need = needs.get(repository, WorkOf(repository, subject.nomination.username))
        needs[repository] = replace(need, wanted=max(need.wanted, rule.at_least))
    return needs


class _Known:
    """A source that remembers what it was asked for."""

    def __init__(self, facts: Mapping[Need, Fact], source: Source) -> None:
        self.facts = dict(facts)
        self._source = source

    def fetch_facts(self, needs: Collection[Need]) -> Mapping[Need, Fact]:
        missing = set(needs) - self.facts.keys()
        if missing:
            self.fetch_again(missing)
        return {need: self.facts.get(need, NOT_LOOKED_UP) for need in needs}

    def fetch_again(self, needs: Collection[Need]) -> None:
        self.facts.update(self._source.fetch_facts(needs))


def gather_evidence(
    subjects: Sequence[Subject],
    merge_request: MergeRequest,
    known: Mapping[Need, Fact],
    source: Source,
) -> tuple[Mapping[str, Evidence], Standing | Unread | None]:
    """Collect the evidence of every nomination, by username and policy.

    With it comes what the merge request has become meanwhile, read last; nothing after the
    merge, when nothing is gated.
    """
    merged = merge_request.state == "merged"
    facts = _Known(known, source)
    standing = StandingOf(merge_request.project, merge_request.iid)
    needs: set[Need] = set() if merged else {standing}
    for subject in subjects:
        needs |= needs_of(subject, merged=merged)
    histories = {} if merged else _histories(subjects, merge_request)
    needs |= set(histories.values())
    needs |= {n for h in histories.values() for n in revision_needs(facts.facts.get(h))}
    facts.fetch_facts(needs)
    works = set() if merged else {n for s in subjects for n in work_needs(s).values()}
    late = {n for h in histories.values() for n in revision_needs(facts.facts.get(h))}
    facts.fetch_facts(late | ({_own_spelling(need, facts.facts) for need in works} - works))
    evidence = {
        evidence_key(subject): _collect(subject, histories.get(evidence_key(subject)), facts)
        for subject in subjects
    }
    looks = {key: _plan_looks(s, evidence[key]) for s in subjects for key in [evidence_key(s)]}
    threads = {look.need for wanted in looks.values() for look in wanted}
    if threads:
        # With the merge request once more, which is to be read last.
        facts.fetch_again({*threads, standing})
        evidence = {
            key: _with_threads(found, looks[key], facts.facts) for key, found in evidence.items()
        }
    return evidence, None if merged else _as(Standing, facts.facts.get(standing))


def _own_spelling(need: WorkOf, facts: Mapping[Need, Fact]) -> WorkOf:
    """Return the need with the name as the account writes it.

    GitLab's filter by approver compares names exactly, unlike its others.
    """
    work = facts.get(need)
    own = work.account.username if isinstance(work, Work) and work.account else need.username
    return replace(need, username=own) if own.casefold() == need.username.casefold() else need


def _collect(subject: Subject, history: CommitsOf | None, facts: _Known) -> Evidence:
    """Put together what was found, and look for a role under earlier names where that matters."""
    wanted = Wanted(
        username=subject.nomination.username,
        project=subject.policy.project,
        roles=earlier_roles(subject.policy),
    )
    found = facts.facts
    evidence = Evidence(
        work={
            repository: _as(Work, found.get(_own_spelling(need, found)))
            for repository, need in work_needs(subject).items()
        },
        stages=trace_stages(history, found, facts, wanted),
        manager=_manager_of(subject, found),
        groups=_groups(found, inherited=False),
        inherited=_groups(found, inherited=True),
        files={need: content_of(found, need) for need in found if isinstance(need, FileAt)},
        exposures={
            need.project: _as(Exposure, fact)
            for need, fact in found.items()
            if isinstance(need, ExposureOf)
        },
    )
    if _may_have_begun_too_late(subject, evidence):
        stages = trace_stages(history, found, facts, wanted, thorough=True)
        evidence = replace(evidence, stages=stages)
    return evidence


def _groups(facts: Mapping[Need, Fact], *, inherited: bool) -> Mapping[str, Members | Unread]:
    return {
        need.group: _as(Members, fact)
        for need, fact in facts.items()
        if isinstance(need, MembersOf) and need.inherited is inherited
    }


def _may_have_begun_too_late(subject: Subject, found: Evidence) -> bool:
    """Tell whether an earlier beginning of a role could make up for what is missing since."""
    username = subject.nomination.username
    for rule, repository in _counting_rules(subject.policy):
        work, stage = found.work[repository], _stage_of(rule, found)
        if not (rule.since_role and isinstance(work, Work) and isinstance(stage, Stage)):
            continue
        known = count_known(work, rule, stage.since, username) if stage.since else 0
        if known < rule.at_least and may_suffice(work, rule, username):
            return True
    return False


def _plan_looks(subject: Subject, found: Evidence) -> tuple[Look, ...]:
    """Say in which merge requests a nominee who lacks reviews may have given them by comments."""
    username = subject.nomination.username
    wanted: dict[str, list[Merged]] = {}
    works: dict[str, Work] = {}
    for rule, repository in _counting_rules(subject.policy):
        work, stage = found.work[repository], _stage_of(rule, found)
        if not isinstance(work, Work) or not isinstance(stage, Stage):
            continue
        if isinstance(rule, rules.AuthoredMergeRequests) or (rule.since_role and not stage.since):
            continue
        if count_known(work, rule, stage.since, username) < rule.at_least:
            works[repository] = work
            candidates = find_candidates(work, stage.since, username)
            wanted.setdefault(repository, []).extend(candidates)
    return tuple(
        plan_look(works[place], place, username, some) for place, some in wanted.items() if some
    )


def _stage_of(rule: Counting, found: Evidence) -> Stage | Unread:
    """Return since when the rule counts: for ever where it names no role."""
    if not rule.since_role:
        return Stage(since=None)
    return found.stages.get(rule.since_role, NOT_LOOKED_UP)


def _with_threads(found: Evidence, looks: Iterable[Look], facts: Mapping[Need, Fact]) -> Evidence:
    work = dict(found.work)
    for look in looks:
        threads = _as(Threads, facts.get(look.need))
        work[look.need.project] = join_threads(look, threads)
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
    return NOT_LOOKED_UP


def _counting_rules(policy: Policy) -> list[tuple[Counting, str]]:
    """Return the rules that count merge requests, each with its repository."""
    return [
        (requirement.rule, requirement.rule.repository or policy.repository)
        for requirement in policy.requirements
        if isinstance(requirement.rule, Counting)
    ]


def earlier_roles(policy: Policy) -> tuple[str, ...]:
    """Return the roles whose first appearance in the entry's history matters."""
    return tuple(
        dict.fromkeys(rule.since_role for rule, _ in _counting_rules(policy) if rule.since_role)
    )


def _manager_of(subject: Subject, facts: Mapping[Need, Fact]) -> Manager | Unread:
    slug, need = subject.reports_to, subject.manager_file
    if isinstance(slug, Unread):
        return slug
    return find_manager(content_of(facts, need) if need else None, slug)


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
