"""Read a CI configuration, and put into it what it includes."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from bot.sandbox.world.entities import Project
from bot.sandbox.world.repository import Commit
from bot.sandbox.world.shipped import read_component, read_yaml
from bot.sandbox.world.state import RefusedError

GLOBAL = frozenset({
    "default", "include", "stages", "variables", "workflow", "image", "services", "cache",
    "before_script", "after_script", "spec",
})  # fmt: skip


def merge_included(text: str, read: Callable[[str], str | None]) -> Mapping[str, Any]:
    """Return a configuration with what it includes; `read` finds the text of each by its name.

    Raises `RefusedError` (400) with GitLab's words where it is not valid.
    """
    return _include(_parse(text), read)


def find_included(project: Project, commit: Commit | None) -> Callable[[str], str | None]:
    """Return what finds included texts: a project's files at a commit, the shipped components."""

    def read(name: str) -> str | None:
        if "@" in name:  # a component of this project, at whatever version
            return read_component(name.partition("@")[0].rpartition("/")[2])
        content = project.repository.content(commit, name.lstrip("/")) if commit else None
        return None if content is None else content.decode()

    return read


def _include(written: Mapping[str, Any], read: Callable[[str], str | None]) -> Mapping[str, Any]:
    """Add what a configuration includes: `local` files and `component`s, with their inputs."""
    included: dict[str, Any] = {}
    named = written.get("include") or []
    for each in named if isinstance(named, list) else [named]:
        entry: Mapping[str, Any] = {"local": each} if isinstance(each, str) else each
        name = str(entry.get("local") or entry.get("component"))
        text = read(name)
        if text is None:
            problem = f"Included file `{name}` does not exist!"
            raise RefusedError(400, {"base": [problem]})
        added = _include(_parse(_fill(text, entry.get("inputs") or {})), read)
        included = _merge(included, added)
    return _merge(included, written)


def _merge(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Let the second win, key by key; lists are replaced (doc/ci/yaml/includes.md)."""
    merged = dict(first)
    for name, value in second.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _merge(merged[name], value) if both else value
    return merged


def _fill(text: str, given: Mapping[str, Any]) -> str:
    """Put inputs into the body below a `spec` header; refuse what GitLab refuses."""
    header, found, body = text.partition("\n---\n")
    if not found:
        return text
    inputs = (read_yaml(header).get("spec") or {}).get("inputs") or {}
    values = {name: (each or {}).get("default") for name, each in inputs.items()} | dict(given)
    missing = sorted(name for name, value in values.items() if value is None)
    unknown = sorted(given.keys() - inputs.keys())
    if missing or unknown:
        words = ", ".join(f"`{name}` input" for name in missing + unknown)
        problem = "required value has not been provided" if missing else "unknown input"
        raise RefusedError(400, {"base": [f"{words}: {problem}"]})
    for name, value in values.items():
        shown = value if isinstance(value, str) else json.dumps(value)
        body = body.replace(f"$[[ inputs.{name} ]]", shown)
    return body


def _parse(text: str) -> Mapping[str, Any]:
    try:
        written = read_yaml(text)
    except yaml.YAMLError as error:
        raise RefusedError(400, {"base": [f"Invalid configuration format: {error}"]}) from error
    if not isinstance(written, dict) or not all(
        isinstance(body, dict) for name, body in written.items() if name not in GLOBAL
    ):
        raise RefusedError(400, {"base": ["Invalid configuration format"]})
    return written
