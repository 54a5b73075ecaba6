"""One run's way to GitLab: its requests, its threads, and its time."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial

from bot.errors import GitLabError
from bot.gitlab.transport import CONNECTIONS, Transport


class Run:
    """What all that reads and writes in one run shares."""

    make_pool: Callable[[], Executor] = staticmethod(partial(ThreadPoolExecutor, CONNECTIONS))

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._pool = self.make_pool()
        # The transport knows the time and the limits of a run, and is asked itself.
        self.now, self.wait = transport.now, transport.wait
        self.take_share, self.require_contact = transport.take_share, transport.require_contact

    @property
    def calls(self) -> int:
        """Count the requests made so far."""
        return self._transport.calls

    def only_read(self) -> None:
        """Let reading have the requests and the time that are kept for writing."""
        self._transport.release()

    @property
    def elapsed(self) -> float:
        """Count the seconds since the run began."""
        return self._transport.elapsed

    def run_together(self, writes: Sequence[Callable[[], None]]) -> list[GitLabError | None]:
        """Make independent writes at the same time; return what went wrong with each."""
        self._transport.release()
        waiting = [self._pool.submit(write) for write in writes]
        return [_failure(write) for write in waiting]

    def close(self) -> None:
        """Let go of threads and connections without waiting for them."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._transport.close()


def _failure(write: Future[None]) -> GitLabError | None:
    try:
        write.result()
    except GitLabError as error:
        return error
    return None
