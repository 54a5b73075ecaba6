"""Faults of GitLab and the network, chosen by the seed."""

from collections.abc import Sequence
from random import Random

from bot.sandbox.http.faults import Fault, Kind

READS = ("POST /api/graphql", "GET *", "GET */statuses", "GET */commits*")
WRITES = (
    "POST */notes",
    "PUT */notes/*",
    "DELETE */notes/*",
    "POST */statuses/*",
    "POST */award_emoji",
    "POST */status_check_responses",
    "[PD]* */notes*",
)
# A limit that tells to wait for longer than a run may take, so that no story waits.
LONG = 600.0
ANYWHERE = (
    Kind.APPLICATION_429,
    Kind.ERROR_BEFORE,
    Kind.ERROR_AFTER,
    Kind.CUT_BEFORE,
    Kind.CUT_AFTER,
    Kind.UNAUTHORIZED,
    Kind.FORBIDDEN,
    Kind.RACK_429,
    Kind.EMPTY_BODY,
)
ON_READS = (
    Kind.STALE,
    Kind.STALE,
    Kind.UNPREPARED,
    Kind.MOVED_HEAD,
    Kind.GRAPHQL_ERRORS,
    Kind.TRUNCATED_PAGE,
    Kind.REPEATED_PAGE,
    Kind.LATENCY,
)
ON_WRITES = (Kind.CONFLICT, Kind.READ_ONLY, Kind.ERROR_AFTER, Kind.CUT_AFTER)


def choose_faults(random: Random) -> list[Fault]:
    """Choose the faults that begin with a run: mostly none."""
    if random.random() < 0.6:
        return []
    return [_choose_fault(random) for _ in range(random.choice((1, 1, 2, 3)))]


def _choose_fault(random: Random) -> Fault:
    reads = random.random() < 0.5
    kinds: Sequence[Kind] = (*ANYWHERE, *(ON_READS if reads else ON_WRITES))
    kind = random.choice(kinds)
    first = random.randrange(5)
    return Fault(
        route=random.choice(READS if reads else WRITES),
        kind=kind,
        calls=random.choice(({first}, {first, first + 1}, set(range(first, first + 7)))),
        seconds=LONG if kind is Kind.RACK_429 else 0.0,
        status=random.choice((500, 502, 503, 520, 522, 524))
        if kind.name.startswith("ERROR")
        else None,
        html=random.random() < 0.5,
    )
