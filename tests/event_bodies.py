"""Write webhook bodies in the shape that GitLab documents, with little more than what is read."""

from typing import Any

TEAM_PROJECT = "example-org/team-database"
TEAM_PROJECT_ID = 7001


def _person(username: str) -> dict[str, Any]:
    return {
        "id": 4101,
        "name": "Ada",
        "username": username,
        "avatar_url": None,
        "email": "[REDACTED]",
    }


def _project() -> dict[str, Any]:
    return {
        "id": TEAM_PROJECT_ID,
        "name": "Team Database",
        "web_url": f"https://gitlab.example.com/{TEAM_PROJECT}",
        "namespace": "Example Org",
        "path_with_namespace": TEAM_PROJECT,
        "default_branch": "main",
    }


def _merge_request() -> dict[str, Any]:
    return {
        "id": 90511,
        "iid": 231,
        "title": "Add ada as a maintainer",
        "description": "",
        "state_id": 1,
        "source_branch": "ada-maintainer",
        "source_project_id": TEAM_PROJECT_ID,
        "target_branch": "main",
        "target_project_id": TEAM_PROJECT_ID,
        "url": f"https://gitlab.example.com/{TEAM_PROJECT}/-/merge_requests/231",
    }


def change(name: str, previous: Any, current: Any) -> dict[str, Any]:
    """Write one field of `changes`."""
    return {name: {"previous": previous, "current": current}}


def make_merge_request_body(action: str, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """Write the body of a merge request event."""
    return {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": _person("ada"),
        "project": _project(),
        "object_attributes": _merge_request() | {"action": action, "state": "opened"},
        "labels": [],
        "changes": changes or {},
        "repository": {"name": "Team Database"},
    }


def make_push_body(*commits: dict[str, list[str]], **fields: Any) -> dict[str, Any]:
    """Write the body of a push to the default branch, of commits with their lists of files."""
    lists: dict[str, Any] = {"added": [], "modified": [], "removed": []}
    return {
        "object_kind": "push",
        "event_name": "push",
        "before": "a" * 40,
        "after": "b" * 40,
        "ref": "refs/heads/main",
        "project_id": TEAM_PROJECT_ID,
        "project": _project(),
        "commits": [{"id": "b" * 40, "message": "Edit"} | lists | each for each in commits],
        "total_commits_count": len(commits),
    } | fields


def make_status_check_body() -> dict[str, Any]:
    """Write the body by which GitLab asks an external status check."""
    body = make_merge_request_body("open")
    del body["object_attributes"]["action"]
    rule = {"id": 1, "name": "nomination-bot", "external_url": "https://bot.example.com"}
    return body | {"external_approval_rule": rule}


def make_note_body(text: str, **attributes: Any) -> dict[str, Any]:
    """Write the body of a note event on a merge request."""
    return {
        "object_kind": "note",
        "event_type": "note",
        "user": _person("ada"),
        "project_id": TEAM_PROJECT_ID,
        "project": _project(),
        "object_attributes": {
            "id": 1244,
            "note": text,
            "noteable_type": "MergeRequest",
            "system": False,
            "action": "create",
            "author_id": 4101,
        }
        | attributes,
        "merge_request": _merge_request(),
    }
