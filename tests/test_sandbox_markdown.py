"""The sandbox renders notes as GitLab does, so that "mentions nobody" can be seen."""

import html
import re

import pytest

from bot.sandbox.pages.markdown import find_mentions, render_markdown
from bot.sandbox.world.entities import Group, Project, User
from bot.sandbox.world.repository import Repository
from bot.sandbox.world.state import World
from tests.sandbox_worlds import NOW, PROJECT, make_world, open_mr

LINK = re.compile(r'class="ref ref-(\w+)">([^<]*)</a>')


def make_surroundings() -> World:
    """Build a world with @ana, @group/owners and @.odd-, and with !7 in two projects."""
    world = make_world()
    for name in ("ana", ".odd-"):
        world.add_user(User(id=world.next_id("user"), username=name, name=name, created_at=NOW))
    world.add_group(Group(id=1, full_path="group/owners", name="Owners", created_at=NOW))
    other = Project(
        id=8, path_with_namespace="other/code", name="Code", created_at=NOW, repository=Repository()
    )
    mr = open_mr(world)
    for project in (mr.project, world.add_project(other)):
        project.merge_requests = {7: mr}
    return world


def render(text: str) -> str:
    """Render a text of the project."""
    world = make_surroundings()
    return str(render_markdown(world, world.project(PROJECT), text))


def kinds(text: str) -> list[tuple[str, str]]:
    """List kind and text of the references found in a text; its mentions are told, too."""
    world = make_surroundings()
    found = [(kind, html.unescape(shown)) for kind, shown in LINK.findall(render(text))]
    told = [f"@{name}" for name in find_mentions(world, world.project(PROJECT), text)]
    assert told == [shown for kind, shown in found if kind == "mention"]
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask @ana.", [("mention", "@ana")]),
        ("ask @ANA, please", [("mention", "@ANA")]),
        ("@.odd- and @group/owners", [("mention", "@.odd-"), ("mention", "@group/owners")]),
        ("@all", [("mention", "@all")]),
        ("mail ana@ana.test", []),
        ("@nobody", []),
        ("see !7 and other/code!7", [("merge_request", "!7"), ("merge_request", "other/code!7")]),
        ("!8 and x!7", []),
        ("#12", [("issue", "#12")]),
        ("~bug and ~~gone~~", [("label", "~bug")]),
        ('~"two words"', [("label", '~"two words"')]),
        ("https://example.org/x.", [("url", "https://example.org/x")]),
    ],
)
def test_references_in_plain_text_are_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "`@ana !7`",
        "```\n@ana\n#1\n```",
        "    @ana indented code",
        "[@ana](https://example.org)",
        "<code>@ana</code>",
        "<pre>\n!7\n</pre>",
        "<!-- @ana -->",
    ],
)
def test_code_links_and_comments_mention_nobody(text: str) -> None:
    assert kinds(text) == []


def test_text_in_html_and_in_tables_can_mention() -> None:
    text = "<details><summary>@ana</summary>\n\n| a |\n|---|\n| @ana |\n\n</details>"
    assert kinds(text) == [("mention", "@ana"), ("mention", "@ana")]


def test_a_mention_becomes_a_link_to_the_person() -> None:
    assert '<a href="/ana" class="ref ref-mention">@ana</a>' in render("@ana")


def test_tables_keep_their_alignment() -> None:
    shown = render("| a | b |\n|---|--:|\n| 1 | 2 |")
    assert "<table>" in shown
    assert '<td align="right">2</td>' in shown


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("~~gone~~", "<s>gone</s>"),
        ("- [ ] open\n- [x] done", "<li>☐ open</li>\n<li>☑ done</li>"),
        (":white_check_mark: :no_such_emoji:", "✅ :no_such_emoji:"),
        ("`:x:`", "<code>:x:</code>"),
        ("a &lt;b&gt; & c", "a &lt;b&gt; &amp; c"),
        ("```diff\n-a\n```", '<code class="language-diff">'),
        ("a  \nb", "a<br>\nb"),
    ],
)
def test_text_looks_as_in_gitlab(text: str, wanted: str) -> None:
    assert wanted in render(text)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src="x" onerror="alert(1)">',
        "[x](javascript:alert(1))",
        '<a href="javascript:alert(1)">x</a>',
        '<p style="position:fixed">x</p>',
        "<iframe src=//evil.test></iframe>",
        '<form action="//evil.test"><input name=a></form>',
        '@ana"><script>alert(1)</script>',
        '~"<script>alert(1)</script>"',
        "<main>x</main><nav>y</nav>",
        "<!-- hidden -->",
    ],
)
def test_nothing_in_a_note_can_run_or_hide(text: str) -> None:
    shown = render(text)
    forbidden = r"<(script|iframe|form|input|main|nav)|<[^>]*(javascript:|onerror|style=)|hidden"
    assert not re.search(forbidden, shown)


def test_a_label_cannot_break_out_of_its_link() -> None:
    shown = render('~"&lt;img src=x&gt;"')
    assert "<img" not in shown
    assert "&lt;img" in shown
