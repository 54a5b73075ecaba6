"""The few words of WSGI, and how to hang up."""

import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]


def cut_connection(environ: Environ, start: StartResponse) -> Iterable[bytes]:
    """Close the connection without an answer."""
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    start("500 Internal Server Error", [("Connection", "close"), ("Content-Length", "0")])
    return []
