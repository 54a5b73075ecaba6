"""Make GitLab equal the report."""

from bot.publish.gate import (
    COMMIT_STATES as COMMIT_STATES,
    GateChoice as GateChoice,
    GateKind as GateKind,
    concerns_gate as concerns_gate,
    gate_needs as gate_needs,
    is_judged as is_judged,
    may_be_awaited as may_be_awaited,
    past_needs as past_needs,
    was_open as was_open,
)
from bot.publish.last_word import (
    SLOW as SLOW,
    Gatekeeper as Gatekeeper,
    shut_gate as shut_gate,
)
from bot.publish.offering import (
    Offerer as Offerer,
    Work as Work,
    do_step as do_step,
    tell_move as tell_move,
)
from bot.publish.plan import (
    Plan as Plan,
    Problem as Problem,
    find_own_notes as find_own_notes,
)
from bot.publish.planning import is_over as is_over, plan_writes as plan_writes
from bot.publish.writer import HeadMovedError as HeadMovedError
from bot.publish.writing import apply_plan as apply_plan
