"""Claims about `bot.commands.text`."""

import re
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from bot.commands.text import COMMAND_LIMIT, NOTE_LIMIT, Request
from bot.commands.verbs import RESERVED, VERBS, check_word, help_table
from tests.comments import parse_commands
from tests.generated import Settle
from tests.hostile import CORPUS, HUGE, hostile_texts

DOCUMENT = Path(__file__).parent.parent / "docs" / "commands.md"


def read(body: str, word: str = "nomination") -> list[tuple[str, str, int]]:
    return [
        (request.verb_text, request.arguments, request.line)
        for request in parse_commands(body, word)
    ]


@pytest.mark.parametrize(
    ("body", "requests"),
    [
        ("/nomination recheck", [("recheck", "", 1)]),
        ("/nomination", [("", "", 1)]),
        ("/nomination.", [("", "", 1)]),
        ("/NOMINATION ReCheck", [("ReCheck", "", 1)]),
        ("/nomination recheck.", [("recheck", "", 1)]),
        ("/nomination: recheck!", [("recheck", "", 1)]),
        ("/nomination `recheck`", [("recheck", "", 1)]),
        ("/nomination\u00a0waive\u2003a\tgood  reason ", [("waive", "a good reason", 1)]),
        ("/nomination hold because. ", [("hold", "because.", 1)]),
        ("\ufeff\u200b/nomination hold because", [("hold", "because", 1)]),
        ("/nomination\u200b \u2060hold\u00ad \u200ebecause\u200f", [("hold", "because", 1)]),
        ("text\n\u200b/nomination hold 👩\u200d💻", [("hold", "👩\u200d💻", 2)]),
        ("/nomination recheck\r\n/nomination help\r\n", [("recheck", "", 1), ("help", "", 2)]),
        ("/nomination recheck\r/nomination help", [("recheck", "", 1), ("help", "", 2)]),
        ("text\n/nomination help\ntext", [("help", "", 2)]),
        ("text\n\n\n/nomination help", [("help", "", 4)]),
        ("text  \n/nomination help", [("help", "", 2)]),
        ("text\\\n/nomination help", [("help", "", 2)]),
        ("\\`a\n/nomination help\nb\\`", [("help", "", 2)]),
        ("<https://x.example/`>\n/nomination help\n`", [("help", "", 2)]),
        ("`code` <b>\n/nomination help", [("help", "", 2)]),
        ("*a\n/nomination help\nb*", [("help", "", 2)]),
        ("# heading\n/nomination help", [("help", "", 2)]),
        ("```\ncode\n```\n/nomination help", [("help", "", 4)]),
        ("\ufeff```\ncode\n```\n/nomination help", [("help", "", 4)]),
        ("> quoted\n\n/nomination help", [("help", "", 3)]),
        ("- item\n\n/nomination help", [("help", "", 3)]),
        (">>>\nquoted\n>>>\n/nomination help", [("help", "", 4)]),
        ("text\n>>>>\n>>>\nquoted\n>>>>>\n/nomination help", [("help", "", 6)]),
        ("<!-- hidden\n-->\n/nomination help", [("help", "", 3)]),
        ("/nomination hold `code` and <b>html</b>", [("hold", "`code` and <b>html</b>", 1)]),
        ("\ue0001\ue001\n/nomination help", [("help", "", 2)]),
    ],
)
def test_a_line_of_prose_is_a_command(body: str, requests: list[tuple[str, str, int]]) -> None:
    assert read(body) == requests


@pytest.mark.parametrize(
    "body",
    [
        "",
        "recheck",
        "please /nomination recheck",
        " /nomination recheck",
        "\t/nomination recheck",
        "    /nomination recheck",
        "\\/nomination recheck",
        "&#47;nomination recheck",
        "/nominations recheck",
        "/nomination-bot recheck",
        "/nomination_recheck",
        "/nominatio recheck",
        "/nominat\u0131on recheck",
        "/ nomination recheck",
        "> /nomination recheck",
        "> quoted\n/nomination recheck",
        "- item\n/nomination recheck",
        "1. item\n/nomination recheck",
        "```\n/nomination recheck\n```",
        "\ufeff```\n/nomination recheck\n```",
        "\ufeff> quoted\n/nomination recheck",
        "\ufeff<!--\n\n/nomination recheck\n\n-->",
        "```\n/nomination recheck",
        "~~~\n/nomination recheck\n~~~",
        "`code\n/nomination recheck\n`",
        "``code\n/nomination recheck\n` ``",
        "<div>\n/nomination recheck\n</div>",
        "<details>\n<summary>x</summary>\n/nomination recheck\n</details>",
        "<pre>\n\n/nomination recheck\n</pre>",
        "<!--\n/nomination recheck\n-->",
        "text <!--\n/nomination recheck\n-->",
        "text <a title='\n/nomination recheck\n'>",
        "/nomination recheck\n---",
        "/nomination recheck\n===",
        "/nomination a | b\n--|--\nc | d",
        "a | b\n--|--\n/nomination recheck | d",
        ">>>\n/nomination recheck\n>>>",
        ">>>\ntext\n\n/nomination recheck",
        "text\n >>> \n/nomination recheck\n>>>",
        ">>>>\n>>>\n/nomination recheck\n>>>>",
        "\ue0001\ue001 `code\n/nomination recheck\n`",
    ],
)
def test_a_line_that_gitlab_would_not_execute_is_no_command(body: str) -> None:
    assert read(body) == []


def test_the_word_is_the_configured_one() -> None:
    assert read("/nomination help\n/gate help", word="gate") == [("help", "", 2)]
    assert read("/g.te help\n/gate help", word="g.te") == [("help", "", 1)]


def test_only_so_many_commands_of_a_note_are_read() -> None:
    assert len(read("/nomination help\n" * (COMMAND_LIMIT + 1))) == COMMAND_LIMIT


def test_only_so_many_characters_of_a_note_are_read() -> None:
    padding = "x" * (NOTE_LIMIT - len("\n\n/nomination help"))
    assert read(f"{padding}\n\n/nomination help") == [("help", "", 3)]
    assert read(f"{padding}xx\n\n/nomination help") == []


@pytest.mark.parametrize("text", [*CORPUS, *HUGE])
def test_known_attacks_do_not_hide_a_command_in_a_paragraph_of_its_own(text: str) -> None:
    assert read(f"/nomination help\n\n{text}")[:1] == [("help", "", 1)]


@given(text=hostile_texts())
def test_any_text_is_read_without_failure(text: str) -> None:
    assert read(f"/nomination {text}\n\n/nomination help\n\n{text}") is not None


LINES = st.sampled_from(
    [
        *(["/nomination help"] * 4 + [""] * 3),
        *("```", "~~~", " ```", "text", "- a", "> b", "  c", ">>>", "---", "# d"),
        *("<!--", "-->", "<pre>", "<pre></pre>", "<details>", "</details>"),
    ]
)


@given(lines=st.lists(LINES, max_size=10))
def test_commands_are_found_where_gitlabs_parser_sees_paragraphs(lines: list[str]) -> None:
    comrak = pytest.importorskip("comrak")
    extensions, rendering = comrak.ExtensionOptions(), comrak.RenderOptions()
    extensions.multiline_block_quotes = True
    rendering.sourcepos = rendering.unsafe_ = True
    html = comrak.render_markdown(
        "\n".join(lines), extension_options=extensions, render_options=rendering
    )
    expected, depth = set(), 0
    for tag in re.findall(r"</?(?:blockquote|ul)\b|<p data-sourcepos=[^>]+", html):
        if tag.startswith("<p") and depth == 0:
            first, last = map(int, re.findall(r"(\d+):", tag))
            expected |= {n for n in range(first, last + 1) if lines[n - 1].startswith("/")}
        elif not tag.startswith("<p"):
            depth += -1 if tag.startswith("</") else 1
    assert {request.line for request in parse_commands("\n".join(lines), "nomination")} == expected


@pytest.mark.parametrize("word", ["nomination", "Nomination", "merge-check", "a1", "x" * 32])
def test_a_word_that_gitlab_leaves_alone_is_allowed(word: str) -> None:
    assert check_word(word) is None


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("merge", "quick action"),
        ("MERGE", "quick action"),
        ("run_pipeline", "quick action"),
        ("q", "2 to 32"),
        ("", "2 to 32"),
        ("x" * 33, "2 to 32"),
        ("/nomination", "without the slash"),
        ("two words", "letters"),
        ("nominat\u0131on", "ASCII"),
        ("\u212aeep", "ASCII"),
        ("-a", "start with a letter"),
        ("1a", "start with a letter"),
        ("nomination\n", "letters"),
    ],
)
def test_a_word_that_cannot_work_is_refused_with_the_reason(word: str, reason: str) -> None:
    assert reason in (check_word(word) or "")


@pytest.mark.parametrize(
    "name", ["approve", "request_review", "spend_time", "child_epic", "ship", "duo_code_review"]
)
def test_quick_actions_old_and_new_are_reserved(name: str) -> None:
    assert name in RESERVED


def test_reserved_names_are_written_as_gitlab_writes_them() -> None:
    assert [name for name in RESERVED if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []


def test_the_table_of_help_has_every_command() -> None:
    rows = help_table("gate")
    assert [row[0].split()[:2] for row in rows] == [["/gate", verb.name] for verb in VERBS]
    assert rows[0][1:] == ("anyone who can comment", "Evaluates the merge request again.")


def test_the_document_says_what_the_code_does(settle: Settle) -> None:
    rows = [f"| `{usage}` | {who} | {what} |" for usage, who, what in help_table("nomination")]
    settle(DOCUMENT, "\n".join(rows), after="|---|---|---|\n", before="\n\n")


def test_a_request_is_a_value() -> None:
    assert parse_commands("/nomination help", "nomination") == (
        Request(verb_text="help", arguments="", line=1),
    )
