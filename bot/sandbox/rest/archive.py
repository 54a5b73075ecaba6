"""REST: the archive of a repository, or of one folder of it."""

import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.rest.core import FILES, Answer, Call, endpoint
from bot.sandbox.rest.files import read_ref
from bot.sandbox.rest.params import takes
from bot.sandbox.world.access import demand
from bot.sandbox.world.repository import (
    MODE_EXECUTABLE,
    MODE_LINK,
    Commit,
    ObjectStore,
    entries_below,
)

FOLDER_RIGHTS, FILE_RIGHTS = 0o775, 0o664


# lib/api/repositories.rb: the format stands in the address (`:id/repository/archive`), the commit
# and the folder in the query; whatever goes wrong with them is "404 File Not Found".
ARCHIVE = "/projects/{id}/repository/archive"
WANTED = takes(text="sha path", words="exclude_paths", flag="include_lfs_blobs")
MODES: Mapping[str, Any] = {
    ".tar": "w",
    ".tar.bz2": "w:bz2",
    ".tbz": "w:bz2",
    ".tbz2": "w:bz2",
    ".bz2": "w:bz2",
}
ENDINGS = ("", ".tar.gz", ".tgz", ".gz", ".zip", *MODES)


def send_archive(call: Call) -> Answer:
    """Send the files of a commit, or of one folder of it, as git packs them."""
    ref = read_ref(call, call.params.get("sha", "HEAD"))
    commit = call.commit(ref, "404 File Not Found")
    folder = call.params.get("path", "").strip("/")
    paths = sorted(entries_below(commit.tree, folder) if folder else commit.tree)
    demand(bool(paths), 404, "404 File Not Found")
    # `archive_prefix` in lib/gitlab/git/repository.rb.
    project = call.project.path_with_namespace.rpartition("/")[2]
    parts = [project, ref.replace("/", "-"), commit.sha, folder.replace("/", "-")]
    name = "-".join(filter(None, parts))
    ending = call.url.rpartition("/archive")[2] or ".tar.gz"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}{ending}"',
        "Content-Transfer-Encoding": "binary",
    }
    content = _pack(name, commit, paths, (MODES.get(ending, "w:gz"), call.code.repository.store))
    content = _zip(content) if ending == ".zip" else content
    return Answer(raw=content, headers=headers, content_type="application/octet-stream")


for _ending in ENDINGS:
    endpoint("GET", ARCHIVE + _ending, WANTED, scopes=FILES)(send_archive)


def _zip(packed: bytes) -> bytes:
    # Made of the tar, so that both hold the same members.
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(packed)) as old, zipfile.ZipFile(made, "w") as new:
        for member in old:
            file = old.extractfile(member) if member.isfile() else None
            name = member.name + "/" * member.isdir()
            new.writestr(name, file.read() if file else member.linkname)
    return made.getvalue()


def _pack(name: str, commit: Commit, paths: list[str], how: tuple[Any, ObjectStore]) -> bytes:
    """Pack as `git archive` does: the commit in a global header, folders before their files."""
    packed, (mode, store) = io.BytesIO(), how
    header = {"comment": commit.sha}
    with tarfile.open(
        fileobj=packed, mode=mode, format=tarfile.PAX_FORMAT, pax_headers=header
    ) as archive:
        for place in _folders(name, paths):
            archive.addfile(_member(place, commit, tarfile.DIRTYPE))
        for path in paths:
            blob = commit.tree[path]
            content = store.blobs[blob.sha]
            member = _member(f"{name}/{path}", commit, tarfile.REGTYPE)
            if blob.mode == MODE_LINK:
                member.type, member.linkname = tarfile.SYMTYPE, content.decode("utf-8", "replace")
                archive.addfile(member)
                continue
            member.size = len(content)
            member.mode = FOLDER_RIGHTS if blob.mode == MODE_EXECUTABLE else FILE_RIGHTS
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _folders(name: str, paths: list[str]) -> Iterator[str]:
    found: dict[str, None] = {}
    for path in paths:
        parts = f"{name}/{path}".split("/")
        found |= dict.fromkeys("/".join(parts[:depth]) for depth in range(1, len(parts)))
    return iter(found)


def _member(path: str, commit: Commit, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.mtime = kind, int(commit.committer.at.timestamp())
    member.mode = FOLDER_RIGHTS
    member.uname = member.gname = "root"
    return member
