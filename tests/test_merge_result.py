"""What a merge makes of an entry, decided only where git can make nothing else of it."""

import pytest
from hypothesis import given, strategies as st

from bot.nomination.merge_result import merge_contents
from bot.nomination.values import NotMerged
from bot.sandbox.world.line_merge import merge_texts
from bot.unread import Content, Unread

BASE = "gitlab: ada\nreports_to: boss\nprojects:\n  a: x\n  b: y\nstory: z\n"


def text(*changes: tuple[str, str]) -> bytes:
    changed = BASE
    for old, new in changes:
        assert old in changed
        changed = changed.replace(old, new)
    return changed.encode()


@pytest.mark.parametrize(
    ("head", "target", "result"),
    [
        ([("x", "x2")], [], [("x", "x2")]),
        ([], [("x", "x2")], [("x", "x2")]),
        ([("x", "x2")], [("x", "x2")], [("x", "x2")]),
        ([("  b: y\n", "  b: y\n  c: w\n")], [("boss", "chief")], None),
        ([("ada", "eve")], [("  b: y", "  b: w")], None),
        ([("ada", "eve"), ("z", "end")], [("  a: x\n", "")], None),
        ([("projects:\n", "")], [("z", "end")], None),
        ([("z\n", "z")], [("ada", "eve")], None),
    ],
)
def test_changes_that_are_apart_are_both_in_the_result(
    head: list[tuple[str, str]],
    target: list[tuple[str, str]],
    result: list[tuple[str, str]] | None,
) -> None:
    expected = text(*(head + target if result is None else result))
    assert merge_contents(text(), text(*head), text(*target)) == expected


@pytest.mark.parametrize(
    ("head", "target"),
    [
        ([("x", "x2")], [("x", "x3")]),
        ([("  a: x\n", "")], [("  b: y\n", "")]),
        ([("  b: y\n", "  b: y\n  c: w\n")], [("z", "end")]),
        ([("projects:\n", "projects:\n  c: w\n")], [("projects:\n", "projects:\n  d: w\n")]),
        ([("gitlab: ada\nreports_to: boss\n", "reports_to: boss\ngitlab: ada\n")], [("z", "end")]),
        ([("  b: y\n", ""), ("gitlab", "  b: y\ngitlab")], [("  b: y\n", "")]),
        ([("  b: y\n", ""), ("gitlab", "  b: y\n  b: y\ngitlab")], [("z", "end")]),
        ([("x", "\0")], [("z", "end")]),
    ],
)
def test_what_overlaps_touches_or_was_moved_is_not_decided(
    head: list[tuple[str, str]], target: list[tuple[str, str]]
) -> None:
    for one, other in ((head, target), (target, head)):
        assert isinstance(merge_contents(text(), text(*one), text(*other)), NotMerged)


@pytest.mark.parametrize(
    ("base", "head", "target", "result"),
    [
        (None, b"a", None, b"a"),
        (None, b"a", b"a", b"a"),
        (b"a", None, b"b", None),
        (b"a", b"a", None, None),
        (b"a", b"a", b"b", b"b"),
    ],
)
def test_a_file_that_is_missing_somewhere(
    base: Content, head: Content, target: Content, result: Content
) -> None:
    assert merge_contents(base, head, target) == result


@pytest.mark.parametrize(("base", "target"), [(None, b"b"), (b"a", None)])
def test_a_file_that_both_added_or_one_removed_is_not_decided(
    base: Content, target: Content
) -> None:
    assert isinstance(merge_contents(base, b"c", target), NotMerged)


def test_a_side_that_could_not_be_read_leaves_the_result_unknown() -> None:
    gone = Unread(reason="502")
    assert merge_contents(b"a", gone, b"b") is gone
    for sides in ((gone, b"c", b"a"), (b"a", b"c", gone), (gone, b"c", gone)):
        assert merge_contents(*sides) == NotMerged(reason="502", is_read=False)
    assert merge_contents(gone, None, gone) is None


lines = st.lists(st.sampled_from([f"{letter}\n" for letter in "abcdefghij"]), max_size=12)


@given(lines, lines, lines)
def test_what_is_decided_is_what_another_merge_makes(
    base: list[str], head: list[str], target: list[str]
) -> None:
    one, ours, theirs = ("".join(each).encode() for each in (base, head, target))
    result = merge_contents(one, ours, theirs)
    if isinstance(result, bytes) and len({one, ours, theirs}) == 3:
        assert merge_texts(one, theirs, ours) in {result, None}
    mirrored = merge_contents(one, theirs, ours)
    assert mirrored == result or isinstance(result, NotMerged)
