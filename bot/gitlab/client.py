"""The door to GitLab: facts are read and writes made here, in GitLab's terms."""

import threading
from collections.abc import Callable

from bot.errors import GitLabError
from bot.evidence import Fact, Need
from bot.gitlab import merge_request_query as documents
from bot.gitlab.answers import MISSHAPEN
from bot.gitlab.issues import Issues
from bot.gitlab.lists import Lists
from bot.gitlab.steps import Steps
from bot.gitlab.transport import Transport
from bot.gitlab.writes import Writes
from bot.merge_request import MergeRequest


class GitLabClient(Steps, Lists, Writes):
    """Reads facts from GitLab and writes notes, gates and emoji to it.

    What is its own is the last word: what a run owes where it ends before all is written.
    """

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self._owed: Callable[[bool], None] | None = None

    def issues_of(self, project: str) -> Issues:
        """Return the bot's own issues of a project, with a share of the time and the requests."""
        self._transport.take_share(1)
        self._transport.release()
        return Issues(self._transport, project)

    def owe(self, act: Callable[[bool], None] | None) -> None:
        """Remember what is to be written if the process ends before all is; forget the head.

        It is called with whether it must hurry.
        """
        self._owed, self._seen = act, None

    def pay(self, seconds: float = 0.0) -> None:
        """Write what is still owed, in the time kept for that, or in so many seconds."""
        if self._owed is not None:
            self._transport.release(seconds)
            self._owed(seconds > 0)

    def known_head(self) -> MergeRequest | None:
        """Return the merge request as far as it was read, once its head is known."""
        if self._seen is None:
            return None
        try:
            found = documents.read_merge_request(self._seen, [])
        except (GitLabError, *MISSHAPEN):
            return None
        return found if found.head_sha else None

    def fetch_gate(self, need: Need) -> Fact:
        """Read the present gate in this thread: those of the pool may all be waiting."""
        return self._answer_alone(need)[need]

    def after(self, seconds: float, act: Callable[[], bool]) -> Callable[[], None]:
        """Act after some seconds, and again until that says it is done, beside all else.

        Return what prevents it, or waits for it.
        """
        over, acting = threading.Event(), threading.Lock()

        def watch() -> None:
            while not over.wait(seconds):
                with acting:
                    if over.is_set() or act():
                        return

        def stop() -> None:
            over.set()
            with acting:
                return

        threading.Thread(target=watch, daemon=True).start()
        return stop
