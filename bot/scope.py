"""The settings that decide whether an event matters at all.

Apart from the other settings because every event, relevant or not, needs them.
"""

from __future__ import annotations

from bot.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "NOMINATION_BOT_"
# All settings without the prefix; what each means stands in `config`.
NAMES = (
    "TOKEN", "GITLAB_URL", "TEAM_PROJECT", "POLICIES", "GATE", "COMMAND", "STATUS_NAME",
    "TEMPLATES", "FORMER_IDS", "DEADLINE", "PROJECT", "ADMIN_TOKEN",
    "OBSERVE", "ARTIFACTS", "CONTACT", "ISSUE",
)  # fmt: skip
DEFAULT_TEAM_PROJECT = "gitlab-com/www-gitlab-com"
DEFAULT_WORD = "nomination"
# Where the shipped policy has its entries. Those of an operator's own are not known before they
# are read, so that every file may be one.
DEFAULT_ENTRIES = "data/team_members/person/"
# Types of comments that can be resolved (GitLab, app/models/discussion_note.rb, diff_note.rb): an
# operator's own policy may ask that no such concern is open; the one in force otherwise does not.
IN_THREADS = ("DiffNote", "DiscussionNote")


def parse_scope(environment: Mapping[str, str]) -> tuple[str, str, tuple[str, ...], str]:
    """Read the team database's project, the command's word, and what else matters.

    That are comments of some types, and pushes to a folder.

    Raises ConfigError for a setting that does not exist: if a misspelt one were passed over, its
    default would count, and the wrong project be looked at for ever.
    """
    unknown = sorted(name for name in environment if _is_unknown(name))
    if unknown:
        raise ConfigError("\n".join(map(_say_unknown, unknown)))
    own = environment.get("NOMINATION_BOT_POLICIES", "").strip()
    return (
        environment.get("NOMINATION_BOT_TEAM_PROJECT", "").strip() or DEFAULT_TEAM_PROJECT,
        (environment.get("NOMINATION_BOT_COMMAND", "").strip() or DEFAULT_WORD).removeprefix("/"),
        IN_THREADS if own else (),
        "" if own else DEFAULT_ENTRIES,
    )


def _is_unknown(name: str) -> bool:
    if not name.upper().startswith(PREFIX):
        return False
    return not name.startswith(PREFIX) or name[len(PREFIX) :] not in NAMES


def _say_unknown(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  only mistakes need it

    meant = get_close_matches(name[len(PREFIX) :].upper(), NAMES, n=1, cutoff=0.0)
    return f"{name} is no setting: did you mean {PREFIX}{meant[0]}?"
