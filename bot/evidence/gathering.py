"""Say which facts a nomination's policy needs, and collect them through a port."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Protocol, TypeVar, runtime_checkable

from bot import policy as rules
from bot.errors import TeamDatabaseError
from bot.evidence.facts import Asks, Fact, Ledger, Need, Source, fact_of
from bot.evidence.files import CommitsOf, DefaultBranchOf, ExposureOf, FileAt
from bot.evidence.history import Tenure, Wanted, read_entry, revision_needs, trace_tenures
from bot.evidence.offers import Offers, OffersOf, offer_needs, read_offers
from bot.evidence.people import MembersOf
from bot.evidence.present import Present
from bot.evidence.records import StandingOf
from bot.evidence.reviews import (
    Look,
    count_known,
    find_candidates,
    join_threads,
    may_suffice,
    plan_look,
)
from bot.evidence.timing import NOT_TIMED, Timing
from bot.evidence.work import Merged, Work, WorkOf
from bot.merge_request import MergeRequest, Person, Standing
from bot.nomination import Change, Nomination
from bot.policy import Counting, Policy
from bot.team import Entry, parse_entry
from bot.unread import NOT_LOOKED_UP, Content, Unread
from bot.values import dataclass

T = TypeVar("T")

FEWEST = 10  # merge requests that are listed, however few are wanted

ITSELF = "this merge request itself changes the account in the entry"
MEANWHILE = (
    "the account in the entry is another one on the target branch than where this merge request "
    "branched off; rebase it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """The account of the manager that the entry names, or why there is none."""

    username: str | None
    missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is judged about one nomination; tenures by role, work by repository.

    `facts` is all that was looked up; `offers` are the merge requests that the bot opened for
    steps.
    """

    work: Mapping[str, Work | Unread]
    tenures: Mapping[str, Tenure | Unread]
    manager: Manager | Unread
    facts: Mapping[Need, Fact]
    offers: Mapping[OffersOf, Offers | Unread] = field(default_factory=dict)

    def __getitem__(self, need: Asks[T]) -> T | Unread:
        """Return a fact, or why it is not known."""
        return fact_of(self.facts, need)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A nomination with what its evidence starts from, and what became of it after the merge.

    `reports_to` is what the entry says without the merge request, which can neither choose
    nor invent its own manager; `doubt` says why the account's work may be somebody else's, and
    `former_name` is what the merge request calls an account that was renamed since.
    """

    nomination: Nomination
    policy: Policy
    reports_to: str | Unread | None
    manager_file: FileAt | None
    doubt: str | None
    timing: Timing | Unread = NOT_TIMED
    present: Present | None = None
    former_name: str | None = None

    @property
    def names(self) -> tuple[str | None, ...]:
        """Return what the nominee is called, and was called in the merge request."""
        return (self.nomination.username, self.former_name)


@runtime_checkable
class Needing(Protocol):
    """A rule that may be judged by facts which nothing else asks for."""

    def needs(
        self, subject: Subject, merge_request: MergeRequest, known: Ledger
    ) -> Collection[Need]:
        """Say which facts these are.

        It is asked twice: before most facts are looked up, together with which these are, and
        when they are known.
        """


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
        doubt=_find_doubt(present, nomination.username, ITSELF)
        or _find_doubt(earlier, nomination.username, MEANWHILE),
    )


def follow_subject(subject: Subject, present: Present) -> Subject:
    """Follow a nominee to the name that the entry gives them now."""
    name = subject.nomination.username
    if present.username.casefold() == name.casefold():
        return replace(subject, present=present)
    nomination = replace(subject.nomination, username=present.username)
    return replace(subject, nomination=nomination, present=present, former_name=name)


def without_manager(subject: Subject) -> Subject:
    """Leave out who the manager is, where nobody asks for it."""
    return replace(subject, manager_file=None, reports_to=NOT_LOOKED_UP)


def _read_side(content: Content, where: str) -> Entry | Unread | None:
    if content is None:
        return None
    return read_entry(content) or Unread(reason=f"the entry {where} cannot be read")


def _reports_to(entry: Entry | Unread | None) -> str | Unread | None:
    if isinstance(entry, Entry) and entry.manager_unclear:
        return Unread(reason="`reports_to` in the entry is a list or a mapping instead of a text")
    return entry.reports_to if isinstance(entry, Entry) else entry


def _find_doubt(side: Entry | Unread | None, username: str, reason: str) -> str | None:
    if isinstance(side, Unread):
        return side.reason
    if side and (side.username or "").casefold() != username.casefold():
        return reason
    return None


def manager_path(path: str, slug: str | None) -> str | None:
    """Return the path of the entry with a slug, beside another entry's path."""
    if not slug or slug.startswith(".") or any(c in slug for c in "/\\\0"):
        return None
    folder = path.rsplit("/", 2)[0]
    return f"{folder}/{slug[0].lower()}/{slug}.yml"


def needs_of(subject: Subject) -> set[Need]:
    """Say which facts judging one nomination takes, apart from work and the entry's history."""
    needs = follow_up_needs(subject.policy)
    if subject.manager_file:
        # After the merge too: the manager's earlier commands are still judged.
        needs.add(subject.manager_file)
    return needs


def follow_up_needs(policy: Policy) -> set[Need]:
    """Say which facts tell how far the steps of a policy are, and who its maintainers are."""
    needs: set[Need] = {MembersOf(policy.maintainers.group)}
    for step in policy.follow_ups:
        if isinstance(step.check, rules.GroupMember):
            needs.add(MembersOf(step.check.group))
            if not step.check.direct:
                needs.add(MembersOf(step.check.group, inherited=True))
    return needs | step_files([policy])


def step_files(policies: Iterable[Policy]) -> set[FileAt]:
    """Say which files the follow-up steps of policies are about."""
    checks = [step.check for policy in policies for step in policy.follow_ups]
    return {FileAt(c.project, c.ref, c.path) for c in checks if isinstance(c, rules.ListedIn)}


def _shown_for(subject: Subject, me: Person, known: Mapping[Need, Fact]) -> set[Need]:
    """Say what is looked up after the merge alone."""
    offers = offer_needs(subject.policy, subject.names, me, known)
    return {*exposures_of([subject.policy]), *offers}


def exposures_of(policies: Iterable[Policy]) -> set[ExposureOf]:
    """Say whose visibility must be known before lines of the steps' files are shown."""
    return {ExposureOf(file.project) for file in step_files(policies)}


def branch_needs(policies: Iterable[Policy]) -> set[DefaultBranchOf]:
    """Say whose default branch is where work counts: anybody may merge into branches of theirs."""
    return {DefaultBranchOf(place) for policy in policies for _, place in _counting_rules(policy)}


def work_needs(subject: Subject, facts: Ledger) -> Mapping[str, WorkOf]:
    """Say whose work is counted in which repositories, and up to how much.

    Repositories whose default branch is not known are left out.
    """
    wanted: dict[str, int] = {}
    for rule, repository in _counting_rules(subject.policy):
        wanted[repository] = max(wanted.get(repository, FEWEST), rule.at_least)
    username = subject.nomination.username
    branches = {place: facts[DefaultBranchOf(place)] for place in wanted}
    return {
        place: WorkOf(place, username, wanted[place], branch)
        for place, branch in branches.items()
        if isinstance(branch, str)
    }


def find_work(subject: Subject, repository: str, facts: Ledger) -> Work | Unread:
    """Return what a nominee did in a repository where a policy counts, so far as is known."""
    return _work_of(repository, work_needs(subject, facts), facts)


def _work_of(place: str, needs: Mapping[str, WorkOf], facts: Ledger) -> Work | Unread:
    if place not in needs:
        branch = facts[DefaultBranchOf(place)]
        return branch if isinstance(branch, Unread) else NOT_LOOKED_UP
    return facts[_own_spelling(needs[place], facts)]


def gather_evidence(
    subjects: Sequence[Subject],
    merge_request: MergeRequest,
    known: Mapping[Need, Fact],
    source: Source,
    *,
    judged: bool = True,
) -> tuple[Mapping[str, Evidence], Standing | Unread | None]:
    """Collect the evidence of every nomination, by username and policy.

    With it comes what the merge request has become meanwhile, read last; nothing after the
    merge, when nothing is gated. Where it is not to be `judged`, the steps alone are looked up.
    """
    merged = merge_request.state == "merged"
    ledger = Ledger(known, source)
    standing = StandingOf(merge_request.project, merge_request.iid)
    # Before the merge no line of a file is shown, and no merge request for a step opened.
    shown = {n for s in subjects for n in _shown_for(s, merge_request.me, known)}
    histories = _histories(subjects, merge_request) if judged else {}
    needs: set[Need] = {need for subject in subjects for need in needs_of(subject)}
    needs |= shown if merged else {standing}
    if judged:
        # What leads to more comes first, so that all the rest can travel together.
        ledger.look_up({*branch_needs(s.policy for s in subjects), *histories.values()})
        needs |= _judging_needs(subjects, merge_request, ledger)
    ledger.look_up(needs | _history_needs(histories, ledger))
    if judged:
        # What was found may lead to more.
        needs |= _judging_needs(subjects, merge_request, ledger)
    ledger.look_up(needs | _history_needs(histories, ledger))
    evidence = {
        evidence_key(subject): _collect(
            subject, histories.get(evidence_key(subject)), ledger, merge_request.me
        )
        for subject in subjects
    }
    looks = {key: _plan_looks(s, evidence[key]) for s in subjects for key in [evidence_key(s)]}
    threads = {look.need for wanted in looks.values() for look in wanted}
    if threads:
        # With the merge request once more, which is to be read last.
        ledger.look_again(threads if merged else {*threads, standing})
        evidence = {
            key: _with_threads(found, looks[key], ledger) for key, found in evidence.items()
        }
    return evidence, None if merged else ledger[standing]


def _judging_needs(
    subjects: Sequence[Subject], merge_request: MergeRequest, known: Ledger
) -> set[Need]:
    """Say which facts requirements take, apart from the entry's history, so far as is known."""
    places = {place for subject in subjects for _, place in _counting_rules(subject.policy)}
    works = {need for subject in subjects for need in work_needs(subject, known).values()}
    needs: set[Need] = {*works, *(_own_spelling(need, known) for need in works)}
    needs |= {ExposureOf(place) for place in places}
    return needs | {
        need
        for subject in subjects
        for each in subject.policy.requirements
        if isinstance(each.rule, Needing)
        for need in each.rule.needs(subject, merge_request, known)
    }


def _history_needs(histories: Mapping[str, CommitsOf], known: Ledger) -> set[Need]:
    wanted = set(histories.values())
    return wanted | {need for each in wanted for need in revision_needs(known[each])}


def _own_spelling(need: WorkOf, facts: Ledger) -> WorkOf:
    """Return the need with the name as the account writes it.

    GitLab's filter by approver compares names exactly, unlike its others.
    """
    work = facts[need]
    own = work.account.username if isinstance(work, Work) and work.account else need.username
    return replace(need, username=own) if own.casefold() == need.username.casefold() else need


def _collect(subject: Subject, history: CommitsOf | None, facts: Ledger, me: Person) -> Evidence:
    """Put together what was found, and look for a role under earlier names where that matters."""
    wanted = Wanted(
        username=subject.nomination.username,
        project=subject.policy.project,
        roles=earlier_roles(subject.policy),
    )
    found = facts.facts
    works = work_needs(subject, facts)
    evidence = Evidence(
        work={place: _work_of(place, works, facts) for _, place in _counting_rules(subject.policy)},
        tenures=trace_tenures(history, facts, wanted),
        manager=_manager_of(subject, facts),
        facts=dict(found),
        offers=read_offers(subject.policy, subject.names, me, found),
    )
    if _may_have_begun_too_late(subject, evidence):
        tenures = trace_tenures(history, facts, wanted, thorough=True)
        evidence = replace(evidence, tenures=tenures)
    return evidence


def _may_have_begun_too_late(subject: Subject, found: Evidence) -> bool:
    """Return whether an earlier beginning of a role could make up for what is missing since."""
    username = subject.nomination.username
    for rule, repository in _counting_rules(subject.policy):
        work, tenure = found.work[repository], _tenure_of(rule, found)
        if not (rule.since_role and isinstance(work, Work) and isinstance(tenure, Tenure)):
            continue
        known = count_known(work, rule, tenure.since, username) if tenure.since else 0
        if known < rule.at_least and may_suffice(work, rule, username):
            return True
    return False


def _plan_looks(subject: Subject, found: Evidence) -> tuple[Look, ...]:
    """Say in which merge requests a nominee who lacks reviews may have given them by comments."""
    username = subject.nomination.username
    wanted: dict[str, list[Merged]] = {}
    works: dict[str, Work] = {}
    for rule, repository in _counting_rules(subject.policy):
        work, tenure = found.work[repository], _tenure_of(rule, found)
        if not isinstance(work, Work) or not isinstance(tenure, Tenure):
            continue
        if not rule.reviewed or (rule.since_role and not tenure.since):
            continue
        if count_known(work, rule, tenure.since, username) < rule.at_least:
            works[repository] = work
            candidates = find_candidates(work, tenure.since, username)
            wanted.setdefault(repository, []).extend(candidates)
    return tuple(
        plan_look(works[place], place, username, some) for place, some in wanted.items() if some
    )


def _tenure_of(rule: Counting, found: Evidence) -> Tenure | Unread:
    if not rule.since_role:
        return Tenure(since=None)
    return found.tenures.get(rule.since_role, NOT_LOOKED_UP)


def _with_threads(found: Evidence, looks: Iterable[Look], facts: Ledger) -> Evidence:
    work = dict(found.work)
    for look in looks:
        work[look.need.project] = join_threads(look, facts[look.need])
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


def _counting_rules(policy: Policy) -> list[tuple[Counting, str]]:
    return [
        (requirement.rule, policy.place_of(requirement.rule))
        for requirement in policy.requirements
        if isinstance(requirement.rule, Counting)
    ]


def earlier_roles(policy: Policy) -> tuple[str, ...]:
    """Return the roles whose first appearance in the entry's history matters."""
    return tuple(
        dict.fromkeys(rule.since_role for rule, _ in _counting_rules(policy) if rule.since_role)
    )


def _manager_of(subject: Subject, facts: Ledger) -> Manager | Unread:
    slug, need = subject.reports_to, subject.manager_file
    if isinstance(slug, Unread):
        return slug
    return find_manager(facts[need] if need else None, slug)


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
