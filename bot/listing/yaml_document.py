"""Parse YAML with positions, from PyYAML's events, so that nothing is built or expanded."""

import re
from typing import Any

import yaml

from bot.listing.document import (
    LONGEST_TEXT,
    Document,
    Kind,
    Limits,
    Node,
    UnreadableListing,
    broken,
    check_text,
)

# Without libyaml PyYAML is some thirty times slower.
_LONGEST_SLOW = LONGEST_TEXT // 20
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD = "tag:yaml.org,2002:"
# Also U+0085, U+2028 and U+2029: line breaks in YAML 1.1 but not in 1.2, they can hide a name.
# Written as what is forbidden: what is allowed takes Python ten times as long to compile.
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_RESOLVER: Any = yaml.resolver.Resolver()
_BLOCK_STYLES = frozenset({"|", ">"})
_END = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


def parse_yaml(text: str, *, loader: Any = _LOADER) -> Document:
    """Parse the one document of a YAML file; UnreadableListing when there are more, or none."""
    check_text(text, _LONGEST_SLOW if loader is yaml.SafeLoader else LONGEST_TEXT)
    if found := _FORBIDDEN.search(text):
        raise broken(text, found.start(), "a character that YAML forbids or reads as a line break")
    try:
        return _Reader(text, loader).document()
    except yaml.MarkedYAMLError as error:
        position = error.problem_mark.index if error.problem_mark else 0
        raise broken(text, position, f"not valid YAML, {error.problem}") from error
    except (ValueError, OverflowError) as error:  # absurd escapes, without libyaml
        raise UnreadableListing("the file is not valid YAML") from error


class _Reader:
    """Turn the events of one text into nodes; the depth limit keeps its recursion shallow."""

    def __init__(self, text: str, loader: Any) -> None:
        self._text = text
        self._events: Any = yaml.parse(text, Loader=loader)
        self._limits = Limits(text)
        self._finished: dict[str, Node] = {}
        self._aliased: set[str] = set()

    def document(self) -> Document:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise UnreadableListing("the file is empty")
        root = self._node(next(self._events), 1)
        next(self._events)
        following = next(self._events)
        if not isinstance(following, yaml.StreamEndEvent):
            raise broken(self._text, following.start_mark.index, "a second document starts")
        return Document(text=self._text, root=root, aliased=frozenset(self._aliased))

    def _node(self, event: Any, depth: int) -> Node:
        self._limits.admit(event.start_mark.index, depth)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        is_scalar = isinstance(event, yaml.ScalarEvent)
        node = self._scalar(event) if is_scalar else self._collection(event, depth)
        if node.anchor:
            self._finished[node.anchor] = node
        return node

    def _alias(self, event: Any) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        target = self._finished.get(event.anchor)
        if target is None:
            raise broken(self._text, start, "an alias without an anchor that is complete before it")
        self._aliased.add(event.anchor)
        return target._replace(start=start, end=end, anchor=event.anchor, alias=True)

    def _scalar(self, event: Any) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        if event.style in _BLOCK_STYLES:  # its mark is below the blank lines that follow it
            end = start + len(self._text[start:end].rstrip())
        return Node(
            kind=_scalar_kind(event),
            start=start,
            end=end,
            text=event.value,
            quote=event.style or "",
            anchor=event.anchor,
        )

    def _collection(self, event: Any, depth: int) -> Node:
        children: list[Node] = []
        while not isinstance(part := next(self._events), _END):
            children.append(self._node(part, depth + 1))
        kind: Kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
        ordinary = {None, "!", f"{_STANDARD}{'map' if kind == 'map' else 'seq'}"}
        return Node(
            kind=kind if event.tag in ordinary else "tagged",
            # The marks of a block reach from its anchor to the next word: not what is edited.
            start=event.end_mark.index - 1 if event.flow_style else event.start_mark.index,
            end=_end(part) if event.flow_style else children[-1].end,
            children=tuple(children),
            flow=bool(event.flow_style),
            anchor=event.anchor,
        )


def _end(event: Any) -> int:
    return int(event.end_mark.index)


def _scalar_kind(event: Any) -> Kind:
    tag = event.tag
    if tag is None and event.implicit[0]:
        tag = _RESOLVER.resolve(yaml.ScalarNode, event.value, (True, False))
    if tag in {None, "!", f"{_STANDARD}str", f"{_STANDARD}merge"}:
        return "text"
    if tag == f"{_STANDARD}null":
        return "null"
    return "plain" if event.tag is None else "tagged"
