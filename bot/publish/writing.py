"""Make GitLab equal the report: write a plan's comment, gate and emoji.

Each write may be repeated without harm; one that fails never stops the others, and the
next run heals what is left.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from bot.errors import DoubtfulWriteError, GitLabError, RefusedError
from bot.merge_request import CommitStatus, MergeRequest, Note
from bot.publish.gate import COMMIT_STATES, GateKind, GateWrite, is_shown
from bot.publish.plan import Plan, is_same_around, is_same_text
from bot.report import MARKER, GateState

BAD_REQUEST, FORBIDDEN, NOT_FOUND, CONFLICT, FULL = 400, 403, 404, 409, 422
SOME_REASON = "SOMEREASON"  # stands for any; letters alone, so that no template changes it
# Seconds between tries of a write of which it is not known whether it landed; an edge before GitLab
# may fail for a while, and the deadline ends this earlier.
PAUSES = (0.5, 2.0, 4.0, 8.0, 16.0)


# What a person can do about a refused gate; GitLab's own words seldom tell.
STATUS_ADVICE = {
    FORBIDDEN: (
        "the bot's account needs the Developer role in this project, and where the source branch "
        "is protected also the right to push to it"
    ),
    NOT_FOUND: (
        "the head or its pipeline is not, or no longer, in this project; push again or start a "
        "new pipeline"
    ),
    FULL: "the pipeline of the head has no room for another job; start a new pipeline",
}
FORK_ADVICE = (
    "the pipeline of the head is one of the fork; a member of this project can run one here, on "
    "the Pipelines tab of the merge request"
)
CHECK_ADVICE = {
    FORBIDDEN: "the bot's account needs the Developer role in this project and must not be author",
    NOT_FOUND: "external status checks take GitLab Ultimate, and the check must still exist",
}


class HeadMovedError(GitLabError):
    """Somebody pushed, or another run wrote a comment, meanwhile: evaluate again."""


class Writer(Protocol):
    """The writes that publishing takes."""

    def create_note(self, merge_request: MergeRequest, body: str) -> int:
        """Write a new comment and return its id."""

    def update_note(self, merge_request: MergeRequest, note_id: int, body: str) -> None:
        """Replace the text of a comment."""

    def delete_note(self, merge_request: MergeRequest, note_id: int) -> None:
        """Delete a comment."""

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


def apply_plan(
    plan: Plan,
    merge_request: MergeRequest,
    writer: Writer,
    render_problem: Callable[[str], str | None],
) -> list[str]:
    """Write a plan to GitLab; return what could not be written, in words.

    The gate, the comment and the emoji go out at the same time. When the gate is refused, the
    comment is written once more to say so; where it said so before, the gate goes first. Raises
    HeadMovedError, after all other writes, when the gate belongs to a head that is none any
    more, or when another run wrote a comment at the same time, perhaps of a newer state.
    """
    problems: dict[str, GitLabError] = {}
    if plan.gate and plan.stored and _is_as_after_refusal(plan.stored, render_problem):
        # Else every run would take the trouble out of the comment and put it in again.
        problems = _write(_gate_writes(plan, merge_request, writer), writer)
        plan = _plan_after(plan, problems.get("gate"), render_problem)
    created: list[str] = []
    writes = _gate_writes(plan, merge_request, writer)
    writes |= _other_writes(plan, merge_request, writer, created)
    failed = _write(writes, writer)
    doubled = False
    try:
        if "gate" in failed and not isinstance(failed["gate"], HeadMovedError):
            said = render_problem(str(failed["gate"]))
            _say_gate_problem(plan, merge_request, writer, said)
        if created and "comment" not in failed:
            doubled = heal_duplicates(merge_request, writer)
    except GitLabError as error:
        failed.setdefault("comment", error)
    problems |= failed
    if isinstance(problems.get("gate"), HeadMovedError):
        raise problems["gate"]
    if doubled:
        raise HeadMovedError("another run wrote the comment at the same time.")
    # Emoji are courtesies: their failure is no reason to fail the run. Without the mark the
    # sweep would pass over the merge request for ever, which nobody would hear of.
    return [f"{what}: {problems[what]}" for what in ("gate", "comment", "mark") if what in problems]


Writes = dict[str, Callable[[], None]]


def _write(writes: Writes, writer: Writer) -> dict[str, GitLabError]:
    failures = writer.run_together(list(writes.values()))
    return {what: error for what, error in zip(writes, failures, strict=True) if error}


def _is_as_after_refusal(stored: str, render_problem: Callable[[str], str | None]) -> bool:
    """Return whether the comment is what a refusal for any reason would make of it."""
    told = render_problem(SOME_REASON)
    return told is None or is_same_around(stored, told, SOME_REASON)


def _plan_after(
    plan: Plan, problem: GitLabError | None, render_problem: Callable[[str], str | None]
) -> Plan:
    """Return what is left to write when the gate is written, or was refused again."""
    body = plan.body
    if problem is not None and not isinstance(problem, HeadMovedError):
        body = render_problem(str(problem))
        if body is None or is_same_text(plan.stored, body):
            body = None
    return replace(plan, gate=None, body=body)


def _gate_writes(plan: Plan, merge_request: MergeRequest, writer: Writer) -> Writes:
    return {"gate": partial(write_gate, plan.gate, merge_request, writer)} if plan.gate else {}


def _other_writes(
    plan: Plan, merge_request: MergeRequest, writer: Writer, created: list[str]
) -> Writes:
    writes: Writes = {}
    if plan.body is not None:
        writes["comment"] = partial(_write_comment, plan, merge_request, writer, created)
    for note_id in plan.extra_notes:
        writes[f"extra comment {note_id}"] = partial(writer.delete_note, merge_request, note_id)
    for note_id, name in plan.emoji:
        writes[f"emoji {name} {note_id}"] = partial(
            writer.award_emoji, merge_request, note_id, name
        )
    for note_id, name in plan.stale_emoji:
        write = partial(writer.withdraw_emoji, merge_request, note_id, name)
        writes[f"stale emoji {name} {note_id}"] = write
    if plan.watch:
        writes["mark"] = lambda: writer.watch(merge_request)
    return writes


def write_gate(gate: GateWrite, merge_request: MergeRequest, writer: Writer) -> None:
    """Post the gate; raise GitLabError that says what a person can do where it is refused."""
    try:
        if gate.kind is GateKind.STATUS_CHECK:
            writer.answer_status_check(merge_request, gate.fields)
        else:
            _post_status_once(gate, merge_request, writer)
    except RefusedError as error:
        raise _explain(error, gate, merge_request) from None


def _explain(error: RefusedError, gate: GateWrite, merge_request: MergeRequest) -> GitLabError:
    if gate.kind is GateKind.STATUS_CHECK and error.code == CONFLICT:
        return HeadMovedError("somebody pushed while the gate was written.")
    table = CHECK_ADVICE if gate.kind is GateKind.STATUS_CHECK else STATUS_ADVICE
    if error.code == NOT_FOUND and merge_request.from_fork:
        table = {NOT_FOUND: FORK_ADVICE}
    advice = error.advice if "scope" in error.words else table.get(error.code, error.advice)
    reason = f"GitLab answered {error.code} ({error.words or 'no reason given'})"
    return GitLabError(f"{reason}: {advice}." if advice else f"{reason}.")


def _post_status_once(gate: GateWrite, merge_request: MergeRequest, writer: Writer) -> None:
    name = str(gate.fields["name"])
    _write_once(
        lambda: _post_status(gate, merge_request, writer),
        lambda: is_shown(gate.fields, writer.fetch_statuses(merge_request, name), merge_request),
        writer,
    )


def _write_once(
    write: Callable[[], object], has_landed: Callable[[], bool], writer: Writer
) -> None:
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


def _post_status(gate: GateWrite, merge_request: MergeRequest, writer: Writer) -> None:
    try:
        writer.set_commit_status(merge_request, gate.fields)
    except RefusedError as error:
        # GitLab's answer when a status is pending already, which it cannot become again.
        pending = gate.fields["state"] == COMMIT_STATES[GateState.PENDING]
        if (
            not pending
            or error.code != BAD_REQUEST
            or "Cannot transition status" not in error.words
        ):
            raise


def _write_comment(
    plan: Plan, merge_request: MergeRequest, writer: Writer, created: list[str]
) -> None:
    try:
        _write_note(plan, merge_request, writer, created)
    except RefusedError as error:
        if error.code != FORBIDDEN or not merge_request.discussion_locked:
            raise
        raise GitLabError(
            "the discussion is locked, so only members of the project can comment: unlock it, "
            "or make the bot's account a member."
        ) from None


def _write_note(
    plan: Plan, merge_request: MergeRequest, writer: Writer, created: list[str]
) -> None:
    body = plan.body or ""
    if plan.note_id is not None:
        try:
            if plan.before is not None:
                writer.update_note(merge_request, plan.note_id, plan.before)
            writer.update_note(merge_request, plan.note_id, body)
        except RefusedError as error:
            if error.code not in {FORBIDDEN, NOT_FOUND}:
                raise
            # Deleted meanwhile, or written by an account the bot had before.
        else:
            return
    created.append(body)
    create_once(merge_request, writer, body)


def create_once(merge_request: MergeRequest, writer: Writer, body: str) -> None:
    """Create the comment; when it is doubtful whether that landed, look before trying again."""
    _write_once(
        lambda: writer.create_note(merge_request, body),
        lambda: any(_is_own(note, merge_request) for note in writer.fetch_notes(merge_request)),
        writer,
    )


def _is_own(note: Note, merge_request: MergeRequest) -> bool:
    author = note.author
    return author is not None and author.id == merge_request.me.id and note.body.startswith(MARKER)


def heal_duplicates(merge_request: MergeRequest, writer: Writer) -> bool:
    """Look once more after creating: of several comments of the bot the oldest stays.

    Returns whether there were several; the one that stays may tell of an older state.
    """
    notes = writer.fetch_notes(merge_request)
    own = sorted(note.id for note in notes if _is_own(note, merge_request))
    for note_id in own[1:]:
        try:
            writer.delete_note(merge_request, note_id)
        except RefusedError as error:
            # Another process that created one at the same time was faster.
            if error.code != NOT_FOUND:
                raise
    return len(own) > 1


def _say_gate_problem(
    plan: Plan, merge_request: MergeRequest, writer: Writer, body: str | None
) -> None:
    if body is None:
        return
    note_id = plan.note_id
    if note_id is None:
        own = [n.id for n in writer.fetch_notes(merge_request) if _is_own(n, merge_request)]
        note_id = min(own, default=None)
    if note_id is not None:
        writer.update_note(merge_request, note_id, body)
