"""Say who may give commands: what replaying the comments takes of the evidence."""

from collections.abc import Mapping, Sequence

from bot.assessment.findings import current_maintainers, inactive_maintainers
from bot.assessment.kinds import Attested
from bot.commands import Context, Scope
from bot.evidence import (
    Evidence,
    Fact,
    Manager,
    Members,
    MembersOf,
    Need,
    Subject,
    evidence_key,
    pushed_at,
)
from bot.merge_request import MergeRequest


def find_context(
    merge_request: MergeRequest,
    subjects: Sequence[Subject],
    evidence: Mapping[str, Evidence],
    known: Mapping[Need, Fact],
) -> Context:
    """Return what commands are judged by, so far as evidence and merge request tell of it."""
    return Context(
        nominations=tuple(_scope(s, evidence[evidence_key(s)]) for s in subjects),
        nominator=merge_request.author.username if merge_request.author else None,
        me=merge_request.me.username,
        pushed_at=pushed_at(merge_request, known),
        merged_at=merge_request.merged_at,
    )


def _scope(subject: Subject, evidence: Evidence) -> Scope:
    policy = subject.policy
    members = evidence[MembersOf(policy.maintainers.group)]
    known = current_maintainers(policy, members) if isinstance(members, Members) else None
    manager = evidence.manager
    return Scope(
        username=subject.nomination.username,
        policy_id=policy.id,
        requirement_ids=tuple(requirement.id for requirement in policy.requirements),
        topic_ids=tuple(
            topic.id
            for requirement in policy.requirements
            if isinstance(requirement.rule, Attested)
            for topic in requirement.rule.topics
        ),
        maintainers=None if known is None else frozenset(m.casefold() for m in known),
        inactive=inactive_maintainers(policy, members)
        if isinstance(members, Members)
        else frozenset(),
        manager=manager.username if isinstance(manager, Manager) else None,
        manager_known=isinstance(manager, Manager),
        former_name=subject.former_name,
    )
