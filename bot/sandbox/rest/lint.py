"""REST: whether a CI configuration is valid, and all of it in one (doc/api/lint.md)."""

from collections.abc import Callable
from typing import Any

import yaml

from bot.sandbox.rest.core import Answer, Call, endpoint
from bot.sandbox.world.access import demand
from bot.sandbox.world.ci_includes import find_included, merge_included
from bot.sandbox.world.entities import Level
from bot.sandbox.world.shipped import CI_FILE, ci_definition, read_yaml
from bot.sandbox.world.state import RefusedError

# The words are those of Gitlab::Ci::Lint for a project without a configuration.
NOTHING = "Please provide content of .gitlab-ci.yml"


@endpoint(
    "GET", "/projects/{id}/ci/lint", text="ref content_ref", flag="dry_run include_jobs", open=False
)
def lint_project(call: Call) -> Answer:
    """Return whether the CI configuration of the default branch is valid, and all of it in one."""
    project = call.code
    commit = project.repository.find_commit(project.default_branch)
    place = project.settings.ci_config_path or CI_FILE
    content = project.repository.content(commit, place) if commit else None
    if commit is None or (content is None and not project.triggers):
        return _lint_answer("", [NOTHING])
    written = ci_definition() if content is None else content.decode()
    return _lint(written, find_included(project, commit))


@endpoint(
    "POST",
    "/projects/{id}/ci/lint",
    text="content ref",
    flag="dry_run include_jobs",
    required="content",
)
def lint_content(call: Call) -> Answer:
    """Return whether a CI configuration is valid: that it is YAML with a job is all that counts."""
    demand(call.level >= Level.DEVELOPER)
    project = call.code
    commit = project.repository.find_commit(project.default_branch)
    return _lint(call.params["content"], find_included(project, commit))


def _lint(written: str, read: Callable[[str], str | None]) -> Answer:
    try:
        merged = dict(merge_included(written, read))
    except RefusedError as refused:
        told: Any = refused.body["message"]
        return _lint_answer("", told["base"])
    named = read_yaml(written).get("include") or []
    merged.pop("include", None)
    return _lint_answer(f"---\n{yaml.safe_dump(merged)}", [], named)


def _lint_answer(merged: str, errors: list[str], named: Any = ()) -> Answer:
    places = named if isinstance(named, list | tuple) else [named]
    included = [
        {"type": kind, "location": location}
        for each in places
        for kind, location in ({"local": each} if isinstance(each, str) else each).items()
        if kind in {"local", "component"}
    ]
    body = {
        "valid": not errors, "merged_yaml": merged, "errors": errors, "warnings": [],
        "includes": included,
    }  # fmt: skip
    return Answer(body=body)
