"""Read the entries, and look at the work of those who are near to a role, as far as requests go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bot.app.asked import with_outcomes
from bot.app.board.gathering import Making
from bot.app.board.people import Staged, find_halfway, order_by_nearness, show_person
from bot.app.board.values import Person
from bot.app.candidate import Candidate
from bot.app.drift import Entries, names_told, place_needs, read_entries
from bot.app.ready import assess_readiness
from bot.assessment import Assessment
from bot.evidence import (
    DefaultBranchOf,
    Fact,
    FileAt,
    Need,
    SharedFacts,
    Source,
    Tally,
    TallyOf,
    fact_of,
)
from bot.policy import Policy, wanted_roles
from bot.team import may_mention
from bot.unread import Unread

LOOK_CALLS = 9  # that one close look at somebody may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The entries, those of them that name a project, and what else says who has a role."""

    facts: Mapping[Need, Fact]
    entries: Entries
    staging: Mapping[str, bytes]
    source: Source


def read_files(making: Making, policies: Sequence[Policy]) -> Files:
    """Read the entries, and what else says who has a role."""
    making.tell("reading groups and files …")
    facts = making.shared.fetch_facts(place_needs(policies, making.project))
    making.tell("reading the entries …")
    names = {name for key in wanted_roles(policies) for name in key.names}
    told = names_told(policies, facts)
    entries = read_entries(making.gitlab, making.project, policies, names, told)
    files = entries.files
    if isinstance(files, Unread):
        making.notices.append(f"The entries could not be read: {files.reason}")
        files = {}
    staging = {
        path: content
        for path, content in files.items()
        if any(may_mention(content, name) for name in names)
    }
    archived: dict[Need, Fact] = {
        FileAt(making.project, entries.branch, path): content for path, content in files.items()
    }
    return Files(
        facts=facts,
        entries=entries,
        staging=staging,
        source=SharedFacts(making.shared, making.project, archived),
    )


def read_people(
    making: Making, policy: Policy, files: Files, staged: Sequence[Staged]
) -> tuple[Person, ...]:
    """Show everybody who is near, those judged first of whose work least can be missing."""
    if not staged:
        return ()
    tallies = _count_all(making, policy, [who.username for who in staged])
    people = []
    halfway = find_halfway(staged, policy, tallies)
    for who in order_by_nearness(halfway, policy, tallies):
        look = partial(_look_closely, making, policy, files, who)
        affordable = making.gitlab.calls + LOOK_CALLS <= making.last_call
        tally = tallies.get(who.username)
        chosen = look if affordable else None
        people.append(show_person(who, making.gitlab_url, policy, tally, chosen))
    return tuple(people)


def _count_all(
    making: Making, policy: Policy, usernames: Sequence[str]
) -> Mapping[str, Tally | Unread]:
    making.tell(f"counting for {len(usernames)} people …")
    need = DefaultBranchOf(policy.repository)
    branch = fact_of(making.shared.fetch_facts({need}), need)
    if isinstance(branch, Unread):
        return dict.fromkeys(usernames, branch)
    needs = {name: TallyOf(policy.repository, name, branch) for name in usernames}
    facts = making.gitlab.fetch_facts(needs.values())
    return {name: fact_of(facts, need) for name, need in needs.items()}


def _look_closely(making: Making, policy: Policy, files: Files, who: Staged) -> Assessment:
    making.tell(f"judging @{who.username} by {policy.label} …")
    candidate = Candidate(
        username=who.username, slug=who.slug, project=making.project, branch=files.entries.branch
    )
    return assess_readiness(candidate, with_outcomes(policy), files.source, making.now)
