"""One request after another to GitLab: retries, one deadline, and errors in words.

The only importer of python-gitlab, requests and tenacity. python-gitlab's own retries
are switched off: it repeats a 429 up to ten times for as long as the server says, and
has no timeout, so retries and time limits have one owner here.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gitlab
import requests
from gitlab.exceptions import GitlabError
from tenacity import RetryCallState, Retrying, retry_if_exception

from bot.config import Secret
from bot.errors import DoubtfulWriteError, GitLabError, RefusedError

CONNECTIONS = 4
REQUEST_SECONDS = 20.0
TRIES = 6
GRAPHQL_PATH = "/api/graphql"
FAULTS = frozenset({429, 500, 502, 503, 504})
NOT_LANDED = frozenset({429, 503})
UNAUTHORIZED = 401
CONFLICT = 409

Json = Mapping[str, Any]


class Transport:
    """Sends requests to GitLab until they succeed, are refused, or time runs out."""

    def __init__(self, url: str, token: Secret, deadline: float, call_limit: int) -> None:
        """Prepare a transport that gives up `deadline` seconds from now."""
        self._url = url
        self._ends = time.monotonic() + deadline
        self._local = threading.local()
        self._lock = threading.Lock()
        self.calls = 0
        self._call_limit = call_limit
        session = requests.Session()
        session.auth = _bearer(token)
        session.mount(url, requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS))
        session.hooks["response"].append(self._remember_headers)
        self._gitlab = gitlab.Gitlab(url, session=session, keep_base_url=True)

    def wait(self, seconds: float) -> bool:
        """Wait, unless that would outlast the deadline; tell whether it did wait."""
        if time.monotonic() + seconds > self._ends:
            return False
        time.sleep(seconds)
        return True

    @property
    def spent(self) -> bool:
        """Tell whether the time of this run is used up."""
        return time.monotonic() >= self._ends

    def close(self) -> None:
        """Let go of the connections."""
        self._gitlab.session.close()

    def query(self, text: str, variables: Mapping[str, object]) -> Json:
        """Send a GraphQL query; any error in the answer is an error."""
        body = {"query": text, "variables": dict(variables)}
        answer = _read_json(self.send("post", self._url + GRAPHQL_PATH, body, safe=True))
        if answer.get("errors"):
            raise GitLabError(f"GitLab did not answer a query: {_first_error(answer)}")
        data = answer.get("data")
        if not isinstance(data, dict):
            raise GitLabError("GitLab answered a query without data.")
        return data

    def json(self, verb: str, path: str, fields: Mapping[str, object] | None = None) -> Json:
        """Send a request whose answer is one JSON object."""
        return _read_json(self.send(verb, path, fields or {}, safe=verb != "post"))

    def send(
        self, verb: str, path: str, fields: Mapping[str, object], *, safe: bool | None = None
    ) -> requests.Response:
        """Send one request until it succeeds, is refused, or time runs out.

        A request that is not `safe` to repeat is repeated only if it surely did not land.
        """
        safe = verb != "post" if safe is None else safe
        tries = Retrying(
            stop=self._must_stop,
            wait=self._pause,
            retry=retry_if_exception(lambda error: _may_repeat(error, safe=safe)),
            reraise=True,
        )
        try:
            return tries(self._send_once, verb, path, fields)
        except GitlabError as error:
            raise _refusal(error, verb, path, safe=safe) from None
        except (requests.RequestException, OSError) as error:
            if not safe and not _never_left(error):
                raise DoubtfulWriteError(f"{verb.upper()} {path}") from None
            raise GitLabError(
                f"GitLab at {self._url} cannot be reached ({type(error).__name__}); "
                "the next event or sweep tries again."
            ) from None

    def _send_once(self, verb: str, path: str, fields: Mapping[str, object]) -> requests.Response:
        remaining = self._ends - time.monotonic()
        if remaining <= 0:
            raise GitLabError("The time for this run is used up (NOMINATION_BOT_DEADLINE).")
        with self._lock:
            self.calls += 1
            if self.calls > self._call_limit:
                raise GitLabError(f"This run takes more than {self._call_limit} requests.")
        read = verb in {"get", "delete"}
        return self._gitlab.http_request(
            verb,
            path,
            query_data=dict(fields) if read else None,
            post_data=None if read else dict(fields),
            timeout=min(REQUEST_SECONDS, remaining),
            obey_rate_limit=False,
            retry_transient_errors=False,
            max_retries=0,
        )

    def _remember_headers(
        self, response: requests.Response, *_: object, **__: object
    ) -> requests.Response:
        self._local.headers = response.headers
        return response

    def _pause(self, state: RetryCallState) -> float:
        headers = getattr(self._local, "headers", {})
        error = state.outcome.exception() if state.outcome else None
        wait = float(min(0.2 * 2**state.attempt_number, 8.0))
        if isinstance(error, GitlabError) and error.response_code in NOT_LANDED:
            told = str(headers.get("Retry-After", ""))
            wait = max(wait, float(told)) if told.isdecimal() else wait
        return wait

    def _must_stop(self, state: RetryCallState) -> bool:
        if state.attempt_number >= TRIES or self.spent:
            return True
        return time.monotonic() + self._pause(state) >= self._ends


def _read_json(response: requests.Response) -> Json:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise GitLabError(f"GitLab answered {response.status_code} without a JSON object.")
    return answer


def _bearer(token: Secret) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token.reveal()}"
        return request

    return sign


def _may_repeat(error: BaseException, *, safe: bool) -> bool:
    if isinstance(error, GitlabError):
        return error.response_code in (FAULTS if safe else {429}) or _is_busy(error)
    if isinstance(error, requests.RequestException | OSError):
        return safe or _never_left(error)
    return False


def _is_busy(error: GitlabError) -> bool:
    """Tell whether GitLab held a lock, so that nothing was written: commit statuses have one."""
    return error.response_code == CONFLICT and "in progress" in _words(error)


def _never_left(error: BaseException) -> bool:
    """Tell whether a request surely did not reach GitLab."""
    return isinstance(error, requests.exceptions.ConnectTimeout)


def _refusal(error: GitlabError, verb: str, path: str, *, safe: bool) -> Exception:
    code = error.response_code or 0
    if code == UNAUTHORIZED:
        words = "the token is wrong, expired or revoked; check NOMINATION_BOT_TOKEN"
        return RefusedError(code, words, f"{verb.upper()} {path}")
    if not safe and code in FAULTS - NOT_LANDED:
        return DoubtfulWriteError(f"{verb.upper()} {path}")
    return RefusedError(code, _words(error), f"{verb.upper()} {path}")


def _words(error: GitlabError) -> str:
    message = error.error_message
    text = message.decode(errors="replace") if isinstance(message, bytes) else str(message)
    return " ".join(text.split())[:200]


def _first_error(answer: Json) -> str:
    errors: Iterable[Any] = answer["errors"] if isinstance(answer["errors"], list) else ()
    for error in errors:
        if isinstance(error, dict):
            return " ".join(str(error.get("message", "unknown error")).split())[:200]
    return "unknown error"
