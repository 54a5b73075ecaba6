"""Read all that the board shows, within bounds, and leave out what not everybody may see."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from bot import rounds, sweep
from bot.app import Choices
from bot.assessment import Assessment, current_maintainers
from bot.board.nominations import show_merged, show_open
from bot.board.people import (
    Staged,
    archive_facts,
    find_staged,
    order_by_nearness,
    show_person,
)
from bot.board.values import Board, Granted, Person, Section, Waiting
from bot.errors import GitLabError
from bot.evidence import (
    DefaultBranchOf,
    Exposure,
    ExposureOf,
    Members,
    MembersOf,
    SharedFacts,
    Source,
    Tally,
)
from bot.merge_request import Visibility
from bot.policy import Policy, wanted_roles
from bot.publish import GateChoice, GateKind
from bot.ready import Candidate, assess_readiness, choose_policies
from bot.team import is_team_file, may_mention
from bot.unread import NOT_LOOKED_UP, Unread

MOST_LOOKS = 40  # nominations of either kind that are looked at, the newest
PEOPLE_CALLS = 52  # requests for entries and people together
LOOK_CALLS = 8  # that one close look at somebody may take
MOST_PEOPLE = 500  # of one policy that are counted
T = TypeVar("T")
Wanted = Callable[[str, bytes], bool]


class GitLab(sweep.GitLab, Protocol):
    """Everything that the board asks of GitLab beyond what a nomination takes."""

    @property
    def calls(self) -> int:
        """Count the requests made so far."""

    def only_read(self) -> None:
        """Let reading have the requests and the time that are kept for writing."""

    def fetch_default_branch(self, project: str) -> str:
        """Return the name of a project's default branch."""

    def fetch_archive(
        self, project: str, branch: str, folder: str, wanted: Wanted
    ) -> Mapping[str, bytes]:
        """Read those files below a folder that are wanted, by path."""

    def fetch_tallies(
        self, project: str, branch: str, usernames: Sequence[str]
    ) -> Mapping[str, Tally | Unread]:
        """Count what people did in a repository."""


@dataclass(slots=True, kw_only=True)
class _Making:
    """What is gathered, and what it is gathered from."""

    gitlab: GitLab
    choices: Choices
    project: str
    gitlab_url: str
    now: datetime
    tell: Callable[[str], None]
    shared: Source
    waiting: dict[str, list[Waiting]] = field(default_factory=lambda: defaultdict(list))
    granted: dict[str, list[Granted]] = field(default_factory=lambda: defaultdict(list))
    notices: list[str] = field(default_factory=list)
    last_call: int = 0


def make_board(
    gitlab: GitLab,
    choices: Choices,
    where: tuple[str, str],
    now: datetime,
    tell: Callable[[str], None],
) -> Board:
    """Read the team database, named by GitLab's address and its path, and show who is near.

    Whatever cannot be read is said in a notice; `tell` is told what goes on.
    """
    gitlab_url, project = where
    making = _Making(
        gitlab=gitlab,
        # What only reads has no gate, and none to read.
        choices=replace(choices, gate=GateChoice(kind=GateKind.NONE, name=choices.gate.name)),
        project=project,
        gitlab_url=gitlab_url,
        now=now,
        tell=tell,
        shared=SharedFacts(gitlab, project),
    )
    exposure = making.shared.fetch_facts({ExposureOf(project)})[ExposureOf(project)]
    seen = exposure if isinstance(exposure, Exposure) else None
    if seen and seen.merge_requests is Visibility.PUBLIC:
        _read_nominations(making)
    else:
        making.notices.append(_left_out("Nominations", f"the merge requests of {project}"))
    sections = _read_sections(making, seen)
    return Board(
        made_at=now,
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
        for number, iid in enumerate(newest):
            making.gitlab.take_share(len(newest) - number)
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
    for policy, granted in show_merged(found):
        making.granted[policy].append(granted)


# --- people -----------------------------------------------------------------------------


def _read_sections(making: _Making, seen: Exposure | None) -> tuple[Section, ...]:
    making.gitlab.take_share(1)
    making.gitlab.only_read()
    making.last_call = making.gitlab.calls + PEOPLE_CALLS
    known = making.choices.policies
    policies = choose_policies(known, None, making.now) if known else []
    branch, files = "", dict[str, bytes]()
    if not policies:
        return ()
    if seen and seen.files is Visibility.PUBLIC:
        branch, files = _read_entries(making, policies)
    else:
        making.notices.append(_left_out("People", f"the files of {making.project}"))
    archived = dict(archive_facts(files, making.project, branch))
    entries = branch, SharedFacts(making.shared, making.project, archived)
    return tuple(_read_section(making, policy, entries, files) for policy in policies)


def _read_entries(making: _Making, policies: Sequence[Policy]) -> tuple[str, dict[str, bytes]]:
    making.tell("reading the entries …")
    files: dict[str, bytes] = {}
    names = {name for key in wanted_roles(policies) for name in key.names}
    try:
        branch = making.gitlab.fetch_default_branch(making.project)
        for glob in dict.fromkeys(policy.team_files for policy in policies):
            folder = glob.partition("*")[0].rstrip("/")
            wanted = partial(_is_wanted, glob, names)
            files.update(making.gitlab.fetch_archive(making.project, branch, folder, wanted))
    except GitLabError as error:
        making.notices.append(f"The entries could not be read: {error}")
        return "", {}
    return branch, files


def _is_wanted(glob: str, names: Collection[str], path: str, content: bytes) -> bool:
    return is_team_file(path, glob) and any(may_mention(content, name) for name in names)


def _read_section(
    making: _Making, policy: Policy, entries: tuple[str, Source], files: Mapping[str, bytes]
) -> Section:
    staged, unread = find_staged(policy, files)
    notices = [f"The entry {path} cannot be read." for path in unread[:MOST_LOOKS]]
    staged = bound(staged, MOST_PEOPLE, "people", notices)
    members = making.shared.fetch_facts({MembersOf(policy.maintainers.group)})
    number, maintainers = find_maintainers(policy, members.values(), notices)
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
        people=_read_people(making, policy, entries, staged),
        notices=tuple(notices),
    )


def find_maintainers(
    policy: Policy, facts: Iterable[object], notices: list[str]
) -> tuple[int | None, tuple[str, ...]]:
    """Return how many there are, and their names where everybody may see them."""
    members = next(iter(facts))
    if not isinstance(members, Members):
        reason = members.reason if isinstance(members, Unread) else NOT_LOOKED_UP.reason
        notices.append(f"The maintainers are not known: {reason}.")
        return None, ()
    names = current_maintainers(policy, members)
    if members.following:
        notices.append("There are more maintainers than were read.")
        return None, ()
    return len(names), names if members.visibility is Visibility.PUBLIC else ()


def _read_people(
    making: _Making, policy: Policy, entries: tuple[str, Source], staged: Sequence[Staged]
) -> tuple[Person, ...]:
    if not staged:
        return ()
    tallies = _count_all(making, policy, [who.username for who in staged])
    people = []
    for who in order_by_nearness(staged, policy, tallies):
        look = partial(_look_closely, making, policy, entries, who)
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
    branch = making.shared.fetch_facts({need})[need]
    if isinstance(branch, str):
        return making.gitlab.fetch_tallies(policy.repository, branch, usernames)
    reason = branch.reason if isinstance(branch, Unread) else NOT_LOOKED_UP.reason
    return dict.fromkeys(usernames, Unread(reason=reason))


def _look_closely(
    making: _Making, policy: Policy, entries: tuple[str, Source], who: Staged
) -> Assessment:
    making.tell(f"judging @{who.username} by {policy.label} …")
    branch, source = entries
    candidate = Candidate(
        username=who.username, slug=who.slug, project=making.project, branch=branch
    )
    return assess_readiness(candidate, policy, source, making.now)
