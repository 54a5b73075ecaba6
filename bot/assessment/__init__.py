"""Judge the evidence by the policy; pure, and without a clock."""

from bot.assessment.assessing import Assessment, assess, conceal
from bot.assessment.authority import find_context
from bot.assessment.cases import assess_all
from bot.assessment.findings import (
    Case,
    Finding,
    Move,
    State,
    Step,
    Verdict,
    current_maintainers,
)

__all__ = [
    "Assessment",
    "Case",
    "Finding",
    "Move",
    "State",
    "Step",
    "Verdict",
    "assess",
    "assess_all",
    "conceal",
    "current_maintainers",
    "find_context",
]
