"""Make GitLab equal the report."""

from bot.publish.gate import (
    COMMIT_STATES,
    GateChoice,
    GateKind,
    concerns_gate,
    gate_needs,
    is_judged,
    may_be_awaited,
    past_needs,
    was_open,
)
from bot.publish.last_word import SLOW, shut_gate
from bot.publish.offering import Offerer, Work, do_step, tell_move
from bot.publish.plan import Plan, find_own_notes
from bot.publish.planning import is_over, plan_writes
from bot.publish.writing import HeadMovedError, Writer, apply_plan

__all__ = [
    "COMMIT_STATES",
    "SLOW",
    "GateChoice",
    "GateKind",
    "HeadMovedError",
    "Offerer",
    "Plan",
    "Work",
    "Writer",
    "apply_plan",
    "concerns_gate",
    "do_step",
    "find_own_notes",
    "gate_needs",
    "is_judged",
    "is_over",
    "may_be_awaited",
    "past_needs",
    "plan_writes",
    "shut_gate",
    "tell_move",
    "was_open",
]
