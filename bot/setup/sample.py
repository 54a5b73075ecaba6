"""What the queries of the bot are tried on: what the team database has and the policies name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bot.gitlab import escape_path
from bot.setup.ground import Ground

NOWHERE = "nomination-bot/there-is-no-such-file"  # it tries a query, and nothing is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What queries are tried on: a merge request of the team database, if there is a `real` one."""

    project: str
    project_id: int
    branch: str
    iid: int
    sha: str
    real: bool
    repository: str
    group: str
    username: str
    user_id: int
    status_name: str
    changed: Callable[[str], str]


def take_sample(ground: Ground) -> Sample:
    """Take the merge request that changed last, or what serves instead where there is none."""
    row = next((each for each in ground.samples if each.get("sha")), None)
    team, policy = ground.as_bot(ground.team), ground.policies[0]
    branch = str(team["default_branch"])
    if row is None:
        # GitLab checks a query before it looks for what is asked about.
        tip = ground.as_bot(f"{ground.team}/repository/branches/{escape_path(branch)}")
    sha = str(row["sha"] if row else tip["commit"]["id"])
    return Sample(
        project=str(team["path_with_namespace"]),
        project_id=int(team["id"]),
        branch=branch,
        iid=int(row["iid"]) if row else 1,
        sha=sha,
        real=row is not None,
        repository=policy.repository,
        group=policy.maintainers.group,
        username=str(ground.me["username"]),
        user_id=int(ground.me["id"]),
        status_name=ground.settings.status_name,
        changed=partial(_changed_path, ground, sha),
    )


def _changed_path(ground: Ground, sha: str, name: str) -> str:
    """Return a file that the commit changes: not to list one that it does is a fault."""
    path = f"{ground.team}/repository/commits/{sha}/diff"
    rows, _ = ground.bot.fetch_rows(path, {"per_page": 1})
    return str(rows[0][name]) if rows else NOWHERE
