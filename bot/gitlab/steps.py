"""Read and write what merge requests for the steps after a merge take."""

import base64
from collections.abc import Mapping
from urllib.parse import quote

from bot.errors import RefusedError
from bot.evidence import Offer
from bot.gitlab.answers import known_shape
from bot.gitlab.facts import Facts
from bot.gitlab.rest import escape_path


class Steps(Facts):
    """Opens merge requests in the repositories that a policy's steps name."""

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
