"""The door to GitLab: every request, every retry, one deadline.

The only importer of python-gitlab and tenacity. python-gitlab's own retries are
switched off: it repeats a 429 up to ten times for as long as the server says, and
has no timeout, so retries and time limits have one owner here.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import gitlab
import requests
from gitlab.exceptions import GitlabError, GitlabHttpError
from tenacity import RetryCallState, Retrying, retry_if_exception

from bot import queries
from bot.config import Secret
from bot.errors import DoubtfulWriteError, GitLabError, RefusedError
from bot.facts import (
    Commit,
    Commits,
    CommitsOf,
    DiffsOf,
    Fact,
    FileAt,
    Need,
    NotText,
    RenameOf,
    Renames,
    StatusChecksOf,
    StatusesOf,
)
from bot.merge_request import CommitStatus, MergeRequest, Note, StatusCheck
from bot.nomination import Unread

WORKERS = 4
REQUEST_SECONDS = 20.0
TRIES = 6
CALL_LIMIT = 60
NOTE_PAGES = 50  # GitLab allows 5,000 comments on one merge request.
PREPARE_WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds
GRAPHQL_PATH = "/api/graphql"
FAULTS = frozenset({429, 500, 502, 503, 504})
NOT_LANDED = frozenset({429, 503})

BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT = 400, 401, 403, 404, 409

Json = Mapping[str, Any]


class GitLabClient:
    """Reads facts from GitLab and writes notes, gates and emoji to it."""

    def __init__(self, url: str, token: Secret, deadline: float) -> None:
        """Prepare a client that gives up `deadline` seconds from now."""
        self._url = url
        self._ends = time.monotonic() + deadline
        self._local = threading.local()
        self._lock = threading.Lock()
        self.calls = 0
        session = requests.Session()
        session.auth = _bearer(token)
        session.mount(url, requests.adapters.HTTPAdapter(pool_maxsize=WORKERS))
        session.hooks["response"].append(self._remember_headers)
        self._gitlab = gitlab.Gitlab(url, session=session, keep_base_url=True)
        self._pool = ThreadPoolExecutor(WORKERS)
        self._readers: Mapping[type, Callable[[Any], Fact]] = {
            CommitsOf: self._read_commits,
            RenameOf: self._read_rename,
            DiffsOf: self._read_renames,
            StatusesOf: self._read_statuses,
            StatusChecksOf: self._read_status_checks,
        }

    # --- reading --------------------------------------------------------------------

    def fetch_project_path(self, project: str) -> str:
        """Return the full path of a project that is given by its id or path."""
        if not project.isdecimal():
            return project
        path = self._json("get", f"/projects/{project}").get("path_with_namespace")
        if not isinstance(path, str):
            raise GitLabError(f"GitLab did not tell the path of project {project}.")
        return path

    def fetch_merge_request(self, project: str, iid: int) -> MergeRequest:
        """Read a merge request with all its comments; wait until GitLab has prepared it.

        Raises GitLabError when it cannot be read whole, or is not prepared in time.
        """
        for pause in (*PREPARE_WAITS, None):
            found = self._read_merge_request(project, iid)
            if found.head_sha and found.base_sha and (found.prepared or _is_old(found)):
                return found
            if pause is None or time.monotonic() + pause > self._ends:
                break
            time.sleep(pause)
        raise GitLabError(
            f"GitLab has not prepared the changes of {project}!{iid} yet; "
            "the next event, or a recheck command there, looks again."
        )

    def _read_merge_request(self, project: str, iid: int) -> MergeRequest:
        variables: dict[str, object] = {"project": project, "iid": str(iid)}
        data = self._graphql(queries.MERGE_REQUEST + queries.COMMENTS, variables)
        nodes: list[Json] = []
        answer = data
        for _ in range(NOTE_PAGES):
            request = (answer.get("project") or {}).get("mergeRequest")
            if request is None or answer.get("currentUser") is None:
                raise GitLabError(
                    f"The merge request {project}!{iid} does not exist or the token cannot read "
                    "it; check NOMINATION_BOT_TEAM_PROJECT and the role of the bot's account."
                )
            page = (request.get("notes") or {}).get("pageInfo")
            if page is None or request["notes"].get("nodes") is None:
                raise GitLabError(f"GitLab did not list the comments of {project}!{iid}.")
            nodes.extend(node for node in request["notes"]["nodes"] if node)
            if not page["hasNextPage"]:
                break
            variables["after"] = page["endCursor"]
            answer = self._graphql(queries.NOTES + queries.COMMENTS, variables)
        else:
            raise GitLabError(f"{project}!{iid} has more comments than the bot reads.")
        found = queries.read_merge_request(data, nodes)
        if found is None:
            raise GitLabError(f"The merge request {project}!{iid} cannot be read.")
        return found

    def fetch_facts(self, needs: Collection[Need]) -> Mapping[Need, Fact]:
        """Look needs up in parallel; whatever fails is an Unread value with the reason."""
        packed = queries.pack_parts(queries.build_parts(needs))
        waiting = [self._pool.submit(self._answer_query, query) for query in packed]
        waiting += [
            self._pool.submit(self._answer_rest, need)
            for need in needs
            if type(need) in self._readers
        ]
        facts: dict[Need, Fact] = {}
        for answer in waiting:
            facts.update(answer.result())
        return facts

    def _answer_query(self, query: queries.Query) -> Mapping[Need, Fact]:
        try:
            data = self._graphql(query.text(), query.variables())
        except GitLabError as error:
            if len(query.parts) > 1 and not self._spent():
                # One bad part, or a score above the limit, must not spoil the others.
                return self._answer_singly(query)
            reason = Unread(reason=str(error))
            return {need: reason for part in query.parts for need in part.needs}
        facts: dict[Need, Fact] = {}
        for part in query.parts:
            facts.update(_read_part(part, data))
        return self._read_raw(facts)

    def _answer_singly(self, query: queries.Query) -> Mapping[Need, Fact]:
        facts: dict[Need, Fact] = {}
        for part in query.parts:
            facts.update(self._answer_query(queries.Query([part])))
        return facts

    def _read_raw(self, facts: dict[Need, Fact]) -> Mapping[Need, Fact]:
        """Read files again over REST that GraphQL gave no text for, such as UTF-16."""
        for need, fact in facts.items():
            if isinstance(need, FileAt) and isinstance(fact, NotText):
                try:
                    facts[need] = self._send("get", _raw_path(need), {"ref": need.ref}).content
                except GitLabError as error:
                    facts[need] = Unread(reason=str(error))
        return facts

    def _answer_rest(self, need: Need) -> Mapping[Need, Fact]:
        try:
            return {need: self._readers[type(need)](need)}
        except GitLabError as error:
            return {need: Unread(reason=str(error))}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return {need: _misshapen(error)}

    def _read_statuses(self, need: StatusesOf) -> tuple[CommitStatus, ...]:
        path = f"/projects/{need.project_id}/repository/commits/{need.sha}/statuses"
        rows = self._send("get", path, {"name": need.name, "per_page": 100}).json()
        return tuple(
            CommitStatus(
                state=row["status"],
                description=row.get("description") or "",
                pipeline_id=row.get("pipeline_id"),
                author_id=(row.get("author") or {}).get("id"),
                target_url=row.get("target_url") or "",
            )
            for row in rows
            if row["name"] == need.name
        )

    def _read_status_checks(self, need: StatusChecksOf) -> tuple[StatusCheck, ...]:
        path = f"/projects/{need.project_id}/merge_requests/{need.iid}/status_checks"
        rows = self._send("get", path, {}).json()
        return tuple(
            StatusCheck(id=row["id"], name=row["name"], status=row["status"]) for row in rows
        )

    def _read_commits(self, need: CommitsOf) -> Commits:
        # First parents only: their dates are those of the merges, not the authors' claims.
        response = self._send(
            "get",
            f"/projects/{_id(need.project)}/repository/commits",
            {"ref_name": need.ref, "path": need.path, "first_parent": "true", "per_page": 100},
        )
        rows = response.json()
        items = tuple(
            Commit(
                project=need.project,
                sha=row["id"],
                committed_at=datetime.fromisoformat(row["committed_date"]),
                path=need.path,
            )
            for row in rows
        )
        return Commits(items=items, complete=not response.headers.get("X-Next-Page"))

    def _read_renames(self, need: DiffsOf) -> Renames:
        path = f"/projects/{need.project_id}/merge_requests/{need.iid}/diffs"
        return Renames(
            old_paths={
                row["new_path"]: row["old_path"]
                for row in self._read_pages(path)
                if row["renamed_file"]
            }
        )

    def _read_pages(self, path: str, **filters: str) -> list[Json]:
        rows: list[Json] = []
        page: str | None = "1"
        while page:
            query: dict[str, str | int] = {**filters, "per_page": 100, "page": page}
            response = self._send("get", path, query)
            rows.extend(response.json())
            page = response.headers.get("X-Next-Page") or None
        return rows

    def _read_rename(self, need: RenameOf) -> str | None:
        path = f"/projects/{_id(need.project)}/repository/commits/{need.sha}/diff"
        response = self._send("get", path, {"per_page": 100})
        for row in response.json():
            if row["new_path"] == need.path and row["renamed_file"]:
                return str(row["old_path"])
        return None

    def fetch_merge_requests(self, project: str, **filters: str) -> list[Json]:
        """List merge requests by REST filters, all pages."""
        return self._read_pages(f"/projects/{_id(project)}/merge_requests", scope="all", **filters)

    def fetch_notes(self, merge_request: MergeRequest) -> tuple[Note, ...]:
        """Read all comments again, to see whether a write landed or was doubled."""
        return self._read_merge_request(merge_request.project, merge_request.iid).notes

    # --- writing --------------------------------------------------------------------

    def create_note(self, merge_request: MergeRequest, body: str) -> int:
        """Write a new comment and return its id; raise DoubtfulWriteError if it may have landed."""
        answer = self._json("post", _notes(merge_request), {"body": body})
        if "id" not in answer:
            raise GitLabError("GitLab took the comment for quick actions and did not keep it.")
        return int(answer["id"])

    def update_note(self, merge_request: MergeRequest, note_id: int, body: str) -> None:
        """Replace the text of a comment; the same text twice is the same."""
        self._json("put", f"{_notes(merge_request)}/{note_id}", {"body": body})

    def delete_note(self, merge_request: MergeRequest, note_id: int) -> None:
        """Delete a comment; one that is gone already is fine."""
        try:
            self._send("delete", f"{_notes(merge_request)}/{note_id}", {})
        except RefusedError as error:
            if error.code != NOT_FOUND:
                raise

    def award_emoji(self, merge_request: MergeRequest, note_id: int, name: str) -> None:
        """Put an emoji on a comment; one that is there already is fine."""
        try:
            self._json("post", f"{_notes(merge_request)}/{note_id}/award_emoji", {"name": name})
        except RefusedError as error:
            if error.code != NOT_FOUND:
                raise

    def set_commit_status(
        self, merge_request: MergeRequest, fields: Mapping[str, str | int]
    ) -> None:
        """Post a commit status on the head."""
        path = f"/projects/{merge_request.project_id}/statuses/{merge_request.head_sha}"
        self._json("post", path, fields)

    def answer_status_check(
        self, merge_request: MergeRequest, fields: Mapping[str, str | int]
    ) -> None:
        """Answer an external status check for the head."""
        path = f"/projects/{merge_request.project_id}/merge_requests/{merge_request.iid}"
        self._json("post", f"{path}/status_check_responses", fields)

    def set_label(self, merge_request: MergeRequest, name: str, *, present: bool) -> None:
        """Add or remove a label of the merge request."""
        path = f"/projects/{merge_request.project_id}/merge_requests/{merge_request.iid}"
        self._json("put", path, {"add_labels" if present else "remove_labels": name})

    def run_together(self, writes: Sequence[Callable[[], None]]) -> list[GitLabError | None]:
        """Make independent writes at the same time; return what went wrong with each."""
        waiting = [self._pool.submit(write) for write in writes]
        return [_failure(write) for write in waiting]

    def close(self) -> None:
        """Let go of threads and connections without waiting for them."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._gitlab.session.close()

    # --- requests -------------------------------------------------------------------

    def _graphql(self, text: str, variables: Mapping[str, object]) -> Json:
        body = {"query": text, "variables": dict(variables)}
        answer = self._read_json(self._send("post", self._url + GRAPHQL_PATH, body, safe=True))
        if answer.get("errors"):
            raise GitLabError(f"GitLab did not answer a query: {_first_error(answer)}")
        data = answer.get("data")
        if not isinstance(data, dict):
            raise GitLabError("GitLab answered a query without data.")
        return data

    def _json(self, verb: str, path: str, fields: Mapping[str, object] | None = None) -> Json:
        return self._read_json(self._send(verb, path, fields or {}, safe=verb != "post"))

    def _read_json(self, response: requests.Response) -> Json:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise GitLabError(f"GitLab answered {response.status_code} without a JSON object.")
        return answer

    def _send(
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
        except GitlabHttpError as error:
            raise _refusal(error, verb, path, safe=safe) from None
        except (GitlabError, requests.RequestException, OSError) as error:
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
            if self.calls > CALL_LIMIT:
                raise GitLabError(f"This run needs more than {CALL_LIMIT} requests; stopped.")
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
        if isinstance(error, GitlabHttpError) and error.response_code in NOT_LANDED:
            told = str(headers.get("Retry-After", ""))
            wait = max(wait, float(told)) if told.isdecimal() else wait
        return wait

    def _must_stop(self, state: RetryCallState) -> bool:
        if state.attempt_number >= TRIES or self._spent():
            return True
        return time.monotonic() + self._pause(state) >= self._ends

    def _spent(self) -> bool:
        return time.monotonic() >= self._ends


def _failure(write: Future[None]) -> GitLabError | None:
    try:
        write.result()
    except GitLabError as error:
        return error
    return None


def _bearer(token: Secret) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token.reveal()}"
        return request

    return sign


def _read_part(part: queries.Part, data: Json) -> Mapping[Need, Fact]:
    try:
        return part.read(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return dict.fromkeys(part.needs, _misshapen(error))


def _misshapen(error: Exception) -> Unread:
    name = type(error).__name__
    return Unread(reason=f"GitLab's answer has another shape than expected ({name})")


def _may_repeat(error: BaseException, *, safe: bool) -> bool:
    if isinstance(error, GitlabHttpError):
        return error.response_code in (FAULTS if safe else {429})
    if isinstance(error, requests.RequestException | OSError):
        return safe or _never_left(error)
    return False


def _never_left(error: BaseException) -> bool:
    """Tell whether a request surely did not reach GitLab."""
    return isinstance(error, requests.exceptions.ConnectTimeout)


def _refusal(error: GitlabHttpError, verb: str, path: str, *, safe: bool) -> Exception:
    code = error.response_code or 0
    if not safe and code in FAULTS - NOT_LANDED:
        return DoubtfulWriteError(f"{verb.upper()} {path}")
    return RefusedError(code, _words(error), f"{verb.upper()} {path}")


def _words(error: GitlabHttpError) -> str:
    message = error.error_message
    text = message.decode(errors="replace") if isinstance(message, bytes) else str(message)
    return " ".join(text.split())[:200]


def _first_error(answer: Json) -> str:
    errors: Iterable[Any] = answer["errors"] if isinstance(answer["errors"], list) else ()
    for error in errors:
        if isinstance(error, dict):
            return " ".join(str(error.get("message", "unknown error")).split())[:200]
    return "unknown error"


def _is_old(found: MergeRequest) -> bool:
    """Tell whether GitLab had ten minutes; old versions never set `prepared_at`."""
    return (datetime.now(UTC) - found.created_at).total_seconds() > 600  # noqa: PLR2004


def _id(project: str) -> str:
    return quote(project, safe="")


def _raw_path(need: FileAt) -> str:
    return f"/projects/{_id(need.project)}/repository/files/{quote(need.path, safe='')}/raw"


def _notes(merge_request: MergeRequest) -> str:
    return f"/projects/{merge_request.project_id}/merge_requests/{merge_request.iid}/notes"
