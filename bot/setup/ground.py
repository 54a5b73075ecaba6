"""What the points stand on: the settings, both doors to GitLab, and what was read through them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from bot.config import Settings
from bot.errors import AbsentError, GitLabError
from bot.gitlab import Json, Transport, escape_path, read_pages
from bot.policy import BrokenPolicy, Policy
from bot.setup.versions import Version, read_version

MAINTAINER, DEVELOPER = 40, 30  # GitLab's numbers of these roles (lib/gitlab/access.rb)
SOON = timedelta(days=21)  # what ends within this time is told
# How everything is called that `init` makes.
MADE = "nomination-bot"


def level_in(read: Callable[[str], Json], project: str, user_id: int) -> int:
    """Return the level of a person in a project, 0 for no member."""
    try:
        return int(read(f"{project}/members/all/{user_id}")["access_level"])
    except AbsentError:
        return 0


class NeedsOperatorError(GitLabError):
    """Only somebody who maintains the projects can see this."""


class Ground:
    """Reads GitLab once per question; `forget` makes the next question a new one.

    `chosen` are the settings that the jobs must have, by name.
    """

    def __init__(
        self,
        settings: Settings,
        chosen: Mapping[str, str],
        policies: tuple[Sequence[Policy], Sequence[BrokenPolicy]],
        doors: tuple[Transport, Transport | None],
        now: datetime,
    ) -> None:
        self.settings, self.chosen = settings, chosen
        self.policies, self.broken = tuple(policies[0]), tuple(policies[1])
        self.bot, self._operator = doors
        self._now = now
        self._read: dict[tuple[str, str], Any] = {}

    @property
    def operator(self) -> Transport:
        """The door of who maintains the projects; raises NeedsOperatorError where there is none."""
        if self._operator is None:
            raise NeedsOperatorError("only a Maintainer can see this")
        return self._operator

    @property
    def calls(self) -> int:
        """Count the requests made so far."""
        return sum(door.calls for door in (self.bot, self._operator) if door)

    @property
    def now(self) -> datetime:
        """The time by GitLab's clock, which dates everything else."""
        told = [door.server_time for door in (self.bot, self._operator) if door]
        return next((time for time in told if time), self._now)

    def ends_soon(self, told: object) -> str:
        """Return the day on which something ends, if that is soon or over, and else nothing."""
        day = str(told or "")[:10]
        soon = day and date.fromisoformat(day) - self.now.date() <= SOON
        return day if soon else ""

    def forget(self) -> None:
        """Forget what was read, because something was changed."""
        self._read.clear()

    def as_bot(self, path: str) -> Json:
        """Read an object with the bot's token."""
        found: Json = self._once("bot", path, lambda: self.bot.fetch_object(path))
        return found

    def as_operator(self, path: str) -> Json:
        """Read an object with the operator's token."""
        door = self.operator
        found: Json = self._once("operator", path, lambda: door.fetch_object(path))
        return found

    def rows_as_operator(self, path: str) -> list[Json]:
        """Read a whole list with the operator's token."""
        door = self.operator
        rows: list[Json] = self._once("rows", path, lambda: read_pages(door, path))
        return rows

    def _once(self, kind: str, path: str, read: Any) -> Any:
        key = (kind, path)
        if key not in self._read:
            try:
                self._read[key] = read()
            except GitLabError as error:
                self._read[key] = error
        found = self._read[key]
        if isinstance(found, GitLabError):
            raise found
        return found

    @property
    def me(self) -> Json:
        """The bot's account."""
        return self.as_bot("/user")

    @property
    def version(self) -> Version:
        """The version of GitLab."""
        read = self.as_operator if self._operator else self.as_bot
        return read_version(str(read("/version").get("version", "")))

    @property
    def team(self) -> str:
        """The team database in an address."""
        return f"/projects/{escape_path(self.settings.team_project)}"

    @property
    def host(self) -> str:
        """The project that hosts the bot in an address."""
        return f"/projects/{escape_path(self.settings.project or '')}"

    @property
    def host_branch(self) -> str:
        """The branch on which the bot runs."""
        return str(self.as_operator(self.host)["default_branch"])

    def team_page(self, page: str = "") -> str:
        """Return the address of one of the team database's pages."""
        return self._page(self.settings.team_project, page)

    def host_page(self, page: str = "") -> str:
        """Return the address of a page of the project that hosts the bot."""
        return self._page(self.settings.project or "", page)

    def _page(self, project: str, page: str) -> str:
        # GitLab redirects from a project's number to its path (config/routes.rb, redirect_from_id).
        path = f"projects/{project}" if project.isdecimal() else project
        return f"{self.settings.gitlab_url}/{path}{page and '/-/'}{page}"

    @cached_property
    def samples(self) -> list[Json]:
        """The merge requests of the team database that changed last, to try queries on."""
        rows, _ = self.bot.fetch_rows(
            f"{self.team}/merge_requests",
            {"scope": "all", "state": "all", "order_by": "updated_at", "per_page": 20},
        )
        return rows
