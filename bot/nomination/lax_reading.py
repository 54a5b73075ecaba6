"""Find in an entry what another reader of the team database could take otherwise than the bot.

The team page reads entries with a permissive loader of YAML (Psych): later merge keys win, tags
and symbols are resolved, keys stay as written. Whatever could touch the account, the manager or a
role in such a way is no harmless text, whatever the bot itself makes of it.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from bot.nomination.alike import begins_like, is_nearly, looks_like
from bot.nomination.written import Node, read_written
from bot.team import RoleKey, decode_text, fold_key, responsibility, shown

_MAX_WALKED = 10_000  # nodes that are looked at through merge keys
_MAX_TOLD = 5
_SEPARATORS = re.compile(r"[-_.]")
# A line that is neither blank, a comment nor the mark of a document.
_CONTENT = re.compile(r"^(?!---\s*$|\.\.\.|\s*(?:#.*)?$).", re.M)


class _Keys(NamedTuple):
    """The keys of a mapping that count, as they are compared."""

    words: frozenset[str]
    fold: Callable[[str], str]
    bare: Callable[[str], str]

    def word_of(self, node: Node) -> str | None:
        word = self.fold(node.text)
        return word if node.kind == "scalar" and word in self.words else None

    def is_near(self, node: Node) -> bool:
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


class _Look:
    """Walk the nodes that bear on the account, the manager and the wanted roles."""

    def __init__(self, text: str, wanted: Collection[RoleKey]) -> None:
        self._text = text
        self._wanted = wanted
        self._found: list[tuple[int, str]] = []
        self._source: list[str] = []
        self._left = _MAX_WALKED
        self._written = read_written(text)

    def reading(self) -> LaxReading:
        root, anchors, rest = self._written
        if root is not None:
            self._examine_root(root)
        anchored = chain.from_iterable(anchors.values())
        self._source += [self._text[each.start : each.end] for each in anchored]
        if _CONTENT.search(self._text, rest):
            line = self._text.count("\n", 0, rest) + 1
            self._found.append((line, "a second YAML document begins here"))
            self._source.append(self._text[rest:])
        told = dict.fromkeys(f"line {line}: {what}" for line, what in sorted(self._found))
        return LaxReading(messages=tuple(told)[:_MAX_TOLD], source=tuple(self._source))

    # --- fields and roles ------------------------------------------------------------

    def _examine_root(self, root: Node) -> None:
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

    def _examine_projects(self, projects: Node) -> None:
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

    def _examine_roles(self, key: Node, value: Node, roles: Collection[str]) -> None:
        for each in value.below():
            if each.odd:
                self._tell(each, f"{each.odd} stands behind {shown(key.text)}")
            if each.kind == "mapping" and any(_gives(inner, roles) for inner in each.below()):
                self._tell(each, f"a mapping stands behind {shown(key.text)}")
            if each.kind == "scalar" and any(looks_like(each.text, role) for role in roles):
                self._tell(each, f"{shown(each.text)} looks like the role, with other letters")
            elif each.kind == "scalar" and any(begins_like(each.text, role) for role in roles):
                self._tell(each, f"{shown(each.text)} begins like the role, or holds it")

    # --- keys ------------------------------------------------------------------------

    def _examine_keys(self, mapping: Node, keys: _Keys) -> list[tuple[Node, Node]]:
        """Tell of odd keys among those that count; return the pairs that are plain."""
        plain: dict[str, tuple[Node, Node]] = {}
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

    def _find_oddity(self, key: Node, value: Node, keys: _Keys) -> str | None:
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

    def _brings(self, value: Node, keys: _Keys) -> bool:
        """Return whether a merge key brings, or could bring, one of the keys."""
        waiting, followed = [value], set[str]()
        while waiting and self._left > 0:
            node = waiting.pop()
            self._left -= 1
            if node.kind == "alias" and node.text not in followed:
                followed.add(node.text)
                waiting += self._written.anchors[node.text]
            elif node.kind == "list":
                waiting += node.children
            for key, inner in node.pairs:
                if key.kind == "scalar" and key.text.strip() == "<<":
                    waiting.append(inner)
                elif keys.is_near(key) or key.kind != "scalar":
                    return True
        return bool(waiting)

    def _tell(self, node: Node, what: str) -> None:
        self._found.append((node.line, what))


def _gives(node: Node, roles: Collection[str]) -> bool:
    return node.kind == "scalar" and responsibility(node.text) in roles
