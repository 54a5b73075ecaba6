"""Propose the smallest edit that puts a username into a list."""

import re
from collections.abc import Iterator
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
from bot.listing.selection import ListingSpec, Target, find_target
from bot.listing.unified import unified_diff

_LONGEST_DIFF = 20_000
_USERNAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}")


def propose_edit(text: str, spec: ListingSpec, username: str, path: str) -> str | None:
    """Render the edit as a unified diff, or `None` when no safe one exists or none is needed."""
    edited = add_name(text, spec, username)
    diff = unified_diff(text, edited, path) if edited else None
    return diff if diff and len(diff) <= _LONGEST_DIFF else None


def add_name(text: str, spec: ListingSpec, username: str) -> str | None:
    """Return the text with the smallest edit, or `None` when no safe one exists or is needed."""
    name = bare(username)
    if not _USERNAME.fullmatch(name):
        return None
    bom, body = split_bom(text)
    try:
        edited = _edited(body, spec, name)
    except UnreadableListing:
        return None
    return bom + edited if edited else None


def _edited(text: str, spec: ListingSpec, username: str) -> str | None:
    """Make the edit, then prove by reading it back that it adds the username and only that."""
    document, target, listing = _read(text, spec)
    if target.shared or is_listed(listing, username):
        return None
    edited = _spliced(text, Draft(document, target, spec).splices(username))
    after, new_target, new_listing = _read(edited, spec)
    others = tuple(name for name in new_listing.names if fold(name) != fold(username))
    if not is_listed(new_listing, username) or others != listing.names:
        return None
    rest = zip_longest(_outline(document, target), _outline(after, new_target))
    return edited if all(old == new for old, new in rest) else None


def _read(text: str, spec: ListingSpec) -> tuple[Document, Target, Listing]:
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
        children = [] if node.alias else _others(node, target)
        yield node.kind, node.text, node.anchor, node.alias, len(children)
        waiting += reversed(children)


def _others(node: Node, target: Target) -> list[Node]:
    if node is not target.holder:
        return list(node.children)
    return [part for pair in node.pairs if pair[1] is not target.value for part in pair]
