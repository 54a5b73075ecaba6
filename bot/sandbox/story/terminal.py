"""Show a comment's Markdown in a terminal: tables in columns, details unfolded, no markup."""

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate

from markdown_it import MarkdownIt
from markdown_it.token import Token

WIDTH = 96
FOLD = "  "
NARROWEST = 8
_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_SUMMARY = re.compile(r"<summary>(.*?)</summary>", re.DOTALL)
_MARKUP = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)


def render_text(markdown: str, width: int = WIDTH) -> str:
    """Render Markdown as plain text no wider than `width`, except for code.

    A summary begins with ▸; what it folds away follows, indented.
    """
    blocks = [block for block in _blocks(_MARKDOWN.parse(markdown), width) if block.strip()]
    return "\n\n".join(blocks)


def _blocks(tokens: Sequence[Token], width: int) -> Iterator[str]:
    """Yield the text of each block; a list or table is one, what is folded away is indented."""
    at = depth = 0
    while at < len(tokens):
        end = _closing(tokens, at)
        if tokens[at].type == "html_block":
            content = tokens[at].content
            depth -= content.count("</details")
            yield textwrap.indent(_html(content), FOLD * depth)
            depth += content.count("<details")
        else:
            text = _block(tokens[at], tokens[at + 1 : end], width - len(FOLD) * depth)
            yield textwrap.indent(text, FOLD * depth)
        at = end + 1


def _block(token: Token, inner: Sequence[Token], width: int) -> str:
    if token.type in _CONTAINERS:
        return _CONTAINERS[token.type](inner, width)
    if token.type == "heading_open":
        title = textwrap.fill(_inline(inner[0]), width, break_on_hyphens=False)
        return f"{title}\n{'=' * max(map(len, title.splitlines()), default=0)}"
    if token.type == "paragraph_open":
        return textwrap.fill(_inline(inner[0]), width, break_on_hyphens=False)
    if token.type in {"fence", "code_block"}:
        return textwrap.indent(token.content.rstrip("\n"), "    ")
    return "-" * width


def _closing(tokens: Sequence[Token], at: int) -> int:
    """Find the token that closes the one at `at`; itself, if it opens nothing."""
    depths = accumulate(token.nesting for token in tokens[at:])
    return at + next(number for number, depth in enumerate(depths) if depth == 0)


def _inline(token: Token) -> str:
    pieces = []
    for child in token.children or ():
        if child.type in {"softbreak", "hardbreak"}:
            pieces.append(" ")
        elif child.type == "html_inline":
            pieces.append(" " if child.content.startswith("<br") else "")
        else:
            pieces.append(child.content)
    return " ".join("".join(pieces).split())


def _html(content: str) -> str:
    marked = _SUMMARY.sub(lambda match: f"▸ {match[1].strip()}", content)
    return _MARKUP.sub("", marked).strip()


def _list(tokens: Sequence[Token], width: int, *, numbered: bool) -> str:
    lines = []
    at = number = 0
    while at < len(tokens):
        end = _closing(tokens, at)
        number += 1
        mark = f"{number}. " if numbered else "- "
        text = "\n".join(_blocks(tokens[at + 1 : end], width - len(mark)))
        lines.append(mark + textwrap.indent(text, " " * len(mark)).lstrip())
        at = end + 1
    return "\n".join(lines)


def _table(tokens: Sequence[Token], width: int) -> str:
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_inline(token))
    widths = _column_widths(rows, width)
    lines = [_row(rows[0], widths), "  ".join("-" * each for each in widths)]
    return "\n".join(lines + [_row(row, widths) for row in rows[1:]])


def _column_widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Fit columns into the width by narrowing the widest ones."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    wrapped = [
        textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, widths, strict=True)
    ]
    lines = []
    for number in range(max(map(len, wrapped))):
        parts = [
            (lines_[number] if number < len(lines_) else "").ljust(width)
            for lines_, width in zip(wrapped, widths, strict=True)
        ]
        lines.append("  ".join(parts).rstrip())
    return "\n".join(lines)


def _quote(tokens: Sequence[Token], width: int) -> str:
    text = "\n\n".join(_blocks(tokens, width - 2))
    return textwrap.indent(text, "| ", lambda _line: True)


_CONTAINERS: Mapping[str, Callable[[Sequence[Token], int], str]] = {
    "blockquote_open": _quote,
    "bullet_list_open": lambda tokens, width: _list(tokens, width, numbered=False),
    "ordered_list_open": lambda tokens, width: _list(tokens, width, numbered=True),
    "table_open": _table,
}
