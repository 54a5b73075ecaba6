"""What must hold of the detection for any two states of a file, whatever is in them."""

import contextlib
import time

from bot.errors import TeamDatabaseError
from bot.nomination.search import find_nominations
from bot.nomination.values import Change, Detection
from bot.team import RoleKey
from bot.team.tree import PURE_LIMITS, parse_tree
from bot.unread import Content, Unread

SEPARATOR = b"\n=====\n"
MAX_SECONDS = 1.0  # of processor time
WANTED = (RoleKey(project="ai-gateway", role="maintainer"),)
PATHS = ("data/team_members/person/a/ada.yml", "data/team.yml")


def check(raw: bytes) -> None:
    """Fail when two states of a file, parted by a line, crash, stall or confuse the detection."""
    base, _, head = raw.rpartition(SEPARATOR)
    start = time.process_time()
    for path in PATHS:
        _check_answer(path, base or None, head)
    with contextlib.suppress(TeamDatabaseError):
        parse_tree(head, "x", limits=PURE_LIMITS, pure=True)
    assert time.process_time() - start < MAX_SECONDS


def _check_answer(path: str, base: bytes | None, head: bytes) -> None:
    found = _find(path, base, head)
    assert all(remark.message.isprintable() for remark in found.remarks + found.unread)
    assert all(each.username.strip() for each in found.nominations)
    assert _find(path, head, head).nominations == ()
    assert _find(path, Unread(reason="x"), head).nominations == ()
    undone = {each.username for each in _find(path, head, base or b"").nominations}
    assert not undone & {each.username for each in found.nominations}


def _find(path: str, base: Content, head: bytes) -> Detection:
    return find_nominations([Change(path=path, base=base, head=head, target=base)], WANTED)
