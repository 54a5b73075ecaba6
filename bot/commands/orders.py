"""One command with all it takes to judge it, what it may change, and why it may not."""

from collections.abc import Iterable
from dataclasses import field, replace
from datetime import datetime
from typing import TypeVar

from bot.commands.text import Request
from bot.commands.values import Context, Decision, Hold, Outcome, Scope, Waiver
from bot.inert import code_span
from bot.merge_request import Note, Person
from bot.values import dataclass

REASON_LIMIT = 300  # characters of a reason that are kept
CLOSING = frozenset({"hold", "unwaive"})
NOBODY = Person(id=0, username="ghost")
_SHOWN_LIMIT = 60  # characters of a misspelt word that are shown back
_D = TypeVar("_D", bound=Decision)


@dataclass(slots=True, kw_only=True)
class Decisions:
    """What the commands up to one amount to."""

    waivers: dict[tuple[str, str], Waiver] = field(default_factory=dict)
    # By nomination and note: to release a later one of somebody else's must not end it.
    holds: dict[tuple[str, int], Hold] = field(default_factory=dict)
    attested: dict[str, frozenset[str]] = field(default_factory=dict)
    help_wanted: bool = False
    doubts: dict[tuple[str, str], str] = field(default_factory=dict)  # by verb and nomination
    taken_back: set[tuple[str, str]] = field(default_factory=set)
    decided_at: datetime | None = None

    def held(self, scopes: Iterable[Scope]) -> Hold | None:
        """Return the newest hold, for all the nominees that it still stands for."""
        newest = max(self.holds.values(), key=lambda hold: (hold.at, hold.note_id), default=None)
        if newest is None:
            return None
        over = (scope.username for scope in scopes if (scope.id, newest.note_id) in self.holds)
        return replace(newest, over=tuple(dict.fromkeys(over)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One command with all it takes to judge it."""

    request: Request
    note: Note
    author: Person
    context: Context
    word: str
    earlier: bool = False  # said in an earlier merge request from the same branch

    @property
    def name(self) -> str:
        """The word after that of the bot, in the form that is compared."""
        return self.request.verb_text.casefold()

    @property
    def ticked(self) -> bool:
        """Whether the bot heeded the comment before, as its tick tells."""
        done, former = Outcome.DONE.value, self.context.former_ids
        return done in self.note.own_emoji or any(
            name == done and account in former for account, name in self.note.other_emoji
        )

    def form(self, usage: str) -> str:
        """Show how a command is written."""
        return code_span(f"/{self.word} {usage}")

    def decide(self, kind: type[_D], reason: str) -> _D:
        """Return a decision by the author of the command."""
        if len(reason) > REASON_LIMIT:
            reason = reason[: REASON_LIMIT - 1] + "…"
        note = self.note
        return kind(by=self.author.username, reason=reason, note_id=note.id, at=note.created_at)


class NoEffectError(Exception):
    """A command that changes nothing; the message says why in one line of inert Markdown."""

    outcome = Outcome.REFUSED


class NotUnderstoodError(NoEffectError):
    """A command that says nothing the bot knows, or too little."""

    outcome = Outcome.NOT_UNDERSTOOD


class TooLateError(NoEffectError):
    """A command that came, or was read, after the merge."""


class UncheckedError(NoEffectError):
    """A command of somebody of whom it is not known whether they may give it."""


def show(foreign: str) -> str:
    """Show a foreign word as code, shortened."""
    return code_span(foreign, _SHOWN_LIMIT)


def find_nearest(name: str, options: Iterable[str]) -> str | None:
    """Return what is nearest to a misspelt word, if anything is near."""
    from difflib import get_close_matches  # noqa: PLC0415 (only misspellings need it)

    return next(iter(get_close_matches(name[:_SHOWN_LIMIT], list(options), n=1)), None)


def suggest(name: str, options: Iterable[str]) -> str:
    """Say what there is, and what is nearest to a misspelt word."""
    folded = {option.casefold(): option for option in options}
    nearest = find_nearest(name, folded)
    all_of_them = ", ".join(map(show, folded.values())) or "none"
    meant = f"Did you mean {show(folded[nearest])}? " if nearest else ""
    return f"{meant}There are: {all_of_them}."
