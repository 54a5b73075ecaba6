"""What the worst comments and entries that an author can write cost, and what is said of them."""

import time
from collections.abc import Iterator

import pytest

from bot.commands.text import COMMAND_LIMIT, NOTE_LIMIT, PARSED_LIMIT, read_comments
from bot.evidence.entries import PARSED_BYTES, Changes, bound_changes
from bot.nomination.near_miss import OVERFULL
from bot.nomination.search import find_nominations
from bot.nomination.values import Change
from bot.publish.plan import MOST_EMOJI, MOST_STALE
from bot.sandbox.http.server import Server
from bot.team import RoleKey
from bot.unread import Unread
from tests.bombs import bombs
from tests.comments import parse_commands
from tests.nomination_world import (
    ENTRY,
    FOLDER,
    NominationWorld,
    entry,
    make_people,
    make_world,
    run_on,
)

COMMAND = "/nomination help"
SECONDS = 10  # of processor time, for all that one merge request can hold
MANY = 2_000
WANTED = [RoleKey(project="ai-gateway", role="maintainer")]
PIECES = {
    "cells of a wide table": f"|{'a|' * 700}\n|{'-|' * 700}\n" + "a\n" * 5_000,
    "cells of a square table": f"|{'a|' * 250}\n|{'-|' * 250}\n" + "a\n" * 5_000,
    "many tables": "a|b\n-|-\n\n" * 1_200,
    "deep quotes": ">" * NOTE_LIMIT,
    "lines of deep quotes": (">" * 50 + "a\n") * 200,
    "deep lists": "- " * NOTE_LIMIT,
    "broad lists": "* a\n1. b\n" * 1_200,
    "lists in quotes": "- > 1. * a\n" * 1_000,
    "lists and quotes": "1) a\n> b\n" * 1_200,
    "references": "[a]: b\n" * 1_500,
    "broken references": "[a]:\nb\n" * 1_500,
    "open brackets": "[a\n" * 3_500,
    "emphasis": "*a **b_" * 1_500,
    "backticks": "".join("`" * number + "a" for number in range(1, 140)),
    "backticks in pairs": "`a``a" * 2_000,
    "open tags": "<a\n" * 3_500,
    "attributes": "<a b='" * 1_700,
    "comments of HTML": "<!--" * 2_500,
    "backslashes": "\\" * NOTE_LIMIT,
    "headings": "a\n-\n" * 2_500,
    "text": "a\n" * 5_000,
    "fences": "```\n" * 2_500,
    "quotations": ">>>\n" * 2_500,
    "commands": f"{COMMAND}\n" * 600,
    "commands behind quotes": f"> a\n\n{COMMAND}\n\n" * 400,
    "blank lines": "\n" * NOTE_LIMIT,
}


def worst_comments() -> list[str]:
    """Write each of the worst comments with a command at its end, all of them different."""
    tail = f"\n\n{COMMAND}\n"
    return [
        f"x{number}\n\n{piece[: NOTE_LIMIT - len(tail) - 20]}{tail}"
        for number in range(MANY // len(PIECES) + 1)
        for piece in PIECES.values()
    ][:MANY]


def worst_entries(count: int) -> Iterator[Change]:
    """Make changes of entries, each from one of the worst files to another."""
    files = [raw for _, raw in bombs()]
    for number in range(count):
        yield Change(
            path=f"{FOLDER}/a/a{number:03}.yml",
            base=files[(number + 1) % len(files)] + b"\n# before",
            head=files[number % len(files)] + b"\n# %d" % number,
            target=files[(number + 1) % len(files)] + b"\n# target",
        )


@pytest.fixture
def made() -> NominationWorld:
    """Open a nomination that is ready."""
    return make_world()


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", PIECES)
def test_no_comment_takes_long(name: str) -> None:
    body = f"{PIECES[name][: NOTE_LIMIT - 50]}\n\n{COMMAND}\n"
    began = time.process_time()
    parse_commands(body, "nomination")
    assert time.process_time() - began < 1


@pytest.mark.sample(0)
def test_two_thousand_of_the_worst_comments_take_less_than_ten_seconds() -> None:
    bodies = tuple(worst_comments())
    assert len(set(bodies)) == MANY
    began = time.process_time()
    readings = read_comments(bodies, "nomination")
    assert time.process_time() - began < SECONDS
    assert {reading.whole for reading in readings.values()} == {True, False}


@pytest.mark.sample(0)
def test_three_hundred_of_the_worst_entries_take_less_than_ten_seconds() -> None:
    changes = Changes(items=tuple(worst_entries(300)), facts={})
    began = time.process_time()
    bounded = bound_changes(changes, lambda _: True)
    found = find_nominations(bounded.items, WANTED)
    assert time.process_time() - began < SECONDS
    assert any("larger than the bot reads" in remark.message for remark in found.unread)


def test_small_files_are_read_before_large_ones() -> None:
    large = Change(path=f"{FOLDER}/a/a.yml", base=b"x", head=b"#" * (PARSED_BYTES - 10))
    small = Change(path=f"{FOLDER}/b/b.yml", base=b"", head=entry("bea", "maintainer"))
    other = Change(path="data/team.yml", base=None, head=b"#" * (PARSED_BYTES + 1))
    changes = Changes(items=(large, small, other), facts={})
    bounded = bound_changes(changes, lambda path: path != other.path).items
    assert bounded[1:] == (small, other)
    assert isinstance(bounded[0].head, Unread)
    assert isinstance(bounded[0].base, Unread)
    assert bounded[0].target is None


def test_comments_beyond_the_budget_are_not_whole_and_hide_no_short_ones() -> None:
    long = [f"{number}\n\n> a\n{'b' * 9_000}\n\n{COMMAND}" for number in range(40)]
    short = f"`x` {len(long)}\n\n{COMMAND}"
    readings = read_comments((*long, "only text", short), "nomination")
    assert readings[short].whole
    assert [request.verb_text for request in readings[short].requests] == ["help"]
    assert "only text" not in readings
    cut = [body for body in long if not readings[body].whole]
    assert len(cut) == 40 - PARSED_LIMIT // len(long[-1])
    assert not any(readings[body].requests for body in cut)


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        (COMMAND, True),
        (f"{COMMAND}\n" * COMMAND_LIMIT, True),
        (f"{COMMAND}\n" * (COMMAND_LIMIT + 1), False),
        (f"> a\n\n{COMMAND}\n" * (COMMAND_LIMIT + 1), False),
        (f"{COMMAND}\n\n{'x' * NOTE_LIMIT}", True),
        (f"{COMMAND}\n\n{'x' * NOTE_LIMIT}\n{COMMAND}", False),
        (f"{'x' * NOTE_LIMIT}\n{COMMAND}", False),
        (f"{'x' * NOTE_LIMIT} {COMMAND}", None),
    ],
)
def test_a_comment_with_more_than_is_read_is_not_whole(body: str, whole: bool | None) -> None:
    readings = read_comments((body,), "nomination")
    assert [reading.whole for reading in readings.values()] == ([] if whole is None else [whole])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"a | b\n--|--\nc | d\n{COMMAND}\n\n{COMMAND}", [6]),
        (f"a | b\n--|--\n> q\n\n{COMMAND}", [5]),
        (f"a | b\n--|--\n    code\n\n{COMMAND}", [5]),
        (f"- a | b\n  --|--\n{COMMAND}", [3]),
        (f"text\na | b\n--|--\n{COMMAND}", []),
        (f"{COMMAND} a | b\n--|--\n", []),
    ],
)
def test_a_table_is_skipped_as_gitlab_reads_it(text: str, found: list[int]) -> None:
    assert [request.line for request in parse_commands(text, "nomination")] == found


LONG = "`\n" + "x" * NOTE_LIMIT + "\n\n/nomination hold wait"


@pytest.mark.parametrize(
    ("by", "gate"), [("max", "pending"), ("mia", "pending"), ("dora", "passed")]
)
def test_an_unread_comment_shuts_the_gate_if_its_author_could(
    made: NominationWorld, server: Server, by: str, gate: str
) -> None:
    made.say(LONG, by=by)
    outcome = run_on(server, made.nomination)
    assert outcome.gate == gate
    assert ("more text or commands than the bot reads" in outcome.body) is (gate == "pending")


def test_an_edited_unread_comment_has_no_effect(made: NominationWorld, server: Server) -> None:
    note = made.say(LONG)
    note.last_edited_at, note.last_edited_by = made.world.now, made.user("max")
    assert run_on(server, made.nomination).gate == "passed"


def test_the_worst_merge_request_gets_its_comment_and_its_gate(
    made: NominationWorld, server: Server, every: bool
) -> None:
    for body in worst_comments()[: 400 if every else 50]:
        note = made.say("x", by="dora")
        note.body = body
    began = time.process_time()
    outcome = run_on(server, made.nomination)
    assert (outcome.gate, outcome.problems) == ("passed", [])
    # The sandbox is a part of this process, and renders all these comments, too.
    assert time.process_time() - began < 2 * SECONDS
    assert outcome.calls <= 60


def test_many_commands_are_answered_over_several_runs_the_newest_first(
    made: NominationWorld, server: Server
) -> None:
    notes = [made.say("/nomination help", by="dora") for _ in range(MOST_EMOJI + 5)]
    run_on(server, made.nomination)
    assert [bool(note.awards) for note in notes] == [False] * 5 + [True] * MOST_EMOJI
    run_on(server, made.nomination)
    assert all(note.awards for note in notes)
    for note in notes:
        note.body = "never mind"
    for _ in range(-(-len(notes) // MOST_STALE)):
        assert run_on(server, made.nomination).problems == []
    assert not any(note.awards for note in notes)


@pytest.mark.sample(0)
def test_a_hundred_hostile_siblings_leave_the_gate_shut_in_time(made: NominationWorld) -> None:
    files = make_people(made, 100, None)
    keys = "".join(f"  ai-gatewa{n}: maintaine{n}\n" for n in range(2_000)).encode()
    hostile = {path: raw + b"projects:\n" + keys for path, raw in files.items()}
    mr = made.open({**hostile, ENTRY: entry("nina", "maintainer")}, branch="hostile")
    with Server(made.world) as server:
        began = time.process_time()
        outcome = run_on(server, mr)
        assert time.process_time() - began < 2 * SECONDS
    assert outcome.gate in {"failed", "pending"}
    assert "larger than the bot reads" in outcome.body


WRONG = b"  ai-gatway: maintainer\n"


def test_an_entry_with_too_many_texts_to_compare_is_a_near_miss() -> None:
    base = b"gitlab: ada\nprojects:\n" + b"".join(b"  p%d: reviewer\n" % n for n in range(900))
    change = Change(path=f"{FOLDER}/a/a.yml", base=base, head=base + WRONG, target=base)
    (remark,) = find_nominations([change], WANTED).remarks
    assert OVERFULL in remark.message
    assert remark.near_miss
