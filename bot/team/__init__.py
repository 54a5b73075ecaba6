"""Read one entry of the team database: who it is about, and which roles it gives."""

from bot.team.entry import Entry, may_name, parse_entry
from bot.team.files import (
    TEAM_FILES,
    concerns_entries,
    is_entry,
    is_team_file,
    lies_among_entries,
    may_concern_entries,
)
from bot.team.roles import RoleKey
from bot.team.spelling import (
    fold_key,
    holds_role,
    is_key_meant,
    is_role_meant,
    is_stage_meant,
    may_mention,
    responsibility,
    role_spellings,
)
from bot.team.tree import LIMITS, Items, Node, Pairs, Scalar, decode_text, parser_of, shown

__all__ = [
    "LIMITS",
    "TEAM_FILES",
    "Entry",
    "Items",
    "Node",
    "Pairs",
    "RoleKey",
    "Scalar",
    "concerns_entries",
    "decode_text",
    "fold_key",
    "holds_role",
    "is_entry",
    "is_key_meant",
    "is_role_meant",
    "is_stage_meant",
    "is_team_file",
    "lies_among_entries",
    "may_concern_entries",
    "may_mention",
    "may_name",
    "parse_entry",
    "parser_of",
    "responsibility",
    "role_spellings",
    "shown",
]
