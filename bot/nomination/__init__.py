"""Say who gains which role by a change of the team database."""

from bot.nomination.checkouts import as_json, run_detect
from bot.nomination.origin import is_same_person
from bot.nomination.places import NO_BASE, NOTHING, find_by_place
from bot.nomination.search import find_nominations
from bot.nomination.values import Change, Detection, Nomination, Remark

__all__ = [
    "NOTHING",
    "NO_BASE",
    "Change",
    "Detection",
    "Nomination",
    "Remark",
    "as_json",
    "find_by_place",
    "find_nominations",
    "is_same_person",
    "run_detect",
]
