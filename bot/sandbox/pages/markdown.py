"""Render a note as GitLab shows it: tables, details, references, nothing that runs."""

import html
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from html.parser import HTMLParser

import nh3
from markdown_it import MarkdownIt

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
# GitLab leaves references alone inside these elements.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a text stands, and what its references can point at.

    `names` holds usernames and group paths, case folded; `is_merge_request` answers for a
    project path and an iid.
    """

    base_url: str
    project: str
    names: Collection[str]
    is_merge_request: Callable[[str, int], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A link that GitLab made of plain text: a mention, a merge request, an issue, a label."""

    kind: str
    text: str
    href: str


def render(text: str, around: Surroundings) -> str:
    """Turn a note's Markdown into the HTML that a reader's browser gets."""
    return _link(text, around)[0]


def find_references(text: str, around: Surroundings) -> tuple[Reference, ...]:
    """List what the text would mention or refer to, in order."""
    return tuple(_link(text, around)[1])


def _link(text: str, around: Surroundings) -> tuple[str, list[Reference]]:
    linker = _Linker(around)
    linker.feed(_sanitised(text))
    linker.close()
    return "".join(linker.pieces), linker.references


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

    def __init__(self, around: Surroundings) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.references: list[Reference] = []
        self._around = around
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
        reference, rest = self._reference(match)
        if reference is None:
            return html.escape(match[0], quote=False)
        self.references.append(reference)
        shown = html.escape(reference.text, quote=False)
        link = (
            f'<a href="{html.escape(reference.href)}" class="ref ref-{reference.kind}">{shown}</a>'
        )
        return link + html.escape(rest, quote=False)

    def _reference(self, match: re.Match[str]) -> tuple[Reference | None, str]:
        """Return the reference, if it points at something, and the text left behind it."""
        if match["url"]:
            return Reference(kind="url", text=match[0], href=match[0]), ""
        if match["name"]:
            return self._mention(match["name"])
        if match["sign"]:
            return self._numbered(match), ""
        href = f"{self._around.base_url}/{self._around.project}/-/merge_requests"
        return Reference(kind="label", text=match[0], href=href), ""

    def _mention(self, written: str) -> tuple[Reference | None, str]:
        name = written.rstrip(".-") if written.casefold() not in self._around.names else written
        if name.casefold() != "all" and name.casefold() not in self._around.names:
            return None, ""
        href = f"{self._around.base_url}/{name}"
        return Reference(kind="mention", text=f"@{name}", href=href), written[len(name) :]

    def _numbered(self, match: re.Match[str]) -> Reference | None:
        project = match["project"] or self._around.project
        iid = int(match["iid"])
        if match["sign"] == "!" and not self._around.is_merge_request(project, iid):
            return None
        kind = "merge_request" if match["sign"] == "!" else "issue"
        href = f"{self._around.base_url}/{project}/-/{kind}s/{iid}"
        return Reference(kind=kind, text=match[0], href=href)
