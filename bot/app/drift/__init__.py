"""Where entry, groups and files disagree about who has a role, and the edit that mends it."""

from bot.app.drift.comparing import compare as compare
from bot.app.drift.finding import (
    find_drift as find_drift,
    read_entries as read_entries,
)
from bot.app.drift.places import names_told as names_told, place_needs as place_needs
from bot.app.drift.roll import Entries as Entries
from bot.app.drift.telling import tell as tell
from bot.app.drift.values import Drift as Drift, as_json as as_json, publish as publish
