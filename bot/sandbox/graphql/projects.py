"""GraphQL: projects, repositories, commits, pipelines."""

# One module: one table of the fields of a project and of what is reached through it.

import base64
from dataclasses import dataclass
from typing import Any

from bot.sandbox.acts.pipelines import ACTIVE
from bot.sandbox.graphql.core import (
    Asked,
    connects,
    global_id,
    lists,
    resolves,
    tells,
    time_text,
    values,
)
from bot.sandbox.rest.code_entities import commit_url
from bot.sandbox.rest.people_entities import web_url
from bot.sandbox.world.access import can_read_code, can_read_merge_requests, find_level
from bot.sandbox.world.diffs import is_binary
from bot.sandbox.world.entities import MergeRequest, Pipeline, Project, User
from bot.sandbox.world.repository import Blob, Commit


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobAt:
    """A file at a commit."""

    project: Project
    commit: Commit
    path: str
    blob: Blob

    @property
    def content(self) -> bytes:
        """What the file holds."""
        return self.project.repository.store.blobs[self.blob.sha]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitAt:
    """A commit of a project."""

    project: Project
    commit: Commit

    def __getattr__(self, name: str) -> Any:
        """Return what the commit has."""
        return getattr(self.commit, name)


@resolves("Query", "project")
def _project(_: object, asked: Asked, **wanted: str) -> Project | None:
    path = wanted["fullPath"]
    return None if path.isdecimal() else asked.visible(asked.world.find_project(path))


@resolves("Project", "mergeRequest")
def _merge_request(source: Project, asked: Asked, iid: str) -> MergeRequest | None:
    readable = can_read_merge_requests(asked.user, source, asked.today)
    found = source.merge_requests.get(int(iid)) if iid.isdecimal() and readable else None
    if found is not None:
        asked.seen.append(found)
    return found


@resolves("Project", "pipeline")
def _pipeline(
    source: Project, asked: Asked, iid: str | None = None, sha: str | None = None
) -> Pipeline | None:
    if not can_read_code(asked.user, source, asked.today):
        return None
    found = [each for each in source.pipelines if iid in {None, str(each.iid)}]
    return next((each for each in reversed(found) if sha in {None, each.sha}), None)


@resolves("Repository", "commit")
def _commit(source: Project, _asked: Asked, ref: str) -> CommitAt | None:
    found = source.repository.find_commit(ref)
    return CommitAt(project=source, commit=found) if found else None


@lists("Repository", "blobs")
def _blobs(source: Project, _asked: Asked, **wanted: Any) -> list[BlobAt]:
    found = source.repository.find_commit(wanted.get("ref") or source.default_branch)
    if found is None or wanted.get("refType") == "TAGS":
        return []
    return [
        BlobAt(project=source, commit=found, path=path, blob=found.tree[path])
        for path in dict.fromkeys(wanted["paths"])
        if path in found.tree
    ]


@resolves("Commit", "author")
def _author(source: CommitAt, asked: Asked) -> User | None:
    name, _, domain = source.commit.author.email.partition("@")
    return asked.world.find_user(name) if domain == "example.com" else None


def _raw_text(source: BlobAt) -> str:
    return source.content.decode("utf-8", "replace")


tells(
    "Project",
    webUrl=lambda source, asked: web_url(asked.world, source.path_with_namespace),
    httpUrlToRepo=lambda source, asked: web_url(asked.world, source.path_with_namespace) + ".git",
    repository=lambda source, asked: (
        source if can_read_code(asked.user, source, asked.today) else None
    ),
    maxAccessLevel=lambda source, asked: find_level(asked.user, source, asked.today),
    # Whether they are there for who asks (app/graphql/types/project_type.rb).
    mergeRequestsEnabled=lambda source, asked: can_read_merge_requests(
        asked.user, source, asked.today
    ),
)
tells("Commit", webUrl=lambda source, asked: commit_url(asked.world, source.project, source.sha))
connects("Pipeline", jobs=lambda source: source.jobs[::-1])
values(
    "Project",
    id=lambda source: global_id("Project", source.id),
    fullPath=lambda source: source.path_with_namespace,
    path=lambda source: source.path_with_namespace.rsplit("/", 1)[-1],
    nameWithNamespace=lambda source: source.path_with_namespace.replace("/", " / "),
    isForked=lambda source: source.forked_from is not None,
    onlyAllowMergeIfAllStatusChecksPassed=lambda source: source.settings.checks_must_succeed,
    onlyAllowMergeIfPipelineSucceeds=lambda source: source.settings.pipelines_must_succeed,
)
values(
    "Repository",
    rootRef=lambda source: source.default_branch if source.repository.branches else None,
    empty=lambda source: not source.repository.branches,
    exists=lambda _: True,
)
values(
    "RepositoryBlob",
    id=lambda source: global_id("Gitlab::Graphql::Representation::TreeEntry", source.blob.sha),
    oid=lambda source: source.blob.sha,
    mode=lambda source: source.blob.mode,
    name=lambda source: source.path.rsplit("/", 1)[-1],
    fileType=lambda source: "download" if is_binary(source.content) else "text",
    size=lambda source: str(len(source.content)),
    rawSize=lambda source: str(len(source.content)),
    rawBlob=_raw_text,
    rawTextBlob=lambda source: None if is_binary(source.content) else _raw_text(source),
    webPath=lambda source: (
        f"/{source.project.path_with_namespace}/-/blob/{source.commit.sha}/{source.path}"
    ),
    base64EncodedBlob=lambda source: base64.b64encode(source.content).decode(),
    storedExternally=lambda _: False,
)
values(
    "Commit",
    id=lambda source: global_id("CommitPresenter", source.sha),
    shortId=lambda source: source.sha[:8],
    fullTitle=lambda source: source.title,
    description=lambda source: source.message.partition("\n")[2].strip(),
    authoredDate=lambda source: time_text(source.commit.author.at),
)
values(
    "CiJob",
    # The kind of the record stands in its id (GitLab, app/graphql/types/ci/job_type.rb).
    id=lambda source: global_id(
        "GenericCommitStatus" if source.stage == "external" else "Ci::Build", source.id
    ),
    status=lambda source: source.status.upper(),
)
values(
    "Pipeline",
    id=lambda source: global_id("Ci::Pipeline", source.id),
    iid=lambda source: str(source.iid),
    active=lambda source: source.status in ACTIVE,
    complete=lambda source: source.status not in ACTIVE,
    finishedAt=lambda source: None if source.status in ACTIVE else time_text(source.updated_at),
    path=lambda source: f"/{source.project.path_with_namespace}/-/pipelines/{source.id}",
    detailedStatus=lambda source: {
        "id": f"{source.status}-{source.id}",
        "name": source.status.upper(),
        "label": source.status,
        "tooltip": source.status,
        "hasDetails": True,
        "detailsPath": f"/{source.project.path_with_namespace}/-/pipelines/{source.id}",
    },
)
