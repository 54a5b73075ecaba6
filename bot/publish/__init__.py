"""Make GitLab equal the report."""

from bot.publish.gate import (
    COMMIT_STATES,
    GateChoice,
    GateKind,
    gate_needs,
    has_posted,
    is_gate_unread,
    past_needs,
    plan_gate,
    was_open,
)
from bot.publish.last_word import SLOW, shut_gate
from bot.publish.plan import Plan, find_own_notes, plan_emoji, plan_note, plan_stale_emoji
from bot.publish.writing import HeadMovedError, Writer, apply_plan

__all__ = [
    "COMMIT_STATES",
    "SLOW",
    "GateChoice",
    "GateKind",
    "HeadMovedError",
    "Plan",
    "Writer",
    "apply_plan",
    "find_own_notes",
    "gate_needs",
    "has_posted",
    "is_gate_unread",
    "past_needs",
    "plan_emoji",
    "plan_gate",
    "plan_note",
    "plan_stale_emoji",
    "shut_gate",
    "was_open",
]
