"""What the world remembers of a request; never a token."""

import json
import time
from collections.abc import Iterator

from werkzeug.datastructures import Headers

from bot.sandbox.http.front import CONNECTION
from bot.sandbox.http.holding import Arrival
from bot.sandbox.rest.app import authenticate, read_query
from bot.sandbox.rest.core import Answer
from bot.sandbox.world.state import RefusedError, RequestRecord, World

HIDDEN = "[FILTERED]"
SECRET_NAMES = frozenset({"token", "private_token", "job_token", "shared_secret"})


def find_username(world: World, headers: Headers) -> str | None:
    """Find who sends a request, None for strangers."""
    try:
        token = authenticate(world, headers)
    except RefusedError:
        return None
    return token.user.username if token else None


def _secrets(world: World) -> Iterator[str]:
    for token in world.tokens:
        yield token.value
    for project in world.projects.values():
        for trigger in project.triggers:
            yield trigger.value
        for variable in project.variables:
            if variable.masked:
                yield variable.value
        for check in project.status_checks:
            if check.shared_secret:
                yield check.shared_secret


def redact(world: World, text: str) -> str:
    """Take every secret of the world out of a text."""
    for secret in _secrets(world):
        text = text.replace(secret, HIDDEN)
    return text


def _read_json(text: str) -> object:
    try:
        found: object = json.loads(text) if text.strip() else None
    except ValueError:
        return text
    if isinstance(found, dict):
        return {name: HIDDEN if name in SECRET_NAMES else each for name, each in found.items()}
    return found


def _read_answer(answer: Answer) -> object:
    if answer.raw is None:
        return answer.body
    return answer.raw.decode("utf-8", "replace")


def log_request(world: World, seen: Arrival, answer: Answer) -> None:
    """Write a request and its answer into the world's log."""
    request = seen.request
    query: dict[str, list[str]] = {}
    for name, value in read_query(request):
        shown = HIDDEN if name in SECRET_NAMES else redact(world, value)
        query.setdefault(name, []).append(shown)
    body = redact(world, request.get_data(as_text=True))
    with world.lock:
        world.requests.append(
            RequestRecord(
                at=world.now,
                method=seen.method,
                route=seen.route,
                path=seen.path,
                query=query,
                body=_read_json(body),
                status=answer.status,
                answer=_read_answer(answer),
                user=seen.user,
                seconds=time.perf_counter() - seen.started,
                answer_headers=dict(answer.headers),
                client=seen.client,
                connection=request.environ.get(CONNECTION, 0),
            )
        )
