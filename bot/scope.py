"""The two settings that decide whether an event matters at all.

Apart from the other settings because every event, relevant or not, needs them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_TEAM_PROJECT = "gitlab-com/www-gitlab-com"
DEFAULT_WORD = "nomination"


def parse_scope(environment: Mapping[str, str]) -> tuple[str, str]:
    """Read the team database's project and the command's word."""
    return (
        environment.get("NOMINATION_BOT_TEAM_PROJECT", "").strip() or DEFAULT_TEAM_PROJECT,
        (environment.get("NOMINATION_BOT_COMMAND", "").strip() or DEFAULT_WORD).removeprefix("/"),
    )
