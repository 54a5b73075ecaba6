"""Judge the evidence by the policy; pure, and without a clock."""

from bot.assessment.assessing import Assessment as Assessment, assess as assess, conceal as conceal
from bot.assessment.authority import find_context as find_context
from bot.assessment.cases import assess_all as assess_all
from bot.assessment.findings import (
    Case as Case,
    Finding as Finding,
    Move as Move,
    State as State,
    Step as Step,
    Verdict as Verdict,
    Went as Went,
    current_maintainers as current_maintainers,
    how_they_went as how_they_went,
)
from bot.assessment.kinds import (
    KINDS as KINDS,
    ReviewOutcomes as ReviewOutcomes,
    RoleHeld as RoleHeld,
)
from bot.assessment.kinds.assigned import find_merging_manager as find_merging_manager
from bot.assessment.kinds.kind import kind_of as kind_of
