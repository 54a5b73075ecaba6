"""Replay what the commands in notes ask for against the present state."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from bot.commands.authority import check_audience, doubt, is_kept, is_orphaned, scopes_where
from bot.commands.effects import EFFECTS
from bot.commands.hints import guess_form, is_approval, means_to_close
from bot.commands.orders import (
    CLOSING,
    NOBODY,
    Decisions,
    NoEffectError,
    NotUnderstoodError,
    Order,
    TooLateError,
    UncheckedError,
    show,
    suggest,
)
from bot.commands.skimming import DECIDING
from bot.commands.text import NOTHING, VERBS, Request, Verb, read_comments
from bot.commands.values import Answer, Context, Outcome, Replay
from bot.merge_request import Note, Person

# What is still heeded where it was said in an earlier merge request from the same branch.
STATING = DECIDING | {"attest"}
LASTING = frozenset({"hold", "release"})
# Why a command that came after the merge does nothing, by its name.
_TOO_LATE = {
    "hold": "nothing is held; to take the role back, open a merge request that removes it",
    "release": "there is nothing to release",
    "waive": "nothing is waived",
    "unwaive": "no waiver is taken back",
    "attest": "nothing is stated",
}


def replay(
    notes: Sequence[Note], context: Context, word: str, earlier: Sequence[Note] = ()
) -> Replay:
    """Replay the commands of all notes in order, with the permissions of the present state.

    System notes and notes of bots, this one included, are passed over in silence. Of `earlier`
    notes, of other merge requests that nominated the same people, only holds and their
    releases are heeded, and none is answered.
    """
    decisions = Decisions()
    answers: list[Answer] = []
    spoken = [*((note, False) for note in notes), *((note, True) for note in earlier)]
    readings = read_comments(tuple(note.body for note, _ in spoken), word)
    for note, is_earlier in sorted(spoken, key=lambda pair: (pair[0].created_at, pair[0].id)):
        reading = readings.get(note.body, NOTHING)
        spoken_here = _Spoken(note=note, context=context, word=word, earlier=is_earlier)
        if not reading.whole:
            _doubt_unread(decisions, spoken_here)
        orders = tuple(_orders(spoken_here, reading.requests))
        if orders:
            answer = _answer(decisions, note, orders)
            answers += [] if is_earlier else [answer]
    return Replay(
        waivers=decisions.waivers,
        held=decisions.held(context.nominations),
        attested=decisions.attested,
        help_wanted=decisions.help_wanted,
        answers=tuple(answers),
        doubts=tuple(dict.fromkeys(decisions.doubts.values())),
        taken_back=frozenset(decisions.taken_back),
        decided_at=decisions.decided_at,
    )


class _Spoken(NamedTuple):
    note: Note
    context: Context
    word: str
    earlier: bool


def _orders(spoken: _Spoken, requests: Iterable[Request]) -> Iterator[Order]:
    note, earlier = spoken.note, spoken.earlier
    author = _find_person(note, spoken.context)
    for request in requests if author else ():
        order = Order(
            request=request,
            note=note,
            author=author or NOBODY,
            context=spoken.context,
            word=spoken.word,
            earlier=earlier,
        )
        # Of an account that GitLab tells nothing of, what would close the gate is all that counts.
        heeded = LASTING if earlier else CLOSING if note.author is None else None
        if heeded is None or order.name in heeded:
            yield order


def _find_person(note: Note, context: Context) -> Person | None:
    author = note.author or NOBODY
    if note.system or author.bot or author.key == context.me.casefold():
        return None
    return author


def _answer(decisions: Decisions, note: Note, orders: Sequence[Order]) -> Answer:
    author = orders[0].author
    # What members alone can read must not show in a comment that everybody can read.
    if note.internal:
        return Answer(note_id=note.id, by=author.username, outcome=Outcome.REFUSED, messages=())
    outcomes = {Outcome.DONE}
    messages: list[str] = []
    late = unheard = False
    for order in orders:
        try:
            _obey(decisions, order)
        except NoEffectError as error:
            if isinstance(error, UncheckedError):
                doubt(decisions, order)
            late = late or isinstance(error, TooLateError)
            unheard = unheard or means_to_close(order.name)
            outcomes.add(error.outcome)
            messages.append(f"{show(f'/{order.word} {order.request.verb_text}')}: {error}")
    worst = max(outcomes, key=list(Outcome).index)
    unique = tuple(dict.fromkeys(messages))
    return Answer(
        note_id=note.id,
        by=author.username,
        outcome=worst,
        messages=unique,
        late=late,
        unheard=unheard,
    )


def _doubt_unread(decisions: Decisions, spoken: _Spoken) -> None:
    """Keep in mind that commands were not read, unless their author could not close the gate."""
    # As if it began with a hold, which is what must not be lost; a tick was for something else.
    spoken = spoken._replace(note=replace(spoken.note, own_emoji=(), other_emoji=()))
    worst = next(_orders(spoken, [Request(verb_text="hold", arguments="", line=1)]), None)
    if worst is None or worst.note.edited or worst.note.internal:
        return
    author = worst.author
    heard = author.active or is_orphaned(worst)
    if not heard or len(scopes_where(worst, False)) == len(worst.context.nominations):
        return
    decisions.doubts["unread", author.key] = (
        f"a comment by @{author.username} has more text or commands than the bot reads; "
        "write commands in short comments of their own, and delete the long one"
    )


def _obey(decisions: Decisions, order: Order) -> None:
    if order.note.edited:
        raise NoEffectError("an edited comment has no effect; write it in a new comment.")
    if not (order.author.active or is_orphaned(order)):
        raise NoEffectError("the account that wrote this is not active.")
    verb = _find_verb(order)
    merged_at = order.context.merged_at
    if verb.name in _TOO_LATE and merged_at and order.note.created_at > merged_at:
        raise TooLateError(f"this came after the merge, so {_TOO_LATE[verb.name]}.")
    decisions.help_wanted = verb.name == "help"
    if is_kept(order):
        return
    check_audience(verb, order)
    EFFECTS[verb.name](decisions, order)
    # A tick says that the gate was shut; after the merge only one that was there before does.
    if merged_at and verb.name in CLOSING and not order.ticked:
        raise TooLateError("nobody read this before the merge, so it did not stop it.")
    if verb.name in STATING:
        decisions.decided_at = order.note.created_at


def _find_verb(order: Order) -> Verb:
    for verb in VERBS:
        if verb.name == order.name:
            return verb
    names = [verb.name for verb in VERBS]
    if is_approval(order.name):
        raise NotUnderstoodError(
            "nothing is approved by a command: use GitLab's own button for that. To end a hold, "
            f"write {order.form('release')}; to do without a requirement, "
            f"{order.form('waive <requirement> <reason>')}. {suggest('', names)}"
        )
    known = {each for scope in order.context.nominations for each in scope.requirement_ids}
    form = guess_form(order.name, order.request.arguments, sorted(known))
    if form:
        hint = f"Did you mean {order.form(form)}? {suggest('', names)}"
    else:
        hint = suggest(order.name, names)
    raise NotUnderstoodError(f"there is no such command. {hint}")
