"""List the merge requests that a sweep looks at."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.app import Choices, Look
from bot.errors import GitLabError
from bot.gitlab import GitLabClient
from bot.publish import Problem
from bot.team import may_concern_entries

# How far back the sweep looks for merge requests whose events were lost.
LATELY = timedelta(days=2)
# How long ago a merged merge request may have changed that a former account of the bot marked.
FORMERLY = timedelta(days=90)
EVER = datetime(2000, 1, 1, tzinfo=UTC)  # before there was any GitLab
# How often the sweep tries what fails.
TRIES = 2
# States of merge requests that the sweep looks at.
SWEPT = ("opened", "merged")


def list_swept(
    project: str, choices: Choices, gitlab: GitLabClient
) -> tuple[Collection[int], list[Look]]:
    """List what the sweep looks at; what could not be listed does not stop the rest."""
    iids: dict[int, None] = {}
    lost: list[Look] = []
    for what, search in _searches(project, choices, gitlab):
        problem = _list_one(search, iids)
        if problem:
            lack = Problem(what=f"{what} was not all listed", why=str(problem))
            lost.append(Look(iid=None, problems=(lack,)))
    return iids, lost


def _list_one(search: Callable[[], Iterable[int]], iids: dict[int, None]) -> GitLabError | None:
    """Add what a search finds, and try it once more when it fails; return why it failed twice."""
    problem: GitLabError | None = None
    for _ in range(TRIES):
        try:
            for iid in search():  # keeps what came before an error
                iids[iid] = None
        except GitLabError as error:
            problem = error
        else:
            return None
    return problem


def _searches(
    project: str, choices: Choices, gitlab: GitLabClient
) -> list[tuple[str, Callable[[], Iterable[int]]]]:
    """Say how merge requests are found that the present account did not mark."""
    former, globs = choices.former_ids, choices.rules.globs

    def find_opened() -> Iterator[int]:
        # An event that was lost may be the one that opened a merge request: nothing marks that.
        # GitLab finds marks of the present account alone (`my_reaction_emoji`,
        # doc/api/merge_requests.md), so those of a former one are found by what they change,
        # however old they are.
        since = EVER if former else gitlab.now() - LATELY
        found = gitlab.fetch_recent(project, since)
        for iid, paths in found:
            if may_concern_entries(paths, globs):
                yield iid

    def find_merged() -> Iterable[int]:
        return gitlab.fetch_marked(project, gitlab.now() - FORMERLY, former)

    # The time is GitLab's, which is known once it has answered anything.
    searches: list[tuple[str, Callable[[], Iterable[int]]]] = [
        (f"what is marked and {state}", partial(gitlab.fetch_watched, project, state))
        for state in SWEPT
    ]
    searches.append(("what was opened" if former else "what changed lately", find_opened))
    if former:
        searches.append(("what a former account marked", find_merged))
    return searches
