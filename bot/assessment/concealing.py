"""Say what the readers of a merge request may not see, and leave it out; pure.

GitLab shows a comment to everybody who may read the merge request. What was counted or read
in a place that fewer people may see goes into numbers, states and steps alone.
"""

from collections.abc import Collection
from dataclasses import replace

from bot import policy as rules
from bot.assessment.findings import Case, Finding, State, Step
from bot.evidence import Exposure, ExposureOf, step_files
from bot.merge_request import Visibility
from bot.unread import Unread
from bot.values import dataclass

UNREADABLE = "its content is not what it should be"


@dataclass(frozen=True, slots=True, kw_only=True)
class Concealed:
    """The places whose details are left out: counted repositories, groups, projects of files."""

    repositories: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()


def find_concealed(case: Case) -> Concealed:
    """Find the places that fewer people may see than the merge request."""
    readers = case.merge_request.visibility
    placed = [(each.rule, _counted_in(case, each.rule)) for each in case.policy.requirements]
    counted = {place for _, place in placed if place}
    groups = {each.group for each in case.policy.memberships}
    touched = {place for rule, place in placed if place and rule.evidence}
    return Concealed(
        repositories=frozenset(
            each for each in counted if _exposure(case, each).merge_requests < readers
        ),
        groups=frozenset(each for each in groups if _group(case, each) < readers),
        files=frozenset(
            each for each in _read_in(case) | touched if _exposure(case, each).files < readers
        ),
    )


def _counted_in(case: Case, rule: rules.Rule) -> str | None:
    # After the merge nothing is counted any more.
    if case.merge_request.state == "merged" or not isinstance(
        rule, rules.Counting | rules.Following
    ):
        return None
    return case.policy.place_of(rule)


def _group(case: Case, group: str) -> Visibility:
    members = case.members(group)
    # Where nothing was read there is nothing to leave out.
    return Visibility.PUBLIC if isinstance(members, Unread) else members.visibility


def _read_in(case: Case) -> set[str]:
    files = step_files([case.policy])
    return {file.project for file in files if isinstance(case.evidence[file], bytes)}


def _exposure(case: Case, project: str) -> Exposure:
    found = case.evidence[ExposureOf(project)]
    # Where it is not known who may see it, nobody is told.
    private = Exposure(merge_requests=Visibility.PRIVATE, files=Visibility.PRIVATE)
    return found if isinstance(found, Exposure) else private


def conceal_finding(finding: Finding, concealed: Concealed) -> Finding:
    """Leave out what was counted where fewer people may see it; the numbers stay."""
    if finding.repository in concealed.repositories:
        return replace(finding, counted=(), near_misses=(), outcomes=None)
    if finding.outcomes and finding.repository in concealed.files:
        return replace(finding, outcomes=replace(finding.outcomes, folders=()))
    return finding


def conceal_step(step: Step, concealed: Concealed) -> Step:
    """Leave out names of a group, and what a file holds, where fewer people may see them."""
    check = step.follow_up.check
    if isinstance(check, rules.GroupMember) and check.group in concealed.groups:
        return replace(step, people=())
    if isinstance(check, rules.ListedIn) and check.project in concealed.files:
        reason = UNREADABLE if step.state is State.UNKNOWN else None
        return replace(step, reason=reason, edit=None, through=())
    return step


def conceal_names(
    names: Collection[str] | None, group: str, concealed: Concealed
) -> tuple[str, ...] | None:
    """Leave out the members of a group that fewer people may see."""
    if names is None:
        return None
    return () if group in concealed.groups else tuple(names)
