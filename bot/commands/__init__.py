"""Say what the comments of a merge request ask of the bot, and who may ask it."""

from bot.commands.replaying import replay
from bot.commands.skimming import (
    decides,
    find_stating,
    is_asked,
    takes_waivers_back,
    wants_push_time,
)
from bot.commands.text import NOTHING, check_word, help_table, read_comments
from bot.commands.values import Answer, Context, Hold, Outcome, Replay, Scope, Waiver

__all__ = [
    "NOTHING",
    "Answer",
    "Context",
    "Hold",
    "Outcome",
    "Replay",
    "Scope",
    "Waiver",
    "check_word",
    "decides",
    "find_stating",
    "help_table",
    "is_asked",
    "read_comments",
    "replay",
    "takes_waivers_back",
    "wants_push_time",
]
