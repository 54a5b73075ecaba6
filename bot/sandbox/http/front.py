"""Speak HTTP/1.1 with connections that are kept, counted, and ended with the server."""

import io
import socket
import threading
import traceback
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, cast

from werkzeug.http import http_date
from werkzeug.serving import WSGIRequestHandler

from bot.sandbox.http.wsgi import Environ, StartResponse
from bot.sandbox.world.state import World

CONNECTION = "sandbox.connection"
BODILESS = frozenset({204, 304})


@dataclass(slots=True)
class Connections:
    """The connections that are open, and how many there were."""

    count: int = 0
    _open: dict[int, socket.socket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, connection: socket.socket) -> int:
        """Count a connection and return its number."""
        with self._lock:
            self.count += 1
            self._open[self.count] = connection
            return self.count

    def remove(self, number: int) -> None:
        """Forget a connection that ended."""
        with self._lock:
            self._open.pop(number, None)

    def close_all(self) -> None:
        """End every connection."""
        with self._lock:
            left = list(self._open.values())
        for connection in left:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Served(Protocol):
    """The application, and what the handler of a connection needs to know of it."""

    world: World
    connections: Connections

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""


class Handler(WSGIRequestHandler):
    """Serve one connection of an application."""

    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60

    @property
    def served(self) -> Served:
        """The application of the server that accepted the connection."""
        return cast(Served, self.server.app)

    def setup(self) -> None:
        """Count the connection."""
        super().setup()
        self.number = self.served.connections.add(self.connection)

    def finish(self) -> None:
        """Forget the connection."""
        self.served.connections.remove(self.number)
        with suppress(OSError):
            super().finish()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Date answers by the world's clock."""
        return http_date(self.served.world.now if timestamp is None else timestamp)

    def log_request(self, *args: object, **kwargs: object) -> None:
        """Say nothing: the world keeps the log."""

    def log(self, *args: object, **kwargs: object) -> None:
        """Say nothing: the world keeps the log."""

    def run_wsgi(self) -> None:
        """Answer one request and leave the connection ready for the next.

        Werkzeug's own ends every connection, and waits before it does.
        """
        self.environ = environ = self.make_environ()
        environ[CONNECTION] = self.number
        environ["wsgi.input"] = io.BytesIO(self._read_body())
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            said.append((status, headers))

        try:
            content = b"".join(self.served(environ, start))
        except Exception:
            self.served.world.report_violation(f"a bug of the stand-in: {traceback.format_exc()}")
            said = [("500 Internal Server Error", [("Content-Type", "text/plain")])]
            content = b"The stand-in failed\n"
        status, headers = said[-1]
        self._send(status, headers, content)

    def _read_body(self) -> bytes:
        stream = self.environ["wsgi.input"]
        if self.environ.get("wsgi.input_terminated"):
            return bytes(stream.read())
        return bytes(stream.read(int(self.environ.get("CONTENT_LENGTH") or 0)))

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        if int(code) not in BODILESS:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and int(code) not in BODILESS:
            self.wfile.write(content)
        with suppress(OSError):
            self.wfile.flush()
