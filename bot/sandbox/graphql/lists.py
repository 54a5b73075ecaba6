"""GraphQL: lists of merge requests with their filters."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.graphql.core import Asked, parse_time, snake_case
from bot.sandbox.world.access import can_read_merge_requests
from bot.sandbox.world.entities import MergeRequest, Project
from bot.sandbox.world.merge_request_search import TESTS, arrange, select

# Filters that GraphQL does not call as REST does.
NAMES: Mapping[str, str] = {
    "approvedBy": "approved_by_usernames",
    "assigneeUsernames": "assignee_username",
    "labelName": "labels",
    "mergedBy": "merge_user_username",
}
FIELDS: Mapping[str, str] = {"CREATED": "created_at", "UPDATED": "updated_at"}


def _translate(given: Mapping[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for name, value in given.items():
        known = NAMES.get(name, snake_case(name))
        if value is not None and known in TESTS:
            is_time = known.endswith(("_after", "_before"))
            wanted[known] = parse_time(value) if is_time else value
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
