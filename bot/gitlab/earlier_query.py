"""The queries for other merge requests that may propose the same, and their answers."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bot.evidence import Proposed, ProposedOf, Sibling, Siblings, SiblingsOf
from bot.gitlab.answers import Json, nodes_of, read_touched
from bot.gitlab.packing import Part, make_part
from bot.unread import Unread

SIBLINGS = """
query($project: ID!, $branch: String!, $after: String) {
  project(fullPath: $project) {
    mergeRequests(sourceBranches: [$branch], sort: CREATED_DESC, first: 50, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { iid state sourceProjectId targetBranch }
    }
  }
}
"""

# To list one's files takes GitLab some time.
# So many that the query leaves room for a part of files beside it.
PROPOSED = """
query($project: ID!, $author: String!) {
  project(fullPath: $project) {
    opened: mergeRequests(
      state: opened, authorUsername: $author, sort: UPDATED_DESC, first: 18
    ) {
      nodes { iid userNotesCount diffStats { path } diffStatsSummary { fileCount } }
    }
    closed: mergeRequests(
      state: closed, authorUsername: $author, sort: UPDATED_DESC, first: 18
    ) {
      nodes { iid userNotesCount diffStats { path } diffStatsSummary { fileCount } }
    }
    merged: mergeRequests(
      state: merged, authorUsername: $author, sort: UPDATED_DESC, first: 10
    ) {
      nodes { iid targetBranch userNotesCount }
    }
    late: mergeRequests(state: closed, sort: UPDATED_DESC, first: 18) {
      nodes { iid userNotesCount diffStats { path } diffStatsSummary { fileCount } }
    }
    now: mergeRequests(state: opened, sort: UPDATED_DESC, first: 18) {
      nodes { iid userNotesCount diffStats { path } diffStatsSummary { fileCount } }
    }
  }
}
"""


def _read_siblings(_: SiblingsOf, answer: Json) -> Siblings | Unread:
    found = (answer.get("project") or {}).get("mergeRequests") or {}
    if found.get("nodes") is None:
        return Unread(reason="GitLab did not list the merge requests from this branch")
    page = found["pageInfo"]
    return Siblings(
        items=tuple(
            Sibling(
                iid=int(node["iid"]),
                merged_into=node["targetBranch"] if node["state"] == "merged" else None,
                source_project_id=node.get("sourceProjectId"),
            )
            for node in nodes_of(found)
        ),
        following=page["endCursor"] if page["hasNextPage"] else None,
    )


def _read_proposed(_: ProposedOf, answer: Json) -> Proposed | Unread:
    found = answer.get("project") or {}
    lists = [found.get(name) or {} for name in ("opened", "closed", "late", "now", "merged")]
    if any(each.get("nodes") is None for each in lists):
        return Unread(reason="GitLab did not list the other merge requests")
    own = frozenset(int(node["iid"]) for each in lists[:2] for node in nodes_of(each))
    # Where nobody commented, nothing is held.
    *rest, merged = ([n for n in nodes_of(each) if n.get("userNotesCount") != 0] for each in lists)
    return Proposed(
        # Where there is nothing to compare, nothing is told to be changed.
        paths={int(n["iid"]): read_touched(n) for nodes in rest for n in nodes},
        own=own,
        merged=tuple((int(n["iid"]), str(n["targetBranch"])) for n in merged),
    )


PARTS: Mapping[type, Callable[[Any], Part]] = {
    SiblingsOf: partial(make_part, text=SIBLINGS, read=_read_siblings, cost=16),
    ProposedOf: partial(make_part, text=PROPOSED, read=_read_proposed, cost=55),
}
