"""GraphQL: lists of merge requests with their filters."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.graphql.core import Asked, parse_time
from bot.sandbox.world.access import can_read_merge_requests
from bot.sandbox.world.entities import MergeRequest, Project
from bot.sandbox.world.merge_request_search import arrange, select

NAMES: Mapping[str, str] = {
    "approvedBy": "approved_by_usernames",
    "assigneeUsername": "assignee_username",
    "assigneeUsernames": "assignee_username",
    "authorUsername": "author_username",
    "draft": "draft",
    "iids": "iids",
    "labelName": "labels",
    "mergedBy": "merge_user_username",
    "reviewStates": "review_states",
    "reviewerUsername": "reviewer_username",
    "search": "search",
    "sourceBranches": "source_branches",
    "state": "state",
    "targetBranches": "target_branches",
}
TIMES: Mapping[str, str] = {
    f"{verb}{when}": f"{verb}_{when.casefold()}"
    for verb in ("created", "merged", "updated")
    for when in ("After", "Before")
}
FIELDS: Mapping[str, str] = {"CREATED": "created_at", "UPDATED": "updated_at"}


def _translate(given: Mapping[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name in TIMES:
            wanted[TIMES[name]] = parse_time(value)
        elif name in NAMES:
            wanted[NAMES[name]] = value
    if given.get("reviewState") is not None:
        wanted["review_states"] = [given["reviewState"]]
    return wanted


def list_merge_requests(
    asked: Asked, project: Project, given: Mapping[str, Any]
) -> list[MergeRequest]:
    """List the merge requests of a project."""
    readable = can_read_merge_requests(asked.user, project, asked.today)
    found = project.merge_requests.values() if readable else ()
    chosen = select(found, _translate(given), _translate(given.get("not") or {}))
    field, _, direction = str(given.get("sort") or "created_desc").upper().rpartition("_")
    return arrange(chosen, FIELDS.get(field, field.casefold()), direction.casefold())
