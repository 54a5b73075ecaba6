"""One request after another to GitLab: retries, one deadline, and errors in words.

The only importer of python-gitlab, requests and tenacity. python-gitlab's own retries
are switched off: it repeats a 429 up to ten times for as long as the server says, and
has no timeout, so retries and time limits have one owner here.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
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
WRITING = 8  # of the allowed requests, so many are kept for writing what was found
LIMITED = 429
FAULTS = frozenset({LIMITED, 500, 502, 503, 504})
WAITS_TOLD = frozenset({LIMITED, 503})  # answers whose Retry-After is obeyed
CONFLICT = 409

# What to check when GitLab refuses; its own words seldom tell.
ADVICE: Mapping[int, str] = {
    401: "the token is wrong, expired or revoked; check NOMINATION_BOT_TOKEN",
    403: "the role of the bot's account in the project does not allow this",
    404: "it does not exist, or the bot's account has no role that lets it see it",
}
NO_SCOPE = "insufficient_scope"  # GitLab's word
SCOPE = "the token lacks the scope `api`; make one that has it and set NOMINATION_BOT_TOKEN"

Json = Mapping[str, Any]


class Transport:
    """Sends requests to GitLab until they succeed, are refused, or time runs out."""

    first_pause = 0.4  # seconds between the first and the second try; it doubles with each

    def __init__(
        self, url: str, token: Secret, deadline: float, call_limit: int, reserve: float = 0.0
    ) -> None:
        """Prepare a transport that gives up `deadline` seconds from now.

        The last `reserve` seconds of them are kept for writing what was found.
        """
        self._url = url
        self._began = time.monotonic()
        self._ends = self._began + deadline - reserve
        self._reserve = reserve
        self._local = threading.local()
        self._lock = threading.Lock()
        self.calls = 0
        self.kept = WRITING
        self.server_time: datetime | None = None
        self._call_limit = call_limit
        session = requests.Session()
        session.auth = _bearer(token)
        session.mount(url, requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS))
        session.hooks["response"].append(self._remember_headers)
        # A redirected write becomes a read, so a wrong address must be mended, not followed.
        session.max_redirects = 0
        self._gitlab = gitlab.Gitlab(url, session=session, keep_base_url=True)

    def wait(self, seconds: float) -> bool:
        """Wait, unless that would outlast the deadline; tell whether it did wait."""
        if time.monotonic() + seconds > self._ends:
            return False
        time.sleep(seconds)
        return True

    @property
    def elapsed(self) -> float:
        """Count the seconds since the run began."""
        return time.monotonic() - self._began

    def release(self, seconds: float = 0.0) -> None:
        """Let writes have the requests and the time that were kept for them, or more time."""
        self.kept = 0
        self._ends += self._reserve
        self._reserve = 0.0
        self._ends = max(self._ends, time.monotonic() + seconds)

    @property
    def spent(self) -> bool:
        """Tell whether the time of this run is used up."""
        return time.monotonic() >= self._ends

    @property
    def left(self) -> int:
        """Count the requests that may still be made."""
        return self._call_limit - self.kept - self.calls

    @property
    def limit_words(self) -> str:
        """Say why a request was not made."""
        return f"it was not looked up: a run makes at most {self._call_limit} requests"

    def close(self) -> None:
        """Let go of the connections."""
        self._gitlab.session.close()

    def query(self, text: str, variables: Mapping[str, object]) -> Json:
        """Send a GraphQL query; any error in the answer is an error."""
        body = {"query": text, "variables": dict(variables)}
        address = self._url + GRAPHQL_PATH
        answer = _read_object(self.send("post", address, body))
        if answer.get("errors"):
            raise GitLabError(f"GitLab did not answer a query: {_first_error(answer)}")
        data = answer.get("data")
        if not isinstance(data, dict):
            raise GitLabError("GitLab answered a query without data.")
        return data

    def fetch_object(self, path: str) -> Json:
        """Read what is one JSON object."""
        return _read_object(self.send("get", path, {}))

    def fetch_rows(self, path: str, query: Mapping[str, object]) -> tuple[list[Any], str | None]:
        """Read one page of a list, and the number of the next page if there is one."""
        response = self.send("get", path, query)
        rows = _read_json(response)
        if not isinstance(rows, list):
            raise GitLabError(f"GitLab answered {path} without a JSON list.")
        return rows, response.headers.get("X-Next-Page") or None

    def create(self, path: str, fields: Mapping[str, object]) -> Json:
        """Make something; raise DoubtfulWriteError when it is not known whether it was made."""
        response = self.send("post", path, fields, safe=False)
        try:
            return _read_object(response)
        except GitLabError:
            raise DoubtfulWriteError(_doubt("post", path)) from None

    def send(
        self,
        verb: str,
        path: str,
        fields: Mapping[str, object],
        *,
        safe: bool = True,
    ) -> requests.Response:
        """Send one request until it succeeds, is refused, or time runs out.

        A request that is not `safe` to repeat is repeated only if it surely did not land.
        """
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
        except requests.TooManyRedirects as error:
            raise _redirection(error, self._url, path) from None
        except (requests.RequestException, OSError) as error:
            if not safe and not _never_left(error):
                raise DoubtfulWriteError(_doubt(verb, path)) from None
            raise GitLabError(
                f"GitLab at {self._url} cannot be reached ({type(error).__name__}); "
                "check NOMINATION_BOT_GITLAB_URL, or wait for the next event or sweep."
            ) from None

    def _send_once(self, verb: str, path: str, fields: Mapping[str, object]) -> requests.Response:
        remaining = self._ends - time.monotonic()
        if remaining <= 0:
            raise GitLabError("The time for this run is used up (NOMINATION_BOT_DEADLINE).")
        with self._lock:
            if self.left <= 0:
                raise GitLabError(self.limit_words)
            self.calls += 1
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
        with suppress(TypeError, ValueError):
            self.server_time = parsedate_to_datetime(response.headers.get("Date", ""))
        return response

    def _pause(self, state: RetryCallState) -> float:
        headers = getattr(self._local, "headers", {})
        error = state.outcome.exception() if state.outcome else None
        wait = self.first_pause * 2.0 ** (state.attempt_number - 1)
        if isinstance(error, GitlabError) and error.response_code in WAITS_TOLD:
            told = str(headers.get("Retry-After", ""))
            wait = max(wait, float(told)) if told.isdecimal() else wait
        return wait

    def _must_stop(self, state: RetryCallState) -> bool:
        if state.attempt_number >= TRIES or self.spent:
            return True
        return time.monotonic() + self._pause(state) >= self._ends


def _read_json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        raise GitLabError(f"GitLab answered {response.status_code} without JSON.") from None


def _read_object(response: requests.Response) -> Json:
    answer = _read_json(response)
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
        return error.response_code in (FAULTS if safe else {LIMITED}) or _is_busy(error)
    if isinstance(error, requests.TooManyRedirects):
        return False
    if isinstance(error, requests.RequestException | OSError):
        return safe or _never_left(error)
    return False


def _is_busy(error: GitlabError) -> bool:
    """Tell whether GitLab held a lock, so that nothing was written: commit statuses have one."""
    return error.response_code == CONFLICT and "in progress" in _words(error)


def _never_left(error: BaseException) -> bool:
    """Tell whether a request surely did not reach GitLab."""
    return isinstance(error, requests.exceptions.ConnectTimeout)


def _refusal(error: GitlabError, verb: str, path: str, *, safe: bool) -> GitLabError:
    code = error.response_code or 0
    if not safe and code in FAULTS - {LIMITED}:
        return DoubtfulWriteError(_doubt(verb, path))
    words = _words(error)
    advice = SCOPE if words == NO_SCOPE else ADVICE.get(code, "")
    if code in FAULTS:
        advice = "the next event or sweep tries again"
    return RefusedError(code, words, f"{verb.upper()} {path}", advice)


def _doubt(verb: str, path: str) -> str:
    return (
        f"GitLab failed at {verb.upper()} {path}, and it is not known whether it was done; "
        "the next event or sweep looks again."
    )


def _redirection(error: requests.TooManyRedirects, url: str, path: str) -> GitLabError:
    target = error.response.headers.get("Location", "") if error.response is not None else ""
    return GitLabError(
        f"GitLab at {url} redirects {path} to {target[:200]!r}: set NOMINATION_BOT_GITLAB_URL "
        "to GitLab's present address, or mend the path of a project that has moved."
    )


def _words(error: GitlabError) -> str:
    message = error.error_message
    text = message.decode(errors="replace") if isinstance(message, bytes) else str(message)
    if text.lstrip().startswith("<"):
        return ""  # the page of a machine before GitLab, which says nothing
    if text.startswith("{"):
        with suppress(ValueError):
            return _first_error(json.loads(text))
    return " ".join(text.split())[:200]


def _first_error(answer: Json) -> str:
    errors = answer.get("errors")
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict):
            return " ".join(str(error.get("message", "unknown error")).split())[:200]
    return "unknown error"
