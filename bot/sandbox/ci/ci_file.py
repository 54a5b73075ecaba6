"""Read a `.gitlab-ci.yml`: which jobs a pipeline of a given source runs."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.world.ci_includes import GLOBAL, merge_included
from bot.sandbox.world.state import RefusedError

FILTERED_BY_WORKFLOW = "Pipeline filtered out by workflow rules."
NO_JOBS = (
    "Pipeline will not run for the selected trigger. The rules configuration prevented any jobs"
    " from being added to the pipeline."
)
# On either side a text may stand as well as a variable: lib/gitlab/ci/pipeline/expression/lexeme.
_CLAUSE = re.compile(
    r"""\s* (?: \$(?P<name>\w+) | "(?P<given>[^"]*)" ) \s*
    (?: (?P<operator> ==|!=|=~|!~) \s*
        (?: "(?P<text>[^"]*)" | '(?P<quoted>[^']*)' | /(?P<pattern>(?:\\.|[^/])*)/ | (?P<null>null)
          | \$(?P<other>\w+) ) \s* )?""",
    re.VERBOSE,
)
_UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDefinition:
    """A job as written; `timeout` in seconds."""

    name: str
    script: tuple[str, ...]
    stage: str = "test"
    resource_group: str | None = None
    timeout: float | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


def select_jobs(
    text: str,
    variables: Mapping[str, str],
    changed: Collection[str] | None = None,
    read: Callable[[str], str | None] = lambda _: None,
) -> tuple[JobDefinition, ...]:
    """Return the jobs that run with predefined variables, and for changed paths if known.

    `read` finds the text of an included local file or component by its name. Raises
    `RefusedError` (400) with GitLab's words if the rules leave none.
    """
    written = merge_included(text, read)
    workflow = written.get("workflow") or {}
    if not _runs(workflow.get("rules"), variables, changed):
        raise RefusedError(400, {"base": [FILTERED_BY_WORKFLOW]})
    jobs = tuple(
        _job(name, body, written)
        for name, body in written.items()
        if name not in GLOBAL
        and not name.startswith(".")
        and _runs(body.get("rules"), variables, changed)
    )
    if not jobs:
        raise RefusedError(400, {"base": [NO_JOBS]})
    return jobs


def _job(name: str, body: Mapping[str, Any], written: Mapping[str, Any]) -> JobDefinition:
    defaults = {**written, **(written.get("default") or {})}
    before = body.get("before_script", defaults.get("before_script"))
    group = body.get("resource_group")
    timeout = body.get("timeout", defaults.get("timeout"))
    return JobDefinition(
        name=name,
        script=(*_lines(before), *_lines(body.get("script"))),
        stage=str(body.get("stage", "test")),
        resource_group=None if group is None else str(group),
        timeout=None if timeout is None else parse_duration(str(timeout)),
        variables=_variables(written) | _variables(body),
    )


def _lines(script: object) -> tuple[str, ...]:
    if isinstance(script, list):
        return tuple(line for part in script for line in _lines(part))
    return () if script is None else (str(script),)


def _variables(body: Mapping[str, Any]) -> dict[str, str]:
    """Read `variables`, whose values may be written with a description beside them."""
    return {
        str(name): str(value["value"] if isinstance(value, dict) else value)
        for name, value in (body.get("variables") or {}).items()
    }


def _runs(
    rules: list[Mapping[str, Any]] | None,
    variables: Mapping[str, str],
    changed: Collection[str] | None,
) -> bool:
    """Return whether the first rule that matches lets it run; no rules let everything run."""
    if rules is None:
        return True
    for rule in rules:
        held = "if" not in rule or is_true(str(rule["if"]), variables)
        if held and _changes(rule.get("changes"), changed):
            return rule.get("when") not in {"never", "manual"}
    return False


def _changes(globs: Iterable[str] | None, changed: Collection[str] | None) -> bool:
    """Return whether a changed path matches; where the paths are not known, GitLab says yes."""
    if globs is None or changed is None:
        return True
    patterns = [re.compile(_pattern(glob)) for glob in globs]
    return any(pattern.fullmatch(path) for path in changed for pattern in patterns)


def _pattern(glob: str) -> str:
    """Turn a glob into a pattern: `**/` is any folders, `*` and `?` stay within one."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    table = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(table.get(part, re.escape(part)) for part in parts)


def is_true(condition: str, variables: Mapping[str, str]) -> bool:
    """Evaluate `rules:if` without parentheses; raise ValueError for anything unknown."""
    return any(
        all(_holds(clause, variables) for clause in side.split("&&"))
        for side in condition.split("||")
    )


def _holds(clause: str, variables: Mapping[str, str]) -> bool:
    match = _CLAUSE.fullmatch(clause)
    if match is None:
        raise ValueError(f"unknown condition in rules: {clause.strip()!r}")
    value = variables.get(match["name"]) if match["name"] else match["given"]
    if match["operator"] is None:
        return bool(value)
    if match["pattern"] is not None:
        found = re.search(match["pattern"].replace(r"\/", "/"), value or "") is not None
        return found == (match["operator"] == "=~")
    literal = match["text"] if match["text"] is not None else match["quoted"]
    wanted = variables.get(match["other"]) if match["other"] else literal
    return (value == wanted) == (match["operator"] == "==")


def parse_duration(text: str) -> float:
    """Read `90`, `10 minutes`, `1h 30m`; return seconds, raise ValueError."""
    if text.strip().isdigit():
        return float(text)
    parts = re.findall(r"(\d+)\s*([smh])\w*", text.casefold())
    if not parts:
        raise ValueError(f"not a duration: {text!r}")
    return float(sum(int(number) * _UNITS[unit] for number, unit in parts))
