"""Make foreign text inert for a GitLab comment and for a job log."""

import re

LIMIT = 200  # characters shown of one foreign text
LOG_LIMIT = 500  # characters of one line of the job log

_EMPTY = "(empty)"
_ELLIPSIS = "…"
# Word joiner, written as an entity: no reference, emoji or address continues across it, and
# nobody sees it. An entity for the character alone would not do: GitLab looks for references
# in the text it has rendered (lib/banzai/filter/references/reference_filter.rb).
_JOINER = "&#8288;"

# Letters and marks that show nothing, and so could hide or disguise a name.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0d\uffa0"
    "\U000e0100-\U000e01ef]"
)
# Emoji that sequences of several are made of, such as families (https://unicode.org/reports/tr51,
# emoji-zwj-sequences.txt), between which a zero-width joiner is part of what is seen.
_EMOJI = "[\u2194\u2195\u2600-\u27bf\u2b1b\U0001f300-\U0001faff]"
_ZWJ = "\u200d"
_LOOSE = re.compile(f"(?<!{_EMOJI})(?<!{_EMOJI}\ufe0f){_ZWJ}|{_ZWJ}(?!{_EMOJI})")
# A code span may neither split a table cell nor hold a tag or a comment, wherever it is put.
_LOOKALIKES = str.maketrans({"|": "\u00a6", "<": "\u2039", ">": "\u203a"})
# Keeps fences at two backticks: three may open a code block, more than 80 are no fence to GitLab.
_BACKTICKS = re.compile("``+")

# What plain text must not contain: punctuation (but a comma, and dots, hyphens and closing
# brackets that follow a letter), a web address without scheme, and bare references: commit ids,
# keys of an external issue tracker. A commit id is a whole word (`WHOLE_WORD_COMMIT_SHA_PATTERN`,
# app/models/commit.rb), so that words such as "feedback" stay as they are; so do paths, of which
# only a `>` behind them makes a reference to a project (`reference_postfix`, app/models/project.rb)
# and only the colon before them an address, and sentences with a colon: after a word and before a
# blank it neither begins nor ends an emoji.
# No less will do, and not code in its place: in raw HTML, where a template may put it, backticks
# are mere signs, and a mention between them is one.
_RISKY = re.compile(
    r"(?P<seam>(?<=[A-Z0-9_])-(?=[0-9])|www(?=\.))"
    r"|(?P<sign>[\"'(+;<=?\\\]_`|}]|(?<![A-Za-z])[.)-]"
    r"|(?<=[a-z0-9]):(?= )|(?<=[a-z0-9_])/(?=[a-z0-9_]))"
    r"|(?P<trigger>[@#!~%&$^:/\[{*])"
    r"|(?P<after>>)"
    r"|(?P<hex>(?<![0-9a-z_])[0-9a-f]{7,40}(?![0-9a-z_]))",
    re.IGNORECASE,
)

# A section of the job log starts at this word in older GitLab even without its escape sequence.
_SECTION = re.compile(r"(section_(?:start|end)):", re.IGNORECASE)

# GitLab takes a link for a reference if its whole address is in this form, with a fragment in small
# letters if any (app/models/concerns/referable.rb).
_REFERENCE_URL = re.compile(
    r"/(?:commit|compare|epics|issues|merge_requests|milestones|snippets|work_items)/[^#]+$"
)
_NOWHERE = "#Nomination"
_URL_ALTERED = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9%/:?#&=+,._-]")

# Lines that may begin with a slash: a closed code fence after a blank line.
_FENCED = re.compile(
    r"(?:\A|^[ \t]*\n)(?P<fence>(?P<sign>[`~])(?P=sign){2,})(?!(?P=sign))"
    r"(?:(?<=`)[^`\n]*|(?<=~).*)\n"
    r"(?:.*\n)*? {0,3}(?P=fence)(?P=sign)*[ \t]*$",
    re.MULTILINE,
)
# Also behind line ends that only Python knows.
_SLASH = re.compile(r"(?:^|[\v\f\x1c-\x1e\x85\u2028\u2029])[^\S\n]*/", re.MULTILINE)
# What may hold a fence, or be held by it, in a way that only a whole parser can tell: a fence
# elsewhere than after a blank line, HTML that blank lines do not end, `>>>`, front matter.
_DOUBTFUL = re.compile(
    r"^(?!<!--[^<>\n]*-->$)[ \t]*(?:```|~~~|>>>|<(?:pre|script|style|textarea|[?!]))"
    r"|\A(?:---|\+\+\+|;;;)$",
    re.MULTILINE | re.IGNORECASE,
)


def code_span(text: str, limit: int = LIMIT, *, joined: bool = False) -> str:
    """Return a code span that shows `text` on one line, for Markdown but not for raw HTML.

    Safe in a paragraph, list item, quotation and table cell. Pipes and angle brackets become
    look-alikes, characters that do not print become escapes, but for what keeps emoji
    `joined`. Put something between two spans.
    """
    line = _one_line(text, limit, joined=joined)
    shown = _BACKTICKS.sub("`" + _ELLIPSIS, line).translate(_LOOKALIKES)
    fence = "``" if "`" in shown else "`"
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def plain(text: str, limit: int = LIMIT) -> str:
    """Return `text` as one line of running text, for Markdown and for raw HTML alike."""
    return _RISKY.sub(_disarm, _one_line(text, limit))


def username(name: str) -> str:
    """Return an account's name as a code span: people recognise it, nobody is notified."""
    return code_span("@" + name)


def web_link(label: str, url: str) -> str:
    """Return a link, or the label alone when the address is not one of the web.

    A link to a merge request or the like gets a fragment that is nowhere: without it GitLab would
    note "mentioned in merge request …" there.
    """
    if not url.startswith(("https://", "http://")):
        return plain(label)
    address = _URL_ALTERED.sub(_percent_encode, url)
    return f"[{plain(label)}]({address}{_NOWHERE if _REFERENCE_URL.search(address) else ''})"


def log_line(text: str, limit: int = LOG_LIMIT) -> str:
    """Return `text` as one printable line that neither colours, moves nor folds a job log."""
    return _SECTION.sub(r"\1;", _one_line(text, limit))


def diff_line(line: str) -> str:
    """Return a line of a diff as one printable line, with the blanks before its text."""
    text = line.lstrip(" +-")
    return line.removesuffix(text) + log_line(text) if text else line


def has_quick_action(markdown: str) -> bool:
    """Return whether GitLab could take a line for a quick action, erring on the side of yes.

    GitLab executes them in paragraphs only. Here a line that starts with a slash is let pass in
    closed code fences alone, and only if nothing else in the text casts doubt on the fences.
    """
    text = re.sub(r"\r\n?", "\n", markdown)
    outside = _FENCED.sub("", text)
    return bool(_SLASH.search(text) and (_SLASH.search(outside) or _DOUBTFUL.search(outside)))


def _one_line(text: str, limit: int, *, joined: bool = False) -> str:
    # Cut first: a text of megabytes must not cost more than what is shown of it.
    start = " ".join(text.split(None, limit + 1))[: limit + 1]
    kept = _ZWJ if joined else ""
    shown = "".join(c if c.isprintable() or c in kept else _escape(c) for c in start)
    for hidden in (_INVISIBLE, _LOOSE):
        shown = hidden.sub(lambda match: _escape(match[0]), shown)
    if len(shown) > limit:
        shown = shown[: limit - 1].rstrip(f" {_ZWJ}") + _ELLIPSIS
    return shown or _EMPTY


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _disarm(match: re.Match[str]) -> str:
    found = match[0]
    if match.lastgroup == "trigger":
        return f"&#{ord(found)};{_JOINER}"
    if match.lastgroup == "after":
        return f"{_JOINER}&#{ord(found)};"
    if match.lastgroup == "sign":
        return f"&#{ord(found)};"
    if match.lastgroup == "hex":
        return _JOINER.join(found[start : start + 6] for start in range(0, len(found), 6))
    return found + _JOINER


def _percent_encode(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace"))
