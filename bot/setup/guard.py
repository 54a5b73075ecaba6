"""Find the job of the team database that guards the gate, and what keeps it from doing so."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from bot.setup.ground import Ground
from bot.values import dataclass

# In the component's own script, and in the name of a job that somebody wrote for it.
GUARD = re.compile(r"nomination[-_]gate|nomination-bot[-_ ]gate", re.IGNORECASE)
# As the script of templates/nomination-gate.yml begins.
_ARGUMENTS = re.compile(r'python3 -I - "(?P<status>[^"]*)" "(?P<account>[^"]*)"')
_IDLE = frozenset({"manual", "never"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A job of the merged configuration that guards the gate, or is meant to."""

    name: str
    body: Mapping[str, Any]

    @property
    def script(self) -> str:
        """Return what it runs, in one text."""
        return str(self.body.get("script"))

    @property
    def rules(self) -> Sequence[Mapping[str, Any]]:
        """Return the rules by which it runs."""
        return [rule for rule in _flat(self.body.get("rules")) if rule.get("when") not in _IDLE]


def find_guards(merged: str) -> list[Guard]:
    """Return the guards of a merged configuration, as GitLab writes it."""
    try:
        written = _plain(yaml.safe_load(merged))
    except (yaml.YAMLError, RecursionError):
        return []
    jobs = [
        Guard(name=name, body=body)
        for name, body in (written.items() if isinstance(written, dict) else ())
        if isinstance(body, dict) and not name.startswith(".")
    ]
    return [job for job in jobs if GUARD.search(job.name) or GUARD.search(job.script)]


def _plain(value: Any) -> Any:
    """Take the colons away that some versions of GitLab write before keys."""
    if isinstance(value, dict):
        return {str(key).removeprefix(":"): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _flat(rules: Any) -> Iterator[Mapping[str, Any]]:
    # GitLab takes lists of lists, which `!reference` makes (lib/gitlab/ci/config/entry/rules.rb).
    for each in rules or ():
        yield from _flat(each) if isinstance(each, list) else (each,)


def flaw_of_guard(job: Guard, ground: Ground, *, included: bool) -> str | None:
    """Say what keeps a job from guarding the gate; `included` tells that it is the component."""
    if included and not GUARD.search(job.script):
        return "is written over: its script is another than the component's"
    if job.body.get("when") in _IDLE or ("rules" in job.body and not job.rules):
        return "does not start by itself"
    if any(each.get("allow_failure") for each in (job.body, *job.rules)):
        return "may fail without any consequence"
    return _flaw_of_inputs(job, ground)


def _flaw_of_inputs(job: Guard, ground: Ground) -> str | None:
    given = _ARGUMENTS.search(job.script)
    name, account = ground.settings.status_name, str(ground.me["username"])
    if given and given["status"] != name:
        return f"waits for the status {given['status']!r}, but the bot sets {name!r}"
    if given and given["account"].casefold() not in {"", account.casefold()}:
        return f"waits for @{given['account']}, but the bot is @{account}"
    globs = [policy.team_files for policy in ground.policies]
    missed = [glob for glob in globs if not any(_covers(rule, glob) for rule in job.rules)]
    if "rules" in job.body and missed:
        return f"does not start where {missed[0]} changes"
    return None


def _covers(rule: Mapping[str, Any], glob: str) -> bool:
    """Return whether a rule holds for changes of entries, as far as the folders tell."""
    changes = rule.get("changes")
    paths = changes.get("paths") if isinstance(changes, dict) else changes
    return not paths or any(_stem(glob).startswith(_stem(str(path))) for path in paths)


def _stem(glob: str) -> str:
    return glob.partition("*")[0]
