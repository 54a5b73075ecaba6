"""Replay what the commands in notes ask for against the present state."""

from collections.abc import Sequence
from dataclasses import replace

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
from bot.commands.text import NOTHING, Request, read_comments
from bot.commands.values import Answer, Context, Outcome, Replay
from bot.commands.verbs import VERBS, Verb
from bot.merge_request import Note

# What is still heeded where it was said in an earlier merge request from the same branch.
STATING = DECIDING | {"attest"}
LASTING = frozenset({"hold", "release"})
# What a comment that is not read whole may begin with, and what must not be lost.
WORST = Request(verb_text="hold", arguments="", line=1)
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
    readings = read_comments(tuple(note.body for note in (*notes, *earlier)), word)
    for spoken in _in_order(notes, earlier, context, word):
        reading = readings.get(spoken.note.body, NOTHING)
        if not reading.whole:
            _doubt_unread(decisions, spoken)
        given = (replace(spoken, request=each) for each in reading.requests)
        orders = tuple(filter(_is_heeded, given))
        if orders:
            answer = _answer(decisions, spoken.note, orders)
            answers += [] if spoken.earlier else [answer]
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


def _in_order(
    notes: Sequence[Note], earlier: Sequence[Note], context: Context, word: str
) -> list[Order]:
    """Return each comment with the worst that it may hold, in the order in which people wrote."""
    made = [
        Order(
            request=WORST,
            note=note,
            author=note.author or NOBODY,
            context=context,
            word=word,
            earlier=is_earlier,
        )
        for is_earlier, some in ((False, notes), (True, earlier))
        for note in some
    ]
    return sorted(made, key=lambda order: (order.note.created_at, order.note.id))


def _is_heeded(order: Order) -> bool:
    """Return whether a command is one of a person, and one that counts where it was said."""
    note, author = order.note, order.author
    if note.system or author.bot or author.key == order.context.me.casefold():
        return False
    # Of an account that GitLab tells nothing of, what would close the gate is all that counts.
    heeded = LASTING if order.earlier else CLOSING if note.author is None else None
    return heeded is None or order.name in heeded


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


def _doubt_unread(decisions: Decisions, worst: Order) -> None:
    """Keep in mind that commands were not read, unless their author could not close the gate."""
    # A tick was for something else.
    worst = replace(worst, note=replace(worst.note, own_emoji=(), other_emoji=()))
    if not _is_heeded(worst) or worst.note.edited or worst.note.internal:
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
    # The commands are shown until the next one.
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
