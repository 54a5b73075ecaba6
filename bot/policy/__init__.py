"""The rules as data: who may become what, by which requirements, and what follows."""

from bot.policy.follow_ups import (
    CHECKS as CHECKS,
    ENTRY as ENTRY,
    Check as Check,
    FollowUp as FollowUp,
    GroupMember as GroupMember,
    ListedIn as ListedIn,
    Manual as Manual,
)
from bot.policy.values import (
    MAINTAINERS as MAINTAINERS,
    Counting as Counting,
    Following as Following,
    Notice as Notice,
    Policy as Policy,
    Requirement as Requirement,
    Rule as Rule,
)
from bot.policy.versions import (
    BrokenPolicy as BrokenPolicy,
    newer_than as newer_than,
    policy_in_force as policy_in_force,
    wanted_roles as wanted_roles,
)
from bot.policy.words import (
    ID as ID,
    LEVELS as LEVELS,
    LINE as LINE,
    ROLE as ROLE,
    URL as URL,
)
