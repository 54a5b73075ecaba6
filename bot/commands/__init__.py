"""Say what the comments of a merge request ask of the bot, and who may ask it."""

from bot.commands.replaying import replay as replay
from bot.commands.skimming import (
    decides as decides,
    find_stating as find_stating,
    is_asked as is_asked,
    takes_waivers_back as takes_waivers_back,
    wants_push_time as wants_push_time,
)
from bot.commands.text import NOTHING as NOTHING, read_comments as read_comments
from bot.commands.values import (
    Answer as Answer,
    Context as Context,
    Hold as Hold,
    Outcome as Outcome,
    Replay as Replay,
    Scope as Scope,
    Waiver as Waiver,
)
from bot.commands.verbs import check_word as check_word, help_table as help_table
