"""What commands are judged by, and what they amount to."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum

from bot.values import dataclass


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

    `former_ids` are the accounts that the bot had before. `pushed_at` is when the changes became
    what they are, `None` where that is not known, and `beside` says that they are of others, too,
    whom the target branch may come to nominate; `merged_at` is when nothing was left to decide.
    """

    nominations: tuple[Scope, ...]
    nominator: str | None
    me: str
    former_ids: frozenset[int] = frozenset()
    pushed_at: datetime | None = None
    beside: bool = False
    merged_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who decided something, why, in which note and when."""

    by: str
    reason: str
    note_id: int
    at: datetime


class Waiver(Decision):
    """Who waived a requirement, why (foreign text on one line), in which note and when."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Decision):
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
    unheard: bool = False  # somebody meant to keep the gate shut, in vain

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
    def unheard(self) -> tuple[Answer, ...]:
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
