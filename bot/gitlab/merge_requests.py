"""Read a merge request whole: with all its comments, people and emoji, once it is prepared."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from bot.errors import GitLabError, MissingError, RefusedError
from bot.gitlab import merge_request_query as documents
from bot.gitlab.ahead import ask_for
from bot.gitlab.answers import Json, following, known_shape, number_of
from bot.gitlab.budget import WRITING
from bot.gitlab.rest import escape_path, read_pages
from bot.gitlab.run import Run
from bot.gitlab.transport import Transport
from bot.merge_request import MergeRequest, Note

# Of 100 each; GitLab allows 200 assignees (`MAX_NUMBER_OF_ASSIGNEES_OR_REVIEWERS`,
# app/models/concerns/issuable.rb), and approvals without end.
PEOPLE_PAGES = 10
EMOJI_LISTS = 5  # of one merge request that are read to their end
EMOJI_PAGES = 2  # of 100 emoji each: whoever puts up more must not use up a run's requests
NOTE_PAGES = 50  # GitLab allows 5,000 comments on one merge request (doc/api/discussions.md).
# Webhooks are sent before all copies of the database know what they tell of.
LAG_WAITS = (0.5, 1.0, 2.0)  # seconds
PREPARED_AFTER = 600.0  # seconds; old versions of GitLab never set `prepared_at`
PREPARE_WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds


class MergeRequests(Run):
    """Reads merge requests with all their comments."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self._seen: Json | None = None
        # By address of a merge request, the last of more than a page of comments that was read.
        self._ends: dict[tuple[str, int], tuple[int, str]] = {}
        self.on_look: Callable[[str, int], None] | None = None

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
            # None has a base until GitLab has compared the commits, so that once is no proof
            # (doc/api/merge_requests.md, "Empty API fields for new merge requests").
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
        newer = self._read_merge_request(project, iid, is_own=True, after=after).notes
        return (*known, *newer)

    @known_shape()
    def _read_merge_request(
        self, project: str, iid: int, *, is_own: bool, after: str | None = None
    ) -> MergeRequest:
        """Read a merge request: the one that is looked at, or another that tells of it."""
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
            if following(node, name):
                node[name] = self._read_people(name, node[name], project, iid)
        path = f"/projects/{escape_path(project)}/merge_requests/{iid}"
        cut = [each for each in (node, *notes) if following(each, "awardEmoji")]
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
            after = following(page, name)
            if after is None:
                return {"nodes": people}
            variables = {"project": project, "iid": str(iid), "after": after}
            answer = self._transport.query(documents.further_people(name), variables)
            page = answer["project"]["mergeRequest"]
            people.extend(page[name]["nodes"])
        raise GitLabError(f"{project}!{iid} has more {name} than the bot reads.")
