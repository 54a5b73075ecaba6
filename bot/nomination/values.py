"""Nominations, remarks and what could not be read, as values."""

from dataclasses import field

from bot.unread import Content, Unread
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Nomination:
    """Somebody who gains a role; `before` and `after` are all their roles for the project."""

    username: str
    project: str
    role: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    path: str
    base_path: str | None
    cautions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Remark:
    """What a person should know of a file; `near_miss` when a nomination was evidently meant.

    `is_authors` says of what is unread that its author can put it right.
    """

    path: str
    message: str
    near_miss: bool
    is_authors: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """All that a change set nominates, nearly nominates, and keeps from being read.

    `at_stake` says that some changed entry holds a wanted role on one of its sides, so that the
    change set may come to nominate somebody without a push, when the target branch moves; `named`
    that one names a watched project, of which the same may come together with another change;
    `beside` that one does which nominates nobody now.
    """

    nominations: tuple[Nomination, ...]
    remarks: tuple[Remark, ...]
    unread: tuple[Remark, ...]
    at_stake: bool = field(default=False, compare=False)
    named: bool = field(default=False, compare=False)
    beside: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMerged(Unread):
    """A file of which nobody knows what a merge makes; not `is_read` where a side is missing."""

    is_read: bool = True


class NotPlain(Unread):
    """A file that other readers may take otherwise, so that nothing counts as held in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A changed file: `None` where it does not exist.

    `target` is what the target branch holds now, at `path` or else at `old_path`.
    """

    path: str
    old_path: str | None = None
    base: Content
    head: Content
    target: Content = None

    @property
    def base_path(self) -> str:
        """The path of the file before the change."""
        return self.old_path or self.path
