"""Texts that attack the comment and the job log, and what a reader's GitLab would make of them."""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

QUICK_ACTIONS = (
    "/approve",
    "/merge",
    "x\n/approve",
    "x\r/approve",
    "x\r\n/approve\r\n",
    "x\u2028/approve",
    "x\u2029/approve",
    "x\x85/approve",
    "x\x0b/approve",
    "x\n\n/label ~evil\n\n",
    "\n/target_branch evil",
    "  /close",
    "\t/close",
    "/nomination waive authored because",
    "\\/approve",
    "&#47;approve",
)
MENTIONS = (
    "@all",
    "@gitlab-org/maintainers",
    "see @jdoe, please",
    "\\@all",
    "&#64;all",
    "@\u200ball",
    "mail jdoe@example.com now",
    "@'quoted",
)
REFERENCES = (
    "#1",
    "!2",
    "~bug",
    '~"two words"',
    "%3",
    '%"next release"',
    "&4",
    "$5",
    "^alert#6",
    "group/project!7",
    "group/project>",
    "group/project@deadbeefdeadbeef",
    "deadbeefcafe",
    "1234567",
    "0123456789abcdef0123456789abcdef01234567",
    "abcdef0...1234567",
    "JIRA-123",
    "GL-8",
    "[issue:9]",
    "[vulnerability:10]",
    "*iteration:11",
    "[[wiki page]]",
    "[[_TOC_]]",
    "[TOC]",
    "\\#1",
    "&#35;1",
)
ADDRESSES = (
    "https://evil.example/",
    "HTTP://EVIL.example",
    "www.evil.example",
    "ftp://evil.example",
    "mailto:jdoe@example.com",
    "javascript:alert(1)",
    "<https://evil.example>",
    "[click](https://evil.example)",
    "[click](javascript:alert(1))",
    "[click][ref]\n\n[ref]: https://evil.example",
    "![pixel](https://evil.example/pixel.png)",
    '<img src="https://evil.example/pixel.png">',
    "![](x)",
    ")](https://evil.example)[",
    "](https://evil.example)",
    "[^1]\n\n[^1]: note",
)
MARKUP = (
    "| a | b |",
    "\\| a",
    "\\\\| a",
    "|\n|-|\n| x |",
    "a | b\n--|--\n",
    "*a* **b** _c_ ~~d~~",
    "# heading",
    "> quote",
    ">>>\nquote\n>>>",
    "- item",
    "+ item",
    "- [ ] task",
    "1. item",
    "1) item",
    "---",
    "===",
    "```",
    "```\n/approve\n```",
    "~~~",
    "`",
    "``",
    "` `` ``` ````",
    "`" * 79,
    "`" * 80,
    "`" * 81,
    "a`",
    "`a",
    "`a` b",
    "\\",
    "a\\",
    "\\`",
    "$x$",
    "$$x$$",
    "$`x`$",
    "{+ added +} {- removed -} [+ added +]",
    ":tada: :+1:",
    ": definition",
    "&lt;b&gt; &amp; &#x200b;",
    "{{ 7 * 7 }} {% raw %}",
)
HTML = (
    "<script>alert(1)</script>",
    "<b>bold</b>",
    "</details>",
    "</summary></details><h1>",
    "<!-- comment -->",
    "-->",
    "--><b>",
    "--!>",
    "<!-- nomination-bot -->",
    "<!-- nomination-bot:1 -->",
    "<",
    ">",
    "<a href='x' onmouseover=\"alert(1)\">",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "<pre>",
    "<?php",
    "<![CDATA[",
    "&lt;!-- nomination-bot --&gt;",
)
LOG_ATTACKS = (
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
    "\x1b[2J\x1b[H",
    "\x9b31m",
    "section_start:1700000000:evil\r\x1b[0Kevil",
    "section_end:1700000000:evil\r\x1b[0K",
    "SECTION_START:1:x",
    "over\rwritten",
    "two\nlines",
    "bell\x07 back\x08space null\x00",
)
DISGUISES = (
    "\u202egnp.exe",
    "\u2066isolated\u2069",
    "zero\u200bwidth\u200c\u200djoiner\u2060",
    "\ufeffbom",
    "soft\u00adhyphen",
    "\u00a0\u2003\u3000",
    "\u3164",
    "\u2800",
    "tag\U000e0041",
    "variation\U000e0100",
    "private\ue000use",
    "lone\ud800surrogate",
    "\ufffe",
    "Z\u0351\u036f\u034f\u0489algo",
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 abc",
    "👩\u200d💻",
    "ǆ ß İ",
)
SIZES = ("", " ", "\n", "\t\n\x0b", "x" * 201, "@" * 1000, "a " * 500, "|" * 300, "\n" * 400)
CORPUS = (
    *QUICK_ACTIONS,
    *MENTIONS,
    *REFERENCES,
    *ADDRESSES,
    *MARKUP,
    *HTML,
    *LOG_ATTACKS,
    *DISGUISES,
    *SIZES,
)
HUGE = ("x" * 1_000_000, "\n" * 1_000_000, "@a " * 333_333, "`" * 1_000_000, "\x1b[" * 500_000)

# Each would do something if it stood in the text that GitLab has rendered, outside of code.
_ALIVE = re.compile(
    r"""
    [@\#!~%&$^][\w"'{]                      # mentions and references by sign
    | :[\w+-]+:                             # emoji
    | [A-Za-z][A-Za-z0-9+.-]*:/             # web addresses
    | www\.
    | (?<![0-9A-Za-z_])[0-9A-Fa-f]{7,40}(?![0-9A-Za-z_])   # commits, as whole words
    | [A-Za-z0-9_]-[0-9]                    # keys of an external issue tracker
    | [\w-]+/[\w-]+>                         # projects
    | \[\[ | \[\w+: | [{\[][+-]             # wiki pages, references by kind, inline diffs
    """,
    re.VERBOSE,
)


def hostile_texts() -> st.SearchStrategy[str]:
    """Build texts from attacks, parts of attacks, and any characters at all."""
    whole = st.sampled_from(CORPUS)
    parts = st.builds(lambda text, cut: text[cut:], whole, st.integers(0, 12))
    signs = st.text(alphabet="`|<>\\/@#!&[]()*_~$%^:;-+=.\"'{} \t\r\naw0", max_size=12)
    anything = st.text(alphabet=st.characters(codec=None), max_size=12)
    mixed = st.lists(st.one_of(parts, signs, anything), min_size=1, max_size=4).map("".join)
    return st.one_of(whole, mixed)


def find_live_parts(markdown: str) -> list[str]:
    """List what a rendered comment would do beyond showing text: links, HTML, mentions, actions."""
    return [*_find_live_tokens(_parse(markdown)), *re.findall(r"(?m)^[ \t]*/.*", markdown)]


def find_shape(markdown: str) -> list[tuple[str, str]]:
    """List the elements of the rendered comment in order, without their text."""
    shape: list[tuple[str, str]] = []
    for token in _flatten(_parse(markdown)):
        part = (token.type, token.tag)
        if part != ("text", "") or not shape or shape[-1] != part:
            shape.append(part)
    return shape


def find_text(markdown: str, kind: str) -> str:
    """Join the text of all tokens of one kind, such as `text` or `code_inline`."""
    return "".join(token.content for token in _flatten(_parse(markdown)) if token.type == kind)


@lru_cache(maxsize=64)
def _parse(markdown: str) -> Sequence[Token]:
    return _parser().parse(markdown)


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def _flatten(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flatten(token.children or [])


def _find_live_tokens(tokens: Sequence[Token]) -> Iterator[str]:
    for token in _flatten(tokens):
        if token.type == "link_open":
            yield str(token.attrs["href"])
        elif token.type in {"image", "html_inline", "html_block"}:
            yield token.content or token.type
        elif token.type == "inline":
            # Text nodes that nothing separates are one text to GitLab.
            text = "".join(
                part.content if part.type == "text" else "\n" for part in token.children or []
            )
            yield from _ALIVE.findall(text)
