"""Say who gains which role by a change of the team database."""

from bot.nomination.checkouts import as_json, run_detect
from bot.nomination.origin import Change, Content, Unread, is_same_person
from bot.nomination.remarks import no_merge_base
from bot.nomination.search import find_nominations
from bot.nomination.values import Detection, Nomination, Remark, RoleKey

__all__ = [
    "Change",
    "Content",
    "Detection",
    "Nomination",
    "Remark",
    "RoleKey",
    "Unread",
    "as_json",
    "find_nominations",
    "is_same_person",
    "no_merge_base",
    "run_detect",
]
