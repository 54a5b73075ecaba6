"""Tests of what several looks at merge requests share."""

import pytest

from bot.evidence.facts import Fact, FileAt, MembersOf, Need
from bot.evidence.shared import SharedFacts
from bot.unread import Unread
from tests.builders import GROUP, PROJECT, make_members
from tests.fakes import FakeSource

MEMBERS = MembersOf(GROUP)
UNREAD = Unread(reason="GitLab answered 500")


@pytest.mark.parametrize(
    ("need", "answer", "rounds"),
    [
        (MEMBERS, make_members("margaret"), 1),
        (MEMBERS, UNREAD, 2),
        (FileAt("group/other", "main", "list.json"), b"{}", 1),
        (FileAt("group/other", "main", "list.json"), None, 1),
        (FileAt("group/other", "main", "list.json"), UNREAD, 2),
        (FileAt(PROJECT, "main", "a.yml"), b"", 2),
    ],
)
def test_what_several_share_is_read_once_unless_that_failed(
    need: Need, answer: Fact, rounds: int
) -> None:
    source = FakeSource({need: answer})
    shared = SharedFacts(source, PROJECT)
    assert [shared.fetch_facts({need}) for _ in range(2)] == [{need: answer}] * 2
    assert len(source.rounds) == rounds
