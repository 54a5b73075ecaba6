"""Parse JSON and JSON5 with positions, which neither `json` nor the JSON5 packages give."""

import re
from dataclasses import dataclass

from bot.listing.document import Document, Kind, Limits, Node, UnreadableListing, broken

_CLOSING = {"{": "}", "[": "]"}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|.))", re.DOTALL)
_MEANINGS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_CONTINUATIONS = frozenset({"\n", "\r", "\r\n", "\u2028", "\u2029"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grammar:
    """What the two formats spell differently."""

    blank: re.Pattern[str]
    string: re.Pattern[str]
    value: re.Pattern[str]
    name: re.Pattern[str] | None
    comments: bool


_JSON = _Grammar(
    blank=re.compile(r"[ \t\r\n]*+"),
    string=re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt]))*+"'),
    value=re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"),
    name=None,
    comments=False,
)
_JSON5 = _Grammar(
    blank=re.compile(
        r"(?:[\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]++"
        r"|//[^\n\r\u2028\u2029]*+|/\*.*?\*/)*+",
        re.DOTALL,
    ),
    string=re.compile(
        r"""(["'])(?:(?!\1)[^\\\n\r]|\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|0(?![0-9])|[^ux0-9]))*+\1"""
    ),
    value=re.compile(
        r"true|false|null|[+-]?(?:Infinity|NaN|0[xX][0-9a-fA-F]++"
        r"|(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+)"
    ),
    name=re.compile(r"(?![0-9])(?:[\w$\u200c\u200d]|\\u[0-9a-fA-F]{4})++"),
    comments=True,
)


def parse_json(text: str, *, json5: bool) -> Document:
    """Parse JSON, or JSON5 where the caller says so; UnreadableListing when it is neither."""
    return Document(text=text, root=_Reader(text, _JSON5 if json5 else _JSON).document())


class _Reader:
    """Walk through one text; the depth limit keeps its recursion shallow."""

    def __init__(self, text: str, grammar: _Grammar) -> None:
        self._text = text
        self._grammar = grammar
        self._at = 0
        self._limits = Limits(text)

    def document(self) -> Node:
        """Read the one value of the text."""
        self._skip()
        root = self._value(1)
        self._skip()
        if self._at < len(self._text):
            raise self._unexpected("the end of the file")
        return root

    def _skip(self) -> None:
        found = self._grammar.blank.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _value(self, depth: int) -> Node:
        self._limits.admit(self._at, depth)
        sign = self._text[self._at : self._at + 1]
        if sign in _CLOSING:
            return self._container(sign, depth)
        if sign in {'"', "'"}:
            return self._string("a complete string")
        start, word = self._at, self._take(self._grammar.value, "a value")
        kind: Kind = "null" if word == "null" else "value"
        return Node(kind=kind, start=start, end=self._at, text=word)

    def _container(self, opening: str, depth: int) -> Node:
        start, closing = self._at, _CLOSING[opening]
        children: list[Node] = []
        self._at += 1
        self._skip()
        while not self._passed(closing):
            if opening == "{":
                children.append(self._key())
            children.append(self._value(depth + 1))
            self._skip()
            self._separate(closing)
        kind: Kind = "map" if opening == "{" else "list"
        return Node(kind=kind, start=start, end=self._at, children=tuple(children))

    def _passed(self, sign: str) -> bool:
        found = self._text.startswith(sign, self._at)
        self._at += found
        return found

    def _separate(self, closing: str) -> None:
        if self._text.startswith(closing, self._at):
            return
        if not self._passed(","):
            raise self._unexpected(f"`,` or `{closing}`")
        self._skip()
        if self._grammar is _JSON and self._text.startswith(closing, self._at):
            raise self._unexpected("another value, as JSON allows no comma at the end,")

    def _key(self) -> Node:
        named = self._grammar.name and self._grammar.name.match(self._text, self._at)
        if named:
            start, self._at = self._at, named.end()
            key = Node(kind="text", start=start, end=self._at, text=_decoded(named[0]))
        else:
            key = self._string("a key")
        self._skip()
        if not self._passed(":"):
            raise self._unexpected("`:`")
        self._skip()
        return key

    def _string(self, expected: str) -> Node:
        start = self._at
        raw = self._take(self._grammar.string, expected)
        text = _decoded(raw[1:-1])
        return Node(kind="text", start=start, end=self._at, text=text, quote=raw[0])

    def _take(self, pattern: re.Pattern[str], expected: str) -> str:
        found = pattern.match(self._text, self._at)
        if not found:
            raise self._unexpected(expected)
        self._at = found.end()
        return found[0]

    def _unexpected(self, expected: str) -> UnreadableListing:
        if self._at >= len(self._text):
            found = "the end of the file"
        elif self._text.startswith(("//", "/*"), self._at):
            found = "an open comment" if self._grammar.comments else "a comment, which is not JSON"
        else:
            found = "something else"
        return broken(self._text, self._at, f"expected {expected} but found {found}")


def _decoded(raw: str) -> str:
    if "\\" not in raw:
        return raw
    joined = _ESCAPE.sub(_meaning, raw)
    return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _meaning(escape: re.Match[str]) -> str:
    if code := escape[1] or escape[2]:
        return chr(int(code, 16))
    return "" if escape[3] in _CONTINUATIONS else _MEANINGS.get(escape[3], escape[3])
