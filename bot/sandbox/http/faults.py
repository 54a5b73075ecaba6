"""Misbehaviour on demand: which requests fail, and how."""

import threading
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class Kind(StrEnum):
    """Name what can go wrong."""

    LATENCY = "latency"
    RACK_429 = "rack_429"
    APPLICATION_429 = "application_429"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    CUT_BEFORE = "cut_before"
    CUT_AFTER = "cut_after"
    HANG = "hang"
    TRUNCATED_PAGE = "truncated_page"
    REPEATED_PAGE = "repeated_page"
    STALE = "stale"
    UNPREPARED = "unprepared"
    MOVED_HEAD = "moved_head"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    CONFLICT = "conflict"
    READ_ONLY = "read_only"
    GRAPHQL_ERRORS = "graphql_errors"
    EMPTY_BODY = "empty_body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    `route` is "METHOD template" with shell wildcards, `calls` the numbers (from 0) of the
    matching requests it strikes, all if None. `seconds` is how long to wait, or what
    Retry-After says; `status` (502, for read-only 503) and `html` shape an error.
    """

    route: str
    kind: Kind
    calls: Collection[int] | None = None
    seconds: float = 0.0
    status: int | None = None
    html: bool = False

    def strikes(self, count: int) -> bool:
        """Return whether the call with this number is struck."""
        return self.calls is None or count in self.calls


@dataclass(slots=True, kw_only=True)
class _Switched:
    fault: Fault
    seen: int = 0
    struck: int = 0


@dataclass(slots=True)
class Faults:
    """The faults that are switched on; safe to use from many threads."""

    switched: list[_Switched] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def switch_on(self, fault: Fault) -> None:
        """Add a fault; its count of calls begins now."""
        with self.lock:
            self.switched.append(_Switched(fault=fault))

    def switch_off(self) -> None:
        """Remove all faults."""
        with self.lock:
            self.switched.clear()

    def strike(self, route: str) -> tuple[Fault, ...]:
        """Count a request and return the faults that strike it."""
        struck = []
        with self.lock:
            for each in self.switched:
                if not fnmatchcase(route, each.fault.route):
                    continue
                if each.fault.strikes(each.seen):
                    each.struck += 1
                    struck.append(each.fault)
                each.seen += 1
        return tuple(struck)

    def describe(self) -> list[dict[str, object]]:
        """Tell which faults are on and how often they struck."""
        with self.lock:
            return [
                {
                    **asdict(each.fault),
                    "calls": None if each.fault.calls is None else sorted(each.fault.calls),
                    "seen": each.seen,
                    "struck": each.struck,
                }
                for each in self.switched
            ]


def parse_fault(given: Mapping[str, Any]) -> Fault:
    """Read a fault from JSON; raise ValueError that says what is wrong."""
    known = {each.name for each in fields(Fault)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    if "route" not in given or "kind" not in given:
        raise ValueError("a fault needs route and kind")
    kinds = [str(kind) for kind in Kind]
    if given["kind"] not in kinds:
        raise ValueError(f"unknown kind {given['kind']!r}; known are {', '.join(kinds)}")
    return Fault(**{**given, "kind": Kind(given["kind"])})
