"""The comment in every situation, as a page of the documentation."""

import re
from pathlib import Path

from bot.report.rendering import render_report
from bot.report.values import Report
from bot.report.words import Words
from tests.builders import GITLAB, NOW
from tests.gallery import SCENES
from tests.generated import Settle

PAGE = Path(__file__).parent.parent / "docs" / "gallery.md"
INTRODUCTION = """\
# Gallery

What the bot's comment says in each situation, as GitLab shows it, by the shipped policy of the AI
Gateway; the last one is by a policy that shows how the merge requests went, too. The people are
invented. The tests render this page: `make bless` writes it anew.
"""


# What people see of the open nominations below, all together: so many words it took before anybody
# was mentioned there, and before there was a line to copy. What is new must replace something.
MOST_WORDS = 2090
OPEN = (
    "Nothing met", "Half met", "All met", "Waived", "Held", "Parts unknown",
    "Everybody assigned, the counts unknown", "Ready, but it could not be read again",
    "Reviews by comments alone", "Several people", "Draft",
    "A doubtful entry, and a command that was refused", "Policy changed", "Help",
)  # fmt: skip


def render_gallery() -> str:
    words = Words(None, GITLAB, "nomination")
    parts = [INTRODUCTION]
    for number, (title, findings) in enumerate(SCENES.items(), start=1):
        parts.append(_section(f"{number}. {title}", render_report(findings, words, NOW)))
    return "\n".join(parts)


def _section(title: str, report: Report) -> str:
    body = (report.body or "").partition("\n")[2].replace("\n## ", "\n### ")
    body = "### " + body.removeprefix("## ")
    shown = report.gate
    gate = f"Gate: **{shown.state.value}**, “{shown.description}”\n\n" if shown else ""
    return f"---\n\n## {title}\n\n{gate}{body}"


def test_the_gallery_shows_what_is_rendered_now(settle: Settle) -> None:
    settle(PAGE, render_gallery())


def test_the_words_of_open_nominations_grow_no_more() -> None:
    sections = render_gallery().split("\n## ")[1:]
    told = {title.partition(". ")[2]: text for title, _, text in map(split_line, sections)}
    words = {title: count_words(told[title]) for title in OPEN}
    assert sum(words.values()) <= MOST_WORDS, words


def split_line(section: str) -> tuple[str, str, str]:
    return section.partition("\n")


def count_words(section: str) -> int:
    """Count what is not folded away of a comment, without the addresses of links."""
    _, heading, comment = section.partition("\n### ")
    shown = re.sub(r"(?s)<details>.*?</details>", "", heading + comment)
    shown = re.sub(r"\]\([^)]*\)", "]", shown).replace("&nbsp;", " ")
    return len(re.findall(r"\w[\w\u2019./-]*", shown))
