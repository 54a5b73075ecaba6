"""The door to GitLab: facts are read and writes made here, in GitLab's terms."""

import base64
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from bot.errors import GitLabError, MissingError, RefusedError
from bot.evidence import (
    EarlierOf,
    Exposure,
    ExposureOf,
    Fact,
    FileAt,
    Members,
    MembersOf,
    Need,
    NotText,
    Offer,
    Offers,
    OffersOf,
    Profile,
    ProfileOf,
    StatusesOf,
    Tally,
)
from bot.gitlab import merge_request_query as documents, tallies
from bot.gitlab.ahead import ask_for
from bot.gitlab.answers import MISSHAPEN, Json, known_shape, number_of, tell_misshapen
from bot.gitlab.issues import Issues
from bot.gitlab.packing import Part, Query, pack_parts
from bot.gitlab.queries import build_parts, members_part
from bot.gitlab.rest import READERS, escape_path, narrow_exposure, read_pages, read_statuses
from bot.gitlab.transport import CONNECTIONS, WRITING, Transport
from bot.merge_request import WATCH, CommitStatus, MergeRequest, Note
from bot.unread import Unread

if TYPE_CHECKING:
    from bot.gitlab.archive import Wanted

LIST_PAGES = 60  # of 50 merge requests each, or 100
MEMBER_PAGES = 10  # of 100 members of a group each
PEOPLE_PAGES = 10  # of 100 each; GitLab allows 200 assignees, and approvals without end
SEARCH_PAGES = 3  # of 100 comments each
EMOJI_LISTS = 5  # of one merge request that are read to their end
EMOJI_PAGES = 2  # of 100 emoji each: whoever puts up more must not use up a run's requests
NOTE_PAGES = 50  # GitLab allows 5,000 comments on one merge request.
# Webhooks are sent before all copies of the database know what they tell of.
LAG_WAITS = (0.5, 1.0, 2.0)  # seconds
PREPARED_AFTER = 600.0  # seconds; old versions of GitLab never set `prepared_at`
PREPARE_WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds
NOT_FOUND = 404


class GitLabClient:
    """Reads facts from GitLab and writes notes, gates and emoji to it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._pool = ThreadPoolExecutor(CONNECTIONS)
        self._seen: Json | None = None
        # By address of a merge request, the last of more than a page of comments that was read.
        self._ends: dict[tuple[str, int], tuple[int, str]] = {}
        self._owed: Callable[[bool], None] | None = None
        # Addresses of comments that were made, by that of their merge request.
        self.created: dict[str, str] = {}
        self.on_look: Callable[[str, int], None] | None = None
        # What is not needed before the next facts, and is done while they are awaited.
        self.meanwhile: Callable[[], None] | None = None

    @property
    def calls(self) -> int:
        """Count the requests made so far."""
        return self._transport.calls

    def now(self) -> datetime:
        """Tell the time by GitLab's clock, which dates everything else that is read."""
        return self._transport.server_time or datetime.now(UTC)

    def only_read(self) -> None:
        """Let reading have the requests and the time that are kept for writing."""
        self._transport.release()

    def take_share(self, left: int) -> None:
        """Give the next of so many merge requests its share of the time and the requests."""
        self._transport.take_share(left)

    @property
    def elapsed(self) -> float:
        """Count the seconds since the run began."""
        return self._transport.elapsed

    def wait(self, seconds: float) -> bool:
        """Wait, unless that would outlast the deadline; return whether it did wait."""
        return self._transport.wait(seconds)

    def issues_of(self, project: str) -> Issues:
        """Return the bot's own issues of a project, with a share of the time and the requests."""
        self._transport.take_share(1)
        self._transport.release()
        return Issues(self._transport, project)

    # --- the last word --------------------------------------------------------------

    def owe(self, act: Callable[[bool], None] | None) -> None:
        """Remember what is to be written if the process ends before all is; forget the head.

        It is called with whether it must hurry.
        """
        self._owed, self._seen = act, None

    def require_contact(self) -> None:
        """Raise UnreachableError where GitLab never answered at all."""
        self._transport.require_contact()

    def pay(self, seconds: float = 0.0) -> None:
        """Write what is still owed, in the time kept for that, or in so many seconds."""
        if self._owed is not None:
            self._transport.release(seconds)
            self._owed(seconds > 0)

    def known_head(self) -> MergeRequest | None:
        """Return the merge request as far as it was read, once its head is known."""
        if self._seen is None:
            return None
        try:
            found = documents.read_merge_request(self._seen, [])
        except (GitLabError, *MISSHAPEN):
            return None
        return found if found.head_sha else None

    def fetch_gate(self, need: Need) -> Fact:
        """Read the present gate in this thread: those of the pool may all be waiting."""
        return self._answer_alone(need)[need]

    def after(self, seconds: float, act: Callable[[], bool]) -> Callable[[], None]:
        """Act after some seconds, and again until that says it is done, beside all else.

        Return what prevents it, or waits for it.
        """
        over, acting = threading.Event(), threading.Lock()

        def watch() -> None:
            while not over.wait(seconds):
                with acting:
                    if over.is_set() or act():
                        return

        def stop() -> None:
            over.set()
            with acting:
                return

        threading.Thread(target=watch, daemon=True).start()
        return stop

    # --- reading --------------------------------------------------------------------

    def fetch_project_path(self, project: str) -> str:
        """Return the full path of a project that is given by its id or path."""
        if not project.isdecimal():
            return project
        path = self._transport.fetch_object(f"/projects/{project}").get("path_with_namespace")
        if not isinstance(path, str):
            raise GitLabError(f"GitLab did not tell the path of project {project}.")
        return path

    def fetch_default_branch(self, project: str) -> str:
        """Return the name of a project's default branch."""
        found = self._transport.fetch_object(f"/projects/{escape_path(project)}")
        branch = found.get("default_branch")
        if not isinstance(branch, str):
            raise GitLabError(f"GitLab did not tell the default branch of {project}.")
        return branch

    def find_files(self, project: str, branch: str, words: str) -> list[str]:
        """Return the paths of the files that hold some words, as GitLab's own search finds them."""
        # doc/api/search.md: the scope `blobs` of a project is in every tier.
        path = f"/projects/{escape_path(project)}/search"
        rows, _ = self._transport.fetch_rows(
            path, {"scope": "blobs", "search": words, "ref": branch, "per_page": 100}
        )
        with known_shape():
            return [str(row["path"]) for row in rows]

    def find_commented(self, project: str, marker: str) -> list[int]:
        """Return the merge requests with a comment that begins with a marker, newest comment first.

        GitLab's search finds the newest few hundred.
        """
        # doc/api/search.md: the scope `notes` of a project is in every tier. Words are searched
        # for, so the signs around them are left to the comparison.
        rows = self._search_notes(project, marker.strip("<!-> "))
        with known_shape():
            own = [row for row in rows if row["body"].startswith(marker)]
            iids = [int(r["noteable_iid"]) for r in own if r["noteable_type"] == "MergeRequest"]
        return list(dict.fromkeys(iids))

    def _search_notes(self, project: str, words: str) -> list[Json]:
        path = f"/projects/{escape_path(project)}/search"
        found: list[Json] = []
        page: str | None = "1"
        for _ in range(SEARCH_PAGES):
            query: dict[str, str | int] = {"scope": "notes", "search": words, "per_page": 100}
            rows, page = self._transport.fetch_rows(path, {**query, "page": page or ""})
            found += rows
            if page is None:
                break
        return found

    def fetch_archive(
        self, project: str, branch: str, folder: str, wanted: "Wanted"
    ) -> Mapping[str, bytes]:
        """Read those files below a folder that are wanted, by path, all in one request.

        Raises GitLabError where they cannot be read whole, or are too many.
        """
        # doc/api/repositories.md, "Get file archive": GitLab.com allows 5 in a minute.
        from bot.gitlab.archive import read_archive  # noqa: PLC0415  only the board needs it

        path = f"/projects/{escape_path(project)}/repository/archive.tar.gz"
        read = partial(read_archive, wanted=wanted)
        return self._transport.fetch_stream(path, {"sha": branch, "path": folder}, read)

    def fetch_tallies(
        self, project: str, branch: str, usernames: Sequence[str]
    ) -> Mapping[str, Tally | Unread]:
        """Count what people did in a repository, many in one request."""
        size = tallies.PEOPLE
        groups = [usernames[start : start + size] for start in range(0, len(usernames), size)]
        count = partial(self._count_group, project, branch)
        found: dict[str, Tally | Unread] = {}
        for told in self._pool.map(count, groups):
            found.update(told)
        return found

    def _count_group(
        self, project: str, branch: str, usernames: Sequence[str]
    ) -> Mapping[str, Tally | Unread]:
        variables: dict[str, object] = {"project": project, "branch": branch}
        variables |= {f"who{number}": name for number, name in enumerate(usernames)}
        reason = ""
        for approvals in (True, False):
            text = tallies.write_query(len(usernames), approvals=approvals)
            try:
                answer = self._transport.query(text, variables, patient=False)
                with known_shape():
                    return tallies.read_tallies(answer, usernames)
            except GitLabError as error:
                reason = str(error)
        return dict.fromkeys(usernames, Unread(reason=reason))

    def fetch_merge_request(self, project: str, iid: int) -> MergeRequest:
        """Read a merge request with all its comments; wait until GitLab has prepared it.

        One that is prepared and has no merge base will never have one.
        Raises GitLabError when it cannot be read whole, or is not prepared in time.
        """
        self._transport.kept = WRITING
        if self.on_look:
            self.on_look(project, iid)
        pauses = iter(PREPARE_WAITS)
        lags = iter(LAG_WAITS)
        looked_twice = False
        while True:
            try:
                found = self._read_merge_request(project, iid, is_own=True)
            except MissingError:
                if not self._waited(lags):
                    raise
                continue
            is_ready = found.prepared or self._is_old(found)
            if found.head_sha and found.base_sha and is_ready:
                return found
            if found.without_base and is_ready and looked_twice:
                return found
            looked_twice = True
            if not self._waited(pauses):
                raise GitLabError(
                    f"GitLab has not prepared the changes of {project}!{iid} yet; "
                    "the next event, or a recheck command there, looks again."
                )

    def _waited(self, pauses: Iterator[float]) -> bool:
        """Wait for the next of some pauses; return whether there was one, and time for it."""
        pause = next(pauses, None)
        return pause is not None and self._transport.wait(pause)

    def _is_old(self, found: MergeRequest) -> bool:
        """Return whether GitLab had enough time; old versions never set `prepared_at`."""
        return (self.now() - found.created_at).total_seconds() > PREPARED_AFTER

    def _read_merge_request(self, project: str, iid: int, *, is_own: bool) -> MergeRequest:
        """Read a merge request: the one that is looked at, or another that tells of it."""
        with known_shape():
            return self._read_whole(project, iid, is_own=is_own)

    def _read_whole(
        self, project: str, iid: int, *, is_own: bool, after: str | None = None
    ) -> MergeRequest:
        ahead = self._transport.ahead.pop((project, iid), None)
        data = ahead.result() if ahead else ask_for(self._transport, project, iid, after)
        nodes: list[Json] = []
        answer = data
        for _ in range(NOTE_PAGES):
            request = (answer.get("project") or {}).get("mergeRequest")
            if request is None or answer.get("currentUser") is None:
                if answer.get("project") is None:
                    self._tell_move(project)
                kind = MissingError if answer.get("project") else GitLabError
                raise kind(
                    f"The merge request {project}!{iid} does not exist or the token cannot read "
                    "it; check NOMINATION_BOT_TEAM_PROJECT, the role of the bot's account, "
                    "and that its token has the scope `api`."
                )
            if is_own:
                self._seen = data
            page = (request.get("notes") or {}).get("pageInfo")
            if page is None or request["notes"].get("nodes") is None:
                raise GitLabError(f"GitLab did not list the comments of {project}!{iid}.")
            nodes.extend(node for node in request["notes"]["nodes"] if node)
            if not page["hasNextPage"]:
                break
            variables = {"project": project, "iid": str(iid), "after": page["endCursor"]}
            answer = self._transport.query(documents.NOTES + documents.COMMENTS, variables)
        else:
            raise GitLabError(f"{project}!{iid} has more comments than the bot reads.")
        if not after:
            self._remember_end(project, iid, nodes, page["endCursor"])
        return documents.read_merge_request(*self._read_cut_lists(data, nodes, project, iid))

    def _remember_end(
        self, project: str, iid: int, nodes: Sequence[Json], cursor: str | None
    ) -> None:
        """Remember where a list of many comments ends, if what is new comes at its end.

        The order is GitLab's, which promises none (app/graphql/resolvers/noteable/notes_resolver.rb
        sorts nothing): only where it was the order of time will it be again.
        """
        numbers = [number_of(node["id"]) for node in nodes]
        if cursor and len(numbers) > documents.PAGE and numbers == sorted(numbers):
            self._ends[project, iid] = (numbers[-1], cursor)
        else:
            self._ends.pop((project, iid), None)

    def _tell_move(self, project: str) -> None:
        """Raise GitLabError with the new address of a project, which GraphQL does not tell."""
        with suppress(RefusedError):
            self._transport.fetch_object(f"/projects/{escape_path(project)}")

    def _read_cut_lists(
        self, data: Json, notes: Sequence[Json], project: str, iid: int
    ) -> tuple[Json, list[Json]]:
        """Read what is not on the first page of lists of people and of emoji."""
        node = dict(data["project"]["mergeRequest"])
        for name in documents.PEOPLE:
            if documents.following(node, name):
                node[name] = self._read_people(name, node[name], project, iid)
        path = f"/projects/{escape_path(project)}/merge_requests/{iid}"
        cut = [each for each in (node, *notes) if documents.following(each, "awardEmoji")]
        whole: dict[int, Json] = {}
        for each in cut[:EMOJI_LISTS]:
            where = path if each is node else f"{path}/notes/{number_of(each['id'])}"
            with suppress(GitLabError):  # what is on the first page is still known
                rows = read_pages(self._transport, f"{where}/award_emoji", EMOJI_PAGES)
                whole[id(each)] = {**each, "awardEmoji": {"nodes": rows}}
        told = {**data, "project": {**data["project"], "mergeRequest": whole.get(id(node), node)}}
        return told, [whole.get(id(each), each) for each in notes]

    def _read_people(self, name: str, first: Json, project: str, iid: int) -> Json:
        people = list(first["nodes"] or ())
        page: Json = {name: first}
        for _ in range(PEOPLE_PAGES):
            after = documents.following(page, name)
            if after is None:
                return {"nodes": people}
            variables = {"project": project, "iid": str(iid), "after": after}
            answer = self._transport.query(documents.further_people(name), variables)
            page = answer["project"]["mergeRequest"]
            people.extend(page[name]["nodes"])
        raise GitLabError(f"{project}!{iid} has more {name} than the bot reads.")

    def fetch_facts(self, needs: Collection[Need]) -> Mapping[Need, Fact]:
        """Look needs up in parallel; whatever fails is an Unread value with the reason.

        Always in the same order: when requests run out, every run leaves out the same.
        """
        needs = sorted(needs, key=repr)
        packed = pack_parts(build_parts(needs))
        asked: list[tuple[Callable[[], Mapping[Need, Fact]], tuple[Need, ...]]] = [
            (partial(self._answer_query, query), tuple(n for p in query.parts for n in p.needs))
            for query in packed
        ]
        asked += [
            (partial(self._answer_alone, need), (need,))
            for need in needs
            if type(need) in READERS or isinstance(need, EarlierOf)
        ]
        room = max(0, self._transport.left)
        waiting = [self._pool.submit(ask) for ask, _ in asked[:room]]
        if self.meanwhile:
            act, self.meanwhile = self.meanwhile, None
            act()
        left_out = Unread(reason=self._transport.limit_words)
        facts: dict[Need, Fact] = {n: left_out for _, unmet in asked[room:] for n in unmet}
        for answer in waiting:
            facts.update(answer.result())
        return facts

    def _answer_query(self, query: Query) -> Mapping[Need, Fact]:
        try:
            # Where there is another way, a part that never works must not use up all the time.
            last = len(query.parts) == 1 and not query.parts[0].fallback
            data = self._transport.query(query.text(), query.variables(), patient=last)
        except GitLabError as error:
            if len(query.parts) > 1 and not self._transport.spent and self._transport.left > 0:
                # One bad part, or a score above the limit, must not spoil the others.
                return self._answer_singly(query)
            fallback = query.parts[0].fallback
            if fallback and not self._transport.spent:
                return self._answer_query(Query([fallback]))
            reason = Unread(reason=str(error))
            return {need: reason for part in query.parts for need in part.needs}
        facts: dict[Need, Fact] = {}
        for part, answer in query.share_out(data):
            facts.update(_read_part(part, answer))
        return {need: self._complete(need, fact) for need, fact in facts.items()}

    def _complete(self, need: Need, fact: Fact) -> Fact:
        """Read what the query could not hold, or GraphQL does not tell."""
        try:
            if isinstance(need, MembersOf) and isinstance(fact, Members):
                return self._all_members(need, fact)
            if isinstance(need, ExposureOf) and isinstance(fact, Exposure) and not fact.sure:
                # For whom the features of a project are that the bot is a member of.
                path = f"/projects/{escape_path(need.project)}"
                return narrow_exposure(fact, self._transport.fetch_object(path))
            if isinstance(need, FileAt) and isinstance(fact, NotText):
                return self._transport.fetch_raw(_raw_path(need), {"ref": need.ref})
        except GitLabError as error:
            return Unread(reason=str(error))
        return fact

    def _all_members(self, need: MembersOf, found: Members) -> Members | Unread:
        """Read the members of a large group who are not on the first page."""
        for _ in range(MEMBER_PAGES - 1):
            if found.following is None:
                return found
            query = Query([members_part(need, found.following)])
            data = self._transport.query(query.text(), query.variables())
            ((part, answer),) = query.share_out(data)
            page = _read_part(part, answer)[need]
            if not isinstance(page, Members):
                return Unread(reason=f"GitLab did not list all members of {need.group}")
            direct = (*found.direct, *page.direct)
            found = replace(found, direct=direct, following=page.following)
        if found.following is None or need.inherited:
            return found
        return Unread(reason=f"{need.group} has more than {len(found.direct)} direct members")

    def _answer_singly(self, query: Query) -> Mapping[Need, Fact]:
        facts: dict[Need, Fact] = {}
        for part in query.parts:
            facts.update(self._answer_query(Query([part])))
        return facts

    def _answer_alone(self, need: Need) -> Mapping[Need, Fact]:
        try:
            if isinstance(need, EarlierOf):
                return {need: self._read_merge_request(need.project, need.iid, is_own=False)}
            return {need: READERS[type(need)](self._transport, need)}
        except GitLabError as error:
            return {need: Unread(reason=str(error))}
        except MISSHAPEN as error:
            return {need: Unread(reason=tell_misshapen(error))}

    def fetch_watched(self, project: str, state: str) -> list[int]:
        """List the merge requests with the sweep's emoji of the bot on them."""
        path = f"/projects/{escape_path(project)}/merge_requests"
        rows = read_pages(self._transport, path, scope="all", state=state, my_reaction_emoji=WATCH)
        with known_shape():
            return [int(row["iid"]) for row in rows]

    def fetch_recent(
        self, project: str, since: datetime
    ) -> Iterator[tuple[int, tuple[str, ...] | None]]:
        """Yield opened merge requests that changed since a time, with the paths they change.

        Raises GitLabError at the end where there are more than the bot reads.
        """
        for node in self._list_since(documents.RECENT, project, since):
            yield int(node["iid"]), documents.read_paths(node)

    def fetch_marked(self, project: str, since: datetime, accounts: Collection[int]) -> list[int]:
        """List merged merge requests that changed since a time, with an account's mark."""
        nodes = self._list_since(documents.MARKED, project, since)
        with known_shape():
            return [int(node["iid"]) for node in nodes if documents.is_marked(node, accounts)]

    def _list_since(self, document: str, project: str, since: datetime) -> Iterator[Json]:
        variables: dict[str, object] = {"project": project, "since": since.isoformat()}
        for _ in range(LIST_PAGES):
            data = self._transport.query(document, variables)
            with known_shape():
                page = data["project"]["mergeRequests"]
                found: list[Json] = page["nodes"]
                variables["after"] = page["pageInfo"]["endCursor"]
                more = page["pageInfo"]["hasNextPage"]
            with known_shape():
                yield from found
            if not more:
                return
        raise GitLabError(f"{project} has more merge requests to look through than the bot reads.")

    def fetch_notes(self, merge_request: MergeRequest) -> tuple[Note, ...]:
        """Read the comments again, to see whether a write landed or was doubled.

        Of many only those are read that are newer than what is known: a comment that is not the
        bot's becomes none of the bot's.
        """
        project, iid, known = merge_request.project, merge_request.iid, merge_request.notes
        last, after = self._ends.get((project, iid), (0, None))
        mine = any(each.author and each.author.id == merge_request.me.id for each in known)
        if not after or mine or last != max((each.id for each in known), default=0):
            return self._read_merge_request(project, iid, is_own=True).notes
        with known_shape():
            return (*known, *self._read_whole(project, iid, is_own=True, after=after).notes)

    def fetch_statuses(self, merge_request: MergeRequest, name: str) -> tuple[CommitStatus, ...]:
        """Read the commit statuses of a name on the head, to see whether a write landed."""
        with known_shape():
            need = StatusesOf(merge_request.project_id, merge_request.status_sha, name)
            return read_statuses(self._transport, need)

    # --- writing --------------------------------------------------------------------

    def create_note(self, merge_request: MergeRequest, body: str) -> int:
        """Write a new comment and return its id; raise DoubtfulWriteError if it may have landed."""
        number = self._transport.create(_notes(merge_request), {"body": body}).get("id")
        if not isinstance(number, int):
            raise GitLabError("GitLab took the comment for quick actions and did not keep it.")
        self.created[merge_request.web_url] = f"{merge_request.web_url}#note_{number}"
        return number

    def update_note(self, merge_request: MergeRequest, note_id: int, body: str) -> None:
        """Replace the text of a comment; the same text twice is the same."""
        self._transport.change("put", f"{_notes(merge_request)}/{note_id}", {"body": body})

    def delete_note(self, merge_request: MergeRequest, note_id: int) -> None:
        """Delete a comment; one that is gone already is fine."""
        try:
            self._transport.remove(f"{_notes(merge_request)}/{note_id}")
        except RefusedError as error:
            if error.code != NOT_FOUND:
                raise

    def award_emoji(self, merge_request: MergeRequest, note_id: int, name: str) -> None:
        """Put an emoji on a comment; one that is there already is fine."""
        path = f"{_notes(merge_request)}/{note_id}/award_emoji"
        try:
            self._transport.change("post", path, {"name": name})
        except RefusedError as error:
            if error.code != NOT_FOUND:
                raise

    def withdraw_emoji(self, merge_request: MergeRequest, note_id: int, name: str) -> None:
        """Take the bot's emoji off a comment."""
        self._withdraw(f"{_notes(merge_request)}/{note_id}", name, merge_request.me.id)

    def set_commit_status(
        self, merge_request: MergeRequest, fields: Mapping[str, str | int]
    ) -> None:
        """Post a commit status on the head; raise DoubtfulWriteError if it may have landed."""
        path = f"/projects/{merge_request.project_id}/statuses/{merge_request.status_sha}"
        self._transport.create(path, fields)

    def answer_status_check(
        self, merge_request: MergeRequest, fields: Mapping[str, str | int]
    ) -> None:
        """Answer an external status check for the head; the same answer twice is the same."""
        self._transport.change("post", f"{_address(merge_request)}/status_check_responses", fields)

    def watch(self, merge_request: MergeRequest) -> None:
        """Put the sweep's emoji on the merge request; anyone who can comment may.

        Raises GitLabError where it is refused, because the sweep would not find this one.
        """
        path = _address(merge_request)
        try:
            self._transport.change("post", f"{path}/award_emoji", {"name": WATCH})
        except RefusedError as error:
            # GitLab answers 404 to one that is there already and to one that is not allowed
            # alike (lib/api/award_emoji.rb).
            if error.code != NOT_FOUND or not self._has_awarded(path, merge_request.me.id):
                raise GitLabError(
                    f"GitLab refused the emoji :{WATCH}: by which the sweep finds this merge "
                    f"request ({error}): let the bot's account comment there, as where its "
                    "discussion is locked a member of the project may."
                ) from None

    def _has_awarded(self, path: str, own_id: int) -> bool:
        rows = read_pages(self._transport, f"{path}/award_emoji")
        with known_shape():
            return any(row["name"] == WATCH and row["user"]["id"] == own_id for row in rows)

    def unwatch(self, merge_request: MergeRequest) -> None:
        """Take the sweep's emoji off the merge request."""
        self._withdraw(_address(merge_request), WATCH, merge_request.me.id)

    def _withdraw(self, path: str, name: str, own_id: int) -> None:
        with known_shape():
            for row in read_pages(self._transport, f"{path}/award_emoji"):
                if row["name"] == name and row["user"]["id"] == own_id:
                    self._transport.remove(f"{path}/award_emoji/{row['id']}")

    # --- merge requests for steps -----------------------------------------------------

    def fetch_account_id(self, username: str) -> int | None:
        """Return the number of an account, if GitLab knows it."""
        found = self._ask_here(ProfileOf(username))
        return found.id if isinstance(found, Profile) else None

    def fetch_offers(self, need: OffersOf) -> Offers:
        """Read the merge requests from some branches again."""
        found = self._ask_here(need)
        assert isinstance(found, Offers)  # noqa: S101  as `_ask_here` raises for the rest
        return found

    def _ask_here(self, need: Need) -> Fact | None:
        """Look one need up in this thread: those of the pool may all be waiting."""
        fact = self._answer_query(Query(build_parts([need])))[need]
        if isinstance(fact, Unread):
            raise GitLabError(f"{fact.reason}.")
        return fact

    def fetch_file(self, project: str, path: str, ref: str) -> tuple[bytes, str]:
        """Read a file with the commit that a ref stands for (doc/api/repository_files.md)."""
        where = f"/projects/{escape_path(project)}/repository/files/{quote(path, safe='')}"
        found = self._transport.fetch_object(where, {"ref": ref})
        with known_shape():
            return base64.b64decode(found["content"]), str(found["commit_id"])

    def fetch_changed(self, project: str, before: str, after: str) -> set[str] | None:
        """Return the files that differ between two commits, None where GitLab lists not all.

        `compare_timeout` tells of a list that was cut (lib/api/entities/compare.rb).
        """
        where = f"/projects/{escape_path(project)}/repository/compare"
        try:
            found = self._transport.fetch_object(
                where, {"from": before, "to": after, "straight": True}
            )
        except RefusedError:  # one of them is not there any more, or there was none before
            return None
        with known_shape():
            if found["compare_timeout"]:
                return None
            return {str(each[name]) for each in found["diffs"] for name in ("old_path", "new_path")}

    def fetch_change(self, project: str, ref: str, branch: str) -> tuple[str, str, str] | None:
        """Return head, its parent and the one file that the only commit of a branch changes.

        None where the branch holds anything else (doc/api/repositories.md, "Compare").
        """
        where = f"/projects/{escape_path(project)}/repository/compare"
        found = self._transport.fetch_object(where, {"from": ref, "to": branch})
        with known_shape():
            commits, diffs = found["commits"], found["diffs"]
            if len(commits) != 1 or len(diffs) != 1 or len(commits[0]["parent_ids"]) != 1:
                return None
            head, parent = str(commits[0]["id"]), str(commits[0]["parent_ids"][0])
            return head, parent, str(diffs[0]["new_path"])

    def start_branch(self, project: str, fields: Mapping[str, object]) -> None:
        """Make a branch with a commit; raise DoubtfulWriteError if it may have landed."""
        self._transport.create(f"/projects/{escape_path(project)}/repository/commits", fields)

    def open_offer(self, project: str, fields: Mapping[str, object]) -> Offer:
        """Open a merge request; raise DoubtfulWriteError if it may have landed."""
        made = self._transport.create(f"/projects/{escape_path(project)}/merge_requests", fields)
        with known_shape():
            return Offer(
                iid=int(made["iid"]),
                web_url=str(made["web_url"]),
                state=str(made["state"]),
                branch=str(made["source_branch"]),
                target=str(made["target_branch"]),
                author_id=int(made["author"]["id"]),
                whose=frozenset({int(made["author"]["id"])}),
            )

    def close_offer(self, project: str, iid: int, description: str) -> None:
        """Close a merge request, and replace its description."""
        path = f"/projects/{escape_path(project)}/merge_requests/{iid}"
        fields = {"state_event": "close", "description": description}
        self._transport.change("put", path, fields)

    def run_together(self, writes: Sequence[Callable[[], None]]) -> list[GitLabError | None]:
        """Make independent writes at the same time; return what went wrong with each."""
        self._transport.release()
        waiting = [self._pool.submit(write) for write in writes]
        return [_failure(write) for write in waiting]

    def close(self) -> None:
        """Let go of threads and connections without waiting for them."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._transport.close()


def _failure(write: Future[None]) -> GitLabError | None:
    try:
        write.result()
    except GitLabError as error:
        return error
    return None


def _read_part(part: Part, data: Json) -> Mapping[Need, Fact]:
    try:
        return part.read(data)
    except MISSHAPEN as error:
        return dict.fromkeys(part.needs, Unread(reason=tell_misshapen(error)))


def _raw_path(need: FileAt) -> str:
    return f"/projects/{escape_path(need.project)}/repository/files/{quote(need.path, safe='')}/raw"


def _address(merge_request: MergeRequest) -> str:
    return f"/projects/{merge_request.project_id}/merge_requests/{merge_request.iid}"


def _notes(merge_request: MergeRequest) -> str:
    return f"{_address(merge_request)}/notes"
