"""The queries for the present state of a merge request, and for what was done to it."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from bot.evidence import Activity, ActivityOf, Deed, Deeds, DeedsOf, StandingOf
from bot.gitlab.answers import Json, is_member, nodes_of, number_of, read_time, usernames_of
from bot.gitlab.packing import Part, make_part
from bot.merge_request import Standing
from bot.unread import Unread

PAGE = 100  # people in the lists below, which is GitLab's largest

# Of the comments the newest are enough to tell that there are new ones.
STANDING = """
query($project: ID!, $iid: String!) {
  project(fullPath: $project) {
    mergeRequest(iid: $iid) {
      diffHeadSha state targetBranch
      assignees(first: 100) { nodes { username } }
      approvedBy(first: 100) { nodes { username } }
      notes(filter: ONLY_COMMENTS, last: 30) {
        pageInfo { hasPreviousPage }
        nodes { id lastEditedAt author { id } }
      }
    }
  }
}
"""

# Of much that GitLab noted, the newest.
ACTIVITY = """
query($project: ID!, $iid: String!) {
  project(fullPath: $project) {
    mergeRequest(iid: $iid) {
      activity: notes(filter: ONLY_ACTIVITY, last: 100) {
        pageInfo { hasPreviousPage }
        nodes { body createdAt maxAccessLevelOfAuthor author { username } }
      }
    }
  }
}
"""

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


def _read_standing(_: StandingOf, answer: Json) -> Standing | Unread:
    found = (answer.get("project") or {}).get("mergeRequest") or {}
    lists = [found.get(name) or {} for name in ("assignees", "approvedBy", "notes")]
    if not found.get("diffHeadSha") or any(each.get("nodes") is None for each in lists):
        return Unread(reason="GitLab did not tell the present state of the merge request")
    assignees, approved_by, notes = lists
    return Standing(
        head_sha=found["diffHeadSha"],
        state=found["state"],
        target_branch=found["targetBranch"],
        assignees=frozenset(usernames_of(assignees)),
        approved_by=frozenset(usernames_of(approved_by)),
        comments=frozenset(map(_read_comment, nodes_of(notes))),
        whole=not notes["pageInfo"]["hasPreviousPage"],
        # A full page may go on; to ask would make this the one part too many of some queries.
        more_people=any(len(each["nodes"]) >= PAGE for each in (assignees, approved_by)),
    )


def _read_comment(node: Json) -> tuple[int, int | None, bool]:
    author = node.get("author")
    number = number_of(author["id"]) if author else None
    return number_of(node["id"]), number, node.get("lastEditedAt") is not None


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


def _strangers(note: Json) -> set[str]:
    author = note.get("author")
    is_stranger = author and not is_member(note.get("maxAccessLevelOfAuthor"))
    return {str(author["username"]).casefold()} if is_stranger and author else set()


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


PARTS: Mapping[type, Callable[[Any], Part]] = {
    StandingOf: partial(make_part, text=STANDING, read=_read_standing, cost=26),
    ActivityOf: partial(make_part, text=ACTIVITY, read=_read_activity, cost=20),
    DeedsOf: partial(make_part, text=ACTIVITY, read=_read_all_deeds, cost=20),
}
