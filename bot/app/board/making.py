"""Read all that the board shows, within bounds, and leave out what not everybody may see."""

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.app import Choices
from bot.app.asked import choose_policies
from bot.app.board.gathering import MOST_LOOKS, Making, bound, tell_left_out
from bot.app.board.looking import read_nominations
from bot.app.board.people import find_staged
from bot.app.board.reading import Files, read_files, read_people
from bot.app.board.values import Board, Section, Year
from bot.app.drift import Drift, compare, publish
from bot.app.replay import measure_pace
from bot.assessment import current_maintainers
from bot.errors import GitLabError
from bot.evidence import (
    Exposure,
    ExposureOf,
    Members,
    MembersOf,
    SharedFacts,
    Source,
    fact_of,
)
from bot.gitlab import GitLabClient
from bot.merge_request import Visibility
from bot.policy import Policy
from bot.unread import Unread

PEOPLE_CALLS = 52  # requests for entries and people together
MOST_YEARS = 8  # that are counted back
MOST_PEOPLE = 500  # of one policy that are counted


def make_board(
    gitlab: GitLabClient,
    choices: Choices,
    where: tuple[str, str],
    clock: Callable[[], datetime],
    tell: Callable[[str], None],
) -> Board:
    """Read the team database, named by GitLab's address and its path, and show who is near.

    Whatever cannot be read is said in a notice; `clock` is GitLab's, which tells the time once it
    was asked anything, and `tell` is told what goes on.
    """
    gitlab_url, project = where
    shared = SharedFacts(gitlab, project)
    seen = _find_exposure(project, shared)
    making = Making(
        gitlab=gitlab,
        choices=choices.only_reading,
        project=project,
        gitlab_url=gitlab_url,
        tell=tell,
        shared=shared,
        now=clock(),
    )
    read_nominations(making, seen)
    sections = _read_sections(making, seen)
    return Board(
        made_at=making.now,
        gitlab_url=gitlab_url,
        team_project=project,
        sections=sections,
        notices=tuple(making.notices),
    )


def _find_exposure(project: str, source: Source) -> Exposure:
    """Return who may see the team database; raise GitLabError where that is not known.

    A page that shows nobody would replace one that does, and look as if nobody were near.
    """
    need = ExposureOf(project)
    seen = fact_of(source.fetch_facts({need}), need)
    if isinstance(seen, Unread):
        raise GitLabError(f"Who may see {project} could not be read: {seen.reason}")
    return seen


def _read_sections(making: Making, seen: Exposure) -> tuple[Section, ...]:
    making.gitlab.take_share(1)
    making.gitlab.only_read()
    making.last_call = making.gitlab.calls + PEOPLE_CALLS
    known = making.choices.policies
    policies = choose_policies(known, None, making.now) if known else []
    if not policies:
        return ()
    if seen.files is not Visibility.PUBLIC:
        making.notices.append(tell_left_out("People", f"the files of {making.project}"))
        return tuple(_read_section(making, policy, None) for policy in policies)
    files = read_files(making, policies)
    return tuple(_read_section(making, policy, files) for policy in policies)


def _read_section(making: Making, policy: Policy, files: Files | None) -> Section:
    staged, unread = find_staged(policy, files.staging if files else {})
    notices = [f"The entry {path} cannot be read." for path in unread[:MOST_LOOKS]]
    staged = bound(staged, MOST_PEOPLE, "people", notices)
    need = MembersOf(policy.maintainers.group)
    members = fact_of(making.shared.fetch_facts({need}), need)
    number, maintainers = find_maintainers(policy, members, notices)
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
        people=read_people(making, policy, files, staged) if files else (),
        pace=measure_pace(policy.id, making.histories),
        growth=count_years(maintainers, members, making.now),
        drift=_find_drift(making, policy, files) if files else None,
        notices=tuple(notices),
    )


def _find_drift(making: Making, policy: Policy, files: Files) -> Drift:
    found = compare(policy, files.facts, files.entries, making.gitlab, making.gitlab_url)
    return publish(found)


def count_years(names: Sequence[str], members: Members | Unread, now: datetime) -> tuple[Year, ...]:
    """Count maintainers by the year since when they are members; none where any is not known.

    Who was one and left is not told by anything that everybody may see.
    """
    direct = () if isinstance(members, Unread) else members.direct
    at = {each.username.casefold(): each.since for each in direct}
    times = [time for name in names if (time := at.get(name.casefold()))]
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
