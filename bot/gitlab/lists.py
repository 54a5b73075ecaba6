"""Find merge requests, files and people by GitLab's lists and its search."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from bot.errors import GitLabError
from bot.gitlab.answers import Json, known_shape
from bot.gitlab.lists_query import MARKED, RECENT, is_marked
from bot.gitlab.merge_request_query import read_paths
from bot.gitlab.rest import escape_path, read_pages, walk_pages
from bot.gitlab.run import Run
from bot.merge_request import WATCH

if TYPE_CHECKING:
    from bot.gitlab.archive import Wanted

LIST_PAGES = 60  # of 50 merge requests each, or 100
SEARCH_PAGES = 3  # of 100 comments each


class Lists(Run):
    """Reads what concerns many merge requests, or none."""

    def fetch_project_path(self, project: str) -> str:
        """Return the full path of a project that is given by its id or path."""
        if not project.isdecimal():
            return project
        return self._tell(project, "path_with_namespace", "path of project")

    def fetch_default_branch(self, project: str) -> str:
        """Return the name of a project's default branch."""
        return self._tell(project, "default_branch", "default branch of")

    def _tell(self, project: str, name: str, words: str) -> str:
        found = self._transport.fetch_object(f"/projects/{escape_path(project)}").get(name)
        if not isinstance(found, str):
            raise GitLabError(f"GitLab did not tell the {words} {project}.")
        return found

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
        for node in self._list_since(RECENT, project, since):
            yield int(node["iid"]), read_paths(node)

    def fetch_marked(self, project: str, since: datetime, accounts: Collection[int]) -> list[int]:
        """List merged merge requests that changed since a time, with an account's mark."""
        nodes = self._list_since(MARKED, project, since)
        with known_shape():
            return [int(node["iid"]) for node in nodes if is_marked(node, accounts)]

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
        path, words = f"/projects/{escape_path(project)}/search", marker.strip("<!-> ")
        pages = walk_pages(self._transport, path, scope="notes", search=words)
        rows = chain.from_iterable(islice(pages, SEARCH_PAGES))
        with known_shape():
            own = [row for row in rows if row["body"].startswith(marker)]
            iids = [int(r["noteable_iid"]) for r in own if r["noteable_type"] == "MergeRequest"]
        return list(dict.fromkeys(iids))

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
