"""Random stories with faults, lost and doubled events, and jobs side by side."""

import pytest

from tests.chaos.__main__ import describe, tell_stories

CHUNKS = 5
STORIES = 5


@pytest.mark.parametrize("first", range(1, CHUNKS * STORIES, STORIES))
def test_every_story_ends_with_one_true_comment_and_the_right_gate(first: int) -> None:
    wrong = [describe(told) for told in tell_stories(first, STORIES) if told.wrongs]
    assert not wrong, "\n\n".join(wrong)


def test_a_story_can_be_told_again() -> None:
    one, other = (tell_stories(7, 1)[0] for _ in range(2))
    assert (one.lines, one.counts) == (other.lines, other.counts)
    assert one.counts["calls"] > 0
