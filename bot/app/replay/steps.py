"""Tell when each step after the merge was done; what no record tells is said."""

from dataclasses import replace
from datetime import datetime

from bot.app.replay.values import Milestone, When
from bot.assessment import Assessment, State, Step
from bot.evidence import (
    Commits,
    CommitsOf,
    FileAt,
    Members,
    MembersOf,
    Source,
    fact_of,
    revision_needs,
)
from bot.listing import UnreadableListing, is_listed, read_listing
from bot.policy import ListedIn
from bot.unread import Content, Unread


def date_steps(assessment: Assessment, source: Source) -> tuple[Milestone, ...]:
    """Tell when each step after the merge was done, as far as groups and files tell."""
    return tuple(_date_step(step, assessment, source) for step in assessment.steps)


def _date_step(step: Step, assessment: Assessment, source: Source) -> Milestone:
    follow_up = step.follow_up
    told = Milestone(
        id=follow_up.id,
        title=follow_up.title,
        actor=follow_up.actor,
        state=step.state.value,
        reason=step.reason,
    )
    if step.state is State.MANUAL:
        return replace(told, reason="nobody can check it")
    if step.state is not State.DONE:
        return told
    name, check = assessment.nomination.username, follow_up.check
    if isinstance(check, ListedIn):
        when = _find_listing(name, check, source)
    else:
        when = _find_membership(name, step.place[0], source)
    return replace(told, at=when.at, by_then=when.by_then, reason=when.reason)


def _find_membership(name: str, group: str, source: Source) -> When:
    need = MembersOf(group)
    members = source.fetch_facts({need})[need]
    direct = members.direct if isinstance(members, Members) else ()
    mine = (each.since for each in direct if each.username.casefold() == name.casefold())
    at = next(mine, None)
    return When(at=at) if at else When(reason="GitLab did not tell when they joined the group")


def _find_listing(name: str, check: ListedIn, source: Source) -> When:
    """Find the commit since which somebody is listed without a break."""
    need = CommitsOf(check.project, check.ref, check.path)
    commits = source.fetch_facts({need})[need]
    if not isinstance(commits, Commits):
        return When(reason="the history of the file could not be read")
    facts = source.fetch_facts(revision_needs(commits))
    since: datetime | None = None
    found: bool | None = None
    for commit in commits.items:
        found = _lists(fact_of(facts, FileAt(commit.project, commit.sha, commit.path)), check, name)
        if not found:
            break
        since = commit.committed_at
    if since is None:
        return When(reason="the history of the file does not tell")
    # What is older than what was read may list them as well.
    return When(at=since, by_then=found is None or (found and not commits.complete))


def _lists(content: Content, check: ListedIn, name: str) -> bool | None:
    """Return whether a revision of a file lists somebody; None where that is not known."""
    if content is None:
        return False
    if isinstance(content, Unread):
        return None
    try:
        return is_listed(read_listing(content.decode("utf-8"), check.spec, check.path), name)
    except (UnicodeDecodeError, UnreadableListing):
        return None
