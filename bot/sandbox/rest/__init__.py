"""The REST interface; each module registers the routes that it answers."""

from bot.sandbox.rest import (
    commits,
    files,
    gates,
    hooks,
    merge_request_parts,
    merge_requests,
    notes,
    people,
    pipelines,
    repository,
    search,
    settings,
    todos,
    tokens,
)

__all__ = [
    "commits",
    "files",
    "gates",
    "hooks",
    "merge_request_parts",
    "merge_requests",
    "notes",
    "people",
    "pipelines",
    "repository",
    "search",
    "settings",
    "todos",
    "tokens",
]
