"""Find the commands in a note."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import islice

from bot.commands.markdown import CLOSE, OPEN, find_prose
from bot.event import UNSEEN
from bot.values import dataclass

NOTE_LIMIT = 10_000  # characters of a note that are searched for commands
# Characters of all notes together that are parsed as Markdown: the worst cost 15 s a million.
PARSED_LIMIT = 200_000
COMMAND_LIMIT = 20  # commands of one note that are read
PUNCTUATION = "`.,:;!?"  # forgiven around the words of a command

# A line that can be nothing but text of a top-level paragraph, or blank: it begins no block, ends
# none, and holds nothing that could reach over a line end.
_PLAIN = re.compile(r"(?:[/\w](?<!\d)[^`<\\|]*)?$")

_WITHOUT_UNSEEN = str.maketrans("", "", UNSEEN)


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


NOTHING = Reading(requests=(), whole=True)


# Several questions of one look are about the same comments, one of them with earlier ones beside.
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
    """A note with lines that may be commands: `rests` are what follows the word, by line.

    One that `is_plain` needs no parsing.
    """

    body: str
    lines: tuple[str, ...]
    rests: tuple[tuple[int, str], ...]
    whole: bool
    is_plain: bool

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
        kept = _until_blank(lines, rests)
        return cls(
            body=body,
            lines=kept,
            rests=tuple(rests),
            whole=not pattern.search(text, end),
            is_plain=all(map(_PLAIN.match, kept)),
        )

    @property
    def cost(self) -> int:
        return 0 if self.is_plain else sum(map(len, self.lines)) + len(self.lines)


def _normalize(body: str) -> str:
    """End every line alike, and take out the signs that mark a line for a moment.

    So is the sign before the first line that GitLab's parser passes over (`process_line` in
    comrak's parser/mod.rs): behind it a comment in HTML, which nobody sees, would be none.
    """
    body = body.removeprefix("\ufeff")
    for found, wanted in (("\r\n", "\n"), ("\r", "\n"), (OPEN, ""), (CLOSE, "")):
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
        found = find_prose(candidate.lines, rests.keys())
    numbers = tuple(islice(found, COMMAND_LIMIT + 1))
    requests = tuple(_parse_request(rests[n], n + 1) for n in numbers[:COMMAND_LIMIT])
    return Reading(requests=requests, whole=candidate.whole and len(numbers) <= COMMAND_LIMIT)


def _parse_request(rest: str, line: int) -> Request:
    seen = rest.translate(_WITHOUT_UNSEEN)
    verb, _, arguments = " ".join(seen.lstrip(PUNCTUATION).split()).partition(" ")
    return Request(verb_text=verb.strip(PUNCTUATION), arguments=arguments, line=line)
