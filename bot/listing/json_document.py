"""Parse JSON and JSON5 with positions, which neither `json` nor the JSON5 packages give."""

import re

from bot.listing.document import Document, Kind, Limits, Node, UnreadableListing, broken
from bot.values import dataclass

_CLOSING = {"{": "}", "[": "]"}
_SIGN, _STRING, _NAME, _NUMBER = 1, 2, 3, 4
_LITERALS = frozenset({"true", "false", "null", "Infinity", "NaN"})
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|.))", re.DOTALL)
_MEANINGS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_CONTINUATIONS = frozenset({"\n", "\r", "\r\n", "\u2028", "\u2029"})

# Groups are not possessive: before 3.11.5 Python gets those wrong. Their parts exclude each
# other, so that going back never takes more than a second look at each of them.
_HEX = "[0-9a-fA-F]"
_EXPONENT = "(?:[eE][+-]?[0-9]++)?"
_INTEGER = "(?:0|[1-9][0-9]*+)"
_ESCAPED5 = rf"\\(?:u{_HEX}{{4}}|x{_HEX}{{2}}|\r\n|0(?![0-9])|[^ux0-9])"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grammar:
    """What the two formats spell differently; a token's groups are numbered as above."""

    blank: re.Pattern[str]
    token: re.Pattern[str]
    is_json5: bool


def _grammar(blank: str, string: str, name: str, number: str, *, is_json5: bool) -> _Grammar:
    token = rf"{blank}(?:([][{{}}:,])|({string})|({name})|({number}))"
    return _Grammar(
        blank=re.compile(blank, re.DOTALL),
        token=re.compile(token, re.DOTALL),
        is_json5=is_json5,
    )


_JSON = _grammar(
    blank=r"[ \t\r\n]*+",
    string=rf'"(?:[^"\\\x00-\x1f]++|\\(?:u{_HEX}{{4}}|["\\/bfnrt]))*"',
    name="true|false|null",
    number=rf"-?{_INTEGER}(?:\.[0-9]++)?{_EXPONENT}",
    is_json5=False,
)
_JSON5 = _grammar(
    blank=(
        r"(?:[\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]++"
        r"|//[^\n\r\u2028\u2029]*+|/\*(?:[^*]++|\*(?!/))*\*/)*"
    ),
    string=rf"""'(?:[^'\\\n\r]++|{_ESCAPED5})*'|"(?:[^"\\\n\r]++|{_ESCAPED5})*\"""",
    name=rf"(?![0-9])(?:[\w$\u200c\u200d]|\\u{_HEX}{{4}})+",
    number=(
        rf"[+-]?(?:Infinity|NaN|0[xX]{_HEX}++"
        rf"|(?:{_INTEGER}(?:\.[0-9]*+)?|\.[0-9]++){_EXPONENT})"
    ),
    is_json5=True,
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
        root = self._value(self._next("a value"), 1)
        self._at = self._skipped()
        if self._at < len(self._text):
            raise self._unexpected("the end of the file")
        return root

    def _value(self, token: re.Match[str], depth: int) -> Node:
        group = token.lastindex or 0
        start, end = token.span(group)
        self._limits.admit(start, depth)
        if group == _STRING:
            return self._text_node(token, _STRING)
        if token[_SIGN] in _CLOSING:
            return self._container(token, depth)
        if group == _SIGN or (group == _NAME and token[_NAME] not in _LITERALS):
            raise self._refused(token, "a value")
        kind: Kind = "null" if token[group] == "null" else "value"
        return Node(kind=kind, start=start, end=end, text=token[group])

    def _container(self, opening: re.Match[str], depth: int) -> Node:
        closing = _CLOSING[opening[_SIGN]]
        is_map = closing == "}"
        children: list[Node] = []
        token = self._next("a key" if is_map else "a value")
        while token[_SIGN] != closing:
            if is_map:
                children.append(self._key(token))
                token = self._next("a value")
            children.append(self._value(token, depth + 1))
            token = self._separated(closing)
        return Node(
            kind="map" if is_map else "list",
            start=opening.start(_SIGN),
            end=self._at,
            children=tuple(children),
        )

    def _separated(self, closing: str) -> re.Match[str]:
        expected = f"`,` or `{closing}`"
        token = self._next(expected)
        if token[_SIGN] == closing:
            return token
        if token[_SIGN] != ",":
            raise self._refused(token, expected)
        token = self._next("something after the comma")
        if token[_SIGN] == closing and not self._grammar.is_json5:
            raise self._refused(token, "something after the comma, as JSON demands,")
        return token

    def _key(self, token: re.Match[str]) -> Node:
        group = token.lastindex or 0
        if group != _STRING and not (group == _NAME and self._grammar.is_json5):
            raise self._refused(token, "a key")
        colon = self._next("`:`")
        if colon[_SIGN] != ":":
            raise self._refused(colon, "`:`")
        return self._text_node(token, group)

    def _text_node(self, token: re.Match[str], group: int) -> Node:
        raw = token[group]
        quote = raw[0] if group == _STRING else ""
        text = _decoded(raw[1:-1] if quote else raw)
        start, end = token.span(group)
        return Node(kind="text", start=start, end=end, text=text, quote=quote)

    def _next(self, expected: str) -> re.Match[str]:
        token = self._grammar.token.match(self._text, self._at)
        if token is None:
            self._at = self._skipped()
            raise self._unexpected(expected)
        self._at = token.end()
        return token

    def _refused(self, token: re.Match[str], expected: str) -> UnreadableListing:
        self._at = token.start(token.lastindex or 0)
        return self._unexpected(expected)

    def _skipped(self) -> int:
        blank = self._grammar.blank.match(self._text, self._at)
        return blank.end() if blank else self._at

    def _unexpected(self, expected: str) -> UnreadableListing:
        rest = self._text[self._at : self._at + 2]
        found = "something else"
        if not rest:
            found = "the end of the file"
        elif rest in {"//", "/*"}:
            found = "an open comment" if self._grammar.is_json5 else "a comment, which is not JSON"
        elif rest[0] in "\"'":
            found = "a string that is misplaced or broken"
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
