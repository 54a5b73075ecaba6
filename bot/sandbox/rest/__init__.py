"""The REST interface; each module registers the routes that it answers."""

from bot.sandbox.rest import (
    archive as archive,
    commits as commits,
    draft_notes as draft_notes,
    files as files,
    gates as gates,
    hooks as hooks,
    issues as issues,
    jobs as jobs,
    merge_request_parts as merge_request_parts,
    merge_requests as merge_requests,
    notes as notes,
    people as people,
    pipelines as pipelines,
    places as places,
    releases as releases,
    repository as repository,
    search as search,
    settings as settings,
    todos as todos,
    tokens as tokens,
)
