"""Put needs into GraphQL queries and read the answers into values; no network here.

GitLab refuses a query whose complexity score is above 250. A score depends on the
fields, hardly on page sizes (`Types::BaseField`), so every part carries an estimate
and parts are packed into as few queries as fit.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.facts import (
    Account,
    Fact,
    FileAt,
    HeadOf,
    Listed,
    Member,
    Members,
    MembersOf,
    Merged,
    Need,
    NotText,
    Work,
    WorkOf,
)
from bot.merge_request import WATCH, HeadPipeline, MergeRequest, Note, Person
from bot.nomination import Content, Unread

BUDGET = 225  # of 250, because the scores below are estimates, a little above GitLab's rules
FILES_PER_PART = 20
REVIEWS = 30
PAGE = 100
LINK = "120000"  # git's mode of a symbolic link

Json = Mapping[str, Any]

NOT_FILTERED: Json = {"count": 1, "nodes": ()}  # a list of which nothing was seen

PERSON = "{ id username state bot }"

MERGE_REQUEST = f"""
query NominationMergeRequest($project: ID!, $iid: String!, $after: String) {{
  currentUser {{ id username bot }}
  project(fullPath: $project) {{
    id
    fullPath
    repository {{ rootRef }}
    mergeRequest(iid: $iid) {{
      iid title webUrl state draft createdAt mergedAt preparedAt discussionLocked
      sourceBranch targetBranch sourceProjectId targetProjectId
      diffHeadSha
      diffRefs {{ baseSha headSha }}
      diffStats {{ path }}
      diffStatsSummary {{ fileCount }}
      author {PERSON}
      assignees(first: 100) {{ nodes {PERSON} }}
      reviewers(first: 100) {{ nodes {PERSON} }}
      approvedBy(first: 100) {{ nodes {PERSON} }}
      headPipeline {{ id sha ref source }}
      awardEmoji(first: {PAGE}) {{ nodes {{ name user {{ username }} }} }}
      notes(filter: ONLY_COMMENTS, first: {PAGE}, after: $after) {{ ...Comments }}
    }}
  }}
}}
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

RECENT = """
query RecentMergeRequests($project: ID!, $since: Time!, $after: String) {
  project(fullPath: $project) {
    mergeRequests(
      state: opened, updatedAfter: $since, sort: UPDATED_DESC, first: 50, after: $after
    ) {
      pageInfo { hasNextPage endCursor }
      nodes { iid diffStats { path } }
    }
  }
}
"""

COMMENTS = f"""
fragment Comments on NoteConnection {{
  pageInfo {{ hasNextPage endCursor }}
  nodes {{
    id body url system internal createdAt lastEditedAt
    lastEditedBy {{ username }}
    author {PERSON}
    awardEmoji(first: 20) {{ nodes {{ name user {{ username }} }} }}
  }}
}}
"""

REVIEWED = """
fragment Reviewed on MergeRequestConnection {
  count
  nodes {
    iid title webUrl mergedAt
    author { username bot }
    approvedBy(first: 20) { nodes { username } }
    commenters(first: 50) { nodes { username } }
    reviewers(first: 20) { nodes { username mergeRequestInteraction { reviewState } } }
  }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One selection of a query: its text, its variables, its cost, and how to read it."""

    needs: tuple[Need, ...]
    text: str
    variables: Mapping[str, tuple[str, object]]
    cost: int
    read: Callable[[Json], Mapping[Need, Fact]]
    fragments: tuple[str, ...] = ()
    fallback: "Part | None" = None


@dataclass(slots=True)
class Query:
    """Parts that travel together."""

    parts: list[Part] = field(default_factory=list)

    @property
    def cost(self) -> int:
        """Return the estimated complexity score."""
        return sum(part.cost for part in self.parts)

    def text(self) -> str:
        """Write the query; variables and aliases carry the part's number."""
        declared = [
            f"${name}: {kind}" for part in self.parts for name, (kind, _) in part.variables.items()
        ]
        fragments = dict.fromkeys(text for part in self.parts for text in part.fragments)
        body = "\n".join(part.text for part in self.parts)
        return f"query Evidence({', '.join(declared)}) {{\n{body}\n}}\n" + "\n".join(fragments)

    def variables(self) -> dict[str, object]:
        """Return the values of the variables."""
        return {name: value for part in self.parts for name, (_, value) in part.variables.items()}


def build_parts(needs: Iterable[Need]) -> list[Part]:
    """Turn needs into parts; files of one project and ref travel together."""
    parts: list[Part] = []
    files: dict[tuple[str, str], list[FileAt]] = {}
    for need in needs:
        number = len(parts)
        if isinstance(need, FileAt):
            files.setdefault((need.project, need.ref), []).append(need)
        elif isinstance(need, WorkOf):
            parts.append(_work_part(number, need))
        elif isinstance(need, MembersOf):
            parts.append(_members_part(number, need))
        elif isinstance(need, HeadOf):
            parts.append(_head_part(number, need))
    for wanted in files.values():
        for start in range(0, len(wanted), FILES_PER_PART):
            parts.append(_files_part(len(parts), wanted[start : start + FILES_PER_PART]))
    return parts


def pack_parts(parts: Iterable[Part]) -> list[Query]:
    """Put parts into as few queries as the complexity limit allows, largest first."""
    queries: list[Query] = []
    for part in sorted(parts, key=lambda part: -part.cost):
        for query in queries:
            if query.cost + part.cost <= BUDGET:
                query.parts.append(part)
                break
        else:
            queries.append(Query([part]))
    return queries


def _files_part(number: int, files: Sequence[FileAt]) -> Part:
    project, ref = files[0].project, files[0].ref
    paths = [file.path for file in files]
    count = len(paths)

    def read(answer: Json) -> Mapping[Need, Fact]:
        return _read_files(files, answer.get(f"f{number}"))

    return Part(
        needs=tuple(files),
        text=(
            f"f{number}: project(fullPath: $f{number}project) {{ repository {{"
            f" commit(ref: $f{number}ref) {{ sha }}"
            f" blobs(paths: $f{number}paths, ref: $f{number}ref, first: {count})"
            " { nodes { path mode size rawTextBlob } } } }"
        ),
        variables={
            f"f{number}project": ("ID!", project),
            f"f{number}ref": ("String!", ref),
            f"f{number}paths": ("[String!]!", paths),
        },
        cost=5 + int((count + 7) * (1 + count / 100)),
        read=read,
    )


def _read_files(files: Sequence[FileAt], project: Json | None) -> Mapping[Need, Fact]:
    where = files[0]
    repository = (project or {}).get("repository")
    if repository is None:
        return _all_unread(files, f"the project {where.project} cannot be read by the bot")
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
    text: str | None = node.get("rawTextBlob")
    if text is None:
        return NotText(reason="GitLab gives no text for this file")
    raw = text.encode("utf-8", "surrogatepass")
    size = node.get("size")
    if size is not None and int(size) != len(raw):
        return NotText(reason=f"GitLab gave {len(raw)} of {size} bytes of this file")
    return raw


def _all_unread(needs: Iterable[Need], reason: str) -> Mapping[Need, Fact]:
    return dict.fromkeys(needs, Unread(reason=reason))


def _work_part(number: int, need: WorkOf, *, approvals: bool = True) -> Part:
    lists = "state: merged, sort: MERGED_AT_DESC"
    approved = (
        f"  approved: mergeRequests(approvedBy: [$w{number}who], {lists}, first: {REVIEWS})"
        " { ...Reviewed }\n"
    )

    def read(answer: Json) -> Mapping[Need, Fact]:
        account, project = answer.get(f"u{number}"), answer.get(f"w{number}")
        if project is not None and not approvals:
            project = {**project, "approved": NOT_FILTERED}
        return {need: _read_work(need, account, project)}

    return Part(
        needs=(need,),
        text=(
            f"u{number}: user(username: $w{number}who) {{ username state bot }}\n"
            f"w{number}: project(fullPath: $w{number}project) {{\n"
            f"  authored: mergeRequests(authorUsername: $w{number}who, {lists}, first: 10)"
            " { count nodes { iid title webUrl mergedAt author { username bot } } }\n"
            f"  assigned: mergeRequests(reviewerUsername: $w{number}who, {lists},"
            f" first: {REVIEWS}) {{ ...Reviewed }}\n{approved if approvals else ''}}}"
        ),
        variables={
            f"w{number}who": ("String!", need.username),
            f"w{number}project": ("ID!", need.project),
        },
        cost=108,
        read=read,
        fragments=(REVIEWED,),
        # Where the tier or the version has no filter by approver, those who were reviewers are
        # still known with their approvals; that there may be others keeps the list incomplete.
        fallback=_work_part(number, need, approvals=False) if approvals else None,
    )


def _read_work(need: WorkOf, account: Json | None, project: Json | None) -> Work | Unread:
    if project is None:
        return Unread(reason=f"the project {need.project} cannot be read by the bot")
    parts = [project.get(name) for name in ("authored", "assigned", "approved")]
    if any(part is None or part.get("nodes") is None for part in parts):
        return Unread(reason=f"GitLab did not list the merge requests of {need.project}")
    key = need.username.casefold()
    authored, assigned, approved = (_read_listed(part or {}, key) for part in parts)
    return Work(
        account=_read_account(account),
        authored=authored,
        reviewed=_join_lists(assigned, approved),
    )


def _read_listed(connection: Json, key: str) -> Listed:
    # GitLab does not know when some imported merge requests were merged.
    nodes = [node for node in _nodes(connection) if node.get("mergedAt")]
    items = tuple(_read_merged(node, key) for node in nodes)
    total: int = connection["count"]
    oldest = items[-1].merged_at if items and total > len(items) else None
    return Listed(items=items, total=total, seen_since=oldest)


def _join_lists(one: Listed, other: Listed) -> Listed:
    """Join two lists that may share items; what one of them left out is left out."""
    both = {merged.iid: merged for merged in (*one.items, *other.items)}
    unseen = sum(max(0, part.total - len(part.items)) for part in (one, other))
    cuts = [part.seen_since for part in (one, other) if not part.complete]
    known = [cut for cut in cuts if cut is not None]
    return Listed(
        items=tuple(sorted(both.values(), key=lambda merged: merged.merged_at, reverse=True)),
        total=len(both) + unseen,
        seen_since=max(known) if known and len(known) == len(cuts) else None,
    )


def _read_account(account: Json | None) -> Account | None:
    if account is None:
        return None
    return Account(
        username=account["username"], active=account["state"] == "active", bot=account["bot"]
    )


def _read_merged(node: Json, key: str) -> Merged:
    author = node.get("author") or {}
    reviewers = {
        str(r["username"]).casefold(): (r.get("mergeRequestInteraction") or {}).get("reviewState")
        for r in _nodes(node.get("reviewers"))
    }
    return Merged(
        iid=int(node["iid"]),
        title=node["title"],
        web_url=node["webUrl"],
        merged_at=_time(node["mergedAt"]),
        author=author.get("username"),
        author_is_bot=bool(author.get("bot")),
        assigned=key in reviewers,
        review_state=reviewers.get(key),
        approved=key in _usernames(node.get("approvedBy")),
        commented=key in _usernames(node.get("commenters")),
    )


def _members_part(number: int, need: MembersOf) -> Part:
    rows = "{ pageInfo { hasNextPage } nodes { accessLevel { integerValue } user %s } }"
    rows %= "{ username state bot }"

    def read(answer: Json) -> Mapping[Need, Fact]:
        return {need: _read_members(need, answer.get(f"g{number}"))}

    return Part(
        needs=(need,),
        text=(
            f"g{number}: group(fullPath: $g{number}) {{\n"
            f"  direct: groupMembers(relations: [DIRECT], first: {PAGE}) {rows}\n"
            "  owners: groupMembers(relations: [DIRECT, INHERITED], accessLevels: [OWNER],"
            f" first: 20) {rows}\n}}"
        ),
        variables={f"g{number}": ("ID!", need.group)},
        cost=36,
        read=read,
    )


def _read_members(need: MembersOf, group: Json | None) -> Members | Unread:
    if group is None:
        return Unread(reason=f"the group {need.group} does not exist or cannot be read by the bot")
    direct, owners = group.get("direct"), group.get("owners")
    if direct is None or direct.get("nodes") is None:
        return Unread(reason=f"GitLab did not list the members of {need.group}")
    if direct["pageInfo"]["hasNextPage"]:
        return Unread(reason=f"{need.group} has more than {PAGE} direct members")
    return Members(direct=_read_rows(direct), owners=_read_rows(owners))


def _read_rows(connection: Json | None) -> tuple[Member, ...]:
    return tuple(
        Member(
            username=row["user"]["username"],
            level=row["accessLevel"]["integerValue"],
            active=row["user"]["state"] == "active",
            bot=row["user"]["bot"],
        )
        for row in _nodes(connection)
        if row.get("user") and row.get("accessLevel")
    )


def _head_part(number: int, need: HeadOf) -> Part:
    def read(answer: Json) -> Mapping[Need, Fact]:
        merge_request = (answer.get(f"h{number}") or {}).get("mergeRequest") or {}
        head = merge_request.get("diffHeadSha")
        return {need: head or Unread(reason="GitLab did not tell the present head")}

    return Part(
        needs=(need,),
        text=(
            f"h{number}: project(fullPath: $h{number}project)"
            f" {{ mergeRequest(iid: $h{number}iid) {{ diffHeadSha }} }}"
        ),
        variables={
            f"h{number}project": ("ID!", need.project),
            f"h{number}iid": ("String!", str(need.iid)),
        },
        cost=5,
        read=read,
    )


def read_merge_request(data: Json, notes: Iterable[Json]) -> MergeRequest:
    """Read the answer to MERGE_REQUEST that holds a merge request."""
    project, me = data["project"], data["currentUser"]
    node = project["mergeRequest"]
    refs = node.get("diffRefs") or {}
    head = node.get("diffHeadSha")
    pipeline = node.get("headPipeline")
    own = Person(id=_number(me["id"]), username=me["username"], bot=me["bot"])
    return MergeRequest(
        project=project["fullPath"],
        project_id=_number(project["id"]),
        iid=int(node["iid"]),
        title=node["title"],
        web_url=node["webUrl"],
        state=node["state"],
        draft=node["draft"],
        author=_person(node.get("author")),
        created_at=_time(node["createdAt"]),
        merged_at=_time(node["mergedAt"]) if node.get("mergedAt") else None,
        prepared=bool(node.get("preparedAt")),
        head_sha=head if head and refs.get("headSha") == head else None,
        base_sha=refs.get("baseSha"),
        source_branch=node["sourceBranch"],
        target_branch=node["targetBranch"],
        from_fork=node.get("sourceProjectId") != node["targetProjectId"],
        source_project_id=node.get("sourceProjectId"),
        changed_paths=_changed_paths(node),
        assignees=_people(node.get("assignees")),
        reviewers=_people(node.get("reviewers")),
        approved_by=_people(node.get("approvedBy")),
        head_pipeline=_pipeline(pipeline) if pipeline else None,
        discussion_locked=bool(node.get("discussionLocked")),
        notes=tuple(_read_note(note, own) for note in notes),
        me=own,
        watched=WATCH in _own_emoji(node, own),
        default_branch=(project.get("repository") or {}).get("rootRef"),
    )


def _changed_paths(node: Json) -> tuple[str, ...] | None:
    stats = node.get("diffStats")
    summary = node.get("diffStatsSummary")
    if stats is None or summary is None or len(stats) < summary["fileCount"]:
        return None
    return tuple(stat["path"] for stat in stats)


def _read_note(node: Json, me: Person) -> Note:
    return Note(
        id=_number(node["id"]),
        body=node["body"],
        author=_person(node.get("author")),
        created_at=_time(node["createdAt"]),
        edited=node.get("lastEditedAt") is not None,
        edited_by=(node.get("lastEditedBy") or {}).get("username"),
        system=node["system"],
        internal=bool(node.get("internal")),
        own_emoji=_own_emoji(node, me),
        url=node.get("url"),
    )


def _own_emoji(node: Json, me: Person) -> tuple[str, ...]:
    return tuple(
        emoji["name"]
        for emoji in _nodes(node.get("awardEmoji"))
        if emoji["user"]["username"].casefold() == me.key
    )


def _pipeline(node: Json) -> HeadPipeline:
    return HeadPipeline(
        id=_number(node["id"]),
        sha=node.get("sha") or "",
        source=node.get("source"),
        ref=node.get("ref"),
    )


def _person(node: Json | None) -> Person | None:
    if node is None:
        return None
    return Person(
        id=_number(node["id"]),
        username=node["username"],
        bot=node["bot"],
        active=node["state"] == "active",
    )


def _people(connection: Json | None) -> tuple[Person, ...]:
    return tuple(person for node in _nodes(connection) if (person := _person(node)))


def _nodes(connection: Json | None) -> Iterator[Json]:
    return (node for node in (connection or {}).get("nodes") or () if node is not None)


def _usernames(connection: Json | None) -> set[str]:
    return {str(node["username"]).casefold() for node in _nodes(connection)}


def _number(gid: str) -> int:
    """Return the number at the end of a global id, which is the id REST uses."""
    return int(gid.rsplit("/", 1)[-1])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
