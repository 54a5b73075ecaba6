"""Judge the evidence by the policy; pure, and without a clock."""

from bot.assessment.assessing import Assessment, assess, conceal
from bot.assessment.authority import find_context
from bot.assessment.cases import assess_all
from bot.assessment.findings import (
    Case,
    Finding,
    Move,
    Outcome,
    Outcomes,
    State,
    Step,
    Verdict,
    Went,
    current_maintainers,
    how_they_went,
)
from bot.assessment.kinds import KINDS, ReviewOutcomes, RoleHeld
from bot.assessment.kinds.assigned import find_merging_manager
from bot.assessment.kinds.attested import TOPIC
from bot.assessment.kinds.kind import kind_of

__all__ = [
    "KINDS",
    "TOPIC",
    "Assessment",
    "Case",
    "Finding",
    "Move",
    "Outcome",
    "Outcomes",
    "ReviewOutcomes",
    "RoleHeld",
    "State",
    "Step",
    "Verdict",
    "Went",
    "assess",
    "assess_all",
    "conceal",
    "current_maintainers",
    "find_context",
    "find_merging_manager",
    "how_they_went",
    "kind_of",
]
