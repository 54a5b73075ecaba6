"""Questions about comments that take no replaying."""

from collections.abc import Iterator, Sequence

from bot.commands.text import NOTHING, Request, read_comments
from bot.commands.values import Outcome
from bot.merge_request import Note, Person

DECIDING = frozenset({"waive", "unwaive", "hold", "release"})


def is_asked(notes: Sequence[Note], word: str) -> bool:
    """Return whether any comment holds a command."""
    return any(
        requests
        for note, requests in _requests_of(notes, word)
        # An answer to an internal note would tell everybody of it; bots get none.
        if not (note.internal or (note.author and note.author.bot))
    )


def decides(notes: Sequence[Note], word: str) -> bool:
    """Return whether any comment holds a command that takes authority."""
    return any(_verbs(requests) & DECIDING for _, requests in _requests_of(notes, word))


def takes_waivers_back(notes: Sequence[Note], word: str) -> bool:
    """Return whether any comment takes a waiver back."""
    return any("unwaive" in _verbs(requests) for _, requests in _requests_of(notes, word))


def wants_push_time(notes: Sequence[Note], word: str) -> bool:
    """Return whether a comment waives something without saying for whom."""
    requests = (each for _, found in _requests_of(notes, word) for each in found)
    return any(map(waives_for_nobody_by_name, requests))


def waives_for_nobody_by_name(request: Request) -> bool:
    """Return whether a command waives something without saying for whom."""
    return request.verb_text.casefold() == "waive" and not request.arguments.startswith("@")


def find_stating(notes: Sequence[Note], word: str) -> tuple[Person, ...]:
    """Return those of whom the bot accepted by a tick that they stated something as nominees."""
    return tuple(
        note.author
        for note, requests in _requests_of(notes, word)
        if note.author and not note.edited and Outcome.DONE.value in note.own_emoji
        if "attest" in _verbs(requests)
    )


def _requests_of(notes: Sequence[Note], word: str) -> Iterator[tuple[Note, tuple[Request, ...]]]:
    """Yield the comments of people and bots, each with the commands in it."""
    readings = read_comments(tuple(note.body for note in notes), word)
    for note in notes:
        if not note.system:
            yield note, readings.get(note.body, NOTHING).requests


def _verbs(requests: Sequence[Request]) -> set[str]:
    return {request.verb_text.casefold() for request in requests}
