"""Choose what goes when a username is taken out of a list."""

import re

from bot.listing.document import Document, Node
from bot.listing.layout import Splice
from bot.listing.reading import bare, fold

# Anything else between two names, such as a comment, belongs to one of them: people decide.
_COMMA = re.compile(r"\s*,\s*")
_DASH = re.compile(r"[ ]*-[ ]+")


def splices_without(document: Document, value: Node, username: str) -> list[Splice]:
    """Choose the change that takes out a username that is listed once; none if unsure."""
    items = value.children
    found = [at for at, item in enumerate(items) if fold(bare(item.text)) == fold(username)]
    if len(found) != 1:
        return []
    if not value.flow:
        return _line_of(document.text, items, found[0])
    if len(items) == 1:
        return [_only_one(document.text, value, items[0])]
    return _between_commas(document.text, items, found[0])


def _line_of(text: str, items: tuple[Node, ...], at: int) -> list[Splice]:
    """Take out the whole line, unless the list ends with it: what is left would be no list."""
    item = items[at]
    begin = text.rfind("\n", 0, item.start) + 1
    newline = text.find("\n", item.end)
    end = len(text) if newline < 0 else newline + 1
    alone = _DASH.fullmatch(text[begin : item.start]) and not text[item.end : end].strip()
    return [Splice(start=begin, end=end, text="")] if alone and len(items) > 1 else []


def _only_one(text: str, value: Node, item: Node) -> Splice:
    """Take out the only name, with the blanks and the comma around it if nothing else is there."""
    start, end = value.start + 1, value.end - 1
    alone = not (text[start : item.start] + text[item.end : end]).strip(" \t\r\n,")
    return (
        Splice(start=start, end=end, text="")
        if alone
        else Splice(start=item.start, end=item.end, text="")
    )


def _between_commas(text: str, items: tuple[Node, ...], at: int) -> list[Splice]:
    """Take out a name with the comma after it, or before it where it is the last."""
    last = at == len(items) - 1
    one, other = (items[at - 1], items[at]) if last else (items[at], items[at + 1])
    if not _COMMA.fullmatch(text[one.end : other.start]):
        return []
    start, end = (one.end, other.end) if last else (one.start, other.start)
    return [Splice(start=start, end=end, text="")]
