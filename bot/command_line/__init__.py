"""The command line as people meet it: words, suggestions, completion, colour, progress."""

from bot.command_line.completion import SHELLS, write_completion
from bot.command_line.manner import Manner, choose_manner, choose_width
from bot.command_line.parser import build_parser, wants_json

__all__ = [
    "SHELLS",
    "Manner",
    "build_parser",
    "choose_manner",
    "choose_width",
    "wants_json",
    "write_completion",
]
