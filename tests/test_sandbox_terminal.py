"""A comment reads well in a terminal."""

import pytest

from bot.sandbox.story.comparing import compare
from bot.sandbox.story.terminal import render_text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("## A **bold** title", "A bold title\n============"),
        ("one\ntwo `code`  \nthree", "one two code three"),
        ("a [link](https://example.org) and ![picture](x.png)", "a link and picture"),
        ("- one\n- two\n  - three", "- one\n- two\n  - three"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("> said\n>\n> more", "| said\n| \n| more"),
        ("```\n/assign @x\n```", "    /assign @x"),
        ("    code", "    code"),
        ("<!-- marker -->\ntext", "text"),
        ("<!-- marker -->\n\ntext", "text"),
        ("<details>\n<summary>More</summary>\n\ninside\n\n</details>", "▸ More\n\n  inside"),
        ("a<br>b <b>c</b>", "a b c"),
        ("| a | b |\n|---|---|\n| long cell | 2 |", "a          b\n---------  -\nlong cell  2"),
        ("| a |\n|---|", "a\n-"),
    ],
)
def test_markdown_becomes_plain_text(markdown: str, text: str) -> None:
    assert render_text(markdown) == text


def test_a_rule_is_as_wide_as_the_text() -> None:
    assert render_text("---", width=5) == "-----"


def test_wide_tables_are_wrapped_into_the_width() -> None:
    row = "| " + " | ".join(["several words in a cell"] * 3) + " |"
    shown = render_text(f"{row}\n|---|---|---|\n{row}", width=40)
    assert max(len(line) for line in shown.splitlines()) <= 40
    assert shown.split()[:3] == ["several", "several", "several"]


def test_columns_are_never_narrower_than_a_word_needs() -> None:
    row = "| " + " | ".join(["abcdefghijk"] * 5) + " |"
    shown = render_text(f"{row}\n|---|---|---|---|---|\n{row}", width=10)
    assert "abcdefgh" in shown


def test_text_behind_a_folded_part_is_not_indented() -> None:
    text = "<details>\n<summary>More</summary>\n\n- inside\n\n</details>\n\nbehind"
    assert render_text(text) == "▸ More\n\n  - inside\n\nbehind"


BEFORE = """
## Title

Said before.

| a | b |
|---|---|
| one | ✗ |
| two | ✓ |

<details>
<summary>More</summary>

- inside

</details>

Foot.
"""


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("", "", []),
        ("Said before.", "Said now.", ["- Said before.", "+ Said now."]),
        ("✗", "waived for long", ["- one | ✗", "+ one | waived for long"]),
        ("- inside", "- elsewhere", ["~ ▸ More (changed inside)"]),
        ("More", "Less", ["- ▸ More", "+ ▸ Less"]),
        ("Foot.\n", "", ["- Foot."]),
    ],
)
def test_what_changed_is_told_line_by_line(old: str, new: str, changes: list[str]) -> None:
    after = BEFORE.replace(old, new)
    assert [f"{each.mark} {each.text}" for each in compare(BEFORE, after)] == changes


def test_nothing_becomes_something() -> None:
    assert compare("", "one") == [("+", "one")]
    assert compare("one", "") == [("-", "one")]
