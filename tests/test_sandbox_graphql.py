"""The GraphQL interface: answers, pages, cost, permissions, mutations."""

from datetime import timedelta
from typing import Any

import pytest
from graphql import get_introspection_query

from bot.sandbox.acts import actions
from bot.sandbox.graphql.app import load_schema
from bot.sandbox.graphql.core import RESOLVERS, VALUES, connect
from bot.sandbox.story.seed_history import add_merge_requests
from bot.sandbox.story.seed_section import Section
from bot.sandbox.world.entities import Group, GroupLink, Level, Member, MergeRequest
from bot.sandbox.world.state import QuickActionOutcome, World
from tests.sandbox_client import MR, Api, give_token
from tests.sandbox_worlds import NOW, PROJECT, make_world, open_mr

WHOLE = """
query ($project: ID!, $iid: String!) {
  queryComplexity { limit score }
  currentUser { id username bot human active name webUrl webPath publicEmail createdAt groupCount }
  project(fullPath: $project) {
    id fullPath path name nameWithNamespace webUrl httpUrlToRepo visibility archived isForked
    mergeRequestsEnabled onlyAllowMergeIfAllStatusChecksPassed onlyAllowMergeIfPipelineSucceeds
    forkedFrom { fullPath } group { fullPath } maxAccessLevel { integerValue stringValue }
    mergeRequest(iid: $iid) {
      id iid title webUrl webPath state draft createdAt updatedAt mergedAt preparedAt closedAt
      author { username state bot mergeRequestInteraction { canMerge canUpdate } }
      diffHeadSha diffRefs { baseSha headSha startSha }
      diffStats { path additions deletions }
      diffStatsSummary { additions changes deletions fileCount }
      sourceBranch targetBranch sourceProject { fullPath } targetProject { fullPath }
      project { fullPath } projectId targetProjectId sourceProjectId
      conflicts detailedMergeStatus mergeable mergeStatus discussionLocked hidden description
      approved approvalsLeft approvalsRequired mergeCommitSha mergeUser { username }
      approvedBy(first: 50) { count nodes { username } }
      changeRequesters { nodes { username } }
      assignees(first: 20) { nodes { username } }
      reviewers(first: 20) {
        nodes { username mergeRequestInteraction { reviewState approved reviewed } }
      }
      participants(first: 9) { nodes { username } }
      commenters { count nodes { username } }
      awardEmoji { nodes { name unicode user { username } } }
      upvotes downvotes reference(full: true)
      commitCount commits { nodes { sha shortId title fullTitle message description
        authoredDate author { username } webUrl id } }
      headPipeline { id iid sha ref source active complete path finishedAt createdAt
        detailedStatus { id name label } }
      resolvableDiscussionsCount resolvedDiscussionsCount userDiscussionsCount userNotesCount
      userPermissions { readMergeRequest createNote canApprove canMerge updateMergeRequest }
    }
  }
}
"""
NOTES = """
query ($filter: NotesFilterType, $first: Int, $after: String, $last: Int, $before: String) {
  project(fullPath: "group/team") {
    mergeRequest(iid: "1") {
      notes(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
        count
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { id } }
        nodes {
          id body url system internal imported createdAt updatedAt lastEditedAt
          lastEditedBy { username }
          author { id username bot }
          awardEmoji(first: 50) { nodes { name user { username } } }
          maxAccessLevelOfAuthor resolvable resolved resolvedAt resolvedBy { username }
          project { fullPath }
          discussion { id replyId resolvable resolved createdAt notes { count } }
          userPermissions { adminNote awardEmoji createNote readNote repositionNote resolveNote }
        }
      }
      discussions { nodes { id resolved resolvedAt resolvedBy { username } } }
    }
  }
}
"""
BLOBS = """
query ($paths: [String!]!, $ref: String, $project: ID = "group/team", $type: RefType) {
  project(fullPath: $project) {
    repository {
      rootRef empty exists commit(ref: "main") { sha }
      blobs(paths: $paths, ref: $ref, refType: $type) {
        nodes { id path name oid size rawSize rawTextBlob rawBlob base64EncodedBlob mode fileType
          webPath storedExternally }
      }
    }
  }
}
"""


def make_api(username: str | None = "developer", *scopes: str) -> tuple[World, MergeRequest, Api]:
    world = make_world({"a.yml": b"a: 1\n", "image": b"\0\1"}, tier="ultimate")
    return world, open_mr(world), Api(world, username, *scopes)


def ask(api: Api, query: str, **variables: object) -> Any:
    reply = api.ask(query, **variables)
    assert reply.status == 200
    assert "errors" not in reply.body, reply.body
    return reply.body["data"]


def problems(api: Api, query: str, **variables: object) -> str:
    reply = api.ask(query, **variables)
    assert reply.status == 200
    return " / ".join(each["message"] for each in reply.body["errors"])


def make_busy() -> tuple[MergeRequest, Any]:
    """Let people act on the merge request, and ask for all of it."""
    world, mr, api = make_api()
    settings = world.project(PROJECT).settings
    settings.pipelines, settings.reset_approvals_on_push = "push", False
    author, developer = world.user("author"), world.user("developer")
    actions.set_reviewers(world, author, mr, [developer])
    actions.assign(world, author, mr, [world.user("owner")])
    actions.approve(world, developer, mr)
    actions.award_emoji(world, developer, mr, "thumbsup")
    draft = actions.CommitDraft(message="More\n\nand why", changes={"a.yml": b"a: 2\n"})
    actions.push(world, author, mr.project, "change", draft)
    actions.submit_review(world, world.user("reporter"), mr, "reviewed", "fine")
    return mr, ask(api, WHOLE, project=PROJECT, iid="1")


def test_a_merge_request_is_told_whole_in_one_query() -> None:
    mr, data = make_busy()
    assert (data["currentUser"]["username"], data["currentUser"]["groupCount"]) == ("developer", 0)
    told = data["project"]["mergeRequest"]
    assert told["diffRefs"] == {
        "baseSha": mr.project.repository.branches["main"],
        "headSha": mr.head_sha,
        "startSha": mr.project.repository.branches["main"],
    }
    assert [each["path"] for each in told["diffStats"]] == ["a.yml", "change.md"]
    assert (told["approvalsRequired"], told["approvalsLeft"]) == (0, 0)
    assert told["diffStatsSummary"] == {
        "additions": 2,
        "changes": 3,
        "deletions": 1,
        "fileCount": 2,
    }
    assert told["approvedBy"] == {"count": 1, "nodes": [{"username": "developer"}]}
    assert told["reviewers"]["nodes"][0]["mergeRequestInteraction"] == {
        "reviewState": "APPROVED",
        "approved": True,
        "reviewed": True,
    }
    assert told["headPipeline"]["detailedStatus"]["name"] == "SUCCESS"
    assert told["headPipeline"]["sha"] == told["diffHeadSha"] == mr.head_sha
    assert (told["commitCount"], told["commits"]["nodes"][0]["description"]) == (2, "and why")
    assert told["detailedMergeStatus"] == "MERGEABLE"
    assert told["reference"] == "group/team!1"
    assert told["commenters"] == {"count": 1, "nodes": [{"username": "reporter"}]}
    assert (told["upvotes"], told["resolvableDiscussionsCount"]) == (1, 1)
    assert told["userPermissions"]["canApprove"]
    assert not told["userPermissions"]["canMerge"]


def test_what_goes_wrong_in_one_place_changes_nothing_in_another() -> None:
    """Without an error a query is executed in another way."""
    _, mr, api = make_api()
    mr.unprepared_reads = 3
    wrong = WHOLE.rstrip().removesuffix("}") + 'wrong: note(id: "gid://gitlab/User/1") { id } }'
    reply = api.ask(wrong, project=PROJECT, iid="1")
    assert [each["path"] for each in reply.body["errors"]] == [["wrong"]]
    assert mr.unprepared_reads == 2, "it is counted once"
    data = reply.body["data"]
    assert data.pop("wrong") is None
    whole = ask(api, WHOLE, project=PROJECT, iid="1")
    score = data["queryComplexity"].pop("score")
    assert score > whole["queryComplexity"].pop("score")
    assert data == whole


def test_the_numbers_of_approvals_are_a_licensed_feature() -> None:
    world, _, api = make_api()
    world.project(PROJECT).settings.tier = "free"
    told = ask(api, WHOLE, project=PROJECT, iid="1")["project"]["mergeRequest"]
    assert (told["approvalsRequired"], told["approvalsLeft"], told["approved"]) == (
        None,
        None,
        True,
    )


def test_right_after_its_creation_a_merge_request_has_no_diff() -> None:
    _, mr, api = make_api()
    mr.unprepared_reads = 1
    names = ("preparedAt", "diffHeadSha", "diffRefs")
    early = ask(api, WHOLE, project=PROJECT, iid="1")["project"]["mergeRequest"]
    later = ask(api, WHOLE, project=PROJECT, iid="1")["project"]["mergeRequest"]
    assert [early[name] for name in names] == [None] * 3
    assert (early["diffStats"], early["detailedMergeStatus"]) == ([], "PREPARING")
    assert None not in [later[name] for name in names]


# notes


def notes(api: Api, **variables: object) -> Any:
    return ask(api, NOTES, **variables)["project"]["mergeRequest"]["notes"]


def test_a_note_tells_of_edits_and_reactions() -> None:
    world, mr, api = make_api()
    author, maintainer = world.user("author"), world.user("maintainer")
    actions.create_note(world, author, mr, actions.NoteDraft(body="one"))
    actions.edit_note(world, maintainer, mr, mr.notes[0], "changed")
    actions.award_emoji(world, maintainer, mr, "eyes", mr.notes[0])
    (note,) = notes(api)["nodes"]
    assert (note["id"], note["body"]) == ("gid://gitlab/Note/1", "changed")
    assert note["lastEditedBy"] == {"username": "maintainer"}
    assert note["lastEditedAt"] == f"{mr.notes[0].last_edited_at:%Y-%m-%dT%H:%M:%SZ}"
    assert note["awardEmoji"]["nodes"] == [{"name": "eyes", "user": {"username": "maintainer"}}]
    assert note["url"].endswith("/group/team/-/merge_requests/1#note_1")
    assert (note["maxAccessLevelOfAuthor"], note["userPermissions"]["adminNote"]) == (
        "Developer",
        False,
    )


def test_notes_are_filtered_and_hidden_ones_left_out() -> None:
    world, mr, api = make_api()
    api.post(f"{MR}/notes", body="one", internal=True)
    api.post(f"{MR}/discussions", body="two")
    actions.approve(world, world.user("developer"), mr)
    assert notes(api)["count"] == 3
    assert notes(api, filter="ONLY_COMMENTS")["count"] == 2
    (system,) = notes(api, filter="ONLY_ACTIVITY")["nodes"]
    assert system["system"]
    (seen,) = notes(Api(world, "outsider"), filter="ONLY_COMMENTS")["nodes"]
    assert (seen["id"], seen["discussion"]["resolved"]) == ("gid://gitlab/DiscussionNote/2", False)


def test_cursors_lead_through_all_pages_both_ways() -> None:
    _, _, api = make_api()
    for number in range(5):
        api.post(f"{MR}/notes", body=f"{number}")
    seen, after = [], None
    while True:
        page = notes(api, first=2, after=after)
        seen += [each["body"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert (seen, page["count"], page["pageInfo"]["hasPreviousPage"]) == (list("01234"), 5, True)
    last = notes(api, last=2)
    assert [each["body"] for each in last["nodes"]] == ["3", "4"]
    before = notes(api, last=2, before=last["pageInfo"]["startCursor"])
    assert [each["body"] for each in before["nodes"]] == ["1", "2"]
    assert [edge["node"]["id"] for edge in before["edges"]] == [n["id"] for n in before["nodes"]]


def test_a_cursor_of_a_vanished_note_keeps_its_place() -> None:
    _, _, api = make_api()
    for number in range(4):
        api.post(f"{MR}/notes", body=f"{number}")
    after = notes(api, first=2)["pageInfo"]["endCursor"]
    api.delete(f"{MR}/notes/2")
    assert [each["body"] for each in notes(api, after=after)["nodes"]] == ["2", "3"]


def test_a_cursor_stands_although_earlier_notes_vanish() -> None:
    _, _, api = make_api()
    for number in range(4):
        api.post(f"{MR}/notes", body=f"{number}")
    after = notes(api, first=2)["pageInfo"]["endCursor"]
    api.delete(f"{MR}/notes/1")
    assert [each["body"] for each in notes(api, after=after)["nodes"]] == ["2", "3"]


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"after": "nonsense"}, "valid cursor"),
        ({"first": 1, "last": 1}, "not both"),
        ({"first": -1}, "negative"),
    ],
)
def test_a_page_that_makes_no_sense_is_an_error(variables: dict[str, Any], problem: str) -> None:
    _, _, api = make_api()
    assert problem in problems(api, NOTES, **variables)


def test_a_page_holds_at_most_a_hundred() -> None:
    page: Any = connect(range(250), first=200)
    told = page["pageInfo"]
    assert (len(page["nodes"]), page["count"], told.has_next_page) == (100, 250, True)
    assert not told.has_previous_page


def test_an_empty_page_has_no_cursors() -> None:
    _, _, api = make_api()
    assert notes(api)["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }


def test_a_note_is_found_by_its_global_id() -> None:
    world, _, api = make_api()
    api.post(f"{MR}/notes", body="x", internal=True)
    query = "query ($id: NoteID!) { note(id: $id) { body } }"
    assert ask(api, query, id="gid://gitlab/Note/1")["note"]["body"] == "x"
    assert ask(api, query, id="gid://gitlab/Note/9")["note"] is None
    assert ask(Api(world), query, id="gid://gitlab/Note/1")["note"] is None
    assert "does not represent" in problems(api, query, id="gid://gitlab/User/1")


# files


def blobs(api: Api, *paths: str, **variables: object) -> Any:
    data = ask(api, BLOBS, paths=list(paths), **variables)
    return data["project"]["repository"]["blobs"]["nodes"]


def test_files_are_read_at_any_branch_and_sha_and_missing_ones_are_absent() -> None:
    world, mr, api = make_api()
    found = blobs(api, "a.yml", "absent", "image")
    assert [each["path"] for each in found] == ["a.yml", "image"]
    assert (found[0]["rawTextBlob"], found[0]["size"]) == ("a: 1\n", "5")
    assert (found[1]["rawTextBlob"], found[1]["fileType"]) == (None, "download")
    assert [each["name"] for each in blobs(api, "change.md", ref=mr.head_sha)] == ["change.md"]
    assert blobs(api, "change.md") == blobs(api, "a.yml", ref="nowhere") == []
    assert blobs(api, "a.yml", type="TAGS") == []
    assert world.violations == []


def test_a_fork_s_file_is_read_through_the_target_project() -> None:
    world, _, api = make_api()
    stranger, project = world.user("outsider"), world.project(PROJECT)
    fork = actions.fork_project(world, stranger, project)
    draft = actions.CommitDraft(message="m", changes={"x": b"mine"})
    head = actions.push(world, stranger, fork, "mine", draft)
    assert blobs(api, "x", ref=head.sha) == []
    opening = actions.MergeRequestDraft(
        title="x", source_branch="mine", target_branch="main", source_project=fork
    )
    actions.open_merge_request(world, stranger, project, opening)
    assert [each["rawTextBlob"] for each in blobs(api, "x", ref=head.sha)] == ["mine"]
    assert blobs(api, "x", ref="mine") == []


def test_what_one_may_not_see_is_null() -> None:
    world, _, _ = make_api()
    project = world.project(PROJECT)
    project.visibility = "private"
    stranger, guest = Api(world, "outsider"), Api(world, "reporter")
    project.members[world.user("reporter").id].level = Level.GUEST
    assert ask(stranger, BLOBS, paths=["a.yml"])["project"] is None
    assert ask(guest, BLOBS, paths=["a.yml"])["project"]["repository"] is None
    assert ask(guest, BLOBS, paths=["a.yml"], project="7")["project"] is None
    whole = ask(guest, WHOLE, project=PROJECT, iid="99")
    assert whole["project"]["mergeRequest"] is None


# lists of merge requests


def make_list() -> tuple[World, Api]:
    """Build an open draft, one merged with reviews, one closed."""
    world, draft, api = make_api()
    draft.title = "Draft: first words"
    content = {
        "merge_requests": [
            {
                "author": "owner",
                "from": NOW + timedelta(days=1),
                "title": "Second words",
                "people": {"developer": "approved", "reporter": "commented_only"},
            },
            {"author": "reporter", "state": "closed", "from": NOW + timedelta(days=2)},
        ]
    }
    add_merge_requests(world, world.project(PROJECT), Section("seed", content))
    api.put("/projects/7/merge_requests/2", labels="a,b")
    return world, api


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", ["1", "2", "3"]),
        ("state: merged", ["2"]),
        ('authorUsername: "OWNER"', ["2"]),
        ('reviewerUsername: "developer", state: merged', ["2"]),
        ('approvedBy: ["developer"]', ["2"]),
        ('approvedBy: ["Developer"]', []),
        ('approvedBy: "reporter"', []),
        ('mergedAfter: "2026-02-03T00:00:00Z"', ["2"]),
        ('mergedBefore: "2026-02-03"', []),
        ('iids: ["1", "3"]', ["1", "3"]),
        ("draft: true", ["1"]),
        ('labelName: ["a"]', ["2"]),
        ('not: {authorUsername: "owner"}', ["1", "3"]),
        ("reviewState: APPROVED", ["2"]),
        ("reviewStates: [UNREVIEWED]", []),
        ('search: "words", in: [TITLE]', ["1", "2"]),
        ("sort: TITLE_ASC", ["3", "1", "2"]),
        ("sort: created_desc", ["3", "2", "1"]),
        ("sort: MERGED_AT_DESC", ["2", "3", "1"]),
        ("draft: null, state: all", ["1", "2", "3"]),
    ],
)
def test_a_filter_selects(arguments: str, expected: list[str]) -> None:
    _, api = make_list()
    sort = "" if "sort" in arguments else "sort: CREATED_ASC"
    query = '{ project(fullPath: "group/team") { mergeRequests(%s %s) { count nodes { iid } } } }'
    found = ask(api, query % (sort, arguments))["project"]["mergeRequests"]
    assert [each["iid"] for each in found["nodes"]] == expected
    assert found["count"] == len(expected)


def test_a_time_that_is_none_is_an_error() -> None:
    _, api = make_list()
    query = '{ project(fullPath: "group/team") { mergeRequests(mergedAfter: "soon") { count } } }'
    assert "Could not parse" in problems(api, query)


USER = """
query ($name: String!, $group: GroupID, $id: ProjectID, $path: String) {
  user(username: $name) {
    username state
    authoredMergeRequests(groupId: $group, projectId: $id, projectPath: $path) {
      count nodes { iid }
    }
    reviewRequestedMergeRequests(groupId: $group, state: merged) { count }
    groupMemberships { nodes { group { fullPath } accessLevel { integerValue } } }
  }
}
"""


def make_groups(world: World) -> Group:
    top = Group(id=5, full_path="top", name="Top", created_at=NOW, visibility="private")
    low = Group(id=6, full_path="top/low", name="Low", created_at=NOW, parent=top)
    guests = Group(id=8, full_path="guests", name="Guests", created_at=NOW)
    for place, name, level in (
        (top, "owner", Level.OWNER),
        (top, "developer", Level.REPORTER),
        (low, "developer", Level.MAINTAINER),
        (guests, "reporter", Level.DEVELOPER),
    ):
        user = world.user(name)
        member = Member(user=user, level=level, created_at=NOW, created_by=world.user("owner"))
        place.members[user.id] = member
    low.shared_with.append(GroupLink(group=guests, level=Level.GUEST))
    for place in (top, low, guests):
        world.add_group(place)
    world.project(PROJECT).group = low
    return low


def test_a_person_s_merge_requests_are_found_by_group_and_project() -> None:
    world, api = make_list()
    make_groups(world)
    counts = [
        ask(api, USER, name="owner", **where)["user"]["authoredMergeRequests"]["count"]
        for where in (
            {},
            {"group": "gid://gitlab/Group/5"},
            {"group": "gid://gitlab/Group/8"},
            {"group": "gid://gitlab/Group/404"},
            {"id": "gid://gitlab/Project/7"},
            {"path": PROJECT},
            {"path": "other/project"},
        )
    ]
    assert counts == [1, 1, 0, 0, 1, 1, 0]
    both = problems(api, USER, name="owner", id="gid://gitlab/Project/7", path=PROJECT)
    assert "Only one of" in both
    found = ask(api, USER, name="Developer")["user"]
    assert found["reviewRequestedMergeRequests"]["count"] == 1
    assert [each["accessLevel"]["integerValue"] for each in found["groupMemberships"]["nodes"]] == [
        20,
        40,
    ]


def test_a_private_project_lowers_the_count_silently() -> None:
    world, _ = make_list()
    world.project(PROJECT).visibility = "private"
    stranger = Api(world, "outsider")
    assert ask(stranger, USER, name="owner")["user"]["authoredMergeRequests"]["count"] == 0


def test_people_are_found_by_name_or_id() -> None:
    world, _, api = make_api()
    query = "query ($id: UserID) { user(id: $id) { username } }"
    assert ask(api, query, id="gid://gitlab/User/1")["user"] == {"username": "owner"}
    assert ask(api, '{ user(username: "nobody") { id } }')["user"] is None
    assert "either a single" in problems(api, "{ user { id } }")
    listed = '{ users(usernames: ["OWNER", "x"]) { count nodes { id } } }'
    assert ask(api, listed)["users"]["count"] == 1
    by_id = '{ users(ids: ["gid://gitlab/User/2"]) { nodes { username } } }'
    assert ask(api, by_id)["users"]["nodes"] == [{"username": "maintainer"}]
    world.user("owner").bot = True
    assert ask(api, '{ user(username: "owner") { name human } }')["user"] == {
        "name": "****",
        "human": False,
    }


# groups

GROUP = """
query ($path: ID!, $relations: [GroupMemberRelation!], $levels: [AccessLevelEnum!],
       $search: String, $sort: MemberSort) {
  group(fullPath: $path) {
    id fullName fullPath path webUrl parent { fullPath } groupMembersCount visibility
    maxAccessLevel { integerValue humanAccess }
    groupMembers(relations: $relations, accessLevels: $levels, search: $search, sort: $sort) {
      nodes {
        id createdAt updatedAt expiresAt createdBy { username } group { fullPath }
        accessLevel { integerValue stringValue }
        user { username }
        mergeRequestInteraction(id: "gid://gitlab/MergeRequest/1") { approved }
      }
    }
    mergeRequests(includeSubgroups: true) { count }
  }
}
"""


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, {"owner": 50, "developer": 40}),
        ({"relations": ["DIRECT"]}, {"developer": 40}),
        ({"relations": ["INHERITED"]}, {"owner": 50, "developer": 20}),
        ({"relations": ["SHARED_FROM_GROUPS"]}, {"reporter": 30}),
        ({"levels": ["OWNER"]}, {"owner": 50}),
        ({"search": "dev"}, {"developer": 40}),
        ({"path": "top", "relations": ["DESCENDANTS"]}, {"developer": 40}),
    ],
)
def test_members_are_told_by_relation(variables: dict[str, Any], expected: dict[str, int]) -> None:
    world, _, api = make_api()
    make_groups(world)
    found = ask(api, GROUP, **{"path": "top/low", **variables})["group"]["groupMembers"]["nodes"]
    assert {m["user"]["username"]: m["accessLevel"]["integerValue"] for m in found} == expected


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("ACCESS_LEVEL_DESC", "owner"),
        ("ACCESS_LEVEL_ASC", "developer"),
        ("USER_FULL_NAME_DESC", "owner"),
        ("created_desc", "developer"),
    ],
)
def test_members_are_sorted(sort: str, first: str) -> None:
    world, _, api = make_api()
    make_groups(world)
    found = ask(api, GROUP, path="top/low", sort=sort)["group"]["groupMembers"]["nodes"]
    assert found[0]["user"]["username"] == first


def test_a_group_tells_its_place_and_hides_what_is_private() -> None:
    world, mr, api = make_api()
    low = make_groups(world)
    actions.approve(world, world.user("developer"), mr)
    found = ask(api, GROUP, path="TOP/low")["group"]
    assert (found["fullName"], found["parent"]) == ("Top / Low", {"fullPath": "top"})
    assert (found["groupMembersCount"], found["mergeRequests"]["count"]) == (1, 1)
    assert found["maxAccessLevel"] == {"integerValue": 40, "humanAccess": "Maintainer"}
    approved = {
        each["user"]["username"]: each["mergeRequestInteraction"]["approved"]
        for each in found["groupMembers"]["nodes"]
    }
    assert approved == {"owner": False, "developer": True}
    low.visibility = "public"
    stranger = Api(world, "outsider")
    assert ask(stranger, GROUP, path="top/low")["group"]["parent"] is None
    assert ask(stranger, GROUP, path="top")["group"] is None
    assert ask(stranger, GROUP, path="6")["group"] is None


def test_a_membership_s_end_is_a_time() -> None:
    world, _, api = make_api()
    low = make_groups(world)
    low.members[world.user("developer").id].expires_at = (NOW + timedelta(days=9)).date()
    found = ask(api, GROUP, path="top/low", relations=["DIRECT"])["group"]["groupMembers"]
    assert found["nodes"][0]["expiresAt"] == "2026-02-11T00:00:00Z"


# tokens, cost, validity


@pytest.mark.parametrize("scopes", [("read_user",), ("read_repository",)])
def test_a_token_without_the_scope_is_401(scopes: tuple[str, ...]) -> None:
    _, _, api = make_api("developer", *scopes)
    reply = api.ask("{ currentUser { id } }")
    assert (reply.status, reply.body) == (401, {"errors": [{"message": "Invalid token"}]})


def test_a_wrong_token_and_a_job_token_are_401() -> None:
    world, _, api = make_api(None)
    api.headers["Authorization"] = "Bearer wrong"
    assert api.ask("{ currentUser { id } }").status == 401
    api.headers = {"JOB-TOKEN": give_token(world, "owner", kind="job")}
    assert api.ask("{ currentUser { id } }").status == 401


def test_nobody_is_nobody() -> None:
    _, _, api = make_api(None)
    data = ask(api, "{ currentUser { id } queryComplexity { limit score } }")
    assert data == {"currentUser": None, "queryComplexity": {"limit": 200, "score": 5}}


def cost(api: Api, query: str, **variables: object) -> int:
    measured = query.replace("{", "{ queryComplexity { score }", 1)
    score: int = ask(api, measured, **variables)["queryComplexity"]["score"]
    return score - 2


PROJECT_COST = '{ project(fullPath: "group/team") { %s } }'


@pytest.mark.parametrize(
    ("inner", "score"),
    [
        ("id", 2),
        ("id fullPath", 3),
        ("mergeRequests(first: 0) { nodes { iid } }", 1 + 4),
        ("mergeRequests(first: 50) { nodes { iid } }", 1 + 6),
        ("mergeRequests { nodes { iid } }", 1 + 8),
        ('mergeRequests(first: 0, search: "a") { nodes { iid } }', 1 + 9),
        ('mergeRequests(iids: ["1"]) { nodes { iid } }', 1 + 4),
        ("mergeRequests(first: 0) { nodes { mergedAt diffHeadSha } }", 1 + 10),
        ('mergeRequest(iid: "1") { ... on MergeRequest { iid } ... { title } }', 1 + 3),
        ('repository { blobs(paths: ["a", "b"], first: 0) { nodes { path } } }', 1 + 1 + 6),
    ],
)
def test_the_score_follows_the_documented_rules(inner: str, score: int) -> None:
    _, _, api = make_api()
    assert cost(api, PROJECT_COST % inner) == score


def test_fragments_and_variables_count_in_the_score() -> None:
    _, _, api = make_api()
    query = """query ($n: Int = 100) { project(fullPath: "group/team") { ...F } }
    fragment F on Project { __typename mergeRequests(first: $n) { nodes { iid } } }"""
    data = ask(api, query.replace("{ project", "{ queryComplexity { score } project", 1), n=0)
    assert data["queryComplexity"]["score"] == 1 + 1 + 1 + 1 + 4


def test_a_query_too_costly_gives_no_data() -> None:
    _, _, api = make_api()
    field = 'p%d: project(fullPath: "group/team") { id fullPath name path }'
    many = "{" + " ".join(field % number for number in range(51)) + "}"
    reply = api.ask(many)
    assert reply.status == 200
    assert reply.body == {
        "errors": [{"message": "Query has complexity of 255, which exceeds max complexity of 250"}]
    }


def test_a_query_too_deep_or_too_long_is_refused() -> None:
    _, _, api = make_api()
    deep = '{ project(fullPath: "group/team") {' + "forkedFrom {" * 20 + "id" + "}" * 22
    assert "depth of 22, which exceeds max depth of 20" in problems(api, deep)
    assert problems(api, "{ currentUser { id } }" + " " * 10_000) == "Query too large"


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("{ currentUser { nickname } }", "Cannot query field 'nickname'"),
        ('{ project(path: "x") { id } }', "Unknown argument 'path'"),
        ('{ project(fullPath: "x") { mergeRequest(iid: 3) { id } } }', "String cannot represent"),
        (
            '{ project(fullPath: "x") { mergeRequests(state: MERGED) { count } } }',
            "'MERGED' does not exist",
        ),
        ('{ project(fullPath: "x") { repository { blobs { nodes { path } } } } }', "paths"),
    ],
)
def test_an_unknown_name_is_an_error_and_a_violation(query: str, problem: str) -> None:
    world, _, api = make_api()
    assert problem in problems(api, query)
    assert len(world.violations) > 0


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", "Unexpected end"),
        (b"[]", "No query string"),
        (b'{"query": 5}', "No query string"),
        (b'{"query": "{ currentUser"}', "Syntax Error"),
        (b'{"query": "{ currentUser { id } }", "variables": "["}', "Expecting value"),
        (b'{"query": "query A { currentUser { id } } query B { currentUser { id } }"}', "name"),
    ],
)
def test_a_request_that_cannot_be_read_is_an_error(body: bytes, problem: str) -> None:
    _, _, api = make_api()
    reply = api.send("POST", "/api/graphql", data=body, headers=api.headers)
    assert reply.status == 200
    assert problem in reply.body["errors"][0]["message"]


def test_graphql_is_posted() -> None:
    world, _, api = make_api()
    assert api.send("GET", "/api/graphql").status == 404
    assert len(world.violations) == 1


def test_the_schema_tells_of_itself() -> None:
    _, _, api = make_api()
    data = ask(api, get_introspection_query())
    assert "MergeRequest" in {each["name"] for each in data["__schema"]["types"]}


def test_every_resolver_belongs_to_a_field_of_the_schema() -> None:
    types = load_schema().type_map
    strays = [
        (kind, name)
        for kind, name in {**RESOLVERS, **VALUES}
        if name not in getattr(types.get(kind), "fields", {})
    ]
    assert strays == []


# mutations

CREATE = """
mutation ($id: NoteableID!, $body: String!, $thread: DiscussionID, $head: String) {
  createNote(input: {noteableId: $id, body: $body, discussionId: $thread,
                     mergeRequestDiffHeadSha: $head, clientMutationId: "c"}) {
    clientMutationId errors note { id body }
    quickActionsStatus { commandNames commandsOnly errorMessages messages }
  }
}
"""
UPDATE = """
mutation ($id: NoteID!, $body: String) {
  updateNote(input: {id: $id, body: $body}) { errors note { body } }
}
"""
AWARD = """
mutation ($id: AwardableID!, $name: String!) {
  awardEmojiAdd(input: {awardableId: $id, name: $name}) {
    errors awardEmoji { name emoji user { username } }
  }
}
"""
GID = "gid://gitlab/MergeRequest/1"


def test_a_note_is_written_answered_and_edited() -> None:
    _, mr, api = make_api()
    made = ask(api, CREATE, id=GID, body="x\r\n", head=mr.head_sha)["createNote"]
    assert made == {
        "clientMutationId": "c",
        "errors": [],
        "note": {"id": "gid://gitlab/Note/1", "body": "x"},
        "quickActionsStatus": None,
    }
    thread = f"gid://gitlab/Discussion/{mr.notes[0].discussion_id}"
    assert ask(api, CREATE, id=GID, body="y", thread=thread)["createNote"]["errors"] == []
    assert mr.notes[1].discussion_id == mr.notes[0].discussion_id
    assert ask(api, UPDATE, id=made["note"]["id"], body="z")["updateNote"] == {
        "errors": [],
        "note": {"body": "z"},
    }


def test_a_refused_note_is_told_in_errors() -> None:
    _, mr, api = make_api()
    assert "blank" in ask(api, CREATE, id=GID, body=" ")["createNote"]["errors"][0]
    wrong = ask(api, CREATE, id=GID, body="x", head="0" * 40)["createNote"]
    assert (wrong["note"], "changed" in wrong["errors"][0]) == (None, True)
    ask(api, CREATE, id=GID, body="x")
    edited = ask(api, UPDATE, id="gid://gitlab/Note/1")["updateNote"]
    assert (edited["note"], len(edited["errors"])) == ({"body": "x"}, 1)
    assert len(mr.notes) == 1


def test_commands_only_give_no_note_but_a_status() -> None:
    world, _, api = make_api()
    world.quick_actions = lambda *_: QuickActionOutcome(
        text="", commands=("close",), messages=("Closed.",)
    )
    made = ask(api, CREATE, id=GID, body="/close")["createNote"]
    assert made["note"] is None
    assert made["quickActionsStatus"] == {
        "commandNames": ["close"],
        "commandsOnly": True,
        "errorMessages": [],
        "messages": ["Closed."],
    }


def test_a_reaction_is_given_once() -> None:
    world, _, api = make_api()
    ask(api, CREATE, id=GID, body="x")
    for gid in (GID, "gid://gitlab/Note/1"):
        first = ask(api, AWARD, id=gid, name="eyes")["awardEmojiAdd"]
        again = ask(api, AWARD, id=gid, name="eyes")["awardEmojiAdd"]
        assert first["awardEmoji"]["user"] == {"username": "developer"}
        assert again == {"errors": ["Name has already been taken"], "awardEmoji": None}
    assert world.violations == []


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (CREATE, {"id": "gid://gitlab/MergeRequest/9", "body": "x"}),
        (UPDATE, {"id": "gid://gitlab/Note/9", "body": "x"}),
        (UPDATE, {"id": "gid://gitlab/Note/1", "body": "x"}),
        (AWARD, {"id": "gid://gitlab/Note/9", "name": "eyes"}),
    ],
)
def test_what_one_may_not_touch_is_an_error(query: str, variables: dict[str, Any]) -> None:
    world, mr, api = make_api("reporter")
    actions.create_note(world, world.user("author"), mr, actions.NoteDraft(body="theirs"))
    assert "don't have permission" in problems(api, query, **variables)
    assert mr.notes[0].body == "theirs"


@pytest.mark.parametrize("scopes", [None, ("read_api",)])
def test_writing_needs_a_token_that_may_write(scopes: tuple[str, ...] | None) -> None:
    world, mr, _ = make_api()
    api = Api(world) if scopes is None else Api(world, "developer", *scopes)
    assert "don't have permission" in problems(api, CREATE, id=GID, body="x")
    assert mr.notes == []
