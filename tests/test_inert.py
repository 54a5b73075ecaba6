"""Claims about `bot.inert`."""

import re
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, strategies as st

from bot.inert import (
    LIMIT,
    LOG_LIMIT,
    code_span,
    has_quick_action,
    log_line,
    plain,
    username,
    web_link,
)
from tests.hostile import (
    CORPUS,
    HUGE,
    LOG_ATTACKS,
    find_live_parts,
    find_shape,
    find_text,
    hostile_texts,
)

Render = Callable[[str], str]

JOINER = "\u2060"
PLACES = {
    "paragraph": "before {} after",
    "start of a line": "{}",
    "between lines": "before\n{}\nafter",
    "table cell": "| a | b |\n|---|---|\n| {} | c |\n| d | {} |",
    "list item": "- {}\n- next",
    "quotation": "> {}\n\nafter",
    "heading": "### {}\n\nafter",
    "emphasis": "**{}** and ~~{}~~ after",
    "details": "<details><summary>More</summary>\n\n{}\n\n</details>\n\nafter",
    "two in a row": "{} {}",
}

EVERYWHERE = "\n\n".join(PLACES.values())

everywhere = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
either = pytest.mark.parametrize("render", [code_span, partial(code_span, joined=True), plain])


@pytest.fixture(scope="session")
def gitlab_parser() -> Render:
    """Return the Markdown parser that GitLab uses, with the options that GitLab sets.

    Options: lib/banzai/filter/markdown_engines/glfm_markdown.rb.
    """
    comrak = pytest.importorskip("comrak")
    extensions, parsing, rendering = (
        comrak.ExtensionOptions(),
        comrak.ParseOptions(),
        comrak.RenderOptions(),
    )
    for name in (
        "autolink",
        "description_lists",
        "footnotes",
        "math_code",
        "math_dollars",
        "multiline_block_quotes",
        "strikethrough",
        "table",
        "wikilinks_title_before_pipe",
    ):
        setattr(extensions, name, True)
    parsing.relaxed_autolinks = True
    rendering.escaped_char_spans = rendering.sourcepos = rendering.unsafe_ = True
    return partial(
        comrak.render_markdown,
        extension_options=extensions,
        parse_options=parsing,
        render_options=rendering,
    )


def has_effect(place: str, render: Render, text: str) -> bool:
    shown, harmless = place.replace("{}", render(text)), place.replace("{}", render("x"))
    return (find_shape(shown), find_live_parts(shown), has_quick_action(shown)) != (
        find_shape(harmless),
        find_live_parts(harmless),
        has_quick_action(harmless),
    )


@pytest.mark.sample(5)
@either
@everywhere
def test_known_attacks_have_no_effect(place: str, render: Render) -> None:
    assert [text for text in CORPUS if has_effect(place, render, text)] == []


@either
@given(text=hostile_texts())
def test_no_text_has_an_effect(render: Render, text: str) -> None:
    assert not has_effect(EVERYWHERE, render, text)


@either
@given(text=hostile_texts())
def test_no_text_holds_tags_comments_cells_or_lines(render: Render, text: str) -> None:
    assert not set(render(text)) & set("<>|\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
    assert not render(text).startswith(("/", "```", " ", "\t"))


@given(text=hostile_texts())
def test_plain_reads_as_the_text(text: str) -> None:
    shown = find_text(plain(text), "text").replace(JOINER, "")
    assert re.sub("(?i)(section_[a-z]+):", r"\1;", shown) == log_line(text, LIMIT)


@given(text=hostile_texts())
def test_plain_is_safe_in_raw_html_and_attributes(text: str) -> None:
    shown = f"<details><summary title='{plain(text)}'>{plain(text)}</summary>\n\n</details>"
    assert find_shape(shown) == [("html_block", ""), ("html_block", "")]
    assert not set(plain(text)) & set("\"'<>")


def test_the_strategy_finds_what_unescaped_text_does() -> None:
    assert [
        text
        for text in ("@all", "!1", "https://x.example", "<b>", "x\n/approve")
        if not has_effect("before {}", str, text)
    ] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("maintainer backend", "`maintainer backend`"),
        ("", "`(empty)`"),
        (" \t\n\u00a0", "`(empty)`"),
        ("  a \t b\r\nc  ", "`a b c`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("`a", "`` `a ``"),
        ("a`", "`` a` ``"),
        ("a```b", "``a`…b``"),
        ("a|b<c>", "`a¦b\u2039c\u203a`"),
        ("\x1b[0m\u202e\U000e0041", r"`\x1b[0m\u202e\U000e0041`"),
        ("a\u3164b", r"`a\u3164b`"),
        ("lone \ud800", r"`lone \ud800`"),
        ("x" * LIMIT, f"`{'x' * LIMIT}`"),
        ("x" * (LIMIT + 1), f"`{'x' * (LIMIT - 1)}…`"),
        ("/approve", "`/approve`"),
        ("@all", "`@all`"),
    ],
)
def test_code_spans_show_the_text_on_one_line(text: str, shown: str) -> None:
    assert code_span(text) == shown


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    "text",
    [
        FAMILY,
        "\U0001f469\U0001f3fd\u200d\U0001f4bb",  # after a modifier
        "\u2764\ufe0f\u200d\U0001f525",  # after a presentation selector
        "\U0001f9d4\u200d\u2640\ufe0f",
        "\U0001f642\u200d\u2194\ufe0f",
        "\U0001f408\u200d\u2b1b",
    ],
)
def test_emoji_that_are_joined_stay_so(text: str) -> None:
    assert code_span(f"a {text} b", joined=True) == f"`a {text} b`"
    # Of a log it is not known who shows it.
    assert r"\u200d" in log_line(text)
    assert code_span(text).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "a\u200db",
        "\u200d",
        "\U0001f468\u200d",
        "\u200d\U0001f468",
        "\U0001f468\u200da",
        "a\u200d\U0001f468",
        "\U0001f468 \u200d\U0001f468",
        "\U0001f468\u200d\u200d\U0001f468",
        "a\ufe0f\u200d\U0001f468",
        "\U0001f468\u200d\ufe0f",
        "\U0001f468\u200d\U0001faff",  # not assigned, so shown as an escape
        "1\ufe0f\u20e3\u200d\U0001f468",
        "@\u200dall",
    ],
)
def test_joiners_elsewhere_are_shown(text: str) -> None:
    assert "\u200d" not in code_span(text, joined=True)
    assert r"\u200d" in code_span(text, joined=True)


@pytest.mark.parametrize("limit", range(1, 9))
def test_a_cut_leaves_no_joiner_behind(limit: int) -> None:
    shown = code_span(FAMILY, limit, joined=True)
    assert "\u200d…" not in shown
    assert len(shown) <= limit + 2


@given(st.text(st.sampled_from("a@\u200d\ufe0f\U0001f468\U0001f3fd\u2640\u202e "), max_size=12))
def test_a_joiner_has_an_emoji_on_either_side(text: str) -> None:
    emoji = "[\U0001f468\U0001f3fd\u2640]"
    rest = re.sub(f"(?<={emoji})\ufe0f?\u200d(?={emoji})", "", code_span(text, joined=True))
    assert "\u200d" not in rest


def test_a_cut_leaves_no_blank_before_the_ellipsis() -> None:
    assert code_span("ab cd ef", 4) == "`ab…`"
    assert plain("ab cd ef", 6) == "ab cd…"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Jane Doe-Roe, Ph.D. (she)", "Jane Doe-Roe, Ph.D. &#40;she)"),
        ("", "&#40;empty)"),
        ("/merge", "&#47;&#8288;merge"),
        ("@jdoe", "&#64;&#8288;jdoe"),
        ("!1", "&#33;&#8288;1"),
        ("1. a", "1&#46; a"),
        ("- a", "&#45; a"),
        ("https://x", "https&#58;&#8288;&#47;&#8288;&#47;&#8288;x"),
        ("www.x", "www&#8288;.x"),
        ("gitlab-org/ai-assist: gone", "gitlab-org&#47;ai-assist&#58; gone"),
        ("a/b>", "a&#47;b&#8288;&#62;"),
        ("a/ b :x: y:z", "a&#47;&#8288; b &#58;&#8288;x&#58; y&#58;&#8288;z"),
        ("deadbee", "deadbe&#8288;e"),
        ("feedback, defaceable", "feedback, defaceable"),
        ("JIRA-1", "JIRA-&#8288;1"),
        ("A_-1", "A&#95;-&#8288;1"),
        ("a\\b|c", "a&#92;b&#124;c"),
    ],
)
def test_plain_breaks_what_gitlab_would_recognise(text: str, source: str) -> None:
    assert plain(text) == source


@pytest.mark.parametrize("render", [code_span, plain, log_line])
def test_megabytes_cost_no_more_than_what_is_shown(render: Render) -> None:
    assert [len(text) for text in HUGE if len(render(text)) > 15 * LIMIT] == []


def test_an_account_is_shown_without_a_mention() -> None:
    assert username("jdoe") == "`@jdoe`"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        (
            "https://gitlab.example/a/-/merge_requests?scope=all&x=%20",
            "[b](https://gitlab.example/a/-/merge_requests?scope=all&x=%20)",
        ),
        ("https://x/a/b/-/merge_requests/1", "[b](https://x/a/b/-/merge_requests/1#Nomination)"),
        ("https://x/a/b/issues/1?a=b", "[b](https://x/a/b/issues/1?a=b#Nomination)"),
        ("https://x/a/b/-/issues/1#note_2", "[b](https://x/a/b/-/issues/1#note_2)"),
        ("http://x/a b(c)|d", "[b](http://x/a%20b%28c%29%7Cd)"),
        ("https://x/é%zz;&copy;", "[b](https://x/%C3%A9%25zz%3B&copy%3B)"),
        ("https://x/\ud800\n<>", "[b](https://x/%3F%0A%3C%3E)"),
        ("javascript:alert(1)", "b"),
        ("/relative", "b"),
    ],
)
def test_links_encode_what_is_foreign_in_an_address(url: str, link: str) -> None:
    assert web_link("b", url) == link


@given(label=hostile_texts(), foreign=hostile_texts())
def test_a_link_stays_one_link_to_the_same_place(label: str, foreign: str) -> None:
    place = PLACES["between lines"] + "\n\n" + PLACES["table cell"]
    shown = place.replace("{}", web_link(label, "https://gitlab.example/" + foreign))
    plain_link = place.replace("{}", "[x](https://gitlab.example/)")
    assert find_shape(shown) == find_shape(plain_link)
    same_place = [part.startswith("https://gitlab.example/") for part in find_live_parts(shown)]
    assert same_place.count(True) == place.count("{}")
    assert same_place.count(False) == len(find_live_parts(place))


@given(text=hostile_texts())
def test_a_line_of_the_log_holds_no_control_sequence(text: str) -> None:
    line = log_line(text)
    assert line.isprintable()
    assert 0 < len(line) <= LOG_LIMIT
    assert not re.search("section_(start|end):", line, re.IGNORECASE)


@pytest.mark.parametrize("text", LOG_ATTACKS)
def test_log_attacks_are_still_legible(text: str) -> None:
    words = re.findall("[a-z]{4,}", text)
    assert [word for word in words if word not in log_line(text)] == []


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("", False),
        ("text", False),
        ("a / b", False),
        ("`/approve`", False),
        ("> /approve", False),
        ("| /approve |", False),
        ("/approve", True),
        ("text\n/approve", True),
        ("text\r/approve", True),
        ("text\r\n\r\n/approve\r\n", True),
        ("text\u2028/approve", True),
        ("  /approve", True),
        ("\t/approve", True),
        ("- a\n/approve", True),
        ("```\n/assign\n```", False),
        ("text\n\n```text\n/assign @manager\n```\n\ntext", False),
        ("~~~~ a`b\n/assign\n~~~~~ \n", False),
        ("```\r\n/assign\r\n```\r\n", False),
        ("<!-- bot -->\n\n```\n/assign\n```", False),
        ("<details>\n\n```\n/assign\n```\n\n</details>", False),
        ("```\n/assign\n```\n/approve", True),
        ("```\n/assign", True),
        ("```\n/assign\n~~~", True),
        ("````\n/assign\n```", True),
        ("```\n/assign\n``` x", True),
        ("```\n/assign\n    ```", True),
        ("``` `\n/assign\n```", True),
        ("text\n```\n/assign\n```", True),
        ("text\n```\n\n```\n/approve\n```", True),
        (" ```\n\n```\n/approve\n```", True),
        ("<!-- \n\n```\n-->\n/approve\n\n```", True),
        ("<pre>\n\n```\n</pre>\n\n/approve\n```", True),
        (">>>\n\n```\n>>>\n/approve\n```", True),
        ("---\n\n```\n---\n/approve\n```", True),
        ("```\n/approve\n\x0c```\n\n", True),
        ("~~~~\n\n~~~\n\n```\n~~~~\n/approve\n```", True),
        ("```\n```~\n```\n/approve\n```", True),
    ],
)
def test_a_line_that_could_be_a_quick_action_is_found(markdown: str, expected: bool) -> None:
    assert has_quick_action(markdown) is expected


LINES = st.sampled_from(
    [
        "",
        "",
        "/approve",
        "```",
        "```",
        "````",
        "~~~",
        "~~~~",
        "~~~ ~",
        "```~",
        "``` `",
        " ```",
        "    ```",
        "text",
        "- a",
        "> b",
        "  c",
        ">>>",
        "<!--",
        "-->",
        "<!-- x -->",
        "<details>",
        "</details>",
        "<pre>",
        "</pre>",
        "---",
        "| a |",
        "|---|",
        "1. d",
    ]
)


@given(lines=st.lists(LINES, max_size=12))
def test_no_paragraph_of_gitlabs_parser_escapes_the_guard(
    gitlab_parser: Render, lines: list[str]
) -> None:
    spans = re.findall(r'<p data-sourcepos="(\d+):\d+-(\d+):', gitlab_parser("\n".join(lines)))
    prose = {line for first, last in spans for line in lines[int(first) - 1 : int(last)]}
    assert has_quick_action("\n".join(lines)) or "/approve" not in prose


@either
@given(text=hostile_texts())
def test_gitlabs_parser_sees_no_effect_either(
    gitlab_parser: Render, render: Render, text: str
) -> None:
    def tags(shown: str) -> list[str]:
        html = gitlab_parser(EVERYWHERE.replace("{}", shown))
        return re.findall(r"<[^>]*>", re.sub(r' data-sourcepos="[^"]*"| id="[^"]*"', "", html))

    assert tags(render(text)) == tags(render("x"))
