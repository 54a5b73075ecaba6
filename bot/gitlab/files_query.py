"""The queries for projects and their files, and their answers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from bot.evidence import DefaultBranchOf, Exposure, ExposureOf, Fact, FileAt, Need, NotText, TipOf
from bot.gitlab.answers import Json, read_visibility
from bot.gitlab.packing import Part, make_part
from bot.merge_request import Visibility
from bot.unread import Content, Unread, hidden

FILES_PER_PART = 28  # of which five fill a query best: each path costs a point and 1 % of all
LINK = "120000"  # git's mode of a symbolic link
SUBMODULE = "160000"  # and of a commit of another repository, a folder for who checks it out
POINTER = "version https://git-lfs.github.com/spec/"  # git-lfs, docs/spec.md

FILES = """
query($project: ID!, $ref: String!, $paths: [String!]!, $count: Int!) {
  project(fullPath: $project) {
    repository {
      commit(ref: $ref) { sha }
      blobs(paths: $paths, ref: $ref, first: $count) { nodes { path mode size rawTextBlob } }
    }
  }
}
"""

TIP = """
query($project: ID!, $ref: String!) {
  project(fullPath: $project) { repository { commit(ref: $ref) { sha } } }
}
"""

BRANCH = """
query($project: ID!) {
  project(fullPath: $project) { mergeRequestsEnabled repository { rootRef } }
}
"""

# GraphQL does not tell whether merge requests or the repository are for members alone;
# but who is no member and reads them sees what everybody sees.
EXPOSURE = """
query($project: ID!) {
  project(fullPath: $project) { visibility maxAccessLevel { integerValue } }
}
"""


def files_part(files: Sequence[FileAt]) -> Part:
    """Ask for some files of one project and ref."""
    project, ref, count = files[0].project, files[0].ref, len(files)
    paths = [file.path for file in files]
    return Part(
        needs=tuple(files),
        text=FILES,
        variables={"project": project, "ref": ref, "paths": paths, "count": count},
        cost=4 + int((count + 7) * (1 + count / 100)),
        read=partial(_read_files, files),
    )


def _read_files(files: Sequence[FileAt], answer: Json) -> Mapping[Need, Fact]:
    where = files[0]
    repository = (answer.get("project") or {}).get("repository")
    if repository is None:
        return dict.fromkeys(files, hidden(f"the project {where.project}"))
    if repository.get("commit") is None:
        return _all_unread(files, f"{where.project} has no revision {where.ref}")
    nodes = (repository.get("blobs") or {}).get("nodes")
    if nodes is None:
        return _all_unread(files, f"GitLab did not list the files of {where.project}")
    found = {node["path"]: _read_blob(node) for node in nodes}
    return {file: found.get(file.path) for file in files}


def _read_blob(node: Json) -> Content:
    if node.get("mode") == LINK:
        # Whoever reads the checkout follows it, perhaps to a file that is no entry's.
        return Unread(reason="it is a symbolic link, which the bot does not follow")
    if node.get("mode") == SUBMODULE:
        return Unread(reason="it is a submodule, in which the bot does not look")
    text: str | None = node.get("rawTextBlob")
    if text is None:
        return NotText(reason="GitLab gives no text for this file")
    if text.startswith(POINTER):
        # Whoever reads the checkout reads what is kept there.
        return Unread(reason="its text is kept in Git LFS, where the bot does not read")
    raw = text.encode("utf-8", "surrogatepass")
    size = node.get("size")
    if size is not None and int(size) != len(raw):
        return NotText(reason=f"GitLab gave {len(raw)} of {size} bytes of this file")
    return raw


def _all_unread(needs: Iterable[Need], reason: str) -> Mapping[Need, Fact]:
    return dict.fromkeys(needs, Unread(reason=reason))


def _read_exposure(need: ExposureOf, answer: Json) -> Exposure | Unread:
    project = answer.get("project")
    if project is None:
        return hidden(f"the project {need.project}")
    visibility = read_visibility(project.get("visibility"), unknown=Visibility.PRIVATE)
    level = (project.get("maxAccessLevel") or {}).get("integerValue")
    sure = level == 0 or visibility is Visibility.PRIVATE
    return Exposure(merge_requests=visibility, files=visibility, sure=sure)


def _read_tip(need: TipOf, answer: Json) -> str | Unread:
    repository = (answer.get("project") or {}).get("repository") or {}
    sha = (repository.get("commit") or {}).get("sha")
    return sha or Unread(reason=f"{need.project} has no revision {need.ref}")


def _read_branch(need: DefaultBranchOf, answer: Json) -> str | Unread:
    project = answer.get("project")
    if project is None:
        return hidden(f"the project {need.project}")
    if project.get("mergeRequestsEnabled") is False:
        # It is for who asks (app/graphql/types/project_type.rb): where the feature is for members
        # alone, everybody else gets empty lists of what was merged into the branch.
        return hidden(f"the merge requests of {need.project}")
    branch = (project.get("repository") or {}).get("rootRef")
    return branch or Unread(reason=f"GitLab did not tell the default branch of {need.project}")


PARTS: Mapping[type, Callable[[Any], Part]] = {
    DefaultBranchOf: partial(make_part, text=BRANCH, read=_read_branch, cost=4),
    ExposureOf: partial(make_part, text=EXPOSURE, read=_read_exposure, cost=4),
    TipOf: partial(make_part, text=TIP, read=_read_tip, cost=5),
}
