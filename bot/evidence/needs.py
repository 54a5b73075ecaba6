"""Say which facts a policy needs of a nomination, so far as what is known leads to them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from bot.evidence.facts import Fact, Ledger, Need
from bot.evidence.files import CommitsOf, DefaultBranchOf, ExposureOf, FileAt
from bot.evidence.history import revision_needs
from bot.evidence.nominee import Subject, evidence_key
from bot.evidence.offers import offer_needs
from bot.evidence.people import MembersOf
from bot.evidence.work import Work, WorkOf
from bot.merge_request import MergeRequest, Person
from bot.policy import Counting, ListedIn, Policy

FEWEST = 10  # merge requests that are listed, however few are wanted


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


def needs_of(subject: Subject) -> set[Need]:
    """Say which facts judging one nomination takes, apart from work and the entry's history."""
    needs = follow_up_needs(subject.policy)
    if subject.manager_file:
        # After the merge too: the manager's earlier commands are still judged.
        needs.add(subject.manager_file)
    return needs


def follow_up_needs(policy: Policy) -> set[Need]:
    """Say which facts tell how far the steps of a policy are, and who its maintainers are."""
    needs: set[Need] = {*step_files([policy])}
    for each in policy.memberships:
        needs |= {MembersOf(each.group), MembersOf(each.group, inherited=not each.direct)}
    return needs


def step_files(policies: Iterable[Policy]) -> set[FileAt]:
    """Say which files the follow-up steps of policies are about."""
    checks = [check for policy in policies for check in policy.checks_of(ListedIn)]
    return {FileAt(check.project, check.ref, check.path) for check in checks}


def shown_for(subject: Subject, me: Person, known: Mapping[Need, Fact]) -> set[Need]:
    """Say what is looked up after the merge alone."""
    offers = offer_needs(subject.policy, subject.names, me, known)
    return {*exposures_of([subject.policy]), *offers}


def exposures_of(policies: Iterable[Policy]) -> set[ExposureOf]:
    """Say whose visibility must be known before lines of the steps' files are shown."""
    return {ExposureOf(file.project) for file in step_files(policies)}


def branch_needs(policies: Iterable[Policy]) -> set[DefaultBranchOf]:
    """Say whose default branch is where work counts: anybody may merge into branches of theirs."""
    return {DefaultBranchOf(place) for policy in policies for _, place in counting_rules(policy)}


def work_needs(subject: Subject, facts: Ledger) -> Mapping[str, WorkOf]:
    """Say whose work is counted in which repositories, and up to how much.

    Repositories whose default branch is not known are left out.
    """
    wanted: dict[str, int] = {}
    for rule, repository in counting_rules(subject.policy):
        wanted[repository] = max(wanted.get(repository, FEWEST), rule.at_least)
    username = subject.nomination.username
    branches = {place: facts[DefaultBranchOf(place)] for place in wanted}
    return {
        place: WorkOf(place, username, wanted[place], branch)
        for place, branch in branches.items()
        if isinstance(branch, str)
    }


def own_spelling(need: WorkOf, facts: Ledger) -> WorkOf:
    """Return the need with the name as the account writes it.

    GitLab's filter by approver compares names exactly, unlike its others.
    """
    work = facts[need]
    own = work.account.username if isinstance(work, Work) and work.account else need.username
    return replace(need, username=own) if own.casefold() == need.username.casefold() else need


def judging_needs(
    subjects: Sequence[Subject], merge_request: MergeRequest, known: Ledger
) -> set[Need]:
    """Say which facts requirements take, apart from the entry's history, so far as is known."""
    places = {place for subject in subjects for _, place in counting_rules(subject.policy)}
    works = {need for subject in subjects for need in work_needs(subject, known).values()}
    needs: set[Need] = {*works, *(own_spelling(need, known) for need in works)}
    needs |= {ExposureOf(place) for place in places}
    return needs | {
        need
        for subject in subjects
        for each in subject.policy.requirements
        if isinstance(each.rule, Needing)
        for need in each.rule.needs(subject, merge_request, known)
    }


def find_histories(
    subjects: Sequence[Subject], merge_request: MergeRequest
) -> dict[str, CommitsOf]:
    """Say by nomination in which history of an entry earlier roles are looked for."""
    return {
        evidence_key(subject): CommitsOf(
            merge_request.project, merge_request.target_branch, subject.nomination.base_path
        )
        for subject in subjects
        if earlier_roles(subject.policy) and subject.nomination.base_path
    }


def history_needs(histories: Mapping[str, CommitsOf], known: Ledger) -> set[Need]:
    """Return these histories with the revisions of the entries, so far as they are known."""
    wanted = set(histories.values())
    return wanted | {need for each in wanted for need in revision_needs(known[each])}


def counting_rules(policy: Policy) -> list[tuple[Counting, str]]:
    """Return the rules that count merge requests, each with the repository where it counts."""
    return [
        (requirement.rule, policy.place_of(requirement.rule))
        for requirement in policy.requirements
        if isinstance(requirement.rule, Counting)
    ]


def earlier_roles(policy: Policy) -> tuple[str, ...]:
    """Return the roles whose first appearance in the entry's history matters."""
    return tuple(
        dict.fromkeys(rule.since_role for rule, _ in counting_rules(policy) if rule.since_role)
    )
