"""The REST interface as one callable: route, authenticate, check, answer."""

# One module: one request on its way from the address to the answer, in this order.

import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, unquote

from werkzeug.datastructures import Headers
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter, Map, Rule
from werkzeug.wrappers import Request

from bot.sandbox.rest.core import ENDPOINTS, Answer, Call, Endpoint, answer_plainly
from bot.sandbox.rest.params import Report, convert, unfold
from bot.sandbox.world.entities import Token
from bot.sandbox.world.state import RefusedError, World

ROOT = "/api/v4"
READING = frozenset({"GET", "HEAD"})
# Parameters that hold a token, and the header that says the same.
CREDENTIALS = {
    "private_token": "PRIVATE-TOKEN",
    "access_token": "PRIVATE-TOKEN",
    "job_token": "JOB-TOKEN",
}


class Segment(BaseConverter):
    """One segment of the raw path, decoded."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        """Decode what the client encoded."""
        return unquote(value)


class Segments(Segment):
    """One or more segments of the raw path, decoded."""

    regex = ".+?"
    part_isolating = False


def _rule(endpoint: Endpoint) -> Rule:
    path = endpoint.template.replace("{ref}", "<segments:ref>")
    path = path.replace("{", "<segment:").replace("}", ">")
    return Rule(ROOT + path, methods=[endpoint.method], endpoint=endpoint)


def build_routes() -> Map:
    """Build the table of all routes."""
    return Map(
        [_rule(endpoint) for endpoint in ENDPOINTS],
        converters={"segment": Segment, "segments": Segments},
        merge_slashes=False,
        strict_slashes=True,
    )


ROUTES = build_routes().bind("gitlab.invalid")


def raw_path(environ: Mapping[str, Any]) -> str:
    """Read the path as the client sent it, still encoded."""
    return str(environ.get("RAW_URI", environ.get("PATH_INFO", "/"))).split("?", 1)[0]


def credentials(request: Request) -> Headers:
    """Read the headers, with a token that stands in the query among them.

    lib/gitlab/auth/auth_finders.rb: `private_token`, `access_token` and `job_token` are
    parameters as well.
    """
    headers = Headers(request.headers)
    for name, value in read_query(request):
        if name in CREDENTIALS and CREDENTIALS[name] not in headers:
            headers[CREDENTIALS[name]] = value
    return headers


def read_token(headers: Headers) -> str | None:
    """Find the token in the headers GitLab reads."""
    bearer = headers.get("Authorization", "")
    value = headers.get("PRIVATE-TOKEN") or headers.get("JOB-TOKEN")
    if value is None and bearer.startswith("Bearer "):
        value = bearer.removeprefix("Bearer ").strip()
    return value


def authenticate(world: World, headers: Headers) -> Token | None:
    """Find the token of who calls; none is fine, a bad one is not: RefusedError (401)."""
    value = read_token(headers)
    if value is None:
        return None
    token = next((each for each in world.tokens if each.value == value), None)
    if token is None or (token.kind == "job") is not ("JOB-TOKEN" in headers):
        raise RefusedError(401, "401 Unauthorized")
    if token.revoked:
        problem = "Token was revoked. You have to re-authorize from the user."
        raise RefusedError(401, "invalid_token", key="error", error_description=problem)
    if token.expires_at is not None and token.expires_at <= world.now.date():
        problem = "Token is expired. You can either do re-authorization or token refresh."
        raise RefusedError(401, "invalid_token", key="error", error_description=problem)
    if token.user.state != "active":
        raise RefusedError(403, "403 Forbidden - Your account has been blocked.")
    return token


def _admit(endpoint: Endpoint, token: Token | None) -> Token | None:
    """Apply scopes and job token limits; raise RefusedError (401, 403)."""
    if token is not None and token.kind == "job" and not endpoint.job_token:
        token = None
    if token is not None and token.kind != "job" and not endpoint.scopes & set(token.scopes):
        problem = "The request requires higher privileges than provided by the access token."
        scope = " ".join(sorted(endpoint.scopes))
        raise RefusedError(
            403, "insufficient_scope", key="error", error_description=problem, scope=scope
        )
    if token is None and not endpoint.open:
        raise RefusedError(401, "401 Unauthorized")
    return token


def find_endpoint(request: Request) -> tuple[Endpoint, Mapping[str, str]]:
    """Find the endpoint of a request; raise NotFound or MethodNotAllowed."""
    return _match(raw_path(request.environ), request.method)


@lru_cache(maxsize=1024)
def _match(path: str, method: str) -> tuple[Endpoint, Mapping[str, str]]:
    """Look in the table of routes: each request is asked about twice, and many come again."""
    endpoint, values = ROUTES.match(path, method)
    return endpoint, MappingProxyType(dict(values))


def read_body(request: Request) -> dict[str, Any]:
    """Read the parameters in a body: JSON or a form; raise RefusedError (400)."""
    if request.mimetype == "application/json":
        raw = request.get_data()
        try:
            found = json.loads(raw) if raw.strip() else {}
        except ValueError:
            raise RefusedError(400, "The request body is not valid JSON", key="error") from None
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise RefusedError(400, "The request body must be an object", key="error")
        return found
    if request.mimetype == "application/x-www-form-urlencoded":
        # In the order it was sent: `actions[][action]` begins a new action each time.
        return unfold(parse_qsl(request.get_data(as_text=True), keep_blank_values=True))
    return unfold(request.form.items(multi=True))


def read_query(request: Request) -> list[tuple[str, str]]:
    """Read the query in order."""
    return parse_qsl(request.query_string.decode(), keep_blank_values=True)


def dispatch(world: World, request: Request) -> Answer:
    """Answer one request; an unknown endpoint or parameter is recorded as a violation."""
    try:
        endpoint, path = find_endpoint(request)
    except (NotFound, MethodNotAllowed) as missing:
        asked = f"{request.method} {raw_path(request.environ)}"
        world.report_violation(f"no endpoint {asked}")
        status = 405 if isinstance(missing, MethodNotAllowed) else 404
        words = "405 Not Allowed" if status == 405 else "404 Not Found"  # noqa: PLR2004
        told = f"the sandbox does not offer {asked}"
        return Answer(status=status, body={"message": told, "error": words})
    try:
        with world.lock:
            answer = _answer(world, request, endpoint, path)
        return answer.then() if answer.then else answer
    except RefusedError as refused:
        return Answer(status=refused.status, body=refused.body)


def _answer(world: World, request: Request, endpoint: Endpoint, path: Mapping[str, str]) -> Answer:
    headers = credentials(request)
    token = _admit(endpoint, authenticate(world, headers))
    query = [(name, value) for name, value in read_query(request) if name not in CREDENTIALS]
    given = {name: value for name, value in unfold(query).items() if name not in world.ignored}
    if request.method not in READING:
        given |= read_body(request)

    def report(text: str) -> None:
        world.report_violation(f"{endpoint.method} {endpoint.template}: {text}")
        if world.strict:
            raise RefusedError(400, text, key="error")

    call = Call(
        world=world,
        user=token.user if token else None,
        token=token,
        base_url=request.host_url.rstrip("/") + request.environ.get("SCRIPT_NAME", ""),
        url=raw_path(request.environ),
        path=path,
        query=query,
        params=_convert(endpoint, given, path, report),
        headers=headers,
    )
    answer = answer_plainly(endpoint.method, endpoint.handler(call))
    for mr in call.prepared if request.method in READING else ():
        mr.unprepared_reads = max(0, mr.unprepared_reads - 1)
    return answer


def _convert(
    endpoint: Endpoint, given: Mapping[str, Any], path: Mapping[str, str], report: Report
) -> Any:
    """Convert the parameters; what the path says counts, though the body says it again (Grape)."""
    if endpoint.free:
        return given
    own = {name: value for name, value in given.items() if name not in path}
    return convert(endpoint.params, own, report)
