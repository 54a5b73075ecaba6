"""Who has a role that comes before another, and how far they are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bot import policy as rules
from bot.app.board.nominations import show_bars
from bot.app.board.values import Bar, Person
from bot.app.ready import is_later, is_ready
from bot.assessment import Assessment, RoleHeld, conceal, how_they_went
from bot.errors import TeamDatabaseError
from bot.evidence import Tally, Tenure
from bot.policy import Policy
from bot.team import Entry, is_team_file, parse_entry, responsibility
from bot.unread import Unread

HALF = 2
NOT_LOOKED_AT = "counted only: the requests of one run do not suffice to look at everybody's work"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """Somebody whose entry, the file `path`, gives them an earlier role and not the role.

    One who is not `bound` has another role of the project, which is no stage of the policy.
    """

    username: str
    path: str
    stage: str
    bound: bool = True

    @property
    def slug(self) -> str:
        """The name of the entry's file."""
        return self.path.rpartition("/")[2].removesuffix(".yml")


def find_staged(policy: Policy, files: Mapping[str, bytes]) -> tuple[list[Staged], list[str]]:
    """Find who has another role; return the paths of entries that cannot be read, too."""
    found: list[Staged] = []
    unread: list[str] = []
    for path, content in sorted(files.items()):
        if not is_team_file(path, policy.team_files):
            continue
        try:
            entry = parse_entry(content, path)
        except TeamDatabaseError:
            unread.append(path)
            continue
        if entry.username and not entry.has_stage(policy.project, policy.role):
            found += _find_stage(entry, entry.username, path, policy)
    # Those with a stage come first: they are shown in any case.
    return sorted(found, key=lambda who: not who.bound), unread


def _find_stage(entry: Entry, username: str, path: str, policy: Policy) -> Iterator[Staged]:
    for stage in _stages(policy):
        if entry.has_stage(policy.project, stage):
            yield Staged(username=username, path=path, stage=stage)
            return
    for role in entry.roles_for(policy.project)[:1]:
        stage = responsibility(role)
        yield Staged(username=username, path=path, stage=stage, bound=False)


def find_halfway(
    people: Sequence[Staged], policy: Policy, tallies: Mapping[str, Tally | Unread]
) -> list[Staged]:
    """Return those with a stage, and of the others who did half of anything that is counted."""

    def is_halfway(who: Staged) -> bool:
        bars = _count(policy, tallies.get(who.username))
        return any(bar.found * HALF >= bar.needed for bar in bars)

    return [who for who in people if who.bound or is_halfway(who)]


def _stages(policy: Policy) -> list[str]:
    """Return the roles since which work counts, and those that must be held before."""
    stages = {stage for key in rules.wanted_roles([policy]) for stage in key.stages}
    held = (each.rule for each in policy.requirements)
    return sorted(stages | {rule.role for rule in held if isinstance(rule, RoleHeld)})


def order_by_nearness(
    people: Sequence[Staged], policy: Policy, tallies: Mapping[str, Tally | Unread]
) -> list[Staged]:
    """Return people, first those of whose work the least part can be missing."""

    def distance(who: Staged) -> tuple[float, str]:
        bars = _count(policy, tallies.get(who.username))
        share = sum(min(1.0, bar.found / bar.needed) for bar in bars)
        return -share, who.username.casefold()

    return sorted(people, key=distance)


def _count(policy: Policy, tally: Tally | Unread | None) -> tuple[Bar, ...]:
    """Show what was counted; that is not what counts, as nobody looked at it."""
    if not isinstance(tally, Tally):
        return ()
    return tuple(
        Bar(
            title=each.title,
            found=_found(each.rule, tally),
            needed=each.rule.at_least,
            more=False,
            state="counted",
            blocking=each.blocking,
        )
        for each in policy.requirements
        if isinstance(each.rule, rules.Counting) and policy.place_of(each.rule) == policy.repository
    )


def _found(rule: rules.Counting, tally: Tally) -> int:
    return (tally.authored if rule.authored else 0) + (tally.reviews if rule.reviewed else 0)


def show_person(
    who: Staged,
    gitlab_url: str,
    policy: Policy,
    tally: Tally | Unread | None,
    look: Callable[[], Assessment] | None,
) -> Person:
    """Show how far somebody is: judged where they are looked at, counted otherwise."""
    reason = tally.reason if isinstance(tally, Unread) else NOT_LOOKED_AT
    if look and not isinstance(tally, Unread):
        try:
            return _show_judged(who, gitlab_url, look())
        except TeamDatabaseError as error:
            reason = str(error)
    return Person(
        username=who.username,
        url=_profile(gitlab_url, who),
        stage=who.stage,
        since=None,
        ready=None,
        closely=False,
        bars=_count(policy, tally),
        missing=(),
        reason=reason,
    )


def _profile(gitlab_url: str, who: Staged) -> str:
    return f"{gitlab_url}/{quote(who.username, safe='')}"


def _show_judged(who: Staged, gitlab_url: str, told: Assessment) -> Person:
    stages = [f.stage.since for f in told.findings if isinstance(f.stage, Tenure) and f.stage.since]
    return Person(
        username=who.username,
        url=_profile(gitlab_url, who),
        stage=who.stage,
        since=min(stages, default=None),
        ready=is_ready(told),
        closely=True,
        bars=show_bars(told.findings),
        missing=tuple(f.requirement.title for f in told.open_findings if not is_later(f)),
        outcomes=how_they_went(conceal(told).findings),
    )
