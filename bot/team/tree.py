"""Read hostile YAML into a tree in which every scalar keeps the text its author wrote.

Nothing is resolved, constructed or executed: only parser events are used, so `on` stays `on` and a
language tag is a reason to refuse. Size, nesting, node count and merge work are limited.
"""

from typing import Any, NamedTuple, TypeAlias

import yaml

from bot.errors import TeamDatabaseError
from bot.team.slips import line_of_slip
from bot.team.text import decode_text, shown

MAX_DEPTH = 32
_MAX_TRAILING_EVENTS = 100  # so much behind the first document is taken for content
_CORE_TAGS = frozenset(
    "tag:yaml.org,2002:" + name
    for name in ("str", "seq", "map", "null", "bool", "int", "float", "timestamp")
) | {"!"}


class Scalar(NamedTuple):
    """A text; `plain` when it is neither quoted, nor a block, nor tagged."""

    text: str
    plain: bool


class Items(NamedTuple):
    """A list of nodes."""

    nodes: tuple["Node", ...]


class Pairs(NamedTuple):
    """A mapping as written: repeated, merge and non-text keys included."""

    nodes: tuple[tuple["Node", "Node"], ...]


Node: TypeAlias = Scalar | Items | Pairs


class Tree(NamedTuple):
    """The first document, `None` when there is none, and whether others follow it."""

    root: Node | None
    more_documents: bool


class Limits(NamedTuple):
    """The largest file that is read, in bytes and in nodes (aliases counted)."""

    size: int
    nodes: int


FAST_LIMITS = Limits(size=1 << 20, nodes=10_000)
PURE_LIMITS = Limits(size=1 << 15, nodes=2_000)  # without libyaml parsing is thirty times slower
LIMITS = FAST_LIMITS if yaml.__with_libyaml__ else PURE_LIMITS


def parse_tree(raw: bytes, where: str, *, limits: Limits = LIMITS, pure: bool = False) -> Tree:
    """Parse the first YAML document of a file.

    Raises TeamDatabaseError for whatever is malformed, too large, or only there to do harm.
    """
    if len(raw) > limits.size:
        raise TeamDatabaseError(
            f"{where} has more than the {limits.size:,} bytes that are read: shorten it."
        )
    text = decode_text(raw, where)
    builder = _Builder(where, limits.nodes)
    try:
        return builder.read(parser_of(text, pure=pure))
    except yaml.MarkedYAMLError as error:
        line = line_of_slip(error, text)
        raise builder.refusal(f"is not valid YAML ({error.problem})", line) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The pure parser lets int() and chr() fail on absurd versions and escapes.
        raise builder.refusal(f"is not valid YAML ({shown(str(error))})", None) from None


def parser_of(text: str, *, pure: bool = False) -> Any:
    """Return a parser of events, the fast one where it is installed."""
    is_fast = yaml.__with_libyaml__ and not pure
    return yaml.CSafeLoader(text) if is_fast else yaml.SafeLoader(text)


class _Frame(NamedTuple):
    kind: type[Items] | type[Pairs]
    anchor: str | None
    children: list[Node]


class _Builder:
    """Build nodes from events, without recursion."""

    def __init__(self, where: str, max_nodes: int) -> None:
        self._where = where
        self._left = self._max = max_nodes
        self._anchors: dict[str, Node] = {}
        self._frames: list[_Frame] = []
        self._root: Node | None = None

    def refusal(self, problem: str, line: int | None) -> TeamDatabaseError:
        place = self._where if line is None else f"{self._where}, line {line},"
        return TeamDatabaseError(f"{place} {problem}: correct it and push again.")

    def read(self, parser: Any) -> Tree:
        take = {
            yaml.ScalarEvent: self._take_scalar,
            yaml.AliasEvent: self._take_alias,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceEndEvent: self._close,
            yaml.MappingEndEvent: self._close,
        }
        event = parser.get_event()
        while not isinstance(event, (yaml.DocumentEndEvent, yaml.StreamEndEvent)):
            step = take.get(type(event))
            if step is not None:
                step(event)
            event = parser.get_event()
        return Tree(self._root, self._has_more(parser, event))

    @staticmethod
    def _has_more(parser: Any, event: Any) -> bool:
        """Return whether a document with content follows; a closing `---` alone does not."""
        for _ in range(_MAX_TRAILING_EVENTS):
            if isinstance(event, yaml.StreamEndEvent):
                return False
            event = parser.get_event()
            if isinstance(event, yaml.NodeEvent) and getattr(event, "value", None) != "":
                return True
        return True

    def _take_scalar(self, event: Any) -> None:
        self._check(event, event.tag)
        plain = event.implicit[0] and event.tag is None
        self._place(Scalar(event.value, plain), event.anchor)

    def _take_alias(self, event: Any) -> None:
        self._check(event, None)
        if event.anchor not in self._anchors:
            name = shown(event.anchor)
            raise self._refusal_at(event, f"uses the alias {name} before its anchor is complete")
        self._place(self._anchors[event.anchor], None)

    def _check(self, event: Any, tag: str | None) -> None:
        self._left -= 1
        if self._left < 0:
            raise self._refusal_at(event, f"goes beyond the {self._max:,} values that are read")
        if tag is not None and tag not in _CORE_TAGS:
            raise self._refusal_at(event, f"uses the tag {shown(tag)}, which is never loaded")

    def _refusal_at(self, event: Any, problem: str) -> TeamDatabaseError:
        return self.refusal(problem, event.start_mark.line + 1)

    def _open(self, event: Any) -> None:
        self._check(event, event.tag)
        if len(self._frames) >= MAX_DEPTH:
            raise self._refusal_at(event, f"nests values more than {MAX_DEPTH} deep")
        kind = Pairs if type(event) is yaml.MappingStartEvent else Items
        self._frames.append(_Frame(kind, event.anchor, []))

    def _close(self, _event: Any) -> None:
        kind, anchor, children = self._frames.pop()
        if kind is Items:
            self._place(Items(tuple(children)), anchor)
        else:
            pairs = tuple(zip(children[::2], children[1::2], strict=True))
            self._place(Pairs(pairs), anchor)

    def _place(self, node: Node, anchor: str | None) -> None:
        # Known only from here on: a node can never contain itself.
        if anchor is not None:
            self._anchors[anchor] = node
        if self._frames:
            self._frames[-1].children.append(node)
        else:
            self._root = node
