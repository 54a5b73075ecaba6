"""Where entry, groups and files disagree about who has a role, and the edit that mends it."""

from bot.drift.comparing import Entries, compare
from bot.drift.finding import GitLab, find_drift, read_entries
from bot.drift.places import names_told, place_needs
from bot.drift.telling import tell
from bot.drift.values import Drift, as_json, publish

__all__ = [
    "Drift",
    "Entries",
    "GitLab",
    "as_json",
    "compare",
    "find_drift",
    "names_told",
    "place_needs",
    "publish",
    "read_entries",
    "tell",
]
