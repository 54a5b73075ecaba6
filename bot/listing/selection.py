"""Find the one list in a parsed file that a specification points at."""

from collections.abc import Iterator
from typing import Literal

from bot.listing.document import Document, Node, UnreadableListing, broken
from bot.values import dataclass

_SCALARS = frozenset({"text", "plain", "value"})
_MOST_MERGED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySelector:
    """The item of the top-level list `list` whose `key` is exactly `value`."""

    list: str
    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingSpec:
    """Where a list stands in a file: under `key` of an entry, or of the file itself."""

    format: Literal["json", "json5", "yaml"]
    entry: EntrySelector | None
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The list in its file; `value` is `None` where `holder` has no such key.

    `shared` is true when YAML may use the same value in more than one place.
    """

    holder: Node
    value: Node | None
    shared: bool


def find_target(document: Document, spec: ListingSpec) -> Target:
    """Find the list without guessing between two; UnreadableListing."""
    root = holder = document.root
    path: list[tuple[Node, Node]] = []
    if holder.kind != "map":
        raise UnreadableListing("the file does not hold keys with values at its top level")
    if spec.entry:
        entries = _entries(document, spec.entry)
        holder = _entry(document, entries, spec.entry)
        path += [(root, entries), (entries, holder)]
    value = find_value(document, holder, spec.key)
    path += [(holder, value)] if value else []
    shared = root.anchor in document.aliased or any(_is_shared(document, *step) for step in path)
    return Target(holder=holder, value=value, shared=shared)


def find_value(document: Document, holder: Node, key: str) -> Node | None:
    """Find the value of a key, also one that YAML merges in; UnreadableListing for two."""
    found = (
        _sole(document, _values(source, key), f"`{key}`") for source in _sources(document, holder)
    )
    return next(filter(None, found), None)


def _is_shared(document: Document, holder: Node, node: Node) -> bool:
    is_own = any(child is node for child in holder.children)
    return node.anchor in document.aliased or not is_own


def _entries(document: Document, selector: EntrySelector) -> Node:
    found = find_value(document, document.root, selector.list)
    if found is None:
        raise UnreadableListing(f"there is no `{selector.list}`")
    if found.kind != "list":
        raise UnreadableListing(f"`{selector.list}` is not a list ({document.place(found)})")
    return found


def _entry(document: Document, entries: Node, selector: EntrySelector) -> Node:
    wanted = f"entry of `{selector.list}` whose `{selector.key}` is `{selector.value}`"
    chosen = [item for item in entries.children if _is_selected(document, item, selector)]
    found = _sole(document, chosen, f"the {wanted}")
    if found is None:
        raise UnreadableListing(f"there is no {wanted}")
    return found


def _is_selected(document: Document, item: Node, selector: EntrySelector) -> bool:
    if item.kind != "map":
        return False
    values = _values(item, selector.key)
    if not values:
        merged = find_value(document, item, selector.key)
        values = [merged] if merged else []
    selected = any(value.kind in _SCALARS and value.text == selector.value for value in values)
    return selected and bool(_sole(document, values, f"`{selector.key}`"))


def _values(holder: Node, key: str) -> list[Node]:
    return [value for name, value in holder.pairs if name.text == key and not name.children]


def _sole(document: Document, found: list[Node], wanted: str) -> Node | None:
    if len(found) > 1:
        places = " and ".join(document.place(node) for node in found[:3])
        raise UnreadableListing(f"{wanted} is there {len(found)} times ({places})")
    return found[0] if found else None


def _sources(document: Document, holder: Node) -> Iterator[Node]:
    """Go through a map and those that YAML merges into it, in order of precedence."""
    waiting, seen = [holder], set[int]()
    while waiting:
        source = waiting.pop()
        if source.kind != "map":
            raise UnreadableListing(f"a merge of what is not a map ({document.place(source)})")
        if id(source.children) not in seen:
            seen.add(id(source.children))
            yield source
            waiting += reversed(_merged(document, source))
        if len(seen) + len(waiting) > _MOST_MERGED:
            raise broken(document.text, holder.start, f"a merge of more than {_MOST_MERGED} maps")


def _merged(document: Document, source: Node) -> tuple[Node, ...]:
    merges = [value for name, value in source.pairs if name.text == "<<" and not name.quote]
    merge = _sole(document, merges, "`<<`")
    if merge is None:
        return ()
    return merge.children if merge.kind == "list" else (merge,)
