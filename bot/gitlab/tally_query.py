"""The query for how much somebody did in a repository, without a look at any of it."""

from functools import partial

from bot.evidence import Tally, TallyOf
from bot.gitlab.answers import Json
from bot.gitlab.packing import Part, make_part
from bot.unread import Unread, hidden

# Of each list the length alone is wanted, and the shortest page adds least to the score.
TALLY = """
query($username: String!, $project: ID!, $branch: String!) {
  user(username: $username) { username state bot }
  project(fullPath: $project) {
    authored: mergeRequests(
      authorUsername: $username, state: merged, targetBranches: [$branch], first: 1
    ) { count }
    asked: mergeRequests(
      reviewerUsername: $username, state: merged, targetBranches: [$branch], first: 1
    ) { count }
    approved: mergeRequests(
      approvedBy: [$username], state: merged, targetBranches: [$branch], first: 1
    ) { count }
  }
}
"""
# Not all tiers can filter by approver.
TALLY_WITHOUT_FILTER = TALLY[: TALLY.index("    approved:")] + "  }\n}\n"


def tally_part(need: TallyOf) -> Part:
    """Ask for counts alone, so that one query has room for those of many people."""
    ask = partial(make_part, need, read=_read_tally, cost=17)
    return ask(TALLY, fallback=ask(TALLY_WITHOUT_FILTER))


def _read_tally(_: TallyOf, answer: Json) -> Tally | Unread:
    account, project = answer.get("user"), answer.get("project")
    if account is None:
        return Unread(reason="GitLab knows no account of this name")
    if account["bot"] or account["state"] != "active":
        return Unread(reason="the account is a bot's, or not active")
    if project is None:
        return hidden("the repository")
    # Where one is asked for, it is null only if GitLab left it out.
    names = ("authored", "asked", "approved")[: 3 if "approved" in project else 2]
    lists = [project.get(name) for name in names]
    if any(each is None for each in lists):
        return Unread(reason="GitLab did not count the merge requests")
    authored, *reviews = (int(each["count"]) for each in lists)
    return Tally(authored=authored, reviews=max(reviews))
