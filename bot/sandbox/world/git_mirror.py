"""Repositories of the world on disk, so that a real git can serve them, and what it received.

All of a family of forks share one folder of objects, as they share a store. Objects are written
when they are asked for first; what a push brought is read back in with the numbers git gave it.
"""

# One module: what is written for git and what is read back agree on every byte.

import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import lru_cache
from pathlib import Path

from bot.sandbox.world.entities import Project
from bot.sandbox.world.git_objects import (
    NOTHING,
    decode_signature,
    encode_commit,
    encode_signature,
    encode_trees,
    object_id,
)
from bot.sandbox.world.repository import Blob, Commit, ObjectStore, Signature, changed_paths

TIMEOUT = 60
# As GitLab: any commit may be asked for by its number; a push is decided by `pre-receive`.
CONFIG = """[core]
\tbare = true
\trepositoryformatversion = 0
[http]
\treceivepack = true
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[receive]
\tdenyDeleteCurrent = ignore
\tadvertisePushOptions = true
"""
# Says what the interface decided; and no history of a protected branch is lost.
PRE_RECEIVE = """#!/bin/sh
if [ -n "$SANDBOX_REFUSAL" ]; then
  echo "GitLab: $SANDBOX_REFUSAL" >&2
  exit 1
fi
while read -r old new ref; do
  case " $SANDBOX_PROTECTED " in *" $ref "*)
    [ "$old" = "$ZERO" ] || git merge-base --is-ancestor "$old" "$new" || {
      echo "GitLab: You are not allowed to force push code to a protected branch" \\
        "on this project." >&2
      exit 1
    }
  esac
done
"""
# What GitLab tells of the branch that was pushed.
POST_RECEIVE = '#!/bin/sh\n[ -z "$SANDBOX_HINT" ] || echo "$SANDBOX_HINT"\n'


class Mirror:
    """The folder in which repositories of one world lie for git."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-git-")
        self.root = Path(self._folder.name)
        self.program = shutil.which("git") or "git"
        self._written: dict[int, set[str]] = {}

    def close(self) -> None:
        """Remove it."""
        self._folder.cleanup()

    def environment(self) -> dict[str, str]:
        """Return what git is run with: nothing of whoever started the sandbox."""
        path = f"{Path(self.program).parent}:{os.defpath}"
        fixed = {"GIT_CONFIG_NOSYSTEM": "1", "HOME": str(self.root), "ZERO": NOTHING}
        return {"PATH": path, **fixed}

    def run(
        self, *words: str, given: bytes = b"", further: Mapping[str, str] | None = None
    ) -> bytes:
        """Run git; raise CalledProcessError."""
        return subprocess.run(  # noqa: S603  the words are ours
            [self.program, *words],
            input=given,
            capture_output=True,
            check=True,
            timeout=TIMEOUT,
            env={**self.environment(), **(further or {})},
        ).stdout

    def _ask(self, place: Path, *words: str) -> bytes:
        return self.run("--git-dir", str(place), *words)

    def prepare(self, project: Project) -> Path:
        """Write a repository as the world has it; return its folder."""
        store, place = project.repository.store, self.root / f"{project.id}.git"
        objects = self.root / f"objects-{id(store)}"
        if not place.exists():
            (place / "hooks").mkdir(parents=True)
            (objects / "info").mkdir(parents=True, exist_ok=True)
            (place / "objects").symlink_to(objects)
            (place / "config").write_text(CONFIG)
            for name, text in (("pre-receive", PRE_RECEIVE), ("post-receive", POST_RECEIVE)):
                (place / "hooks" / name).write_text(text)
                (place / "hooks" / name).chmod(0o755)
        (place / "HEAD").write_text(f"ref: refs/heads/{project.default_branch}\n")
        refs = refs_of(project)
        for sha in refs.values():
            self._write(objects, store, sha)
        shutil.rmtree(place / "refs", ignore_errors=True)
        (place / "refs" / "heads").mkdir(parents=True)
        lines = [f"{sha} {ref}\n" for ref, sha in sorted(refs.items())]
        (place / "packed-refs").write_text("# pack-refs with: sorted\n" + "".join(lines))
        return place

    def _write(self, objects: Path, store: ObjectStore, head: str) -> None:
        written = self._written.setdefault(id(store), set())
        queue = [head]
        while queue:
            sha = queue.pop()
            if sha in written or sha not in store.commits:
                continue
            commit = store.commits[sha]
            queue.extend(commit.parents)
            trees = encode_trees(commit.tree)
            found = [("commit", sha, _commit_content(commit, trees[""][0]))]
            found += [("tree", tree, content) for tree, content in trees.values()]
            found += [("blob", b.sha, store.blobs[b.sha]) for b in commit.tree.values()]
            for kind, number, content in found:
                if number not in written:
                    written.add(number)
                    _write_loose(objects, kind, number, content)

    def find_updates(self, project: Project, place: Path) -> dict[str, str | None]:
        """Tell which branches and tags a push moved, and where to; None where one is gone."""
        lines = self._ask(place, "for-each-ref", "--format=%(refname) %(objectname)").decode()
        now = dict(line.split(" ") for line in lines.splitlines())
        before = refs_of(project)
        refs = sorted(now.keys() | before.keys())
        return {ref: now.get(ref) for ref in refs if now.get(ref) != before.get(ref)}

    def read_commit(self, project: Project, place: Path, sha: str) -> str:
        """Take a pushed commit, and all before it, into the store; return its number, peeled."""
        store = project.repository.store
        peeled = self._ask(place, "rev-parse", f"{sha}^{{commit}}").decode().strip()
        new = self._ask(place, "rev-list", "--reverse", "--topo-order", peeled).decode().split()
        for each in new:
            if each not in store.commits:
                self._written.setdefault(id(store), set()).add(each)
                store.keep(self._read(store, place, each))
        return peeled

    def _read(self, store: ObjectStore, place: Path, sha: str) -> Commit:
        head, _, message = self._ask(place, "cat-file", "commit", sha).partition(b"\n\n")
        lines = [line.partition(b" ") for line in head.split(b"\n")]
        said = {name: value for name, _, value in lines}
        return Commit(
            sha=sha,
            tree=dict(self._read_tree(store, place, sha)),
            parents=tuple(value.decode() for name, _, value in lines if name == b"parent"),
            message=message.decode("utf-8", "surrogateescape"),
            author=Signature(*decode_signature(said[b"author"])),
            committer=Signature(*decode_signature(said[b"committer"])),
        )

    def _read_tree(self, store: ObjectStore, place: Path, sha: str) -> Iterator[tuple[str, Blob]]:
        for row in self._ask(place, "ls-tree", "-r", "-z", sha).split(b"\0"):
            about, tab, path = row.partition(b"\t")
            if not tab:
                continue
            mode, kind, blob = about.decode().split(" ")
            if kind != "blob":
                continue  # a submodule
            if blob not in store.blobs:
                store.blobs[blob] = self._ask(place, "cat-file", "blob", blob)
            yield path.decode("utf-8", "surrogateescape"), Blob(blob, mode)


@lru_cache(maxsize=256)
def number_patch(store: ObjectStore, base: str, head: str) -> str | None:
    """Ask git for the number of what is changed between two commits; None for nothing.

    Gitaly, internal/gitaly/service/diff/patch_id.go: `git diff --full-index`, `git patch-id`.
    """
    trees = [store.commits[sha].tree for sha in (base, head)]
    if shutil.which("git") is None or not (paths := changed_paths(*trees)):
        return None
    with closing(Mirror()) as mirror:
        objects, roots = mirror.root / "objects", []
        (mirror.root / "refs").mkdir()
        (mirror.root / "HEAD").write_text("ref: refs/heads/main\n")
        for tree in trees:
            encoded = encode_trees(tree)
            roots.append(encoded[""][0])
            found = [("tree", *each) for each in encoded.values()]
            blobs = {tree[path].sha for path in paths if path in tree}
            for written in [*found, *(("blob", sha, store.blobs[sha]) for sha in blobs)]:
                _write_loose(objects, *written)
        changes = mirror.run("--git-dir", str(mirror.root), "diff", "--full-index", *roots)
        return mirror.run("patch-id", "--stable", given=changes).decode().partition(" ")[0] or None


def refs_of(project: Project) -> dict[str, str]:
    """List the refs of a project: branches, tags, and the heads of merge requests."""
    repository = project.repository
    refs = {f"refs/heads/{name}": sha for name, sha in repository.branches.items()}
    refs |= {f"refs/tags/{name}": tag or sha for name, (sha, tag) in repository.tags.items()}
    refs |= repository.refs
    for mr in project.merge_requests.values():
        if mr.head_sha in repository.store.commits:
            refs[f"refs/merge-requests/{mr.iid}/head"] = str(mr.head_sha)
    return refs


def _commit_content(commit: Commit, tree: str) -> bytes:
    author, committer = (encode_signature(*each) for each in (commit.author, commit.committer))
    return encode_commit(tree, commit.parents, author, committer, commit.message)


def _write_loose(objects: Path, kind: str, number: str, content: bytes) -> None:
    if object_id(kind, content) != number:
        raise ValueError(f"{kind} {number} is not what git would write")
    place = objects / number[:2] / number[2:]
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(zlib.compress(f"{kind} {len(content)}\0".encode() + content, 1))
