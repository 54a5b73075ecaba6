"""Tell differences to people, one line for each person and place."""

from collections.abc import Iterable, Iterator

from bot.app.drift.values import Drift
from bot.inert import diff_line, log_line


def tell(drifts: Iterable[Drift], *, brief: bool) -> Iterator[str]:
    """Yield the lines; when brief without the edits, and nothing of what agrees."""
    for drift in drifts:
        yield from _tell_one(drift, brief=brief)


def _tell_one(drift: Drift, *, brief: bool) -> Iterator[str]:
    for each in drift.differences:
        where = f"{each.place.name}: " if each.place.kind != "entry" else ""
        said = f"@{each.username} {each.detail}; {each.mend}: {each.url}"
        yield log_line(f"{drift.id}: {where}{said}")
        if each.edit and not brief:
            yield from (f"    {diff_line(line)}" for line in each.edit.splitlines())
    for line in drift.unknown:
        yield log_line(f"{drift.id}: not known: {line}")
    if not brief:
        yield f"{drift.id}: {_sum_up(drift)}"


def _sum_up(drift: Drift) -> str:
    compared = sum(place.people is not None for place in drift.places)
    told = f"{len(drift.differences)} differences, {len(drift.unknown)} not known"
    if drift.sound:
        told = f"no drift, people with the role: {drift.places[0].people}"
    return f"{told}; {compared} of {len(drift.places)} places compared."
