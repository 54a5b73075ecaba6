"""Read the nodes of an entry as they are written, each with its place in the text."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from bot.team import parser_of, shown

_KINDS: Mapping[type, str] = {
    yaml.AliasEvent: "alias",
    yaml.ScalarEvent: "scalar",
    yaml.SequenceStartEvent: "list",
    yaml.MappingStartEvent: "mapping",
}


@dataclass(slots=True, kw_only=True)
class Node:
    """A node as written, with its place in the text."""

    kind: str
    text: str
    odd: str
    line: int
    start: int
    end: int
    children: list["Node"] = field(default_factory=list)

    @property
    def pairs(self) -> list[tuple["Node", "Node"]]:
        """List the keys and values of a mapping."""
        own = self.children if self.kind == "mapping" else []
        return list(zip(own[::2], own[1::2], strict=True))

    def below(self) -> Iterator["Node"]:
        """Visit this node and all that are inside it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)


class Written(NamedTuple):
    """The first document of a text, its anchored nodes by name, and where it ends."""

    root: Node | None
    anchors: Mapping[str, list[Node]]
    end: int


def read_written(text: str) -> Written:
    """Read the first document of a text that can be parsed."""
    parser = parser_of(text)
    root: Node | None = None
    # A name may be given again, and readers differ in when that counts: take it for any.
    anchors: dict[str, list[Node]] = defaultdict(list)
    frames: list[Node] = []
    event: Any = parser.get_event()
    while not isinstance(event, (yaml.DocumentEndEvent, yaml.StreamEndEvent)):
        if isinstance(event, yaml.CollectionEndEvent):
            frames.pop().end = _end(event)
        elif isinstance(event, yaml.NodeEvent):
            node = _read_node(event)
            if event.anchor is not None and node.kind != "alias":
                anchors[event.anchor].append(node)
            if frames:
                frames[-1].children.append(node)
            root = root or node
            if isinstance(event, yaml.CollectionStartEvent):
                frames.append(node)
        event = parser.get_event()
    return Written(root, anchors, _end(event))


def _read_node(event: Any) -> Node:
    kind, tag = _KINDS[type(event)], getattr(event, "tag", None)
    odd = f"the tag {shown(tag)}" if tag else ""
    if event.anchor is not None and not odd:
        name = shown(event.anchor)
        odd = f"the alias {name}" if kind == "alias" else f"the anchor {name}"
    return Node(
        kind=kind,
        text=event.anchor if kind == "alias" else str(getattr(event, "value", "")),
        odd=odd,
        line=event.start_mark.line + 1,
        start=event.start_mark.index,
        end=_end(event),
    )


def _end(event: Any) -> int:
    return int(event.end_mark.index)
