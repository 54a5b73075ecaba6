"""How to speak: quietly or at length, with colour and progress only to a person at a terminal."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from bot.inert import log_line

COLOURS = {"ok": "32", "wrong": "31", "cannot tell": "33"}
WIDTH = 96
CLEAR = "\r\x1b[K"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """What may be printed, and where to."""

    err: TextIO
    quiet: bool = False
    colour: bool = False
    lively: bool = False

    def paint(self, word: str, width: int = 0) -> str:
        """Return a word in its colour where colour is wanted, filled up to a width."""
        code = COLOURS.get(word) if self.colour else None
        filled = f"{word:{width}}"
        return f"\x1b[{code}m{filled}\x1b[0m" if code else filled

    def show(self, text: str) -> None:
        """Say over the last such line what goes on to a person who waits at a terminal."""
        if self.lively:
            print(f"{CLEAR}{log_line(text)[:79]}", end="", file=self.err, flush=True)

    def end(self) -> None:
        """Take the last line of what goes on away."""
        if self.lively:
            print(CLEAR, end="", file=self.err, flush=True)


def choose_manner(
    environment: Mapping[str, str], out: TextIO, err: TextIO, *, quiet: bool
) -> Manner:
    """Choose by what the streams are and what the environment says; https://no-color.org."""
    plain = bool(environment.get("NO_COLOR")) or environment.get("TERM") == "dumb"
    return Manner(
        err=err,
        quiet=quiet,
        colour=out.isatty() and not plain,
        lively=err.isatty() and environment.get("TERM") != "dumb" and not quiet,
    )


def choose_width(environment: Mapping[str, str]) -> int:
    """Return how wide a told story may be: as `COLUMNS` says, else the terminal, else `WIDTH`."""
    given = environment.get("COLUMNS", "")
    if given.isascii() and given.isdecimal() and int(given) > 0:
        return int(given)
    return shutil.get_terminal_size((WIDTH, 0)).columns
