"""Judge the evidence by the policy; pure, and without a clock."""

from bot.assessment.assessing import Assessment, assess, conceal
from bot.assessment.at_merge import as_of, find_open
from bot.assessment.findings import (
    Case,
    Finding,
    State,
    Step,
    Verdict,
    current_maintainers,
    inactive_maintainers,
)

__all__ = [
    "Assessment",
    "Case",
    "Finding",
    "State",
    "Step",
    "Verdict",
    "as_of",
    "assess",
    "conceal",
    "current_maintainers",
    "find_open",
    "inactive_maintainers",
]
