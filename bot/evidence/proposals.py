"""Read what a merge request changes, and who is nominated by that."""

from collections.abc import Collection, Sequence

from bot.evidence.broken_policies import Rules
from bot.evidence.entries import Changes, Further, bound_changes, gather_changes
from bot.evidence.facts import Need, Source
from bot.evidence.needs import step_files
from bot.merge_request import MergeRequest
from bot.nomination import NO_BASE, NOTHING, Detection, Nomination, find_by_place
from bot.team import concerns_entries, is_entry
from bot.values import dataclass

# More nominations than this in one merge request are not examined: one takes two requests
# or three, and a run may make 60.
MOST_NOMINATIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A merge request, what it changes, and who is nominated by that."""

    merge_request: MergeRequest
    changes: Changes
    detection: Detection

    @property
    def nominations(self) -> tuple[Nomination, ...]:
        """Return the nominations that are examined; one into another branch gives no role."""
        counts = self.merge_request.counts
        return self.detection.nominations[:MOST_NOMINATIONS] if counts else ()

    @property
    def unknown(self) -> list[str]:
        """Say what was not read, or not examined."""
        unknown = []
        if self.merge_request.changed_paths is None and not self.merge_request.without_base:
            unknown.append("GitLab did not list all changed files of this merge request")
        found = len(self.detection.nominations)
        if found > MOST_NOMINATIONS:
            unknown.append(
                f"only the first {MOST_NOMINATIONS} of {found} nominations were "
                "examined; put the others into merge requests of their own"
            )
        return unknown


def entry_paths(merge_request: MergeRequest, rules: Rules) -> list[str]:
    """Return the changed files that concern the entries."""
    globs = rules.globs
    return [path for path in merge_request.changed_paths or () if concerns_entries(path, globs)]


def propose(
    merge_request: MergeRequest,
    paths: Sequence[str] | None,
    rules: Rules,
    source: Source,
    ahead: Collection[Need],
) -> Proposal:
    """Read the entries at these paths, and `ahead` with them; find who is nominated.

    There are no paths where it does not matter what a merge request changes.
    """
    if merge_request.without_base and paths is not None:
        facts = source.fetch_facts(set(ahead)) if ahead else {}
        changes, detection = Changes(items=(), facts=facts), NO_BASE
    elif not paths and not ahead:
        changes, detection = Changes(items=(), facts={}), NOTHING
    else:
        further, globs = Further(ahead=ahead, then=step_files(rules.policies)), rules.globs
        is_candidate = rules.candidate_test()
        found = gather_changes(merge_request, paths or (), is_candidate, source, further)
        changes = bound_changes(found, lambda path: is_entry(path, globs))
        detection = find_by_place(changes.items, rules.roles_by_place)
    return Proposal(merge_request=merge_request, changes=changes, detection=detection)
