"""Read YAML strictly into nodes that know their place; nothing is expanded, guessed or executed."""

from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Any

import yaml

from bot.team import NOT_PRINTABLE
from bot.values import dataclass

MAX_CHARACTERS = 65_536
MAX_DEPTH = 10


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A line and a column, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A single value; `meaning` is what YAML makes of it, `text` what was written."""

    place: Place
    text: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A list."""

    place: Place
    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Keys with values; a key written twice is here once, as first written."""

    place: Place
    entries: "dict[str, tuple[Place, Node]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A value that was reported already and has no meaning."""

    place: Place


Node = Scalar | Sequence | Mapping | Refused
Report = Callable[[Place, str, str, str], None]


@dataclass(slots=True, kw_only=True)
class _Open:
    """A list or mapping whose end was not seen yet."""

    place: Place
    children: list[Node] = field(default_factory=list)


def parse_yaml(text: str, report: Report, *, pure: bool = False) -> Node | None:
    """Return the one document of a text, or `None` where nothing can be made of it.

    Each mistake goes to `report` as place, what is wrong, what was found, what is expected.
    With `pure` the fast parser is left aside even where it is installed.
    """
    start = Place(line=1, column=1)
    if len(text) > MAX_CHARACTERS:
        report(start, "too long", f"{len(text)} characters", f"{MAX_CHARACTERS} at most")
        return None
    forbidden = NOT_PRINTABLE.search(text)
    if forbidden:
        place = _place_of(text, forbidden.start())
        report(place, "not YAML", f"the character {forbidden.group()!a}", "printable text")
        return None
    loader = yaml.SafeLoader if pure or not yaml.__with_libyaml__ else yaml.CSafeLoader
    try:
        return _compose(yaml.parse(text, Loader=loader), report)
    except yaml.YAMLError as error:
        _report_syntax(error, report)
    except (ValueError, OverflowError):
        # The pure parser lets int() and chr() fail on absurd versions and escapes.
        report(start, "not YAML", "characters or numbers that do not exist", "YAML")
    return None


def _report_syntax(error: yaml.YAMLError, report: Report) -> None:
    mark = getattr(error, "problem_mark", None)
    place = _after(mark) if mark else Place(line=1, column=1)
    problem = getattr(error, "problem", None) or "something unreadable"
    report(place, "not YAML", _shown(problem), "YAML")


def _compose(events: Iterator[yaml.Event], report: Report) -> Node | None:
    """Build nodes without recursion, so that depth is ours to limit."""
    root: Node | None = None
    stack: list[_Open] = []
    for event in events:
        if _is_too_much(event, root, len(stack), report):
            return None
        if isinstance(event, yaml.CollectionStartEvent):
            _report_extras(event, report)
            stack.append(_Open(place=_place(event)))
            continue
        node = _finished(event, stack, report)
        if node is not None and stack:
            stack[-1].children.append(node)
        elif node is not None:
            root = node
    if root is None:
        report(Place(line=1, column=1), "empty", "no document", "one document")
    return root


def _is_too_much(event: yaml.Event, root: Node | None, depth: int, report: Report) -> bool:
    """Report a second document, or a list or mapping inside too many others."""
    if isinstance(event, yaml.DocumentStartEvent) and root is not None:
        report(_place(event), "a second document", "`---`", "one document")
        return True
    if depth == MAX_DEPTH and isinstance(event, yaml.CollectionStartEvent):
        report(_place(event), "too deep", f"{MAX_DEPTH + 1} levels", f"{MAX_DEPTH} at most")
        return True
    return False


def _finished(event: yaml.Event, stack: list[_Open], report: Report) -> Node | None:
    if isinstance(event, yaml.AliasEvent):
        report(_place(event), "an alias", _shown(f"*{event.anchor}"), "the value written out")
        return Refused(place=_place(event))
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event, report)
    if isinstance(event, yaml.SequenceEndEvent):
        return Sequence(place=stack[-1].place, items=tuple(stack.pop().children))
    if isinstance(event, yaml.MappingEndEvent):
        return _mapping(stack.pop(), report)
    return None


def _scalar(event: yaml.ScalarEvent, report: Report) -> Node:
    """Return a single value, told apart from a number or a switch as YAML 1.1 does."""
    place = _place(event)
    if _report_extras(event, report):
        return Refused(place=place)
    text = str(event.value)
    return Scalar(place=place, text=text, meaning="text" if event.style else _meaning(text))


def _meaning(text: str) -> str:
    """Return what YAML 1.1 makes of a plain scalar: text, int, bool, null, float, timestamp."""
    resolvers = yaml.SafeLoader.yaml_implicit_resolvers.get(text[:1], [])
    tags = (tag for tag, pattern in resolvers if pattern.match(text))
    return str(next(tags, "text")).rpartition(":")[2]


def _mapping(opened: _Open, report: Report) -> Mapping:
    """Pair keys with values; keys that are not text or come twice are reported."""
    entries: dict[str, tuple[Place, Node]] = {}
    for key, value in zip(opened.children[::2], opened.children[1::2], strict=True):
        if not isinstance(key, Scalar):
            report(key.place, "a key that is not a word", "a list, mapping or alias", "a word")
        elif key.text in entries:
            found = f"{_shown(key.text)}, first in line {entries[key.text][0].line}"
            report(key.place, "a repeated key", found, "it once")
        else:
            entries[key.text] = (key.place, value)
    return Mapping(place=opened.place, entries=entries)


def _report_extras(event: Any, report: Report) -> bool:
    """Report the anchor and the tag of a node; true where its meaning is lost by that."""
    if event.anchor is not None:
        report(_place(event), "an anchor", _shown(f"&{event.anchor}"), "the value alone")
    if event.tag is not None:
        report(_place(event), "a tag", _shown(event.tag), "the value alone")
    return event.tag is not None


def _shown(text: str) -> str:
    return ascii(text[:60])


def _place_of(text: str, position: int) -> Place:
    before = text[:position]
    return Place(line=before.count("\n") + 1, column=position - before.rfind("\n"))


def _place(event: yaml.Event) -> Place:
    return _after(event.start_mark)


def _after(mark: Any) -> Place:
    """Return the place of a parser's mark, which counts from 0."""
    return Place(line=mark.line + 1, column=mark.column + 1)
