"""The versions of a policy, and the one by which a merge request is judged."""

from collections.abc import Iterable, Iterator
from datetime import date

from bot.errors import PolicyError
from bot.policy.values import Counting, Policy
from bot.team import RoleKey
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPolicy:
    """A policy with mistakes: whose nominations it is about, as far as that can be told."""

    source: str
    mistakes: tuple[str, ...]
    project: str | None
    role: str | None
    team_files: str | None


def wanted_roles(policies: Iterable[Policy]) -> frozenset[RoleKey]:
    """Return the roles that policies are about, each once, whatever its versions are."""
    found: dict[tuple[str, str], list[Policy]] = {}
    for policy in policies:
        found.setdefault((policy.project, policy.role), []).append(policy)
    return frozenset(
        RoleKey(
            project=project,
            role=role,
            repositories=frozenset(
                each.repository.rpartition("/")[2].casefold() for each in versions
            )
            - {project.casefold()},
            stages=frozenset(stage for each in versions for stage in _stages(each)),
        )
        for (project, role), versions in found.items()
    )


def _stages(policy: Policy) -> Iterator[str]:
    for requirement in policy.requirements:
        rule = requirement.rule
        if isinstance(rule, Counting) and rule.since_role is not None:
            yield rule.since_role.casefold()


def policy_in_force(policies: Iterable[Policy], project: str, role: str, opened: date) -> Policy:
    """Return the version by which a merge request opened on a day (UTC) is judged.

    That is the latest in force on that day, or the earliest of all where none was yet.
    Raises PolicyError where no policy is about the project and role.
    """
    versions = _versions(policies, project, role)
    begun = [policy for policy in versions if _start(policy) <= opened]
    return begun[-1] if begun else versions[0]


def newer_than(policies: Iterable[Policy], policy: Policy) -> Policy | None:
    """Return the latest version of the same policy if it is a later one than this."""
    latest = _versions(policies, policy.project, policy.role)[-1]
    return latest if _start(latest) > _start(policy) else None


def _versions(policies: Iterable[Policy], project: str, role: str) -> list[Policy]:
    wanted = (project.casefold(), role.casefold())
    found = [one for one in policies if (one.project.casefold(), one.role) == wanted]
    if not found:
        raise PolicyError(f"no policy for {project}: {role}; add a file to policies/")
    return sorted(found, key=_start)


def _start(policy: Policy) -> date:
    return policy.in_force_from or date.min
