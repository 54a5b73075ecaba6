"""Compare the report with what GitLab shows, and plan the writes that make them equal.

A plan can be read before anything of it is written.
"""

import re
from collections.abc import Collection, Iterable, Sequence

from bot.commands import Answer, Outcome
from bot.merge_request import MergeRequest, Note
from bot.publish.gate import GateKind
from bot.publish.gate_plan import GateWrite
from bot.report import MARKER, Report
from bot.values import dataclass

_JOB = re.compile(r" · \[job\]\([^()\s]*\)$")
# So many are put up, and taken off, in one run, the newest first; the next run goes on. More would
# use up the requests that the comment needs.
MOST_EMOJI, MOST_STALE = 20, 8
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The writes that make GitLab equal the report; empty when it already is.

    `gate_unread` tells that the gate could not be set because GitLab failed. `moves` tell of the
    merge requests for steps, which are opened and closed before all else. `before` is written to
    the comment first, so that what follows mentions somebody once more.
    """

    gate: GateWrite | None = None
    gate_problem: str | None = None
    gate_unread: bool = False
    body: str | None = None
    note_id: int | None = None
    stored: str = ""
    extra_notes: tuple[int, ...] = ()
    emoji: tuple[tuple[int, str], ...] = ()
    stale_emoji: tuple[tuple[int, str], ...] = ()
    watch: bool = False
    moves: tuple[str, ...] = ()
    before: str | None = None

    def lines(self) -> list[str]:
        """Describe every write, one a line."""
        return [what for what, _, _ in self.places()]

    def places(self) -> list[tuple[str, str | None, str]]:
        """Describe every write: what, where, and by which word its failure is told.

        Where it is follows the merge request's address; of a comment that is not made yet it is
        not known. The failure of some has no word.
        """
        found: list[tuple[str, str | None, str]] = [(move, None, "") for move in self.moves]
        if self.gate:
            fields = ", ".join(f"{name}={value!r}" for name, value in self.gate.fields.items())
            words = f"set the gate ({self.gate.kind.value}): {fields}"
            where = "/pipelines" if self.gate.kind is GateKind.COMMIT_STATUS else ""
            found.append((words, where, "gate"))
        if self.body is not None:
            action = f"update comment {self.note_id}" if self.note_id else "create the comment"
            place = _note(self.note_id) if self.note_id else None
            found.append((f"{action} ({len(self.body)} characters)", place, "comment"))
        extra = self.extra_notes
        found += [(f"remove the doubled comment {note}", _note(note), "") for note in extra]
        found += [(f"put :{name}: on comment {note}", _note(note), "") for note, name in self.emoji]
        stale = self.stale_emoji
        found += [(f"take :{name}: off comment {note}", _note(note), "") for note, name in stale]
        if self.watch:
            found.append(("mark the merge request for the sweep", "", "mark"))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What failed, and why: a write is named by the word that `Plan.places` gives it."""

    why: str
    what: str = ""

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.what}: {self.why}" if self.what else self.why


def _note(number: int) -> str:
    return f"#note_{number}"


def find_own_notes(merge_request: MergeRequest, former_ids: Collection[int]) -> list[Note]:
    """Find the bot's comments by author and by marker, oldest first.

    Where none has a marker, one that somebody else edited is taken for the bot's if the bot
    has left its mark on the merge request: its account may write other comments, which are
    nobody's to overwrite or remove.
    """
    me = merge_request.me.id
    by_bot = [
        note
        for note in merge_request.notes
        if note.author and note.author.id in {me, *former_ids} and not note.system
    ]
    marked = [note for note in by_bot if note.body.startswith(MARKER)]
    found = marked or [n for n in by_bot if _is_vandalised(n, merge_request)][:1]
    # Those of a former account can perhaps not be edited, so an own one goes first.
    return sorted(found, key=lambda n: (n.author is None or n.author.id != me, n.id))


def _is_vandalised(note: Note, merge_request: MergeRequest) -> bool:
    author = note.author
    if author is None or author.id != merge_request.me.id or note.edited_by is None:
        return False
    return merge_request.watched and note.edited_by.casefold() != author.key


def plan_note(report: Report, own: Sequence[Note]) -> tuple[str | None, int | None]:
    """Return the text to write, and the comment to write it to."""
    if own and is_same_text(own[0].body, report.body):
        return None, own[0].id
    return report.body, own[0].id if own else None


def plan_reminder(report: Report, own: Sequence[Note]) -> str | None:
    """Return the text without the mentions that are to be made once more, if any are.

    A reminder that stands in the comment was made when it was written there.
    """
    body = report.body
    due = [told for told in report.reminders if told in body and own and told not in own[0].body]
    for told in due:
        name, _, rest = told.partition(" ")
        body = body.replace(told, f"`{name}` {rest}")
    return body if due else None


def is_same_text(stored: str, wanted: str) -> bool:
    """Compare texts as GitLab stores them, apart from when and by which job they were written."""
    return _stored_form(stored) == _stored_form(wanted)


def is_same_around(stored: str, wanted: str, word: str) -> bool:
    """Compare texts likewise, with anything in the place of a word."""
    before, _, after = _stored_form(wanted).partition(word)
    text = _stored_form(stored)
    return text.startswith(before) and text.endswith(after)


def _stored_form(text: str) -> str:
    # GitLab takes these off as it looks for quick actions (lib/gitlab/quick_actions/extractor.rb).
    return _JOB.sub("", _TIME.sub("", text.replace("\r", "").rstrip()))


def plan_emoji(answers: Iterable[Answer], notes: Sequence[Note]) -> tuple[tuple[int, str], ...]:
    """Plan the answer to each command that has not had it yet."""
    given = {note.id: note.own_emoji for note in notes}
    # It may be there already among more emoji than the bot reads: every run would put it again.
    unknown = {note.id for note in notes if not note.emoji_known}
    planned = tuple(
        (answer.note_id, answer.emoji)
        for answer in answers
        if answer.emoji not in given.get(answer.note_id, ()) and answer.note_id not in unknown
    )
    return planned[-MOST_EMOJI:]


def plan_stale_emoji(
    answers: Iterable[Answer], notes: Iterable[Note]
) -> tuple[tuple[int, str], ...]:
    """Plan to take back answers that hold no more, such as the one to a waiver that has ended.

    A comment that holds no command any more, since it was edited, has no answer at all.
    """
    holds = {answer.note_id: answer.emoji for answer in answers}
    known = {outcome.value for outcome in Outcome}
    planned = tuple(
        (note.id, name)
        for note in notes
        for name in note.own_emoji
        if name in known and name != holds.get(note.id)
    )
    return planned[-MOST_STALE:]
