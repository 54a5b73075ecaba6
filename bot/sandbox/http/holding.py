"""Hold requests until told, so that tests can choose how processes interleave."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from werkzeug.wrappers import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request that is at the door; `client` is the name in the address used, if any."""

    request: Request = field(repr=False, compare=False)
    started: float
    number: int
    method: str
    route: str
    path: str
    client: str
    user: str | None


Predicate = Callable[[Arrival], bool]


class Hold:
    """Park every request the predicate takes, until it is released."""

    def __init__(self, predicate: Predicate) -> None:
        self._predicate = predicate
        self._changed = threading.Condition()
        self._waiting: list[Arrival] = []
        self._closed = False

    def park(self, arrival: Arrival) -> None:
        """Block the calling thread until the arrival is released."""
        with self._changed:
            if self._closed or not self._predicate(arrival):
                return
            self._waiting.append(arrival)
            self._changed.notify_all()
            self._changed.wait_for(lambda: arrival not in self._waiting)

    def waiting(self) -> tuple[Arrival, ...]:
        """List who waits, in the order of arrival."""
        with self._changed:
            return tuple(self._waiting)

    def wait_for(self, until: Callable[[tuple[Arrival, ...]], bool], timeout: float) -> bool:
        """Wait until those who wait fulfil a condition, at most `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: until(tuple(self._waiting)), timeout)

    def nudge(self) -> None:
        """Let whoever waits look again: what the condition depends on has changed elsewhere."""
        with self._changed:
            self._changed.notify_all()

    def release(self, arrival: Arrival) -> None:
        """Let one go on."""
        with self._changed:
            self._waiting.remove(arrival)
            self._changed.notify_all()

    def close(self) -> None:
        """Let all go on, and hold nobody from now on."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
