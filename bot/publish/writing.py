"""Make GitLab equal the report: write a plan's comment, gate and emoji.

Each write may be repeated without harm; one that fails never stops the others, and the
next run heals what is left.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bot.errors import GitLabError, RefusedError
from bot.merge_request import MergeRequest, Note
from bot.publish.gate_writing import write_gate
from bot.publish.plan import Plan, Problem, is_same_around, is_same_text
from bot.publish.writer import FORBIDDEN, NOT_FOUND, HeadMovedError, Writer, write_once
from bot.report import MARKER

SOME_REASON = "SOMEREASON"  # stands for any; letters alone, so that no template changes it


def apply_plan(
    plan: Plan,
    merge_request: MergeRequest,
    writer: Writer,
    render_problem: Callable[[str], str],
) -> list[Problem]:
    """Write a plan to GitLab; return what could not be written.

    The gate, the comment and the emoji go out at the same time. When the gate is refused, the
    comment is written once more to say so; where it said so before, the gate goes first. Raises
    HeadMovedError, after all other writes, when the gate belongs to a head that is none any
    more, or when another run wrote a comment at the same time, perhaps of a newer state.
    """
    # One function: what each write does next hangs on what became of those before it.
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
    told = [what for what in ("gate", "comment", "mark") if what in problems]
    return [Problem(what=what, why=str(problems[what])) for what in told]


Writes = dict[str, Callable[[], None]]


def _write(writes: Writes, writer: Writer) -> dict[str, GitLabError]:
    failures = writer.run_together(list(writes.values()))
    return {what: error for what, error in zip(writes, failures, strict=True) if error}


def _is_as_after_refusal(stored: str, render_problem: Callable[[str], str]) -> bool:
    """Return whether the comment is what a refusal for any reason would make of it."""
    return is_same_around(stored, render_problem(SOME_REASON), SOME_REASON)


def _plan_after(
    plan: Plan, problem: GitLabError | None, render_problem: Callable[[str], str]
) -> Plan:
    """Return what is left to write when the gate is written, or was refused again."""
    body = plan.body
    if problem is not None and not isinstance(problem, HeadMovedError):
        told = render_problem(str(problem))
        body = None if is_same_text(plan.stored, told) else told
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
    write_once(
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
        writer.delete_note(merge_request, note_id)
    return len(own) > 1


def _say_gate_problem(plan: Plan, merge_request: MergeRequest, writer: Writer, body: str) -> None:
    note_id = plan.note_id
    if note_id is None:
        own = [n.id for n in writer.fetch_notes(merge_request) if _is_own(n, merge_request)]
        note_id = min(own, default=None)
    if note_id is not None:
        writer.update_note(merge_request, note_id, body)
