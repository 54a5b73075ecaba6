"""Strike a request with the faults that are switched on."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from werkzeug.wrappers import Request

from bot.sandbox.acts import actions
from bot.sandbox.acts.repository import CommitDraft
from bot.sandbox.graphql.app import GRAPHQL
from bot.sandbox.http.faults import Fault, Faults, Kind
from bot.sandbox.rest.core import Answer
from bot.sandbox.world.access import can_push
from bot.sandbox.world.state import World

PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"
APPLICATION_LIMIT = "This endpoint has been requested too many times. Try again later."
READ_ONLY = "You cannot perform write operations on a read-only instance"
EDGE = range(520, 531)
Respond = Callable[[World], Answer]


class CutConnectionError(Exception):
    """The connection ends without an answer."""


def _phrase(status: int) -> str:
    known = {each.value: each.phrase for each in HTTPStatus}
    # 520 to 530 are of the edge before GitLab.com, and no standard knows them.
    return known.get(status, "Web server is returning an unknown error")


def failing(fault: Fault) -> Answer:
    """Build the answer of a failing GitLab, or of the machines before it."""
    status = fault.status or 502
    if fault.html or status in EDGE:
        page = PAGE.format(f"{status} {_phrase(status)}").encode()
        return Answer(status=status, raw=page, content_type="text/html; charset=utf-8")
    return Answer(status=status, body={"message": f"{status} {_phrase(status)}"})


def _rack_limit(fault: Fault) -> Answer:
    headers = {
        "Retry-After": str(max(1, round(fault.seconds))),
        "RateLimit-Limit": "2000",
        "RateLimit-Name": "throttle_authenticated_api",
        "RateLimit-Observed": "2001",
        "RateLimit-Remaining": "0",
    }
    return Answer(status=429, raw=b"Retry later\n", headers=headers, content_type="text/plain")


INSTEAD: Mapping[Kind, Callable[[Fault], Answer]] = {
    Kind.ERROR_BEFORE: failing,
    Kind.RACK_429: _rack_limit,
    Kind.APPLICATION_429: lambda _: Answer(
        status=429, body={"message": {"error": APPLICATION_LIMIT}}
    ),
    Kind.UNAUTHORIZED: lambda _: Answer(status=401, body={"message": "401 Unauthorized"}),
    Kind.FORBIDDEN: lambda _: Answer(status=403, body={"message": "403 Forbidden"}),
    Kind.CONFLICT: lambda _: Answer(
        status=409, body={"message": "Another update to this commit status is in progress"}
    ),
    Kind.READ_ONLY: lambda fault: Answer(status=fault.status or 503, body={"message": READ_ONLY}),
    Kind.GRAPHQL_ERRORS: lambda _: Answer(
        body={"data": None, "errors": [{"message": "Internal server error"}]}
    ),
}


@dataclass(slots=True)
class Misbehaving:
    """Answer requests, misbehaving where a fault says so."""

    faults: Faults = field(default_factory=Faults)
    stopped: threading.Event = field(default_factory=threading.Event)
    _pages: dict[str, object] = field(default_factory=dict)

    def switch_on(self, world: World, fault: Fault) -> None:
        """Switch a fault on; a stale read needs the state before each write from now on."""
        if fault.kind is Kind.STALE:
            world.keeps_previous = True
            world.previous = world.previous or world.snapshot()
        self.faults.switch_on(fault)

    def answer(self, world: World, request: Request, route: str, respond: Respond) -> Answer:
        """Answer with all faults applied; raise CutConnectionError."""
        struck = self.faults.strike(route)
        for fault in struck:
            early = self._before(world, request, fault)
            if early is not None:
                return early
        stale = any(fault.kind is Kind.STALE for fault in struck) and not is_write(request)
        answer = _respond(world, struck, respond, stale=stale)
        for fault in struck:
            answer = self._after(request, fault, answer)
        if isinstance(answer.body, list):
            self._pages[request.path] = answer.body
        return answer

    def _before(self, world: World, request: Request, fault: Fault) -> Answer | None:
        if fault.kind in {Kind.LATENCY, Kind.HANG}:
            self.stopped.wait(fault.seconds)
        if fault.kind in {Kind.CUT_BEFORE, Kind.HANG}:
            raise CutConnectionError
        if fault.kind is Kind.MOVED_HEAD:
            move_heads(world)
        if fault.kind is Kind.READ_ONLY and not is_write(request):
            return None
        build = INSTEAD.get(fault.kind)
        return build(fault) if build else None

    def _after(self, request: Request, fault: Fault, answer: Answer) -> Answer:
        if fault.kind is Kind.CUT_AFTER:
            raise CutConnectionError
        if fault.kind is Kind.ERROR_AFTER:
            return failing(fault)
        if fault.kind is Kind.EMPTY_BODY:
            return replace(answer, raw=b"")
        if fault.kind is Kind.TRUNCATED_PAGE and isinstance(answer.body, list):
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        if fault.kind is Kind.REPEATED_PAGE and isinstance(answer.body, list):
            return replace(answer, body=self._pages.get(request.path, answer.body))
        return answer


def is_write(request: Request) -> bool:
    """Return whether a request means to change something; a GraphQL query does not."""
    if request.path != GRAPHQL:
        return request.method not in {"GET", "HEAD"}
    try:
        return str(json.loads(request.get_data())["query"]).lstrip().startswith("mutation")
    except (ValueError, TypeError, KeyError):
        return False


def _respond(world: World, struck: tuple[Fault, ...], respond: Respond, *, stale: bool) -> Answer:
    if stale and world.previous is not None:
        return respond(world.previous)
    if any(fault.kind is Kind.UNPREPARED for fault in struck):
        with _unprepared(world):
            return respond(world)
    return respond(world)


@contextmanager
def _unprepared(world: World) -> Iterator[None]:
    with world.lock:
        mrs = world.open_merge_requests()
        before = [mr.unprepared_reads for mr in mrs]
        for mr in mrs:
            mr.unprepared_reads = 1
        try:
            yield
        finally:
            for mr, reads in zip(mrs, before, strict=True):
                mr.unprepared_reads = reads


def move_heads(world: World) -> None:
    """Push an empty commit to the source of every open merge request whose author may push it."""
    today = world.now.date()
    for mr in world.open_merge_requests():
        source = mr.source_project
        if source is not None and can_push(mr.author, source, mr.source_branch, today):
            draft = CommitDraft(message="Amend", changes={})
            actions.push(world, mr.author, source, mr.source_branch, draft)
