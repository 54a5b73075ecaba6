"""What publishing asks of GitLab, and how it writes when it is doubtful what landed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from bot.errors import DoubtfulWriteError, GitLabError
from bot.merge_request import CommitStatus, MergeRequest, Note

BAD_REQUEST, FORBIDDEN, NOT_FOUND, CONFLICT, FULL = 400, 403, 404, 409, 422
# Seconds between tries of a write of which it is not known whether it landed; an edge before GitLab
# may fail for a while, and the deadline ends this earlier.
PAUSES = (0.5, 2.0, 4.0, 8.0, 16.0)


class HeadMovedError(GitLabError):
    """Somebody pushed, or another run wrote a comment, meanwhile: evaluate again."""


# Twelve methods: one for each write that GitLab offers, and what looks whether one landed.
class Writer(Protocol):
    """The writes that publishing takes."""

    def create_note(self, merge_request: MergeRequest, body: str) -> int:
        """Write a new comment and return its id."""

    def update_note(self, merge_request: MergeRequest, note_id: int, body: str) -> None:
        """Replace the text of a comment."""

    def delete_note(self, merge_request: MergeRequest, note_id: int) -> None:
        """Delete a comment; one that is gone already, by another run that was faster, is fine."""

    def award_emoji(self, merge_request: MergeRequest, note_id: int, name: str) -> None:
        """Put an emoji on a comment."""

    def withdraw_emoji(self, merge_request: MergeRequest, note_id: int, name: str) -> None:
        """Take an emoji of the bot's off a comment."""

    def set_commit_status(
        self, merge_request: MergeRequest, fields: Mapping[str, str | int]
    ) -> None:
        """Post a commit status on the head."""

    def answer_status_check(
        self, merge_request: MergeRequest, fields: Mapping[str, str | int]
    ) -> None:
        """Answer an external status check."""

    def watch(self, merge_request: MergeRequest) -> None:
        """Mark the merge request so that the sweep finds it."""

    def wait(self, seconds: float) -> bool:
        """Wait, unless that would outlast the deadline; return whether it did wait."""

    def run_together(self, writes: Sequence[Callable[[], None]]) -> list[GitLabError | None]:
        """Make independent writes at the same time."""

    def fetch_notes(self, merge_request: MergeRequest) -> tuple[Note, ...]:
        """Read the comments again."""

    def fetch_statuses(self, merge_request: MergeRequest, name: str) -> tuple[CommitStatus, ...]:
        """Read the commit statuses of a name on the head again."""


def write_once(write: Callable[[], object], has_landed: Callable[[], bool], writer: Writer) -> None:
    """Write; when it is doubtful whether that landed, look before trying again, or giving up."""
    pauses = iter(PAUSES)
    while True:
        try:
            write()
        except DoubtfulWriteError:
            if has_landed():
                return
            pause = next(pauses, None)
            if pause is None or not writer.wait(pause):
                raise
        else:
            return
