"""Read the places and the entries, and compare them."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

from bot.app.drift.comparing import compare
from bot.app.drift.places import names_told, place_needs
from bot.app.drift.roll import Entries
from bot.app.drift.values import Drift
from bot.errors import GitLabError
from bot.gitlab import GitLabClient
from bot.policy import Policy
from bot.team import is_team_file, may_mention, may_name
from bot.unread import Unread


def find_drift(
    gitlab: GitLabClient,
    policies: Sequence[Policy],
    where: tuple[str, str],
    tell: Callable[[str], None],
) -> tuple[Drift, ...]:
    """Compare, for each policy, who has its role by entry, groups and files.

    `where` is GitLab's address and the path of the team database.
    """
    gitlab_url, project = where
    gitlab.only_read()
    tell("reading groups and files …")
    facts = gitlab.fetch_facts(place_needs(policies, project))
    tell("reading the entries …")
    keys = {policy.project for policy in policies}
    entries = read_entries(gitlab, project, policies, keys, names_told(policies, facts))
    tell("comparing …")
    return tuple(compare(policy, facts, entries, gitlab, gitlab_url) for policy in policies)


def read_entries(
    gitlab: GitLabClient,
    project: str,
    policies: Sequence[Policy],
    keys: Collection[str],
    names: Collection[str],
) -> Entries:
    """Read the entries that may mention any of the keys or name any of the accounts."""
    files: dict[str, bytes] = {}
    branch = ""
    try:
        branch = gitlab.fetch_default_branch(project)
        for glob in dict.fromkeys(policy.team_files for policy in policies):
            folder = glob.partition("*")[0].rstrip("/")
            wanted = partial(_is_wanted, glob, keys, names)
            files.update(gitlab.fetch_archive(project, branch, folder, wanted))
    except GitLabError as error:
        unread = Unread(reason=str(error))
        return Entries(project=project, branch=branch or "HEAD", files=unread)
    return Entries(project=project, branch=branch, files=files)


def _is_wanted(
    glob: str, keys: Collection[str], names: Collection[str], path: str, content: bytes
) -> bool:
    return is_team_file(path, glob) and (
        any(may_mention(content, key) for key in keys) or may_name(content, names)
    )
