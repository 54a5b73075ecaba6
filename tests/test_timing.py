"""Tests of since when a nomination stands, on lists that are cut, missing or odd."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.evidence import (
    Deed,
    Deeds,
    DeedsOf,
    Fact,
    FileAt,
    Ledger,
    Need,
    StateChangesOf,
    Version,
    Versions,
    VersionsOf,
)
from bot.evidence.timing import MOST_VERSIONS, Timing, entry_needs, trace_timing
from bot.unread import Content, Unread
from tests.builders import ENTRY, HEAD, NOW, PROJECT, make_merge_request, make_nomination
from tests.fakes import FakeSource

MERGE_REQUEST = make_merge_request()
NOMINATION = make_nomination()
UNREAD = Unread(reason="GitLab answered 500")
VERSIONS, ACTIVITY, CHANGES = (
    VersionsOf(PROJECT, 231),
    DeedsOf(PROJECT, 231),
    StateChangesOf(PROJECT, 231),
)
WITH = b"gitlab: ada\nprojects:\n  ai-gateway: maintainer\n"
WITHOUT = b"gitlab: ada\n"


def ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def make_facts(
    states: Sequence[Content], *, complete: bool = True, **changes: Any
) -> dict[Need, Fact]:
    """Build facts in which the entry had these states, newest first, the last a day ago."""
    heads = [HEAD, *(f"head{number}" for number in range(1, len(states)))]
    items = tuple(Version(head_sha=head, at=ago(n + 1)) for n, head in enumerate(heads))
    facts: dict[Need, Fact] = {
        VERSIONS: Versions(items=items, complete=complete),
        ACTIVITY: Deeds(items=(), complete=True),
        CHANGES: Deeds(items=(), complete=True),
    }
    names: dict[str, Need] = {"versions": VERSIONS, "activity": ACTIVITY, "changes": CHANGES}
    for head, state in zip(heads, states, strict=True):
        facts[FileAt(PROJECT, head, ENTRY)] = state
    for name, fact in changes.items():
        facts[names[name]] = fact
    return facts


def trace(facts: dict[Need, Fact]) -> Timing | Unread:
    return trace_timing(NOMINATION, MERGE_REQUEST, Ledger(facts, FakeSource()))


@pytest.mark.parametrize(
    ("states", "nominated", "settled"),
    [
        ([WITH, WITHOUT], 1, 1),
        ([WITH, WITH + b"x: y\n", WITHOUT], 2, 1),
        ([WITH, WITH, WITHOUT, WITH], 2, 2),
        ([WITH, None], 1, 1),
        ([WITH, b"[broken", WITH], 1, 1),
        ([WITH, b"gitlab: bea\nprojects:\n  ai-gateway: maintainer\n"], 1, 1),
        ([WITH, WITH], 2, 2),
    ],
)
def test_a_nomination_stands_since_it_came_without_a_break(
    states: Sequence[Content], nominated: int, settled: int
) -> None:
    found = trace(make_facts(states))
    assert isinstance(found, Timing)
    assert (found.nominated, found.settled) == (ago(nominated), ago(settled))
    assert found.opened == found.settled


def test_a_single_version_came_with_the_merge_request() -> None:
    facts = make_facts([WITH])
    assert entry_needs(NOMINATION, MERGE_REQUEST, Ledger(facts, FakeSource())) == set()
    found = trace(facts)
    assert isinstance(found, Timing)
    assert found.settled == found.nominated == MERGE_REQUEST.created_at


def test_reopening_and_another_target_begin_anew() -> None:
    retargeted = NOW - timedelta(hours=2)
    noted = [(retargeted, "changed target branch from `a`"), (NOW, "approved this merge request")]
    own = tuple(Deed(at=at, by="Bo", words=words) for at, words in noted)
    activity = Deeds(items=own, complete=True)
    later = NOW - timedelta(hours=1)
    deeds = [(later, "reopened"), (NOW, "merged")]
    items = tuple(Deed(at=at, by="bo", words=words) for at, words in deeds)
    changes = Deeds(items=items, complete=True)
    found = trace(make_facts([WITH, WITH], activity=activity, changes=changes))
    assert isinstance(found, Timing)
    assert found.nominated == found.settled == retargeted
    assert (found.opened, found.approved) == (later, {"bo": NOW})


@pytest.mark.parametrize(("complete", "count"), [(False, 3), (True, MOST_VERSIONS + 1)])
def test_more_versions_than_are_examined_leave_it_open_where_nothing_else_came_before(
    complete: bool, count: int
) -> None:
    found = trace(make_facts([WITH] * count, complete=complete))
    assert isinstance(found, Unread)
    assert "more versions" in found.reason
    broken = trace(make_facts([WITH, WITHOUT, *[WITH] * (count - 2)], complete=complete))
    assert isinstance(broken, Timing)


def test_as_many_versions_are_read_as_are_examined() -> None:
    facts = make_facts([WITH] * (MOST_VERSIONS + 5))
    needs = entry_needs(NOMINATION, MERGE_REQUEST, Ledger(facts, FakeSource()))
    assert len(needs) == MOST_VERSIONS
    assert FileAt(PROJECT, HEAD, ENTRY) in needs


@pytest.mark.parametrize("name", ["versions", "activity", "changes"])
@pytest.mark.parametrize("answer", [UNREAD, None])
def test_what_cannot_be_read_leaves_all_of_it_unread(name: str, answer: Fact) -> None:
    changes: dict[str, Any] = {name: answer}
    facts = make_facts([WITH, WITHOUT], **changes)
    assert isinstance(trace(facts), Unread)
    if name == "versions":
        assert entry_needs(NOMINATION, MERGE_REQUEST, Ledger(facts, FakeSource())) == set()


def test_a_state_of_the_entry_that_cannot_be_read_leaves_it_unread() -> None:
    assert trace(make_facts([WITH, UNREAD, WITHOUT])) == UNREAD


def test_versions_of_another_head_are_not_those_that_are_judged() -> None:
    versions = Versions(items=(Version(head_sha="other", at=ago(9)),), complete=True)
    found = trace(make_facts([WITH], versions=versions))
    assert isinstance(found, Unread)
    assert "newest version" in found.reason
