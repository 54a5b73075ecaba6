"""Since when a nomination stands in its merge request, and when that was approved.

All times are GitLab's: those of the versions of the changes, of its own notes, and of reopening.
Commits tell only what their authors claim, and a merge request may be older than what it
proposes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from bot import policy as rules
from bot.evidence.facts import Fact, Ledger, Need
from bot.evidence.files import FileAt
from bot.evidence.history import read_entry
from bot.evidence.records import DeedsOf, StateChangesOf, Versions, VersionsOf
from bot.merge_request import MergeRequest
from bot.nomination import Nomination, is_same_person
from bot.policy import Policy
from bot.unread import Content, Unread
from bot.values import dataclass

MOST_VERSIONS = 30  # of a merge request that are examined
REOPENED = frozenset({"opened", "reopened"})  # GitLab's words; the first opening is no change

NOT_TIMED = Unread(reason="it was not looked up since when this stands here")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Since when a nomination is in its merge request, and since when just as it is now.

    `opened` is since when people could see that, without the merge request being closed;
    `approved` when people, by case-folded username, last approved the merge request.
    """

    nominated: datetime
    settled: datetime
    opened: datetime
    approved: Mapping[str, datetime]


def timing_needs(merge_request: MergeRequest) -> tuple[VersionsOf, DeedsOf, StateChangesOf]:
    """Say which facts the times of any nomination take, apart from the entries."""
    return (
        VersionsOf.of(merge_request),
        DeedsOf.of(merge_request),
        StateChangesOf.of(merge_request),
    )


def entry_needs(nomination: Nomination, merge_request: MergeRequest, facts: Ledger) -> set[FileAt]:
    """Say which states of the entry are compared: none where nothing was ever pushed again."""
    versions = facts[VersionsOf.of(merge_request)]
    if isinstance(versions, Unread) or len(versions.items) == 1:
        return set()
    newest = versions.items[:MOST_VERSIONS]
    return {FileAt(merge_request.project, each.head_sha, nomination.path) for each in newest}


def trace_timing(
    nomination: Nomination, merge_request: MergeRequest, facts: Ledger
) -> Timing | Unread:
    """Find out since when a nomination stands, or why that is not known."""
    of_versions, of_activity, of_changes = timing_needs(merge_request)
    versions, activity, changes = facts[of_versions], facts[of_activity], facts[of_changes]
    if isinstance(versions, Unread) or isinstance(activity, Unread) or isinstance(changes, Unread):
        return next(f for f in (versions, activity, changes) if isinstance(f, Unread))
    if versions.items[0].head_sha != merge_request.head_sha:
        return Unread(reason="GitLab has not listed the newest version of the changes yet")
    states = _entry_states(nomination, merge_request, versions, facts)
    unread = next((state for _, state in states if isinstance(state, Unread)), None)
    if unread:
        return unread
    whole = versions.complete and len(versions.items) <= MOST_VERSIONS
    now = states[0][1]
    nominated = _since(states, lambda state: _nominates(state, nomination), whole=whole)
    settled = _since(states, lambda state: state == now, whole=whole)
    if nominated is None or settled is None:
        return Unread(reason="the merge request has more versions than were examined")
    nominated, settled = (_latest(each, activity.retargeted) for each in (nominated, settled))
    return Timing(
        nominated=nominated,
        settled=settled,
        opened=max([settled, *(deed.at for deed in changes.items if deed.words in REOPENED)]),
        approved=activity.approved,
    )


def _entry_states(
    nomination: Nomination,
    merge_request: MergeRequest,
    versions: Versions,
    facts: Ledger,
) -> Sequence[tuple[datetime, Content]]:
    """Return when each version came, newest first, and the entry in it.

    The first one came with the merge request.
    """
    path, project = nomination.path, merge_request.project
    newest = versions.items[:MOST_VERSIONS]
    if len(versions.items) == 1:
        # What GitLab lists is what was read.
        return [(merge_request.created_at, b"")]
    return [(v.at, facts[FileAt(project, v.head_sha, path)]) for v in newest]


def _since(
    states: Iterable[tuple[datetime, Content]], holds: Callable[[Content], bool], *, whole: bool
) -> datetime | None:
    since: datetime | None = None
    for at, state in states:
        if since is not None and not holds(state):
            return since
        since = at
    return since if whole else None


def _nominates(content: Content, nomination: Nomination) -> bool:
    # A single version is not read again: it is the one that nominates.
    entry = read_entry(content) if content else None
    if entry is None:
        return False
    return is_same_person(entry, nomination.username) and entry.holds(
        nomination.project, nomination.role
    )


def _latest(one: datetime, other: datetime | None) -> datetime:
    return one if other is None else max(one, other)


def pushed_at(merge_request: MergeRequest, known: Mapping[Need, Fact]) -> datetime | None:
    """Return when the changes were pushed; as late as can be where that could not be read."""
    need = VersionsOf.of(merge_request)
    if need not in known:
        return None
    found = known[need]
    return found.items[0].at if isinstance(found, Versions) else datetime.max.replace(tzinfo=UTC)


def timed_policies(
    policies: Sequence[Policy], merge_request: MergeRequest, now: datetime
) -> list[Policy]:
    """Return the policies that need to know since when a nomination stands.

    Where one version was in force all the while, it does not matter which day counts.
    """
    first, last = merge_request.created_at, merge_request.merged_at or now
    return [
        p
        for p in policies
        if any(requirement.rule.timed for requirement in p.requirements)
        or in_force(policies, p.project, p.role, first)
        != in_force(policies, p.project, p.role, last)
    ]


def in_force(policies: Sequence[Policy], project: str, role: str, at: datetime) -> Policy:
    """Return the version of a policy that was in force at a time."""
    return rules.policy_in_force(policies, project, role, at.astimezone(UTC).date())
