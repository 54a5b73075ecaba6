"""The policies with what mistakes in them leave unknown: their nominations, and no others."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath

from bot.nomination import Change, find_nominations
from bot.policy import BrokenPolicy, Policy, wanted_roles
from bot.team import TEAM_FILES, RoleKey, is_team_file, may_mention
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The sound policies, and what is known of those with mistakes."""

    policies: Sequence[Policy]
    broken: Sequence[BrokenPolicy] = ()

    @property
    def globs(self) -> frozenset[str]:
        """Return where entries are; a policy with mistakes may not tell where its own are."""
        unsure = {policy.team_files or TEAM_FILES for policy in self.broken}
        return frozenset(unsure.union(policy.team_files for policy in self.policies))

    @property
    def roles_by_place(self) -> Mapping[str, frozenset[RoleKey]]:
        """Return the roles that sound policies are about, by where their entries are."""
        return {
            glob: wanted_roles(p for p in self.policies if p.team_files == glob)
            for glob in dict.fromkeys(policy.team_files for policy in self.policies)
        }

    def candidate_test(self) -> Callable[[bytes], bool]:
        """Return what tells whether an entry may give a role that any policy is about."""
        is_vague = not all(map(_is_told, self.broken))
        wanted = {*wanted_roles(self.policies), *_roles_of(self.broken)}
        names = {name for key in wanted for name in key.names}
        return lambda content: is_vague or any(may_mention(content, name) for name in names)


def _roles_of(broken: Iterable[BrokenPolicy]) -> set[RoleKey]:
    return {
        RoleKey(project=policy.project, role=policy.role)
        for policy in broken
        if policy.project and policy.role
    }


def _is_told(policy: BrokenPolicy) -> bool:
    """Return whether a broken policy says whom it is about: role, project, and which entries."""
    return None not in {policy.project, policy.role, policy.team_files}


def find_doubts(broken: Iterable[BrokenPolicy], changes: Sequence[Change]) -> Iterator[str]:
    """Say for each broken policy that changed entries may be about why nothing is judged."""
    for policy in broken:
        name = PurePath(policy.source).name
        glob = policy.team_files
        if _is_told(policy) and glob:
            found = find_nominations(changes, _roles_of([policy]), glob)
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
            if _is_told(policy)
            else "every change of a team entry is"
        )
        yield f"{policy.source}: until this is mended, {about} unknown and the gate stays shut"
