"""The command line as people meet it: words, suggestions, completion, colour, progress."""

from bot.command_line.commands import SHELLS as SHELLS, wants_json as wants_json
from bot.command_line.completion import write_completion as write_completion
from bot.command_line.files import try_place as try_place, write_files as write_files
from bot.command_line.manner import (
    Manner as Manner,
    choose_manner as choose_manner,
    choose_width as choose_width,
)
from bot.command_line.parser import build_parser as build_parser
