"""Find the nominations of a merge request, wherever policies keep their entries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bot.nomination.remarks import NO_MERGE_BASE
from bot.nomination.search import find_nominations
from bot.nomination.values import Change, Detection, Remark
from bot.team import RoleKey

NOTHING = Detection(nominations=(), remarks=(), unread=())
NO_BASE = replace(
    NOTHING,
    unread=(Remark(path="", message=NO_MERGE_BASE, near_miss=False, is_authors=True),),
)


def find_by_place(
    changes: Sequence[Change], wanted: Mapping[str, Collection[RoleKey]]
) -> Detection:
    """Find who gains which of the roles that are wanted, by the place of their entries."""
    found = [find_nominations(changes, roles, glob) for glob, roles in wanted.items()]
    return Detection(
        nominations=tuple(n for d in found for n in d.nominations),
        remarks=tuple(dict.fromkeys(r for d in found for r in d.remarks)),
        unread=tuple(dict.fromkeys(u for d in found for u in d.unread)),
        at_stake=any(d.at_stake for d in found),
        named=any(d.named for d in found),
        beside=any(d.beside for d in found),
    )
