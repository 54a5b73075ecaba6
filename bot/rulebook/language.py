"""The policy language: what the parser, the JSON Schema and the reference have in common."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot import policy as say
from bot.assessment import KINDS
from bot.policy.grammar import (
    Contradiction,
    Draft,
    ListOf,
    Record,
    Schema,
    Variant,
    keys_of,
    tabulate,
)

RULES = tabulate(*KINDS)
CHECKS = tabulate(*say.CHECKS)
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _requirement(*, enforcement: bool, **values: Any) -> say.Requirement:
    return say.Requirement(blocking=enforcement, **values)


REQUIREMENT = Variant(slot="rule", kinds=RULES, build=_requirement, common=keys_of(say.Requirement))
FOLLOW_UP = Variant(slot="check", kinds=CHECKS, build=say.FollowUp, common=keys_of(say.FollowUp))
NOTICE = Record(
    about="A sentence of the process that everybody should see.",
    build=say.Notice,
    fields=keys_of(say.Notice),
)


def _check_policy(values: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Find requirements that cannot be meant, and topics that one word would attest twice."""
    yield from _find_idle_reminders(values)
    yield from _find_own_stage(values)
    yield from _find_shared_topics(values)
    yield from _find_demanding_evidence(values)
    yield from _find_evidence_of_nothing(values)


def _find_idle_reminders(values: Mapping[str, Any]) -> Iterator[Contradiction]:
    if values.get("remind_after") is not None and not values.get("notify"):
        yield Contradiction(
            at=("remind_after",),
            what="`remind_after` repeats a mention, and there is none",
            found=f"remind_after: {values['remind_after']}",
            expected="notify: next-actor, too",
        )


def _rules_of(values: Mapping[str, Any], kind: type) -> Iterator[tuple[int, Draft, Draft]]:
    """Yield each requirement whose rule could be read and is of a kind: number, whole, rule."""
    for number, draft in enumerate(values.get("requirements", ())):
        rule = draft.values.get("rule") if draft is not None else None
        if rule is not None and issubclass(rule.build, kind):
            yield number, draft, rule


def _find_own_stage(values: Mapping[str, Any]) -> Iterator[Contradiction]:
    role = values.get("role")
    for number, _, rule in _rules_of(values, say.Rule):
        for key in ("since_role", "role"):
            if role is not None and rule.values.get(key) == role:
                name = f"requirements[{number}].{key}"
                yield Contradiction(
                    at=("requirements", number, key),
                    what=f"`{name}` asks for the role that the policy is about",
                    found=role,
                    expected="the role of an earlier stage",
                )


def _find_demanding_evidence(values: Mapping[str, Any]) -> Iterator[Contradiction]:
    for number, draft, _ in _rules_of(values, say.Following):
        if draft.values.get("enforcement"):
            yield Contradiction(
                at=("requirements", number, "enforcement"),
                what=f"`requirements[{number}]` shows evidence and asks for nothing",
                found="enforcement: blocking",
                expected="enforcement: advisory",
            )


def _find_evidence_of_nothing(values: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Find each rule that tells of merge requests in a project where none are counted."""
    counted = {_repository_of(values, rule) for _, _, rule in _rules_of(values, say.Counting)}
    for number, _, rule in _rules_of(values, say.Following):
        place = _repository_of(values, rule)
        if place and place not in counted:
            yield Contradiction(
                at=("requirements", number, "kind"),
                what=f"`requirements[{number}]` tells of merge requests that nothing counts",
                found=f"no requirement that counts in {place}",
                expected="one that counts there",
            )


def _repository_of(values: Mapping[str, Any], rule: Draft) -> Any:
    return rule.values.get("repository") or values.get("repository")


def _find_shared_topics(values: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Find each topic that an earlier requirement has; each list looks for its own doubles."""
    firsts: dict[str, tuple[int, Draft]] = {}
    for number, _, rule in _rules_of(values, say.Rule):
        for position, topic in enumerate(rule.values.get("topics", ())):
            if topic is None or "id" not in topic.values:
                continue
            owner, first = firsts.setdefault(topic.values["id"], (number, topic))
            if owner != number:
                yield Contradiction(
                    at=("requirements", number, "topics", position, "id"),
                    what=f"`requirements[{number}]` repeats a topic of `requirements[{owner}]`",
                    found=f"{topic.values['id']}, first in line {first.find_place('id').line}",
                    expected="another id",
                )


POLICY = Record(
    about="What a project asks of a nominee for one role.",
    build=dict,
    check=_check_policy,
    fields=keys_of(
        say.Policy,
        requirements=ListOf(item=REQUIREMENT, distinct="id"),
        follow_ups=ListOf(item=FOLLOW_UP, distinct="id"),
        notices=ListOf(item=NOTICE),
    ),
)


def policy_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a policy file."""
    return {"$schema": DIALECT, "title": "Policy of the nomination bot"} | POLICY.schema()
