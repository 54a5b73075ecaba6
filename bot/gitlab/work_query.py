"""The queries for what somebody authored and reviewed, and their answers.

Neither an approval nor a reviewer's state has a date, and states can be set after the merge:
app/services/merge_requests/update_reviewer_state_service.rb asks for no state of the merge
request. What GitLab does date are the system notes it writes of them (`DEEDS`), which stay
when a push resets the approval (ee/app/services/ee/merge_requests/base_service.rb).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from bot.evidence import (
    Account,
    Activity,
    ActivityOf,
    Deed,
    Deeds,
    DeedsOf,
    DefaultBranchOf,
    Fact,
    Listed,
    Merged,
    Threads,
    ThreadsOf,
    Work,
    WorkOf,
)
from bot.gitlab.answers import Json, is_member, nodes_of, read_time, usernames_of
from bot.gitlab.packing import Part, make_part
from bot.unread import Unread
from bot.values import dataclass

AUTHORED, REVIEWS = 10, 30  # of each list, where no more of them are wanted
PAGE = 100  # GitLab's largest
PEOPLE = 100  # of one merge request; a full page may have been cut
NOTES = 100  # comments, or system notes, of one merge request that is looked into
N = TypeVar("N", ActivityOf, DeedsOf)
NOT_FILTERED: Json = {"count": 1, "nodes": ()}  # a list of which nothing was seen

# System notes of reviews, word for word and of nothing else: approve_mr, unapprove_mr,
# requested_changes and, in newer versions, reviewed in SystemNotes::MergeRequestsService
# (app and ee/app/services/…/system_notes/merge_requests_service.rb). Each is written in the
# reviewer's own name. Where a version writes none of the last two, threads show the review.
DEEDS = {
    "approved this merge request": "approved",
    "unapproved this merge request": "unapproved",
    "requested changes": "requested",
    "left review comments without approving": "reviewed",
}

# Who was asked for a review: change_issuable_reviewers in SystemNotes::IssuablesService
# (app/services/system_notes/issuables_service.rb); whom it was taken from stands behind.
ASKING, NO_MORE_ASKED = "requested review from ", " and removed "
_NAME = re.compile(r"@([\w.-]+)")

# Of the system notes the oldest: what came after the merge does not matter.
_WORK = """
query(
  $username: String!, $project: ID!, $branch: String!
  $authored: Int!, $reviews: Int!, $people: Int!
) {
  user(username: $username) { username state bot }
  project(fullPath: $project) {
    authored: mergeRequests(
      authorUsername: $username, state: merged, sort: MERGED_AT_DESC, targetBranches: [$branch]
      first: $authored
    ) {
      count
      nodes { iid title webUrl mergedAt targetBranch author { username bot } }
    }
    latest: mergeRequests(
      state: merged, sort: MERGED_AT_DESC, targetBranches: [$branch], first: 30
    ) {
      nodes {
        iid title webUrl mergedAt targetBranch author { username bot }
        commenters(first: $people) { nodes { username } }
      }
    }
    own: mergeRequests(authorUsername: $username, state: merged, sort: MERGED_AT_DESC, first: 5) {
      nodes { iid title webUrl mergedAt targetBranch }
    }
    asked: mergeRequests(
      reviewerUsername: $username, state: merged, sort: MERGED_AT_DESC, first: 5
    ) {
      nodes { iid title webUrl mergedAt targetBranch }
    }
    assigned: mergeRequests(
      reviewerUsername: $username, state: merged, sort: MERGED_AT_DESC, targetBranches: [$branch]
      first: $reviews
    ) {
      count
      nodes {
        iid title webUrl mergedAt targetBranch author { username bot }
        commenters(first: $people) { nodes { username } }
        reviewers(first: $people) { nodes { username mergeRequestInteraction { reviewState } } }
        activity: notes(filter: ONLY_ACTIVITY, first: 30) {
          pageInfo { hasNextPage }
          nodes { body createdAt author { username } }
        }
"""
# With the approvers, in case a tier without this filter lists everything.
_BY_APPROVER = """
      }
    }
    approved: mergeRequests(
      approvedBy: [$username], state: merged, sort: MERGED_AT_DESC, targetBranches: [$branch]
      first: $reviews
    ) {
      count
      nodes {
        iid title webUrl mergedAt targetBranch author { username bot }
        approvedBy(first: $people) { nodes { username } }
        activity: notes(filter: ONLY_ACTIVITY, first: 30) {
          pageInfo { hasNextPage }
          nodes { body createdAt author { username } }
        }
"""
_APPROVERS = """
        approvedBy(first: $people) { nodes { username } }
"""
_END = """
      }
    }
  }
}
"""
WORK = _WORK + _BY_APPROVER + _END
WORK_WITHOUT_FILTER = _WORK + _APPROVERS + _END

ACTIVITY = """
query($project: ID!, $iid: String!, $notes: Int!) {
  project(fullPath: $project) {
    mergeRequest(iid: $iid) {
      activity: notes(filter: ONLY_ACTIVITY, last: $notes) {
        pageInfo { hasPreviousPage }
        nodes { body createdAt maxAccessLevelOfAuthor author { username } }
      }
    }
  }
}
"""

BRANCH = """
query($project: ID!) {
  project(fullPath: $project) { mergeRequestsEnabled repository { rootRef } }
}
"""

# Only notes in threads can be resolved (`ResolvableNote`), which tells them from plain comments.
THREADS = """
query($project: ID!, $iids: [String!], $count: Int!, $notes: Int!) {
  project(fullPath: $project) {
    mergeRequests(iids: $iids, first: $count) {
      nodes {
        iid mergedAt
        notes(filter: ONLY_COMMENTS, first: $notes) {
          pageInfo { hasNextPage }
          nodes { resolvable createdAt author { username } }
        }
        activity: notes(filter: ONLY_ACTIVITY, first: $notes) {
          pageInfo { hasNextPage }
          nodes { body createdAt author { username } }
        }
      }
    }
  }
}
"""


def work_part(need: WorkOf) -> Part:
    """Ask for somebody's account, and the merged merge requests they had to do with."""
    authored = min(PAGE, max(AUTHORED, need.wanted))
    # Not all that somebody was asked to review are reviews.
    reviews = min(PAGE, max(REVIEWS, 2 * need.wanted))
    ask = partial(
        make_part,
        need,
        # Larger pages cost a little more of each list.
        cost=155 + (authored - AUTHORED) // 5 + (reviews - REVIEWS) * 2 // 3,
        authored=authored,
        reviews=reviews,
        people=PEOPLE,
    )
    # Where the tier or the version has no filter by approver, those who were reviewers are
    # still known with their approvals; that there may be others keeps the list incomplete.
    return ask(WORK, _read_work, fallback=ask(WORK_WITHOUT_FILTER, _read_unfiltered))


def _read_unfiltered(need: WorkOf, answer: Json) -> Work | Unread:
    project = answer.get("project")
    return _read_work(
        need, {**answer, "project": project and {**project, "approved": NOT_FILTERED}}
    )


def _read_work(need: WorkOf, answer: Json) -> Work | Unread:
    account, project = answer.get("user"), answer.get("project")
    if project is None:
        return Unread(reason=f"the project {need.project} cannot be read by the bot")
    parts = [project.get(name) for name in ("authored", "assigned", "approved", "latest")]
    if any(part is None or part.get("nodes") is None for part in parts):
        return Unread(reason=f"GitLab did not list the merge requests of {need.project}")
    key = need.username.casefold()
    if any(_is_elsewhere(node, need.branch) for part in parts for node in nodes_of(part)):
        # Then the lists' lengths count other branches, too.
        return Unread(reason=f"GitLab did not list {need.branch} of {need.project} alone")
    authored, assigned, approved = (_read_listed(part or {}, key) for part in parts[:3])
    reviewed = _join_lists(assigned, _only_approved(approved))
    own, asked = (_read_elsewhere(project.get(name), need) for name in ("own", "asked"))
    return Work(
        account=_read_account(account),
        authored=authored,
        reviewed=reviewed,
        bystander=_read_bystander(parts[3] or {}, key, reviewed),
        own_elsewhere=own,
        asked_elsewhere=asked,
        branch=need.branch,
    )


def _is_elsewhere(node: Json, branch: str) -> bool:
    return bool(node["targetBranch"] != branch)


def _read_elsewhere(connection: Json | None, need: WorkOf) -> tuple[Merged, ...]:
    """Return what was merged into other branches, which is shown and never counts."""
    return tuple(
        replace(_read_merged(node, need.username.casefold()), branch=node["targetBranch"])
        for node in nodes_of(connection)
        if node.get("mergedAt") and _is_elsewhere(node, need.branch)
    )


def _read_bystander(latest: Json, key: str, reviewed: Listed) -> tuple[Merged, ...]:
    """Return what somebody commented on, of what is neither their own nor to be reviewed."""
    nodes = [node for node in nodes_of(latest) if node.get("mergedAt")]
    known = {merged.iid for merged in reviewed.items}
    return tuple(
        replace(merged, cut=False)
        for merged in (_read_merged(node, key) for node in nodes)
        if merged.commented
        and merged.iid not in known
        and (merged.author or "").casefold() != key
        # Beyond the end of the other lists they may have been asked for a review.
        and reviewed.covers(merged.merged_at)
    )


def _read_listed(connection: Json, key: str) -> Listed:
    # GitLab does not know when some imported merge requests were merged.
    nodes = [node for node in nodes_of(connection) if node.get("mergedAt")]
    items = tuple(_read_merged(node, key) for node in nodes)
    total: int = connection["count"]
    oldest = items[-1].merged_at if items and total > len(items) else None
    return Listed(items=items, total=total, seen_since=oldest)


def _only_approved(listed: Listed) -> Listed:
    return replace(listed, items=tuple(merged for merged in listed.items if merged.approved))


def _join_lists(one: Listed, other: Listed) -> Listed:
    """Join two lists that may share items; what one of them left out is left out.

    Only the other one tells who approved its items.
    """
    approved = {merged.iid for merged in other.items if merged.approved}
    both = {merged.iid: merged for merged in (*other.items, *one.items)}
    both = {
        iid: replace(merged, approved=merged.approved or iid in approved)
        for iid, merged in both.items()
    }
    unseen = sum(max(0, part.total - len(part.items)) for part in (one, other))
    cuts = [part.seen_since for part in (one, other) if not part.complete]
    known = [cut for cut in cuts if cut is not None]
    return Listed(
        items=tuple(sorted(both.values(), key=lambda merged: merged.merged_at, reverse=True)),
        total=len(both) + unseen,
        seen_since=max(known) if known and len(known) == len(cuts) else None,
    )


def _read_account(account: Json | None) -> Account | None:
    if account is None:
        return None
    return Account(
        username=account["username"],
        active=account["state"] == "active",
        bot=account["bot"],
    )


def _read_merged(node: Json, key: str) -> Merged:
    author = node.get("author") or {}
    reviewers = {
        str(r["username"]).casefold(): r.get("mergeRequestInteraction")
        for r in nodes_of(node.get("reviewers"))
    }
    interaction = reviewers.get(key)
    deeds = _read_deeds(node, key)
    return Merged(
        iid=int(node["iid"]),
        title=node["title"],
        web_url=node["webUrl"],
        merged_at=read_time(node["mergedAt"]),
        author=author.get("username"),
        author_is_bot=bool(author.get("bot")),
        assigned=key in reviewers,
        review_state=(interaction or {}).get("reviewState"),
        approved=key in usernames_of(node.get("approvedBy")),
        commented=key in usernames_of(node.get("commenters")),
        recorded=None if deeds.cut else deeds.in_time,
        recorded_late=deeds.late,
        cut=any(_is_cut(node, people) for people in ("reviewers", "approvedBy", "commenters"))
        or (key in reviewers and interaction is None),
    )


def _is_cut(node: Json, people: str) -> bool:
    """Return whether people may be missing from a list, if it was asked for."""
    if people not in node:
        return False
    nodes = (node[people] or {}).get("nodes")
    return nodes is None or len(nodes) >= PEOPLE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deeds:
    """Return whether GitLab noted reviews of somebody before the merge, or after it alone."""

    in_time: bool | None
    late: bool = False
    cut: bool = False


def _read_deeds(node: Json, key: str) -> _Deeds:
    if "activity" not in node:
        return _Deeds(in_time=None)
    listed, merged_at = node["activity"] or {}, read_time(node["mergedAt"])
    times = [read_time(note["createdAt"]) for note in nodes_of(listed) if _is_deed(note, key)]
    in_time = any(at <= merged_at for at in times)
    return _Deeds(
        in_time=in_time,
        late=bool(times) and not in_time,
        cut=not in_time and not is_read_until(listed, times_of(listed), merged_at),
    )


def _is_deed(note: Json, key: str) -> bool:
    author = (note.get("author") or {}).get("username") or ""
    return str(author).casefold() == key and note["body"].strip().casefold() in DEEDS


def times_of(notes: Json) -> Iterator[datetime]:
    """Yield when each of some notes was written."""
    return (read_time(note["createdAt"]) for note in nodes_of(notes))


def is_read_until(listed: Json, times: Iterable[datetime], end: datetime) -> bool:
    """Return whether a list was read up to a time, by the times of its items, oldest first."""
    if listed.get("nodes") is None:
        return False
    return not listed["pageInfo"]["hasNextPage"] or max(times, default=end) > end


# SystemNotes::MergeRequestsService: approve_mr, and change_branch with the branch's name after it.
APPROVAL = "approved this merge request"
RETARGETING = "changed target branch from "
# What moves a merge request on. app/services/system_notes/issuables_service.rb:
# change_issuable_assignees, change_status; merge_requests_service.rb: handle_merge_request_draft,
# approve_mr, unapprove_mr; commit_service.rb: add_commits.
MOVE = re.compile(
    r"(?:un)?assigned |(?:un)?approved this merge request$|reopened$"
    r"|marked this merge request as \*\*(?:draft|ready)\*\*|added \d+ commits?\b"
    rf"|{RETARGETING}"
)


def activity_part(need: ActivityOf) -> Part:
    """Ask for what was done to a merge request by its newest system notes."""
    return _newest_notes_part(need, _read_activity)


def deeds_part(need: DeedsOf) -> Part:
    """Ask for what GitLab noted of a merge request; of much, the newest."""
    return _newest_notes_part(need, _read_all_deeds)


def _newest_notes_part(need: N, read: Callable[[N, Json], Fact]) -> Part:
    return make_part(need, ACTIVITY, read, cost=20, iid=str(need.iid), notes=NOTES)


def _find_newest_notes(answer: Json) -> Json | Unread:
    found = (answer.get("project") or {}).get("mergeRequest") or {}
    listed: Json = found.get("activity") or {}
    if listed.get("nodes") is None:
        return Unread(reason="GitLab did not list what happened to the merge request")
    return listed


def _read_activity(_: ActivityOf, answer: Json) -> Activity | Unread:
    listed = _find_newest_notes(answer)
    if isinstance(listed, Unread):
        return listed
    approved: dict[str, datetime] = {}
    times: list[datetime] = []
    moves: list[datetime] = []
    strangers: set[str] = set()
    for note in nodes_of(listed):
        strangers |= _strangers(note)
        at, body = read_time(note["createdAt"]), note["body"].strip().casefold()
        moves += [at] if MOVE.match(body) else []
        if body == APPROVAL and note.get("author"):
            key = str(note["author"]["username"]).casefold()
            approved[key] = max(at, approved.get(key, at))
        # Of what was not listed, nothing is later than the oldest that was.
        if body.startswith(RETARGETING) or (listed["pageInfo"]["hasPreviousPage"] and not times):
            times.append(at)
    return Activity(
        approved=approved,
        retargeted=max(times, default=None),
        moved=max(moves, default=None),
        strangers=frozenset(strangers),
    )


def _read_all_deeds(_: DeedsOf, answer: Json) -> Deeds | Unread:
    listed = _find_newest_notes(answer)
    if isinstance(listed, Unread):
        return listed
    items = [
        Deed(
            at=read_time(note["createdAt"]),
            by=(note.get("author") or {}).get("username"),
            words=note["body"].strip(),
        )
        for note in nodes_of(listed)
    ]
    complete = not listed["pageInfo"]["hasPreviousPage"]
    return Deeds(items=tuple(sorted(items, key=lambda deed: deed.at)), complete=complete)


def _strangers(note: Json) -> set[str]:
    author = note.get("author")
    is_stranger = author and not is_member(note.get("maxAccessLevelOfAuthor"))
    return {str(author["username"]).casefold()} if is_stranger and author else set()


def branch_part(need: DefaultBranchOf) -> Part:
    """Ask for the default branch of a project, where merge requests count."""
    return make_part(need, BRANCH, _read_branch, cost=4)


def _read_branch(need: DefaultBranchOf, answer: Json) -> str | Unread:
    project = answer.get("project")
    if project is None:
        return Unread(reason=f"the project {need.project} cannot be read by the bot")
    if project.get("mergeRequestsEnabled") is False:
        # It is for who asks (app/graphql/types/project_type.rb): where the feature is for members
        # alone, everybody else gets empty lists of what was merged into the branch.
        return Unread(reason=f"the merge requests of {need.project} cannot be read by the bot")
    branch = (project.get("repository") or {}).get("rootRef")
    return branch or Unread(reason=f"GitLab did not tell the default branch of {need.project}")


def threads_part(need: ThreadsOf) -> Part:
    """Ask in which of some merge requests somebody acted before the merge."""
    return make_part(
        need,
        THREADS,
        _read_threads,
        cost=46,
        iids=[str(iid) for iid in need.iids],
        count=len(need.iids),
        notes=NOTES,
    )


def _read_threads(need: ThreadsOf, answer: Json) -> Threads | Unread:
    nodes = ((answer.get("project") or {}).get("mergeRequests") or {}).get("nodes")
    if nodes is None:
        return Unread(reason=f"GitLab did not list the comments in {need.project}")
    key = need.username.casefold()
    found, whole = set(), set()
    deeds = {int(node["iid"]): _read_deeds(node, key) for node in filter(None, nodes)}
    for node in filter(None, nodes):
        iid, notes = int(node["iid"]), node["notes"] or {}
        merged_at = read_time(node["mergedAt"])
        if any(_is_in_thread(note, key, merged_at) for note in nodes_of(notes)):
            found.add(iid)
        if is_read_until(notes, times_of(notes), merged_at) and not deeds[iid].cut:
            whole.add(iid)
    recorded = frozenset(iid for iid, deed in deeds.items() if deed.in_time)
    # Anybody who may edit a merge request can ask for a review of what was merged long ago.
    asked_late = {int(n["iid"]) for n in filter(None, nodes) if _is_asked_late(n, key)}
    late = {iid for iid, deed in deeds.items() if deed.late} | (asked_late & found)
    found -= asked_late
    return Threads(
        found=frozenset(found),
        cut=frozenset(need.iids) - whole - found - recorded,
        recorded=recorded,
        late=frozenset(late),
    )


def _is_asked_late(node: Json, key: str) -> bool:
    """Return whether GitLab noted that somebody was asked for a review, and after the merge alone.

    Who was asked when a merge request was opened may be noted nowhere.
    """
    times = [
        read_time(note["createdAt"])
        for note in nodes_of(node.get("activity"))
        if key in _asked_people(note["body"])
    ]
    return bool(times) and min(times) > read_time(node["mergedAt"])


def _asked_people(body: str) -> set[str]:
    asked = body.casefold().partition(NO_MORE_ASKED)[0]
    return set(_NAME.findall(asked)) if asked.startswith(ASKING) else set()


def _is_in_thread(note: Json, key: str, merged_at: datetime) -> bool:
    author = (note.get("author") or {}).get("username") or ""
    if not note["resolvable"] or str(author).casefold() != key:
        return False
    return read_time(note["createdAt"]) <= merged_at
