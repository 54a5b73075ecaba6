"""How much time and how many requests a run has, and what of them is kept for writing."""

import threading
import time

from bot.errors import GitLabError

WRITING = 8  # of the allowed requests, so many are kept for writing what was found
WRITING_SECONDS = 20.0  # of the time of a run, as much is kept for writing, but
WRITING_SHARE = 0.25  # no more than this part of it
LEAST_SHARE = 15.0  # seconds of a sweep for one merge request, if so many are left
OUT_OF_TIME = "The time for this run is used up (NOMINATION_BOT_DEADLINE)."


class Budget:
    """Counts requests and seconds; each merge request of a sweep has a share of them."""

    def __init__(self, deadline: float, call_limit: int, shares: tuple[float, int]) -> None:
        """Begin now; `shares` are how many times what one merge request may use there is."""
        self._one = (deadline, call_limit)
        self._began = time.monotonic()
        self._all_ends = self._ends = self._began + deadline * shares[0]
        self._all_calls = self._calls_end = self._call_limit = call_limit * shares[1]
        self._kept_seconds = _kept_of(deadline)
        self._counting = threading.Lock()
        self.calls = 0
        self._repeats = 0
        self.kept = WRITING

    def spend(self) -> float:
        """Count a request, and return the seconds that are left for it.

        Raises GitLabError where no time or no request is left.
        """
        remaining = self.end - time.monotonic()
        if remaining <= 0:
            raise GitLabError(OUT_OF_TIME)
        with self._counting:
            if self.left <= 0:
                raise GitLabError(self.limit_words)
            self.calls += 1
        return remaining

    def count_repeat(self) -> None:
        """Count a request as the repetition of another."""
        with self._counting:
            self._repeats += 1

    def take_share(self, left: int) -> None:
        """Give the next of so many merge requests its share of the time and the requests.

        What one of them does not use is left for the others, and none can use up all.
        """
        now = time.monotonic()
        seconds, self._call_limit = self._one
        share = max(LEAST_SHARE, (self._all_ends - now) / max(1, left))
        self._ends = min(self._all_ends, now + min(seconds, share))
        # Of a small share less is kept: else nothing would be left to read in.
        self._kept_seconds = _kept_of(self._ends - now)
        self._calls_end = min(self._all_calls, self._counted + self._call_limit)

    @property
    def end(self) -> float:
        """Tell when requests end: those that read leave time for writing what they found."""
        return self._ends - self._kept_seconds if self.kept else self._ends

    @property
    def _counted(self) -> int:
        """Count the requests but for repetitions, which the deadline bounds."""
        return self.calls - self._repeats

    @property
    def elapsed(self) -> float:
        """Count the seconds since the run began."""
        return time.monotonic() - self._began

    def release(self, seconds: float = 0.0) -> None:
        """Let writes have the requests and the time that were kept for them, or more time."""
        self.kept = 0
        self._ends = max(self._ends, time.monotonic() + seconds)

    @property
    def spent(self) -> bool:
        """Return whether the time of this run is used up."""
        return time.monotonic() >= self.end

    @property
    def left(self) -> int:
        """Count the requests that may still be made."""
        return self._calls_end - self.kept - self._counted

    @property
    def limit_words(self) -> str:
        """Say why a request was not made."""
        return f"no request was left: a run makes at most {self._call_limit}"


def _kept_of(seconds: float) -> float:
    """Return how much of a time is kept for writing."""
    return max(0.0, min(WRITING_SECONDS, seconds * WRITING_SHARE))
