"""Collect the evidence of nominations through a port, in as few queries as hold it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import TypeVar

from bot.evidence.facts import Asks, Fact, Ledger, Need, Source, fact_of
from bot.evidence.files import CommitsOf, DefaultBranchOf
from bot.evidence.history import Tenure, Wanted, trace_tenures
from bot.evidence.needs import (
    branch_needs,
    counting_rules,
    earlier_roles,
    find_histories,
    history_needs,
    judging_needs,
    needs_of,
    own_spelling,
    shown_for,
    work_needs,
)
from bot.evidence.nominee import Manager, Subject, evidence_key, manager_of
from bot.evidence.offers import Offers, OffersOf, read_offers
from bot.evidence.records import StandingOf
from bot.evidence.reviews import (
    Look,
    count_known,
    find_candidates,
    join_threads,
    may_suffice,
    plan_look,
)
from bot.evidence.work import Merged, Work
from bot.merge_request import MergeRequest, Person, Standing
from bot.policy import Counting
from bot.unread import NOT_LOOKED_UP, Unread
from bot.values import dataclass

T = TypeVar("T")


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


def find_work(subject: Subject, repository: str, facts: Ledger) -> Work | Unread:
    """Return what a nominee did in a repository where a policy counts, so far as is known."""
    needs = work_needs(subject, facts)
    if repository not in needs:
        branch = facts[DefaultBranchOf(repository)]
        return branch if isinstance(branch, Unread) else NOT_LOOKED_UP
    return facts[own_spelling(needs[repository], facts)]


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
    standing = StandingOf.of(merge_request)
    # Before the merge no line of a file is shown, and no merge request for a step opened.
    shown = {n for s in subjects for n in shown_for(s, merge_request.me, known)}
    histories = find_histories(subjects, merge_request) if judged else {}
    needs: set[Need] = {need for subject in subjects for need in needs_of(subject)}
    needs |= shown if merged else {standing}
    if judged:
        # What leads to more comes first, so that all the rest can travel together.
        ledger.look_up({*branch_needs(s.policy for s in subjects), *histories.values()})
        needs |= judging_needs(subjects, merge_request, ledger)
    ledger.look_up(needs | history_needs(histories, ledger))
    if judged:
        # What was found may lead to more.
        needs |= judging_needs(subjects, merge_request, ledger)
    ledger.look_up(needs | history_needs(histories, ledger))
    evidence = {evidence_key(s): _collect(s, histories, ledger, merge_request.me) for s in subjects}
    # With the merge request once more, which is to be read last.
    gathered = _look_into_threads(subjects, evidence, ledger, () if merged else (standing,))
    return gathered, None if merged else ledger[standing]


def _look_into_threads(
    subjects: Sequence[Subject],
    evidence: Mapping[str, Evidence],
    ledger: Ledger,
    further: Sequence[Need],
) -> Mapping[str, Evidence]:
    """Look for reviews by comments alone where some are missing, and for what else is asked."""
    looks = {key: _plan_looks(s, evidence[key]) for s in subjects for key in [evidence_key(s)]}
    threads = {look.need for wanted in looks.values() for look in wanted}
    if not threads:
        return evidence
    ledger.look_again({*threads, *further})
    return {key: _with_threads(found, looks[key], ledger) for key, found in evidence.items()}


def _collect(
    subject: Subject, histories: Mapping[str, CommitsOf], facts: Ledger, me: Person
) -> Evidence:
    """Put together what was found, and look for a role under earlier names where that matters."""
    history = histories.get(evidence_key(subject))
    wanted = Wanted(
        username=subject.nomination.username,
        project=subject.policy.project,
        roles=earlier_roles(subject.policy),
    )
    found = facts.facts
    places = [place for _, place in counting_rules(subject.policy)]
    evidence = Evidence(
        work={place: find_work(subject, place, facts) for place in places},
        tenures=trace_tenures(history, facts, wanted),
        manager=manager_of(subject, facts),
        facts=dict(found),  # as the ledger goes on with the threads
        offers=read_offers(subject.policy, subject.names, me, found),
    )
    if _may_have_begun_too_late(subject, evidence):
        tenures = trace_tenures(history, facts, wanted, thorough=True)
        evidence = replace(evidence, tenures=tenures)
    return evidence


def _may_have_begun_too_late(subject: Subject, found: Evidence) -> bool:
    """Return whether an earlier beginning of a role could make up for what is missing since."""
    username = subject.nomination.username
    for rule, repository in counting_rules(subject.policy):
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
    for rule, repository in counting_rules(subject.policy):
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
