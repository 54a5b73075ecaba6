"""One reading of the desired state: look at every point, and say how it stands."""

import json
from collections.abc import Collection, Iterator, Sequence

from bot.errors import GitLabError, RefusedError, UnreachableError
from bot.gitlab import MISSHAPEN, tell_misshapen
from bot.inert import log_line
from bot.setup import (
    account,
    gates,
    hosting,
    probes,
    reading,
    starting,
    variables,
    webhook,
)
from bot.setup.ground import Ground, NeedsOperatorError
from bot.setup.values import Answer, Found, Point, State, unknown

OPERATOR = "set NOMINATION_BOT_ADMIN_TOKEN to a token of your own to have it looked at"

SERVER_FAULT = 500  # the least status that says so


def find_points(ground: Ground) -> Iterator[Point]:
    """Yield every point of the desired state: what can be set, and then what must be answered."""
    yield from find_settings(ground)
    yield from probes.find_points(ground)


def find_settings(ground: Ground) -> Iterator[Point]:
    """Yield the points about what somebody can set in GitLab."""
    *others, role = account.POINTS
    yield from others
    yield from reading.find_points(ground)
    yield role
    yield from hosting.POINTS
    yield from variables.POINTS
    yield from starting.POINTS
    yield from webhook.POINTS
    yield from gates.POINTS


def examine(ground: Ground) -> Iterator[Answer]:
    """Look at every point; whatever fails on the way cannot be told.

    Where GitLab can be reached no more, that is said once: UnreachableError is raised.
    """
    failed: set[str] = set()
    for point in find_points(ground):
        answer = look(point, ground, failed)
        if answer.found.state is not State.OK and not answer.found.excused:
            failed.add(point.id)
        yield answer


def look(point: Point, ground: Ground, failed: Collection[str] = ()) -> Answer:
    """Look at one point, unless one that it needs has `failed`."""
    first = next((each for each in point.needs if each in failed), None)
    if first is None:
        found = _look(point, ground)
    else:
        found = unknown(f"the point {first!r} comes first", f"mend {first!r}", excused=True)
    return Answer(point=point, found=found, link=point.link(ground))


def _look(point: Point, ground: Ground) -> Found:
    try:
        return point.look(ground)
    except NeedsOperatorError as error:
        return unknown(str(error), OPERATOR, excused=True)
    except GitLabError as error:
        if isinstance(error, UnreachableError) or _is_fault(error):
            ground.bot.reach()
        return unknown(str(error), "mend that and look again")
    except MISSHAPEN as error:
        return unknown(tell_misshapen(error), "report this, with the version of GitLab")


def _is_fault(error: GitLabError) -> bool:
    return isinstance(error, RefusedError) and error.code >= SERVER_FAULT


def is_sound(answers: Sequence[Answer]) -> bool:
    """Return whether nothing is wrong, and nothing was looked at in vain."""
    return all(a.found.state is State.OK or a.found.excused for a in answers)


def write_line(answer: Answer) -> str:
    """Write a point as one line; nothing in it can act on a terminal or a job log."""
    found, point = answer.found, answer.point
    if found.state is State.OK:
        return log_line(f"{point.id}: {found.found}")
    # Without the period of a message that was taken over.
    seen, step = found.found.rstrip("."), found.step.rstrip(".")
    parts = [f"{point.id}: expected {point.expected}; found: {seen}; next: {step}"]
    if found.state is State.WRONG:
        parts.append(f"it costs: {point.costs}")
    return log_line("; ".join([*parts, answer.link]))


def as_json(answers: Sequence[Answer]) -> str:
    """Write all points as JSON."""
    rows = [
        {
            "id": answer.point.id,
            "state": answer.found.state.value,
            "expected": answer.point.expected,
            "found": answer.found.found,
            "next": answer.found.step or None,
            "costs": answer.point.costs,
            "link": answer.link,
            "excused": answer.found.excused,
        }
        for answer in answers
    ]
    return json.dumps({"sound": is_sound(answers), "points": rows}, indent=2)
