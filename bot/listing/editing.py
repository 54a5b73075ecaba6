"""Propose the smallest edit that puts a username into a list, or takes it out."""

import re
from collections.abc import Callable, Iterator
from itertools import zip_longest

from bot.listing.document import Document, Node, UnreadableListing
from bot.listing.draft import Draft
from bot.listing.layout import Splice
from bot.listing.reading import (
    Listing,
    assess_target,
    bare,
    fold,
    is_listed,
    parse_document,
    split_bom,
)
from bot.listing.removal import splices_without
from bot.listing.selection import ListingSpec, Target, find_target
from bot.listing.unified import unified_diff

_LONGEST_DIFF = 20_000
_USERNAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}")

_Reading = tuple[Document, Target, Listing]
_Change = Callable[[str, ListingSpec, str], str | None]


def propose_edit(text: str, spec: ListingSpec, username: str, path: str) -> str | None:
    """Render the edit as a unified diff, or `None` when no safe one exists or none is needed."""
    return _as_diff(text, add_name(text, spec, username), path)


def propose_removal(text: str, spec: ListingSpec, username: str, path: str) -> str | None:
    """Render the edit that takes a username out, or `None` when no safe one exists or is needed."""
    return _as_diff(text, _change(text, spec, username, _removed), path)


def add_name(text: str, spec: ListingSpec, username: str) -> str | None:
    """Return the text with the smallest edit, or `None` when no safe one exists or is needed."""
    return _change(text, spec, username, _added)


def _as_diff(text: str, edited: str | None, path: str) -> str | None:
    diff = unified_diff(text, edited, path) if edited else None
    return diff if diff and len(diff) <= _LONGEST_DIFF else None


def _change(text: str, spec: ListingSpec, username: str, change: _Change) -> str | None:
    name = bare(username)
    if not _USERNAME.fullmatch(name):
        return None
    bom, body = split_bom(text)
    try:
        edited = change(body, spec, name)
    except UnreadableListing:
        return None
    return bom + edited if edited else None


def _added(text: str, spec: ListingSpec, username: str) -> str | None:
    """Make the edit, then prove by reading it back that it adds the username and only that."""
    document, target, listing = _read(text, spec)
    if target.shared or is_listed(listing, username):
        return None
    edited = _spliced(text, Draft(document, target, spec).splices(username))
    after = _read(edited, spec)
    if not is_listed(after[2], username) or _others(after[2], username) != listing.names:
        return None
    return edited if _is_same_otherwise((document, target, listing), after) else None


def _removed(text: str, spec: ListingSpec, username: str) -> str | None:
    """Make the edit, then prove by reading it back that it takes out the username and only that."""
    before = document, target, listing = _read(text, spec)
    if target.shared or target.value is None or not is_listed(listing, username):
        return None
    edited = _spliced(text, splices_without(document, target.value, username))
    after = _read(edited, spec)
    if after[2].names != _others(listing, username):
        return None
    return edited if _is_same_otherwise(before, after) else None


def _others(listing: Listing, username: str) -> tuple[str, ...]:
    return tuple(name for name in listing.names if fold(name) != fold(username))


def _is_same_otherwise(before: _Reading, after: _Reading) -> bool:
    """Return whether all is as it was but for the one list, and the groups in it."""
    pairs = zip_longest(_outline(*before[:2]), _outline(*after[:2]))
    return before[2].groups == after[2].groups and all(old == new for old, new in pairs)


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
