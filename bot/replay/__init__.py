"""The history of a nomination from GitLab's own records, and how long nominations take."""

from bot.replay.pace import Pace, measure_pace
from bot.replay.telling import tell
from bot.replay.tracing import trace
from bot.replay.values import Told, as_json, as_plain

__all__ = [
    "Pace",
    "Told",
    "as_json",
    "as_plain",
    "measure_pace",
    "tell",
    "trace",
]
