"""A running sandbox: the world, its server, pages, webhooks and runner, as one context manager."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from bot.sandbox.acts.quick_actions import run_quick_actions
from bot.sandbox.ci.jobs import Runner
from bot.sandbox.http.server import Server
from bot.sandbox.pages.app import Pages
from bot.sandbox.pages.markdown import find_mentions
from bot.sandbox.scenarios import EMPTY
from bot.sandbox.story.seed import load_scenario
from bot.sandbox.story.seed_section import SeedError
from bot.sandbox.webhooks.deliveries import Hooks
from bot.sandbox.world.activity import Activity
from bot.sandbox.world.entities import Project, User

GUIDE = "guide.md"


class Sandbox:
    """Serve the world of a scenario's folder; `variables` go to every job of the bot's project."""

    def __init__(
        self,
        folder: Path,
        variables: Mapping[str, str] | None = None,
        port: int = 0,
    ) -> None:
        """Load the world; in the empty one jobs get their projects' own variables only."""
        self.world = load_scenario(folder)
        self.activity = Activity()
        self.hooks = Hooks(self.world, self.activity)
        given = {} if folder == EMPTY else self._variables(variables or {})
        # One job of a project after another: a story is told the same way each time.
        self.runner = Runner(self.world, given, self.activity, concurrent=False)
        self.server = Server(self.world, port)
        self.server.mount("/", Pages(self.world, self.runner, self.hooks, _read_guide(folder)))
        self.world.quick_actions = run_quick_actions
        self.world.find_mentions = find_mentions
        self.world.trigger = self.runner.start
        self.world.hook_test = self.hooks.test
        self.world.run_jobs = self.runner.run_jobs
        self.world.subscribers.append(self.hooks.notice)

    @property
    def url(self) -> str:
        """The address of the sandbox."""
        return self.server.url

    @property
    def bot(self) -> User:
        """The bot's account."""
        return next(each.user for each in self.world.tokens if each.user.bot)

    @property
    def bot_project(self) -> Project:
        """The project whose pipelines run the bot."""
        return next(each for each in self.world.projects.values() if each.triggers)

    def _variables(self, further: Mapping[str, str]) -> dict[str, str]:
        token = next((each for each in self.world.tokens if each.user.bot), None)
        if token is None:
            raise SeedError("the seed has no token of a bot: add one to `tokens`")
        return {"NOMINATION_BOT_TOKEN": token.value, **further}

    def drain(self, timeout: float = 60) -> None:
        """Wait until webhooks and jobs are done; raise TimeoutError."""
        if not self.hooks.drain(timeout):
            raise TimeoutError(f"the sandbox is still busy after {timeout:.0f} seconds")

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hooks.close()
        self.runner.close()
        self.server.stop()


def _read_guide(folder: Path) -> str:
    """Read what a scenario says to people on the first page; empty without a guide."""
    guide = folder / GUIDE
    return guide.read_text(encoding="utf-8") if guide.exists() else ""
