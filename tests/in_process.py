"""Reach the stand-in GitLab without a socket: requests are answered in the thread that sends them.

Everything above the socket stays as it is: python-gitlab, requests, retries, faults and holds.
What would be asked at the same time may be asked one thing after another, too.
"""

import io
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import lru_cache
from http import HTTPStatus
from random import Random
from typing import Any, ParamSpec, TypeVar
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.exceptions import ConnectionError as HungUpError
from urllib3 import HTTPHeaderDict, HTTPResponse
from werkzeug.http import http_date

from bot.gitlab.transport import Transport
from bot.sandbox.http.server import Server
from bot.sandbox.world.state import World

P = ParamSpec("P")
T = TypeVar("T")
# Servers of this process by their addresses: the bot's requests to them need no socket.
NEAR: dict[str, Server] = {}
_tell_date = lru_cache(maxsize=16)(http_date)
HUNG_UP = "the stand-in ended the connection"
PORT = 8929  # in addresses only: nobody listens there


def way_to(server: Server) -> HTTPAdapter | None:
    """Return what leads to a server: over its socket, the default, if it is served."""
    return None if server.serving else InProcess(server)


def reach_near_servers(patch: pytest.MonkeyPatch) -> None:
    """Let the bot reach every server that this process starts without its socket."""
    start, stop, far = Server.start, Server.stop, Transport.way

    def start_near(server: Server) -> Server:
        start(server)
        NEAR[server.url] = server
        return server

    def stop_near(server: Server) -> None:
        NEAR.pop(server.url, None)
        stop(server)

    def find_way(url: str) -> BaseAdapter:
        found = NEAR.get(f"{urlsplit(url).scheme}://{urlsplit(url).netloc}")
        return InProcess(found) if found else far(url)

    patch.setattr(Server, "start", start_near)
    patch.setattr(Server, "stop", stop_near)
    patch.setattr(Transport, "way", staticmethod(find_way))


def make_server() -> Server:
    """Make a server that is reached in process alone, in whatever world is put into it."""
    return Server(World(), PORT)


class InProcess(HTTPAdapter):
    """Hands requests to a server of the stand-in as a WSGI application."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        """Answer a request; raise ConnectionError where the server hangs up."""
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]]) -> None:
            said.append((status, headers))

        content = b"".join(self._server(_environ(request), start))
        status, headers = said[-1]
        code = int(status.split(" ", 1)[0])
        if code == HTTPStatus.INTERNAL_SERVER_ERROR and ("Connection", "close") in headers:
            raise HungUpError(HUNG_UP, request=request)
        answer = HTTPResponse(
            body=io.BytesIO(content),
            # As the socket's front does: answers are dated by the world's clock.
            headers=HTTPHeaderDict([*headers, ("Date", _tell_date(self._server.world.now))]),
            status=code,
            preload_content=False,
        )
        return self.build_response(request, answer)


class _Promise(Future[T]):
    """A future whose work is done by whoever asks for it first."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self._work = work

    def result(self, timeout: float | None = None) -> T:
        self._work()
        return super().result(timeout)


class OneAtATime(Executor):
    """Does what is submitted in the waiting thread, one after another, in a chosen order."""

    def __init__(self, random: Random | None = None) -> None:
        self._random = random
        self._tasks: list[Callable[[], None]] = []

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Keep a piece of work for later."""
        promise: _Promise[T] = _Promise(self._work)

        def task() -> None:
            try:
                promise.set_result(fn(*args, **kwargs))
            except BaseException as error:
                promise.set_exception(error)

        self._tasks.append(task)
        return promise

    def _work(self) -> None:
        tasks, self._tasks = self._tasks, []
        if self._random is not None:
            self._random.shuffle(tasks)
        for task in tasks:
            task()


def _environ(request: PreparedRequest) -> dict[str, Any]:
    address = urlsplit(str(request.url))
    body = request.body or b""
    content = body.encode() if isinstance(body, str) else body
    assert isinstance(content, bytes)  # the bot streams nothing
    raw = address.path or "/"
    environ = {
        "REQUEST_METHOD": str(request.method),
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw).decode("latin-1"),
        "RAW_URI": f"{raw}?{address.query}" if address.query else raw,
        "REQUEST_URI": f"{raw}?{address.query}" if address.query else raw,
        "QUERY_STRING": address.query,
        "CONTENT_LENGTH": str(len(content)),
        "CONTENT_TYPE": str(request.headers.get("Content-Type", "")),
        "SERVER_NAME": address.hostname or "",
        "SERVER_PORT": str(address.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": address.scheme,
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    given = {
        "HTTP_" + name.upper().replace("-", "_"): str(value)
        for name, value in request.headers.items()
        if name.lower() not in {"content-type", "content-length"}
    }
    host = {"HTTP_HOST": address.netloc}
    return host | given | environ
