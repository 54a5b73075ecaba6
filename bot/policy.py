"""Read the policies of all projects, and find the one by which a merge request is judged."""

import functools
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from pathlib import Path

from bot.errors import PolicyError
from bot.policy_language import POLICY
from bot.policy_mistakes import Mistakes
from bot.policy_values import (
    ApprovedBy,
    Assigned,
    Attested,
    AuthoredMergeRequests,
    AuthoredOrReviewed,
    Check,
    FollowUp,
    GroupMember,
    GroupRef,
    ListedIn,
    Manual,
    Notice,
    OpenFor,
    Policy,
    Requirement,
    ReviewedMergeRequests,
    RoleHeld,
    Rule,
    Topic,
)
from bot.yaml_nodes import MAX_CHARACTERS, parse_yaml

__all__ = [
    "SHIPPED",
    "ApprovedBy",
    "Assigned",
    "Attested",
    "AuthoredMergeRequests",
    "AuthoredOrReviewed",
    "Check",
    "FollowUp",
    "GroupMember",
    "GroupRef",
    "ListedIn",
    "Manual",
    "Notice",
    "OpenFor",
    "Policy",
    "Requirement",
    "ReviewedMergeRequests",
    "RoleHeld",
    "Rule",
    "Topic",
    "check_policies",
    "is_team_file",
    "load_policies",
    "newer_than",
    "newest",
    "parse_policy",
    "policy_in_force",
]

SHIPPED = Path(__file__).parent / "policies"


def parse_policy(text: str, where: str) -> Policy:
    """Return the policy that a text describes.

    Raises PolicyError with a line `where:line:column: …` for every mistake in it.
    """
    mistakes = Mistakes(where=where)
    root = parse_yaml(text, mistakes.add)
    values = None if root is None else POLICY.read(root, "", mistakes)
    mistakes.raise_any()
    return Policy(**(values or {}), source=where)


def load_policies(directory: Path | None = None) -> tuple[Policy, ...]:
    """Return the policies of every `*.yml` file of a directory, of the shipped ones by default.

    Raises PolicyError for mistakes, for policies that contradict each other, and for no policies.
    """
    return _load(_policy_files(directory or SHIPPED))


def check_policies(paths: Sequence[Path] = ()) -> list[str]:
    """Return a line for each policy file, of the shipped ones by default.

    Raises PolicyError with every mistake of every file, where there is one.
    """
    files = [file for path in paths or (SHIPPED,) for file in _policy_files(path)]
    return [f"{policy.source}: ok, {policy.label}" for policy in _load(files)]


def policy_in_force(policies: Iterable[Policy], project: str, role: str, opened: date) -> Policy:
    """Return the version by which a merge request opened on a day (UTC) is judged.

    That is the latest in force on that day, or the earliest of all where none was yet.
    Raises PolicyError where no policy is about the project and role.
    """
    versions = _versions(policies, project, role)
    begun = [policy for policy in versions if _start(policy) <= opened]
    return begun[-1] if begun else versions[0]


def newest(policies: Iterable[Policy], project: str, role: str) -> Policy:
    """Return the latest version; raises PolicyError where there is none."""
    return _versions(policies, project, role)[-1]


def newer_than(policies: Iterable[Policy], policy: Policy) -> Policy | None:
    """Return the latest version of the same policy if it is a later one than this."""
    latest = newest(policies, policy.project, policy.role)
    return latest if _start(latest) > _start(policy) else None


def is_team_file(policy: Policy, path: str) -> bool:
    """Tell whether a path is a team entry by the policy; `*` stays within one folder or name."""
    return _glob(policy.team_files).fullmatch(path) is not None


@functools.cache
def _glob(pattern: str) -> re.Pattern[str]:
    """Return a glob as a regular expression; neighbouring stars are refused when parsing."""
    return re.compile("[^/]*".join(re.escape(part) for part in pattern.split("*")))


def _policy_files(path: Path) -> list[Path]:
    """Return the policy files of a directory in order of name, or the one file."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in {".yml", ".yaml"})
    if not files:
        raise PolicyError(f"{path}: no policies; found no file; expected one *.yml or more")
    return files


def _load(files: Collection[Path]) -> tuple[Policy, ...]:
    """Read and parse files; raises PolicyError with the mistakes of all of them."""
    policies, problems = [], []
    for file in files:
        try:
            policies.append(parse_policy(_read(file), str(file)))
        except PolicyError as error:
            problems.append(str(error))
    problems += _conflicts(policies)
    if problems:
        raise PolicyError("\n".join(problems))
    return tuple(policies)


def _read(file: Path) -> str:
    """Return the text of a file, a little more than is allowed at most."""
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.read(MAX_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise PolicyError(f"{file}: cannot be read; found {reason}; expected a policy") from None


def _conflicts(policies: list[Policy]) -> list[str]:
    """Return a line for each policy that another one leaves no room for."""
    problems: list[str] = []
    seen: dict[tuple[str, str], Policy] = {}
    for policy in policies:
        for what, key in _identities(policy).items():
            other = seen.setdefault((what, key), policy)
            if other is not policy:
                problems.append(f"{policy.source}: {what} as in {other.source}; found {key}")
    return problems


def _identities(policy: Policy) -> dict[str, str]:
    """Return what no two policies may share."""
    start = f"{policy.project.casefold()}: {policy.role} from {policy.in_force_from or 'ever'}"
    return {"the same id and version": policy.label, "the same beginning": start}


def _versions(policies: Iterable[Policy], project: str, role: str) -> list[Policy]:
    """Return the versions of a policy, earliest first."""
    wanted = (project.casefold(), role.casefold())
    found = [one for one in policies if (one.project.casefold(), one.role) == wanted]
    if not found:
        raise PolicyError(f"no policy for {project}: {role}; add a file to {SHIPPED.name}/")
    return sorted(found, key=_start)


def _start(policy: Policy) -> date:
    """Return the first day of a policy; one without a day has always been in force."""
    return policy.in_force_from or date.min
