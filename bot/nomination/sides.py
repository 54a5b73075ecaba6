"""What the changed files say on each side of the roles that are asked about."""

from collections.abc import Collection, Iterable

from bot.nomination.lax_reading import LaxReading, read_laxly
from bot.nomination.origin import Refused, Side, read_side
from bot.nomination.values import Change
from bot.team import Entry, RoleKey, is_team_file, may_mention
from bot.unread import Content


class Sides:
    """The sides of a change set, each parsed once: the three of a file are mostly equal."""

    def __init__(self, proposed: Iterable[Change], wanted: Collection[RoleKey], glob: str) -> None:
        self.proposed = {change.path: change for change in proposed}
        self._wanted = wanted
        self._glob = glob
        self._known: dict[tuple[str, Content], Side] = {}

    def read(self, content: Content, path: str) -> Side:
        """Parse a side of a change once; the three are mostly equal."""
        key = path, content
        if key not in self._known:
            self._known[key] = read_side(content, path)
        return self._known[key]

    def read_laxly(self, content: Content, path: str) -> LaxReading:
        """Read what other readers may take otherwise, of a side that is an entry."""
        if not isinstance(content, bytes) or isinstance(self.read(content, path), Refused):
            return LaxReading(messages=(), source=())
        return read_laxly(content, self._wanted, path)

    def mentions(self, content: Content) -> bool:
        """Return whether a side may name a project of the wanted roles."""
        return isinstance(content, bytes) and any(
            may_mention(content, name) for wanted in self._wanted for name in wanted.names
        )

    def has_moved(self, change: Change) -> bool:
        """Return whether the target branch has changed a file since the branch began."""
        proposed = self.proposed[change.path]
        return proposed.base != proposed.target

    def was_granted(self, change: Change, wanted: RoleKey) -> bool:
        """Return whether the branch gives a role that the target branch has given meanwhile."""
        proposed = self.proposed[change.path]
        began = self.read(proposed.base, change.base_path)
        proposes = self.read(proposed.head, change.path)
        return (
            self.has_moved(change)
            and isinstance(proposes, Entry)
            and proposes.holds(wanted.project, wanted.role)
            and not (isinstance(began, Entry) and began.holds(wanted.project, wanted.role))
        )

    @property
    def at_stake(self) -> bool:
        """Return whether an entry holds a wanted role where the branch began, here, or there."""
        return any(map(self._is_at_stake, self.proposed.values()))

    def _is_at_stake(self, change: Change) -> bool:
        return is_team_file(change.path, self._glob) and any(
            self._gives(side, change.path, wanted)
            for side in {change.base, change.head, change.target}
            for wanted in self._wanted
        )

    def is_named(self, change: Change) -> bool:
        """Return whether a side names a watched project: two that hold no role may make one."""
        return is_team_file(change.path, self._glob) and any(
            isinstance(side, bytes) and may_mention(side, wanted.project)
            for side in {change.base, change.head, change.target}
            for wanted in self._wanted
        )

    def _gives(self, content: Content, path: str, wanted: RoleKey) -> bool:
        if not isinstance(content, bytes) or wanted.role.encode() not in content.lower():
            return False
        side = self.read(content, path) if may_mention(content, wanted.project) else None
        return isinstance(side, Entry) and side.holds(wanted.project, wanted.role)
