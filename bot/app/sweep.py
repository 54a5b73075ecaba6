"""Look at many merge requests: all in case an event was lost, or those that a merge touches."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import islice

from bot.app import Choices, Evaluation, Look
from bot.app.rounds import run_alone
from bot.app.searches import EVER, list_swept
from bot.errors import BotError, GitLabError, MissingError
from bot.evidence import SharedFacts, Source
from bot.gitlab import GitLabClient
from bot.publish import Problem, is_over
from bot.team import concerns_entries, may_concern_entries

# At how many merge requests a run looks at most that was started by a broken event, and among
# how many that changed last it looks for them.
MOST_LOOKS, NEWEST = 10, 50
# For how long after a merge every run looks at the open merge requests of the same entries. The
# push event of the merge leads there, too, but a webhook may be older than that event's use.
JUST_NOW = timedelta(hours=1)
# How far back those are looked for, among how many, and how many are looked at, beside the one
# that was merged and for a push: the sweep sees to the others.
LONG_AGO = timedelta(days=90)
MOST_LISTED, MOST_AGAIN, MOST_TOUCHED = 200, 8, 25


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
            looks.append(Look(iid=iid, problems=(Problem(why=str(error)),), missing=missing))
        except Exception as bug:
            bug.add_note(f"This was at !{iid}.")
            bugs.append(bug)
            looks.append(Look(iid=iid, problems=(Problem(what="a bug", why=type(bug).__name__),)))
    if bugs:
        for told in (f"!{look.iid}: {problem}" for look in looks for problem in look.problems):
            bugs[0].add_note(told)
        raise bugs[0]
    return looks


def run(
    project: str, iid: int, choices: Choices, gitlab: GitLabClient, source: Source | None = None
) -> tuple[Evaluation, list[Problem]]:
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
    shared = SharedFacts(gitlab, project)

    def look(iid: int) -> Look:
        return _tell(iid, *run_alone(project, iid, choices, gitlab, shared))

    try:
        iids = _list_touching(project, changed, globs, gitlab)
    except GitLabError as error:
        what = "the merge requests that touch the same entries were not listed"
        return [Look(iid=None, problems=(Problem(what=what, why=str(error)),))]
    others = [iid for iid in iids if iid != but]
    return sweep(others[: MOST_AGAIN if but else MOST_TOUCHED], look, gitlab.take_share)


def _list_touching(
    project: str, changed: Collection[str] | None, globs: Collection[str], gitlab: GitLabClient
) -> list[int]:
    entries = {path for path in changed or () if concerns_entries(path, globs)}

    def is_touched(paths: tuple[str, ...] | None) -> bool:
        if changed is None or paths is None:
            return may_concern_entries(paths, globs)
        return not entries.isdisjoint(paths)

    recent = list(islice(gitlab.fetch_recent(project, gitlab.now() - LONG_AGO), MOST_LISTED))
    is_cut = len(recent) >= MOST_LISTED
    watched = gitlab.fetch_watched(project, "opened") if is_cut else []
    known = {iid for iid, _ in recent}
    touching = [iid for iid, paths in recent if is_touched(paths)]
    # Which files older ones touch is not known; those that matter are marked.
    return [*touching, *(iid for iid in watched if iid not in known)]


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


def _tell(iid: int, evaluation: Evaluation, problems: Sequence[Problem]) -> Look:
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

    iids, lost = list_swept(project, choices, gitlab)
    return _once_more(sweep(iids, look, gitlab.take_share), look, gitlab) + lost


def _once_more(looks: list[Look], look: Callable[[int], Look], gitlab: GitLabClient) -> list[Look]:
    """Look once more where something went wrong: only what fails twice is worth telling."""
    failed = [each.iid for each in looks if each.problems and each.iid is not None]
    again = {each.iid: each for each in sweep(failed, look, gitlab.take_share)}
    return [again.get(each.iid, each) for each in looks]
