"""Who may see and do what: roles, visibility, inherited and invited membership."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import TypeVar

from bot.sandbox.world.entities import (
    Group,
    GroupLink,
    Issue,
    Level,
    Member,
    MergeRequest,
    Note,
    Project,
    User,
)
from bot.sandbox.world.state import RefusedError

Found = TypeVar("Found")
NOBODY = Level.NO_ACCESS


def own_members(place: Group | Project, today: date) -> Iterator[Member]:
    """Yield the direct memberships that have not ended."""
    for member in place.members.values():
        if member.expires_at is None or member.expires_at > today:
            yield member


def effective_members(place: Group | Project, today: date) -> Mapping[int, Member]:
    """Collect direct, inherited and invited members, each with the highest level."""
    best: dict[int, Member] = {}
    for member in _all_memberships(place, today):
        known = best.get(member.user.id)
        if known is None or member.level > known.level:
            best[member.user.id] = member
    return best


def _all_memberships(place: Group | Project, today: date) -> Iterator[Member]:
    yield from own_members(place, today)
    yield from _invited(place.shared_with, today)
    parent = place.group if isinstance(place, Project) else place.parent
    for group in parent.lineage() if parent else ():
        yield from own_members(group, today)
        yield from _invited(group.shared_with, today)


def _invited(links: list[GroupLink], today: date) -> Iterator[Member]:
    for link in links:
        for group in link.group.lineage():
            for member in own_members(group, today):
                yield replace(member, level=min(member.level, link.level))


def find_level(user: User | None, place: Group | Project, today: date) -> int:
    """Find the highest level a person has on a project or group."""
    if user is None or user.state != "active":
        return NOBODY
    if isinstance(place, Project) and place.owner is user:
        return Level.OWNER
    return max(
        (each.level for each in _all_memberships(place, today) if each.user.id == user.id),
        default=NOBODY,
    )


def can_read(user: User | None, place: Group | Project, today: date) -> bool:
    """Return whether a project or group exists for this person."""
    if place.visibility == "public" or (place.visibility == "internal" and user is not None):
        return True
    return find_level(user, place, today) >= Level.GUEST


def can_read_code(user: User | None, project: Project, today: date) -> bool:
    """Return whether the person may read the repository; a guest of a private project may not."""
    level = find_level(user, project, today)
    if project.visibility == "private":
        return level >= Level.REPORTER
    # `ProjectFeature`: a private repository of a project that is not is for all its members.
    return can_read(user, project, today) and (
        project.repository_access == "enabled" or level >= Level.GUEST
    )


def can_read_merge_requests(user: User | None, project: Project, today: date) -> bool:
    """Return whether the person may read merge requests; private ones need Reporter."""
    # `ProjectFeature::PRIVATE_FEATURES_MIN_ACCESS_LEVEL` of app/models/project_feature.rb.
    return project.merge_requests_access == "enabled" or (
        find_level(user, project, today) >= Level.REPORTER
    )


def can_read_issue(user: User | None, project: Project, issue: Issue, today: date) -> bool:
    """Return whether the person may read an issue; if confidential its author, or Reporter.

    Where issues are private they are for members, and where they are off there are none.
    """
    level = find_level(user, project, today)
    is_on = project.issues_access == "enabled" or (
        project.issues_access == "private" and level >= Level.GUEST
    )
    return is_on and (not issue.confidential or issue.author is user or level >= Level.REPORTER)


def can_comment(user: User | None, mr: MergeRequest, today: date) -> bool:
    """Return whether the person may write a note; a locked discussion is for members."""
    if user is None or not can_read(user, mr.project, today):
        return False
    return not mr.discussion_locked or find_level(user, mr.project, today) >= Level.GUEST


def can_update(user: User | None, mr: MergeRequest, today: date) -> bool:
    """Return whether the person may change the merge request: its author, or Developer and up."""
    if user is None or mr.project.archived:
        return False
    return mr.author is user or find_level(user, mr.project, today) >= Level.DEVELOPER


def can_approve(user: User | None, mr: MergeRequest, today: date) -> bool:
    """Return whether the person's approval is accepted."""
    if mr.author is user and not mr.project.settings.author_approval:
        return False
    return find_level(user, mr.project, today) >= Level.DEVELOPER


def can_push(user: User | None, project: Project, branch: str, today: date) -> bool:
    """Return whether the person may push: on a protected branch who its protection names."""
    if project.archived:
        return False  # app/policies/project_policy.rb prevents pushing to archived projects
    return reaches(user, project, project.levels_to_push(branch), today)


def can_merge(user: User | None, project: Project, branch: str, today: date) -> bool:
    """Return whether the person may merge into a branch: whoever pushes to it, or merges alone.

    `can_be_merged_by?` of app/models/merge_request.rb.
    """
    levels = project.levels_to_push(branch) | project.levels_to_merge(branch)
    return not project.archived and reaches(user, project, levels, today)


def reaches(user: User | None, project: Project, levels: Iterable[int], today: date) -> bool:
    """Return whether the person has one of the levels that a protection names; 0 is nobody."""
    own = find_level(user, project, today)
    # doc/user/project/repository/branches/protected.md: of several rules the most permissive one.
    return any(Level.NO_ACCESS < each <= own for each in levels)


def can_admin_note(user: User | None, note: Note, today: date) -> bool:
    """Return whether the person may edit or delete a note: its author, or Maintainer and up."""
    if user is None or note.system:
        return False
    project = note.merge_request.project
    return note.author is user or find_level(user, project, today) >= Level.MAINTAINER


def can_see_note(user: User | None, note: Note, today: date) -> bool:
    """Return whether the person may read a note; internal ones need Planner and up."""
    project = note.merge_request.project
    return not note.internal or find_level(user, project, today) >= Level.PLANNER


def required(found: Found | None, message: object = "404 Not found", status: int = 404) -> Found:
    """Return what was found; raise RefusedError where that is nothing."""
    if found is None:
        raise RefusedError(status, message)
    return found


def demand(allowed: bool, status: int = 403, message: str | None = None) -> None:
    """Raise RefusedError unless allowed; the message defaults to GitLab's for the status."""
    words = {401: "401 Unauthorized", 403: "403 Forbidden", 404: "404 Not found"}
    if not allowed:
        raise RefusedError(status, message or words[status])
