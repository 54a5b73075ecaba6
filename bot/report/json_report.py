"""Write an assessment out as JSON: the complete evidence, for people's own tools."""

from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from bot.assessment import Assessment, Finding, Step
from bot.report.links import list_urls
from bot.report.rendering import decide_gate
from bot.report.values import Findings
from bot.unread import Unread

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def as_json(findings: Findings, gitlab_url: str) -> dict[str, Json]:
    """Return everything that was found for a merge request of the GitLab at an address."""
    merge_request, held = findings.merge_request, findings.replay.held
    return {
        "project": merge_request.project,
        "iid": merge_request.iid,
        "head": merge_request.head_sha,
        "state": merge_request.state,
        # Nothing is gated once a merge request is merged or closed.
        "gate": decide_gate(findings).value if merge_request.state == "opened" else None,
        "nominations": [explain_assessment(each, gitlab_url) for each in findings.assessments],
        "remarks": _plain(findings.detection.remarks),
        "unread": _plain(findings.detection.unread),
        "unknown": list(findings.unknown),
        "held": tell_fields(held, "over", "orphaned", "place") if held else None,
    }


def explain_assessment(assessment: Assessment, gitlab_url: str) -> dict[str, Json]:
    """Return everything that was found for one nomination."""
    nomination = assessment.nomination
    return {
        "username": nomination.username,
        "project": nomination.project,
        "role": nomination.role,
        "from": list(nomination.before),
        "to": list(nomination.after),
        "path": nomination.path,
        "cautions": list(nomination.cautions),
        "policy": assessment.policy.label,
        "document": assessment.policy.document,
        "newer_policy": assessment.newer_policy.label if assessment.newer_policy else None,
        "ready": assessment.ready,
        "manager": _plain(assessment.manager),
        "maintainers": _plain(assessment.maintainers),
        "requirements": [
            _finding(each, nomination.username, gitlab_url) for each in assessment.findings
        ],
        "follow_ups": [_step(step) for step in assessment.steps],
    }


def _finding(finding: Finding, username: str, gitlab_url: str) -> dict[str, Json]:
    requirement = finding.requirement
    lists = list_urls(gitlab_url, finding, username)
    return {
        "id": requirement.id,
        "title": requirement.title,
        "kind": requirement.rule.kind,
        "blocking": requirement.blocking,
        "actor": requirement.actor,
        "help": requirement.help,
        **tell_fields(finding, "requirement"),
        "lists": [{"label": label, "url": url} for label, url in lists],
    }


def _step(step: Step) -> dict[str, Json]:
    offer = step.offer
    return {
        "id": step.follow_up.id,
        "title": step.follow_up.title,
        "actor": step.follow_up.actor,
        **tell_fields(step, "follow_up", "move", "offer"),
        "offer": {"url": offer.web_url, "state": offer.state} if offer else None,
    }


def tell_fields(value: Any, *left_out: str) -> dict[str, Json]:
    """Return the fields of a value, but for some, as JSON has them: times are texts."""
    names = [each.name for each in fields(value) if each.name not in left_out]
    return {name: _plain(getattr(value, name)) for name in names}


def _plain(value: object) -> Json:
    if isinstance(value, Unread):
        return {"unread": value.reason}
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if is_dataclass(value) and not isinstance(value, type):
        return tell_fields(value)
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)
