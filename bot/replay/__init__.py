"""The history of a nomination from GitLab's own records, and how long nominations take."""

from bot.replay.pace import Pace, measure_pace
from bot.replay.telling import tell
from bot.replay.tracing import trace
from bot.replay.values import Event, History, Milestone, Told, Waiting, as_json

__all__ = [
    "Event",
    "History",
    "Milestone",
    "Pace",
    "Told",
    "Waiting",
    "as_json",
    "measure_pace",
    "tell",
    "trace",
]
