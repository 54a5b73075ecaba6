"""The kinds of requirement: a module each, and a row in this table."""

from bot.assessment.kinds.approved_by import ApprovedBy
from bot.assessment.kinds.assigned import Assigned
from bot.assessment.kinds.attested import Attested
from bot.assessment.kinds.counting import (
    AuthoredMergeRequests,
    AuthoredOrReviewed,
    ReviewedMergeRequests,
)
from bot.assessment.kinds.kind import RequirementKind
from bot.assessment.kinds.labelled import Labelled
from bot.assessment.kinds.no_open_threads import NoOpenThreads
from bot.assessment.kinds.open_for import OpenFor
from bot.assessment.kinds.review_outcomes import ReviewOutcomes
from bot.assessment.kinds.role_held import RoleHeld

# In the order of the reference.
KINDS: tuple[type[RequirementKind], ...] = (
    AuthoredMergeRequests,
    ReviewedMergeRequests,
    AuthoredOrReviewed,
    Attested,
    Assigned,
    ApprovedBy,
    OpenFor,
    RoleHeld,
    Labelled,
    NoOpenThreads,
    ReviewOutcomes,
)

__all__ = [
    "KINDS",
    "ApprovedBy",
    "Assigned",
    "Attested",
    "AuthoredMergeRequests",
    "AuthoredOrReviewed",
    "Labelled",
    "NoOpenThreads",
    "OpenFor",
    "RequirementKind",
    "ReviewOutcomes",
    "ReviewedMergeRequests",
    "RoleHeld",
]
