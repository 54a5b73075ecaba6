"""Read one entry of the team database: who it is about, and which roles it gives."""

from bot.team.entry import Entry as Entry, parse_entry as parse_entry
from bot.team.files import (
    TEAM_FILES as TEAM_FILES,
    concerns_entries as concerns_entries,
    is_entry as is_entry,
    is_team_file as is_team_file,
    lies_among_entries as lies_among_entries,
    may_concern_entries as may_concern_entries,
    rules_entries as rules_entries,
)
from bot.team.roles import RoleKey as RoleKey
from bot.team.spelling import (
    fold_key as fold_key,
    holds_role as holds_role,
    is_key_meant as is_key_meant,
    is_role_meant as is_role_meant,
    is_stage_meant as is_stage_meant,
    may_mention as may_mention,
    may_name as may_name,
    responsibility as responsibility,
    role_spellings as role_spellings,
)
from bot.team.text import (
    NOT_PRINTABLE as NOT_PRINTABLE,
    decode_text as decode_text,
    shown as shown,
)
from bot.team.tree import (
    LIMITS as LIMITS,
    Items as Items,
    Node as Node,
    Pairs as Pairs,
    Scalar as Scalar,
    parser_of as parser_of,
)
