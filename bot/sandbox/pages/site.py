"""What every page needs: the world, what runs in it, and the templates."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from bot.sandbox.ci.jobs import Runner
from bot.sandbox.pages.views import path_of, tell_place, view_emoji, view_time
from bot.sandbox.webhooks.deliveries import Hooks
from bot.sandbox.world.entities import MergeRequest, Project
from bot.sandbox.world.hooks import is_taken
from bot.sandbox.world.state import World

FOLDER = Path(__file__).with_name("static")
TEMPLATES = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
TEMPLATES.filters |= {"emoji": view_emoji, "path": path_of, "place": tell_place, "time": view_time}
TEMPLATES.tests["taken"] = is_taken


@dataclass(frozen=True, slots=True)
class Site:
    """A world with its runner and webhooks, if any; `guide` is Markdown for the first page."""

    world: World
    runner: Runner | None = None
    hooks: Hooks | None = None
    guide: str = ""

    def page(self, template: str, **values: object) -> Response:
        """Render a page."""
        text = TEMPLATES.get_template(template).render(busy=not self.quiet, **values)
        return Response(text, mimetype="text/html")

    def project(self, path: str) -> Project:
        """Return a project; raise NotFound."""
        found = self.world.find_project(path)
        if found is None:
            raise NotFound
        return found

    def merge_request(self, project: str, iid: int) -> MergeRequest:
        """Return a merge request; raise NotFound."""
        found = self.world.find_merge_request(project, iid)
        if found is None:
            raise NotFound
        return found

    @property
    def quiet(self) -> bool:
        """Whether neither a delivery nor a job is under way."""
        return self.runner is None or self.runner.activity.quiet

    def beat(self, *shown: object) -> str:
        """Summarise what a page shows, so that a poll can tell whether to look again."""
        jobs = [each.job.status for each in self.runner.runs] if self.runner else []
        seen = (shown, len(self.world.events), jobs)
        return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]

    def tell_pulse(self, beat: str) -> Response:
        """Tell a poll whether a page shows something new."""
        busy = "false" if self.quiet else "true"
        return Response(f'{{"pulse": "{beat}", "busy": {busy}}}', mimetype="application/json")
