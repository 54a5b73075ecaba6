"""How long nominations take: medians over those of which it is known."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from bot.app.replay.values import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Median:
    """The median of some days, and of how many nominations it is known."""

    what: str
    days: float
    known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long the nominations of a policy took; `number` is how many were looked at."""

    number: int
    medians: tuple[Median, ...]


def measure_pace(policy_id: str, histories: Iterable[Told]) -> Pace:
    """Measure how long the merged nominations of a policy took; what is not known is left out."""
    merged = [
        (told.days_to_role, each)
        for told in histories
        for each in told.nominations
        if each.policy_id == policy_id and told.days_to_role is not None
    ]
    days: dict[str, list[float]] = {}
    for to_role, each in merged:
        days.setdefault("from opening to role", []).append(to_role)
        for waiting in each.waiting:
            if waiting.days is not None and waiting.end == "over":
                days.setdefault(f"waiting for {waiting.actor}", []).append(waiting.days)
    medians = (
        Median(what=what, days=round(median(found), 1), known=len(found))
        for what, found in days.items()
    )
    return Pace(number=len(merged), medians=tuple(medians))
