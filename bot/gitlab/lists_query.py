"""The queries for lists of merge requests, by when they changed, and what tells which matter."""

from collections.abc import Collection

from bot.gitlab.answers import Json, nodes_of, number_of
from bot.merge_request import WATCH

RECENT = """
query RecentMergeRequests($project: ID!, $since: Time!, $after: String) {
  project(fullPath: $project) {
    mergeRequests(
      state: opened, updatedAfter: $since, sort: UPDATED_DESC, first: 50, after: $after
    ) {
      pageInfo { hasNextPage endCursor }
      nodes { iid diffRefs { baseSha } diffStats { path } diffStatsSummary { fileCount } }
    }
  }
}
"""

MARKED = """
query MarkedMergeRequests($project: ID!, $since: Time!, $after: String) {
  project(fullPath: $project) {
    mergeRequests(
      state: merged, updatedAfter: $since, sort: UPDATED_DESC, first: 100, after: $after
    ) {
      pageInfo { hasNextPage endCursor }
      nodes { iid awardEmoji(first: 100) { nodes { name user { id } } } }
    }
  }
}
"""


def is_marked(node: Json, accounts: Collection[int]) -> bool:
    """Return whether any of some accounts has put the sweep's emoji on a merge request."""
    return any(
        emoji["name"] == WATCH and number_of(emoji["user"]["id"]) in accounts
        for emoji in nodes_of(node["awardEmoji"])
    )
