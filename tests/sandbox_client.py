"""A client of the stand-in GitLab that needs no socket: the server is called as WSGI."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import Headers
from werkzeug.test import Client

from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Token
from bot.sandbox.world.state import World

MR = "/projects/7/merge_requests/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    body: Any
    headers: Headers
    raw: bytes


def give_token(world: World, username: str, *scopes: str, kind: str = "personal") -> str:
    """Give somebody a token and return it."""
    value = f"glpat-{username}-{len(world.tokens)}"
    token = Token(
        id=world.next_id("token"),
        value=value,
        user=world.user(username),
        scopes=scopes or ("api",),
        kind=kind,
    )
    world.tokens.append(token)
    return value


class Api:
    """Ask a world's server as one of its people, or as nobody."""

    def __init__(self, world: World, username: str | None = None, *scopes: str) -> None:
        self.server = Server(world)
        self.headers: dict[str, str] = {}
        if username is not None:
            self.headers["PRIVATE-TOKEN"] = give_token(world, username, *scopes)

    def send(self, method: str, url: str, **request: Any) -> Reply:
        """Send a request to any address."""
        request.setdefault("headers", self.headers)
        response = Client(self.server).open(url, method=method, **request)
        raw = response.get_data()
        is_json = raw and response.mimetype == "application/json"
        return Reply(
            status=response.status_code,
            body=json.loads(raw) if is_json else None,
            headers=response.headers,
            raw=raw,
        )

    def get(self, path: str, /, **query: object) -> Reply:
        """Read from the REST interface."""
        text = urlencode({name: str(value) for name, value in query.items()}, safe="")
        return self.send("GET", f"/api/v4{path}" + (f"?{text}" if text else ""))

    def post(self, path: str, /, **body: object) -> Reply:
        """Post JSON to the REST interface."""
        return self.send("POST", f"/api/v4{path}", json=body)

    def put(self, path: str, /, **body: object) -> Reply:
        """Put JSON to the REST interface."""
        return self.send("PUT", f"/api/v4{path}", json=body)

    def delete(self, path: str) -> Reply:
        """Delete by the REST interface."""
        return self.send("DELETE", f"/api/v4{path}")

    def ask(self, query: str, /, **variables: object) -> Reply:
        """Ask the GraphQL interface."""
        return self.send("POST", "/api/graphql", json={"query": query, "variables": variables})
