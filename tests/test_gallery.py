"""The comment in every situation, as a page of the documentation."""

from pathlib import Path

from bot.report import Report, Words, render_report
from tests.builders import GITLAB, NOW
from tests.gallery import SCENES

PAGE = Path(__file__).parent.parent / "docs" / "gallery.md"
INTRODUCTION = """\
# Gallery

What the bot's comment says in each situation, as GitLab shows it, by the shipped policy of the AI
Gateway. The people are invented. The tests render this page: `pytest --bless` writes it anew.
"""


def render_gallery() -> str:
    words = Words(None, GITLAB, "nomination")
    parts = [INTRODUCTION]
    for number, (title, findings) in enumerate(SCENES.items(), start=1):
        is_open = findings.merge_request.state == "opened"
        parts.append(_section(f"{number}. {title}", render_report(findings, words, NOW), is_open))
    return "\n".join(parts)


def _section(title: str, report: Report, is_open: bool) -> str:
    body = (report.body or "").partition("\n")[2].replace("\n## ", "\n### ")
    body = "### " + body.removeprefix("## ")
    assert report.gate is not None
    gate = f"Gate: **{report.gate.state.value}**, “{report.gate.description}”\n\n"
    return f"---\n\n## {title}\n\n{gate if is_open else ''}{body}"


def test_the_gallery_shows_what_is_rendered_now(bless: bool) -> None:
    page = render_gallery()
    if bless:
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page, "run `pytest --bless` and read the difference"
