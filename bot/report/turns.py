"""Say whose turn it is, and since when; pure.

A to-do comes from a mention that an edit adds: GitLab compares who was mentioned before and
after, and passes over those who were (`update_todos`, app/services/notes/update_service.rb;
`create_mention_todos` with `skip_users`, app/services/todo_service.rb). So a mention that stands
as long as it is somebody's turn tells them once, and nothing has to be remembered. For the same
reason a reminder takes two edits: one that takes the mention out, and one that puts it in again.
Whoever has left the first to-do open gets no second (`excluded_user_ids` in todo_service.rb).
"""
# One module: a mention depends on who is next, and a reminder on since when; a `Turn` is all three.

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.assessment import Assessment, Finding, State, Verdict, find_merging_manager, kind_of
from bot.evidence import Manager
from bot.merge_request import MergeRequest
from bot.values import dataclass

# A name that Markdown leaves as it is, wherever it stands.
_MENTIONABLE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,253}[A-Za-z0-9])?")
_EVERYBODY = "all"  # whom such a mention notifies (doc/user/discussions/_index.md)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Whose turn it is, since when nothing moved on, and whether the comment mentions them.

    `reminder` counts how often that is due once more by now, `of` how often at most.
    """

    username: str
    since: datetime | None
    mentioned: bool
    reminder: int = 0
    of: int = 0


def find_turns(
    assessments: Iterable[Assessment],
    merge_request: MergeRequest,
    now: datetime | None = None,
    *,
    held: bool,
    passed: bool,
) -> tuple[Turn | None, ...]:
    """Return for each nomination whose turn it is, if it is one person's.

    Everybody is mentioned once, however many nominations wait for them.
    """
    turns: list[Turn | None] = []
    told: set[str] = set()
    for assessment in assessments:
        who = _find_next(assessment, merge_request, held=held, passed=passed)
        dated = None if is_obstructed(assessment, merge_request) else find_since(assessment)
        turn = _make_turn(assessment, who, dated, told, now) if who else None
        if turn and turn.mentioned:
            told.add(turn.username.casefold())
        turns.append(turn)
    return tuple(turns)


def _make_turn(
    assessment: Assessment, who: str, since: datetime | None, told: set[str], now: datetime | None
) -> Turn:
    name = assessment.reachable.get(who.casefold())
    mentioned = (
        assessment.policy.notify
        and name is not None
        and is_mentionable(name)
        and name.casefold() not in told
    )
    policy = assessment.policy
    turn = Turn(username=name or who, since=since, mentioned=mentioned)
    if not (mentioned and since and now and policy.remind_after):
        return turn
    # A pure function of the time: nobody has to remember which reminders there were.
    due = max(0, (now - since).days) // policy.remind_after
    return replace(turn, reminder=min(due, policy.reminders), of=policy.reminders)


def is_mentionable(name: str) -> bool:
    """Return whether a mention of this name reaches one account and nobody else."""
    return bool(_MENTIONABLE.fullmatch(name)) and name.casefold() != _EVERYBODY


def tell_waits(turns: Iterable[Turn | None], now: datetime) -> tuple[str, ...]:
    """Say for each nomination who is waited for, and for how many days; empty where nobody is.

    The comment names the day instead: it would have to be edited daily, as GitLab shows no time
    in a comment as so long ago (its pages do by `.js-timeago`, and lib/banzai/filter/
    base_sanitization_filter.rb takes classes away).
    """
    return tuple(_tell_wait(turn, now) if turn else "" for turn in turns)


def _tell_wait(turn: Turn, now: datetime) -> str:
    return f"@{turn.username}" + (f" for {count_days(turn.since, now)}" if turn.since else "")


def count_days(since: datetime, now: datetime) -> str:
    """Say how many days ago something was."""
    days = (now - since).days
    return "less than a day" if days < 1 else f"{days} day{'' if days == 1 else 's'}"


def find_since(assessment: Assessment) -> datetime | None:
    """Return when something last moved on; None where the readers may not see all of it."""
    if assessment.moved is None or assessment.concealed.repositories:
        return None
    if assessment.present:
        # After the merge all steps are open at once.
        return assessment.moved
    times = [merged.merged_at for each in assessment.findings for merged in each.counted]
    times.append(assessment.moved)
    return max(times)


def is_obstructed(assessment: Assessment, merge_request: MergeRequest) -> bool:
    """Return whether it is for an obstacle to be mended: GitLab does not tell since when."""
    obstacle = merge_request.obstacle if merge_request.state == "opened" else None
    # Without that project, whatever people did here would be to do again in a new one.
    return obstacle == "source project" or bool(obstacle and assessment.ready)


def steps_in_order(assessment: Assessment) -> list[Finding]:
    """Return the open points that people can meet, first what can be done at once.

    Where there are none, those unknown ones that people can do something about, or else the first.
    """
    found = assessment.open_findings
    unmet = [finding for finding in found if finding.verdict is Verdict.UNMET]
    unmet.sort(key=lambda each: kind_of(each.requirement).effort)
    return unmet or [each for each in found if each.remedy is not None] or list(found[:1])


def _find_next(
    assessment: Assessment, merge_request: MergeRequest, *, held: bool, passed: bool
) -> str | None:
    if merge_request.state == "merged":
        return _find_after_merge(assessment, merge_request, held=held)
    if merge_request.state != "opened" or held:
        return None
    actor = _next_of_open(assessment, merge_request, passed=passed)
    if merge_request.draft and actor in {"maintainer", "approver", "manager"}:
        # Nobody reviews or merges a draft.
        actor = "author"
    return _find_actor(actor, assessment, merge_request) if actor else None


def _next_of_open(
    assessment: Assessment, merge_request: MergeRequest, *, passed: bool
) -> str | None:
    """Name who does the next step as the comment tells it; nobody where that is not known."""
    obstructed = is_obstructed(assessment, merge_request)
    if assessment.ready:
        merger = "manager" if find_merging_manager(assessment.findings) else "maintainer"
        return ("author" if obstructed else merger) if passed else None
    if obstructed:
        return "author"
    first = steps_in_order(assessment)[0]
    if first.verdict is Verdict.UNKNOWN:
        return None
    return kind_of(first.requirement).find_actor(first.requirement)


def _find_after_merge(
    assessment: Assessment, merge_request: MergeRequest, *, held: bool
) -> str | None:
    doubt = assessment.present.doubt if assessment.present else None
    if doubt or assessment.is_gone:
        return None
    if held or any(finding.verdict is Verdict.UNMET for finding in assessment.left_open):
        return _find_maintainer(assessment, merge_request)
    step = next((each for each in assessment.steps if each.state is State.OPEN), None)
    if step is None:
        return None
    actor = step.follow_up.actor
    if actor == "owner":
        return _choose(step.people, assessment, merge_request)
    return _find_actor(actor, assessment, merge_request)


def _find_actor(actor: str, assessment: Assessment, merge_request: MergeRequest) -> str | None:
    """Return who that is, if it is one person who is known."""
    match actor:
        case "nominee":
            return assessment.nomination.username
        case "author":
            author = merge_request.author
            return author.username if author else assessment.nomination.username
        case "manager":
            manager = assessment.manager
            return manager.username if isinstance(manager, Manager) else None
        case "maintainer":
            return _find_maintainer(assessment, merge_request)
        case "approver":
            return _find_approver(assessment, merge_request)
    return None


def _find_maintainer(assessment: Assessment, merge_request: MergeRequest) -> str | None:
    """Choose a maintainer who is assigned, or else any, but neither nominee nor author."""
    others = _others(assessment.maintainers or (), assessment, merge_request)
    return _choose(_assigned(others, merge_request) or others, assessment, merge_request)


def _find_approver(assessment: Assessment, merge_request: MergeRequest) -> str | None:
    parts = [part for finding in assessment.findings for part in finding.parts]
    done = {(part.name or "").casefold() for part in parts if part.state == "approved"}
    left = [n for n in assessment.maintainers or () if n.casefold() not in done]
    return _choose(
        _assigned(left, merge_request) or _others(left, assessment, merge_request),
        assessment,
        merge_request,
    )


def _others(names: Iterable[str], assessment: Assessment, merge_request: MergeRequest) -> list[str]:
    author = merge_request.author.key if merge_request.author else ""
    own = {assessment.nomination.username.casefold(), author}
    return [name for name in names if name.casefold() not in own]


def _assigned(names: Iterable[str], merge_request: MergeRequest) -> list[str]:
    assignees = {person.key for person in merge_request.assignees}
    return [name for name in names if name.casefold() in assignees]


def _choose(
    names: Iterable[str], assessment: Assessment, merge_request: MergeRequest
) -> str | None:
    """Choose one of several for good: the choice changes only if that person is not there any more.

    Each has a number that belongs to the merge request, and the highest is chosen, so that whoever
    comes or goes besides changes nothing.
    """

    def weight(name: str) -> tuple[bool, bytes]:
        word = f"{merge_request.project_id}!{merge_request.iid} {name.casefold()}"
        reachable = name.casefold() in assessment.reachable
        return reachable, hashlib.sha256(word.encode()).digest()

    return max(names, key=weight, default=None)
