"""Write to a merge request: comments, gate and emoji."""

from collections.abc import Mapping
from contextlib import suppress

from bot.errors import AbsentError, GitLabError, RefusedError
from bot.evidence import StatusesOf
from bot.gitlab.answers import known_shape
from bot.gitlab.rest import read_pages, read_statuses
from bot.gitlab.run import Run
from bot.gitlab.transport import Transport
from bot.merge_request import WATCH, CommitStatus, MergeRequest


class Writes(Run):
    """Writes what an evaluation found."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        # Addresses of comments that were made, by that of their merge request.
        self.created: dict[str, str] = {}

    def create_note(self, merge_request: MergeRequest, body: str) -> int:
        """Write a new comment and return its id; raise DoubtfulWriteError if it may have landed."""
        number = self._transport.create(_notes(merge_request), {"body": body}).get("id")
        if not isinstance(number, int):
            raise GitLabError("GitLab took the comment for quick actions and did not keep it.")
        self.created[merge_request.web_url] = f"{merge_request.web_url}#note_{number}"
        return number

    def update_note(self, merge_request: MergeRequest, note_id: int, body: str) -> None:
        """Replace the text of a comment; the same text twice is the same."""
        self._transport.change("put", f"{_notes(merge_request)}/{note_id}", {"body": body})

    def delete_note(self, merge_request: MergeRequest, note_id: int) -> None:
        """Delete a comment; one that is gone already is fine."""
        with suppress(AbsentError):
            self._transport.remove(f"{_notes(merge_request)}/{note_id}")

    def award_emoji(self, merge_request: MergeRequest, note_id: int, name: str) -> None:
        """Put an emoji on a comment; one that is there already is fine."""
        path = f"{_notes(merge_request)}/{note_id}/award_emoji"
        # GitLab answers 404 to one that is there already (lib/api/award_emoji.rb).
        with suppress(AbsentError):
            self._transport.change("post", path, {"name": name})

    def withdraw_emoji(self, merge_request: MergeRequest, note_id: int, name: str) -> None:
        """Take the bot's emoji off a comment."""
        self._withdraw(f"{_notes(merge_request)}/{note_id}", name, merge_request.me.id)

    def set_commit_status(
        self, merge_request: MergeRequest, fields: Mapping[str, str | int]
    ) -> None:
        """Post a commit status on the head; raise DoubtfulWriteError if it may have landed."""
        path = f"/projects/{merge_request.project_id}/statuses/{merge_request.status_sha}"
        self._transport.create(path, fields)

    def fetch_statuses(self, merge_request: MergeRequest, name: str) -> tuple[CommitStatus, ...]:
        """Read the commit statuses of a name on the head, to see whether a write landed."""
        with known_shape():
            need = StatusesOf(merge_request.project_id, merge_request.status_sha, name)
            return read_statuses(self._transport, need)

    def answer_status_check(
        self, merge_request: MergeRequest, fields: Mapping[str, str | int]
    ) -> None:
        """Answer an external status check for the head; the same answer twice is the same."""
        self._transport.change("post", f"{_address(merge_request)}/status_check_responses", fields)

    def watch(self, merge_request: MergeRequest) -> None:
        """Put the sweep's emoji on the merge request; anyone who can comment may.

        Raises GitLabError where it is refused, because the sweep would not find this one.
        """
        path = _address(merge_request)
        try:
            self._transport.change("post", f"{path}/award_emoji", {"name": WATCH})
        except RefusedError as error:
            # GitLab answers 404 to one that is there already and to one that is not allowed
            # alike (lib/api/award_emoji.rb).
            may_be_there = isinstance(error, AbsentError)
            if not (may_be_there and self._has_awarded(path, merge_request.me.id)):
                raise GitLabError(
                    f"GitLab refused the emoji :{WATCH}: by which the sweep finds this merge "
                    f"request ({error}): let the bot's account comment there, as where its "
                    "discussion is locked a member of the project may."
                ) from None

    def _has_awarded(self, path: str, own_id: int) -> bool:
        rows = read_pages(self._transport, f"{path}/award_emoji")
        with known_shape():
            return any(row["name"] == WATCH and row["user"]["id"] == own_id for row in rows)

    def unwatch(self, merge_request: MergeRequest) -> None:
        """Take the sweep's emoji off the merge request."""
        self._withdraw(_address(merge_request), WATCH, merge_request.me.id)

    def _withdraw(self, path: str, name: str, own_id: int) -> None:
        with known_shape():
            for row in read_pages(self._transport, f"{path}/award_emoji"):
                if row["name"] == name and row["user"]["id"] == own_id:
                    self._transport.remove(f"{path}/award_emoji/{row['id']}")


def _address(merge_request: MergeRequest) -> str:
    return f"/projects/{merge_request.project_id}/merge_requests/{merge_request.iid}"


def _notes(merge_request: MergeRequest) -> str:
    return f"{_address(merge_request)}/notes"
