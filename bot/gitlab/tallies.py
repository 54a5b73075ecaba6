"""Count for many people at once what they did in a repository, without looking at any of it."""

from collections.abc import Mapping, Sequence

from bot.evidence import Tally
from bot.gitlab.answers import Json
from bot.unread import Unread, hidden

# People in one query: each takes about 16 of the 250 points of GitLab's complexity score.
PEOPLE = 14


def write_query(count: int, *, approvals: bool = True) -> str:
    """Write the query for so many people; the variables are `project`, `branch` and `who0` ….

    Not all tiers can filter by approver.
    """
    declared = "".join(f", $who{number}: String!" for number in range(count))
    asked = "\n".join(_write_person(number, approvals=approvals) for number in range(count))
    return f"query Tallies($project: ID!, $branch: String!{declared}) {{\n{asked}\n}}\n"


def _write_person(number: int, *, approvals: bool) -> str:
    who, merged = f"$who{number}", "state: merged, targetBranches: [$branch], first: 1"
    filters = {"authored": f"authorUsername: {who}", "asked": f"reviewerUsername: {who}"}
    if approvals:
        filters["approved"] = f"approvedBy: [{who}]"
    lists = " ".join(
        f"{name}: mergeRequests({given}, {merged}) {{ count }}" for name, given in filters.items()
    )
    return (
        f"  u{number}: user(username: {who}) {{ username state bot }}\n"
        f"  p{number}: project(fullPath: $project) {{ {lists} }}"
    )


def read_tallies(answer: Json, usernames: Sequence[str]) -> Mapping[str, Tally | Unread]:
    """Read the counts by username as it was asked for."""
    return {
        name: _read_tally(answer.get(f"u{number}"), answer.get(f"p{number}"))
        for number, name in enumerate(usernames)
    }


def _read_tally(account: Json | None, project: Json | None) -> Tally | Unread:
    if account is None:
        return Unread(reason="GitLab knows no account of this name")
    if account["bot"] or account["state"] != "active":
        return Unread(reason="the account is a bot's, or not active")
    if project is None:
        return hidden("the repository")
    counted = [project.get(name) for name in ("authored", "asked", "approved")]
    authored, asked, approved = (int(each["count"]) if each else None for each in counted)
    if authored is None:
        return Unread(reason="GitLab did not count the merge requests")
    return Tally(authored=authored, reviews=max(asked or 0, approved or 0))
