"""How much an event carries through the sentence: docs/architecture.md lists it."""

import dataclasses
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import bot.app
import bot.evidence.facts
import bot.offers
import bot.rounds
from bot.app import Choices
from bot.policy import BrokenPolicy, Policy
from bot.publish import GateChoice
from tests.nomination_world import look_once, make_world

SENTENCE = {bot.app.__file__, bot.offers.__file__, bot.rounds.__file__}
MOST = 13
# The operator's choices are the same for every event; needs and facts come from the ledger.
FACTS = bot.evidence.facts.__name__
CHOSEN = (Choices, GateChoice, Policy, BrokenPolicy)


def values_in(held: object) -> Iterator[str]:
    """Yield the kinds of the bot's values that are held, alone or in a collection."""
    if isinstance(held, dict):
        held = tuple(held.values())
    for each in held if isinstance(held, tuple | list | set) else (held,):
        kind, is_value = type(each), dataclasses.is_dataclass(each)
        if is_value and kind.__module__ != FACTS and not isinstance(each, (*CHOSEN, type)):
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
    walk = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text("utf-8")
    assert {kind for kind in found if f"`{kind}`" not in walk} == set()
