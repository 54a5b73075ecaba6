"""What differs between two trees, as GitLab's diffs endpoints tell it."""

# One module: one way from two trees to the lines that differ; each step takes the one before.

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from typing import NamedTuple

from bot.sandbox.world.entities import DiffVersion, MergeRequest
from bot.sandbox.world.git_objects import object_id
from bot.sandbox.world.repository import Blob, Commit, ObjectStore, Tree, changed_paths

_START = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)")
_HUNK = re.compile(r"^@@ .* @@", re.MULTILINE)

SIMILAR = 0.5
MAX_PATCH = 200 * 1024
MAX_FILES = 3000
MAX_COMPARED = 64 * 1024
BINARY_PEEK = 8000
NO_BLOB = Blob("", "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file that differs: its old and its new path and blob, None where it is not."""

    old_path: str
    new_path: str
    old: Blob | None
    new: Blob | None

    @property
    def renamed(self) -> bool:
        """Return whether the file moved."""
        return self.old_path != self.new_path


class Line(NamedTuple):
    """A line of a diff, with its number before and after; None where it is not."""

    text: str
    old: int | None
    new: int | None


class Stats(NamedTuple):
    """Lines added and deleted in one file."""

    path: str
    additions: int
    deletions: int


def is_binary(content: bytes) -> bool:
    """Return whether git would call the content binary."""
    return b"\0" in content[:BINARY_PEEK]


def compare_trees(store: ObjectStore, base: Tree, head: Tree) -> list[FileChange]:
    """List the changed files; a deleted and an added file half alike are one renamed file."""
    paths = changed_paths(base, head)
    added = {path: head[path] for path in paths if path not in base}
    removed = {path: base[path] for path in paths if path not in head}
    renames = _find_renames(store, removed, added)
    taken = set(renames.values())
    return [
        FileChange(
            old_path=renames.get(path, path),
            new_path=path,
            old=base.get(renames.get(path, path)),
            new=head.get(path),
        )
        for path in paths
        if path not in taken or path in head
    ]


def diff_of(mr: MergeRequest, version: DiffVersion | None) -> list[FileChange]:
    """List the files a version of the diff changes; none where its commits are not kept."""
    store = mr.project.repository.store
    if version is None or version.base_sha is None or version.head_sha not in store.commits:
        return []
    base, head = store.commits[version.base_sha], store.commits[version.head_sha]
    return compare_trees(store, base.tree, head.tree)


def _find_renames(
    store: ObjectStore, removed: dict[str, Blob], added: dict[str, Blob]
) -> dict[str, str]:
    renames: dict[str, str] = {}
    left = dict(removed)
    for path, blob in added.items():
        twin = next((old for old, each in left.items() if each.sha == blob.sha), None)
        if twin is not None:
            renames[path] = twin
            del left[twin]
    for path, blob in added.items():
        if path in renames or not left:
            continue
        scores = {old: _similarity(store, each, blob) for old, each in left.items()}
        best = max(sorted(scores), key=scores.__getitem__)
        if scores[best] >= SIMILAR:
            renames[path] = best
            del left[best]
    return renames


def _similarity(store: ObjectStore, old: Blob, new: Blob) -> float:
    one, other = store.blobs[old.sha], store.blobs[new.sha]
    shorter, longer = sorted((len(one), len(other)))
    if not shorter or shorter < longer * SIMILAR or longer > MAX_COMPARED:
        return 0.0
    left, right = one.splitlines(keepends=True), other.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    kept = sum(
        len(line)
        for block in matcher.get_matching_blocks()
        for line in left[block.a : block.a + block.size]
    )
    return kept / longer


def _texts(store: ObjectStore, change: FileChange) -> tuple[bytes, bytes]:
    old = store.blobs[change.old.sha] if change.old else b""
    new = store.blobs[change.new.sha] if change.new else b""
    return old, new


def render_patch(store: ObjectStore, change: FileChange, *, unidiff: bool = False) -> str:
    """Render the hunks of a change; `unidiff` adds the two header lines."""
    old, new = _texts(store, change)
    if is_binary(old) or is_binary(new):
        return f"Binary files a/{change.old_path} and b/{change.new_path} differ\n"
    lines = _hunks(old, new)
    if not lines:
        return ""
    before = f"a/{change.old_path}" if change.old else "/dev/null"
    after = f"b/{change.new_path}" if change.new else "/dev/null"
    header = f"--- {before}\n+++ {after}\n" if unidiff else ""
    return header + "".join(lines)


def number_lines(store: ObjectStore, change: FileChange) -> Iterator[Line]:
    """List the lines of a change with their numbers."""
    old = new = 0
    for text in render_patch(store, change).splitlines():
        start, mark = _START.match(text), text[:1]
        if start:
            old, new = int(start[1]), int(start[2])
        if start or mark not in {" ", "+", "-"}:
            yield Line(text, None, None)
            continue
        yield Line(text, None if mark == "+" else old, None if mark == "-" else new)
        old, new = old + (mark != "+"), new + (mark != "-")


def name_patch(store: ObjectStore, changes: Iterable[FileChange]) -> str | None:
    """Name what is changed: the same for the same change elsewhere; None for nothing.

    Like the number of `git patch-id`, but not equal to it: the hunks are not git's. Names, modes
    and, of a binary file, the numbers of the blobs count (Gitaly,
    internal/gitaly/service/diff/patch_id.go).
    """
    told = "".join(_tell_change(store, each) for each in changes)
    return object_id("patch", told.encode("utf-8", "replace")) if told else None


def _tell_change(store: ObjectStore, change: FileChange) -> str:
    old, new = change.old or NO_BLOB, change.new or NO_BLOB
    binary = any(map(is_binary, _texts(store, change)))
    told = f"{old.sha} {new.sha}\n" if binary else _HUNK.sub("@@", render_patch(store, change))
    return f"{change.old_path} {old.mode}\n{change.new_path} {new.mode}\n{told}"


@lru_cache(maxsize=128)  # the same few changes are asked for again and again
def _hunks(old: bytes, new: bytes) -> tuple[str, ...]:
    # Lines end where git's do: `splitlines` would end them at a form feed, too.
    one, other = (
        list(StringIO(text.decode("utf-8", "replace"), newline="\n")) for text in (old, new)
    )
    return tuple(
        line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"
        for line in list(difflib.unified_diff(one, other, n=3))[2:]
    )


def render_diff(
    store: ObjectStore, change: FileChange, *, unidiff: bool = False
) -> dict[str, object]:
    """Render a change in the shape of the diffs endpoints."""
    patch = render_patch(store, change, unidiff=unidiff)
    too_large = len(patch) > MAX_PATCH
    return {
        "diff": "" if too_large else patch,
        "collapsed": False,
        "too_large": too_large,
        "new_path": change.new_path,
        "old_path": change.old_path,
        "a_mode": (change.old or NO_BLOB).mode,
        "b_mode": (change.new or NO_BLOB).mode,
        "new_file": change.old is None,
        "renamed_file": change.renamed,
        "deleted_file": change.new is None,
        "generated_file": False,
    }


def changes_of(store: ObjectStore, commit: Commit) -> list[FileChange]:
    """List what a commit changed against its first parent."""
    base = store.commits[commit.parents[0]].tree if commit.parents else {}
    return compare_trees(store, base, commit.tree)


def count_lines(store: ObjectStore, changes: Iterable[FileChange]) -> list[Stats]:
    """Count added and deleted lines per file."""
    counted = []
    for change in changes:
        marks = [line[:1] for line in render_patch(store, change).split("\n")]
        counted.append(Stats(change.new_path, marks.count("+"), marks.count("-")))
    return counted
