"""Find the lines of a note that are prose to GitLab, where it would look for quick actions."""

import re
from collections.abc import Iterator, Sequence, Set
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.parser_block import RuleFuncBlockType
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

OPEN, CLOSE = "\ue000", "\ue001"  # mark a line for a moment; no note may hold them


def find_prose(lines: Sequence[str], candidates: Set[int]) -> Iterator[int]:
    """Yield those of the lines that begin as text of a paragraph at the top level."""
    for token in _parser().parse("\n".join(lines)):
        if token.type == "paragraph_open" and token.level == 0 and token.map:
            span = range(*token.map)
            if not candidates.isdisjoint(span):
                yield from _find_text_starts(lines, candidates, span)


def _find_text_starts(lines: Sequence[str], candidates: Set[int], span: range) -> Iterator[int]:
    # Candidates are marked, so that code spans and HTML that run over line ends show them too.
    marked = (f"{OPEN}{n}{CLOSE}{lines[n]}" if n in candidates else lines[n] for n in span)
    parts: list[Token] = []
    _parser().inline.parse("\n".join(marked), _parser(), {}, parts)
    for part in parts:
        if part.type == "text":
            yield from map(int, re.findall(f"{OPEN}([0-9]+){CLOSE}", part.content))


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415 (most runs see no command)

    parser = MarkdownIt("commonmark").enable("table")
    parser.block.ruler.at("table", _skip_table, {"alt": ["paragraph", "reference"]})
    parser.block.ruler.before("fence", "multiline_quote", _skip_quote)
    # Inline text is parsed only where a paragraph holds a candidate, and there only for what can
    # hide the beginning of a line: code and HTML that began on the line before.
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.inline.ruler.enableOnly(["newline", "escape", "backticks", "autolink", "html_inline"])
    return parser


def _skip_table(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
    # As markdown-it's own rule, but for the cells: short rows of a wide table have 65,536.
    from markdown_it.rules_block import table  # noqa: PLC0415 (most runs see no command)

    ends = state.md.block.ruler.getRules("blockquote")
    # A list item that looks like the head of a table is a list item in GitLab.
    if not table(state, start, end, True) or any(rule(state, start, end, True) for rule in ends):
        return False
    if not silent:
        before, state.parentType = state.parentType, "table"
        rows = range(start + 2, end)
        state.line = next((row for row in rows if _ends_table(state, row, end, ends)), end)
        state.parentType = before
    return True


def _ends_table(
    state: "StateBlock", row: int, end: int, rules: Sequence["RuleFuncBlockType"]
) -> bool:
    return (
        state.sCount[row] < state.blkIndent
        or any(rule(state, row, end, True) for rule in rules)
        or state.isEmpty(row)
        or state.is_code_block(row)
    )


def _skip_quote(state: "StateBlock", start: int, end: int, _silent: bool) -> bool:
    # GitLab's own quotation: from a line of `>>>` to the next such line.
    lines = (state.src[state.bMarks[number] : state.eMarks[number]] for number in range(start, end))
    opening = re.fullmatch(r" {0,3}(>{3,})[ \t]*", next(lines))
    if not opening:
        return False
    closing = re.compile(rf" {{0,3}}{opening[1]}>*[ \t]*")
    after = (number for number, line in enumerate(lines, start + 2) if closing.fullmatch(line))
    state.line = next(after, end)
    return True
