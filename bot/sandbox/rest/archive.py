"""REST: the archive of a repository, or of one folder of it."""

import io
import tarfile
from collections.abc import Iterator

from bot.sandbox.rest.core import FILES, Answer, Call, endpoint
from bot.sandbox.rest.files import read_ref
from bot.sandbox.rest.params import flag, text, words
from bot.sandbox.world.repository import MODE_EXECUTABLE, MODE_LINK, Commit, entries_below
from bot.sandbox.world.state import RefusedError

FOLDER_RIGHTS, FILE_RIGHTS = 0o775, 0o664


# lib/api/repositories.rb: the format stands in the address (`:id/repository/archive`), the commit
# and the folder in the query; whatever goes wrong with them is "404 File Not Found".
@endpoint(
    "GET",
    "/projects/{id}/repository/archive.tar.gz",
    {"sha": text(), "path": text(), "include_lfs_blobs": flag(), "exclude_paths": words()},
    scopes=FILES,
)
def send_archive(call: Call) -> Answer:
    """Send the files of a commit, or of one folder of it, as git packs them."""
    ref = read_ref(call, call.params.get("sha", "HEAD"))
    commit = call.commit(ref, "404 File Not Found")
    folder = call.params.get("path", "").strip("/")
    paths = sorted(entries_below(commit.tree, folder) if folder else commit.tree)
    if not paths:
        raise RefusedError(404, "404 File Not Found")
    # `archive_prefix` in lib/gitlab/git/repository.rb.
    project = call.project.path_with_namespace.rpartition("/")[2]
    parts = [project, ref.replace("/", "-"), commit.sha, folder.replace("/", "-")]
    name = "-".join(filter(None, parts))
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.tar.gz"',
        "Content-Transfer-Encoding": "binary",
    }
    content = _pack(name, commit, paths, call.code.repository.store.blobs)
    return Answer(raw=content, headers=headers, content_type="application/octet-stream")


def _pack(name: str, commit: Commit, paths: list[str], blobs: dict[str, bytes]) -> bytes:
    """Pack as `git archive` does: the commit in a global header, folders before their files."""
    packed = io.BytesIO()
    header = {"comment": commit.sha}
    with tarfile.open(
        fileobj=packed, mode="w:gz", format=tarfile.PAX_FORMAT, pax_headers=header
    ) as archive:
        for place in _folders(name, paths):
            archive.addfile(_member(place, commit, tarfile.DIRTYPE))
        for path in paths:
            blob = commit.tree[path]
            content = blobs[blob.sha]
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
