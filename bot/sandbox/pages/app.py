"""Pages for people: a merge request with its comment and gate, and the means to act on it."""

import re
from collections.abc import Callable, Iterable, Mapping

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from bot.sandbox.http.wsgi import Environ, StartResponse
from bot.sandbox.pages import home_pages, merge_request_pages, project_pages
from bot.sandbox.pages.site import Site
from bot.sandbox.pages.who import anybody, offer
from bot.sandbox.world.state import RefusedError

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self';"
    " connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
MERGE_REQUESTS = "/<path:project>/-/merge_requests"
MERGE_REQUEST = MERGE_REQUESTS + "/<int:iid>"
VIEWS: Mapping[str, Callable[..., Response]] = {
    "GET /": home_pages.show_index,
    "GET /-/sandbox/pulse": home_pages.tell_pulse,
    "POST /-/sandbox/clock": home_pages.let_time_pass,
    "POST /-/sandbox/sweep": home_pages.sweep,
    "GET /-/sandbox/assets/<name>": home_pages.send_asset,
    "GET|POST /groups/<path:group>/-/group_members": home_pages.show_group,
    f"GET {MERGE_REQUESTS}": merge_request_pages.show_list,
    f"GET|POST {MERGE_REQUESTS}/new": merge_request_pages.show_new,
    f"GET {MERGE_REQUEST}": merge_request_pages.show_overview,
    f"GET {MERGE_REQUEST}/commits": merge_request_pages.show_commits,
    f"GET {MERGE_REQUEST}/diffs": merge_request_pages.show_changes,
    f"GET {MERGE_REQUEST}/pulse": merge_request_pages.tell_pulse,
    f"POST {MERGE_REQUEST}/<any(acts,notes,threads):what>": merge_request_pages.act,
    "GET /<path:project>/-/jobs/<int:job>": home_pages.show_job,
    "GET /<path:project>/-/tree": project_pages.show_files,
    "GET /<path:project>/-/tree/<path:rest>": project_pages.show_files,
    "GET /<path:project>/-/raw/<path:rest>": project_pages.show_raw,
    "POST /<path:project>/-/forks": project_pages.fork,
    "GET /<path:project>/-/blob/<path:rest>": project_pages.show_file,
    "GET|POST /<path:project>/-/edit/<path:rest>": project_pages.edit_file,
    "GET|POST /<path:project>/-/new/<path:rest>": project_pages.new_file,
    "GET /<path:project>/-/hooks": project_pages.show_hooks,
    "GET|POST /<path:project>/-/hooks/<int:hook>/hook_logs/<int:log>": project_pages.show_delivery,
    "GET /<path:name>": home_pages.show_place,
}
WORDS = {
    "401 Unauthorized": "This person may not do that.",
    "403 Forbidden": "This person may not do that.",
    "404 Not found": "That does not exist, or this person may not see it.",
    "405 Method Not Allowed": "That cannot be done as things are now.",
    "Not Found": "There is no such page here.",
    "Method Not Allowed": "This page cannot be used in that way.",
}
LABELS = {
    "text": "Text",
    "name": "File name",
    "branch": "New branch",
    "title": "Title or commit message",
    "description": "Description",
}  # of what people write into forms
_NOTE = re.compile(r"400 Bad request - Note \{:\w+=>\[['\"](?P<why>.*)['\"]\]\}", re.DOTALL)


def _rule(address: str) -> Rule:
    methods, path = address.split()
    return Rule(path, endpoint=address, methods=methods.split("|"))


ROUTES = Map([_rule(each) for each in VIEWS], strict_slashes=False)


class Pages(Site):
    """A site as a WSGI application."""

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        """Answer one request; only this GitLab's own pages may post to it."""
        request = Request(environ)
        origin = request.headers.get("Origin")
        foreign = origin not in {None, request.host_url.rstrip("/")}
        try:
            endpoint, values = ROUTES.bind_to_environ(environ).match()
            if request.method == "POST" and foreign:
                raise RefusedError(403, "This form was sent from another site.")
            with self.world.lock:
                response = VIEWS[endpoint](self, request, **values)
        except RefusedError as refusal:
            form = {} if foreign else request.form
            response = self._sorry(request, refusal.status, refusal.body, form)
        except HTTPException as problem:
            response = self._sorry(request, problem.code or 500, problem.name)
        response.headers.update(HEADERS)
        return response(environ, start)

    def _sorry(
        self, request: Request, status: int, said: object, form: Mapping[str, str] | None = None
    ) -> Response:
        """Say in words what was refused, and lead back; what was written can be sent again."""
        sent = dict(form or {}) if form and form.get("text", "").strip() else {}
        before = request.referrer or ""
        back = before if before.startswith(request.host_url) else "/"
        response = self.page(
            "sorry.html",
            title="Not done",
            message=_in_words(said),
            status=status,
            back=back,
            action=request.full_path.rstrip("?"),
            sent=sent,
            people=offer(self.world, anybody, [sent.get("as", "")]),
            labels=LABELS,
        )
        response.status_code = status
        return response


def _in_words(said: object) -> str:
    """Write a refusal as GitLab's API has it, a text, a list or a mapping, as one sentence."""
    if isinstance(said, Mapping):
        keyed = [(name, _in_words(each)) for name, each in said.items()]
        plain = {"message", "error", "base"}
        return " ".join(text if name in plain else f"{name} {text}" for name, text in keyed)
    text = ", ".join(map(str, said)) if isinstance(said, list) else str(said)
    found = _NOTE.fullmatch(text)
    return f"Comment: {found['why']}" if found else WORDS.get(text, text)
