"""Tell a history to people, line by line."""

from collections.abc import Iterator
from datetime import UTC, datetime

from bot.app.replay.values import Event, History, Milestone, Told, Waiting, days_between
from bot.inert import log_line

WORDS = {
    "met": "met",
    "waived": "waived",
    "unmet": "not met",
    "unknown": "not known whether it is met",
    "done": "done",
    "open": "open",
    "manual": "not known",
}


def tell(told: Told) -> Iterator[str]:
    """Yield the lines; all foreign text in them is inert."""
    merged = f", merged on {_time(told.merged_at)}" if told.merged_at else ""
    days = f", {told.days_to_role:g} days" if told.merged_at else ""
    yield log_line(f"{told.project}!{told.iid}: opened on {_time(told.opened_at)}{merged}{days}")
    if not told.nominations:
        yield "It nominates nobody."
    yield ""
    yield "What happened:"
    yield from (f"  {_event(each)}" for each in told.events)
    for each in told.nominations:
        yield ""
        yield from _nomination(each, told)
    for line in told.unknown:
        yield log_line(f"not known: {line}")


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def _event(event: Event) -> str:
    who = f"@{event.by}" if event.by else "somebody"
    words = "" if event.kind == "noted" else event.kind
    outcome = f" ({event.outcome})" if event.outcome else ""
    said = f"{words}: {event.words}" if words and event.words else words or event.words
    return log_line(f"{_time(event.at)} {who} {said}{outcome}")


def _nomination(history: History, told: Told) -> Iterator[str]:
    yield log_line(
        f"@{history.username} as {history.role} of {history.project}, by {history.policy}:"
    )
    for each in history.requirements:
        yield f"  {_milestone(each, told.opened_at, 'opening')}"
    for each in history.follow_ups:
        yield f"  {_milestone(each, told.merged_at or told.opened_at, 'merge')}"
    yield from (f"  {_waiting(each)}" for each in history.waiting)


def _milestone(each: Milestone, start: datetime, since: str) -> str:
    is_step = since == "merge" and each.state == "unknown"
    state = "not known whether it is done" if is_step else WORDS[each.state]
    by = f" by @{each.who}" if each.who else ""
    if each.at is None:
        reason = f" ({each.reason})" if each.reason else ""
        unknown = ", not known when" if each.state in {"met", "done"} else ""
        return log_line(f"{each.id}: {state}{unknown}{reason}")
    latest = " at the latest" if each.by_then else ""
    after = days_between(start, each.at)
    took = f"{after:g} days after the {since}" if each.at > start else f"before the {since}"
    return log_line(f"{each.id}: {state}{by} on {_time(each.at)}{latest}, {took}")


def _waiting(waiting: Waiting) -> str:
    if waiting.days is None:
        return log_line(f"waited for {waiting.actor}: not known ({waiting.reason})")
    how = {"over": "", "open": " so far", "never": ", and was merged without"}[waiting.end]
    return log_line(f"waited for {waiting.actor}: {waiting.days:g} days{how}")
