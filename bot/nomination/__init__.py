"""Say who gains which role by a change of the team database."""

from bot.nomination.checkouts import as_json, run_detect
from bot.nomination.origin import is_same_person
from bot.nomination.remarks import no_merge_base
from bot.nomination.search import find_nominations
from bot.nomination.values import Change, Detection, Nomination, Remark

__all__ = [
    "Change",
    "Detection",
    "Nomination",
    "Remark",
    "as_json",
    "find_nominations",
    "is_same_person",
    "no_merge_base",
    "run_detect",
]
