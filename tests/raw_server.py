"""A server that says exactly the bytes a test wants, which no real one would."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Script = Callable[[socket.socket, threading.Event], None]
Wrap = Callable[[socket.socket], socket.socket]
PATIENCE = 0.02  # seconds


def read_request(connection: socket.socket) -> bytes:
    """Read one request with its body."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65_536) or b"\r\n\r\n"
    head, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def answer(status: str, body: bytes, *headers: str) -> bytes:
    """Write a whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def saying(*answers: bytes) -> Script:
    """Give each connection the next of the answers, the last one for ever."""
    left = list(answers)

    def speak(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return speak


def hang(_: socket.socket, stopped: threading.Event) -> None:
    """Say nothing."""
    stopped.wait()


def drip(connection: socket.socket, stopped: threading.Event) -> None:
    """Send a byte at a time, for ever, so that no time limit of a request is reached."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not stopped.wait(PATIENCE):
        connection.sendall(b" ")


class RawServer:
    """Answer every connection by a script; `requests` are what came in."""

    def __init__(self, script: Script, wrap: Wrap = lambda connection: connection) -> None:
        self._script = script
        self._wrap = wrap
        self._stopped = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, self._wrap(connection) as speaking:
            self.requests.append(read_request(speaking))
            self._script(speaking, self._stopped)

    def stop(self) -> None:
        """End all connections."""
        self._stopped.set()
        self._socket.close()


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def raw_server(script: Script) -> Iterator[RawServer]:
    """Serve a script for a while."""
    server = RawServer(script)
    try:
        yield server
    finally:
        server.stop()
