"""Which policies are asked for, and what more of evidence."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot import policy as rules
from bot.assessment import ReviewOutcomes
from bot.errors import ConfigError
from bot.policy import Policy


def choose_policies(
    policies: Sequence[Policy], wanted: str | None, today: datetime
) -> list[Policy]:
    """Return the policies in force today, or the one that is asked for by id.

    Raises ConfigError when there is none of that id.
    """
    keys = dict.fromkeys((p.project, p.role) for p in policies if wanted in {None, p.id})
    if not keys:
        known = ", ".join(sorted({policy.id for policy in policies}))
        raise ConfigError(f"There is no policy {wanted!r}; there are: {known}.")
    return [rules.policy_in_force(policies, *key, today.date()) for key in keys]


def with_outcomes(policy: Policy, *, afterwards: bool = False) -> Policy:
    """Return a policy that tells how all went that it counts, whether it asks for that or not.

    Only with `afterwards` it does so after the merge of a nomination, too.
    """
    asked = [each.rule for each in policy.requirements]
    told = {policy.place_of(rule) for rule in asked if isinstance(rule, rules.Following)}
    counted = {policy.place_of(rule) for rule in asked if isinstance(rule, rules.Counting)}
    more = tuple(
        rules.Requirement(
            id=f"{ReviewOutcomes.kind}_{number}",
            title=f"How the merge requests in {place} went",
            blocking=False,
            actor="anyone",
            help="It is evidence and asks for nothing.",
            rule=ReviewOutcomes(repository=place),
        )
        for number, place in enumerate(sorted(counted - told))
    )
    every = (
        replace(each, rule=replace(each.rule, afterwards=afterwards))
        if isinstance(each.rule, ReviewOutcomes)
        else each
        for each in (*policy.requirements, *more)
    )
    return replace(policy, requirements=tuple(every))
