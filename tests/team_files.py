"""Builders of team entries and change sets."""

from collections.abc import Sequence
from types import EllipsisType

from bot.nomination.search import find_nominations
from bot.nomination.values import Change, Detection
from bot.team import RoleKey
from bot.unread import Content

PERSON = "data/team_members/person"
ADA = f"{PERSON}/a/ada.yml"
BEA = f"{PERSON}/b/bea.yml"
MAINTAINER = RoleKey(project="ai-gateway", role="maintainer")


def make_entry(username: str = "ada", role: str | None = None, more: str = "") -> str:
    """Write an entry; `role` is YAML for what stands behind the key of the AI Gateway."""
    lines = [f"gitlab: {username}", "reports_to: boss", "projects:", "  gitlab: reviewer"]
    lines += [] if role is None else [f"  ai-gateway: {role}"]
    return "\n".join(lines) + "\n" + more


def make_content(text: str | Content) -> Content:
    """Encode a text; other content is itself."""
    return text.encode() if isinstance(text, str) else text


def make_change(
    base: str | Content,
    head: str | Content,
    path: str = ADA,
    *,
    old_path: str | None = None,
    target: str | Content | EllipsisType = ...,
) -> Change:
    """Make a change from texts; the target branch has not moved on unless it is said."""
    return Change(
        path=path,
        old_path=old_path,
        base=make_content(base),
        head=make_content(head),
        target=make_content(base if isinstance(target, EllipsisType) else target),
    )


def find(*changes: Change, wanted: Sequence[RoleKey] = (MAINTAINER,)) -> Detection:
    """Look for nominations of a maintainer of the AI Gateway."""
    return find_nominations(changes, wanted)


def gains(detection: Detection) -> list[tuple[str, str, str, tuple[str, ...], tuple[str, ...]]]:
    """List username, project, role, before and after of each nomination."""
    return [(n.username, n.project, n.role, n.before, n.after) for n in detection.nominations]


def messages(detection: Detection) -> str:
    """Join all remarks and what could not be read."""
    return "\n".join(remark.message for remark in detection.remarks + detection.unread)
