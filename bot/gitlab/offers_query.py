"""The queries for merge requests that the bot opened for steps, and their answers."""

from bot.evidence import WITHDRAWN, Offer, Offers, OffersOf
from bot.gitlab.answers import Json, nodes_of, number_of
from bot.gitlab.packing import Part, make_part
from bot.unread import Unread, hidden

DEVELOPER = 30  # the role that may push branches (lib/gitlab/access.rb)

OFFERS = """
query($project: ID!, $branches: [String!]) {
  project(fullPath: $project) {
    id archived mergeRequestsEnabled maxAccessLevel { integerValue }
    mergeRequests(sourceBranches: $branches, sort: CREATED_DESC, first: 40) {
      pageInfo { hasNextPage }
      nodes {
        iid state webUrl description sourceBranch targetBranch sourceProjectId conflicts
        author { id }
        commits(first: 5) { pageInfo { hasNextPage } nodes { author { id } } }
      }
    }
  }
}
"""

OWN_OFFERS = OFFERS.replace("$branches: [String!]", "$author: String").replace(
    "sourceBranches: $branches", "authorUsername: $author"
)


def offers_part(need: OffersOf) -> Part:
    """Ask for merge requests of the bot's, newest first, and whether it may open one there."""
    return make_part(need, OWN_OFFERS if need.author else OFFERS, _read_offers, cost=37)


def _read_offers(_: OffersOf, answer: Json) -> Offers | Unread:
    project = answer.get("project")
    if project is None:
        return hidden("the project")
    found = project.get("mergeRequests") or {}
    if found.get("nodes") is None:
        return Unread(reason="GitLab did not list the merge requests of the project")
    own = number_of(project["id"])
    # A fork has branches of its own, with whatever name.
    nodes = [node for node in nodes_of(found) if node.get("sourceProjectId") == own]
    return Offers(
        items=tuple(map(_read_offer, reversed(nodes))),
        refusal=_find_refusal(project),
        complete=not found["pageInfo"]["hasNextPage"],
    )


def _find_refusal(project: Json) -> str | None:
    """Say why the bot may not push a branch and open a merge request, as far as that is told."""
    level = (project.get("maxAccessLevel") or {}).get("integerValue") or 0
    if project.get("archived"):
        return "the project is archived"
    if project.get("mergeRequestsEnabled") is False:
        return "the project takes no merge requests"
    if level < DEVELOPER:
        return "the account of the bot lacks the Developer role in the project"
    return None


def _read_offer(node: Json) -> Offer:
    commits = node.get("commits") or {}
    authors = {
        number_of(author["id"]) if (author := commit.get("author")) else None
        for commit in nodes_of(commits)
    }
    if not commits or commits["pageInfo"]["hasNextPage"]:
        authors.add(None)  # of those that were not listed nobody knows whose they are
    return Offer(
        iid=int(node["iid"]),
        web_url=node["webUrl"],
        state=node["state"],
        branch=node["sourceBranch"],
        target=node["targetBranch"],
        author_id=number_of(node["author"]["id"]) if node.get("author") else None,
        whose=frozenset(authors),
        conflicts=bool(node.get("conflicts")),
        withdrawn=(node.get("description") or "").startswith(WITHDRAWN),
    )
