"""Stand-ins for GitLab behind the ports, in memory."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from bot.errors import AbsentError, DoubtfulWriteError, GitLabError
from bot.evidence import Fact, Need
from bot.merge_request import CommitStatus, MergeRequest, Note
from bot.unread import Unread
from tests.builders import NOW


class FakeSource:
    """Answer needs from a dictionary, `None` where it has nothing, and remember each round."""

    def __init__(self, facts: Mapping[Need, Fact] | None = None) -> None:
        self.facts = dict(facts or {})
        self.rounds: list[frozenset[Need]] = []

    def fetch_facts(self, needs: Collection[Need]) -> Mapping[Need, Fact]:
        """Look needs up in the dictionary."""
        self.rounds.append(frozenset(needs))
        return {need: self.facts.get(need) for need in needs}


class BrokenSource(FakeSource):
    """Answer that every look-up failed."""

    def fetch_facts(self, needs: Collection[Need]) -> Mapping[Need, Fact]:
        """Fail for every need."""
        self.rounds.append(frozenset(needs))
        return dict.fromkeys(needs, Unread(reason="GitLab answered 500"))


class ForgetfulSource(FakeSource):
    """Leave every need out of the answer."""

    def fetch_facts(self, needs: Collection[Need]) -> Mapping[Need, Fact]:
        """Answer nothing."""
        self.rounds.append(frozenset(needs))
        return {}


class FakeWriter:
    """Keep notes, statuses and emoji in memory; `failures` are raised, each by its write.

    A DoubtfulWriteError is raised after the write has landed when `lands` is true.
    """

    def __init__(self, notes: Sequence[Note] = (), *, lands: bool = True) -> None:
        self.notes = list(notes)
        self.writes: list[str] = []
        self.places: set[tuple[str, int]] = set()
        self.statuses: list[Mapping[str, str | int]] = []
        self.checks: list[Mapping[str, str | int]] = []
        self.emoji: list[tuple[int, str]] = []
        self.watched: set[int] = set()
        self.failures: dict[str, list[GitLabError]] = {}
        self.lands = lands

    def fail(self, write: str, *errors: GitLabError) -> None:
        """Let the next calls of a write fail."""
        self.failures[write] = list(errors)

    def create_note(self, merge_request: MergeRequest, body: str) -> int:
        """Add a comment and return its id."""
        number = max((note.id for note in self.notes), default=0) + 1
        note = Note(id=number, body=body, author=merge_request.me, created_at=NOW)
        self._write(merge_request, "create_note", lambda: self.notes.append(note))
        return number

    def update_note(self, merge_request: MergeRequest, note_id: int, body: str) -> None:
        """Replace the text of a comment."""
        self._write(merge_request, "update_note", lambda: self._change(note_id, body))

    def delete_note(self, merge_request: MergeRequest, note_id: int) -> None:
        """Forget a comment; one that is gone already is fine, as to the door to GitLab."""
        with suppress(AbsentError):
            self._write(
                merge_request, "delete_note", lambda: self.notes.remove(self._find(note_id))
            )

    def award_emoji(self, merge_request: MergeRequest, note_id: int, name: str) -> None:
        """Remember an emoji."""
        self._write(merge_request, "award_emoji", lambda: self.emoji.append((note_id, name)))

    def withdraw_emoji(self, merge_request: MergeRequest, note_id: int, name: str) -> None:
        """Forget an emoji."""
        self._write(merge_request, "withdraw_emoji", lambda: self.emoji.remove((note_id, name)))

    def set_commit_status(
        self, merge_request: MergeRequest, fields: Mapping[str, str | int]
    ) -> None:
        """Remember a commit status."""
        self._write(merge_request, "set_commit_status", lambda: self.statuses.append(fields))

    def answer_status_check(
        self, merge_request: MergeRequest, fields: Mapping[str, str | int]
    ) -> None:
        """Remember an answer to a status check."""
        self._write(merge_request, "answer_status_check", lambda: self.checks.append(fields))

    def watch(self, merge_request: MergeRequest) -> None:
        """Remember the mark for the sweep."""
        self._write(merge_request, "watch", lambda: self.watched.add(merge_request.iid))

    def wait(self, seconds: float) -> bool:
        """Lose no time."""
        return seconds > 0

    def run_together(self, writes: Sequence[Callable[[], None]]) -> list[GitLabError | None]:
        """Make writes one after the other."""
        return [self._caught(write) for write in writes]

    def fetch_notes(self, merge_request: MergeRequest) -> tuple[Note, ...]:
        """Return the comments there are now."""
        self._write(merge_request, "fetch_notes", lambda: None)
        return tuple(self.notes)

    def fetch_statuses(self, merge_request: MergeRequest, name: str) -> tuple[CommitStatus, ...]:
        """Return the commit statuses there are now, all by the bot."""
        self._write(merge_request, "fetch_statuses", lambda: None)
        return tuple(
            CommitStatus(
                state=str(fields["state"]),
                description=str(fields["description"]),
                pipeline_id=None,
                author_id=merge_request.me.id,
                ref=str(fields["ref"]) if "ref" in fields else None,
            )
            for fields in self.statuses
            if fields["name"] == name
        )

    def _caught(self, write: Callable[[], None]) -> GitLabError | None:
        try:
            write()
        except GitLabError as error:
            return error
        return None

    def _write(self, merge_request: MergeRequest, name: str, write: Callable[[], object]) -> None:
        self.places.add((merge_request.project, merge_request.iid))
        self.writes.append(name)
        error = self.failures[name].pop(0) if self.failures.get(name) else None
        if error is None or (isinstance(error, DoubtfulWriteError) and self.lands):
            write()
        if error is not None:
            raise error

    def _find(self, note_id: int) -> Note:
        for note in self.notes:
            if note.id == note_id:
                return note
        raise AbsentError(404, "404 Not found", f"note {note_id}")

    def _change(self, note_id: int, body: str) -> None:
        note = self._find(note_id)
        self.notes[self.notes.index(note)] = replace(note, body=body)
