"""Replay what the commands in notes ask for against the present state."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TypeVar

from bot.command_text import (
    NOTHING,
    PUNCTUATION,
    VERBS,
    Audience,
    Request,
    Verb,
    read_comments,
)
from bot.inert import code_span
from bot.merge_request import Note, Person

REASON_LIMIT = 300  # characters of a reason that are kept
PLACEHOLDER = "REASON"  # what the comment prints for the reason
CLOSING = frozenset({"hold", "unwaive"})
DECIDING = frozenset({"waive", "unwaive", "hold", "release"})
_SHOWN_LIMIT = 60  # characters of a misspelt word that are shown back


class Outcome(Enum):
    """What became of a note's commands, from best to worst; the value is GitLab's emoji name."""

    DONE = "white_check_mark"
    NOT_UNDERSTOOD = "question"
    REFUSED = "no_entry_sign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the commands need to know of one nomination.

    `maintainers` are case-folded usernames, or `None` when they could not be read; `manager`
    is `None` where there is none, or where it is not known who it is.
    """

    username: str
    policy_id: str
    requirement_ids: tuple[str, ...]
    topic_ids: tuple[str, ...]
    maintainers: frozenset[str] | None
    manager: str | None
    manager_known: bool = True

    @property
    def key(self) -> str:
        """The nominee's username in the form that is compared."""
        return self.username.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The present state that decides who may do what; `me` is the bot's own username.

    `pushed_at` is when the changes became what they are, `None` where that is not known;
    `merged_at` is when nothing was left to decide.
    """

    nominations: tuple[Scope, ...]
    nominator: str | None
    me: str
    pushed_at: datetime | None = None
    merged_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    by: str
    reason: str
    note_id: int
    at: datetime


class Waiver(_Decision):
    """Who waived a requirement, why (foreign text on one line), in which note and when."""

    __slots__ = ()


class Hold(_Decision):
    """Who holds the merge request, why (foreign text on one line), in which note and when."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to all commands of one note; its messages are inert Markdown, a line each."""

    note_id: int
    by: str
    outcome: Outcome
    messages: tuple[str, ...]

    @property
    def emoji(self) -> str:
        """GitLab's name of the emoji that answers the note."""
        return self.outcome.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What all commands together amount to; people are case-folded usernames.

    `doubts` tell, in foreign text, of commands that would close the gate if their author may
    give them, which could not be checked.
    """

    waivers: Mapping[tuple[str, str], Waiver]
    held: Hold | None
    attested: Mapping[str, frozenset[str]]
    help_wanted: bool
    answers: tuple[Answer, ...]
    doubts: tuple[str, ...] = ()

    @property
    def complaints(self) -> tuple[Answer, ...]:
        """Return the answers to show in words; a mistake is gone once its author gets one right.

        What was refused stays: a waiver that counts no longer must not end in silence.
        """
        done = [(n, a) for n, a in enumerate(self.answers) if a.outcome is Outcome.DONE]
        right = {answer.by.casefold(): n for n, answer in done}
        return tuple(
            answer
            for n, answer in enumerate(self.answers)
            if answer.messages
            and (answer.outcome is Outcome.REFUSED or right.get(answer.by.casefold(), -1) < n)
        )


_D = TypeVar("_D", bound=_Decision)


@dataclass(slots=True, kw_only=True)
class _Ledger:
    waivers: dict[tuple[str, str], Waiver] = field(default_factory=dict)
    held: Hold | None = None
    attested: dict[str, frozenset[str]] = field(default_factory=dict)
    help_wanted: bool = False
    doubts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """One command with all it takes to judge it."""

    request: Request
    note: Note
    author: Person
    context: Context
    word: str

    def form(self, usage: str) -> str:
        return code_span(f"/{self.word} {usage}")

    def decide(self, kind: type[_D], reason: str) -> _D:
        if len(reason) > REASON_LIMIT:
            reason = reason[: REASON_LIMIT - 1] + "…"
        note = self.note
        return kind(by=self.author.username, reason=reason, note_id=note.id, at=note.created_at)


class _NoEffectError(Exception):
    """A command that changes nothing; the message says why in one line of inert Markdown."""

    outcome = Outcome.REFUSED


class _NotUnderstoodError(_NoEffectError):
    outcome = Outcome.NOT_UNDERSTOOD


class _UncheckedError(_NoEffectError):
    """A command of somebody of whom it is not known whether they may give it."""


def replay(notes: Sequence[Note], context: Context, word: str) -> Replay:
    """Replay the commands of all notes in order, with the permissions of the present state.

    System notes and notes of bots, this one included, are passed over in silence.
    """
    ledger = _Ledger()
    answers: list[Answer] = []
    readings = read_comments(tuple(note.body for note in notes), word)
    for note in sorted(notes, key=lambda note: (note.created_at, note.id)):
        author = _find_person(note, context)
        reading = readings.get(note.body, NOTHING)
        requests = reading.requests if author else ()
        if author and not reading.whole:
            _doubt_unread(ledger, note, author, context)
        if author and requests:
            orders = tuple(
                _Order(request=request, note=note, author=author, context=context, word=word)
                for request in requests
            )
            answers.append(_answer(ledger, note, author, orders))
    return Replay(
        waivers=ledger.waivers,
        held=ledger.held,
        attested=ledger.attested,
        help_wanted=ledger.help_wanted,
        answers=tuple(answers),
        doubts=tuple(ledger.doubts.values()),
    )


def wants_push_time(notes: Sequence[Note], word: str) -> bool:
    """Tell whether a comment waives something without saying for whom."""
    readings = read_comments(tuple(note.body for note in notes), word)
    return any(
        _waives_for_nobody_by_name(request)
        for note in notes
        if not note.system
        for request in readings.get(note.body, NOTHING).requests
    )


def _waives_for_nobody_by_name(request: Request) -> bool:
    return request.verb_text.casefold() == "waive" and not request.arguments.startswith("@")


def _find_person(note: Note, context: Context) -> Person | None:
    author = note.author
    if note.system or author is None or author.bot or author.key == context.me.casefold():
        return None
    return author


def _answer(ledger: _Ledger, note: Note, author: Person, orders: Sequence[_Order]) -> Answer:
    # What members alone can read must not show in a comment that everybody can read.
    if note.internal:
        return Answer(note_id=note.id, by=author.username, outcome=Outcome.REFUSED, messages=())
    outcomes = {Outcome.DONE}
    messages: list[str] = []
    for order in orders:
        try:
            _obey(ledger, order)
        except _NoEffectError as error:
            if isinstance(error, _UncheckedError):
                _doubt(ledger, order)
            outcomes.add(error.outcome)
            messages.append(f"{_show(f'/{order.word} {order.request.verb_text}')}: {error}")
    worst = max(outcomes, key=list(Outcome).index)
    unique = tuple(dict.fromkeys(messages))
    return Answer(note_id=note.id, by=author.username, outcome=worst, messages=unique)


def _doubt(ledger: _Ledger, order: _Order) -> None:
    """Keep in mind what would close the gate; what would open it simply does not count."""
    verb = order.request.verb_text.casefold()
    if verb in CLOSING:
        ledger.doubts[verb] = (
            f"@{order.author.username} wrote the command {verb}, "
            "and whether they may could not be checked"
        )


def _doubt_unread(ledger: _Ledger, note: Note, author: Person, context: Context) -> None:
    """Keep in mind that commands were not read, unless their author could not close the gate."""
    scopes = context.nominations
    powerless = all(_has_authority(scope, author) is False for scope in scopes)
    if note.edited or note.internal or not author.active or powerless:
        return
    ledger.doubts[f"unread {author.key}"] = (
        f"a comment by @{author.username} has more text or commands than the bot reads; "
        "write commands in short comments of their own, and delete the long one"
    )


def _obey(ledger: _Ledger, order: _Order) -> None:
    if order.note.edited:
        raise _NoEffectError("an edited comment has no effect; write it in a new comment.")
    if not order.author.active:
        raise _NoEffectError("the account that wrote this is not active.")
    verb = _find_verb(order)
    merged_at = order.context.merged_at
    if verb.name in DECIDING and merged_at and order.note.created_at > merged_at:
        raise _NoEffectError("after the merge there is nothing left to decide.")
    ledger.help_wanted = verb.name == "help"
    _check_audience(verb, order)
    _EFFECTS[verb.name](ledger, order)


def _find_verb(order: _Order) -> Verb:
    name = order.request.verb_text.casefold()
    for verb in VERBS:
        if verb.name == name:
            return verb
    names = [verb.name for verb in VERBS]
    raise _NotUnderstoodError(f"there is no such command. {_suggest(name, names)}")


def _check_audience(verb: Verb, order: _Order) -> None:
    scopes = order.context.nominations
    if verb.who is Audience.ANYONE:
        return
    if not scopes:
        raise _NoEffectError("nobody is nominated in this merge request now.")
    if verb.who is Audience.MAINTAINER_OR_MANAGER:
        _check_impartial(order)
        _check_authority(order, [_has_authority(scope, order.author) for scope in scopes], any)
    elif order.author.key not in {scope.key for scope in scopes}:
        raise _NoEffectError("nominees alone can state what they know.")


def _check_impartial(order: _Order) -> None:
    if order.author.key in {scope.key for scope in order.context.nominations}:
        raise _NoEffectError("a nominee cannot decide here; ask a maintainer or your manager.")
    nominator = order.context.nominator
    if nominator and order.author.key == nominator.casefold():
        raise _NoEffectError(
            "the author of the merge request cannot decide here; "
            "ask another maintainer or the nominee's manager."
        )


def _has_authority(scope: Scope, author: Person) -> bool | None:
    if scope.manager and author.key == scope.manager.casefold():
        return True
    if scope.maintainers is not None and author.key in scope.maintainers:
        return True
    return False if scope.maintainers is not None and scope.manager_known else None


def _check_authority(
    order: _Order,
    verdicts: Sequence[bool | None],
    quantifier: Callable[[Iterable[bool]], bool],
) -> None:
    if quantifier(verdict is True for verdict in verdicts):
        return
    if quantifier(verdict is not False for verdict in verdicts):
        raise _UncheckedError(
            "could not check who the maintainers and the manager are; "
            f"write {order.form('recheck')} later to try again."
        )
    raise _NoEffectError("a current maintainer or the nominee's manager can do this, nobody else.")


def _attest(ledger: _Ledger, order: _Order) -> None:
    own = [scope for scope in order.context.nominations if scope.key == order.author.key]
    topics = {topic.casefold(): topic for scope in own for topic in scope.topic_ids}
    words = order.request.arguments.replace(",", " ").split()
    named = [word.strip(PUNCTUATION).casefold() for word in words]
    if not topics:
        raise _NotUnderstoodError("there are no topics to attest here.")
    if not named:
        raise _NotUnderstoodError(f"name the topics, or `all`. {_suggest('', topics.values())}")
    for name in named:
        if name not in topics and name != "all":
            raise _NotUnderstoodError(
                f"there is no topic {_show(name)}. {_suggest(name, topics.values())}"
            )
    stated = topics.values() if "all" in named else (topics[name] for name in named)
    before = ledger.attested.get(order.author.key, frozenset())
    ledger.attested[order.author.key] = before.union(stated)


def _waive(ledger: _Ledger, order: _Order) -> None:
    target, requirement, reason = _find_target(order, "<reason>")
    if not reason or reason.strip(PUNCTUATION) == PLACEHOLDER:
        form = order.form(f"waive @{target} {requirement} <reason>")
        raise _NotUnderstoodError(f"a waiver needs a reason: {form}.")
    ledger.waivers[target, requirement] = order.decide(Waiver, reason)


def _unwaive(ledger: _Ledger, order: _Order) -> None:
    target, requirement, _ = _find_target(order, "")
    ledger.waivers.pop((target, requirement), None)


def _hold(ledger: _Ledger, order: _Order) -> None:
    if not order.request.arguments:
        raise _NotUnderstoodError(f"a hold needs a reason: {order.form('hold <reason>')}.")
    ledger.held = order.decide(Hold, order.request.arguments)


def _release(ledger: _Ledger, _: _Order) -> None:
    ledger.held = None
    ledger.doubts.pop("hold", None)


def _pass(_: _Ledger, __: _Order) -> None:
    """Do nothing: to be read is all such a command asks for."""


_EFFECTS: Mapping[str, Callable[[_Ledger, _Order], None]] = {
    "recheck": _pass,
    "help": _pass,
    "attest": _attest,
    "waive": _waive,
    "unwaive": _unwaive,
    "hold": _hold,
    "release": _release,
}


def _find_target(order: _Order, rest_form: str) -> tuple[str, str, str]:
    """Return nominee and requirement, in the forms that are compared, and the remaining words."""
    scopes, arguments = _choose_scopes(order)
    first, _, rest = arguments.partition(" ")
    name = first.strip(PUNCTUATION).casefold()
    known = {wanted.casefold(): wanted for scope in scopes for wanted in scope.requirement_ids}
    if name not in known:
        problem = f"there is no requirement {_show(name)}" if name else "name a requirement"
        raise _NotUnderstoodError(f"{problem}. {_suggest(name, known.values())}")
    requirement = known[name]
    _check_push(order, requirement)
    concerned = [scope for scope in scopes if requirement in scope.requirement_ids]
    people = sorted({scope.username for scope in concerned}, key=str.casefold)
    if len({person.casefold() for person in people}) > 1:
        verb = order.request.verb_text.casefold()
        forms = [order.form(f"{verb} @{who} {requirement} {rest_form}".strip()) for who in people]
        raise _NotUnderstoodError(f"several nominations need this; say whose: {', '.join(forms)}.")
    # One person may be nominated under several policies that share the name of a requirement.
    _check_authority(order, [_has_authority(scope, order.author) for scope in concerned], all)
    return concerned[0].key, requirement, rest


def _check_push(order: _Order, requirement: str) -> None:
    """Refuse a waiver for nobody by name once a push may have changed who is nominated."""
    pushed_at = order.context.pushed_at
    if pushed_at is None or not _waives_for_nobody_by_name(order.request):
        return
    if order.note.created_at <= pushed_at.replace(microsecond=0):
        people = sorted({scope.username for scope in order.context.nominations}, key=str.casefold)
        forms = [order.form(f"waive @{who} {requirement} <reason>") for who in people]
        raise _NoEffectError(
            "changes may have been pushed after this waiver, which does not say for whom it is; "
            f"write {' or '.join(forms)}."
        )


def _choose_scopes(order: _Order) -> tuple[Sequence[Scope], str]:
    scopes = order.context.nominations
    first, _, rest = order.request.arguments.partition(" ")
    name = first.strip(PUNCTUATION).removeprefix("@").casefold()
    chosen = [scope for scope in scopes if scope.key == name]
    requirements = {wanted.casefold() for scope in scopes for wanted in scope.requirement_ids}
    if first.strip(PUNCTUATION).startswith("@"):
        if not chosen:
            people = [f"@{scope.username}" for scope in scopes]
            raise _NotUnderstoodError(
                f"{_show(first)} is not nominated. {_suggest(f'@{name}', people)}"
            )
        return chosen, rest
    # A requirement wins over a person of the same name, who can always be written with `@`.
    return (chosen, rest) if chosen and name not in requirements else (scopes, f"{first} {rest}")


def _show(foreign: str) -> str:
    return code_span(foreign, _SHOWN_LIMIT)


def _suggest(name: str, options: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 (only misspellings need it)

    folded = {option.casefold(): option for option in options}
    nearest = get_close_matches(name[:_SHOWN_LIMIT], folded, n=1, cutoff=0.5)
    all_of_them = ", ".join(map(_show, folded.values())) or "none"
    meant = f"Did you mean {_show(folded[nearest[0]])}? " if nearest else ""
    return f"{meant}There are: {all_of_them}."
