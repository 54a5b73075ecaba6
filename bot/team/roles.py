"""A role that is watched over: which project, and which responsibility for it."""

from dataclasses import field

from bot.values import dataclass


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
