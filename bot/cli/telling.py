"""Say what a run did: to the log of a job, to a terminal, and in files."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot import inert
from bot.config import Settings

if TYPE_CHECKING:
    from bot.app import Evaluation, Look
    from bot.command_line import Manner
    from bot.gitlab import GitLabClient
    from bot.publish import Problem
    from bot.report import Outcome


def complain(line: str, iid: int | None = None) -> None:
    """Write a line of foreign text to standard error, and which merge request it is about."""
    where = f"!{iid}: " if iid else ""
    print(f"nomination-bot: {where}{inert.log_line(line)}", file=sys.stderr)


def tell_looks(
    looks: Sequence["Look"],
    calls: int,
    *,
    manner: "Manner | None" = None,
    as_json: bool = False,
) -> int:
    """Tell of several looks, and what went wrong; return the exit code."""
    failed = [(look.iid, problem) for look in looks for problem in look.problems]
    number = sum(look.iid is not None for look in looks)
    if as_json:
        problems = [{"iid": iid, "problem": str(problem)} for iid, problem in failed]
        told = {"looked_at": number, "calls": calls, "problems": problems}
        print(json.dumps(told, indent=2))
    for look in looks:
        for line in (*look.notices, *map(str, look.problems)):
            complain(line, look.iid)
    if not as_json and (manner is None or not manner.quiet):
        print(_sum_up(looks, number, calls))
    return 1 if failed else 0


def _sum_up(looks: Sequence["Look"], number: int, calls: int) -> str:
    """Say at the end what went wrong and where."""
    places = [f"!{look.iid}" if look.iid else "the sweep itself" for look in looks if look.problems]
    wrong = f" Something failed at {', '.join(dict.fromkeys(places))}." if places else ""
    return f"Looked at {number} merge requests.{wrong} {calls} calls."


def tell(
    evaluation: "Evaluation",
    problems: Sequence["Problem"],
    client: "GitLabClient",
    settings: Settings,
    event: str = "",
) -> None:
    """Tell what was done about one merge request, and keep it as artifacts where that is asked."""
    from bot.report import tell_story, write_artifacts

    outcome = _find_outcome(evaluation, problems, client, settings, event)
    if settings.artifacts:
        save(Path(settings.artifacts), write_artifacts(outcome))
    _tell_problems(evaluation, problems)
    print("\n".join(tell_story(outcome, time_of_job(settings))))


def _find_outcome(
    evaluation: "Evaluation",
    problems: Sequence["Problem"],
    client: "GitLabClient",
    settings: Settings,
    event: str,
) -> "Outcome":
    # One function: it builds one value, each field of which takes a line or two.
    from bot.publish import GateKind
    from bot.report import Outcome, tell_waits

    report, address = evaluation.report, evaluation.merge_request.web_url
    comment_url = evaluation.findings.gate_url or client.created.get(address)
    planned, plan = evaluation.plan.places(), evaluation.plan
    failed = {problem.what for problem in problems}
    if address in client.created:
        failed.discard("comment")  # it is there, whatever became of what followed
    # A commit status is one of the head, which may be another merge request's.
    is_judged = evaluation.merge_request.counts or settings.gate != GateKind.COMMIT_STATUS.value
    return Outcome(
        findings=evaluation.findings,
        gate=report.gate if report and is_judged else None,
        spoken=report is not None,
        waits=tell_waits(report.turns, evaluation.now) if report else (),
        event=event,
        writes=tuple(
            (what, (comment_url or "") if where is None else f"{address}{where}")
            for what, where, part in planned
            if part not in failed
        ),
        unwritten=tuple(what for what, _, part in planned if part in failed),
        unset="gate" in failed or plan.gate_problem is not None,
        problems=tuple(map(str, problems)),
        comment_url=comment_url,
        observed=settings.observe,
        calls=client.calls,
        seconds=client.elapsed,
    )


def time_of_job(settings: Settings) -> float | None:
    """Return the time where the log is one of a job, whose sections tell it."""
    return datetime.now(UTC).timestamp() if settings.in_job else None


def save(directory: Path, files: Mapping[str, str]) -> None:
    """Write artifacts; that one cannot be written is told, but fails no run."""
    from bot.command_line import write_files

    try:
        write_files(directory, files)
    except OSError as error:
        complain(f"the artifacts could not be written to {directory}: {error.strerror}.")


def _tell_problems(evaluation: "Evaluation", problems: Sequence["Problem"]) -> None:
    why = evaluation.plan.gate_problem
    known = [f"gate: {why}"] if why else []
    for line in dict.fromkeys((*known, *map(str, problems))):
        complain(line)
    if evaluation.again:
        print(f"Looked again at {len(evaluation.again)} open ones that touch the same entries.")
    for look in evaluation.again:
        for problem in look.problems:
            complain(str(problem), look.iid)
