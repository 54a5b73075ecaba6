"""Turn needs into parts of GraphQL queries, and read their answers; no network here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from bot.evidence import (
    WITHDRAWN,
    ActivityOf,
    CoursesOf,
    DeedsOf,
    DefaultBranchOf,
    Exposure,
    ExposureOf,
    Fact,
    FileAt,
    Joined,
    JoinedOf,
    Member,
    Members,
    MembersOf,
    Need,
    NotText,
    Offer,
    Offers,
    OffersOf,
    Profile,
    ProfileOf,
    Proposed,
    ProposedOf,
    Sibling,
    Siblings,
    SiblingsOf,
    StandingOf,
    ThreadsOf,
    TipOf,
    WorkOf,
)
from bot.gitlab.answers import (
    Json,
    nodes_of,
    number_of,
    read_time,
    read_touched,
    read_visibility,
    usernames_of,
)
from bot.gitlab.courses_query import courses_part
from bot.gitlab.packing import Part, make_part
from bot.gitlab.work_query import activity_part, branch_part, deeds_part, threads_part, work_part
from bot.merge_request import Standing, Visibility
from bot.unread import Content, Unread

FILES_PER_PART = 28  # of which five fill a query best: each path costs a point and 1 % of all
PAGE = 100
DEVELOPER = 30  # GitLab's number of the role that may push branches
NEWEST = 30  # comments of a merge request that are read again at the end
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

MEMBERS = """
query($group: ID!, $relations: [GroupMemberRelation!], $after: String, $page: Int!) {
  group(fullPath: $group) {
    visibility
    direct: groupMembers(relations: $relations, first: $page, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { accessLevel { integerValue } user { username state bot } }
    }
  }
}
"""

MEMBERS_AND_OWNERS = MEMBERS.replace(
    "    visibility\n",
    """    visibility
    owners: groupMembers(relations: [DIRECT, INHERITED], accessLevels: [OWNER], first: 20) {
      nodes { accessLevel { integerValue } user { username state bot } }
    }
""",
)

# A hundred at most: the years of the others are not told.
JOINED = """
query($group: ID!) {
  group(fullPath: $group) {
    groupMembers(relations: [DIRECT], first: 100) { nodes { createdAt user { username } } }
  }
}
"""

# GraphQL does not tell whether merge requests or the repository are for members alone;
# but who is no member and reads them sees what everybody sees.
EXPOSURE = """
query($project: ID!) {
  project(fullPath: $project) { visibility maxAccessLevel { integerValue } }
}
"""

STANDING = """
query($project: ID!, $iid: String!, $page: Int!, $newest: Int!) {
  project(fullPath: $project) {
    mergeRequest(iid: $iid) {
      diffHeadSha state targetBranch
      assignees(first: $page) { nodes { username } }
      approvedBy(first: $page) { nodes { username } }
      notes(filter: ONLY_COMMENTS, last: $newest) {
        pageInfo { hasPreviousPage }
        nodes { id lastEditedAt author { id } }
      }
    }
  }
}
"""

SIBLINGS = """
query($project: ID!, $branch: String!, $after: String) {
  project(fullPath: $project) {
    mergeRequests(sourceBranches: [$branch], sort: CREATED_DESC, first: 50, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { iid state sourceProjectId targetBranch }
    }
  }
}
"""

# To list one's files takes GitLab some time.
# So many that the query leaves room for a part of files beside it.
PROPOSED = """
query($project: ID!, $author: String!) {
  project(fullPath: $project) {
    opened: mergeRequests(
      state: opened, authorUsername: $author, sort: UPDATED_DESC, first: 18
    ) {
      nodes { iid userNotesCount diffStats { path } diffStatsSummary { fileCount } }
    }
    closed: mergeRequests(
      state: closed, authorUsername: $author, sort: UPDATED_DESC, first: 18
    ) {
      nodes { iid userNotesCount diffStats { path } diffStatsSummary { fileCount } }
    }
    merged: mergeRequests(
      state: merged, authorUsername: $author, sort: UPDATED_DESC, first: 10
    ) {
      nodes { iid targetBranch userNotesCount }
    }
    late: mergeRequests(state: closed, sort: UPDATED_DESC, first: 18) {
      nodes { iid userNotesCount diffStats { path } diffStatsSummary { fileCount } }
    }
    now: mergeRequests(state: opened, sort: UPDATED_DESC, first: 18) {
      nodes { iid userNotesCount diffStats { path } diffStatsSummary { fileCount } }
    }
  }
}
"""

OFFERS = """
query($project: ID!, $branches: [String!]) {
  project(fullPath: $project) {
    id archived mergeRequestsEnabled maxAccessLevel { integerValue }
    mergeRequests(sourceBranches: $branches, sort: CREATED_DESC, first: 40) {
      pageInfo { hasNextPage }
      nodes {
        iid state webUrl description sourceBranch targetBranch sourceProjectId conflicts
        author { id }
        commits(first: 5) { pageInfo { hasNextPage } nodes { author { id } } }
      }
    }
  }
}
"""
OWN_OFFERS = OFFERS.replace("$branches: [String!]", "$author: String").replace(
    "sourceBranches: $branches", "authorUsername: $author"
)

PROFILE = """
query($username: String!) {
  user(username: $username) { id username createdAt state bot }
}
"""

TIP = """
query($project: ID!, $ref: String!) {
  project(fullPath: $project) { repository { commit(ref: $ref) { sha } } }
}
"""


def build_parts(needs: Iterable[Need]) -> list[Part]:
    """Turn needs into parts; files of one project and ref travel together."""
    parts: list[Part] = []
    files: dict[tuple[str, str], list[FileAt]] = {}
    for need in needs:
        if isinstance(need, FileAt):
            files.setdefault((need.project, need.ref), []).append(need)
        elif type(need) in _PARTS:
            parts.append(_PARTS[type(need)](need))
    for wanted in files.values():
        starts = range(0, len(wanted), FILES_PER_PART)
        parts += [_files_part(wanted[start : start + FILES_PER_PART]) for start in starts]
    return parts


def _files_part(files: Sequence[FileAt]) -> Part:
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


def members_part(need: MembersOf, after: str | None = None) -> Part:
    """Ask for the members of a group, those that follow a cursor."""
    return make_part(
        need,
        MEMBERS if need.inherited or after else MEMBERS_AND_OWNERS,
        _read_members,
        cost=33,
        relations=["DIRECT", "INHERITED"] if need.inherited else ["DIRECT"],
        after=after,
        page=PAGE,
    )


def _read_members(need: MembersOf, answer: Json) -> Members | Unread:
    group = answer.get("group")
    if group is None:
        return Unread(reason=f"the group {need.group} does not exist or cannot be read by the bot")
    direct, owners = group.get("direct"), group.get("owners")
    if direct is None or direct.get("nodes") is None:
        return Unread(reason=f"GitLab did not list the members of {need.group}")
    people = _read_rows(direct)
    if any(row.get("accessLevel") is None for row in people):
        return Unread(reason=f"GitLab did not tell the level of all members of {need.group}")
    page = direct["pageInfo"]
    if page["hasNextPage"] and not page["endCursor"]:
        return Unread(reason=f"GitLab did not list all members of {need.group}")
    return Members(
        direct=tuple(map(_read_member, people)),
        owners=tuple(_read_member(row) for row in _read_rows(owners) if row.get("accessLevel")),
        following=page["endCursor"] if page["hasNextPage"] else None,
        visibility=read_visibility(group.get("visibility"), unknown=Visibility.PRIVATE),
    )


def _read_rows(connection: Json | None) -> list[Json]:
    # Who was invited by mail only has no account yet.
    return [row for row in nodes_of(connection) if row.get("user")]


def _read_member(row: Json) -> Member:
    return Member(
        username=row["user"]["username"],
        level=row["accessLevel"]["integerValue"],
        active=row["user"]["state"] == "active",
        bot=row["user"]["bot"],
    )


def _read_joined(need: JoinedOf, answer: Json) -> Joined | Unread:
    members = (answer.get("group") or {}).get("groupMembers") or {}
    if members.get("nodes") is None:
        return Unread(reason=f"GitLab did not tell when the members of {need.group} joined")
    rows = [row for row in _read_rows(members) if row.get("createdAt")]
    return Joined(
        at={row["user"]["username"].casefold(): read_time(row["createdAt"]) for row in rows}
    )


def _read_exposure(need: ExposureOf, answer: Json) -> Exposure | Unread:
    project = answer.get("project")
    if project is None:
        return Unread(reason=f"the project {need.project} cannot be read by the bot")
    visibility = read_visibility(project.get("visibility"), unknown=Visibility.PRIVATE)
    level = (project.get("maxAccessLevel") or {}).get("integerValue")
    sure = level == 0 or visibility is Visibility.PRIVATE
    return Exposure(merge_requests=visibility, files=visibility, sure=sure)


def _standing_part(need: StandingOf) -> Part:
    iid = str(need.iid)
    return make_part(need, STANDING, _read_standing, cost=26, iid=iid, page=PAGE, newest=NEWEST)


def _read_standing(_: StandingOf, answer: Json) -> Standing | Unread:
    found = (answer.get("project") or {}).get("mergeRequest") or {}
    lists = [found.get(name) or {} for name in ("assignees", "approvedBy", "notes")]
    if not found.get("diffHeadSha") or any(each.get("nodes") is None for each in lists):
        return Unread(reason="GitLab did not tell the present state of the merge request")
    assignees, approved_by, notes = lists
    return Standing(
        head_sha=found["diffHeadSha"],
        state=found["state"],
        target_branch=found["targetBranch"],
        assignees=frozenset(usernames_of(assignees)),
        approved_by=frozenset(usernames_of(approved_by)),
        comments=frozenset(map(_read_comment, nodes_of(notes))),
        whole=not notes["pageInfo"]["hasPreviousPage"],
        # A full page may go on; to ask would make this the one part too many of some queries.
        more_people=any(len(each["nodes"]) >= PAGE for each in (assignees, approved_by)),
    )


def _read_comment(node: Json) -> tuple[int, int | None, bool]:
    author = node.get("author")
    number = number_of(author["id"]) if author else None
    return number_of(node["id"]), number, node.get("lastEditedAt") is not None


def _read_siblings(_: SiblingsOf, answer: Json) -> Siblings | Unread:
    found = (answer.get("project") or {}).get("mergeRequests") or {}
    if found.get("nodes") is None:
        return Unread(reason="GitLab did not list the merge requests from this branch")
    page = found["pageInfo"]
    return Siblings(
        items=tuple(
            Sibling(
                iid=int(node["iid"]),
                merged_into=node["targetBranch"] if node["state"] == "merged" else None,
                source_project_id=node.get("sourceProjectId"),
            )
            for node in nodes_of(found)
        ),
        following=page["endCursor"] if page["hasNextPage"] else None,
    )


def _read_proposed(_: ProposedOf, answer: Json) -> Proposed | Unread:
    found = answer.get("project") or {}
    lists = [found.get(name) or {} for name in ("opened", "closed", "late", "now", "merged")]
    if any(each.get("nodes") is None for each in lists):
        return Unread(reason="GitLab did not list the other merge requests")
    own = frozenset(int(node["iid"]) for each in lists[:2] for node in nodes_of(each))
    # Where nobody commented, nothing is held.
    *rest, merged = ([n for n in nodes_of(each) if n.get("userNotesCount") != 0] for each in lists)
    return Proposed(
        # Where there is nothing to compare, nothing is told to be changed.
        paths={int(n["iid"]): read_touched(n) for nodes in rest for n in nodes},
        own=own,
        merged=tuple((int(n["iid"]), str(n["targetBranch"])) for n in merged),
    )


def _offers_part(need: OffersOf) -> Part:
    """Ask for merge requests of the bot's, newest first, and whether it may open one there."""
    text, branches = OWN_OFFERS if need.author else OFFERS, list(need.branches)
    return make_part(need, text, _read_offers, cost=37, branches=branches)


def _read_offers(_: OffersOf, answer: Json) -> Offers | Unread:
    project = answer.get("project")
    if project is None:
        return Unread(reason="the project cannot be read by the bot")
    found = project.get("mergeRequests") or {}
    if found.get("nodes") is None:
        return Unread(reason="GitLab did not list the merge requests of the project")
    own = number_of(project["id"])
    # A fork has branches of its own, with whatever name.
    nodes = [node for node in nodes_of(found) if node.get("sourceProjectId") == own]
    return Offers(
        items=tuple(map(_read_offer, reversed(nodes))),
        refusal=_find_refusal(project),
        complete=not found["pageInfo"]["hasNextPage"],
    )


def _find_refusal(project: Json) -> str | None:
    """Say why the bot may not push a branch and open a merge request, as far as that is told."""
    level = (project.get("maxAccessLevel") or {}).get("integerValue") or 0
    if project.get("archived"):
        return "the project is archived"
    if project.get("mergeRequestsEnabled") is False:
        return "the project takes no merge requests"
    if level < DEVELOPER:
        return "the account of the bot lacks the Developer role in the project"
    return None


def _read_offer(node: Json) -> Offer:
    commits = node.get("commits") or {}
    authors = {
        number_of(author["id"]) if (author := commit.get("author")) else None
        for commit in nodes_of(commits)
    }
    if not commits or commits["pageInfo"]["hasNextPage"]:
        authors.add(None)
    return Offer(
        iid=int(node["iid"]),
        web_url=node["webUrl"],
        state=node["state"],
        branch=node["sourceBranch"],
        target=node["targetBranch"],
        author_id=number_of(node["author"]["id"]) if node.get("author") else None,
        whose=frozenset(authors),
        conflicts=bool(node.get("conflicts")),
        withdrawn=(node.get("description") or "").startswith(WITHDRAWN),
    )


def _read_profile(_: ProfileOf, answer: Json) -> Profile | None:
    found = answer.get("user")
    if not found:
        return None
    made = found.get("createdAt")
    return Profile(
        id=number_of(found["id"]),
        username=found["username"],
        created_at=read_time(made) if made else None,
        active=found.get("state", "active") == "active",
        bot=bool(found.get("bot")),
    )


def _read_tip(need: TipOf, answer: Json) -> str | Unread:
    repository = (answer.get("project") or {}).get("repository") or {}
    sha = (repository.get("commit") or {}).get("sha")
    return sha or Unread(reason=f"{need.project} has no revision {need.ref}")


_PARTS: Mapping[type, Callable[[Any], Part]] = {
    ActivityOf: activity_part,
    CoursesOf: courses_part,
    DeedsOf: deeds_part,
    DefaultBranchOf: branch_part,
    WorkOf: work_part,
    ExposureOf: partial(make_part, text=EXPOSURE, read=_read_exposure, cost=4),
    ThreadsOf: threads_part,
    MembersOf: members_part,
    JoinedOf: partial(make_part, text=JOINED, read=_read_joined, cost=20),
    SiblingsOf: partial(make_part, text=SIBLINGS, read=_read_siblings, cost=16),
    ProposedOf: partial(make_part, text=PROPOSED, read=_read_proposed, cost=55),
    OffersOf: _offers_part,
    ProfileOf: partial(make_part, text=PROFILE, read=_read_profile, cost=7),
    StandingOf: _standing_part,
    TipOf: partial(make_part, text=TIP, read=_read_tip, cost=5),
}
