"""Histories, merge bases, merges and diffs of the sandbox's repositories."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.sandbox.acts.merging import join
from bot.sandbox.world.diffs import MAX_PATCH, compare_trees, count_lines, render_diff
from bot.sandbox.world.repository import (
    Blob,
    Commit,
    Contents,
    ObjectStore,
    Repository,
    Signature,
    entries_below,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
LINES = b"".join(b"line %d\n" % number for number in range(20))


class Story:
    """A repository that is told commit by commit, an hour apart."""

    def __init__(self) -> None:
        self.repository = Repository()
        self.at = START

    def commit(self, branch: str, changes: Contents, message: str, *others: str) -> Commit:
        """Commit changes on a branch, made from main where it is new."""
        self.at += timedelta(hours=1)
        if branch not in self.repository.branches and self.repository.branches:
            self.repository.move_branch(branch, self.repository.branches["main"])
        head = self.repository.find_commit(branch)
        tree = self.repository.changed_tree(head.tree if head else {}, changes)
        author = Signature(name="Ann", email="ann@example.com", at=self.at)
        return self.repository.commit_tree(branch, tree, message, author, *others)

    def log(self, path: str = "", *, first_parent: bool = False) -> list[str]:
        """List the titles of main's history."""
        head = self.repository.branches["main"]
        found = self.repository.log(head, path, first_parent=first_parent)
        return [commit.title for commit in found]


def diff(old: Contents, new: Contents) -> list[dict[str, object]]:
    story = Story()
    base, head = story.commit("a", old, "old"), story.repository
    head_tree = head.changed_tree({}, new)
    return [
        render_diff(head.store, change)
        for change in compare_trees(head.store, base.tree, head_tree)
    ]


def test_the_same_story_gives_the_same_shas() -> None:
    one, other = Story(), Story()
    assert one.commit("main", {"a": b"1"}, "x").sha == other.commit("main", {"a": b"1"}, "x").sha
    assert one.commit("main", {"a": b"2"}, "y").sha != other.commit("main", {"a": b"3"}, "y").sha


def test_a_commit_is_found_by_branch_full_and_short_sha() -> None:
    story = Story()
    commit = story.commit("main", {"a": b"1"}, "x")
    names = ("main", "refs/heads/main", commit.sha, commit.sha[:8])
    assert {story.repository.find_commit(name) for name in names} == {commit}
    assert story.repository.find_commit(commit.sha[:6]) is None
    assert story.repository.find_commit("0" * 10) is None


def test_a_fork_shares_objects_but_not_branches() -> None:
    story = Story()
    story.commit("main", {"a": b"1"}, "x")
    fork = story.repository.fork()
    tree = fork.changed_tree({}, {"a": b"2"})
    head = fork.commit_tree("new", tree, "fork", Signature(name="B", email="b@x", at=START))
    assert story.repository.find_commit("new") is None
    assert story.repository.find_commit(head.sha) is None
    story.repository.fetch(head.sha)
    assert story.repository.find_commit(head.sha) is head
    assert story.repository.content(head, "a") == b"2"
    assert story.repository.content(head, "b") is None


def test_the_merge_base_is_where_the_branches_parted() -> None:
    story = Story()
    parted = story.commit("main", {"a": b"1"}, "parted")
    side = story.commit("side", {"b": b"1"}, "side")
    main = story.commit("main", {"c": b"1"}, "main")
    store = story.repository.store
    assert store.merge_base(main.sha, side.sha) == parted.sha
    assert store.merge_base(side.sha, parted.sha) == parted.sha
    assert store.merge_base(parted.sha, side.sha) == parted.sha


def test_after_a_merge_the_base_moves_on() -> None:
    story = Story()
    story.commit("main", {"a": b"1"}, "parted")
    side = story.commit("side", {"b": b"1"}, "side")
    merge = story.commit("main", {"b": b"1"}, "merge", side.sha)
    later = story.commit("side", {"b": b"2"}, "later")
    assert story.repository.store.merge_base(merge.sha, later.sha) == side.sha


def test_strangers_have_no_merge_base() -> None:
    story = Story()
    one = story.commit("main", {"a": b"1"}, "one")
    tree = story.repository.changed_tree({}, {"z": b"1"})
    author = Signature(name="B", email="b@x", at=START)
    other = story.repository.commit_tree("orphan", tree, "orphan", author)
    assert story.repository.store.merge_base(one.sha, other.sha) is None


def test_a_path_has_only_the_commits_that_changed_it() -> None:
    story = Story()
    story.commit("main", {"a": b"1", "d/x": b"1"}, "one")
    story.commit("main", {"b": b"1"}, "two")
    story.commit("main", {"a": b"2"}, "three")
    story.commit("main", {"a": None}, "four")
    assert story.log() == ["four", "three", "two", "one"]
    assert story.log("a") == ["four", "three", "one"]
    assert story.log("d") == ["one"]
    assert story.log("nowhere") == []


def test_a_merge_that_took_one_side_unchanged_is_not_in_the_path_s_history() -> None:
    story = Story()
    story.commit("main", {"a": b"1"}, "one")
    side = story.commit("side", {"a": b"2"}, "side")
    story.commit("main", {"b": b"1"}, "main")
    story.commit("main", {"a": b"2"}, "merge", side.sha)
    assert story.log("a") == ["side", "one"]
    assert story.log("a", first_parent=True) == ["merge", "one"]
    assert story.log(first_parent=True) == ["merge", "main", "one"]


def test_a_branch_holds_all_it_descends_from() -> None:
    story = Story()
    one = story.commit("main", {"a": b"1"}, "one")
    story.commit("side", {"b": b"1"}, "side")
    assert story.repository.branches_with(one.sha) == ["main", "side"]
    assert story.repository.branches_with(story.repository.branches["side"]) == ["side"]


def test_a_new_content_keeps_the_mode_of_the_file() -> None:
    story = Story()
    tree = story.repository.changed_tree({}, {"run": b"1"}, "100755")
    assert story.repository.changed_tree(tree, {"run": b"2"})["run"].mode == "100755"
    assert story.repository.changed_tree(tree, {"gone": None}) == tree


def test_entries_below_finds_a_file_or_a_directory() -> None:
    tree = {"d/a": Blob("1"), "d/b": Blob("2"), "da": Blob("3")}
    assert entries_below(tree, "d/a") == {"d/a": Blob("1")}
    assert set(entries_below(tree, "d/")) == {"d/a", "d/b"}


@pytest.mark.parametrize(
    ("ours", "theirs", "merged", "conflicts"),
    [
        ({"a": "1"}, {"a": "2"}, {"a": "2"}, ()),
        ({"a": "2"}, {"a": "2"}, {"a": "2"}, ()),
        ({"a": "3"}, {"a": "2"}, {"a": "3"}, ("a",)),
        ({"a": "1", "b": "1"}, {}, {"b": "1"}, ()),
        ({}, {"a": "2"}, {}, ("a",)),
    ],
)
def test_trees_merge_file_by_file(
    ours: dict[str, str], theirs: dict[str, str], merged: dict[str, str], conflicts: tuple[str, ...]
) -> None:
    def tree(named: dict[str, str]) -> dict[str, Blob]:
        return {name: Blob(sha) for name, sha in named.items()}

    store = ObjectStore()
    store.blobs = {"1": b"one", "2": b"two", "3": b"three"}
    found = join(store, (tree({"a": "1"}), tree(ours), tree(theirs)))
    assert found == (tree(merged), conflicts)


def test_a_moved_file_is_one_rename() -> None:
    (change,) = diff({"old": LINES}, {"new": LINES})
    assert change["renamed_file"]
    assert (change["old_path"], change["new_path"], change["diff"]) == ("old", "new", "")


def test_a_file_moved_and_changed_a_little_is_still_a_rename() -> None:
    (change,) = diff({"old": LINES}, {"new": LINES.replace(b"line 3\n", b"changed\n")})
    assert change["renamed_file"]
    assert "-line 3\n+changed\n" in str(change["diff"])


@pytest.mark.parametrize("content", [b"quite another thing\n" * 20, b"", b"\0" * 400])
def test_an_unlike_file_is_no_rename(content: bytes) -> None:
    changes = diff({"old": LINES}, {"new": content})
    assert [change["renamed_file"] for change in changes] == [False, False]
    assert {change["new_path"]: change["new_file"] for change in changes} == {
        "new": True,
        "old": False,
    }


def test_each_lost_file_explains_one_new_file_only() -> None:
    changes = diff({"old": LINES}, {"new1": LINES, "new2": LINES, "other": b"x"})
    assert [change["renamed_file"] for change in changes] == [True, False, False]


def test_an_added_and_a_deleted_file_have_their_modes() -> None:
    (added,) = diff({}, {"a": b"x"})
    assert (added["a_mode"], added["b_mode"], added["new_file"]) == ("0", "100644", True)
    assert added["diff"] == "@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n"
    (deleted,) = diff({"a": b"x\n"}, {})
    assert (deleted["a_mode"], deleted["b_mode"], deleted["deleted_file"]) == ("100644", "0", True)


def test_a_binary_file_shows_no_lines() -> None:
    (change,) = diff({"a": b"\0\1"}, {"a": b"\0\2"})
    assert change["diff"] == "Binary files a/a and b/a differ\n"


def test_a_huge_patch_is_withheld_and_marked() -> None:
    (change,) = diff({"a": b"x\n"}, {"a": b"y\n" * MAX_PATCH})
    assert (change["too_large"], change["diff"]) == (True, "")


def test_unidiff_names_both_files() -> None:
    story = Story()
    base = story.commit("main", {"a": b"1\n"}, "one")
    head = story.commit("main", {"a": b"2\n", "b": b"1\n"}, "two")
    store = story.repository.store
    one, other = compare_trees(store, base.tree, head.tree)
    assert str(render_diff(store, one, unidiff=True)["diff"]).startswith("--- a/a\n+++ b/a\n@@")
    assert "--- /dev/null\n+++ b/b\n" in str(render_diff(store, other, unidiff=True)["diff"])


def test_stats_count_added_and_deleted_lines() -> None:
    story = Story()
    base = story.commit("main", {"a": b"1\n2\n", "bin": b"\0"}, "one")
    head = story.commit("main", {"a": b"1\n3\n4\n", "bin": b"\0\0"}, "two")
    store = story.repository.store
    counted = count_lines(store, compare_trees(store, base.tree, head.tree))
    assert [(each.path, each.additions, each.deletions) for each in counted] == [
        ("a", 2, 1),
        ("bin", 0, 0),
    ]
