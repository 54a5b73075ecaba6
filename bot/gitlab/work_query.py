"""The queries for what somebody authored and reviewed, and their answers.

Neither an approval nor a reviewer's state has a date, and states can be set after the merge:
app/services/merge_requests/update_reviewer_state_service.rb asks for no state of the merge
request. What GitLab does date are the system notes it writes of them (`DEEDS`), which stay
when a push resets the approval (ee/app/services/ee/merge_requests/base_service.rb).
"""
# One module: the text of one query, which takes a third, and what reads the fields it names.

from dataclasses import replace
from functools import partial

from bot.evidence import Listed, Merged, Work, WorkOf
from bot.gitlab.answers import Json, nodes_of, read_person, read_time, usernames_of
from bot.gitlab.deeds import read_deeds
from bot.gitlab.packing import Part, make_part
from bot.unread import Unread, hidden

AUTHORED, REVIEWS = 10, 30  # of each list, where no more of them are wanted
PAGE = 100  # GitLab's largest
PEOPLE = 100  # of one merge request; a full page may have been cut
NOT_FILTERED: Json = {"count": 1, "nodes": ()}  # a list of which nothing was seen

# Of the system notes the oldest: what came after the merge does not matter.
_WORK = """
query(
  $username: String!, $project: ID!, $branch: String!
  $authored: Int!, $reviews: Int!, $people: Int!
) {
  user(username: $username) { id username state bot }
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


def work_part(need: WorkOf) -> Part:
    """Ask for somebody's account, and the merged merge requests they had to do with."""
    authored = min(PAGE, max(AUTHORED, need.wanted))
    # Not all that somebody was asked to review are reviews.
    reviews = min(PAGE, max(REVIEWS, 2 * need.wanted))
    ask = partial(
        make_part,
        need,
        # Larger pages cost a little more of each list.
        cost=156 + (authored - AUTHORED) // 5 + (reviews - REVIEWS) * 2 // 3,
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
    project = answer.get("project")
    if project is None:
        return hidden(f"the project {need.project}")
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
        account=read_person(answer.get("user")),
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


def _read_merged(node: Json, key: str) -> Merged:
    author = node.get("author") or {}
    reviewers = {
        str(r["username"]).casefold(): r.get("mergeRequestInteraction")
        for r in nodes_of(node.get("reviewers"))
    }
    interaction = reviewers.get(key)
    deeds = read_deeds(node, key)
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
