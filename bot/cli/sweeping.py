"""The command that looks at every nomination again, and keeps an issue of what does not work."""

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bot.app import Choices, Look, sweep, trouble
from bot.cli.telling import save, tell_looks, time_of_job
from bot.cli.wiring import SWEEP, Command, connect, read_settings
from bot.command_line import Manner, wants_json
from bot.config import Settings
from bot.errors import BotError
from bot.gitlab import GitLabClient
from bot.publish import Problem
from bot.report import Chapter, fold, write_metrics


def _sweep(options: Namespace, environment: Mapping[str, str]) -> int:
    settings = read_settings(environment)
    manner: Manner = options.manner
    as_json = wants_json(options)
    lines_told = not (manner.lively or manner.quiet or as_json)

    def tell(_: str, iid: int) -> None:
        manner.show(f"looking at !{iid} …")
        if lines_told:
            print(f"looking at !{iid}", flush=True)

    with connect(settings, SWEEP) as (client, choices):
        client.on_look = tell
        with _folded(settings if lines_told else None):
            looks, bug = _look_at_all(settings, choices, client)
        manner.end()
        looks += _keep_issue(looks, settings, choices, client)
    if settings.artifacts:
        save(Path(settings.artifacts), {"metrics.txt": _count_looks(looks, client)})
    code = tell_looks(looks, client.calls, manner=manner, as_json=as_json)
    if bug is not None:
        raise bug
    return code or (1 if choices.broken else 0)


@contextmanager
def _folded(settings: Settings | None) -> Iterator[None]:
    """Let the log of a job fold away what is told within."""
    at = time_of_job(settings) if settings else None
    start, *end = fold(Chapter(name="looks", title="sweep: every nomination that is not over"), at)
    if at is not None:
        print(start, flush=True)
    try:
        yield
    finally:
        if at is not None:
            print(*end, sep="\n", flush=True)


def _look_at_all(
    settings: Settings, choices: Choices, client: GitLabClient
) -> tuple[list[Look], Exception | None]:
    """Sweep; a bug that ends it early is returned, so that it can be told before it is raised."""
    try:
        project = client.fetch_project_path(settings.team_project)
        looks = sweep.sweep_all(project, choices, client)
        client.require_contact()
        return looks, None
    except BotError as error:
        return [Look(iid=None, problems=(Problem(what="the sweep", why=str(error)),))], None
    except Exception as bug:
        why = f"a bug ({type(bug).__name__}), see the log of the job"
        return [Look(iid=None, problems=(Problem(what="the sweep", why=why),))], bug


def _keep_issue(
    looks: Sequence[Look], settings: Settings, choices: Choices, client: GitLabClient
) -> list[Look]:
    """Keep the issue of what does not work; that it could not be kept is one more problem."""
    if not settings.issue or settings.observe or settings.project is None:
        return []
    # A project's number alone leads nowhere.
    path = "" if settings.team_project.isdecimal() else settings.team_project
    team = f"{settings.gitlab_url}/{path}/-/merge_requests" if path else ""
    troubles = trouble.find_troubles(looks, choices.broken, team)
    try:
        issues = client.issues_of(settings.project)
        done = trouble.keep_issue(troubles, issues, choices.words, client.now())
    except BotError as error:
        lack = Problem(what=f"the issue in {settings.project}", why=str(error))
        return [Look(iid=None, problems=(lack,))]
    return [Look(iid=None, problems=(), notices=(f"issue: {done}",))] if done else []


def _count_looks(looks: Sequence[Look], client: GitLabClient) -> str:
    failed = sum(bool(look.problems) for look in looks)
    number = sum(look.iid is not None for look in looks)
    counts = {"looks": number, "failed": failed, "calls": client.calls}
    return write_metrics({}, **counts, seconds=client.elapsed)


COMMANDS: dict[str, Command] = {"sweep": _sweep}
