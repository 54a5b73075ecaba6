"""Read over REST what GraphQL does not tell: history, renames, and the present gate."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.errors import GitLabError
from bot.facts import (
    Commit,
    Commits,
    CommitsOf,
    DiffsOf,
    Exposure,
    Fact,
    Push,
    PushOf,
    RenameOf,
    Renames,
    StatusChecksOf,
    StatusesOf,
)
from bot.gitlab_transport import Json, Transport
from bot.merge_request import CommitStatus, StatusCheck, Visibility

DIFF_PAGES = 10  # of 100 files each, of a commit that may have renamed one


def escape_path(project: str) -> str:
    """Return a project's path as REST takes it in an address."""
    return quote(project, safe="")


def read_statuses(transport: Transport, need: StatusesOf) -> tuple[CommitStatus, ...]:
    """Read the commit statuses of a name on a head."""
    path = f"/projects/{need.project_id}/repository/commits/{need.sha}/statuses"
    rows, _ = transport.fetch_rows(path, {"name": need.name, "per_page": 100})
    return tuple(
        CommitStatus(
            state=row["status"],
            description=row.get("description") or "",
            pipeline_id=row.get("pipeline_id"),
            author_id=(row.get("author") or {}).get("id"),
            target_url=row.get("target_url") or "",
            ref=row.get("ref"),
        )
        for row in rows
        if row["name"] == need.name
    )


def _read_status_checks(transport: Transport, need: StatusChecksOf) -> tuple[StatusCheck, ...]:
    path = f"/projects/{need.project_id}/merge_requests/{need.iid}/status_checks"
    rows, _ = transport.fetch_rows(path, {})
    return tuple(StatusCheck(id=row["id"], name=row["name"], status=row["status"]) for row in rows)


def _read_commits(transport: Transport, need: CommitsOf) -> Commits:
    # First parents only: their dates are those of the merges, not the authors' claims.
    rows, following = transport.fetch_rows(
        f"/projects/{escape_path(need.project)}/repository/commits",
        {"ref_name": need.ref, "path": need.path, "first_parent": "true", "per_page": 100},
    )
    items = tuple(
        Commit(
            project=need.project,
            sha=row["id"],
            committed_at=datetime.fromisoformat(row["committed_date"]),
            path=need.path,
        )
        for row in rows
    )
    return Commits(items=items, complete=following is None)


def _read_renames(transport: Transport, need: DiffsOf) -> Renames:
    path = f"/projects/{need.project_id}/merge_requests/{need.iid}/diffs"
    rows = read_pages(transport, path)
    return Renames(
        old_paths={row["new_path"]: row["old_path"] for row in rows if row["renamed_file"]},
        listed=frozenset(row["new_path"] for row in rows),
    )


def narrow_exposure(exposure: Exposure, project: Json) -> Exposure:
    """Narrow what is visible to what a project's features are: unknown ones are private.

    GitLab knows "disabled", "private" (for members alone) and "enabled".
    """

    def narrow(visibility: Visibility, feature: str) -> Visibility:
        enabled = project.get(f"{feature}_access_level") == "enabled"
        return visibility if enabled else Visibility.PRIVATE

    return Exposure(
        merge_requests=narrow(exposure.merge_requests, "merge_requests"),
        files=narrow(exposure.files, "repository"),
    )


def read_pages(transport: Transport, path: str, **filters: str) -> list[Json]:
    """Read a list that GitLab gives in pages."""
    rows: list[Json] = []
    page: str | None = "1"
    while page:
        query: dict[str, str | int] = {**filters, "per_page": 100, "page": page}
        found, page = transport.fetch_rows(path, query)
        rows.extend(found)
    return rows


def _read_rename(transport: Transport, need: RenameOf) -> str | None:
    path = f"/projects/{escape_path(need.project)}/repository/commits/{need.sha}/diff"
    page: str | None = "1"
    for _ in range(DIFF_PAGES):
        rows, page = transport.fetch_rows(path, {"per_page": 100, "page": page})
        for row in rows:
            if row["new_path"] == need.path:
                return str(row["old_path"]) if row["renamed_file"] else None
        if page is None:
            return None
    raise GitLabError(f"the commit {need.sha} changes more files than the bot reads.")


def _read_push(transport: Transport, need: PushOf) -> Push:
    # The newest version comes first.
    path = f"/projects/{need.project_id}/merge_requests/{need.iid}/versions"
    rows, _ = transport.fetch_rows(path, {"per_page": 1})
    if not rows:
        raise GitLabError("GitLab lists no version of the changes.")
    return Push(at=datetime.fromisoformat(rows[0]["created_at"]))


READERS: Mapping[type, Callable[[Transport, Any], Fact]] = {
    CommitsOf: _read_commits,
    RenameOf: _read_rename,
    DiffsOf: _read_renames,
    PushOf: _read_push,
    StatusesOf: read_statuses,
    StatusChecksOf: _read_status_checks,
}
