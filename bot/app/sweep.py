"""Look at many merge requests: all in case an event was lost, or those that a merge touches."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice

from bot.app import Choices, Evaluation, Look
from bot.app.rounds import run_alone
from bot.errors import BotError, GitLabError, MissingError
from bot.evidence import SharedFacts, Source
from bot.gitlab import GitLabClient
from bot.publish import is_over
from bot.team import concerns_entries, may_concern_entries

# How far back the sweep looks for merge requests whose events were lost.
LATELY = timedelta(days=2)
# How long ago a merged merge request may have changed that a former account of the bot marked.
FORMERLY = timedelta(days=90)
# At how many merge requests a run looks at most that was started by a broken event, and among
# how many that changed last it looks for them.
MOST_LOOKS, NEWEST = 10, 50
EVER = datetime(2000, 1, 1, tzinfo=UTC)  # before there was any GitLab
# For how long after a merge every run looks at the open merge requests of the same entries. The
# push event of the merge leads there, too, but a webhook may be older than that event's use.
JUST_NOW = timedelta(hours=1)
# How far back those are looked for, among how many, and how many are looked at, beside the one
# that was merged and for a push: the sweep sees to the others.
LONG_AGO = timedelta(days=90)
MOST_LISTED, MOST_AGAIN, MOST_TOUCHED = 200, 8, 25
# How often the sweep tries what fails.
TRIES = 2
# States of merge requests that the sweep looks at.
SWEPT = ("opened", "merged")


def sweep(
    iids: Collection[int], look: Callable[[int], Look], take_share: Callable[[int], None]
) -> list[Look]:
    """Look at merge requests one by one; a failure at one never stops the others.

    Each is given its share of what is left first, for one that takes long is such a failure, too.
    A bug at one is raised when the others have been looked at, with what else went wrong.
    """
    looks: list[Look] = []
    bugs: list[Exception] = []
    for iid in iids:
        take_share(len(iids) - len(looks))
        try:
            looks.append(look(iid))
        except BotError as error:
            missing = isinstance(error, MissingError)
            looks.append(Look(iid=iid, problems=(str(error),), missing=missing))
        except Exception as bug:
            bug.add_note(f"This was at !{iid}.")
            bugs.append(bug)
            looks.append(Look(iid=iid, problems=(f"a bug: {type(bug).__name__}",)))
    if bugs:
        for told in (f"!{look.iid}: {problem}" for look in looks for problem in look.problems):
            bugs[0].add_note(told)
        raise bugs[0]
    return looks


def run(
    project: str, iid: int, choices: Choices, gitlab: GitLabClient, source: Source | None = None
) -> tuple[Evaluation, list[str]]:
    """Evaluate a merge request and publish; return what could not be written, too.

    Right after its merge, open merge requests that touch the same entries are looked at again:
    what a merge makes of them has changed. A sweep, which has its own `source`, sees them anyway.
    Raises GitLabError when the head does not stand still.
    """
    evaluation, problems = run_alone(project, iid, choices, gitlab, source)
    if source is None and _has_just_merged(evaluation):
        merged = evaluation.merge_request
        again = tuple(look_at_touching(project, merged.changed_paths, choices, gitlab, merged.iid))
        evaluation = replace(evaluation, again=again)
    return evaluation, problems


def _has_just_merged(evaluation: Evaluation) -> bool:
    merged_at = evaluation.merge_request.merged_at
    return (
        merged_at is not None
        and evaluation.merge_request.counts
        and evaluation.now - merged_at < JUST_NOW
    )


def look_at_touching(
    project: str,
    changed: Collection[str] | None,
    choices: Choices,
    gitlab: GitLabClient,
    but: int | None = None,
) -> list[Look]:
    """Look at the open merge requests, but one, that touch an entry which changed on the target.

    Where it is not known what changed, those are looked at that touch any entry.
    """
    globs = choices.rules.globs
    if not may_concern_entries(changed, globs):
        return []
    entries = {path for path in changed or () if concerns_entries(path, globs)}
    shared = SharedFacts(gitlab, project)

    def look(iid: int) -> Look:
        return _tell(iid, *run_alone(project, iid, choices, gitlab, shared))

    def is_touched(paths: tuple[str, ...] | None) -> bool:
        if changed is None or paths is None:
            return may_concern_entries(paths, globs)
        return not entries.isdisjoint(paths)

    try:
        recent = list(islice(gitlab.fetch_recent(project, gitlab.now() - LONG_AGO), MOST_LISTED))
        is_cut = len(recent) >= MOST_LISTED
        watched = gitlab.fetch_watched(project, "opened") if is_cut else []
    except GitLabError as error:
        problem = f"the merge requests that touch the same entries were not listed: {error}"
        return [Look(iid=None, problems=(problem,))]
    known = {iid for iid, _ in recent}
    touching = [iid for iid, paths in recent if is_touched(paths)]
    # Which files older ones touch is not known; those that matter are marked.
    iids = [*touching, *(iid for iid in watched if iid not in known)]
    others = [iid for iid in iids if iid != but]
    return sweep(others[: MOST_AGAIN if but else MOST_TOUCHED], look, gitlab.take_share)


def look_at(
    project: str,
    iids: Collection[int],
    choices: Choices,
    gitlab: GitLabClient,
    source: Source | None = None,
) -> list[Look]:
    """Look at merge requests one by one; what becomes of one never stops the others."""

    def look(iid: int) -> Look:
        return _tell(iid, *run(project, iid, choices, gitlab, source))

    return sweep(iids, look, gitlab.take_share)


def _tell(iid: int, evaluation: Evaluation, problems: Sequence[str]) -> Look:
    plan = evaluation.plan
    told = bool(plan.gate_problem) and not plan.gate_unread
    notices = (f"gate: {plan.gate_problem}",) if told else ()
    return Look(iid=iid, problems=tuple(problems), notices=notices)


def look_lately(project: str, choices: Choices, gitlab: GitLabClient) -> list[Look]:
    """Look at the merge requests that changed last, as nobody knows which one an event is about.

    Those that are over are left to the sweep.
    """
    newest, globs = islice(gitlab.fetch_recent(project, EVER), NEWEST), choices.rules.globs
    iids = [iid for iid, paths in newest if may_concern_entries(paths, globs)]
    return look_at(project, iids[:MOST_LOOKS], choices, gitlab, SharedFacts(gitlab, project))


def sweep_all(project: str, choices: Choices, gitlab: GitLabClient) -> list[Look]:
    """Look again at every nomination that is not over; what several share is read once."""
    shared = SharedFacts(gitlab, project)

    def look(iid: int) -> Look:
        evaluation, problems = run(project, iid, choices, gitlab, shared)
        if is_over(evaluation.findings) and not (problems or choices.observe):
            gitlab.unwatch(evaluation.merge_request)
        return _tell(iid, evaluation, problems)

    iids, lost = _list_swept(project, choices, gitlab)
    return _once_more(sweep(iids, look, gitlab.take_share), look, gitlab) + lost


def _once_more(looks: list[Look], look: Callable[[int], Look], gitlab: GitLabClient) -> list[Look]:
    """Look once more where something went wrong: only what fails twice is worth telling."""
    failed = [each.iid for each in looks if each.problems and each.iid is not None]
    again = {each.iid: each for each in sweep(failed, look, gitlab.take_share)}
    return [again.get(each.iid, each) for each in looks]


def _list_swept(
    project: str, choices: Choices, gitlab: GitLabClient
) -> tuple[Collection[int], list[Look]]:
    """List what the sweep looks at; what could not be listed does not stop the rest."""
    iids: dict[int, None] = {}
    lost: list[Look] = []
    for what, search in _searches(project, choices, gitlab):
        problem = _list_one(search, iids)
        if problem:
            lost.append(Look(iid=None, problems=(f"{what} was not all listed: {problem}",)))
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
        # GitLab finds marks of the present account alone, so those of a former one are found
        # by what they change, however old they are.
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
