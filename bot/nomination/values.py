"""Nominations, remarks and what could not be read, as values."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RoleKey:
    """A project key and the responsibility for it that is asked about.

    What was evidently meant is told by more: `repositories` are names that are no key, and
    `stages` the roles that come before.
    """

    project: str
    role: str
    repositories: frozenset[str] = field(default=frozenset(), compare=False)
    stages: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The key, and what is written in its place by mistake."""
        return self.project, *sorted(self.repositories)

    def __str__(self) -> str:
        return f"{self.project}: {self.role}"


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
    reports_to: str | None
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
    change set may come to nominate somebody without a push, when the target branch moves.
    """

    nominations: tuple[Nomination, ...]
    remarks: tuple[Remark, ...]
    unread: tuple[Remark, ...]
    at_stake: bool = field(default=False, compare=False)
