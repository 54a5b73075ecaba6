"""Pages for people: a merge request with its comment and gate, and the means to act on it."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from bot.sandbox.ci.jobs import Runner
from bot.sandbox.http.wsgi import Environ, StartResponse
from bot.sandbox.pages.acts import PageRequest, add_to_group, change_file, comment, press_button
from bot.sandbox.pages.views import (
    is_about,
    list_merge_requests,
    list_people,
    view_file,
    view_group,
    view_merge_request,
    view_row,
    view_run,
    view_user,
)
from bot.sandbox.world.activity import Activity
from bot.sandbox.world.entities import MergeRequest, Project
from bot.sandbox.world.state import RefusedError, World

FOLDER = Path(__file__).with_name("static")
ASSETS = {
    "icon.svg": "image/svg+xml",
    "page.js": "text/javascript",
    "style.css": "text/css",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self';"
    " connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
TEMPLATES = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
OPEN = {"state": "opened"}
ROUTES = Map([
    Rule("/", endpoint="index"),
    Rule("/-/sandbox/assets/<name>", endpoint="asset"),
    Rule("/groups/<path:group>/-/group_members", endpoint="group"),
    Rule("/<path:project>/-/merge_requests", endpoint="list"),
    Rule("/<path:project>/-/merge_requests/<int:iid>", endpoint="merge_request"),
    Rule("/<path:project>/-/merge_requests/<int:iid>/pulse", endpoint="pulse"),
    Rule("/<path:project>/-/merge_requests/<int:iid>/notes", endpoint="comment"),
    Rule("/<path:project>/-/merge_requests/<int:iid>/acts", endpoint="act"),
    Rule("/<path:project>/-/jobs/<int:job>", endpoint="job"),
    Rule("/<path:project>/-/blob/<ref>/<path:path>", endpoint="file"),
    Rule("/<path:project>/-/edit/<ref>/<path:path>", endpoint="file"),
    Rule("/<path:name>", endpoint="place"),
], strict_slashes=False)  # fmt: skip


class Pages:
    """A WSGI application that shows a world and the jobs of its runner."""

    def __init__(self, world: World, runner: Runner | None = None) -> None:
        self.world = world
        self.runner = runner
        self.activity = runner.activity if runner else Activity()
        self._views: Mapping[str, Callable[..., Response]] = {
            "index": self._index,
            "asset": self._asset,
            "group": self._group,
            "list": self._list,
            "merge_request": self._merge_request,
            "pulse": self._pulse,
            "comment": self._comment,
            "act": self._act,
            "job": self._job,
            "file": self._file,
            "place": self._place,
        }

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        """Answer one request; only this GitLab's own pages may post to it."""
        request = Request(environ)
        try:
            endpoint, values = ROUTES.bind_to_environ(environ).match()
            origin = request.headers.get("Origin")
            if request.method == "POST" and origin not in {None, request.host_url.rstrip("/")}:
                raise RefusedError(403, "This form was sent from another site.")
            with self.world.lock:
                response = self._views[endpoint](request, **values)
        except RefusedError as refusal:
            response = self._sorry(refusal.status, str(refusal))
        except HTTPException as problem:
            response = self._sorry(problem.code or 500, problem.name)
        response.headers.update(HEADERS)
        return response(environ, start)

    def _page(self, template: str, **values: object) -> Response:
        text = TEMPLATES.get_template(template).render(people=list_people(self.world), **values)
        return Response(text, mimetype="text/html")

    def _sorry(self, status: int, message: str) -> Response:
        response = self._page("sorry.html", title="Not done", message=message)
        response.status_code = status
        return response

    def _index(self, _request: Request) -> Response:
        projects = self.world.projects.values()
        rows = [row for each in projects for row in list_merge_requests(each, OPEN)]
        groups = [each.full_path for each in self.world.groups.values() if each.members]
        runs = [view_run(each) for each in reversed(self.runner.runs)] if self.runner else []
        return self._page("index.html", title="Sandbox", rows=rows, groups=groups, runs=runs[:20])

    def _asset(self, _request: Request, name: str) -> Response:
        if name not in ASSETS:
            raise NotFound
        return Response((FOLDER / name).read_bytes(), mimetype=ASSETS[name])

    def _project(self, path: str) -> Project:
        found = self.world.find_project(path)
        if found is None:
            raise NotFound
        return found

    def _find(self, project: str, iid: int) -> MergeRequest:
        found = self.world.find_merge_request(project, iid)
        if found is None:
            raise NotFound
        return found

    def _list(self, request: Request, project: str) -> Response:
        rows = list_merge_requests(self._project(project), request.args)
        return self._page("list.html", title=f"Merge requests of {project}", rows=rows)

    def _merge_request(self, request: Request, project: str, iid: int) -> Response:
        mr = self._find(project, iid)
        runs = [each for each in self.runner.runs if is_about(each, mr)] if self.runner else []
        shown = view_merge_request(self.world, mr, reversed(runs[-10:]))
        return self._page(
            "merge_request.html",
            title=f"{mr.title} (!{mr.iid})",
            mr=shown,
            acting=request.args.get("as", mr.author.username),
            pulse=self._beat(mr),
        )

    def _beat(self, mr: MergeRequest) -> str:
        """Summarise all the page shows, so that a poll can tell whether to look again."""
        seen = (
            mr.updated_at,
            [(each.id, each.body, len(each.awards)) for each in mr.notes],
            len(self.world.events),
            [each.job.status for each in self.runner.runs] if self.runner else (),
        )
        return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]

    def _pulse(self, _request: Request, project: str, iid: int) -> Response:
        beat = self._beat(self._find(project, iid))
        busy = "false" if self.activity.quiet else "true"
        return Response(f'{{"pulse": "{beat}", "busy": {busy}}}', mimetype="application/json")

    def _comment(self, request: Request, project: str, iid: int) -> Response:
        mr = self._find(project, iid)
        asked = PageRequest.read(self.world, request.form)
        note = comment(self.world, mr, asked)
        anchor = f"#note_{note.id}" if note else ""
        return redirect(f"{view_row(mr)['url']}?as={asked.person.username}{anchor}", 303)

    def _act(self, request: Request, project: str, iid: int) -> Response:
        mr = self._find(project, iid)
        asked = PageRequest.read(self.world, request.form)
        press_button(self.world, mr, asked)
        return redirect(f"{view_row(mr)['url']}?as={asked.person.username}", 303)

    def _group(self, request: Request, group: str) -> Response:
        found = self.world.find_group(group)
        if found is None:
            raise NotFound
        if request.method == "POST":
            add_to_group(self.world, found, PageRequest.read(self.world, request.form))
            return redirect(request.path, 303)
        shown = view_group(self.world, found)
        return self._page("group.html", title=f"Members of {group}", group=shown)

    def _job(self, _request: Request, project: str, job: int) -> Response:
        run = self.runner.find_run(job) if self.runner else None
        if run is None or run.start.project is not self.world.find_project(project):
            raise NotFound
        return self._page("job.html", title=f"Job {job}", run=view_run(run))

    def _file(self, request: Request, project: str, ref: str, path: str) -> Response:
        found = self._project(project)
        if request.method == "POST":
            change_file(self.world, found, path, PageRequest.read(self.world, request.form))
            return redirect(request.path, 303)
        shown = view_file(found, ref, path)
        if shown is None:
            raise NotFound
        return self._page("file.html", title=path, file=shown)

    def _place(self, request: Request, name: str) -> Response:
        """Lead to what a name stands for, as links in comments have it."""
        if "/-/" in f"/{name}":
            # A page of GitLab's that is not here, unlike a thing that is not there.
            raise RefusedError(404, f"the sandbox does not offer {request.method} /{name}")
        if self.world.find_group(name) is not None:
            return redirect(f"/groups/{name}/-/group_members", 303)
        user = self.world.find_user(name)
        if user is not None:
            return self._page("person.html", title=name, person=view_user(user))
        path = self._project(name).path_with_namespace
        return redirect(f"/{path}/-/merge_requests", 303)
