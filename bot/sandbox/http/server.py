"""The stand-in GitLab over HTTP on loopback."""

# One module: one class, which alone knows who is held, faulty, mounted or logged.

import json
import threading
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Self

from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Request, Response

from bot.sandbox.graphql.app import GRAPHQL, answer_graphql
from bot.sandbox.http.faults import Fault, parse_fault
from bot.sandbox.http.front import Connections, Handler
from bot.sandbox.http.git import Git
from bot.sandbox.http.holding import Arrival, Hold, Predicate
from bot.sandbox.http.misbehaving import CutConnectionError, Misbehaving
from bot.sandbox.http.request_log import find_username, log_request
from bot.sandbox.http.wsgi import Environ, StartResponse, WsgiApp, cut_connection
from bot.sandbox.rest.app import ROOT, dispatch, find_endpoint, raw_path
from bot.sandbox.rest.core import Answer
from bot.sandbox.world.state import World

HOST = "127.0.0.1"
RATE_LIMIT = 2000
FAULTS = "/-/sandbox/faults"
CLIENT = "/~"
OWN = ("/api/", FAULTS)  # never given to a mounted application


class Server:
    """Serve a world on a port of 127.0.0.1, 0 for any free one; a context manager.

    A client may use the address `url + "/~name"`: requests held or logged then carry its name.
    """

    glance = 0.005  # seconds between two looks whether it is to stop

    def __init__(self, world: World, port: int = 0) -> None:
        self.world = world
        self.misbehaving = Misbehaving()
        self.connections = Connections()
        self._port = port
        self._mounts: list[tuple[str, WsgiApp]] = []
        self._holds: list[Hold] = []
        self._http: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._arrivals = 0
        self._git = Git(world)

    @property
    def port(self) -> int:
        """The port served, or the one asked for while not serving."""
        return self._http.server_port if self._http else self._port

    @property
    def serving(self) -> bool:
        """Return whether somebody listens at the port."""
        return self._http is not None

    @property
    def url(self) -> str:
        """The address of the stand-in."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> Self:
        """Serve in the background."""
        self._http = make_server(HOST, self._port, self, threaded=True, request_handler=Handler)
        self.world.external_url = self.url
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": self.glance}, daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Let all held requests go, and stop serving."""
        self._let_go()
        if self._http is not None and self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._http.server_close()
            self.connections.close_all()
            self._http = None
        self._git.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def mount(self, prefix: str, app: WsgiApp) -> None:
        """Give every path that begins with a prefix to another WSGI application."""
        self._mounts.append((prefix, app))

    def turn_to(self, world: World) -> None:
        """Serve another world from now on, with no faults switched on and nobody held."""
        self._let_go()
        self._holds.clear()
        self._git.close()
        self.world, self.misbehaving, self._git = world, Misbehaving(), Git(world)
        world.external_url = self.url

    def _let_go(self) -> None:
        self.misbehaving.stopped.set()
        for hold in self._holds:
            hold.close()

    def fault(self, fault: Fault) -> None:
        """Switch a fault on."""
        self.misbehaving.switch_on(self.world, fault)

    def hold(self, predicate: Predicate) -> Hold:
        """Park from now on every request that the predicate takes."""
        hold = Hold(predicate)
        self._holds.append(hold)
        return hold

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        _strip_client(environ)
        path = raw_path(environ)
        request = Request(environ)
        answer = self._git.answer(request)
        if answer is not None:
            return _respond(answer)(environ, start)
        for prefix, app in self._mounts:
            if path.startswith(prefix) and not path.startswith(OWN):
                return app(environ, start)
        request.get_data()
        if path == FAULTS:
            return _respond(self._switch_faults(request))(environ, start)
        try:
            return self._answer(request)(environ, start)
        except CutConnectionError:
            return cut_connection(environ, start)

    def _answer(self, request: Request) -> Response:
        seen = self._see(request)
        for hold in tuple(self._holds):
            hold.park(seen)
        try:
            answer = self.misbehaving.answer(
                self.world,
                request,
                f"{request.method} {seen.route}",
                lambda world: _serve(world, request),
            )
        except CutConnectionError:
            log_request(self.world, seen, Answer(status=0))
            raise
        log_request(self.world, seen, answer)
        return _respond(answer, self._limits(seen.user))

    def _see(self, request: Request) -> Arrival:
        with self.world.lock:
            self._arrivals += 1
            number = self._arrivals
        return Arrival(
            request=request,
            started=time.perf_counter(),
            number=number,
            method=request.method,
            route=_find_route(request),
            path=raw_path(request.environ),
            client=request.environ.get("sandbox.client", ""),
            user=find_username(self.world, request.headers),
        )

    def _limits(self, user: str | None) -> Mapping[str, str]:
        observed = sum(each.user == user for each in self.world.requests[-RATE_LIMIT:])
        reset = int(self.world.now.timestamp()) // 60 * 60 + 60
        return {
            "RateLimit-Limit": str(RATE_LIMIT),
            "RateLimit-Name": "throttle_authenticated_api",
            "RateLimit-Observed": str(observed),
            "RateLimit-Remaining": str(max(0, RATE_LIMIT - observed)),
            "RateLimit-Reset": str(reset),
        }

    def _switch_faults(self, request: Request) -> Answer:
        if request.method == "POST":
            try:
                self.fault(parse_fault(json.loads(request.get_data())))
            except (ValueError, TypeError) as problem:
                return Answer(status=400, body={"error": str(problem)})
        elif request.method == "DELETE":
            self.misbehaving.faults.switch_off()
        return Answer(body=self.misbehaving.faults.describe())


def _strip_client(environ: Environ) -> None:
    raw = raw_path(environ)
    if raw.startswith(CLIENT):
        name = raw.removeprefix(CLIENT).split("/", 1)[0]
        prefix = CLIENT + name
        environ["sandbox.client"] = name
        environ["SCRIPT_NAME"] = prefix
        for key in ("RAW_URI", "REQUEST_URI", "PATH_INFO"):
            environ[key] = str(environ[key]).removeprefix(prefix)


def _find_route(request: Request) -> str:
    if raw_path(request.environ) == GRAPHQL:
        return GRAPHQL
    try:
        return ROOT + find_endpoint(request)[0].template
    except HTTPException:
        return "(unknown)"


def _serve(world: World, request: Request) -> Answer:
    if raw_path(request.environ) == GRAPHQL:
        return answer_graphql(world, request)
    return dispatch(world, request)


def _respond(answer: Answer, further: Mapping[str, Any] | None = None) -> Response:
    headers = {**(further or {}), **answer.headers}
    if answer.status == HTTPStatus.NO_CONTENT:
        response = Response(b"", answer.status, headers)
        del response.headers["Content-Type"]  # clients read a body by it
        return response
    content = json.dumps(answer.body).encode() if answer.raw is None else answer.raw
    return Response(content, answer.status, headers, content_type=answer.content_type)
