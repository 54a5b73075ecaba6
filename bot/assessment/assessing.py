"""Judge evidence against a policy; pure, with the time as an argument."""

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from datetime import datetime

from bot.assessment.concealing import (
    Concealed,
    conceal_finding,
    conceal_names,
    conceal_step,
    find_concealed,
)
from bot.assessment.findings import Case, Finding, State, Step, Verdict
from bot.assessment.follow_ups import check_step
from bot.assessment.kinds.kind import kind_of
from bot.commands import Replay, Waiver
from bot.evidence import Manager, Members, Present, Work
from bot.nomination import Nomination
from bot.policy import Policy
from bot.unread import Unread
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The judgement on one nomination.

    After the merge, `present` is what became of it, and `left_open` what was open then.
    `reachable` are the accounts that a mention would reach, and `moved` is when somebody last
    moved the nomination on, if that is known.
    """

    nomination: Nomination
    policy: Policy
    newer_policy: Policy | None
    findings: tuple[Finding, ...]
    steps: tuple[Step, ...]
    maintainers: tuple[str, ...] | None
    manager: Manager | Unread
    present: Present | None = None
    left_open: tuple[Finding, ...] = ()
    concealed: Concealed = field(default_factory=Concealed)
    reachable: Mapping[str, str] = field(default_factory=dict)
    moved: datetime | None = None
    former_name: str | None = None

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """Return the blocking findings that keep the gate shut, first those people can meet."""
        blocking = [finding for finding in self.findings if finding.requirement.blocking]
        return tuple(
            f for v in (Verdict.UNMET, Verdict.UNKNOWN) for f in blocking if f.verdict is v
        )

    @property
    def ready(self) -> bool:
        """Return whether every blocking requirement is met or waived."""
        return not self.open_findings

    @property
    def is_gone(self) -> bool:
        """Return whether the entry does not give the role any more."""
        return self.present is not None and self.present.gone is not None

    @property
    def granted(self) -> tuple[Step, ...]:
        """Return the steps that gave the nominee something, each place once."""
        given = (step for step in self.steps if step.state is State.DONE)
        return tuple({step.place: step for step in given}.values())

    @property
    def done(self) -> bool:
        """Return whether every follow-up step that can be checked is done, or the role is gone."""
        return self.is_gone or all(step.state in (State.DONE, State.MANUAL) for step in self.steps)


def assess(case: Case, replay: Replay, newer_policy: Policy | None) -> Assessment:
    """Judge every requirement and every follow-up step of one nomination."""
    key = case.nomination.username.casefold()
    findings = []
    for requirement in case.policy.requirements:
        finding = kind_of(requirement).judge(case, requirement)
        waiver = replay.waivers.get((key, requirement.id))
        findings.append(_waive(finding, waiver) if waiver else finding)
    maintainers = case.maintainers()
    return Assessment(
        nomination=case.nomination,
        policy=case.policy,
        newer_policy=newer_policy,
        findings=tuple(findings),
        steps=tuple(check_step(case, step) for step in case.policy.follow_ups),
        maintainers=None if isinstance(maintainers, Unread) else maintainers,
        manager=case.evidence.manager,
        present=case.subject.present,
        concealed=find_concealed(case),
        reachable=_find_reachable(case),
        moved=_find_moved(case, replay),
        former_name=case.subject.former_name,
    )


def _find_reachable(case: Case) -> Mapping[str, str]:
    """Return the names of people's active accounts, as GitLab writes them, by case-folded name.

    A name that only a file holds is not among them. Where GitLab told two things of an account,
    as of one that was blocked meanwhile, it is not reachable.
    """
    told = list(_accounts(case))
    absent = {name.casefold() for name, is_there in told if not is_there}
    return {name.casefold(): name for name, _ in told if name.casefold() not in absent}


def _accounts(case: Case) -> Iterator[tuple[str, bool]]:
    merge_request, evidence = case.merge_request, case.evidence
    writers = [note.author for note in merge_request.notes]
    people = [*merge_request.assignees, *merge_request.reviewers, *merge_request.approved_by]
    works = evidence.work.values()
    workers = [work.account for work in works if isinstance(work, Work)]
    for person in (merge_request.author, *people, *writers, *workers):
        if person:
            yield person.username, person.active and not person.bot
    for group in evidence.facts.values():
        for member in (*group.direct, *group.owners) if isinstance(group, Members) else ():
            yield member.username, member.active and not member.bot


def _find_moved(case: Case, replay: Replay) -> datetime | None:
    merge_request = case.merge_request
    if merge_request.merged_at or case.moved is None:
        return merge_request.merged_at
    decided = replay.decided_at
    return max(merge_request.created_at, case.moved, decided or merge_request.created_at)


def _waive(finding: Finding, waiver: Waiver) -> Finding:
    if finding.verdict is Verdict.MET or finding.requirement.rule.evidence:
        return finding
    return replace(finding, verdict=Verdict.WAIVED, waiver=waiver, measured=finding.verdict)


def conceal(assessment: Assessment) -> Assessment:
    """Leave out what the readers of the merge request may not see."""
    hidden = assessment.concealed
    group = assessment.policy.maintainers.group
    return replace(
        assessment,
        findings=tuple(conceal_finding(each, hidden) for each in assessment.findings),
        steps=tuple(conceal_step(each, hidden) for each in assessment.steps),
        maintainers=conceal_names(assessment.maintainers, group, hidden),
    )
