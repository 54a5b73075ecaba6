"""Say which accounts GitLab itself told of, and which of those can be reached; pure."""

from collections.abc import Iterator, Mapping

from bot.assessment.findings import Case
from bot.evidence import Members, Work


def find_reachable(case: Case) -> Mapping[str, str]:
    """Return the names of people's active accounts, as GitLab writes them, by case-folded name.

    A name that only a file holds is not among them. Where GitLab told two things of an account,
    as of one that was blocked meanwhile, it is not reachable.
    """
    told = list(_accounts(case))
    absent = {name.casefold() for name, is_there in told if not is_there}
    return {name.casefold(): name for name, _ in told if name.casefold() not in absent}


def _accounts(case: Case) -> Iterator[tuple[str, bool]]:
    merge_request, evidence = case.merge_request, case.evidence
    writers = [note.author for note in merge_request.notes]
    people = [*merge_request.assignees, *merge_request.reviewers, *merge_request.approved_by]
    for person in (merge_request.author, *people, *writers):
        if person:
            yield person.username, person.active and not person.bot
    for group in evidence.facts.values():
        for member in (*group.direct, *group.owners) if isinstance(group, Members) else ():
            yield member.username, member.active and not member.bot
    for work in evidence.work.values():
        account = work.account if isinstance(work, Work) else None
        if account:
            yield account.username, account.active and not account.bot
