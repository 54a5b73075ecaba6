"""The query for what somebody did in merge requests before the merge, and its answer."""

import re
from datetime import datetime

from bot.evidence import Threads, ThreadsOf
from bot.gitlab.answers import Json, nodes_of, read_time
from bot.gitlab.deeds import is_read_until, read_deeds, times_of
from bot.gitlab.packing import Part, make_part
from bot.unread import Unread

# Who was asked for a review: change_issuable_reviewers in SystemNotes::IssuablesService
# (app/services/system_notes/issuables_service.rb); whom it was taken from stands behind.
ASKING, NO_MORE_ASKED = "requested review from ", " and removed "
_NAME = re.compile(r"@([\w.-]+)")

# Only notes in threads can be resolved (`ResolvableNote`), which tells them from plain comments.
THREADS = """
query($project: ID!, $iids: [String!], $count: Int!) {
  project(fullPath: $project) {
    mergeRequests(iids: $iids, first: $count) {
      nodes {
        iid mergedAt
        notes(filter: ONLY_COMMENTS, first: 100) {
          pageInfo { hasNextPage }
          nodes { resolvable createdAt author { username } }
        }
        activity: notes(filter: ONLY_ACTIVITY, first: 100) {
          pageInfo { hasNextPage }
          nodes { body createdAt author { username } }
        }
      }
    }
  }
}
"""


def threads_part(need: ThreadsOf) -> Part:
    """Ask in which of some merge requests somebody acted before the merge."""
    return make_part(need, THREADS, _read_threads, cost=46, count=len(need.iids))


def _read_threads(need: ThreadsOf, answer: Json) -> Threads | Unread:
    nodes = ((answer.get("project") or {}).get("mergeRequests") or {}).get("nodes")
    if nodes is None:
        return Unread(reason=f"GitLab did not list the comments in {need.project}")
    key = need.username.casefold()
    found, whole = set(), set()
    deeds = {int(node["iid"]): read_deeds(node, key) for node in filter(None, nodes)}
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
