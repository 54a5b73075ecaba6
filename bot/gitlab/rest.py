"""Read over REST what GraphQL does not tell: history, renames, and the present gate."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from typing import Any
from urllib.parse import quote

from bot.errors import GitLabError
from bot.evidence import (
    AccessOf,
    CiConfigOf,
    Commit,
    Commits,
    CommitsOf,
    Deed,
    Deeds,
    DiffsOf,
    Exposure,
    Fact,
    LabelsOf,
    OfMergeRequest,
    RenameOf,
    StateChangesOf,
    StatusChecksOf,
    StatusesOf,
    Version,
    Versions,
    VersionsOf,
)
from bot.gitlab.answers import Json, read_time
from bot.gitlab.transport import Transport
from bot.merge_request import CommitStatus, StatusCheck, Visibility

PAGES = 50  # of 100 rows each, of any list
DIFF_PAGES = 10  # of 100 files each, of a commit that may have renamed one


def escape_path(project: str) -> str:
    """Return a project's path as REST takes it in an address."""
    return quote(project, safe="")


def _address(need: OfMergeRequest[Any]) -> str:
    return f"/projects/{escape_path(need.project)}/merge_requests/{need.iid}"


def read_statuses(transport: Transport, need: StatusesOf) -> tuple[CommitStatus, ...]:
    """Read the commit statuses of a name on a head."""
    path = f"/projects/{need.project_id}/repository/commits/{need.sha}/statuses"
    rows = read_pages(transport, path, name=need.name)
    return tuple(
        CommitStatus(
            state=row["status"],
            description=row.get("description") or "",
            pipeline_id=row.get("pipeline_id"),
            author_id=(row.get("author") or {}).get("id"),
            ref=row.get("ref"),
            finished_at=read_time(row["finished_at"]) if row.get("finished_at") else None,
        )
        for row in rows
        # Should the filter be ignored, no other job's status may pass for the gate.
        if row["name"] == need.name
    )


def read_status_checks(transport: Transport, need: StatusChecksOf) -> tuple[StatusCheck, ...]:
    """Read the status checks of a merge request."""
    rows = read_pages(transport, f"{_address(need)}/status_checks")
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
            committed_at=read_time(row["committed_date"]),
            path=need.path,
        )
        for row in rows
    )
    return Commits(items=items, complete=following is None)


def _read_old_paths(transport: Transport, need: DiffsOf) -> Mapping[str, str]:
    rows = read_pages(transport, f"{_address(need)}/diffs")
    renamed = {row["new_path"]: row["old_path"] for row in rows if row["renamed_file"]}
    return {row["new_path"]: row["new_path"] for row in rows} | renamed


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


def read_pages(transport: Transport, path: str, most: int = PAGES, **filters: str) -> list[Json]:
    """Read a list that GitLab gives in pages; raise GitLabError where it has too many."""
    return list(chain.from_iterable(walk_pages(transport, path, most, **filters)))


def walk_pages(
    transport: Transport, path: str, most: int = PAGES, **filters: str
) -> Iterator[list[Json]]:
    """Yield the pages of a list; raise GitLabError where another follows when that is too many."""
    page: str | None = "1"
    for _ in range(most):
        query: dict[str, str | int] = {**filters, "per_page": 100, "page": page or ""}
        rows, page = transport.fetch_rows(path, query)
        yield rows
        if page is None:
            return
    raise GitLabError(f"the list {path} has more than the {most * 100} rows that the bot reads.")


def _find_other_path(transport: Transport, need: RenameOf) -> str | None:
    known, wanted = ("old_path", "new_path") if need.onward else ("new_path", "old_path")
    path = f"/projects/{escape_path(need.project)}/repository/commits/{need.sha}/diff"
    for row in chain.from_iterable(islice(walk_pages(transport, path), DIFF_PAGES)):
        if row[known] == need.path:
            return str(row[wanted]) if row["renamed_file"] else None
    # The commit is of the file's history: it changes the file, and GitLab cuts large lists.
    raise GitLabError(f"GitLab did not list all files that the commit {need.sha} changes.")


def _read_access(transport: Transport, need: AccessOf) -> bool:
    # With members of groups above and of invited ones (doc/api/project_members.md).
    path = f"/projects/{need.project_id}/members/all"
    rows, _ = transport.fetch_rows(path, {"user_ids": str(need.user_id), "per_page": 20})
    return any(row["id"] == need.user_id for row in rows)


def _read_versions(transport: Transport, need: VersionsOf) -> Versions:
    # Newest first; their times are those at which GitLab took the push in.
    rows, following = transport.fetch_rows(f"{_address(need)}/versions", {"per_page": 100})
    if not rows:
        raise GitLabError("GitLab lists no version of the changes.")
    items = tuple(
        Version(head_sha=row["head_commit_sha"], at=read_time(row["created_at"])) for row in rows
    )
    return Versions(items=items, complete=following is None)


def _read_state_changes(transport: Transport, need: StateChangesOf) -> Deeds:
    # doc/api/resource_state_events: closed, reopened, merged; closing and reopening leave no
    # system note, and the first opening is no event.
    items = tuple(
        Deed(
            at=read_time(row["created_at"]),
            by=(row.get("user") or {}).get("username"),
            words=row["state"],
        )
        for row in read_pages(transport, f"{_address(need)}/resource_state_events")
    )
    return Deeds(items=tuple(sorted(items, key=lambda deed: deed.at)), complete=True)


def _read_ci_config(transport: Transport, need: CiConfigOf) -> str:
    # Empty for the default path (GitLab, doc/ci/pipelines/settings.md).
    return str(transport.fetch_object(f"/projects/{need.project_id}").get("ci_config_path") or "")


def _read_labels(transport: Transport, need: LabelsOf) -> frozenset[str]:
    # All of them, by name (GitLab, doc/api/merge_requests.md).
    return frozenset(map(str, transport.fetch_object(_address(need))["labels"]))


READERS: Mapping[type, Callable[[Transport, Any], Fact]] = {
    CommitsOf: _read_commits,
    RenameOf: _find_other_path,
    AccessOf: _read_access,
    DiffsOf: _read_old_paths,
    VersionsOf: _read_versions,
    StateChangesOf: _read_state_changes,
    StatusesOf: read_statuses,
    StatusChecksOf: read_status_checks,
    CiConfigOf: _read_ci_config,
    LabelsOf: _read_labels,
}
