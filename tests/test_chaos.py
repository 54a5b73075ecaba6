"""Random stories with faults, lost and doubled events, and jobs side by side."""

import pytest

from bot.sandbox.http.server import Server
from bot.sandbox.world.state import World
from tests.chaos.__main__ import describe, tell_stories
from tests.chaos.story import Story, Theatre

STORIES = 15  # CI tells three hundred, these among them


@pytest.mark.sample(3)  # short ones; in one of them events are lost, and others come twice
@pytest.mark.parametrize("seed", range(STORIES, 0, -1))
def test_every_story_ends_with_one_true_comment_and_the_right_gate(seed: int) -> None:
    wrong = [describe(told) for told in tell_stories(seed, 1) if told.wrongs]
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.usefixtures("over_sockets")
def test_a_story_can_be_told_again_and_is_the_same_over_a_socket() -> None:
    one = tell_stories(15, 1)[0]
    with Server(World()) as server:
        other = Story(Theatre(server), 15).tell()
    assert (one.lines, one.counts) == (other.lines, other.counts)
    assert min(one.counts["calls"], one.counts["faults"]) > 0
