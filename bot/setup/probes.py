"""Points about every query and route that the bot can send, each sent once where it only reads.

A GitLab that is older, of a lower tier, or otherwise not what its documents say is found here,
with the feature it costs, and not in a nomination.
"""

from collections.abc import Callable, Iterator
from functools import partial

from bot.errors import AbsentError, GitLabError, UnreachableError
from bot.gitlab import MISSHAPEN, tell_misshapen
from bot.setup.asking import OTHERS, ask_everything, ask_issues, ask_need
from bot.setup.ground import Ground
from bot.setup.needs import FOR_NEEDS, ONLY_FOR
from bot.setup.sample import Sample, take_sample
from bot.setup.values import Found, Point, ok, unknown, wrong

ISSUE = "no issue says what has not worked"
UPGRADE = "upgrade GitLab, or do without that"


def find_points(ground: Ground) -> Iterator[Point]:
    """Yield a point for each query and route; those of a gate that is not used are left out."""
    before = ("token", "team-project", *_places(ground))
    asked = []
    for name, (ask, costs) in OTHERS.items():
        asked.append(_point(name, costs, ask, before))
    for name, (find, costs) in FOR_NEEDS.items():
        if ONLY_FOR.get(name) in {None, ground.settings.gate}:
            asked.append(_point(name, costs, partial(ask_need, find=find), before))
    if ground.settings.issue:
        asked.append(_point("issues of the bot's project", ISSUE, ask_issues, ("token",)))
    yield from asked
    costs = "time: every run sends several queries instead of one"
    singly = (*before, *(point.id for point in asked))
    yield _point("all at once", costs, ask_everything, singly)


def _places(ground: Ground) -> Iterator[str]:
    """Yield the points about what the queries ask for."""
    for policy in ground.policies[:1]:
        yield f"project {policy.repository}"
        yield f"group {policy.maintainers.group}"


def _point(
    name: str,
    costs: str,
    ask: Callable[[Ground, Sample], str | None],
    needs: tuple[str, ...],
) -> Point:
    return Point(
        id=f"query {name}",
        needs=needs,
        expected="GitLab answers it",
        costs=costs,
        look=partial(_try, ask=ask),
        link=lambda ground: ground.team_page("merge_requests"),
    )


def _try(ground: Ground, ask: Callable[[Ground, Sample], str | None]) -> Found:
    if not ground.policies:
        return unknown("there is no policy to ask for", "mend the policies", excused=True)
    sample = take_sample(ground)
    try:
        problem = ask(ground, sample)
    except UnreachableError:
        raise  # of GitLab, not of this query
    except (GitLabError, *MISSHAPEN) as error:
        if isinstance(error, AbsentError) and not sample.real:
            return unknown(
                "the team database has no merge request to ask about",
                "open one and run this again",
                excused=True,
            )
        problem = str(error) if isinstance(error, GitLabError) else tell_misshapen(error)
    return wrong(problem, UPGRADE) if problem else ok("answered")
