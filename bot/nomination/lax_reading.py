"""Find in an entry what another reader of the team database could take otherwise than the bot.

The team page reads entries with a permissive loader of YAML (Psych): later merge keys win, tags
and symbols are resolved, keys stay as written. Whatever could touch the account, the manager or a
role in such a way is no harmless text, whatever the bot itself makes of it.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

import yaml

from bot.team import RoleKey, decode_text, fold_key, holds_role, parser_of, responsibility, shown

_MAX_WALKED = 10_000  # nodes that are looked at through merge keys
_MAX_TOLD = 5
_MAX_ROLE = 200  # characters
_KINDS: Mapping[type, str] = {
    yaml.AliasEvent: "alias",
    yaml.ScalarEvent: "scalar",
    yaml.SequenceStartEvent: "list",
    yaml.MappingStartEvent: "mapping",
}
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SEPARATORS = re.compile(r"[-_.]")
_SIGNS = re.compile(r"[^\w \t-]")
_CONTENT = re.compile(r"^(?!---\s*$|\.\.\.|\s*(?:#.*)?$).", re.M)


@dataclass(slots=True, kw_only=True)
class _Node:
    """A node as written, with its place in the text."""

    kind: str
    text: str
    odd: str
    line: int
    start: int
    end: int
    children: list["_Node"] = field(default_factory=list)

    @property
    def pairs(self) -> list[tuple["_Node", "_Node"]]:
        own = self.children if self.kind == "mapping" else []
        return list(zip(own[::2], own[1::2], strict=True))

    def below(self) -> Iterator["_Node"]:
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)


class _Keys(NamedTuple):
    """The keys of a mapping that count, as they are compared."""

    words: frozenset[str]
    fold: Callable[[str], str]
    bare: Callable[[str], str]

    def word_of(self, node: _Node) -> str | None:
        word = self.fold(node.text)
        return word if node.kind == "scalar" and word in self.words else None

    def is_near(self, node: _Node) -> bool:
        text = self.bare(node.text)
        return node.kind == "scalar" and any(is_nearly(text, self.bare(w)) for w in self.words)


_FIELDS = _Keys(
    frozenset({"gitlab", "reports_to", "projects"}), str, lambda text: _SEPARATORS.sub("", text)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaxReading:
    """What other readers could take otherwise; `source` is all text that bears on it."""

    messages: tuple[str, ...]
    source: tuple[str, ...]


def read_laxly(raw: bytes, wanted: Collection[RoleKey], where: str) -> LaxReading:
    """List what is odd in an entry that can be parsed."""
    return _Look(decode_text(raw, where), wanted).reading()


def is_nearly(text: str, word: str) -> bool:
    """Return whether a text is a word but for blanks, capitals, invisible or look-alike letters."""
    return len(text) <= 4 * len(word) + 20 and _is_nearly(text, word)


@lru_cache(maxsize=4096)
def _is_nearly(text: str, word: str) -> bool:
    found, expected = _skeleton(text), _skeleton(word)
    if len(found) != len(expected):
        return False
    pairs = list(zip(found, expected, strict=True))
    alike = sum(one == other for one, other in pairs)
    # A letter of another script may look like any letter.
    return 3 * alike >= len(pairs) and all(
        one == other or not one.isascii() for one, other in pairs
    )


def _skeleton(text: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = (c for c in folded if c not in _INVISIBLE and unicodedata.category(c)[0] not in "ZCM")
    # A symbol in Ruby is a key with a colon before it.
    return "".join(kept).strip(":'\"")


class _Look:
    """Walk the nodes that bear on the account, the manager and the wanted roles."""

    def __init__(self, text: str, wanted: Collection[RoleKey]) -> None:
        self._text = text
        self._wanted = wanted
        # A name may be given again, and readers differ in when that counts: take it for any.
        self._anchors: dict[str, list[_Node]] = {}
        self._found: list[tuple[int, str]] = []
        self._source: list[str] = []
        self._left = _MAX_WALKED
        self._root, self._rest = self._build()

    def reading(self) -> LaxReading:
        if self._root is not None:
            self._examine_root(self._root)
        anchored = chain.from_iterable(self._anchors.values())
        self._source += [self._text[each.start : each.end] for each in anchored]
        if _CONTENT.search(self._text, self._rest):
            line = self._text.count("\n", 0, self._rest) + 1
            self._found.append((line, "a second YAML document begins here"))
            self._source.append(self._text[self._rest :])
        told = dict.fromkeys(f"line {line}: {what}" for line, what in sorted(self._found))
        return LaxReading(messages=tuple(told)[:_MAX_TOLD], source=tuple(self._source))

    def _build(self) -> tuple[_Node | None, int]:
        """Read the first document, and where its end is."""
        parser = parser_of(self._text)
        root: _Node | None = None
        frames: list[_Node] = []
        event: Any = parser.get_event()
        while not isinstance(event, (yaml.DocumentEndEvent, yaml.StreamEndEvent)):
            if isinstance(event, yaml.CollectionEndEvent):
                frames.pop().end = _end(event)
            elif isinstance(event, yaml.NodeEvent):
                node = self._node(event)
                if frames:
                    frames[-1].children.append(node)
                root = root or node
                if isinstance(event, yaml.CollectionStartEvent):
                    frames.append(node)
            event = parser.get_event()
        return root, _end(event)

    def _node(self, event: Any) -> _Node:
        kind, tag = _KINDS[type(event)], getattr(event, "tag", None)
        odd = f"the tag {shown(tag)}" if tag else ""
        if event.anchor is not None and not odd:
            name = shown(event.anchor)
            odd = f"the alias {name}" if kind == "alias" else f"the anchor {name}"
        node = _Node(
            kind=kind,
            text=event.anchor if kind == "alias" else str(getattr(event, "value", "")),
            odd=odd,
            line=event.start_mark.line + 1,
            start=event.start_mark.index,
            end=_end(event),
        )
        if kind != "alias" and event.anchor is not None:
            self._anchors.setdefault(event.anchor, []).append(node)
        return node

    # --- fields and roles ------------------------------------------------------------

    def _examine_root(self, root: _Node) -> None:
        if root.odd:
            self._source.append(root.odd)
            self._tell(root, f"{root.odd} stands before the whole entry")
        for key, value in self._examine_keys(root, _FIELDS):
            if value.odd:
                self._tell(value, f"{value.odd} stands behind {shown(key.text)}")
            if key.text == "projects":
                self._examine_projects(value)
            elif key.text == "gitlab" and value.kind in {"list", "mapping"}:
                self._tell(value, "a list or mapping stands behind the key of the username")

    def _examine_projects(self, projects: _Node) -> None:
        keys = _Keys(frozenset(fold_key(w.project) for w in self._wanted), str.casefold, str)
        for key, value in self._examine_keys(projects, keys):
            roles = {w.role for w in self._wanted if fold_key(w.project) == keys.fold(key.text)}
            self._examine_roles(key, value, roles)
        if projects.kind != "mapping":
            for each in projects.below():
                if each.kind == "scalar" and (keys.is_near(each) or self._names(each.text)):
                    self._tell(each, f"{shown(each.text)} stands below projects, and is no key")

    def _names(self, text: str) -> bool:
        """Return whether a text holds both a project and its role."""
        text = text.casefold()
        return any(fold_key(w.project) in text and w.role in text for w in self._wanted)

    def _examine_roles(self, key: _Node, value: _Node, roles: Collection[str]) -> None:
        for each in value.below():
            if each.odd:
                self._tell(each, f"{each.odd} stands behind {shown(key.text)}")
            if each.kind == "mapping" and any(_gives(inner, roles) for inner in each.below()):
                self._tell(each, f"a mapping stands behind {shown(key.text)}")
            if each.kind == "scalar" and any(_looks_like(each.text, role) for role in roles):
                self._tell(each, f"{shown(each.text)} looks like the role, with other letters")
            elif each.kind == "scalar" and any(_begins_like(each.text, role) for role in roles):
                self._tell(each, f"{shown(each.text)} begins like the role, or holds it")

    # --- keys ------------------------------------------------------------------------

    def _examine_keys(self, mapping: _Node, keys: _Keys) -> list[tuple[_Node, _Node]]:
        """Tell of odd keys among those that count; return the pairs that are plain."""
        plain: dict[str, tuple[_Node, _Node]] = {}
        for key, value in mapping.pairs:
            word = keys.word_of(key)
            odd = self._find_oddity(key, value, keys)
            if odd is None and word in plain:
                odd = f"the key {shown(key.text)} is written more than once"
            if odd or word is not None:
                self._source.append(self._text[key.start : value.end])
            if odd:
                self._tell(key, odd)
            elif word is not None:
                plain[word] = key, value
        return list(plain.values())

    def _find_oddity(self, key: _Node, value: _Node, keys: _Keys) -> str | None:
        if key.kind == "alias":
            return f"{key.odd} is a key"
        if key.kind != "scalar":
            near = any(keys.is_near(each) for each in key.below())
            return "a list or mapping is a key" if near else None
        if key.text.strip() == "<<":
            merged = self._brings(value, keys)
            return 'the merge key "<<" brings in what counts' if merged else None
        if not keys.is_near(key):
            return None
        if key.odd:
            return f"{key.odd} stands before the key {shown(key.text)}"
        is_exact = keys.word_of(key) is not None
        return None if is_exact else f"{shown(key.text)} nearly is a key that counts"

    def _brings(self, value: _Node, keys: _Keys) -> bool:
        """Return whether a merge key brings, or could bring, one of the keys."""
        waiting, followed = [value], set[str]()
        while waiting and self._left > 0:
            node = waiting.pop()
            self._left -= 1
            if node.kind == "alias" and node.text not in followed:
                followed.add(node.text)
                waiting += self._anchors[node.text]
            elif node.kind == "list":
                waiting += node.children
            for key, inner in node.pairs:
                if key.kind == "scalar" and key.text.strip() == "<<":
                    waiting.append(inner)
                elif keys.is_near(key) or key.kind != "scalar":
                    return True
        return bool(waiting)

    def _tell(self, node: _Node, what: str) -> None:
        self._found.append((node.line, what))


def _end(event: Any) -> int:
    return int(event.end_mark.index)


def _gives(node: _Node, roles: Collection[str]) -> bool:
    return node.kind == "scalar" and responsibility(node.text) in roles


def _looks_like(text: str, role: str) -> bool:
    """Return whether the first word of a text is a role but for its letters."""
    spaced = "".join(" " if unicodedata.category(c)[0] == "Z" else c for c in text[:_MAX_ROLE])
    words = spaced.split()
    return bool(words) and responsibility(text) != role and is_nearly(words[0], role)


def _begins_like(text: str, role: str) -> bool:
    """Return whether a text is no role but begins with one, also behind a sign, or holds one."""
    parts = (part.casefold().strip() for part in _SIGNS.split(text[:_MAX_ROLE]))
    return responsibility(text) != role and (
        holds_role(text, role) or any(part.startswith(role) for part in parts)
    )
