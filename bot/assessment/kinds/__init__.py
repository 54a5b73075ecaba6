"""The kinds of requirement: a module each, and a row in this table."""

from bot.assessment.kinds.approved_by import ApprovedBy as ApprovedBy
from bot.assessment.kinds.assigned import Assigned as Assigned
from bot.assessment.kinds.attested import Attested as Attested
from bot.assessment.kinds.counting import (
    AuthoredMergeRequests as AuthoredMergeRequests,
    AuthoredOrReviewed as AuthoredOrReviewed,
    ReviewedMergeRequests as ReviewedMergeRequests,
)
from bot.assessment.kinds.kind import RequirementKind as RequirementKind
from bot.assessment.kinds.labelled import Labelled as Labelled
from bot.assessment.kinds.no_open_threads import NoOpenThreads as NoOpenThreads
from bot.assessment.kinds.open_for import OpenFor as OpenFor
from bot.assessment.kinds.review_outcomes import ReviewOutcomes as ReviewOutcomes
from bot.assessment.kinds.role_held import RoleHeld as RoleHeld

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
