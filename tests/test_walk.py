"""How much an event carries through the sentence: docs/architecture.md lists it."""

import dataclasses
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import bot.app.offers
import bot.app.rounds
from bot.app import Choices
from bot.evidence import OfMergeRequest
from bot.evidence.facts import Asks
from bot.merge_request import MergeRequest
from bot.policy import BrokenPolicy, Policy
from bot.publish import GateChoice
from tests.nomination_world import look_once, make_world

ROOT = Path(__file__).parents[1]
SENTENCE = {bot.app.sentence.__file__, bot.app.offers.__file__, bot.app.rounds.__file__}
MOST = 13
# The operator's choices are the same for every event; needs and facts come from the ledger.
NEEDS = (*Asks.__subclasses__(), *OfMergeRequest.__subclasses__())
FACTS = {need.kind for need in NEEDS} - {MergeRequest}
CHOSEN = (Choices, GateChoice, Policy, BrokenPolicy, Asks)


def values_in(held: object) -> Iterator[str]:
    """Yield the kinds of the bot's values that are held, alone or in a collection."""
    if isinstance(held, dict):
        held = tuple(held.values())
    for each in held if isinstance(held, tuple | list | set) else (held,):
        kind, is_value = type(each), dataclasses.is_dataclass(each)
        if is_value and kind not in FACTS and not isinstance(each, (*CHOSEN, type)):
            yield kind.__name__


@contextmanager
def watching(found: set[str]) -> Iterator[None]:
    """Note which values the functions of the sentence have in hand when they return."""

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code.co_filename in SENTENCE:
            found.update(kind for held in frame.f_locals.values() for kind in values_in(held))

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


def test_the_sentence_has_few_values_in_hand_and_the_docs_name_them() -> None:
    made, found = make_world(), set[str]()
    with watching(found):
        look_once(made)
    assert {"MergeRequest", "Evaluation"} <= found
    assert len(found) <= MOST
    walk = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert {kind for kind in found if f"`{kind}`" not in walk} == set()


def read_rows() -> dict[str, int]:
    """Return how high each room stands, by the rule that CI enforces."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    rows = next(each["layers"] for each in contracts if each.get("containers") == ["bot"])
    return {
        room.strip(): height
        for height, row in enumerate(reversed(rows))
        for room in row.replace("|", ":").split(":")
    }


@contextmanager
def following(stays: list[str]) -> Iterator[None]:
    """Note which rooms the functions of the sentence enter, one after another."""
    rows = read_rows()
    # The sentence is the highest row but the doors; the door to GitLab is a port to it, and the
    # lowest row parses. A value that is asked for one of its properties is in hand already.
    entered = {room for room, height in rows.items() if 0 < height < rows["app"]} - {"gitlab"}

    def note(frame: FrameType, event: str, _: Any) -> None:
        caller = frame.f_back
        is_verb = "." not in frame.f_code.co_qualname
        if event == "call" and is_verb and caller and caller.f_code.co_filename in SENTENCE:
            room = frame.f_globals.get("__name__", "").split(".")[1:2]
            if entered.issuperset(room) and stays[-1:] != room:
                stays.extend(room)

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


@pytest.mark.sample(1)
@pytest.mark.parametrize("is_merged", [False, True])
def test_the_merge_request_climbs_back_three_times_at_most(is_merged: bool) -> None:
    made, stays, rows = make_world(), list[str](), read_rows()
    if is_merged:
        made.merge()
    with following(stays):
        look_once(made)
    climbs = [
        f"{before} to {room}"
        for number, (before, room) in enumerate(pairwise(stays), 1)
        if rows[room] > rows[before] and room in stays[:number]
    ]
    assert {"evidence", "commands", "assessment", "publish"} <= set(stays)
    assert len(climbs) <= 3
