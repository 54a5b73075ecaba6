"""Tests of reading the changed entries, in as few rounds as their number allows."""

from collections.abc import Iterable, Mapping

import pytest

from bot.evidence import CommitsOf, DiffsOf, Fact, FileAt, Need, StatusesOf, TipOf
from bot.evidence.entries import FEW, HISTORIES_AHEAD, Changes, Further, gather_changes
from bot.merge_request import MergeRequest
from bot.unread import NOT_LOOKED_UP, Content, Unread
from tests.builders import BASE, HEAD, PROJECT, files_at, make_merge_request
from tests.fakes import BrokenSource, FakeSource, ForgetfulSource

TARGET = "main"
OLD, NEW = "people/a/ada.yml", "people/l/lovelace.yml"
UNREAD = Unread(reason="GitLab answered 500")


def is_candidate(head: bytes) -> bool:
    return b"gateway" in head


def gather(
    source: FakeSource,
    *paths: str,
    merge_request: MergeRequest | None = None,
    ahead: Iterable[Need] = (),
) -> Changes:
    found = merge_request or make_merge_request()
    return gather_changes(found, paths, is_candidate, source, Further(ahead))


def source_of(
    contents: Mapping[tuple[str, str], Content], **renames: Mapping[str, str]
) -> FakeSource:
    facts: dict[Need, Fact] = dict(files_at(contents))
    listed = frozenset(path for ref, path in contents if ref == HEAD)
    facts[DiffsOf(PROJECT, 231)] = {path: path for path in listed} | {**renames.get("renames", {})}
    return FakeSource(facts)


def test_one_changed_entry_takes_one_round() -> None:
    source = source_of({(BASE, OLD): b"base", (HEAD, OLD): b"gateway", (TARGET, OLD): b"now"})
    (change,) = gather(source, OLD).items
    assert (change.path, change.old_path) == (OLD, None)
    assert (change.base, change.head, change.target) == (b"base", b"gateway", b"now")
    assert len(source.rounds) == 1


def test_needs_ahead_travel_in_the_same_round() -> None:
    ahead = StatusesOf(7001, HEAD, "nomination-bot")
    source = source_of({(BASE, OLD): b"", (HEAD, OLD): b"gateway"})
    changes = gather(source, OLD, ahead=[ahead])
    assert ahead in source.rounds[0]
    assert ahead in changes.facts


@pytest.mark.parametrize("count", [1, HISTORIES_AHEAD, HISTORIES_AHEAD + 1])
def test_histories_of_very_few_entries_are_read_ahead(count: int) -> None:
    source = source_of({})
    paths = [f"people/a/{n}.yml" for n in range(count)]
    gather(source, *paths)
    histories = {need.path for need in source.rounds[0] if isinstance(need, CommitsOf)}
    assert histories == (set(paths) if count <= HISTORIES_AHEAD else set())


def test_without_entries_only_the_needs_ahead_are_read() -> None:
    source = source_of({})
    ahead = StatusesOf(7001, HEAD, "nomination-bot")
    assert gather(source, ahead=[ahead]).items == ()
    assert source.rounds == [frozenset({ahead})]


def test_of_many_entries_only_the_hidden_candidate_is_read_whole() -> None:
    paths = [f"people/a/{n}.yml" for n in range(FEW * 25)]
    hidden = paths[-7]
    contents: dict[tuple[str, str], Content] = {(HEAD, path): b"title: x" for path in paths}
    contents |= {(ref, path): b"base" for path in paths for ref in (BASE, TARGET)}
    contents[HEAD, hidden] = b"ai-gateway: maintainer"
    source = source_of(contents)
    source.facts[TipOf(PROJECT, TARGET)] = BASE
    (change,) = gather(source, *paths).items
    assert (change.path, change.base) == (hidden, b"base")
    assert change.target == b"base"
    # The target branch is at the base, where nothing is read twice.
    assert [len(needs) for needs in source.rounds] == [len(paths) + 1, 2]
    assert [need.path for need in source.rounds[1] if isinstance(need, CommitsOf)] == [hidden]


@pytest.mark.parametrize("tip", [BASE, "another", UNREAD, None])
@pytest.mark.parametrize("base", [b"base", None, UNREAD])
def test_of_many_candidates_the_target_is_the_base_only_where_it_is_known_to_be(
    tip: Fact, base: Content
) -> None:
    paths = [f"people/a/{n}.yml" for n in range(FEW + 1)]
    renamed = {paths[0]: OLD}
    contents: dict[tuple[str, str], Content] = {(HEAD, path): b"gateway" for path in paths}
    contents |= {(BASE, path): base for path in (*paths, OLD)}
    contents |= {(TARGET, path): b"now" for path in (*paths, OLD)}
    source = source_of(contents, renames=renamed)
    source.facts[TipOf(PROJECT, TARGET)] = tip
    found = gather(source, *paths).items
    assert {change.target for change in found} == {base if tip == BASE else b"now"}
    asked = {need for needs in source.rounds for need in needs}
    assert (FileAt(PROJECT, TARGET, paths[1]) in asked) is (tip != BASE)


def test_an_answer_that_is_left_out_is_not_taken_from_the_base() -> None:
    paths = [f"people/a/{n}.yml" for n in range(FEW + 1)]
    changes = gather(ForgetfulSource(), *paths)
    assert {change.target for change in changes.items} == {NOT_LOOKED_UP}


def test_of_many_entries_the_target_is_read_as_well_where_it_moved_on() -> None:
    paths = [f"people/a/{n}.yml" for n in range(FEW + 1)]
    contents: dict[tuple[str, str], Content] = {
        (ref, path): b"title: x" for path in paths for ref in (BASE, HEAD, TARGET)
    }
    contents[TARGET, paths[3]] = b"gateway"
    contents[TARGET, paths[4]] = None
    contents[TARGET, paths[5]] = UNREAD
    source = source_of(contents)
    source.facts[TipOf(PROJECT, TARGET)] = "another"
    assert [change.path for change in gather(source, *paths).items] == paths[3:6]
    assert source.rounds[1] == frozenset(FileAt(PROJECT, TARGET, path) for path in paths)


def test_a_deleted_or_unread_entry_is_kept_among_many() -> None:
    paths = [f"people/a/{n}.yml" for n in range(FEW + 1)]
    contents: dict[tuple[str, str], Content] = {(HEAD, path): b"title: x" for path in paths}
    contents |= {(ref, path): b"base" for path in paths for ref in (BASE, TARGET)}
    contents[HEAD, paths[0]] = None
    contents[HEAD, paths[1]] = UNREAD
    found = gather(source_of(contents), *paths).items
    assert {change.path: change.head for change in found} == {paths[0]: None, paths[1]: UNREAD}


def test_the_old_path_of_a_renamed_entry_is_followed() -> None:
    contents: dict[tuple[str, str], Content] = {
        (HEAD, NEW): b"gateway",
        (BASE, OLD): b"before",
        (TARGET, OLD): b"now",
    }
    source = source_of(contents, renames={NEW: OLD, "elsewhere": "x"})
    (change,) = gather(source, NEW).items
    assert (change.old_path, change.base, change.target) == (OLD, b"before", b"now")
    assert len(source.rounds) == 3


def test_the_target_at_the_new_path_wins_over_that_at_the_old() -> None:
    contents: dict[tuple[str, str], Content] = {
        (HEAD, NEW): b"gateway",
        (BASE, OLD): b"before",
        (TARGET, OLD): b"old",
        (TARGET, NEW): b"new",
    }
    (change,) = gather(source_of(contents, renames={NEW: OLD}), NEW).items
    assert change.target == b"new"


def test_a_rename_within_the_change_set_takes_no_further_round() -> None:
    contents: dict[tuple[str, str], Content] = {(HEAD, NEW): b"gateway", (BASE, OLD): b"before"}
    source = source_of(contents, renames={NEW: OLD})
    changes = {change.path: change for change in gather(source, NEW, OLD).items}
    assert changes[NEW].base == b"before"
    assert changes[OLD].head is None
    assert len(source.rounds) == 2


def test_a_new_entry_has_no_base() -> None:
    (change,) = gather(source_of({(HEAD, NEW): b"gateway"}), NEW).items
    assert (change.base, change.old_path, change.target) == (None, None, None)


def test_a_new_entry_that_is_not_in_the_list_may_have_been_renamed() -> None:
    source = source_of({(HEAD, NEW): b"gateway"})
    source.facts[DiffsOf(PROJECT, 231)] = {"cut.md": "cut.md"}
    (change,) = gather(source, NEW).items
    assert change.base == Unread(reason="GitLab did not tell whether it was renamed")


@pytest.mark.parametrize("count", [1, FEW])
def test_beside_a_new_entry_all_others_matter(count: int) -> None:
    others = [f"people/a/{n}.yml" for n in range(count)]
    contents: dict[tuple[str, str], Content] = {(HEAD, NEW): b"gateway"}
    contents |= {(ref, path): b"no more" for path in others for ref in (HEAD, BASE, TARGET)}
    found = {change.path: change for change in gather(source_of(contents), NEW, *others).items}
    assert found.keys() == {NEW, *others}
    assert {found[path].base for path in others} == {b"no more"}
    contents[BASE, NEW] = b"gateway"
    assert [change.path for change in gather(source_of(contents), NEW, *others).items] == [NEW]


@pytest.mark.parametrize("answer", [UNREAD, None])
def test_unread_renames_leave_the_base_unread(answer: Fact) -> None:
    source = source_of({(HEAD, NEW): b"gateway"})
    source.facts[DiffsOf(PROJECT, 231)] = answer
    (change,) = gather(source, NEW).items
    assert change.base == (answer or NOT_LOOKED_UP)


def test_when_nothing_can_be_read_everything_is_unread() -> None:
    (change,) = gather(BrokenSource(), OLD).items
    assert all(isinstance(side, Unread) for side in (change.base, change.head, change.target))


def test_a_merged_role_is_compared_with_the_base_alone() -> None:
    source = source_of({(BASE, OLD): b"base", (HEAD, OLD): b"gateway", (TARGET, OLD): b"gateway"})
    (change,) = gather(source, OLD, merge_request=make_merge_request(state="merged")).items
    assert change.target == b"base"


def test_a_fact_of_another_kind_is_no_content() -> None:
    source = source_of({})
    source.facts[FileAt(PROJECT, HEAD, OLD)] = "a text"
    (change,) = gather(source, OLD).items
    assert change.head == NOT_LOOKED_UP


@pytest.mark.parametrize("state", ["opened", "merged"])
def test_what_was_left_out_of_an_answer_is_unread_with_a_reason(state: str) -> None:
    (change,) = gather(ForgetfulSource(), OLD, merge_request=make_merge_request(state=state)).items
    unread = Unread(reason="it was not looked up")
    assert (change.base, change.head, change.target) == (unread, unread, unread)
