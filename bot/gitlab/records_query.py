"""The queries for the present state of a merge request, and for what was done to it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bot.evidence import Deed, Deeds, DeedsOf, StandingOf
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
DEEDS = """
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


def _read_deeds(_: DeedsOf, answer: Json) -> Deeds | Unread:
    found = (answer.get("project") or {}).get("mergeRequest") or {}
    listed: Json = found.get("activity") or {}
    if listed.get("nodes") is None:
        return Unread(reason="GitLab did not list what happened to the merge request")
    items = [
        Deed(
            at=read_time(note["createdAt"]),
            by=(note.get("author") or {}).get("username"),
            words=note["body"].strip(),
            by_member=is_member(note.get("maxAccessLevelOfAuthor")),
        )
        for note in nodes_of(listed)
    ]
    complete = not listed["pageInfo"]["hasPreviousPage"]
    return Deeds(items=tuple(sorted(items, key=lambda deed: deed.at)), complete=complete)


PARTS: Mapping[type, Callable[[Any], Part]] = {
    StandingOf: partial(make_part, text=STANDING, read=_read_standing, cost=26),
    DeedsOf: partial(make_part, text=DEEDS, read=_read_deeds, cost=20),
}
