"""Propose the smallest edit that puts a username into a list, or takes it out."""

import re
from collections.abc import Iterator
from itertools import zip_longest

from bot.listing.document import Document, Node, UnreadableListing
from bot.listing.draft import Draft
from bot.listing.layout import DASH, Splice
from bot.listing.reading import (
    Listing,
    assess_target,
    bare,
    fold,
    is_listed,
    parse_document,
    split_bom,
)
from bot.listing.selection import ListingSpec, Target, find_target
from bot.listing.unified import unified_diff

_LONGEST_DIFF = 20_000
_USERNAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}")
# Anything else between two names, such as a comment, belongs to one of them: people decide.
_COMMA = re.compile(r"\s*,\s*")

_Reading = tuple[Document, Target, Listing]


def propose_edit(text: str, spec: ListingSpec, username: str, path: str) -> str | None:
    """Render the edit as a unified diff, or `None` when no safe one exists or none is needed."""
    return _as_diff(text, add_name(text, spec, username), path)


def propose_removal(text: str, spec: ListingSpec, username: str, path: str) -> str | None:
    """Render the edit that takes a username out, or `None` when no safe one exists or is needed."""
    return _as_diff(text, _edited(text, spec, username, listed=False), path)


def add_name(text: str, spec: ListingSpec, username: str) -> str | None:
    """Return the text with the smallest edit, or `None` when no safe one exists or is needed."""
    return _edited(text, spec, username, listed=True)


def _as_diff(text: str, edited: str | None, path: str) -> str | None:
    diff = unified_diff(text, edited, path) if edited else None
    return diff if diff and len(diff) <= _LONGEST_DIFF else None


def _edited(text: str, spec: ListingSpec, username: str, *, listed: bool) -> str | None:
    """Return the text in which a username is `listed`, or is not any more."""
    name = bare(username)
    if not _USERNAME.fullmatch(name):
        return None
    bom, body = split_bom(text)
    try:
        edited = _proven(body, spec, name, listed=listed)
    except UnreadableListing:
        return None
    return bom + edited if edited else None


def _proven(text: str, spec: ListingSpec, username: str, *, listed: bool) -> str | None:
    """Make the edit, then prove by reading it back that it is about the username and only that."""
    before = document, target, listing = _read(text, spec)
    if target.shared or is_listed(listing, username) == listed:
        return None
    if listed or target.value is None:  # none where the list is still to be made
        splices = Draft(document, target, spec).splices(username)
    else:
        splices = _splices_without(document, target.value, username)
    edited = _spliced(text, splices)
    after = _read(edited, spec)
    if is_listed(after[2], username) != listed or not _is_same_otherwise(before, after, username):
        return None
    return edited


def _others(listing: Listing, username: str) -> tuple[str, ...]:
    return tuple(name for name in listing.names if fold(name) != fold(username))


def _is_same_otherwise(before: _Reading, after: _Reading, username: str) -> bool:
    """Return whether all but a username is as it was, the groups in the one list, too."""
    names, others = (_others(reading[2], username) for reading in (before, after))
    pairs = zip_longest(_outline(*before[:2]), _outline(*after[:2]))
    same_list = names == others and before[2].groups == after[2].groups
    return same_list and all(old == new for old, new in pairs)


def _read(text: str, spec: ListingSpec) -> _Reading:
    document = parse_document(text, spec)
    target = find_target(document, spec)
    return document, target, assess_target(document, target, spec)


def _spliced(text: str, splices: list[Splice]) -> str:
    parts, done = [], 0
    for splice in splices:
        parts += [text[done : splice.start], splice.text]
        done = splice.end
    return "".join([*parts, text[done:]])


def _outline(document: Document, target: Target) -> Iterator[tuple[object, ...]]:
    """Go through all of a file but the one list; the order and the counts give its structure."""
    waiting = [document.root]
    while waiting:
        node = waiting.pop()
        children = [] if node.alias else _children(node, target)
        yield node.kind, node.text, node.anchor, node.alias, len(children)
        waiting += reversed(children)


def _children(node: Node, target: Target) -> list[Node]:
    if node is not target.holder:
        return list(node.children)
    return [part for pair in node.pairs if pair[1] is not target.value for part in pair]


def _splices_without(document: Document, value: Node, username: str) -> list[Splice]:
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
    alone = DASH.fullmatch(text[begin : item.start]) and not text[item.end : end].strip()
    return [Splice(start=begin, end=end, text="")] if alone and len(items) > 1 else []


def _only_one(text: str, value: Node, item: Node) -> Splice:
    """Take out the only name, with the blanks and the comma around it if nothing else is there."""
    start, end = value.start + 1, value.end - 1
    if (text[start : item.start] + text[item.end : end]).strip(" \t\r\n,"):
        start, end = item.start, item.end
    return Splice(start=start, end=end, text="")


def _between_commas(text: str, items: tuple[Node, ...], at: int) -> list[Splice]:
    """Take out a name with the comma after it, or before it where it is the last."""
    last = at == len(items) - 1
    one, other = (items[at - 1], items[at]) if last else (items[at], items[at + 1])
    if not _COMMA.fullmatch(text[one.end : other.start]):
        return []
    start, end = (one.end, other.end) if last else (one.start, other.start)
    return [Splice(start=start, end=end, text="")]
