"""Read all that the board shows, within bounds, and leave out what not everybody may see."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from bot.app import Choices, rounds
from bot.app.asked import choose_policies, with_outcomes
from bot.app.board.nominations import show_merged, show_open
from bot.app.board.people import (
    Staged,
    archive_facts,
    find_halfway,
    find_staged,
    order_by_nearness,
    show_person,
)
from bot.app.board.values import Board, Granted, Person, Section, Waiting, Year
from bot.app.candidate import Candidate
from bot.app.drift import Drift, Entries, compare, names_told, place_needs, publish, read_entries
from bot.app.ready import assess_readiness
from bot.app.replay import Told, measure_pace, trace
from bot.assessment import Assessment, current_maintainers
from bot.errors import GitLabError
from bot.evidence import (
    DefaultBranchOf,
    Exposure,
    ExposureOf,
    Fact,
    FileAt,
    Joined,
    JoinedOf,
    Members,
    MembersOf,
    Need,
    SharedFacts,
    Source,
    Tally,
    fact_of,
)
from bot.gitlab import GitLabClient
from bot.merge_request import Visibility
from bot.policy import Counting, Policy, wanted_roles
from bot.publish import GateChoice, GateKind
from bot.report import MARKER
from bot.team import may_mention
from bot.unread import Unread

MOST_LOOKS = 40  # nominations of either kind that are looked at, the newest
PEOPLE_CALLS = 52  # requests for entries and people together
LOOK_CALLS = 9  # that one close look at somebody may take
MOST_FINISHED = 20  # nominations that are over, the newest
MOST_YEARS = 8  # that are counted back
MOST_PEOPLE = 500  # of one policy that are counted
T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class _Making:
    """What is gathered, and what it is gathered from."""

    gitlab: GitLabClient
    choices: Choices
    project: str
    gitlab_url: str
    tell: Callable[[str], None]
    shared: Source
    now: datetime
    waiting: dict[str, list[Waiting]] = field(default_factory=lambda: defaultdict(list))
    granted: dict[str, list[Granted]] = field(default_factory=lambda: defaultdict(list))
    seen: set[int] = field(default_factory=set)
    histories: list[Told] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    last_call: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """The entries, those of them that name a project, and what else says who has a role."""

    facts: Mapping[Need, Fact]
    entries: Entries
    staging: Mapping[str, bytes]
    source: Source


def make_board(
    gitlab: GitLabClient,
    choices: Choices,
    where: tuple[str, str],
    clock: Callable[[], datetime],
    tell: Callable[[str], None],
) -> Board:
    """Read the team database, named by GitLab's address and its path, and show who is near.

    Whatever cannot be read is said in a notice; `clock` is GitLab's, which tells the time once it
    was asked anything, and `tell` is told what goes on. Raises GitLabError
    where it is not known who may see the team database: a page that shows nobody would replace one
    that does, and look as if nobody were near.
    """
    gitlab_url, project = where
    shared, need = SharedFacts(gitlab, project), ExposureOf(project)
    seen = fact_of(shared.fetch_facts({need}), need)
    if isinstance(seen, Unread):
        raise GitLabError(f"Who may see {project} could not be read: {seen.reason}")
    making = _Making(
        gitlab=gitlab,
        # What only reads has no gate, and none to read.
        choices=replace(choices, gate=GateChoice(kind=GateKind.NONE, name=choices.gate.name)),
        project=project,
        gitlab_url=gitlab_url,
        tell=tell,
        shared=shared,
        now=clock(),
    )
    if seen.merge_requests is Visibility.PUBLIC:
        _read_nominations(making)
    else:
        making.notices.append(_left_out("Nominations", f"the merge requests of {project}"))
    sections = _read_sections(making, seen)
    return Board(
        made_at=making.now,
        gitlab_url=gitlab_url,
        team_project=project,
        sections=sections,
        notices=tuple(making.notices),
    )


def _left_out(what: str, why: str) -> str:
    return f"{what} are left out: {why} are not known to be visible to everybody."


def bound(found: list[T], most: int, what: str, notices: list[str]) -> list[T]:
    """Return the first of what was found, and note it where that is not all."""
    if len(found) > most:
        notices.append(f"Of {len(found)} {what}, {most} are shown.")
    return found[:most]


# --- nominations ------------------------------------------------------------------------


def _read_nominations(making: _Making) -> None:
    for state in ("opened", "merged"):
        try:
            iids = making.gitlab.fetch_watched(making.project, state)
        except GitLabError as error:
            making.notices.append(f"What is {state} was not listed: {error}")
            continue
        newest = bound(sorted(iids, reverse=True), MOST_LOOKS, "nominations", making.notices)
        _read_each(making, newest)
    _read_finished(making)


def _read_finished(making: _Making) -> None:
    """Read those that are over, of which nothing but how long they took is shown."""
    try:
        found = making.gitlab.find_commented(making.project, MARKER)
    except GitLabError as error:
        making.notices.append(f"Nominations that are over were not found: {error}")
        return
    left = [iid for iid in sorted(found, reverse=True) if iid not in making.seen]
    _read_each(making, left[:MOST_FINISHED])


def _read_each(making: _Making, iids: Sequence[int]) -> None:
    for number, iid in enumerate(iids):
        making.gitlab.take_share(len(iids) - number)
        making.seen.add(iid)
        _read_nomination(making, iid)


def _read_nomination(making: _Making, iid: int) -> None:
    making.tell(f"looking at !{iid} …")
    try:
        found = rounds.evaluate(making.project, iid, making.choices, making.gitlab, making.shared)
    except GitLabError as error:
        making.notices.append(f"!{iid} could not be read: {error}")
        return
    if found.merge_request.state == "opened":
        for policy, waiting in show_open(found):
            making.waiting[policy].append(waiting)
    if found.merge_request.merged_at:
        told = trace(found, making.choices.command, making.shared)
        making.histories.append(_leave_out_waits(making, told))
    for policy, granted in show_merged(found):
        making.granted[policy].append(granted)


def _leave_out_waits(making: _Making, told: Told) -> Told:
    """Leave out how long it waited where that follows from what not everybody may see."""
    policies = {policy.label: policy for policy in making.choices.policies}
    shown = tuple(
        each if _is_public(making, policies[each.policy]) else replace(each, waiting=())
        for each in told.nominations
    )
    return replace(told, nominations=shown)


def _is_public(making: _Making, policy: Policy) -> bool:
    needs = {n for n in place_needs([policy], making.project) if not isinstance(n, FileAt)}
    rules = [each.rule for each in policy.requirements]
    counted = {policy.place_of(r) for r in rules if isinstance(r, Counting)}
    facts = making.shared.fetch_facts(needs | {ExposureOf(place) for place in counted})
    return all(
        fact.visibility is Visibility.PUBLIC
        if isinstance(fact, Members)
        else isinstance(fact, Exposure) and _least(fact) is Visibility.PUBLIC
        for fact in facts.values()
    )


def _least(exposure: Exposure) -> Visibility:
    return min(exposure.merge_requests, exposure.files)


# --- people -----------------------------------------------------------------------------


def _read_sections(making: _Making, seen: Exposure) -> tuple[Section, ...]:
    making.gitlab.take_share(1)
    making.gitlab.only_read()
    making.last_call = making.gitlab.calls + PEOPLE_CALLS
    known = making.choices.policies
    policies = choose_policies(known, None, making.now) if known else []
    if not policies:
        return ()
    if seen.files is not Visibility.PUBLIC:
        making.notices.append(_left_out("People", f"the files of {making.project}"))
        return tuple(_read_section(making, policy, None) for policy in policies)
    files = _read_files(making, policies)
    return tuple(_read_section(making, policy, files) for policy in policies)


def _read_files(making: _Making, policies: Sequence[Policy]) -> _Files:
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
    staging = {path: content for path, content in files.items() if _names_any(names, content)}
    archived = dict(archive_facts(files, making.project, entries.branch))
    return _Files(
        facts=facts,
        entries=entries,
        staging=staging,
        source=SharedFacts(making.shared, making.project, archived),
    )


def _names_any(names: Collection[str], content: bytes) -> bool:
    return any(may_mention(content, name) for name in names)


def _read_section(making: _Making, policy: Policy, files: _Files | None) -> Section:
    staged, unread = find_staged(policy, files.staging if files else {})
    notices = [f"The entry {path} cannot be read." for path in unread[:MOST_LOOKS]]
    staged = bound(staged, MOST_PEOPLE, "people", notices)
    members, joined = MembersOf(policy.maintainers.group), JoinedOf(policy.maintainers.group)
    facts = making.shared.fetch_facts({members, joined})
    number, maintainers = find_maintainers(policy, fact_of(facts, members), notices)
    return Section(
        id=policy.id,
        title=policy.title,
        document=policy.document,
        project=policy.project,
        role=policy.role,
        group=policy.maintainers.group,
        number=number,
        maintainers=maintainers,
        waiting=tuple(making.waiting[policy.id]),
        granted=tuple(making.granted[policy.id]),
        people=_read_people(making, policy, files, staged) if files else (),
        pace=measure_pace(policy.id, making.histories),
        growth=count_years(maintainers, fact_of(facts, joined), making.now),
        drift=_find_drift(making, policy, files) if files else None,
        notices=tuple(notices),
    )


def _find_drift(making: _Making, policy: Policy, files: _Files) -> Drift:
    found = compare(policy, files.facts, files.entries, making.gitlab, making.gitlab_url)
    return publish(found)


def count_years(names: Sequence[str], joined: Joined | Unread, now: datetime) -> tuple[Year, ...]:
    """Count maintainers by the year since when they are members; none where any is not known.

    Who was one and left is not told by anything that everybody may see.
    """
    at = {} if isinstance(joined, Unread) else joined.at
    times = [at[name.casefold()] for name in names if name.casefold() in at]
    if not times or len(times) < len(names):
        return ()
    years = range(min(times).year, now.year + 1)[-MOST_YEARS:]
    return tuple(Year(year=year, number=sum(time.year <= year for time in times)) for year in years)


def find_maintainers(
    policy: Policy, members: Members | Unread, notices: list[str]
) -> tuple[int | None, tuple[str, ...]]:
    """Return how many there are, and their names where everybody may see them."""
    if isinstance(members, Unread):
        notices.append(f"The maintainers are not known: {members.reason}.")
        return None, ()
    names = current_maintainers(policy, members)
    if members.following:
        notices.append("There are more maintainers than were read.")
        return None, ()
    return len(names), names if members.visibility is Visibility.PUBLIC else ()


def _read_people(
    making: _Making, policy: Policy, files: _Files, staged: Sequence[Staged]
) -> tuple[Person, ...]:
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
    making: _Making, policy: Policy, usernames: Sequence[str]
) -> Mapping[str, Tally | Unread]:
    making.tell(f"counting for {len(usernames)} people …")
    need = DefaultBranchOf(policy.repository)
    branch = fact_of(making.shared.fetch_facts({need}), need)
    if isinstance(branch, Unread):
        return dict.fromkeys(usernames, branch)
    return making.gitlab.fetch_tallies(policy.repository, branch, usernames)


def _look_closely(making: _Making, policy: Policy, files: _Files, who: Staged) -> Assessment:
    making.tell(f"judging @{who.username} by {policy.label} …")
    candidate = Candidate(
        username=who.username, slug=who.slug, project=making.project, branch=files.entries.branch
    )
    return assess_readiness(candidate, with_outcomes(policy), files.source, making.now)
