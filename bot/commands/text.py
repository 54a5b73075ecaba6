"""Find the commands in a note, and say which commands there are."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from enum import Enum
from functools import cache, lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from bot.event import UNSEEN
from bot.values import dataclass

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.parser_block import RuleFuncBlockType
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

NOTE_LIMIT = 10_000  # characters of a note that are searched for commands
# Characters of all notes together that are parsed as Markdown: the worst cost 15 s a million.
PARSED_LIMIT = 200_000
COMMAND_LIMIT = 20  # commands of one note that are read
PUNCTUATION = "`.,:;!?"  # forgiven around the words of a command

# A line that can be nothing but text of a top-level paragraph, or blank: it begins no block, ends
# none, and holds nothing that could reach over a line end.
_PLAIN = re.compile(r"(?:[/\w](?<!\d)[^`<\\|]*)?$")

_WITHOUT_UNSEEN = str.maketrans("", "", UNSEEN)
_OPEN, _CLOSE = "\ue000", "\ue001"  # mark a line for a moment; no note may hold them

# Every quick action GitLab documents or has had, whatever it acts on: the extractor cuts all of
# them out of a merge request's note (lib/gitlab/quick_actions/extractor.rb).
RESERVED = frozenset(
    """
    add_child add_contacts add_email approve assign assign_reviewer award blocked_by blocks
    board_move cc checkin_reminder child_epic clear_health_status clear_weight clone close
    confidential convert_to_ticket copy_metadata create_merge_request done draft due
    duo_code_review duplicate epic estimate estimate_time health_status internal_note invite_email
    iteration label labels link lock merge milestone move page parent_epic promote promote_to
    promote_to_incident publish q react ready reassign reassign_reviewer rebase relabel relate
    remove_child remove_child_epic remove_contacts remove_due_date remove_email remove_estimate
    remove_iteration remove_label remove_milestone remove_parent remove_parent_epic
    remove_reviewer remove_time_estimate remove_time_spent remove_zoom reopen request_changes
    request_review reviewer run_pipeline set_parent severity ship shrug spend spend_time spent
    status submit_review subscribe tableflip tag target_branch timeline title todo type unapprove
    unassign unassign_reviewer unlabel unlink unlock unsubscribe weight zoom
    """.split()  # noqa: SIM905 (a list literal would take a hundred lines)
)


class Audience(Enum):
    """Who may use a command; the value is how people read it."""

    ANYONE = "anyone who can comment"
    NOMINEE = "the nominee"
    MAINTAINER_OR_MANAGER = (
        "a current maintainer or the nominee's manager; "
        "no nominee, and not the author of the merge request"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A command: how it is written after the word, who may use it, and what it does."""

    name: str
    usage: str
    who: Audience
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The commands that were found in a note; `whole` says whether there can be no others."""

    requests: tuple["Request", ...]
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A command as somebody wrote it: foreign text; `line` counts from 1."""

    verb_text: str
    arguments: str
    line: int


VERBS = (
    Verb(
        name="recheck",
        usage="recheck",
        who=Audience.ANYONE,
        effect="Evaluates the merge request again.",
    ),
    Verb(
        name="help",
        usage="help",
        who=Audience.ANYONE,
        effect="Shows the commands in the bot's comment until the next command.",
    ),
    Verb(
        name="attest",
        usage="attest <topic> …",
        who=Audience.NOMINEE,
        effect="States that you know these topics; `attest all` names every topic.",
    ),
    Verb(
        name="waive",
        usage="waive [@nominee] <requirement> <reason>",
        who=Audience.MAINTAINER_OR_MANAGER,
        effect="Lets the nomination pass without this requirement, for the reason given.",
    ),
    Verb(
        name="unwaive",
        usage="unwaive [@nominee] <requirement>",
        who=Audience.MAINTAINER_OR_MANAGER,
        effect="Takes a waiver back.",
    ),
    Verb(
        name="hold",
        usage="hold <reason>",
        who=Audience.MAINTAINER_OR_MANAGER,
        effect="Keeps the gate closed for the whole merge request.",
    ),
    Verb(
        name="release",
        usage="release",
        who=Audience.MAINTAINER_OR_MANAGER,
        effect="Ends a hold.",
    ),
)


def check_word(word: str) -> str | None:
    """Say why `word` cannot be the command's first word, or return `None` if it can."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]{1,31}", word, re.IGNORECASE | re.ASCII):
        return (
            f"the command word {word[:40]!r} must be 2 to 32 ASCII letters, digits, `_` or `-`, "
            "start with a letter, and be written without the slash"
        )
    if word.casefold() in RESERVED:
        return f"the command word {word!r} is a quick action of GitLab's own: choose another"
    return None


def help_table(word: str) -> tuple[tuple[str, str, str], ...]:
    """Return usage, audience and effect of every command, as plain text."""
    return tuple((f"/{word} {verb.usage}", verb.who.value, verb.effect) for verb in VERBS)


NOTHING = Reading(requests=(), whole=True)


@lru_cache(maxsize=2)
def read_comments(bodies: tuple[str, ...], word: str) -> Mapping[str, Reading]:
    """Find the commands of many notes, each parsed once; notes that can hold none are left out.

    They are lines of top-level paragraphs, as for GitLab's quick actions: of each note
    `COMMAND_LIMIT` at most, in its first `NOTE_LIMIT` characters. Short notes come first, so that
    whoever writes long ones hides no others. What is beyond `PARSED_LIMIT` is not parsed, and its
    reading is not whole.
    """
    candidates = [_Candidate.find(body, word) for body in dict.fromkeys(bodies)]
    left = PARSED_LIMIT
    readings = {}
    for candidate in sorted(filter(None, candidates), key=lambda each: (each.cost, each.body)):
        left -= candidate.cost
        if left < 0:
            readings[candidate.body] = Reading(requests=(), whole=False)
        else:
            readings[candidate.body] = _read(candidate)
    return readings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A note with lines that may be commands: `rests` are what follows the word, by line."""

    body: str
    lines: tuple[str, ...]
    rests: tuple[tuple[int, str], ...]
    whole: bool

    @classmethod
    def find(cls, body: str, word: str) -> "_Candidate | None":
        pattern = _line(word)
        text = _normalize(body)
        if not pattern.search(text):
            return None
        lines = text[:NOTE_LIMIT].split("\n")
        # Half a line is not what its author wrote.
        end = NOTE_LIMIT - len(lines.pop()) if len(text) > NOTE_LIMIT else len(text)
        rests, number, begin = [], 0, 0
        for match in pattern.finditer(text, 0, end):
            number += text.count("\n", begin, match.start())
            begin = match.start()
            rests.append((number, match["rest"]))
        return cls(
            body=body,
            lines=_until_blank(lines, rests),
            rests=tuple(rests),
            whole=not pattern.search(text, end),
        )

    @property
    def is_plain(self) -> bool:
        return all(_PLAIN.match(line) for line in self.lines)

    @property
    def cost(self) -> int:
        return 0 if self.is_plain else sum(map(len, self.lines)) + len(self.lines)


def _normalize(body: str) -> str:
    """End every line alike, and take out the signs that mark a line for a moment.

    So is the sign before the first line that GitLab's parser passes over (`process_line` in
    comrak's parser/mod.rs): behind it a comment in HTML, which nobody sees, would be none.
    """
    body = body.removeprefix("\ufeff")
    for found, wanted in (("\r\n", "\n"), ("\r", "\n"), (_OPEN, ""), (_CLOSE, "")):
        body = body.replace(found, wanted)
    return body


@cache
def _line(word: str) -> re.Pattern[str]:
    name = rf"[{UNSEEN}]*/(?ai:{re.escape(word)})"
    return re.compile(rf"(?m)^{name}(?P<rest>[.,:;!?{UNSEEN}]*(?:[^\S\n].*)?)$")


def _until_blank(lines: Sequence[str], rests: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """Cut what follows the paragraph of the last candidate: no later line makes it another."""
    last = rests[-1][0] if rests else -1
    ends = (number for number in range(last + 1, len(lines)) if not lines[number].strip(" \t"))
    return tuple(lines[: next(ends, len(lines))] if rests else ())


def _read(candidate: _Candidate) -> Reading:
    rests = dict(candidate.rests)
    found: Iterable[int] = rests
    if not candidate.is_plain:
        found = _find_prose(candidate.lines, rests.keys())
    numbers = tuple(islice(found, COMMAND_LIMIT + 1))
    requests = tuple(_parse_request(rests[n], n + 1) for n in numbers[:COMMAND_LIMIT])
    return Reading(requests=requests, whole=candidate.whole and len(numbers) <= COMMAND_LIMIT)


def _parse_request(rest: str, line: int) -> Request:
    seen = rest.translate(_WITHOUT_UNSEEN)
    verb, _, arguments = " ".join(seen.lstrip(PUNCTUATION).split()).partition(" ")
    return Request(verb_text=verb.strip(PUNCTUATION), arguments=arguments, line=line)


def _find_prose(lines: Sequence[str], candidates: Set[int]) -> Iterator[int]:
    for token in _parser().parse("\n".join(lines)):
        if token.type == "paragraph_open" and token.level == 0 and token.map:
            span = range(*token.map)
            if not candidates.isdisjoint(span):
                yield from _find_text_starts(lines, candidates, span)


def _find_text_starts(lines: Sequence[str], candidates: Set[int], span: range) -> Iterator[int]:
    # Candidates are marked, so that code spans and HTML that run over line ends show them too.
    marked = (f"{_OPEN}{n}{_CLOSE}{lines[n]}" if n in candidates else lines[n] for n in span)
    parts: list[Token] = []
    _parser().inline.parse("\n".join(marked), _parser(), {}, parts)
    for part in parts:
        if part.type == "text":
            yield from map(int, re.findall(f"{_OPEN}([0-9]+){_CLOSE}", part.content))


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415 (most runs see no command)

    parser = MarkdownIt("commonmark").enable("table")
    parser.block.ruler.at("table", _skip_table, {"alt": ["paragraph", "reference"]})
    parser.block.ruler.before("fence", "multiline_quote", _skip_quote)
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.inline.ruler.enableOnly(["newline", "escape", "backticks", "autolink", "html_inline"])
    return parser


def _skip_table(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
    # As markdown-it's own rule, but for the cells: short rows of a wide table have 65,536.
    from markdown_it.rules_block import table  # noqa: PLC0415 (most runs see no command)

    ends = state.md.block.ruler.getRules("blockquote")
    # A list item that looks like the head of a table is a list item in GitLab.
    if not table(state, start, end, True) or any(rule(state, start, end, True) for rule in ends):
        return False
    if not silent:
        before, state.parentType = state.parentType, "table"
        rows = range(start + 2, end)
        state.line = next((row for row in rows if _ends_table(state, row, end, ends)), end)
        state.parentType = before
    return True


def _ends_table(
    state: "StateBlock", row: int, end: int, rules: Sequence["RuleFuncBlockType"]
) -> bool:
    return (
        state.sCount[row] < state.blkIndent
        or any(rule(state, row, end, True) for rule in rules)
        or state.isEmpty(row)
        or state.is_code_block(row)
    )


def _skip_quote(state: "StateBlock", start: int, end: int, _silent: bool) -> bool:
    # GitLab's own quotation: from a line of `>>>` to the next such line.
    lines = (state.src[state.bMarks[number] : state.eMarks[number]] for number in range(start, end))
    opening = re.fullmatch(r" {0,3}(>{3,})[ \t]*", next(lines))
    if not opening:
        return False
    closing = re.compile(rf" {{0,3}}{opening[1]}>*[ \t]*")
    after = (number for number, line in enumerate(lines, start + 2) if closing.fullmatch(line))
    state.line = next(after, end)
    return True
