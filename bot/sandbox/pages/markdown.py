"""Render a note as GitLab shows it: tables, details, references, nothing that runs."""

import html
import re
from functools import lru_cache
from html.parser import HTMLParser

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from bot.sandbox.world.entities import Project
from bot.sandbox.world.state import World

_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

# Foreign text may not add landmarks to the page or image maps to its pictures.
_TAGS = set(nh3.ALLOWED_TAGS) - {"area", "article", "aside", "footer", "header", "map", "nav"}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "code": {"class"},
    "details": {"open"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align", "scope"},
}
# `ignore_ancestor_query` of lib/banzai/filter/references/reference_filter.rb.
_OPAQUE = frozenset({"a", "code", "pre", "style"})
_ALIGNMENT = re.compile(r' style="text-align:(left|center|right)"')
_TASK = re.compile(r"(<li>(?:\s*<p>)?)\[([ xX])\] ")
_REFERENCE = re.compile(
    r"""
      (?P<url> https?://[^\s<>"']*[\w/=#&%-] )
    | (?<![\w/]) @ (?P<name> [\w.] [\w.\-]* (?:/\w[\w.\-]*)* )
    | (?: (?P<project> (?<![\w/]) \w[\w.\-]*(?:/\w[\w.\-]*)+ ) | (?<!\w) )
      (?P<sign> [!#]) (?P<iid> \d+) \b
    | (?<![\w~]) ~ (?P<label> "[^"]+" | [A-Za-z][\w:.\-]* )
    | :(?P<emoji> [a-z0-9_+-]+ ):
    """,
    re.VERBOSE,
)
EMOJI = {
    "+1": "👍",
    "-1": "👎",
    "100": "💯",
    "arrow_right": "➡️",
    "confused": "😕",
    "eyes": "👀",
    "grey_question": "❔",
    "heavy_check_mark": "✔️",
    "hourglass": "⌛",
    "hourglass_flowing_sand": "⏳",
    "information_source": "\N{INFORMATION SOURCE}",
    "lock": "🔒",
    "no_entry": "⛔",
    "no_entry_sign": "🚫",
    "pause_button": "⏸️",
    "question": "❓",
    "robot": "🤖",
    "rocket": "🚀",
    "smile": "😄",
    "speech_balloon": "💬",
    "tada": "🎉",
    "thinking": "🤔",
    "thumbsdown": "👎",
    "thumbsup": "👍",
    "warning": "⚠️",
    "wave": "👋",
    "white_check_mark": "✅",
    "x": "❌",
}


def render_markdown(world: World, project: Project, text: str) -> Markup:
    """Turn a text of a project into the HTML that a reader's browser gets."""
    # The sanitiser has taken out whatever could run.
    return Markup("".join(_link(world, project, text).pieces))  # noqa: S704 - nh3 sanitised it


def find_mentions(world: World, project: Project, text: str) -> list[str]:
    """Return the names that a text of a project mentions, in order."""
    return _link(world, project, text).mentions


def _link(world: World, project: Project, text: str) -> "_Linker":
    linker = _Linker(world, project)
    linker.feed(_sanitised(text))
    linker.close()
    return linker


# A comment is searched for mentions when it is written and when it is edited, and shown often.
@lru_cache(maxsize=32)
def _sanitised(text: str) -> str:
    raw = _MARKDOWN.render(text)
    raw = _ALIGNMENT.sub(r' align="\1"', raw)
    raw = _TASK.sub(lambda match: match[1] + ("☐ " if match[2] == " " else "☑ "), raw)
    return nh3.clean(
        raw,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        strip_comments=True,
    )


class _Linker(HTMLParser):
    """Walk sanitised HTML and turn references in its text into links."""

    def __init__(self, world: World, project: Project) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.mentions: list[str] = []
        self._world = world
        self._project = project.path_with_namespace
        self._opaque = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's signature
        """Copy the tag as it stands."""
        self.pieces.append(self.get_starttag_text() or "")
        self._opaque += tag in _OPAQUE

    def handle_endtag(self, tag: str) -> None:
        """Copy the tag as it stands."""
        self.pieces.append(f"</{tag}>")
        self._opaque -= tag in _OPAQUE

    def handle_data(self, data: str) -> None:
        """Copy the text, references linked unless inside code or a link."""
        if self._opaque:
            self.pieces.append(html.escape(data, quote=False))
            return
        at = 0
        for match in _REFERENCE.finditer(data):
            self.pieces += [html.escape(data[at : match.start()], quote=False), self._linked(match)]
            at = match.end()
        self.pieces.append(html.escape(data[at:], quote=False))

    def _linked(self, match: re.Match[str]) -> str:
        if match["emoji"]:
            return EMOJI.get(match["emoji"], html.escape(match[0]))
        kind, shown, path = self._reference(match)
        if not kind:
            return html.escape(match[0], quote=False)
        # Of a name that ends a sentence, what is no part of it stays behind the link.
        rest = html.escape(match[0].removeprefix(shown), quote=False)
        shown = html.escape(shown, quote=False)
        return f'<a href="{html.escape(path)}" class="ref ref-{kind}">{shown}</a>{rest}'

    def _reference(self, match: re.Match[str]) -> tuple[str, str, str]:
        """Return kind, text and address of a reference; "" for one that points at nothing."""
        if match["url"]:
            return "url", match[0], match[0]
        if match["name"]:
            return self._mention(match["name"])
        if match["sign"]:
            return self._numbered(match)
        return "label", match[0], f"/{self._project}/-/merge_requests"

    def _mention(self, written: str) -> tuple[str, str, str]:
        name = written if self._world.find_owner(written) else written.rstrip(".-")
        if name.casefold() != "all" and self._world.find_owner(name) is None:
            return "", "", ""
        self.mentions.append(name)
        return "mention", f"@{name}", f"/{name}"

    def _numbered(self, match: re.Match[str]) -> tuple[str, str, str]:
        project, iid = match["project"] or self._project, int(match["iid"])
        if match["sign"] == "!" and self._world.find_merge_request(project, iid) is None:
            return "", "", ""
        kind = "merge_request" if match["sign"] == "!" else "issue"
        return kind, match[0], f"/{project}/-/{kind}s/{iid}"
