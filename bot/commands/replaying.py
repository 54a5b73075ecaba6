"""Replay what the commands in notes ask for against the present state."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import NamedTuple, TypeVar

from bot.commands.hints import declines, guess_form, is_approval, means_hold, takes_back
from bot.commands.text import NOTHING, PUNCTUATION, VERBS, Audience, Request, Verb, read_comments
from bot.inert import code_span
from bot.merge_request import Note, Person

REASON_LIMIT = 300  # characters of a reason that are kept
PLACEHOLDER = "REASON"  # what the comment prints for the reason
CLOSING = frozenset({"hold", "unwaive"})
DECIDING = frozenset({"waive", "unwaive", "hold", "release"})
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
_NOBODY = Person(id=0, username="ghost")
_GHOST = re.compile("ghost[0-9]*")
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
    is `None` where there is none, or where it is not known who it is. `inactive` would be
    maintainers if their accounts were not blocked; `former_name` is what the merge request
    calls an account that was renamed since.
    """

    username: str
    policy_id: str
    requirement_ids: tuple[str, ...]
    topic_ids: tuple[str, ...]
    maintainers: frozenset[str] | None
    manager: str | None
    manager_known: bool = True
    inactive: frozenset[str] = frozenset()
    former_name: str | None = None

    @property
    def key(self) -> str:
        """The nominee's username in the form that is compared."""
        return self.username.casefold()

    @property
    def id(self) -> str:
        """What tells this nomination from the others of the merge request."""
        return f"{self.key} {self.policy_id}"

    @property
    def names(self) -> frozenset[str]:
        """Return what a command may call the nominee, in the forms that are compared."""
        return frozenset({self.key, (self.former_name or self.username).casefold()})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(_Decision):
    """Who holds the merge request, why (foreign text on one line), in which note and when.

    `over` are the nominees it still stands for. It is `orphaned` when the account is gone, not
    active, or decides here no more, so that maintainers alone can release it; `place` is the
    address of the comment where that is in an earlier merge request.
    """

    over: tuple[str, ...] = ()
    orphaned: bool = False
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to all commands of one note; its messages are inert Markdown, a line each."""

    note_id: int
    by: str
    outcome: Outcome
    messages: tuple[str, ...]
    late: bool = False  # some of it came, or was read, too late for the merge
    unheard: bool = False  # somebody meant to hold, and was not understood

    @property
    def emoji(self) -> str:
        """GitLab's name of the emoji that answers the note."""
        return self.outcome.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What all commands together amount to; people are case-folded usernames.

    `doubts` tell, in foreign text, of commands that would close the gate if their author may
    give them, which could not be checked. `taken_back` are waivers that have ended so.
    `decided_at` is when a command last changed anything.
    """

    waivers: Mapping[tuple[str, str], Waiver]
    held: Hold | None
    attested: Mapping[str, frozenset[str]]
    help_wanted: bool
    answers: tuple[Answer, ...]
    doubts: tuple[str, ...] = ()
    taken_back: frozenset[tuple[str, str]] = frozenset()
    decided_at: datetime | None = None

    @property
    def late_complaints(self) -> tuple[Answer, ...]:
        """Return what to show in words after the merge: what did not stop it any more."""
        return tuple(answer for answer in self.complaints if answer.late)

    @property
    def unheard_holds(self) -> tuple[Answer, ...]:
        """Return what to show in words even where the gate is open: it may not be meant to be."""
        return tuple(answer for answer in self.complaints if answer.unheard)

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
    holds: dict[str, Hold] = field(default_factory=dict)  # by nomination
    attested: dict[str, frozenset[str]] = field(default_factory=dict)
    help_wanted: bool = False
    doubts: dict[tuple[str, str], str] = field(default_factory=dict)  # by verb and nomination
    taken_back: set[tuple[str, str]] = field(default_factory=set)
    decided_at: datetime | None = None

    def held(self, scopes: Iterable[Scope]) -> Hold | None:
        """Return the newest hold, for all the nominees that it still stands for."""
        standing = {id(hold): hold for hold in self.holds.values()}.values()
        newest = max(standing, key=lambda hold: (hold.at, hold.note_id), default=None)
        if newest is None:
            return None
        over = (scope.username for scope in scopes if self.holds.get(scope.id) is newest)
        return replace(newest, over=tuple(dict.fromkeys(over)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """One command with all it takes to judge it."""

    request: Request
    note: Note
    author: Person
    context: Context
    word: str
    earlier: bool = False  # said in an earlier merge request from the same branch

    @property
    def name(self) -> str:
        return self.request.verb_text.casefold()

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


class _TooLateError(_NoEffectError):
    """A command that came, or was read, after the merge."""


class _UncheckedError(_NoEffectError):
    """A command of somebody of whom it is not known whether they may give it."""


def replay(
    notes: Sequence[Note], context: Context, word: str, earlier: Sequence[Note] = ()
) -> Replay:
    """Replay the commands of all notes in order, with the permissions of the present state.

    System notes and notes of bots, this one included, are passed over in silence. Of `earlier`
    notes, of other merge requests that nominated the same people, only holds and their
    releases are heeded, and none is answered.
    """
    ledger = _Ledger()
    answers: list[Answer] = []
    spoken = [*((note, False) for note in notes), *((note, True) for note in earlier)]
    readings = read_comments(tuple(note.body for note, _ in spoken), word)
    for note, is_earlier in sorted(spoken, key=lambda pair: (pair[0].created_at, pair[0].id)):
        reading = readings.get(note.body, NOTHING)
        spoken_here = _Spoken(note=note, context=context, word=word, earlier=is_earlier)
        if not reading.whole:
            _doubt_unread(ledger, spoken_here)
        orders = tuple(_orders(spoken_here, reading.requests))
        if orders:
            answer = _answer(ledger, note, orders)
            answers += [] if is_earlier else [answer]
    return Replay(
        waivers=ledger.waivers,
        held=ledger.held(context.nominations),
        attested=ledger.attested,
        help_wanted=ledger.help_wanted,
        answers=tuple(answers),
        doubts=tuple(dict.fromkeys(ledger.doubts.values())),
        taken_back=frozenset(ledger.taken_back),
        decided_at=ledger.decided_at,
    )


class _Spoken(NamedTuple):
    note: Note
    context: Context
    word: str
    earlier: bool


def _orders(spoken: _Spoken, requests: Iterable[Request]) -> Iterator[_Order]:
    note, earlier = spoken.note, spoken.earlier
    author = _find_person(note, spoken.context)
    for request in requests if author else ():
        order = _Order(
            request=request,
            note=note,
            author=author or _NOBODY,
            context=spoken.context,
            word=spoken.word,
            earlier=earlier,
        )
        # Of an account that GitLab tells nothing of, what would close the gate is all that counts.
        heeded = LASTING if earlier else CLOSING if note.author is None else None
        if heeded is None or order.name in heeded:
            yield order


def wants_push_time(notes: Sequence[Note], word: str) -> bool:
    """Return whether a comment waives something without saying for whom."""
    readings = read_comments(tuple(note.body for note in notes), word)
    return any(
        _waives_for_nobody_by_name(request)
        for note in notes
        if not note.system
        for request in readings.get(note.body, NOTHING).requests
    )


def _waives_for_nobody_by_name(request: Request) -> bool:
    return request.verb_text.casefold() == "waive" and not request.arguments.startswith("@")


def find_stating(notes: Sequence[Note], word: str) -> tuple[Person, ...]:
    """Return those of whom the bot accepted by a tick that they stated something as nominees."""
    return tuple(
        note.author
        for note, verbs in _verbs_of(notes, word)
        if note.author and not note.edited and Outcome.DONE.value in note.own_emoji
        if "attest" in verbs
    )


def takes_waivers_back(notes: Sequence[Note], word: str) -> bool:
    """Return whether any comment takes a waiver back."""
    return any("unwaive" in verbs for note, verbs in _verbs_of(notes, word) if not note.system)


def decides(notes: Sequence[Note], word: str) -> bool:
    """Return whether any comment holds a command that takes authority."""
    return any(verbs & DECIDING for note, verbs in _verbs_of(notes, word) if not note.system)


def _verbs_of(notes: Sequence[Note], word: str) -> Iterator[tuple[Note, set[str]]]:
    readings = read_comments(tuple(note.body for note in notes), word)
    for note in notes:
        requests = readings.get(note.body, NOTHING).requests
        yield note, {request.verb_text.casefold() for request in requests}


def _find_person(note: Note, context: Context) -> Person | None:
    author = note.author or _NOBODY
    if note.system or author.bot or author.key == context.me.casefold():
        return None
    return author


def _is_gone(author: Person) -> bool:
    # GitLab gives the comments of a deleted account to this one, whose name gets a number where
    # it was taken (app/services/users/migrate_records_to_ghost_user_service.rb).
    return bool(_GHOST.fullmatch(author.key))


def _answer(ledger: _Ledger, note: Note, orders: Sequence[_Order]) -> Answer:
    author = orders[0].author
    # What members alone can read must not show in a comment that everybody can read.
    if note.internal:
        return Answer(note_id=note.id, by=author.username, outcome=Outcome.REFUSED, messages=())
    outcomes = {Outcome.DONE}
    messages: list[str] = []
    late = unheard = False
    for order in orders:
        try:
            _obey(ledger, order)
        except _NoEffectError as error:
            if isinstance(error, _UncheckedError):
                _doubt(ledger, order)
            late = late or isinstance(error, _TooLateError)
            unheard = unheard or (isinstance(error, _NotUnderstoodError) and means_hold(order.name))
            outcomes.add(error.outcome)
            messages.append(f"{_show(f'/{order.word} {order.request.verb_text}')}: {error}")
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


def _doubt(ledger: _Ledger, order: _Order) -> None:
    """Keep in mind what would close the gate; what would open it simply does not count."""
    for scope in _scopes_where(order, None) if order.name in CLOSING else ():
        ledger.doubts[order.name, scope.id] = (
            f"@{order.author.username} wrote the command {order.name}, "
            "and whether they may could not be checked"
        )


def _doubt_unread(ledger: _Ledger, spoken: _Spoken) -> None:
    """Keep in mind that commands were not read, unless their author could not close the gate."""
    # As if it began with a hold, which is what must not be lost; a tick was for something else.
    spoken = spoken._replace(note=replace(spoken.note, own_emoji=()))
    worst = next(_orders(spoken, [Request(verb_text="hold", arguments="", line=1)]), None)
    if worst is None or worst.note.edited or worst.note.internal:
        return
    author = worst.author
    heard = author.active or _is_orphaned(worst)
    if not heard or len(_scopes_where(worst, False)) == len(worst.context.nominations):
        return
    ledger.doubts["unread", author.key] = (
        f"a comment by @{author.username} has more text or commands than the bot reads; "
        "write commands in short comments of their own, and delete the long one"
    )


def _obey(ledger: _Ledger, order: _Order) -> None:
    if order.note.edited:
        raise _NoEffectError("an edited comment has no effect; write it in a new comment.")
    if not (order.author.active or _is_orphaned(order)):
        raise _NoEffectError("the account that wrote this is not active.")
    verb = _find_verb(order)
    merged_at = order.context.merged_at
    if verb.name in _TOO_LATE and merged_at and order.note.created_at > merged_at:
        raise _TooLateError(f"this came after the merge, so {_TOO_LATE[verb.name]}.")
    ledger.help_wanted = verb.name == "help"
    _check_audience(verb, order)
    _EFFECTS[verb.name](ledger, order)
    # A tick says that the gate was shut; after the merge only one that was there before does.
    answered = Outcome.DONE.value in order.note.own_emoji
    if merged_at and verb.name in CLOSING and not answered:
        raise _TooLateError("nobody read this before the merge, so it did not stop it.")
    if verb.name in STATING:
        ledger.decided_at = order.note.created_at


def _find_verb(order: _Order) -> Verb:
    for verb in VERBS:
        if verb.name == order.name:
            return verb
    names = [verb.name for verb in VERBS]
    if is_approval(order.name):
        raise _NotUnderstoodError(
            "nothing is approved by a command: use GitLab's own button for that. To end a hold, "
            f"write {order.form('release')}; to do without a requirement, "
            f"{order.form('waive <requirement> <reason>')}. {_suggest('', names)}"
        )
    known = {each for scope in order.context.nominations for each in scope.requirement_ids}
    form = guess_form(order.name, order.request.arguments, sorted(known))
    if form:
        hint = f"Did you mean {order.form(form)}? {_suggest('', names)}"
    else:
        hint = _suggest(order.name, names)
    raise _NotUnderstoodError(f"there is no such command. {hint}")


def _check_audience(verb: Verb, order: _Order) -> None:
    scopes = order.context.nominations
    if verb.who is Audience.ANYONE:
        return
    if not scopes:
        raise _NoEffectError("nobody is nominated in this merge request now.")
    if verb.who is Audience.MAINTAINER_OR_MANAGER:
        _check_impartial(order)
        _check_authority(order, [_find_authority(scope, order) for scope in scopes], any)
    elif order.author.key not in {scope.key for scope in scopes}:
        raise _NoEffectError("nominees alone can state what they know.")


def _check_impartial(order: _Order) -> None:
    nominees = {scope.key for scope in order.context.nominations}
    if _is_gone(order.author) and order.name in CLOSING:
        return
    # Whoever is nominated here may close the gate for others: or to nominate those who hold a
    # merge request, in the same one, would be enough to end their hold.
    alone = nominees == {order.author.key}
    if order.author.key in nominees and (alone or order.name not in CLOSING):
        raise _NoEffectError("a nominee cannot decide here; ask a maintainer or your manager.")
    nominator = order.context.nominator
    if nominator and order.author.key == nominator.casefold():
        raise _NoEffectError(
            "the author of the merge request cannot decide here; "
            "ask another maintainer or the nominee's manager."
        )


def _find_authority(scope: Scope, order: _Order) -> bool | None:
    """Return whether the author of a command has authority over a nomination; None if unknown."""
    author = order.author
    if author.key == scope.key:
        return False
    if (_is_gone(author) and order.name in CLOSING) or _has_lost(order):
        return True
    return _find_present_authority(scope, order)


def _find_present_authority(scope: Scope, order: _Order) -> bool | None:
    author = order.author
    # Anybody may take a name that was freed; who is no member of the project is a stranger.
    belongs = order.note.by_member or not author.active
    if scope.manager and author.key == scope.manager.casefold() and belongs:
        return True
    if _is_maintainer(scope, order):
        return True
    unknown = scope.maintainers is None or (not scope.manager_known and order.note.by_member)
    return None if unknown else False


def _is_maintainer(scope: Scope, order: _Order) -> bool:
    key = order.author.key
    may_close = order.name in CLOSING and key in scope.inactive
    return may_close or (scope.maintainers is not None and key in scope.maintainers)


def _is_orphaned(order: _Order) -> bool:
    """Return whether a command closes the gate for somebody who could, but is not there now.

    That they left must not open it: somebody who is there decides.
    """
    if order.name not in CLOSING:
        return False
    if _is_gone(order.author) or _has_lost(order):
        return True
    return not order.author.active and any(
        order.author.key in scope.inactive
        or (scope.manager is not None and order.author.key == scope.manager.casefold())
        for scope in order.context.nominations
    )


def _has_lost(order: _Order) -> bool:
    """Return whether somebody who decides here no more holds what they had authority to hold.

    The bot's tick tells that it heeded the hold; to take its author out of the group, or to name
    another manager, is not to release it.
    """
    return (
        order.name == "hold"
        and Outcome.DONE.value in order.note.own_emoji
        and all(_find_present_authority(s, order) is False for s in order.context.nominations)
    )


def _scopes_where(order: _Order, verdict: bool | None) -> list[Scope]:
    return [s for s in order.context.nominations if _find_authority(s, order) is verdict]


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
    if takes_back(reason):
        raise _NotUnderstoodError(
            f"did you mean {order.form(f'unwaive @{target} {requirement}')}? "
            "A waiver needs a reason that is one."
        )
    if not any(map(str.isalnum, reason)) or reason.strip(PUNCTUATION) == PLACEHOLDER:
        form = order.form(f"waive @{target} {requirement} <reason>")
        raise _NotUnderstoodError(f"a waiver needs a reason: {form}.")
    ledger.waivers[target, requirement] = order.decide(Waiver, reason)
    ledger.taken_back.discard((target, requirement))


def _unwaive(ledger: _Ledger, order: _Order) -> None:
    target, requirement, _ = _find_target(order, "")
    ledger.waivers.pop((target, requirement), None)
    ledger.taken_back.add((target, requirement))


def _hold(ledger: _Ledger, order: _Order) -> None:
    reason = order.request.arguments
    if takes_back(reason):
        raise _NotUnderstoodError(
            f"to end a hold, write {order.form('release')}; "
            f"to hold, say why: {order.form('hold <reason>')}."
        )
    if not reason:
        raise _NotUnderstoodError(f"a hold needs a reason: {order.form('hold <reason>')}.")
    hold = replace(
        order.decide(Hold, reason),
        orphaned=_is_orphaned(order),
        place=order.note.url if order.earlier else None,
    )
    ledger.holds |= {scope.id: hold for scope in _scopes_where(order, True)}
    _doubt(ledger, order)


def _release(ledger: _Ledger, order: _Order) -> None:
    if declines(order.request.arguments):
        raise _NotUnderstoodError(
            f"to end the hold, write {order.form('release')} and nothing else; "
            f"to hold, {order.form('hold <reason>')}."
        )
    before = dict(ledger.holds)
    for scope in _scopes_where(order, True):
        hold = ledger.holds.get(scope.id)
        if hold is None or not hold.orphaned or _is_maintainer(scope, order):
            ledger.holds.pop(scope.id, None)
            ledger.doubts.pop(("hold", scope.id), None)
    if before and ledger.holds == before:
        raise _NoEffectError(_say_whose(ledger, order))


def _say_whose(ledger: _Ledger, order: _Order) -> str:
    """Say who can release what is held, which the author of the command cannot."""
    if any(ledger.holds[s.id].orphaned for s in _scopes_where(order, True) if s.id in ledger.holds):
        return (
            "the account that holds this is gone, not active, or decides here no more; "
            "a maintainer can release it."
        )
    held = [scope for scope in order.context.nominations if scope.id in ledger.holds]
    people = ", ".join(dict.fromkeys(_show(f"@{scope.username}") for scope in held))
    return f"the hold is for {people}; a maintainer there or their manager can release it."


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
    _check_authority(order, [_find_authority(scope, order) for scope in concerned], all)
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
    chosen = [scope for scope in scopes if name in scope.names]
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


def is_asked(notes: Sequence[Note], word: str) -> bool:
    """Return whether any comment holds a command."""
    readings = read_comments(tuple(note.body for note in notes), word)
    return any(
        readings.get(note.body, NOTHING).requests
        for note in notes
        # An answer to an internal note would tell everybody of it; bots get none.
        if not (note.system or note.internal or (note.author and note.author.bot))
    )
