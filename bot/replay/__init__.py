"""The history of a nomination from GitLab's own records, and how long nominations take."""

from bot.replay.pace import Pace as Pace, measure_pace as measure_pace
from bot.replay.telling import tell as tell
from bot.replay.tracing import trace as trace
from bot.replay.values import Told as Told, as_json as as_json, as_plain as as_plain
