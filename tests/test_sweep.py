"""Tests of what several looks at merge requests share."""

import pytest

from bot.app import Look
from bot.app.sweep import sweep
from bot.errors import GitLabError
from bot.evidence import Fact, FileAt, MembersOf, Need
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


def test_a_bug_at_one_stops_none_of_the_others_and_is_told_at_the_end() -> None:
    seen: list[int] = []

    def look(iid: int) -> Look:
        seen.append(iid)
        if iid == 1:
            raise GitLabError("GitLab answered 500")
        if iid < 4:
            raise KeyError(iid)
        return Look(iid=iid, problems=())

    with pytest.raises(KeyError) as error:
        sweep(range(1, 6), look, lambda _: None)
    assert seen == [1, 2, 3, 4, 5]
    assert error.value.__notes__ == [
        "This was at !2.",
        "!1: GitLab answered 500",
        "!2: a bug: KeyError",
        "!3: a bug: KeyError",
    ]
