"""The history of a nomination from GitLab's own records, and how long nominations take."""

from bot.app.replay.pace import Pace as Pace, measure_pace as measure_pace
from bot.app.replay.telling import tell as tell
from bot.app.replay.tracing import trace as trace
from bot.app.replay.values import Told as Told, as_json as as_json
