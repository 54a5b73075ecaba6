"""Say who stands in a list of usernames."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from bot.listing.document import Document, Node, UnreadableListing, check_text
from bot.listing.json_document import parse_json
from bot.listing.selection import ListingSpec, Target, find_target, find_value
from bot.listing.yaml_document import parse_yaml
from bot.values import dataclass

_GROUPS = "groups"
_MOST_REMARKS = 5
_BOM = "\ufeff"
_NOT_NAMES = {
    "map": "a map",
    "list": "a list of its own",
    "value": "not a text",
    "null": "empty",
    "tagged": "a value with a tag of its own",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a list says: usernames without `@` and groups, in the file's order, and oddities."""

    names: tuple[str, ...]
    groups: tuple[str, ...]
    remarks: tuple[str, ...]


def read_listing(text: str, spec: ListingSpec, where: str) -> Listing:
    """Read the list that a specification points at; UnreadableListing says `where` and why."""
    try:
        document = parse_document(text, spec)
        return assess_target(document, find_target(document, spec), spec)
    except UnreadableListing as error:
        raise UnreadableListing(f"{where}: {error}") from error


def is_listed(listing: Listing, username: str) -> bool:
    """Return whether exactly this username, in any case, is in the list."""
    wanted = fold(bare(username))
    return bool(wanted) and any(fold(name) == wanted for name in listing.names)


def fold(name: str) -> str:
    """Bring a username into the form that is compared.

    GitLab's usernames are ASCII, so nothing else may turn into one of its letters.
    """
    return name.lower() if name.isascii() else name


def bare(name: str) -> str:
    """Take the `@` off a username."""
    return name.removeprefix("@")


def split_bom(text: str) -> tuple[str, str]:
    """Part a byte order mark from the text that follows it."""
    return (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)


def parse_document(text: str, spec: ListingSpec) -> Document:
    """Parse a text in the format of a specification; UnreadableListing when it is broken."""
    return _parsed(split_bom(text)[1], spec.format)


@lru_cache(maxsize=4)  # the edit of a file reads it again
def _parsed(text: str, form: str) -> Document:
    check_text(text)
    return parse_yaml(text) if form == "yaml" else parse_json(text, json5=form == "json5")


def assess_target(document: Document, target: Target, spec: ListingSpec) -> Listing:
    """Say what the list holds; UnreadableListing when it holds anything but names."""
    names, remarks = _names(document, target.value, spec.key)
    groups = [name for name in names if "/" in name]
    if spec.entry:
        granted, trouble = _granted(document, target.holder)
        groups += granted
        remarks += trouble
    people = tuple(name for name in names if "/" not in name)
    return Listing(names=people, groups=tuple(groups), remarks=tuple(remarks))


def _names(document: Document, value: Node | None, key: str) -> tuple[list[str], list[str]]:
    if value is None:
        return [], [f"there is no `{key}`"]
    where = document.place(value)
    if value.kind == "null":
        return [], [f"`{key}` is empty ({where})"]
    if value.kind != "list":
        raise UnreadableListing(f"`{key}` is not a list ({where})")
    for number, item in enumerate(value.children, 1):
        if item.kind in _NOT_NAMES:
            place, found = document.place(item), _NOT_NAMES[item.kind]
            raise UnreadableListing(f"item {number} of `{key}` is {found} ({place})")
    if value.children and all(item.kind == "plain" for item in value.children):
        raise UnreadableListing(f"`{key}` holds no text, only numbers or the like ({where})")
    remarks = list(islice(_oddities(document, value, key), _MOST_REMARKS))
    return [bare(item.text) for item in value.children], remarks


def _oddities(document: Document, value: Node, key: str) -> Iterator[str]:
    seen: dict[str, Node] = {}
    for item in value.children:
        name = fold(bare(item.text))
        if item.kind == "plain":
            yield f"`{key}` has a name that YAML reads as no text ({document.place(item)})"
        if item.text != item.text.strip():
            yield f"`{key}` has a name with blanks around it ({document.place(item)})"
        if name in seen:
            places = f"{document.place(seen[name])} and {document.place(item)}"
            yield f"`{key}` has the same name twice ({places})"
        seen.setdefault(name, item)


def _granted(document: Document, entry: Node) -> tuple[list[str], list[str]]:
    """Read the groups that have access beside the list; what is odd there is only remarked on."""
    try:
        groups, _ = _names(document, find_value(document, entry, _GROUPS), _GROUPS)
    except UnreadableListing as error:
        return [], [str(error)]
    return groups, []
