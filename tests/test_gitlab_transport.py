"""Tests of single requests: retries, the deadline, and errors in words."""

import importlib
import json
import sys
import threading
import time
import traceback
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest
from gitlab.exceptions import GitlabError
from tenacity import Future, RetryCallState, Retrying

from bot.config import Secret
from bot.errors import DoubtfulWriteError, GitLabError, RefusedError
from bot.gitlab.budget import WRITING, WRITING_SHARE
from bot.gitlab.transport import ODD_TRIES, TRIES, Transport
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from tests.nomination_world import SECRET, NominationWorld, make_world
from tests.processes import run_python
from tests.raw_server import RawServer, answer, drip, hang, raw_server, saying

FINE = answer("200 OK", b'{"id": 5}')
PATH = "/projects/7001"
NOTES = "/projects/7001/merge_requests/1/notes"
ANY = "*"

# What ends a connection, and when, only a real one shows.
pytestmark = pytest.mark.usefixtures("over_sockets", "everything_written")


@pytest.fixture
def made() -> NominationWorld:
    return make_world(authored=1, reviewed=0)


def transport(url: str, deadline: float = 5, calls: int = 60, token: str = SECRET) -> Transport:
    door = Transport(url, Secret(token), deadline, calls)
    door.first_pause = 0.01
    return door


def words_of(error: pytest.ExceptionInfo[BaseException]) -> str:
    words = str(error.value)
    assert SECRET not in words + repr(error.value)
    assert SECRET not in "".join(traceback.format_exception(error.value))
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return words


# --- retries ------------------------------------------------------------------------------

FAULTS: dict[str, dict[str, Any]] = {
    "limit of the web server": {"kind": Kind.RACK_429, "seconds": 1},
    "limit of the application": {"kind": Kind.APPLICATION_429},
    "500": {"kind": Kind.ERROR_BEFORE, "status": 500},
    "502 with a page": {"kind": Kind.ERROR_BEFORE, "status": 502, "html": True},
    "503": {"kind": Kind.ERROR_BEFORE, "status": 503},
    "504 afterwards": {"kind": Kind.ERROR_AFTER, "status": 504, "html": True},
    "cut before": {"kind": Kind.CUT_BEFORE},
    "cut after": {"kind": Kind.CUT_AFTER},
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_passing_fault_is_read_over(server: Server, name: str) -> None:
    server.fault(Fault(route=ANY, calls=[0], **FAULTS[name]))
    door = transport(server.url)
    assert door.fetch_object(PATH)["id"] == 7001
    assert door.calls == 2


@pytest.mark.parametrize("name", ["limit of the web server", "limit of the application"])
def test_a_write_that_was_only_limited_is_repeated(
    made: NominationWorld, server: Server, name: str
) -> None:
    server.fault(Fault(route="POST *", calls=[0], **FAULTS[name]))
    transport(server.url).create(NOTES, {"body": "hello"})
    assert [note.body for note in made.nomination.comments] == ["hello"]


@pytest.mark.parametrize("kind", [Kind.ERROR_BEFORE, Kind.ERROR_AFTER, Kind.CUT_AFTER])
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_write_that_may_have_landed_is_not_repeated(
    made: NominationWorld, server: Server, kind: Kind, status: int
) -> None:
    server.fault(Fault(route="POST *", kind=kind, status=status, html=status == 502))
    with pytest.raises(DoubtfulWriteError) as error:
        transport(server.url).create(NOTES, {"body": "hello"})
    assert "it is not known whether it was done" in words_of(error)
    assert len(made.writes()) == 1


def test_a_write_whose_answer_is_no_object_may_have_landed(
    made: NominationWorld, server: Server
) -> None:
    server.fault(Fault(route="POST *", kind=Kind.EMPTY_BODY))
    with pytest.raises(DoubtfulWriteError):
        transport(server.url).create(NOTES, {"body": "hello"})
    assert len(made.nomination.comments) == 1


def test_a_write_that_is_safe_to_repeat_is_repeated(made: NominationWorld, server: Server) -> None:
    note = made.say("hello", by="nomination-bot")
    server.fault(Fault(route="PUT *", calls=[0], kind=Kind.CUT_AFTER))
    transport(server.url).change("put", f"{NOTES}/{note.id}", {"body": "changed"})
    assert note.body == "changed"


def test_a_lock_is_waited_for_even_by_a_write(server: Server) -> None:
    server.fault(Fault(route="POST *", calls=[0], kind=Kind.CONFLICT))
    door = transport(server.url)
    door.create(NOTES, {"body": "hello"})
    assert door.calls == 2


EDGE_PAGE = b"<!DOCTYPE html>\n<html><title>520: Web server is returning an unknown error</title>"


def busy(count: int, status: str, body: bytes = b"", *headers: str) -> list[bytes]:
    return [answer(status, body, *headers)] * count


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "status", ["429 Too Many", "500 No", "502 Bad Gateway", "503 No", *map(str, range(520, 531))]
)
def test_tries_are_bounded_by_the_deadline_not_by_a_number(status: str) -> None:
    with raw_server(saying(*busy(TRIES + 1, status, EDGE_PAGE), FINE)) as raw:
        door = transport(raw.url)
        door.first_pause = 0.001
        assert door.fetch_object(PATH) == {"id": 5}
        assert len(raw.requests) == door.calls == TRIES + 2


def test_tries_end_before_the_deadline_and_leave_time_for_writing() -> None:
    with raw_server(saying(answer("502 Bad Gateway", EDGE_PAGE))) as raw:
        door = transport(raw.url, deadline=2)
        began = time.monotonic()
        with pytest.raises(RefusedError) as error:
            door.fetch_object(PATH)
        assert took(began) < 2 * (1 - WRITING_SHARE)
        assert len(raw.requests) > TRIES
        door.kept = 0
        assert door.wait(0.1)
    assert "502" in words_of(error)
    assert "<" not in words_of(error)


@pytest.mark.parametrize(
    ("times", "left", "seconds", "kept"),
    [(1, 1, 120, 20), (1, 8, 15, 3.75), (20, 100, 24, 6), (20, 5_000, 15, 3.75)],
)
def test_every_share_leaves_time_for_reading_and_for_writing(
    times: int, left: int, seconds: float, kept: float
) -> None:
    door = Transport("http://127.0.0.1", Secret(SECRET), 120, 60, shares=(times, times))
    door.sleep = lambda _: None
    door.take_share(left)
    assert door.wait(seconds - kept - 1)
    assert not door.wait(seconds - kept + 0.5)
    door.release()
    assert door.wait(seconds - 1)


def test_repetitions_do_not_use_up_the_requests() -> None:
    with raw_server(saying(*busy(9, "429 Too Many"), FINE)) as raw:
        door = transport(raw.url, calls=WRITING + 1)
        door.first_pause = 0.001
        assert door.fetch_object(PATH) == {"id": 5}
        with pytest.raises(GitLabError, match="no request was left"):
            door.fetch_object(PATH)


def test_where_there_is_another_way_tries_are_few() -> None:
    with raw_server(saying(answer("500 No", b""))) as raw:
        with pytest.raises(RefusedError):
            transport(raw.url).query("{ a }", {}, patient=False)
        assert len(raw.requests) == TRIES


def test_a_limit_is_waited_for_even_where_there_is_another_way() -> None:
    fine = answer("200 OK", b'{"data": {"a": 1}}')
    for limit in ("429 Too Many", "503 Busy"):
        told = busy(TRIES + 1, limit, b"", f"Retry-After: {0 if limit[0] == '4' else 1}")
        with raw_server(saying(*told, fine)) as raw:
            door = transport(raw.url, deadline=30)
            assert door.query("{ a }", {}, patient=False) == {"a": 1}


def test_a_server_that_is_not_there_is_soon_told() -> None:
    with raw_server(hang) as raw:
        url = raw.url
    began = time.monotonic()
    with pytest.raises(GitLabError, match="cannot be reached"):
        transport(url, deadline=60).fetch_object(PATH)
    with pytest.raises(GitLabError, match="cannot be reached"):
        transport(url, deadline=60).create(NOTES, {})
    assert took(began) < 5


def test_what_is_refused_is_not_tried_again() -> None:
    with raw_server(saying(answer("400 Bad Request", b'{"message": "no"}'))) as raw:
        with pytest.raises(RefusedError):
            transport(raw.url).fetch_object(PATH)
        assert len(raw.requests) == 1


# --- the deadline -------------------------------------------------------------------------


def took(began: float) -> float:
    return time.monotonic() - began


def test_a_wait_longer_than_the_deadline_is_given_up_at_once(server: Server) -> None:
    server.fault(Fault(route=ANY, kind=Kind.RACK_429, seconds=600))
    began = time.monotonic()
    with pytest.raises(RefusedError) as error:
        transport(server.url, deadline=5).fetch_object(PATH)
    assert took(began) < 1
    assert "429" in words_of(error)
    assert "the next event or sweep tries again" in words_of(error)


def test_a_dictated_wait_is_kept() -> None:
    limited = answer("429 Too Many Requests", b"Retry later\n", "Retry-After: 1")
    slept: list[float] = []
    with raw_server(saying(limited, FINE)) as raw:
        door = transport(raw.url)
        door.sleep = slept.append
        door.fetch_object(PATH)
    assert 1.0 <= slept[0] < 2.0
    assert len(slept) == 1


@pytest.mark.parametrize("told", ["soon", "-5", "Wed, 21 Oct 2026 07:28:00 GMT", "1e9"])
def test_an_odd_retry_after_does_not_matter(told: str) -> None:
    limited = answer("429 Too Many Requests", b"", f"Retry-After: {told}")
    with raw_server(saying(limited, FINE)) as raw:
        assert transport(raw.url).fetch_object(PATH) == {"id": 5}


def limited(*headers: str, status: str = "429 Too Many Requests") -> bytes:
    return answer(status, b"Retry later\n", *headers)


def waits_of(raw: RawServer) -> list[float]:
    """Read an object, and return for how long the door waited between its tries."""
    slept: list[float] = []
    door = transport(raw.url, deadline=20)
    door.sleep = slept.append
    door.fetch_object(PATH)
    return slept


def http_date(seconds: float) -> str:
    return formatdate(time.time() + seconds, usegmt=True)  # noqa: TID251  what a server says


def unix(seconds: float) -> str:
    return f"{time.time() + seconds:.0f}"  # noqa: TID251  what a server says


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
@pytest.mark.parametrize("kind", ["seconds", "date"])
def test_a_told_time_is_waited_for(status: str, kind: str) -> None:
    told = "2" if kind == "seconds" else http_date(3)
    said = limited(f"Retry-After: {told}", f"Date: {http_date(0)}", status=status)
    with raw_server(saying(said, FINE)) as raw:
        assert 1.9 <= sum(waits_of(raw)) < 6


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        (("RateLimit-Remaining: 0", "RateLimit-Reset: {}"), True),
        (("RateLimit-Remaining: 17", "RateLimit-Reset: {}"), False),
        (("RateLimit-Remaining: 0", "RateLimit-Reset: soon"), False),
    ],
)
def test_a_reset_is_waited_for_where_that_limit_was_reached(
    headers: tuple[str, ...], waits: bool
) -> None:
    told = [header.format(unix(3)) for header in headers]
    with raw_server(saying(limited(*told), FINE)) as raw:
        assert (sum(waits_of(raw)) > 1.5) is waits


def test_a_reset_says_nothing_about_a_fault() -> None:
    told = ("RateLimit-Remaining: 0", f"RateLimit-Reset: {unix(30)}")
    with raw_server(saying(limited(*told, status="502 Bad Gateway"), FINE)) as raw:
        began = time.monotonic()
        transport(raw.url, deadline=20).fetch_object(PATH)
        assert took(began) < 2


def test_a_told_time_beyond_the_deadline_is_told_to_people() -> None:
    with raw_server(saying(limited("Retry-After: 600"))) as raw:
        with pytest.raises(RefusedError) as error:
            transport(raw.url).fetch_object(PATH)
        assert len(raw.requests) == 1
    assert "asks for 600 seconds, more than this run has left" in words_of(error)


def test_those_who_were_turned_away_together_do_not_come_back_together() -> None:
    doors = [transport("http://127.0.0.1:1") for _ in range(20)]
    state = RetryCallState(Retrying(), None, (), {})
    state.outcome = Future(1)
    state.outcome.set_exception(GitlabError("", 429))
    pauses = {round(door._pause(state), 6) for door in doors}  # noqa: SLF001  cannot be seen else
    assert len(pauses) > 5
    assert min(pauses) >= doors[0].first_pause


def test_a_silent_server_is_left_at_the_deadline() -> None:
    with raw_server(hang) as raw:
        began = time.monotonic()
        with pytest.raises(GitLabError) as error:
            transport(raw.url, deadline=0.3).fetch_object(PATH)
        assert took(began) < 1.3
    assert "cannot be reached (ReadTimeout)" in words_of(error)


def test_an_unreachable_server_is_left_at_the_deadline() -> None:
    with raw_server(hang) as raw:
        url = raw.url
    with pytest.raises(GitLabError) as error:
        transport(url, deadline=1).create(NOTES, {"body": "hello"})
    words = words_of(error)
    assert "of NOMINATION_BOT_GITLAB_URL" in words or "not known whether" in words


def test_nothing_is_sent_after_the_deadline() -> None:
    with raw_server(saying(FINE)) as raw:
        door = transport(raw.url, deadline=-1)
        assert door.spent
        assert not door.wait(0)
        with pytest.raises(GitLabError) as error:
            door.fetch_object(PATH)
        assert raw.requests == []
    assert "NOMINATION_BOT_DEADLINE" in words_of(error)


def test_a_wait_within_the_deadline_is_waited() -> None:
    door = transport("http://127.0.0.1:1", deadline=5)
    door.sleep = time.sleep  # noqa: TID251  the real one
    began = time.monotonic()
    assert door.wait(0.01)
    assert took(began) >= 0.01


def test_a_dripping_server_keeps_a_request_busy() -> None:
    """Show why a process needs its watchdog: no time limit of a request sees this."""
    with raw_server(drip) as raw:
        door = transport(raw.url, deadline=0.1)
        stop = RawServerStop(raw, 0.4)
        began = time.monotonic()
        with stop, pytest.raises(GitLabError):
            door.fetch_object(PATH)
        assert took(began) >= 0.35


class RawServerStop:
    """Stop a server some seconds from now."""

    def __init__(self, raw: RawServer, seconds: float) -> None:
        self._timer = threading.Timer(seconds, raw.stop)

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


# --- words --------------------------------------------------------------------------------

REFUSALS = {
    "wrong token": ("401 Unauthorized", b'{"message": "401"}', "check NOMINATION_BOT_TOKEN"),
    "scope": ("403 Forbidden", b'{"error": "insufficient_scope"}', "lacks the scope `api`"),
    "role": ("403 Forbidden", b'{"message": "403 Forbidden"}', "the role of the bot's account"),
    "missing": ("404 Not Found", b'{"message": "404 Project Not Found"}', "does not exist, or"),
    "page": ("400 Bad Request", b"<html><b>nginx</b></html>", "no reason given"),
    "fields": ("400 Bad Request", b'{"message": {"note": ["is bad"]}}', "is bad"),
    "query": ("401 Unauthorized", b'{"errors": [{"message": "Invalid token"}]}', "Invalid token;"),
    "odd query": ("400 Bad Request", b'{"odd": 1}', "unknown error"),
    "no JSON": ("400 Bad Request", b"{odd", "{odd"),
    "list": ("400 Bad Request", b'["odd"]', "odd"),
    "bytes": ("400 Bad Request", b"\xff\xfe odd", "odd"),
    "nothing": ("400 Bad Request", b"", "no reason given"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_says_what_to_check(name: str) -> None:
    status, body, expected = REFUSALS[name]
    with raw_server(saying(answer(status, body))) as raw, pytest.raises(RefusedError) as error:
        transport(raw.url).fetch_object(PATH)
    words = words_of(error)
    assert expected in words
    assert f"GET {PATH}" in words
    assert "<" not in words
    assert len(words) < 500


def test_a_scope_that_lacks_is_named_by_the_sandbox_too(
    made: NominationWorld, server: Server
) -> None:
    made.world.tokens[0].scopes = ("read_api",)
    door = transport(server.url)
    assert door.fetch_object(PATH)["id"] == 7001
    with pytest.raises(RefusedError) as error:
        door.create(NOTES, {"body": "hello"})
    assert "lacks the scope `api`" in words_of(error)


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect"])
@pytest.mark.parametrize("verb", ["get", "post", "put"])
def test_a_redirect_is_told_and_never_followed(status: str, verb: str) -> None:
    with raw_server(saying(FINE)) as elsewhere:
        moved = answer(status, b"", f"Location: {elsewhere.url}/new")
        with raw_server(saying(moved)) as raw:
            door = transport(raw.url)
            send: dict[str, Callable[[str], object]] = {
                "get": door.fetch_object,
                "post": lambda path: door.create(path, {}),
                "put": lambda path: door.change("put", path, {}),
            }
            with pytest.raises(GitLabError) as error:
                send[verb](PATH)
        assert elsewhere.requests == []
        assert len(raw.requests) == 1
        assert elsewhere.url in words_of(error)
    assert "set NOMINATION_BOT_GITLAB_URL" in words_of(error)


ODD_ANSWERS = {
    "no JSON": b"<html>hello</html>",
    "nothing": b"",
    "half": b'{"id": ',
    "list": b"[]",
    "text": b'"hello"',
    "too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_an_answer_of_another_shape_is_tried_again_and_then_an_error(name: str) -> None:
    with raw_server(saying(answer("200 OK", ODD_ANSWERS[name]))) as raw:
        with pytest.raises(GitLabError) as error:
            transport(raw.url).fetch_object(PATH)
        assert "GitLab answered 200 without" in words_of(error)
        assert len(raw.requests) == ODD_TRIES


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_an_odd_answer_in_passing_is_read_over(name: str) -> None:
    odd = answer("200 OK", ODD_ANSWERS[name])
    with raw_server(saying(odd, FINE)) as raw:
        assert transport(raw.url).fetch_object(PATH) == {"id": 5}
    with raw_server(saying(odd, FINE)) as raw:
        transport(raw.url).change("put", PATH, {})
        assert len(raw.requests) == 2
    with raw_server(saying(odd)) as raw:
        with pytest.raises(DoubtfulWriteError):
            transport(raw.url).create(PATH, {})
        assert len(raw.requests) == 1


def test_a_page_is_no_file() -> None:
    page = answer("200 OK", EDGE_PAGE, "Content-Type: text/html; charset=utf-8")
    file = answer("200 OK", b"<html>", "Content-Type: text/plain")
    with raw_server(saying(page, file)) as raw:
        assert transport(raw.url).fetch_raw(PATH, {}) == b"<html>"
    with raw_server(saying(page)) as raw, pytest.raises(GitLabError, match="without the file"):
        transport(raw.url).fetch_raw(PATH, {})


def test_a_list_is_a_list() -> None:
    with raw_server(saying(answer("200 OK", b"[1]", "X-Next-Page: 2"))) as raw:
        assert transport(raw.url).fetch_rows(PATH, {}) == ([1], "2")
    with raw_server(saying(answer("200 OK", b"[]", "X-Next-Page: "))) as raw:
        assert transport(raw.url).fetch_rows(PATH, {}) == ([], None)
    with raw_server(saying(FINE)) as raw, pytest.raises(GitLabError) as error:
        transport(raw.url).fetch_rows(PATH, {})
    assert "without a JSON list" in words_of(error)


def test_an_answer_that_ends_early_is_read_again() -> None:
    short = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b'{"id": 1'
    with raw_server(saying(short, FINE)) as raw:
        assert transport(raw.url).fetch_object(PATH) == {"id": 5}


# --- queries ------------------------------------------------------------------------------

ODD_QUERIES = {
    "message": ({"errors": [{"message": "too\ncomplex"}], "data": {"a": 1}}, "too complex"),
    "errors of another shape": ({"errors": "odd"}, "unknown error"),
    "an error of another shape": ({"errors": [7, {}]}, "unknown error"),
    "no data": ({"data": None}, "without data"),
    "a list": ({"data": []}, "without data"),
}


@pytest.mark.parametrize("name", ODD_QUERIES)
def test_errors_in_the_answer_to_a_query_are_errors(name: str) -> None:
    body, expected = ODD_QUERIES[name]
    said = saying(answer("200 OK", json.dumps(body).encode()))
    with raw_server(said) as raw, pytest.raises(GitLabError) as error:
        transport(raw.url).query("{ a }", {})
    assert expected in words_of(error)


@pytest.mark.parametrize("patient", [True, False])
def test_a_query_that_timed_out_is_sent_again_unless_there_is_another_way(*, patient: bool) -> None:
    said = "Timeout on Query.project"
    failed = answer("200 OK", json.dumps({"errors": [{"message": said}], "data": None}).encode())
    with raw_server(saying(failed, answer("200 OK", b'{"data": {"a": 1}}'))) as raw:
        door = transport(raw.url)
        if patient:
            assert door.query("{ a }", {}) == {"a": 1}
            return
        with pytest.raises(GitLabError) as error:
            door.query("{ a }", {}, patient=False)
        assert said in words_of(error)


def test_a_query_that_always_times_out_is_told_in_its_words() -> None:
    failed = answer("200 OK", b'{"errors": [{"message": "Timeout on Query.project"}]}')
    with raw_server(saying(failed)) as raw, pytest.raises(GitLabError) as error:
        transport(raw.url).query("{ a }", {})
    assert "Timeout on Query.project" in words_of(error)
    assert len(raw.requests) == ODD_TRIES


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 2026 00:00:00 -0000",
        "Mon, 01 Jan 2026 00:00:00",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "soon",
    ],
)
def test_an_odd_date_ends_no_run(date: str) -> None:
    asked = limited(f"Date: {date}", f"Retry-After: {date}")
    with raw_server(saying(asked, answer("200 OK", b'{"id": 5}', f"Date: {date}"))) as raw:
        door = transport(raw.url)
        assert door.fetch_object(PATH) == {"id": 5}
    assert door.server_time is None or door.server_time.tzinfo is not None


def test_an_empty_list_of_errors_is_none() -> None:
    with raw_server(saying(answer("200 OK", b'{"errors": [], "data": {"a": 1}}'))) as raw:
        assert transport(raw.url).query("{ a }", {}) == {"a": 1}


# --- limits -------------------------------------------------------------------------------


def test_requests_are_limited_and_some_are_kept_for_writing() -> None:
    with raw_server(saying(FINE)) as raw:
        door = transport(raw.url, calls=WRITING + 2)
        door.fetch_object(PATH)
        door.fetch_object(PATH)
        with pytest.raises(GitLabError) as error:
            door.fetch_object(PATH)
        assert f"no request was left: a run makes at most {WRITING + 2}" in words_of(error)
        door.kept = 0
        for _ in range(WRITING):
            door.create(NOTES, {})
        with pytest.raises(GitLabError):
            door.create(NOTES, {})
        assert door.calls == len(raw.requests) == WRITING + 2


def test_the_token_travels_in_the_header_only() -> None:
    with raw_server(saying(FINE)) as raw:
        door = transport(raw.url)
        door.fetch_object(PATH)
        door.close()
    request = raw.requests[0].decode()
    assert f"Authorization: Bearer {SECRET}" in request
    assert request.count(SECRET) == 1
    assert SECRET not in request.splitlines()[0]


def test_a_transport_never_shows_its_token() -> None:
    door = transport("http://127.0.0.1:1")
    assert SECRET not in repr(door)
    assert SECRET not in repr(vars(door))


MAKES_ONE = """
import sys
from bot.config import Secret
from bot.gitlab import Transport

Transport("https://gitlab.example.com", Secret("glpat-of-nobody"), 10, 10)
unused = "gitlab.v4.objects", "gitlab.config", "requests_toolbelt", "charset_normalizer"
assert not [name for name in sys.modules if name.startswith(unused)]

import charset_normalizer, gitlab, gitlab.config
from requests_toolbelt.multipart.encoder import MultipartEncoder
assert gitlab.Gitlab("https://gitlab.example.com").projects.list
assert gitlab.config.GitlabConfigParser and charset_normalizer.detect(b"a")["encoding"]
assert MultipartEncoder({"a": "b"}).content_type.startswith("multipart/")
"""


def test_the_classes_that_nobody_uses_are_not_imported_and_stay_there_for_others() -> None:
    done = run_python(["-c", MAKES_ONE], {})
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("known", [False, True])
def test_classes_that_are_there_are_left_there(
    monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    name = "gitlab.v4.objects"
    monkeypatch.delitem(sys.modules, name, raising=False)
    if known:
        monkeypatch.setitem(sys.modules, name, importlib.import_module(name))
    before = sys.modules.get(name)
    Transport("https://gitlab.example.com", Secret("glpat-of-nobody"), 10, 10).close()
    assert sys.modules.get(name) is before
