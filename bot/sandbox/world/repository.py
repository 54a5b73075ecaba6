"""An in-memory repository: commits, trees, branches, history and merge base.

Objects live in a store that forks share, so a fork's head is readable by sha through the
target project, while branch names stay each repository's own.
"""

# One module: commits, branches and the merge of trees are one model of git, as git has it.

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from bot.sandbox.world.git_objects import (
    encode_commit,
    encode_signature,
    encode_trees,
    object_id,
)

FULL_SHA = 40
SHORTEST_SHA = 7  # lib/gitlab/git/commit.rb, `MIN_SHA_LENGTH`
MODE_FILE = "100644"
MODE_EXECUTABLE = "100755"
MODE_LINK = "120000"


class Blob(NamedTuple):
    """A file in a tree: the sha of its content, and its git mode."""

    sha: str
    mode: str = MODE_FILE


Tree = Mapping[str, Blob]
Contents = Mapping[str, bytes | None]


class Signature(NamedTuple):
    """Who says to have written a commit, and when."""

    name: str
    email: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Commit:
    """A commit with its whole tree."""

    sha: str
    tree: Tree = field(repr=False)
    parents: tuple[str, ...]
    message: str
    author: Signature
    committer: Signature

    @property
    def title(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0]


class ObjectStore:
    """Every blob and commit of a family of repositories; objects are only ever added."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.commits: dict[str, Commit] = {}
        self.order: dict[str, int] = {}
        self._bases: dict[tuple[str, str], str | None] = {}

    def __deepcopy__(self, memo: object) -> "ObjectStore":
        return self

    def add_blob(self, content: bytes) -> str:
        """Keep a content and return its git blob sha."""
        sha = object_id("blob", content)
        self.blobs[sha] = content
        return sha

    def add_commit(
        self,
        tree: Tree,
        parents: tuple[str, ...],
        message: str,
        author: Signature,
        committer: Signature | None = None,
    ) -> Commit:
        """Keep a commit with the sha that git gives it."""
        written = encode_commit(
            encode_trees(tree)[""][0],
            parents,
            encode_signature(*author),
            encode_signature(*(committer or author)),
            message,
        )
        sha = object_id("commit", written)
        return self.keep(
            Commit(
                sha=sha,
                tree=tree,
                parents=parents,
                message=message,
                author=author,
                committer=committer or author,
            )
        )

    def keep(self, commit: Commit) -> Commit:
        """Keep a commit that has its sha; its parents are kept before it."""
        self.order.setdefault(commit.sha, len(self.order))
        return self.commits.setdefault(commit.sha, commit)

    def ancestors(self, sha: str, but: Collection[str] = ()) -> set[str]:
        """Collect a commit and all it descends from, `but` those and what is reached by them."""
        seen: set[str] = set()
        queue = [sha]
        while queue:
            current = queue.pop()
            if current not in seen and current not in but:
                seen.add(current)
                queue.extend(self.commits[current].parents)
        return seen

    def merge_base(self, one: str, other: str) -> str | None:
        """Find the newest commit that both descend from."""
        if (one, other) not in self._bases:
            self._bases[one, other] = self._find_base(one, other)
        return self._bases[one, other]

    def _find_base(self, one: str, other: str) -> str | None:
        reachable = self.ancestors(one)
        if other in reachable:
            return other
        own = self.ancestors(other, but=reachable)
        return self._newest({p for sha in own for p in self.commits[sha].parents} & reachable)

    def _newest(self, candidates: set[str]) -> str | None:
        below: set[str] = set()
        for each in candidates:
            for parent in self.commits[each].parents:
                below |= self.ancestors(parent)
        best = candidates - below
        return max(best, key=lambda sha: (self.commits[sha].committer.at, sha), default=None)


class Repository:
    """Branches over a store of objects."""

    def __init__(self, store: ObjectStore | None = None) -> None:
        self.store = store or ObjectStore()
        self.branches: dict[str, str] = {}
        # Tags by name: the commit, and the tag object where it is an annotated one.
        self.tags: dict[str, tuple[str, str | None]] = {}
        # Further refs, as `refs/notes/commits`.
        self.refs: dict[str, str] = {}
        # The commits that were ever pushed here, or were the head of a merge request here.
        self.known: set[str] = set()

    def fork(self) -> "Repository":
        """Copy the branches and share the objects."""
        twin = Repository(self.store)
        twin.branches = dict(self.branches)
        twin.tags = dict(self.tags)
        twin.known = set(self.known)
        return twin

    def find_commit(self, ref: str) -> Commit | None:
        """Find a commit by branch, tag, full sha, or a sha of at least 7 characters."""
        tag, _ = self.tags.get(ref.removeprefix("refs/tags/"), (ref, None))
        sha = self.branches.get(ref.removeprefix("refs/heads/"), tag)
        commit = self.store.commits.get(sha)
        if commit is None and SHORTEST_SHA <= len(ref) < FULL_SHA:
            commit = self._find_short(ref)
        return commit if commit is not None and commit.sha in self.known else None

    def _find_short(self, ref: str) -> Commit | None:
        found = [each for sha, each in self.store.commits.items() if sha.startswith(ref)]
        return found[0] if len(found) == 1 else None

    def fetch(self, sha: str) -> None:
        """Make a commit of the shared store, and all before it, readable here."""
        self.known |= self.store.ancestors(sha, but=self.known)

    def content(self, commit: Commit, path: str) -> bytes | None:
        """Read a file at a commit."""
        blob = commit.tree.get(path)
        return None if blob is None else self.store.blobs[blob.sha]

    def changed_tree(self, base: Tree, changes: Contents, mode: str | None = None) -> Tree:
        """Apply contents to a tree; None removes a file, a file keeps its mode unless told."""
        tree = dict(base)
        for path, content in changes.items():
            if content is None:
                tree.pop(path, None)
            else:
                old = tree.get(path)
                kept = mode or (old.mode if old else MODE_FILE)
                tree[path] = Blob(self.store.add_blob(content), kept)
        return tree

    def commit_tree(
        self, branch: str, tree: Tree, message: str, author: Signature, *others: str
    ) -> Commit:
        """Commit a tree on a branch; `others` are further parents of a merge."""
        head = self.branches.get(branch)
        parents = ((head,) if head else ()) + others
        commit = self.store.add_commit(tree, parents, message, author)
        self.move_branch(branch, commit.sha)
        return commit

    def move_branch(self, branch: str, sha: str) -> None:
        """Point a branch, new or old, to a commit."""
        self.fetch(sha)
        self.branches[branch] = sha

    def branches_with(self, sha: str) -> list[str]:
        """List the branches that hold a commit, by name."""
        return [
            name
            for name, head in sorted(self.branches.items())
            if sha == head or sha in self.store.ancestors(head)
        ]

    def log(self, head: str, path: str = "", *, first_parent: bool = False) -> Iterator[Commit]:
        """Yield the commits that changed a file or directory, newest first, as `git log` does.

        Of a merge that took the path unchanged from one side, only that side is followed.
        """
        queue = [self._rank(head)]
        seen = {head}
        while queue:
            commit = self.store.commits[heapq.heappop(queue)[-1]]
            follow, shown = self._simplify(commit, path, first_parent=first_parent)
            if shown:
                yield commit
            for sha in follow:
                if sha not in seen:
                    seen.add(sha)
                    heapq.heappush(queue, self._rank(sha))

    def between(self, old: str | None, new: str) -> list[Commit]:
        """List the commits that one has and the other lacks, newest first."""
        below = self.store.ancestors(old) if old else set()
        return [each for each in self.log(new) if each.sha not in below]

    def _rank(self, sha: str) -> tuple[float, int, str]:
        at = self.store.commits[sha].committer.at.timestamp()
        return (-at, -self.store.order[sha], sha)

    def _simplify(
        self, commit: Commit, path: str, *, first_parent: bool
    ) -> tuple[tuple[str, ...], bool]:
        parents = commit.parents[:1] if first_parent else commit.parents
        if not path:
            return parents, True
        here = entries_below(commit.tree, path)
        for sha in parents:
            if entries_below(self.store.commits[sha].tree, path) == here:
                return (sha,), False
        return parents, bool(here) or bool(parents)


def entries_below(tree: Tree, path: str) -> Mapping[str, Blob]:
    """Select a file, or what lies below a directory."""
    exact = tree.get(path)
    if exact is not None:
        return {path: exact}
    prefix = path.rstrip("/") + "/"
    return {name: blob for name, blob in tree.items() if name.startswith(prefix)}


def changed_paths(base: Tree, head: Tree) -> list[str]:
    """List the paths that differ between two trees, sorted."""
    return sorted({path for path, _ in base.items() ^ head.items()})
