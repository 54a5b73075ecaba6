"""The REST interface; each module registers the routes that it answers."""

from bot.sandbox.rest import (
    archive,
    commits,
    files,
    gates,
    hooks,
    merge_request_parts,
    merge_requests,
    notes,
    people,
    pipelines,
    places,
    repository,
    search,
    settings,
    todos,
    tokens,
)

__all__ = [
    "archive",
    "commits",
    "files",
    "gates",
    "hooks",
    "merge_request_parts",
    "merge_requests",
    "notes",
    "people",
    "pipelines",
    "places",
    "repository",
    "search",
    "settings",
    "todos",
    "tokens",
]
