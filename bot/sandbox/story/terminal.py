"""Show a comment's Markdown in a terminal: tables in columns, details unfolded, no markup."""

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

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
    tree = SyntaxTreeNode(_MARKDOWN.parse(markdown))
    return "\n\n".join(block for block in _blocks(tree.children, width) if block.strip())


def _blocks(nodes: Sequence[SyntaxTreeNode], width: int) -> Iterator[str]:
    """Yield the text of each block; a list or table is one, what is folded away is indented."""
    depth = 0
    for node in nodes:
        if node.type == "html_block":
            depth -= node.content.count("</details")
            yield textwrap.indent(_html(node.content), FOLD * depth)
            depth += node.content.count("<details")
        else:
            yield textwrap.indent(_block(node, width - len(FOLD) * depth), FOLD * depth)


def _block(node: SyntaxTreeNode, width: int) -> str:
    if node.type in _CONTAINERS:
        return _CONTAINERS[node.type](node.children, width)
    if node.type == "heading":
        title = textwrap.fill(_inline(node), width, break_on_hyphens=False)
        return f"{title}\n{'=' * max(map(len, title.splitlines()), default=0)}"
    if node.type == "paragraph":
        return textwrap.fill(_inline(node), width, break_on_hyphens=False)
    if node.type in {"fence", "code_block"}:
        return textwrap.indent(node.content.rstrip("\n"), "    ")
    return "-" * width


def _inline(node: SyntaxTreeNode) -> str:
    """Write the text that a block holds on one line."""
    token = node.children[0].token
    pieces = []
    for child in (token and token.children) or ():
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


def _list(items: Sequence[SyntaxTreeNode], width: int, *, numbered: bool) -> str:
    lines = []
    for number, item in enumerate(items, 1):
        mark = f"{number}. " if numbered else "- "
        text = "\n".join(_blocks(item.children, width - len(mark)))
        lines.append(mark + textwrap.indent(text, " " * len(mark)).lstrip())
    return "\n".join(lines)


def _table(parts: Sequence[SyntaxTreeNode], width: int) -> str:
    rows = [[_inline(cell) for cell in row.children] for part in parts for row in part.children]
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
    for parts in zip_longest(*wrapped, fillvalue=""):
        padded = (part.ljust(width) for part, width in zip(parts, widths, strict=True))
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def _quote(nodes: Sequence[SyntaxTreeNode], width: int) -> str:
    text = "\n\n".join(_blocks(nodes, width - 2))
    return textwrap.indent(text, "| ", lambda _line: True)


_CONTAINERS: Mapping[str, Callable[[Sequence[SyntaxTreeNode], int], str]] = {
    "blockquote": _quote,
    "bullet_list": lambda items, width: _list(items, width, numbered=False),
    "ordered_list": lambda items, width: _list(items, width, numbered=True),
    "table": _table,
}
