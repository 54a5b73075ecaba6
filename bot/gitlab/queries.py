"""Turn needs into parts of GraphQL queries, and read their answers; no network here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bot.evidence import (
    WITHDRAWN,
    ActivityOf,
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
    read_visibility,
    usernames_of,
)
from bot.gitlab.packing import Part
from bot.gitlab.work_query import activity_part, branch_part, deeds_part, threads_part, work_part
from bot.merge_request import Standing, Visibility
from bot.unread import Content, Unread

FILES_PER_PART = 20
PAGE = 100
SIBLINGS = 50
PROPOSED = 20  # newest merge requests of each kind; to list one's files takes GitLab some time
OFFERS = 40  # merge requests of the bot's, or from the branches for one step
COMMITS = 5  # of one of those; the bot makes one
DEVELOPER = 30  # GitLab's number of the role that may push branches
NEWEST = 30  # comments of a merge request that are read again at the end
LINK = "120000"  # git's mode of a symbolic link
POINTER = "version https://git-lfs.github.com/spec/"  # git-lfs, docs/spec.md


def build_parts(needs: Iterable[Need]) -> list[Part]:
    """Turn needs into parts; files of one project and ref travel together."""
    parts: list[Part] = []
    files: dict[tuple[str, str], list[FileAt]] = {}
    for need in needs:
        if isinstance(need, FileAt):
            files.setdefault((need.project, need.ref), []).append(need)
        elif type(need) in _PARTS:
            parts.append(_PARTS[type(need)](len(parts), need))
    for wanted in files.values():
        for start in range(0, len(wanted), FILES_PER_PART):
            parts.append(_files_part(len(parts), wanted[start : start + FILES_PER_PART]))
    return parts


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
        cost=4 + int((count + 7) * (1 + count / 100)),
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


def members_part(number: int, need: MembersOf, after: str | None = None) -> Part:
    """Ask for the members of a group, those that follow a cursor."""
    user = "user { username state bot }"
    people = f"nodes {{ accessLevel {{ integerValue }} {user} }}"
    relations = "relations: [DIRECT, INHERITED]" if need.inherited else "relations: [DIRECT]"
    owners = (
        "  owners: groupMembers(relations: [DIRECT, INHERITED], accessLevels: [OWNER],"
        f" first: 20) {{ {people} }}\n"
    )

    def read(answer: Json) -> Mapping[Need, Fact]:
        return {need: _read_members(need, answer.get(f"g{number}"))}

    return Part(
        needs=(need,),
        text=(
            f"g{number}: group(fullPath: $g{number}) {{ visibility\n"
            f"  direct: groupMembers({relations}, first: {PAGE}, after: $g{number}after)"
            f" {{ pageInfo {{ hasNextPage endCursor }} {people} }}\n"
            f"{'' if need.inherited or after else owners}}}"
        ),
        variables={
            f"g{number}": ("ID!", need.group),
            f"g{number}after": ("String", after),
        },
        cost=42,
        read=read,
    )


def _read_members(need: MembersOf, group: Json | None) -> Members | Unread:
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


def _joined_part(number: int, need: JoinedOf) -> Part:
    """Ask when the direct members of a group, a hundred at most, joined it."""

    def read(answer: Json) -> Mapping[Need, Fact]:
        return {need: _read_joined(need, answer.get(f"j{number}"))}

    return Part(
        needs=(need,),
        text=(
            f"j{number}: group(fullPath: $j{number}) {{"
            f" groupMembers(relations: [DIRECT], first: {PAGE}) {{"
            " nodes { createdAt user { username } } } }"
        ),
        variables={f"j{number}": ("ID!", need.group)},
        cost=20,
        read=read,
    )


def _read_joined(need: JoinedOf, group: Json | None) -> Joined | Unread:
    members = (group or {}).get("groupMembers") or {}
    if members.get("nodes") is None:
        return Unread(reason=f"GitLab did not tell when the members of {need.group} joined")
    rows = [row for row in _read_rows(members) if row.get("createdAt")]
    return Joined(
        at={row["user"]["username"].casefold(): read_time(row["createdAt"]) for row in rows}
    )


def _exposure_part(number: int, need: ExposureOf) -> Part:
    """Ask to whom a project is visible, and whether the bot sees it as everybody does.

    GraphQL does not tell whether its merge requests or its repository are for members alone;
    but who is no member and reads them sees what everybody sees.
    """

    def read(answer: Json) -> Mapping[Need, Fact]:
        return {need: _read_exposure(need, answer.get(f"e{number}"))}

    return Part(
        needs=(need,),
        text=(
            f"e{number}: project(fullPath: $e{number}) {{"
            " visibility maxAccessLevel { integerValue } }"
        ),
        variables={f"e{number}": ("ID!", need.project)},
        cost=4,
        read=read,
    )


def _read_exposure(need: ExposureOf, project: Json | None) -> Exposure | Unread:
    if project is None:
        return Unread(reason=f"the project {need.project} cannot be read by the bot")
    visibility = read_visibility(project.get("visibility"), unknown=Visibility.PRIVATE)
    level = (project.get("maxAccessLevel") or {}).get("integerValue")
    sure = level == 0 or visibility is Visibility.PRIVATE
    return Exposure(merge_requests=visibility, files=visibility, sure=sure)


def _standing_part(number: int, need: StandingOf) -> Part:
    def read(answer: Json) -> Mapping[Need, Fact]:
        found = (answer.get(f"h{number}") or {}).get("mergeRequest") or {}
        return {need: _read_standing(found)}

    return Part(
        needs=(need,),
        text=(
            f"h{number}: project(fullPath: $h{number}project) {{"
            f" mergeRequest(iid: $h{number}iid) {{"
            f" diffHeadSha state targetBranch assignees(first: {PAGE}) {{ nodes {{ username }} }}"
            f" approvedBy(first: {PAGE}) {{ nodes {{ username }} }}"
            f" notes(filter: ONLY_COMMENTS, last: {NEWEST}) {{ pageInfo {{ hasPreviousPage }}"
            " nodes { id lastEditedAt author { id } } } } }"
        ),
        variables={
            f"h{number}project": ("ID!", need.project),
            f"h{number}iid": ("String!", str(need.iid)),
        },
        cost=28,
        read=read,
    )


def _read_standing(found: Json) -> Standing | Unread:
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


def _siblings_part(number: int, need: SiblingsOf) -> Part:
    def read(answer: Json) -> Mapping[Need, Fact]:
        found = (answer.get(f"b{number}") or {}).get("mergeRequests") or {}
        return {need: _read_siblings(found)}

    return Part(
        needs=(need,),
        text=(
            f"b{number}: project(fullPath: $b{number}project) {{"
            f" mergeRequests(sourceBranches: [$b{number}branch], sort: CREATED_DESC,"
            f" first: {SIBLINGS}, after: $b{number}after) {{"
            " pageInfo { hasNextPage endCursor } nodes { iid state sourceProjectId } } }"
        ),
        variables={
            f"b{number}project": ("ID!", need.project),
            f"b{number}branch": ("String!", need.branch),
            f"b{number}after": ("String", need.after),
        },
        cost=16,
        read=read,
    )


def _read_siblings(found: Json) -> Siblings | Unread:
    if found.get("nodes") is None:
        return Unread(reason="GitLab did not list the merge requests from this branch")
    page = found["pageInfo"]
    return Siblings(
        items=tuple(
            Sibling(
                iid=int(node["iid"]),
                state=node["state"],
                source_project_id=node.get("sourceProjectId"),
            )
            for node in nodes_of(found)
        ),
        following=page["endCursor"] if page["hasNextPage"] else None,
    )


def _proposed_part(number: int, need: ProposedOf) -> Part:
    lists = "\n".join(
        f"  {name}: mergeRequests({which}, sort: UPDATED_DESC, first: {PROPOSED})"
        " { nodes { iid userNotesCount diffStats { path } diffStatsSummary { fileCount } } }"
        for name, which in (
            ("opened", f"state: opened, authorUsername: $o{number}author"),
            ("closed", f"state: closed, authorUsername: $o{number}author"),
            ("late", "state: closed"),
        )
    )

    def read(answer: Json) -> Mapping[Need, Fact]:
        return {need: _read_proposed(answer.get(f"o{number}") or {})}

    return Part(
        needs=(need,),
        text=f"o{number}: project(fullPath: $o{number}project) {{\n{lists}\n}}",
        variables={
            f"o{number}project": ("ID!", need.project),
            f"o{number}author": ("String!", need.author),
        },
        cost=32,
        read=read,
    )


def _read_proposed(found: Json) -> Proposed | Unread:
    lists = [found.get(name) or {} for name in ("opened", "closed", "late")]
    if any(each.get("nodes") is None for each in lists):
        return Unread(reason="GitLab did not list the other merge requests")
    own = frozenset(int(node["iid"]) for each in lists[:2] for node in nodes_of(each))
    # Where nobody commented, nothing is held.
    nodes = [n for each in lists for n in nodes_of(each) if n.get("userNotesCount") != 0]
    return Proposed(paths={int(n["iid"]): _read_touched(n) for n in nodes}, own=own)


def _read_touched(node: Json) -> tuple[str, ...] | None:
    """Read what a merge request changes; none of it where there is nothing to compare."""
    stats, summary = node.get("diffStats"), node.get("diffStatsSummary")
    if stats is None or summary is None or len(stats) < summary["fileCount"]:
        return None
    return tuple(stat["path"] for stat in stats)


def _offers_part(number: int, need: OffersOf) -> Part:
    """Ask for merge requests of the bot's, newest first, and whether it may open one there."""
    name, kind = ("author", "String") if need.author else ("branches", "[String!]")
    filtered = {"author": "authorUsername", "branches": "sourceBranches"}[name]
    wanted = f"{filtered}: $o{number}{name}"

    def read(answer: Json) -> Mapping[Need, Fact]:
        return {need: _read_offers(answer.get(f"o{number}"))}

    return Part(
        needs=(need,),
        text=(
            f"o{number}: project(fullPath: $o{number}project) {{"
            " id archived mergeRequestsEnabled maxAccessLevel { integerValue }"
            f" mergeRequests({wanted}, sort: CREATED_DESC, first: {OFFERS}) {{"
            " pageInfo { hasNextPage } nodes { iid state webUrl description"
            " sourceBranch targetBranch sourceProjectId conflicts author { id }"
            f" commits(first: {COMMITS}) {{ pageInfo {{ hasNextPage }} nodes {{ author {{ id }} }}"
            " } } } }"
        ),
        variables={
            f"o{number}project": ("ID!", need.project),
            f"o{number}{name}": (kind, need.author or list(need.branches)),
        },
        cost=37,
        read=read,
    )


def _read_offers(project: Json | None) -> Offers | Unread:
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


def _profile_part(number: int, need: ProfileOf) -> Part:
    def read(answer: Json) -> Mapping[Need, Fact]:
        found = answer.get(f"p{number}")
        return {need: _read_profile(found) if found else None}

    return Part(
        needs=(need,),
        text=f"p{number}: user(username: $p{number}) {{ id username createdAt state bot }}",
        variables={f"p{number}": ("String!", need.username)},
        cost=7,
        read=read,
    )


def _read_profile(found: Json) -> Profile:
    made = found.get("createdAt")
    return Profile(
        id=number_of(found["id"]),
        username=found["username"],
        created_at=read_time(made) if made else None,
        active=found.get("state", "active") == "active",
        bot=bool(found.get("bot")),
    )


def _tip_part(number: int, need: TipOf) -> Part:
    def read(answer: Json) -> Mapping[Need, Fact]:
        repository = (answer.get(f"t{number}") or {}).get("repository") or {}
        sha = (repository.get("commit") or {}).get("sha")
        return {need: sha or Unread(reason=f"{need.project} has no revision {need.ref}")}

    return Part(
        needs=(need,),
        text=(
            f"t{number}: project(fullPath: $t{number}project) {{"
            f" repository {{ commit(ref: $t{number}ref) {{ sha }} }} }}"
        ),
        variables={
            f"t{number}project": ("ID!", need.project),
            f"t{number}ref": ("String!", need.ref),
        },
        cost=5,
        read=read,
    )


_PARTS: Mapping[type, Callable[[int, Any], Part]] = {
    ActivityOf: activity_part,
    DeedsOf: deeds_part,
    DefaultBranchOf: branch_part,
    WorkOf: work_part,
    ExposureOf: _exposure_part,
    ThreadsOf: threads_part,
    MembersOf: members_part,
    JoinedOf: _joined_part,
    SiblingsOf: _siblings_part,
    ProposedOf: _proposed_part,
    OffersOf: _offers_part,
    ProfileOf: _profile_part,
    StandingOf: _standing_part,
    TipOf: _tip_part,
}
