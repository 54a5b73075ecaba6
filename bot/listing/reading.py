"""Say who stands in a list of usernames."""

from dataclasses import dataclass

from bot.listing.document import Document, Node, UnreadableListing, check_text
from bot.listing.json_document import parse_json
from bot.listing.selection import ListingSpec, Target, find_target, find_value
from bot.listing.yaml_document import parse_yaml

_GROUPS = "groups"
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
    """Tell whether exactly this username, in any case, is in the list."""
    wanted = fold(username)
    return bool(wanted) and any(fold(name) == wanted for name in listing.names)


def fold(name: str) -> str:
    """Bring a username into the form that is compared.

    GitLab's usernames are ASCII, so nothing else may turn into one of its letters.
    """
    name = bare(name)
    return name.lower() if name.isascii() else name


def bare(name: str) -> str:
    """Take the `@` off a username."""
    return name.removeprefix("@")


def split_bom(text: str) -> tuple[str, str]:
    """Part a byte order mark from the text that follows it."""
    return (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)


def parse_document(text: str, spec: ListingSpec) -> Document:
    """Parse a text in the format of a specification; UnreadableListing when it is broken."""
    _, body = split_bom(text)
    check_text(body)
    if spec.format == "yaml":
        return parse_yaml(body)
    return parse_json(body, json5=spec.format == "json5")


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
    return [bare(item.text) for item in value.children], _oddities(document, value, key)


def _oddities(document: Document, value: Node, key: str) -> list[str]:
    remarks = []
    seen: dict[str, Node] = {}
    for item in value.children:
        where = f"item of `{key}` at {document.place(item)}"
        if item.kind == "plain":
            remarks.append(f"the {where} has no quotes, so that YAML does not read it as text")
        if item.text != item.text.strip():
            remarks.append(f"the {where} has blanks around it, so that it is nobody's username")
        if fold(item.text) in seen:
            first = document.place(seen[fold(item.text)])
            remarks.append(f"the {where} repeats the one at {first}")
        seen.setdefault(fold(item.text), item)
    return remarks


def _granted(document: Document, entry: Node) -> tuple[list[str], list[str]]:
    """Read the groups that have access beside the list; what is odd there is only remarked on."""
    try:
        groups, _ = _names(document, find_value(document, entry, _GROUPS)[0], _GROUPS)
    except UnreadableListing as error:
        return [], [str(error)]
    return groups, []
