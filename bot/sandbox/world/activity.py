"""Count work that is under way, so that a test or the demo can wait until all is quiet."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Activity:
    """One counter for deliveries and jobs together, so that what one starts is never missed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    def begin(self) -> None:
        """Count one piece of work as begun."""
        with self._changed:
            self._count += 1

    def end(self) -> None:
        """Count one piece of work as ended."""
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    @contextmanager
    def ending(self) -> Iterator[None]:
        """End a piece of work that was begun elsewhere, whatever happens meanwhile."""
        try:
            yield
        finally:
            self.end()

    @property
    def quiet(self) -> bool:
        """Return whether nothing is under way."""
        with self._changed:
            return self._count == 0

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is under way; return whether that came within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, timeout)
