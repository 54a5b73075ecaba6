"""The queries for a merge request and its comments, and their answers."""

from collections.abc import Iterable

from bot.errors import GitLabError
from bot.gitlab.answers import (
    Json,
    following,
    is_member,
    nodes_of,
    number_of,
    read_person,
    read_time,
    read_touched,
    read_visibility,
)
from bot.merge_request import WATCH, HeadPipeline, MergeRequest, Note, Person, Visibility

PAGE = 100  # comments on a page, as the texts below say
PEOPLE = ("assignees", "reviewers", "approvedBy")  # lists of people that may go on

MERGE_REQUEST = """
query NominationMergeRequest($project: ID!, $iid: String!, $after: String) {
  currentUser { id username bot }
  project(fullPath: $project) {
    id
    fullPath visibility
    repository { rootRef }
    onlyAllowMergeIfPipelineSucceeds
    mergeRequest(iid: $iid) {
      iid webUrl state draft createdAt updatedAt mergedAt preparedAt discussionLocked
      sourceBranch targetBranch sourceProjectId targetProjectId sourceBranchExists conflicts
      diffHeadSha
      diffRefs { baseSha headSha }
      diffStats { path }
      diffStatsSummary { fileCount }
      author { id username state bot }
      assignees(first: 100) { pageInfo { hasNextPage endCursor } nodes { id username state bot } }
      reviewers(first: 100) { pageInfo { hasNextPage endCursor } nodes { id username state bot } }
      approvedBy(first: 100) { pageInfo { hasNextPage endCursor } nodes { id username state bot } }
      headPipeline { id sha ref source }
      awardEmoji(first: 100) { pageInfo { hasNextPage endCursor } nodes { name user { id } } }
      notes(filter: ONLY_COMMENTS, first: 100, after: $after) { ...Comments }
    }
  }
}
"""

NOTES = """
query NominationNotes($project: ID!, $iid: String!, $after: String) {
  currentUser { id username bot }
  project(fullPath: $project) {
    mergeRequest(iid: $iid) {
      notes(filter: ONLY_COMMENTS, first: 100, after: $after) { ...Comments }
    }
  }
}
"""

COMMENTS = """
fragment Comments on NoteConnection {
  pageInfo { hasNextPage endCursor }
  nodes {
    id body url system internal createdAt lastEditedAt maxAccessLevelOfAuthor
    lastEditedBy { username }
    resolvable resolved resolvedBy { username }
    author { id username state bot }
    awardEmoji(first: 100) { pageInfo { hasNextPage endCursor } nodes { name user { id } } }
  }
}
"""

_FURTHER_ASSIGNEES = """
query NominationPeople($project: ID!, $iid: String!, $after: String) {
  project(fullPath: $project) {
    mergeRequest(iid: $iid) {
      assignees(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { id username state bot }
      }
    }
  }
}
"""


def further_people(name: str) -> str:
    """Write the query for the people of a list who are not on its first page."""
    return _FURTHER_ASSIGNEES.replace("assignees", name)


def read_merge_request(data: Json, notes: Iterable[Json]) -> MergeRequest:
    """Read the answer to MERGE_REQUEST that holds a merge request.

    Raises GitLabError where GitLab did not list people who may matter.
    """
    # One function: it builds one value, field by field, out of one answer.
    project, me = data["project"], data["currentUser"]
    node = project["mergeRequest"]
    refs = node.get("diffRefs") or {}
    head = node.get("diffHeadSha")
    own = Person(id=number_of(me["id"]), username=me["username"], bot=me["bot"])
    return MergeRequest(
        project=project["fullPath"],
        project_id=number_of(project["id"]),
        iid=int(node["iid"]),
        web_url=node["webUrl"],
        state=node["state"],
        draft=node["draft"],
        author=read_person(node.get("author")),
        created_at=read_time(node["createdAt"]),
        merged_at=read_time(node["mergedAt"]) if node.get("mergedAt") else None,
        prepared=bool(node.get("preparedAt")),
        # After a push one of them may still be of the head before.
        head_sha=head if head and refs.get("headSha", head) == head else None,
        base_sha=refs.get("baseSha"),
        source_branch=node["sourceBranch"],
        target_branch=node["targetBranch"],
        from_fork=node.get("sourceProjectId") != node["targetProjectId"],
        source_project_id=node.get("sourceProjectId"),
        changed_paths=read_paths(node),
        assignees=_people(node, "assignees"),
        reviewers=_people(node, "reviewers"),
        approved_by=_people(node, "approvedBy"),
        head_pipeline=_pipeline(node.get("headPipeline")),
        discussion_locked=bool(node.get("discussionLocked")),
        notes=tuple(_read_note(note, own) for note in notes),
        me=own,
        watched=(own.id, WATCH) in _emoji(node),
        visibility=read_visibility(project.get("visibility"), unknown=Visibility.PUBLIC),
        default_branch=(project.get("repository") or {}).get("rootRef"),
        updated_at=read_time(node["updatedAt"]) if node.get("updatedAt") else None,
        needs_pipeline=bool(project.get("onlyAllowMergeIfPipelineSucceeds")),
        # Not `detailedMergeStatus`, which names the first of all obstacles, such as an approval
        # (app/services/merge_requests/mergeability/detailed_merge_status_service.rb).
        conflicts=bool(node.get("conflicts")),
        source_exists=node.get("sourceBranchExists") is not False,
    )


def read_paths(node: Json) -> tuple[str, ...] | None:
    """Read which paths a merge request changes; None where not all are told."""
    if not (node.get("diffRefs") or {}).get("baseSha"):
        # Without a merge base nothing is compared and the lists are empty
        # (lib/gitlab/git/repository.rb, `diff_stats`), which says nothing.
        return None
    return read_touched(node)


def _read_note(node: Json, me: Person) -> Note:
    emoji = _emoji(node)
    return Note(
        id=number_of(node["id"]),
        body=node["body"],
        author=read_person(node.get("author")),
        created_at=read_time(node["createdAt"]),
        edited=node.get("lastEditedAt") is not None,
        edited_by=(node.get("lastEditedBy") or {}).get("username"),
        system=node["system"],
        internal=bool(node.get("internal")),
        own_emoji=tuple(name for account, name in emoji if account == me.id),
        other_emoji=tuple(each for each in emoji if each[0] != me.id),
        emoji_known=following(node, "awardEmoji") is None,
        url=node.get("url"),
        by_member=is_member(node.get("maxAccessLevelOfAuthor")),
        resolvable=bool(node["resolvable"]),
        resolved=bool(node["resolved"]),
        resolved_by=(node.get("resolvedBy") or {}).get("username"),
    )


def _emoji(node: Json) -> list[tuple[int, str]]:
    """Return whose emoji these are; where GraphQL did not list all, REST told the numbers."""
    found = nodes_of(node.get("awardEmoji"))
    return [(number_of(str(emoji["user"]["id"])), emoji["name"]) for emoji in found]


def _pipeline(node: Json | None) -> HeadPipeline | None:
    if node is None:
        return None
    return HeadPipeline(
        id=number_of(node["id"]),
        sha=node.get("sha") or "",
        source=node.get("source"),
        ref=node.get("ref"),
    )


def _people(merge_request: Json, name: str) -> tuple[Person, ...]:
    connection = merge_request.get(name)
    if connection is None or connection.get("nodes") is None:
        raise GitLabError(f"GitLab did not list the {name} of !{merge_request['iid']}.")
    return tuple(person for node in nodes_of(connection) if (person := read_person(node)))
