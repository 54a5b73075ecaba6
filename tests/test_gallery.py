"""The comment in every situation, as a page of the documentation."""

from pathlib import Path

from bot.report.words import Report, Words, render_report
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
