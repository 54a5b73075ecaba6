"""One request after another to GitLab: retries, one deadline, and errors in words.

The only importer of python-gitlab, requests and tenacity. python-gitlab's own retries
are switched off: it repeats a 429 up to ten times for as long as the server says, and
has no timeout, so retries and time limits have one owner here.
"""
# One module: what may be repeated is told by the classes of those libraries, which no other
# module may know; what needs none of them is in budget.py, refusals.py and unreachable.py.

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from ssl import SSLCertVerificationError
from typing import Any, TypeVar

from bot.config import Secret
from bot.errors import AbsentError, DoubtfulWriteError, GitLabError, RefusedError, UnreachableError
from bot.gitlab.answers import Json
from bot.gitlab.budget import OUT_OF_TIME, Budget
from bot.gitlab.lean import leave_out
from bot.gitlab.refusals import (
    BEFORE_IT,
    FAULTS,
    LIMITED,
    NO_GITLAB,
    NOWHERE,
    TIMED_OUT,
    advise,
    advise_upgrade,
    first_error,
    plain_words,
    read_date,
    told_wait,
)
from bot.gitlab.unreachable import explain_unreachable
from bot.values import dataclass, late_patterns

# To send files, to read a file of settings, to speak HTTP/2 and to guess the encoding of a text,
# without which `requests` takes UTF-8 (`Response.text`): a quarter of what both libraries cost,
# and three megabytes.
with (
    late_patterns(),
    leave_out(
        "requests_toolbelt.multipart.encoder",
        "gitlab.config",
        "importlib.metadata",  # where urllib3 asks for the version of `h2`
        missing=("chardet", "charset_normalizer"),
    ),
):
    import gitlab
    import requests
    from gitlab.exceptions import GitlabError
    from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random
    from urllib3.exceptions import ConnectTimeoutError, ProxyError, SSLError
    from urllib3.util import create_urllib3_context

CONNECTIONS = 4
REQUEST_SECONDS = 20.0
CONTACT_SECONDS = 40.0  # after which no further try for a first answer begins
TRIES = 6  # where waiting longer hardly helps, or there is another way to the same end
ODD_TRIES = 4  # of an answer that is not what was asked for
LONGEST_PAUSE = 10.0  # seconds between two tries, unless GitLab asks for more
GRAPHQL_PATH = "/api/graphql"
NOT_FOUND, CONFLICT = 404, 409
CHUNK = 8_192  # bytes of a stream that are read at once

T = TypeVar("T")


class OddAnswerError(GitLabError):
    """An answer that says all is well, but is not what was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What to send, and which `kind` of answer is expected, if any.

    One that is not `safe` to repeat is repeated only if it surely did not land; one that is not
    `patient` has another way to the same end.
    """

    verb: str
    path: str
    fields: Mapping[str, object]
    kind: type | None
    safe: bool = True
    patient: bool = True
    take: Callable[[Iterator[bytes]], Any] | None = None


def _connect(url: str, session: requests.Session) -> gitlab.Gitlab:
    """Make a python-gitlab client for plain requests.

    Its constructor imports 80 modules of classes, a quarter of what the whole library costs
    (`Gitlab.__init__` in its client.py), to offer what the bot never uses.
    """
    with leave_out("gitlab.v4.objects"):
        return gitlab.Gitlab(url, session=session, keep_base_url=True)


class _KeepConnections(requests.adapters.HTTPAdapter):
    """Keeps connections, and reads once whom to trust.

    `requests` gives urllib3 the place of the certificates alone, which reads all of them for every
    connection (`_ssl_wrap_socket_and_match_hostname` in its connection.py): 20 ms for each.
    """

    def __init__(self) -> None:
        super().__init__(pool_maxsize=CONNECTIONS)
        self._trusting = threading.Lock()

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Prepare the connections to a place, which are verified by the same certificates."""
        with self._trusting:
            if "ssl_context" in conn.conn_kw:
                return
            super().cert_verify(conn, url, verify, cert)
            # To a proxy that speaks TLS itself urllib3 goes by the place of the certificates alone.
            by_tls = conn.proxy is not None and conn.proxy.scheme == "https"
            if conn.ca_certs and not by_tls:
                context = create_urllib3_context()
                with suppress(OSError):  # said by the connection, which reads it again
                    context.load_verify_locations(conn.ca_certs)
                    conn.conn_kw["ssl_context"], conn.ca_certs = context, None


def _keep_connections(_url: str) -> requests.adapters.BaseAdapter:
    return _KeepConnections()


class Transport(Budget):
    """Sends requests to GitLab until they succeed, are refused, or time runs out."""

    first_pause = 0.4  # seconds between the first and the second try; it doubles with each
    contact_seconds = CONTACT_SECONDS
    sleep: Callable[[float], None] = staticmethod(time.sleep)
    way: Callable[[str], requests.adapters.BaseAdapter] = staticmethod(_keep_connections)

    def __init__(
        self,
        url: str,
        token: Secret,
        deadline: float,
        call_limit: int,
        *,
        shares: tuple[float, int] = (1, 1),
    ) -> None:
        """Prepare a transport that gives up `deadline` seconds from now.

        `shares` are how many times the time and the requests of one merge request there are.
        """
        super().__init__(deadline, call_limit, shares)
        self._url, self._setting = url, token.setting
        self._local = threading.local()
        # Whether each request is given up as early as the first one, as somebody waits.
        self.hurried = False
        self._heard = False
        self._lost: str | None = None  # why no answer ever came
        self.server_time: datetime | None = None
        # Merge requests that were asked for before anybody wants to read them.
        self.ahead: dict[tuple[str, int], Future[Json]] = {}
        session = requests.Session()
        # Where there is none, `requests` takes that of ~/.netrc (`Session.prepare_request`).
        session.auth = _bearer(token)
        session.mount(url, self.way(url))
        session.hooks["response"].append(self._remember_headers)
        # A redirected write becomes a read, so a wrong address must be mended, not followed.
        session.max_redirects = 0
        self._gitlab = _connect(url, session)

    def go_through(self, adapter: requests.adapters.BaseAdapter) -> None:
        """Send requests through an adapter in place of connections that are kept."""
        self._gitlab.session.trust_env = False  # whoever gives an adapter knows the way: no proxies
        self._gitlab.session.mount(self._url, adapter)

    def wait(self, seconds: float) -> bool:
        """Wait, unless that would outlast the deadline; return whether it did wait."""
        if time.monotonic() + seconds > self.end:
            return False
        self.sleep(seconds)
        return True

    def close(self) -> None:
        """Let go of the connections."""
        self._gitlab.session.close()

    def reach(self) -> None:
        """Raise UnreachableError where nothing answers for GitLab, or only what is before it."""
        asked = _Request(verb="get", path="/version", fields={}, kind=None, patient=False)
        try:
            self._ask(asked)
        except RefusedError as error:
            if error.code in FAULTS:
                raise UnreachableError(f"GitLab at {self._url} does not work: {error}") from None

    def require_contact(self) -> None:
        """Raise UnreachableError where no answer ever came, though one was waited for."""
        if self._lost and not self._heard:
            raise UnreachableError(self._lost)

    def query(self, text: str, variables: Mapping[str, object], *, patient: bool = True) -> Json:
        """Send a GraphQL query; any error in the answer is an error.

        Where there is another way to the same answer, it pays not to be `patient`.
        """
        answer: Json = self._ask(
            _Request(
                verb="post",
                path=self._url + GRAPHQL_PATH,
                fields={"query": text, "variables": dict(variables)},
                kind=dict,
                patient=patient,
            )
        )
        if answer.get("errors"):
            said = first_error(answer)
            raise GitLabError(f"GitLab did not answer a query: {said}{advise_upgrade(said)}")
        data = answer.get("data")
        if not isinstance(data, dict):
            raise GitLabError("GitLab answered a query without data.")
        return data

    def fetch_object(self, path: str, query: Mapping[str, object] | None = None) -> Json:
        """Read what is one JSON object."""
        found: Json = self._ask(_Request(verb="get", path=path, fields=query or {}, kind=dict))
        return found

    def fetch_rows(self, path: str, query: Mapping[str, object]) -> tuple[list[Any], str | None]:
        """Read one page of a list, and the number of the next page if there is one."""
        rows: list[Any] = self._ask(_Request(verb="get", path=path, fields=query, kind=list))
        return rows, self._local.headers.get("X-Next-Page") or None

    def fetch_raw(self, path: str, query: Mapping[str, object]) -> bytes:
        """Read a file as it is."""
        content: bytes = self._ask(_Request(verb="get", path=path, fields=query, kind=bytes))
        return content

    def fetch_stream(
        self, path: str, query: Mapping[str, object], take: Callable[[Iterator[bytes]], T]
    ) -> T:
        """Read what is too large to be kept whole: `take` is given it piece by piece.

        It is called again where the connection was cut, so that it must keep nothing.
        """
        request = _Request(verb="get", path=path, fields=query, kind=None, patient=False, take=take)
        taken: T = self._ask(request)
        return taken

    def create(self, path: str, fields: Mapping[str, object]) -> Json:
        """Make something; raise DoubtfulWriteError when it is not known whether it was made."""
        request = _Request(verb="post", path=path, fields=fields, kind=dict, safe=False)
        made: Json = self._ask(request)
        return made

    def change(self, verb: str, path: str, fields: Mapping[str, object]) -> None:
        """Write what may be written twice."""
        self._ask(_Request(verb=verb, path=path, fields=fields, kind=dict))

    def remove(self, path: str) -> None:
        """Delete something; there is nothing to read in the answer."""
        self._ask(_Request(verb="delete", path=path, fields={}, kind=None))

    def _ask(self, request: _Request) -> Any:
        """Send one request until it succeeds, is refused, or time runs out.

        Where no answer ever came, and was waited for, none is waited for again.
        """
        self.require_contact()
        tries = Retrying(
            sleep=self.sleep,
            stop=lambda state: self._must_stop(state, patient=request.patient),
            wait=self._pause,
            retry=retry_if_exception(lambda error: _may_repeat(error, safe=request.safe)),
            before_sleep=lambda _: self.count_repeat(),
            reraise=True,
        )
        try:
            return tries(self._send_once, request)
        except OddAnswerError:
            if not request.safe:
                raise DoubtfulWriteError(_doubt(request)) from None
            raise
        except GitlabError as error:
            raise self._refusal(error, request) from None
        except requests.TooManyRedirects as error:
            raise _redirection(error, self._url, request.path) from None
        except (requests.RequestException, OSError) as error:
            if not request.safe and not _never_left(error):
                raise DoubtfulWriteError(_doubt(request)) from None
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> UnreachableError:
        """Say why no answer came; a first one that did not come in all its time never does."""
        self._lost = explain_unreachable(
            error, self._url, _proxy_of(self._gitlab.session, self._url)
        )
        return UnreachableError(self._lost)

    def _send_once(self, request: _Request) -> Any:
        remaining = self.spend()
        fields = dict(request.fields)
        read = request.verb in {"get", "delete"}
        response = self._gitlab.http_request(
            request.verb,
            request.path,
            query_data=fields if read else None,
            post_data=None if read else fields,
            timeout=min(REQUEST_SECONDS, remaining),
            obey_rate_limit=False,
            retry_transient_errors=False,
            max_retries=0,
            streamed=request.take is not None,
        )
        if request.take:
            with response:
                return request.take(self._pieces(response))
        found = _read_answer(response, request.kind) if request.kind else None
        if request.path.endswith(GRAPHQL_PATH) and request.patient:
            _refuse_passing(found)
        return found

    def _pieces(self, response: requests.Response) -> Iterator[bytes]:
        """Yield an answer piece by piece, as long as there is time."""
        if "text/html" in response.headers.get("Content-Type", ""):
            raise _odd(response, "the archive")
        for piece in response.iter_content(CHUNK):
            if self.spent:
                raise GitLabError(OUT_OF_TIME)
            yield piece

    def _remember_headers(
        self, response: requests.Response, *_: object, **__: object
    ) -> requests.Response:
        self._local.headers = response.headers
        self._heard = True
        self.server_time = read_date(response.headers.get("Date", "")) or self.server_time
        return response

    def _pause(self, state: RetryCallState) -> float:
        wait = min(LONGEST_PAUSE, self.first_pause * 2.0 ** (state.attempt_number - 1))
        wait = max(wait, self._told_wait(_code_of(_error_of(state))))
        # Jobs that were turned away together must not all come back together.
        return wait + wait_random(0, wait / 4)(state)

    def _told_wait(self, code: int | None) -> float:
        return told_wait(code, getattr(self._local, "headers", {}), self.now())

    def now(self) -> datetime:
        """Tell the time by GitLab's clock, and by the own one before it said anything."""
        return self.server_time or datetime.now(UTC)

    def _must_stop(self, state: RetryCallState, *, patient: bool) -> bool:
        error = _error_of(state)
        if state.attempt_number >= self._most_tries(error, patient=patient):
            return True
        return time.monotonic() + state.upcoming_sleep >= min(self.end, self._contact_end(state))

    def _contact_end(self, state: RetryCallState) -> float:
        """Return when the last try must begin, if a first answer is waited for, or a person."""
        code = _code_of(_error_of(state))
        if self._told_wait(code) or (self._heard and not self.hurried):
            return math.inf
        return state.start_time + self.contact_seconds

    def _most_tries(self, error: BaseException | None, *, patient: bool) -> float:
        """Return how often to try; mostly the deadline alone decides."""
        if isinstance(error, OddAnswerError):
            return ODD_TRIES
        if _never_left(error):
            return TRIES  # more likely a wrong address than a pause
        code = _code_of(error)
        limited = code == LIMITED or self._told_wait(code) > 0
        return math.inf if patient or limited else TRIES

    def _refusal(self, error: GitlabError, request: _Request) -> GitLabError:
        code = error.response_code or 0
        if not request.safe and code in FAULTS - {LIMITED}:
            return DoubtfulWriteError(_doubt(request))
        said = plain_words(error.error_message)
        told = self._told_wait(code)
        is_nowhere = code in NOWHERE and request.path.endswith(GRAPHQL_PATH)
        advice = NO_GITLAB if is_nowhere else advise(code, said, told)
        advice = advice.replace("{token}", self._setting)
        kind = AbsentError if code == NOT_FOUND else RefusedError
        return kind(code, said, f"{request.verb.upper()} {request.path}", advice)


def _error_of(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _code_of(error: BaseException | None) -> int | None:
    return error.response_code if isinstance(error, GitlabError) else None


def _read_answer(response: requests.Response, kind: type) -> Any:
    """Read an answer; raise OddAnswerError where a machine before GitLab seems to have answered."""
    if kind is bytes:
        # GitLab sends every file as plain text (`send_git_blob` in lib/api/helpers.rb).
        if "text/html" in response.headers.get("Content-Type", ""):
            raise _odd(response, "the file")
        return response.content
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        raise _odd(response, "JSON") from None
    if not isinstance(answer, kind):
        raise _odd(response, f"a JSON {'list' if kind is list else 'object'}")
    return answer


def _odd(response: requests.Response, missing: str) -> OddAnswerError:
    return OddAnswerError(f"GitLab answered {response.status_code} without {missing}; {BEFORE_IT}.")


def _bearer(token: Secret) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token.reveal()}"
        return request

    return sign


def _may_repeat(error: BaseException, *, safe: bool) -> bool:
    if isinstance(error, GitlabError):
        return error.response_code in (FAULTS if safe else {LIMITED}) or _is_busy(error)
    if isinstance(error, OddAnswerError):
        return safe
    if isinstance(error, requests.TooManyRedirects) or _is_distrusted(error):
        return False
    if isinstance(error, requests.RequestException | OSError):
        return safe or _never_left(error)
    return False


def _is_busy(error: GitlabError) -> bool:
    """Return whether GitLab held a lock, so that nothing was written: commit statuses have one."""
    return error.response_code == CONFLICT and "in progress" in plain_words(error.error_message)


def _never_left(error: BaseException | None) -> bool:
    """Return whether a request surely did not reach GitLab."""
    # Of a refused connection, too: NewConnectionError is one of these.
    return isinstance(_reason(error), ConnectTimeoutError) or _is_distrusted(error)


def _reason(error: BaseException | None) -> object:
    """Return what urllib3 says of a connection that failed, be it to a proxy.

    That it was to a proxy says little: what happens there may follow what was sent, as urllib3
    takes a connection that broke for one that never was (`has_connected_to_proxy`, reset by
    `close`).
    """
    cause = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else None
    reason = getattr(cause, "reason", None)
    return reason.original_error if isinstance(reason, ProxyError) else reason


def _is_distrusted(error: BaseException | None) -> bool:
    """Return whether GitLab, or a proxy, showed a certificate that is not trusted.

    Nothing was sent to it, and it shows the same again.
    """
    reason = _reason(error)
    shown = reason.args[0] if isinstance(reason, SSLError) and reason.args else None
    return isinstance(shown, SSLCertVerificationError)


def _proxy_of(session: requests.Session, url: str) -> str:
    """Return the proxy that leads to an address, without the password in it."""
    known = requests.utils.get_environ_proxies(url) if session.trust_env else {}
    found = str(requests.utils.select_proxy(url, known) or "")
    scheme, slashes, place = found.rpartition("://")
    return f"{scheme}{slashes}{place.rpartition('@')[2]}"


def _doubt(request: _Request) -> str:
    return (
        f"GitLab failed at {request.verb.upper()} {request.path}, and it is not known whether it "
        "was done; the next event or sweep looks again."
    )


def _redirection(error: requests.TooManyRedirects, url: str, path: str) -> GitLabError:
    target = error.response.headers.get("Location", "") if error.response is not None else ""
    return GitLabError(
        f"GitLab at {url} redirects {path} to {target[:200]!r}: set NOMINATION_BOT_GITLAB_URL "
        "to GitLab's present address, or mend the path of a project that has moved."
    )


def _refuse_passing(answer: Any) -> None:
    """Raise OddAnswerError where another try at a query may well do better."""
    said = first_error(answer) if answer.get("errors") else ""
    if said.startswith(TIMED_OUT):
        raise OddAnswerError(f"GitLab did not answer a query: {said}")
