"""What a policy with mistakes leaves unknown: its nominations, and no others."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath

from bot.nomination import Change, find_nominations
from bot.policy import BrokenPolicy, Policy
from bot.team import TEAM_FILES, RoleKey, is_team_file


def find_globs(policies: Iterable[Policy], broken: Iterable[BrokenPolicy]) -> frozenset[str]:
    """Return where entries are; a policy with mistakes may not tell where its own are."""
    unsure = {policy.team_files or TEAM_FILES for policy in broken}
    return frozenset(unsure.union(policy.team_files for policy in policies))


def wanted_roles(broken: Iterable[BrokenPolicy]) -> set[RoleKey]:
    """Return the roles that broken policies are about, as far as that can be told."""
    return {
        RoleKey(project=policy.project, role=policy.role)
        for policy in broken
        if policy.project and policy.role
    }


def is_told(policy: BrokenPolicy) -> bool:
    """Tell whether a broken policy says whom it is about: role, project, and which entries."""
    return None not in {policy.project, policy.role, policy.team_files}


def find_doubts(broken: Iterable[BrokenPolicy], changes: Sequence[Change]) -> Iterator[str]:
    """Say for each broken policy that changed entries may be about why nothing is judged."""
    for policy in broken:
        name = PurePath(policy.source).name
        glob = policy.team_files
        if is_told(policy) and glob:
            found = find_nominations(changes, wanted_roles([policy]), glob)
            if found.nominations or found.unread:
                yield (
                    f"the policy {name} for {policy.role} of {policy.project} has mistakes, so "
                    "this nomination cannot be judged until an operator mends it"
                )
        elif any(glob is None or is_team_file(change.path, glob) for change in changes):
            yield (
                f"the policy {name} has mistakes and does not tell for which role it is, so "
                "nobody knows whom this nominates until an operator mends it"
            )


def tell_broken(broken: Iterable[BrokenPolicy]) -> Iterator[str]:
    """Yield the lines of the log: every mistake, and what it costs."""
    for policy in broken:
        yield from policy.mistakes
        about = (
            f"nominations for {policy.role} of {policy.project} are"
            if is_told(policy)
            else "every change of a team entry is"
        )
        yield f"{policy.source}: until this is mended, {about} unknown and the gate stays shut"
