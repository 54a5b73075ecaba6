"""The rules as data: who may become what, by which requirements, and what follows."""

from bot.policy.values import (
    CHECKS,
    ENTRY,
    MAINTAINERS,
    Check,
    Counting,
    Following,
    FollowUp,
    GroupMember,
    GroupRef,
    ListedIn,
    Manual,
    Notice,
    Policy,
    Requirement,
    Rule,
)
from bot.policy.versions import BrokenPolicy, newer_than, policy_in_force, wanted_roles

__all__ = [
    "CHECKS",
    "ENTRY",
    "MAINTAINERS",
    "BrokenPolicy",
    "Check",
    "Counting",
    "FollowUp",
    "Following",
    "GroupMember",
    "GroupRef",
    "ListedIn",
    "Manual",
    "Notice",
    "Policy",
    "Requirement",
    "Rule",
    "newer_than",
    "policy_in_force",
    "wanted_roles",
]
