"""Tests of the GraphQL queries and of reading their answers."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse
from hypothesis import given, strategies as st

from bot.errors import GitLabError
from bot.evidence import (
    CommitsOf,
    CoursesOf,
    Deeds,
    DeedsOf,
    DefaultBranchOf,
    Exposure,
    ExposureOf,
    FileAt,
    Members,
    MembersOf,
    Need,
    NotText,
    OffersOf,
    ProfileOf,
    Proposed,
    ProposedOf,
    Sibling,
    Siblings,
    SiblingsOf,
    StandingOf,
    Threads,
    ThreadsOf,
    Work,
    WorkOf,
)
from bot.gitlab.answers import read_time
from bot.gitlab.files_query import FILES_PER_PART
from bot.gitlab.merge_request_query import COMMENTS, MERGE_REQUEST, NOTES, read_merge_request
from bot.gitlab.packing import BUDGET, Query, pack_parts
from bot.gitlab.people_query import members_part
from bot.gitlab.queries import build_parts
from bot.gitlab.work_query import PEOPLE
from bot.merge_request import Person, Standing
from bot.sandbox.graphql.app import load_schema
from bot.sandbox.graphql.cost import measure
from bot.unread import Unread
from tests.builders import BASE, HEAD, MR_URL, NOW, PROJECT, work_of
from tests.characters import ANY_CHARACTER

FILE = FileAt(PROJECT, "main", "a.yml")
WORK = work_of("g/p", "Ada")
MEMBERS = MembersOf("g")
STANDING = StandingOf(PROJECT, 231)
COURSES = CoursesOf("g/p", tuple(range(1, 21)))


def read(need: Need, answer: dict[str, Any], *, fallback: bool = False) -> Any:
    """Read the answer to a lone need; here its names carry no number."""
    (part,) = build_parts([need])
    if fallback:
        assert part.fallback is not None
        part = part.fallback
    return part.read(answer)[need]


# --- asking -----------------------------------------------------------------------------

NEEDS = st.one_of(
    st.builds(
        FileAt,
        st.sampled_from(["g/a", "g/b"]),
        st.sampled_from("xy"),
        st.text(ANY_CHARACTER, max_size=3),
    ),
    st.builds(
        WorkOf,
        st.sampled_from(["g/a", "g/b"]),
        st.text(ANY_CHARACTER, min_size=1, max_size=3),
        st.sampled_from([10, 100]),
        st.just("main"),
    ),
    st.builds(DeedsOf, st.just("g/a"), st.integers(1, 9)),
    st.builds(CoursesOf, st.sampled_from(["g/a", "g/b"]), st.tuples(st.integers(1, 9))),
    st.builds(DefaultBranchOf, st.sampled_from(["g/a", "g/b"])),
    st.builds(MembersOf, st.sampled_from(["g", "h"]), st.booleans()),
    st.builds(StandingOf, st.just("g/a"), st.integers(1, 9)),
    st.builds(ThreadsOf, st.just("g/a"), st.just("x"), st.tuples(st.integers(1, 9))),
    st.builds(SiblingsOf, st.just("g/a"), st.sampled_from("xy")),
    st.builds(ProfileOf, st.sampled_from("xy")),
    st.builds(DeedsOf, st.just("g/a"), st.integers(1, 9)),
    st.builds(ProposedOf, st.just("g/a"), st.sampled_from("xy")),
)


@given(st.sets(NEEDS, max_size=60))
def test_every_need_is_asked_once_within_the_budget(needs: set[Need]) -> None:
    queries = pack_parts(build_parts(needs))
    asked = [need for query in queries for part in query.parts for need in part.needs]
    assert sorted(map(repr, asked)) == sorted(map(repr, needs))
    for query in queries:
        parse(query.text())
        assert query.cost <= BUDGET
        assert set(query.variables()) == set(re.findall(r"\$(\w+):", query.text()))


def test_foreign_texts_travel_as_variables_only() -> None:
    evil = '") { currentUser { id } } #'
    needs: list[Need] = [FileAt(evil, evil, evil), work_of(evil, evil), MembersOf(evil)]
    for query in pack_parts(build_parts(needs)):
        assert evil not in query.text()
        assert evil in str(list(query.variables().values()))


def test_files_of_one_revision_travel_together() -> None:
    files = [FileAt(PROJECT, "main", str(n)) for n in range(FILES_PER_PART + 1)]
    assert [len(part.needs) for part in build_parts(files)] == [FILES_PER_PART, 1]


def test_a_nomination_takes_two_queries() -> None:
    files = [FileAt(f"g/{name}", "main", "inventory.json") for name in "xyz"]
    before: list[Need] = [DefaultBranchOf("g/p"), MEMBERS, FILE, *files]
    after: list[Need] = [WORK, STANDING, FILE, *files[1:]]
    for needs in (before, after):
        assert len(pack_parts(build_parts(needs))) == 1


def test_needs_of_other_doors_are_left_to_them() -> None:
    assert build_parts([CommitsOf(PROJECT, "main", "a.yml")]) == []


@pytest.mark.parametrize("text", [MERGE_REQUEST + COMMENTS, NOTES + COMMENTS])
def test_the_fixed_queries_are_graphql(text: str) -> None:
    parse(text)


# --- merge requests from a branch, and accounts -----------------------------------------

SIBLINGS = SiblingsOf("g/a", "patch-1")


@pytest.mark.parametrize(("more", "following"), [(True, "x"), (False, None)])
def test_the_merge_requests_from_a_branch_come_in_pages(more: bool, following: str | None) -> None:
    plain = {"iid": "3", "state": "closed", "sourceProjectId": 9, "targetBranch": "main"}
    nodes = [plain, None, plain | {"iid": "2", "state": "merged"}]
    page = {"hasNextPage": more, "endCursor": "x"}
    answer = {"project": {"mergeRequests": {"pageInfo": page, "nodes": nodes}}}
    item = Sibling(iid=3, merged_into=None, source_project_id=9)
    items = (item, replace(item, iid=2, merged_into="main"))
    assert read(SIBLINGS, answer) == Siblings(items=items, following=following)


@pytest.mark.parametrize(
    "answer", [{}, {"project": None}, {"project": {"mergeRequests": {"nodes": None}}}]
)
def test_a_branch_whose_merge_requests_are_not_listed_is_unread(answer: dict[str, Any]) -> None:
    assert isinstance(read(SIBLINGS, answer), Unread)


@pytest.mark.parametrize(("text", "made"), [(None, None), (NOW.isoformat(), NOW)])
def test_an_account_is_its_number_and_when_it_was_made(text: str | None, made: Any) -> None:
    shown = {"username": "Ada", "state": "active", "bot": False, "createdAt": text}
    node = {"id": "gid://gitlab/User/7"} | shown
    profile = Person(id=7, username="Ada", created_at=made)
    assert read(ProfileOf("ada"), {"user": node}) == profile
    assert read(ProfileOf("ada"), {"user": None}) is None


@pytest.mark.parametrize(("text", "since"), [(None, None), (NOW.isoformat(), NOW)])
def test_a_member_is_told_with_the_time_of_joining_where_it_is_known(text: Any, since: Any) -> None:
    (member,) = read(MEMBERS, members(row("Ada") | {"createdAt": text})).direct
    assert (member.username, member.since) == ("Ada", since)


@pytest.mark.parametrize("more", [True, False])
def test_what_gitlab_noted_comes_in_order_and_says_whether_it_is_all(more: bool) -> None:
    def note(minutes: int, author: Any) -> dict[str, Any]:
        at = NOW + timedelta(minutes=minutes)
        return {"body": f" {minutes} ", "createdAt": at.isoformat(), "author": author}

    nodes = [note(2, {"username": "Ada"}), note(1, None)]
    listed = {"pageInfo": {"hasPreviousPage": more}, "nodes": nodes}
    found = read(DeedsOf("g/a", 1), {"project": {"mergeRequest": {"activity": listed}}})
    assert isinstance(found, Deeds)
    assert [(deed.by, deed.words) for deed in found.items] == [(None, "1"), ("Ada", "2")]
    assert found.complete is not more
    assert isinstance(read(DeedsOf("g/a", 1), {"project": None}), Unread)


# --- files ------------------------------------------------------------------------------


def blobs(*nodes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "project": {"repository": {"commit": {"sha": HEAD}, "blobs": {"nodes": nodes}} | changes}
    }


def test_a_pointer_to_git_lfs_is_no_text() -> None:
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"
    node = {"path": "a.yml", "rawTextBlob": text, "size": str(len(text))}
    found = read(FILE, blobs(node))
    assert isinstance(found, Unread)
    assert "Git LFS" in found.reason


@pytest.mark.parametrize(
    ("text", "size"), [("gitlab: ada\n", "12"), ("ä", 2), ("", "0"), ("\r\n", 2), ("x", None)]
)
def test_a_file_is_its_bytes(text: str, size: Any) -> None:
    answer = blobs({"path": "a.yml", "size": size, "rawTextBlob": text})
    assert read(FILE, answer) == text.encode()


def test_a_file_that_is_not_listed_does_not_exist() -> None:
    assert read(FILE, blobs()) is None
    assert read(FILE, blobs({"path": "b.yml", "size": 1, "rawTextBlob": "x"})) is None


@pytest.mark.parametrize(("text", "size"), [(None, 9), ("short", "600"), ("\ufffd\ufffd", 2)])
def test_a_file_without_its_whole_text_is_had_elsewhere(text: str | None, size: Any) -> None:
    assert isinstance(
        read(FILE, blobs({"path": "a.yml", "size": size, "rawTextBlob": text})), NotText
    )


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"project": None},
        {"project": {"repository": None}},
        blobs(commit=None),
        blobs(blobs=None),
        blobs(blobs={"nodes": None}),
    ],
)
def test_files_of_an_unreadable_place_are_unread(answer: dict[str, Any]) -> None:
    assert type(read(FILE, answer)) is Unread


# --- work -------------------------------------------------------------------------------


def node(iid: int, **changes: Any) -> dict[str, Any]:
    return {
        "iid": str(iid),
        "title": f"Change {iid}",
        "webUrl": f"https://gitlab.example.com/g/p/-/merge_requests/{iid}",
        "mergedAt": f"2026-01-{iid:02}T10:00:00Z",
        "targetBranch": "main",
        "author": {"username": "linus", "bot": False},
        "approvedBy": {"nodes": []},
        "commenters": {"nodes": []},
        "reviewers": {"nodes": []},
    } | changes


def listed(*nodes: Any, count: int | None = None) -> dict[str, Any]:
    return {"count": len(nodes) if count is None else count, "nodes": list(nodes)}


def work(**lists: Any) -> dict[str, Any]:
    empty = {name: listed() for name in ("authored", "assigned", "approved", "latest")}
    return {
        "user": {"id": "gid://gitlab/User/7", "username": "Ada", "state": "active", "bot": False},
        "project": empty | lists,
    }


def reviewer(username: str, state: str | None) -> dict[str, Any]:
    interaction = {"reviewState": state} if state else None
    return {"nodes": [{"username": username, "mergeRequestInteraction": interaction}]}


ADA = {"nodes": [None, {"username": "ADA"}]}


def approved_ones(*iids: int, count: int | None = None) -> dict[str, Any]:
    return listed(*(node(iid, approvedBy=ADA) for iid in iids), count=count)


def test_work_is_what_somebody_authored_and_reviewed() -> None:
    found: Work = read(
        WORK,
        work(
            authored=listed(node(1), count=40),
            assigned=listed(
                node(3, reviewers=reviewer("ADA", "REVIEWED"), approvedBy=ADA),
                node(2, commenters=ADA),
            ),
            approved=listed(node(4, approvedBy=ADA), node(3, approvedBy=ADA)),
        ),
    )
    assert found.account == Person(id=7, username="Ada", active=True, bot=False)
    assert (found.authored.total, found.authored.complete) == (40, False)
    assert found.authored.seen_since == found.authored.items[0].merged_at
    assert [merged.iid for merged in found.reviewed.items] == [4, 3, 2]
    assert (found.reviewed.total, found.reviewed.complete) == (3, True)
    assert [merged.approved for merged in found.reviewed.items] == [True, True, False]
    assert found.reviewed.items[1].review_state == "REVIEWED"
    assert found.reviewed.items[2].commented


def test_a_reviewer_is_told_by_name_and_state() -> None:
    nodes = [
        node(3, reviewers=reviewer("ada", "APPROVED")),
        node(2, reviewers=reviewer("ada", "UNREVIEWED")),
        node(1, reviewers=reviewer("adamant", "APPROVED"), author=None),
    ]
    one, two, three = read(WORK, work(assigned=listed(*nodes))).reviewed.items
    assert (one.assigned, one.review_state, one.marked) == (True, "APPROVED", True)
    assert (two.assigned, two.review_state, two.marked) == (True, "UNREVIEWED", False)
    assert (three.assigned, three.marked, three.author) == (False, False, None)


NOTED = "2026-01-09T10:00:00Z"  # when the merge request 9 was merged


def noted(body: str, username: str | None = "ADA", at: str = NOTED) -> dict[str, Any]:
    author = {"username": username} if username else None
    access = "Developer" if username != "stranger" else None
    return {"body": body, "createdAt": at, "author": author, "maxAccessLevelOfAuthor": access}


def activity(*notes: Any, more: bool = False) -> dict[str, Any]:
    return {"pageInfo": {"hasNextPage": more}, "nodes": list(notes)}


APPROVED = "approved this merge request"
LATER = "2026-01-09T10:00:01Z"


@pytest.mark.parametrize(
    ("notes", "recorded", "late"),
    [
        ([noted(APPROVED)], True, False),
        ([noted("Approved this merge request\n", "ada", "2026-01-08T10:00:00Z")], True, False),
        ([noted("unapproved this merge request")], True, False),
        ([noted("requested changes")], True, False),
        ([noted("left review comments without approving")], True, False),
        ([noted(APPROVED, at=LATER)], False, True),
        ([noted(APPROVED), noted(APPROVED, at=LATER)], True, False),
        ([noted(APPROVED, "bo"), noted(APPROVED, None), None], False, False),
        # What others can make GitLab write is not just these words.
        ([noted("changed title from **x** to **approved this merge request**")], False, False),
        ([noted("mentioned in merge request !7")], False, False),
        ([], False, False),
    ],
)
def test_a_review_is_dated_by_the_note_of_gitlab(
    notes: list[Any], recorded: bool, late: bool
) -> None:
    listing = listed(node(9, approvedBy=ADA, activity=activity(*notes)))
    (merged,) = read(WORK, work(approved=listing)).reviewed.items
    assert (merged.recorded, merged.recorded_late) == (recorded, late)
    assert merged.reviewed is recorded


@pytest.mark.parametrize(
    ("page", "recorded"),
    [
        (activity(noted(APPROVED), more=True), True),
        (activity(noted("added 1 commit"), more=True), None),
        (activity(more=True), None),
        # Notes beyond the merge are of no interest.
        (activity(noted("added 1 commit", at=LATER), more=True), False),
        (activity(noted(APPROVED)) | {"nodes": None}, None),
        (None, None),
    ],
)
def test_notes_that_are_not_read_whole_leave_it_open_whether_somebody_reviewed(
    page: Any, recorded: bool | None
) -> None:
    (merged,) = read(
        WORK, work(approved=listed(node(9, approvedBy=ADA, activity=page)))
    ).reviewed.items
    assert merged.recorded is recorded


def test_a_list_without_approvers_takes_them_from_the_other() -> None:
    row = node(9, approvedBy=ADA, activity=activity(noted(APPROVED)))
    asked = node(9, reviewers=reviewer("ada", "UNREVIEWED"), activity=activity(noted(APPROVED)))
    del asked["approvedBy"]
    (merged,) = read(WORK, work(approved=listed(row), assigned=listed(asked))).reviewed.items
    assert (merged.assigned, merged.recorded, merged.approved) == (True, True, True)


def test_what_was_merged_elsewhere_is_known_apart() -> None:
    rows = [node(9, targetBranch="mine"), node(8), node(7, targetBranch="x", mergedAt=None)]
    found = read(WORK, work(own=listed(*rows), asked=listed(*rows)))
    for some in (found.own_elsewhere, found.asked_elsewhere):
        assert [(merged.iid, merged.branch) for merged in some] == [(9, "mine")]
    assert (found.authored.items, found.reviewed.items, found.branch) == ((), (), "main")


@pytest.mark.parametrize("name", ["authored", "assigned", "approved", "latest"])
def test_a_filter_by_branch_that_is_ignored_leaves_the_work_unread(name: str) -> None:
    rows = listed(node(9), node(8, targetBranch="mine", approvedBy=ADA))
    assert isinstance(read(WORK, work(**{name: rows})), Unread)


def happened(*notes: Any, more: bool = False) -> Any:
    page = {"pageInfo": {"hasPreviousPage": more}, "nodes": list(notes)}
    return read(ACTIVITY, {"project": {"mergeRequest": {"activity": page}}})


ACTIVITY = DeedsOf("g/p", 9)
EARLY, LATE = "2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z"
RETARGETED = "changed target branch from `x` to `main`"


def test_the_last_approval_of_each_and_the_last_change_of_the_target_are_known() -> None:
    found = happened(
        None,
        noted(RETARGETED, "bo", EARLY),
        noted(APPROVED, at=EARLY),
        noted(APPROVED, at=LATE),
        noted("unapproved this merge request", "bo"),
        noted(APPROVED, None),
        noted(RETARGETED, "bo", LATE),
        noted("changed title from **a** to **changed target branch from**", "bo"),
    )
    assert isinstance(found, Deeds)
    assert found.approved == {"ada": read_time(LATE)}
    assert found.retargeted == read_time(LATE)


def test_who_acted_without_being_a_member_is_a_stranger() -> None:
    found = happened(noted(APPROVED), noted(APPROVED, "stranger"), noted(APPROVED, None))
    assert isinstance(found, Deeds)
    assert found.strangers == {"stranger"}


def test_what_else_is_proposed_is_known_by_number_with_its_files() -> None:
    need = ProposedOf("g/a", "ada")
    stated = {"diffStats": [{"path": "a.yml"}], "diffStatsSummary": {"fileCount": 1}}
    cut = {**stated, "iid": "4", "diffStatsSummary": {"fileCount": 2}}
    lists = {
        "opened": {"nodes": [stated | {"iid": "3", "userNotesCount": 1}]},
        "closed": {"nodes": [{"iid": "2", "diffStats": None}, None]},
        "late": {"nodes": [{"iid": "1", "userNotesCount": 0, "diffStats": None}, cut]},
        "now": {"nodes": [stated | {"iid": "5"}]},
        "merged": {"nodes": [{"iid": "6", "targetBranch": "x", "userNotesCount": 1}]},
    }
    # What does not tell all that it changes may change anything.
    paths = {3: ("a.yml",), 2: None, 4: None, 5: ("a.yml",)}
    told = Proposed(paths=paths, own=frozenset({3, 2}), merged=((6, "x"),))
    assert read(need, {"project": lists}) == told
    for missing in ({}, {"project": None}, {"project": lists | {"late": {"nodes": None}}}):
        assert isinstance(read(need, missing), Unread)


@pytest.mark.parametrize(("more", "at"), [(True, read_time(EARLY)), (False, None)])
def test_the_target_may_have_changed_before_what_is_listed(more: bool, at: Any) -> None:
    found = happened(noted("added 1 commit", at=EARLY), noted("x", at=LATE), more=more)
    assert (found.approved, found.retargeted, found.moved) == ({}, at, read_time(EARLY))


@pytest.mark.parametrize(
    "answer", [{}, {"project": None}, {"project": {"mergeRequest": {"activity": {"nodes": None}}}}]
)
def test_what_happened_and_is_not_listed_is_unread(answer: dict[str, Any]) -> None:
    assert isinstance(read(ACTIVITY, answer), Unread)


BRANCH = DefaultBranchOf("g/p")


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        ({"project": {"repository": {"rootRef": "trunk"}}}, True),
        ({"project": {"repository": {"rootRef": None}}}, False),
        ({"project": {"repository": None}}, False),
        ({"project": None}, False),
    ],
)
def test_the_default_branch_is_told_or_unread(answer: dict[str, Any], known: bool) -> None:
    found = read(BRANCH, answer)
    assert (found == "trunk") if known else isinstance(found, Unread)


@pytest.mark.parametrize(
    ("assigned", "approved", "complete", "since"),
    [
        (listed(node(9), node(8)), listed(), True, None),
        (listed(node(9), node(8), count=5), approved_ones(3), False, 8),
        (listed(node(9), count=5), approved_ones(7, 6, count=5), False, 9),
        (listed(node(9), count=5), listed(count=5), False, None),
    ],
)
def test_a_joined_list_is_whole_as_far_as_its_shorter_part(
    assigned: dict[str, Any], approved: dict[str, Any], complete: bool, since: int | None
) -> None:
    reviewed = read(WORK, work(assigned=assigned, approved=approved)).reviewed
    assert reviewed.complete is complete
    assert (reviewed.seen_since.day if reviewed.seen_since else None) == since


def test_where_the_filter_by_approver_is_ignored_nothing_is_taken_for_approved() -> None:
    reviewed = read(WORK, work(approved=listed(node(9), node(8), count=800))).reviewed
    assert (reviewed.items, reviewed.complete) == ((), False)


@pytest.mark.parametrize("unlisted", [None, {"nodes": None}])
@pytest.mark.parametrize("people", ["reviewers", "approvedBy", "commenters"])
def test_null_where_people_were_due_leaves_doubt(people: str, unlisted: Any) -> None:
    found = read(WORK, work(assigned=listed(node(3, **{people: unlisted}))))
    assert [merged.doubtful for merged in found.reviewed.items] == [True]


def test_people_that_were_not_asked_for_leave_no_doubt() -> None:
    row = node(3, approvedBy=ADA)
    del row["commenters"], row["reviewers"]
    found = read(WORK, work(authored=listed(row), approved=listed(row)))
    assert [m.cut for m in (*found.authored.items, *found.reviewed.items)] == [False, False]


@pytest.mark.parametrize(("username", "doubtful"), [("ADA", True), ("linus", False)])
def test_null_where_the_nominees_state_was_due_leaves_doubt(username: str, doubtful: bool) -> None:
    (merged,) = read(
        WORK, work(assigned=listed(node(2, reviewers=reviewer(username, None))))
    ).reviewed.items
    assert merged.doubtful is doubtful


@pytest.mark.parametrize(
    ("wanted", "authored", "reviews"), [(5, 10, 30), (20, 20, 40), (100, 100, 100), (999, 100, 100)]
)
def test_pages_are_as_large_as_what_is_wanted(wanted: int, authored: int, reviews: int) -> None:
    (part,) = build_parts([replace(WORK, wanted=wanted)])
    text = re.sub(r"\$(\w+)", lambda name: str(part.variables[name[1]]), part.text)
    sizes = re.findall(r"(authorUsername|reviewerUsername|approvedBy): [^)]*first: (\d+)", text)
    assert sizes == [
        ("authorUsername", str(authored)),
        # What was merged into other branches is only shown.
        ("authorUsername", "5"),
        ("reviewerUsername", "5"),
        ("reviewerUsername", str(reviews)),
        ("approvedBy", str(reviews)),
    ]


@pytest.mark.parametrize(
    "need",
    [
        *(replace(WORK, wanted=n) for n in (10, 15, 40, 60, 100)),
        MEMBERS,
        replace(MEMBERS, inherited=True),
        STANDING,
        FILE,
        ThreadsOf("g/p", "Ada", tuple(range(1, 21))),
        COURSES,
        DefaultBranchOf("g/p"),
        SIBLINGS,
        OffersOf("g/p", author="nomination-bot"),
        OffersOf("g/p", branches=("a", "b", "c")),
        ProposedOf("g/p", "ada"),
        ProfileOf("ada"),
        DeedsOf("g/p", 9),
    ],
    ids=str,
)
def test_no_part_costs_more_than_its_estimate(need: Need) -> None:
    (part,) = build_parts([need])
    for each in filter(None, (part, part.fallback)):
        query = Query([each])
        document = parse(query.text())
        (operation,) = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        cost = measure(load_schema(), document, operation, query.variables(), {})
        assert cost.score <= each.cost


@pytest.mark.parametrize("people", ["reviewers", "approvedBy", "commenters"])
def test_a_full_page_of_people_may_have_been_cut(people: str) -> None:
    others = [{"username": f"person{n}"} for n in range(PEOPLE)]
    for nodes, cut in ((others, True), (others[1:], False)):
        listing = listed(node(3, **{people: {"nodes": nodes}}))
        (merged,) = read(WORK, work(assigned=listing)).reviewed.items
        assert (merged.cut, merged.doubtful) == (cut, cut)


def test_what_somebody_only_commented_on_is_known_apart() -> None:
    latest = [
        node(9, commenters=ADA),
        node(8, commenters=ADA, author={"username": "ada", "bot": False}),
        node(7, commenters=ADA),
        node(6),
        node(5, commenters=ADA, mergedAt=None),
    ]
    found: Work = read(WORK, work(assigned=listed(node(7)), latest=listed(*latest)))
    assert [merged.iid for merged in found.bystander] == [9]
    assert not found.bystander[0].reviewed
    assert [merged.iid for merged in found.reviewed.items] == [7]


def test_who_commented_where_reviewers_are_not_all_known_may_have_been_one() -> None:
    latest = [node(9, commenters=ADA), node(5, commenters=ADA)]
    found = read(WORK, work(assigned=listed(node(7), count=5), latest=listed(*latest)))
    assert [merged.iid for merged in found.bystander] == [9]


def test_what_never_counts_is_never_in_doubt() -> None:
    crowd = [{"username": f"person{n}"} for n in range(PEOPLE - 1)] + [{"username": "ada"}]
    found = read(WORK, work(latest=listed(node(9, commenters={"nodes": crowd}))))
    assert [merged.doubtful for merged in found.bystander] == [False]


THREADS = ThreadsOf("g/p", "Ada", (4, 5, 6, 7))


MERGED_AT = "2026-01-09T10:00:00Z"


def comments(iid: int, *notes: Any, more: bool = False, **changes: Any) -> dict[str, Any]:
    page = {"pageInfo": {"hasNextPage": more}, "nodes": list(notes)}
    row = {"iid": str(iid), "mergedAt": MERGED_AT, "notes": page, "activity": activity()}
    return row | changes


def comment(
    username: str | None, *, resolvable: bool = True, at: str = MERGED_AT
) -> dict[str, Any]:
    author = {"username": username} if username else None
    return {"resolvable": resolvable, "createdAt": at, "author": author}


def test_a_thread_counts_where_somebody_wrote_in_it() -> None:
    nodes = [
        comments(4, comment("ADA"), more=True),
        comments(5, comment("ada", resolvable=False), comment("bo")),
        comments(6, comment(None), None, more=True),
        None,
    ]
    found = read(THREADS, {"project": {"mergeRequests": {"nodes": nodes}}})
    assert found == Threads(found=frozenset({4}), cut=frozenset({6, 7}))


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        ("2026-01-01T10:00:00Z", True),
        (MERGED_AT, True),
        ("2026-01-09T12:00:00+02:00", True),
        ("2026-01-09T10:00:01Z", False),
    ],
)
def test_a_comment_after_the_merge_is_no_review(at: str, counts: bool) -> None:
    nodes = [comments(4, comment("ada", at=at))]
    need = replace(THREADS, iids=(4,))
    found = read(need, {"project": {"mergeRequests": {"nodes": nodes}}})
    assert found == Threads(found=frozenset({4} if counts else ()))


def test_a_look_tells_what_gitlab_recorded_and_when() -> None:
    nodes = [
        comments(4, activity=activity(noted(APPROVED), more=True), more=True),
        comments(5, activity=activity(noted(APPROVED, at=LATER))),
        comments(6, activity=activity(noted("added 1 commit"), more=True)),
        comments(7, comment("bo", at=LATER), more=True),
    ]
    found = read(THREADS, {"project": {"mergeRequests": {"nodes": nodes}}})
    assert found == Threads(
        found=frozenset(), cut=frozenset({6}), recorded=frozenset({4}), late=frozenset({5})
    )


@pytest.mark.parametrize(
    "unlisted", [None, {"pageInfo": {"hasNextPage": False}, "nodes": None}], ids=str
)
def test_comments_that_are_not_listed_leave_doubt(unlisted: Any) -> None:
    nodes = [comments(4, notes=unlisted)]
    need = replace(THREADS, iids=(4,))
    found = read(need, {"project": {"mergeRequests": {"nodes": nodes}}})
    assert found == Threads(found=frozenset(), cut=frozenset({4}))


@pytest.mark.parametrize("answer", [{}, {"project": None}, {"project": {"mergeRequests": None}}])
def test_threads_that_are_not_listed_are_unread(answer: dict[str, Any]) -> None:
    assert isinstance(read(THREADS, answer), Unread)


def test_without_the_filter_by_approver_the_list_is_never_complete() -> None:
    answer = work(assigned=listed(node(9)))
    del answer["project"]["approved"]
    reviewed = read(WORK, answer, fallback=True).reviewed
    assert [merged.iid for merged in reviewed.items] == [9]
    assert (reviewed.complete, reviewed.seen_since) == (False, None)


def test_a_merge_request_without_a_time_is_left_out_but_known_of() -> None:
    found = read(WORK, work(authored=listed(node(2), node(1, mergedAt=None))))
    assert [merged.iid for merged in found.authored.items] == [2]
    assert (found.authored.total, found.authored.complete) == (2, False)


def test_an_account_that_is_not_there_is_none() -> None:
    assert read(WORK, work() | {"user": None}).account is None


@pytest.mark.parametrize("state", ["blocked", "deactivated", "ldap_blocked", "banned"])
def test_only_an_active_account_is_active(state: str) -> None:
    user = {"id": "gid://gitlab/User/7", "username": "ada", "state": state, "bot": True}
    answer = work() | {"user": user}
    assert read(WORK, answer).account == Person(id=7, username="ada", active=False, bot=True)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"project": None},
        work(approved=None),
        work(assigned={"count": 3, "nodes": None}),
        work(authored=None),
    ],
)
def test_null_where_a_list_was_due_is_unread(answer: dict[str, Any]) -> None:
    assert isinstance(read(WORK, answer), Unread)
    assert isinstance(read(WORK, {"project": None}, fallback=True), Unread)


# --- members and head -------------------------------------------------------------------


def row(username: str | None, level: int | None = 40, **changes: Any) -> dict[str, Any]:
    user = {"username": username, "state": "active", "bot": False} | changes
    return {
        "user": user if username else None,
        "accessLevel": {"integerValue": level} if level else None,
    }


def members(*rows: Any, more: bool = False, **changes: Any) -> dict[str, Any]:
    page = {"hasNextPage": more, "endCursor": "next" if more else None}
    direct = {"pageInfo": page, "nodes": list(rows)}
    owners = {"nodes": [{"user": row("olga")["user"]}, {"user": None}]}
    return {"group": {"direct": direct, "owners": owners} | changes}


def test_members_are_people_with_a_level() -> None:
    found = read(
        MEMBERS,
        members(
            row("margaret"),
            row(None),
            row(None, None),
            row("b", bot=True),
            row("z", state="banned"),
        ),
    )
    assert found.following is None
    assert [(m.username, m.level, m.active, m.bot) for m in found.direct] == [
        ("margaret", 40, True, False),
        ("b", 40, True, True),
        ("z", 40, False, False),
    ]
    assert [m.username for m in found.at_least(40)] == ["margaret"]
    assert [m.username for m in found.owners] == ["olga"]


def test_members_beyond_the_first_page_can_be_had() -> None:
    assert read(MEMBERS, members(row("margaret"), more=True)).following == "next"
    part = members_part(MEMBERS, "next")
    assert part.variables["after"] == "next"
    assert "owners" not in part.text


@pytest.mark.parametrize("inherited", [False, True])
def test_inherited_members_are_asked_for_only_if_wanted(inherited: bool) -> None:
    (part,) = build_parts([replace(MEMBERS, inherited=inherited)])
    assert part.variables["relations"] == (["DIRECT", "INHERITED"] if inherited else ["DIRECT"])
    assert ("owners" in part.text) is not inherited


def test_owners_that_cannot_be_read_leave_the_members() -> None:
    found = read(MEMBERS, members(row("margaret"), owners=None))
    assert (len(found.direct), found.owners) == (1, ())


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"group": None},
        members(direct=None),
        members(direct={"pageInfo": {"hasNextPage": False}, "nodes": None}),
        members(row("margaret"), row("x", None)),
        members(
            direct={
                "pageInfo": {"hasNextPage": True, "endCursor": None},
                "nodes": [row("margaret")],
            }
        ),
    ],
)
def test_members_that_are_not_all_there_are_unread(answer: dict[str, Any]) -> None:
    assert isinstance(read(MEMBERS, answer), Unread)


def standing(**changes: Any) -> dict[str, Any]:
    """Answer what a merge request has become."""
    notes = [
        {"id": "gid://gitlab/DiffNote/7", "lastEditedAt": None, "author": {"id": "gid://x/User/3"}},
        {"id": "gid://gitlab/Note/9", "lastEditedAt": "2026-02-02T09:00:00Z", "author": None},
    ]
    found = {
        "diffHeadSha": HEAD,
        "state": "opened",
        "targetBranch": "main",
        "assignees": {"nodes": [{"username": "Ada"}]},
        "approvedBy": {"nodes": []},
        "notes": {"pageInfo": {"hasPreviousPage": False}, "nodes": notes},
    }
    return {"project": {"mergeRequest": found | changes}}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"project": None},
        {"project": {"mergeRequest": None}},
        *(standing(**{name: None}) for name in ("diffHeadSha", "assignees", "approvedBy", "notes")),
        standing(assignees={"nodes": None}),
    ],
)
def test_a_merge_request_that_is_not_told_whole_is_unread(answer: dict[str, Any]) -> None:
    assert isinstance(read(STANDING, answer), Unread)


def test_what_a_merge_request_has_become_is_told() -> None:
    assert read(STANDING, standing()) == Standing(
        head_sha=HEAD,
        state="opened",
        target_branch="main",
        assignees=frozenset({"ada"}),
        approved_by=frozenset(),
        comments=frozenset({(7, 3, False), (9, None, True)}),
        whole=True,
    )
    cut = standing(notes={"pageInfo": {"hasPreviousPage": True}, "nodes": []})
    assert not read(STANDING, cut).whole


# --- the merge request ------------------------------------------------------------------


def user(number: int, username: str, **changes: Any) -> dict[str, Any]:
    gid = f"gid://gitlab/User/{number}"
    return {"id": gid, "username": username, "state": "active", "bot": False} | changes


def answer_of(**changes: Any) -> dict[str, Any]:
    merge_request = {
        "iid": "231",
        "title": "Add ada",
        "webUrl": MR_URL,
        "state": "opened",
        "draft": False,
        "createdAt": "2026-02-01T09:00:00Z",
        "mergedAt": None,
        "preparedAt": "2026-02-01T09:00:02Z",
        "discussionLocked": None,
        "sourceBranch": "ada",
        "targetBranch": "main",
        "sourceProjectId": 7001,
        "targetProjectId": 7001,
        "diffHeadSha": HEAD,
        "diffRefs": {"baseSha": BASE, "headSha": HEAD},
        "diffStats": [{"path": "a.yml"}],
        "diffStatsSummary": {"fileCount": 1},
        "author": user(1, "ada"),
        "assignees": {"nodes": [user(2, "grace"), None]},
        "reviewers": {"nodes": [user(3, "linus", state="blocked")]},
        "approvedBy": {"nodes": []},
        "headPipeline": None,
    } | changes
    project = {"id": "gid://gitlab/Project/7001", "fullPath": PROJECT}
    me = {"id": "gid://gitlab/User/9", "username": "nomination-bot", "bot": True}
    return {"currentUser": me, "project": project | {"mergeRequest": merge_request}}


def test_a_merge_request_is_read_whole() -> None:
    found = read_merge_request(answer_of(), [])
    assert (found.project, found.project_id, found.iid) == (PROJECT, 7001, 231)
    assert (found.head_sha, found.base_sha) == (HEAD, BASE)
    assert found.author
    assert found.author.id == 1
    assert [p.username for p in found.assignees] == ["grace"]
    assert [p.active for p in found.reviewers] == [False]
    assert (found.changed_paths, found.from_fork, found.prepared) == (("a.yml",), False, True)
    assert (found.me.id, found.me.bot) == (9, True)
    assert found.created_at.tzinfo is not None


def test_a_merged_one_from_a_vanished_fork_is_read() -> None:
    found = read_merge_request(
        answer_of(
            mergedAt="2026-02-03T10:00:00Z",
            sourceProjectId=None,
            author=None,
            headPipeline={
                "id": "gid://gitlab/Ci::Pipeline/5",
                "sha": HEAD,
                "ref": "refs/merge-requests/231/head",
                "source": "merge_request_event",
            },
        ),
        [],
    )
    assert found.merged_at
    assert (found.from_fork, found.author) == (True, None)
    assert found.head_pipeline
    assert found.head_pipeline.id == 5


@pytest.mark.parametrize("unlisted", [None, {"nodes": None}])
@pytest.mark.parametrize("people", ["assignees", "reviewers", "approvedBy"])
def test_null_where_people_of_a_merge_request_were_due_is_an_error(
    people: str, unlisted: Any
) -> None:
    with pytest.raises(GitLabError, match=f"did not list the {people} of !231"):
        read_merge_request(answer_of(**{people: unlisted}), [])


@pytest.mark.parametrize(
    ("changes", "head"),
    [
        ({}, HEAD),
        ({"diffRefs": {"baseSha": BASE, "headSha": BASE}}, None),
        ({"diffRefs": None}, HEAD),
        ({"diffHeadSha": None}, None),
    ],
)
def test_a_head_that_gitlab_is_not_done_with_is_none(
    changes: dict[str, Any], head: str | None
) -> None:
    assert read_merge_request(answer_of(**changes), []).head_sha == head


@pytest.mark.parametrize(
    "changes",
    [
        {"diffStats": None},
        {"diffStatsSummary": None},
        {"diffStats": [], "diffStatsSummary": {"fileCount": 1}},
    ],
)
def test_a_cut_list_of_changed_files_is_none(changes: dict[str, Any]) -> None:
    assert read_merge_request(answer_of(**changes), []).changed_paths is None


def note(**changes: Any) -> dict[str, Any]:
    return {
        "id": "gid://gitlab/DiffNote/12",
        "body": "/nomination recheck",
        "url": f"{MR_URL}#note_12",
        "system": False,
        "internal": None,
        "createdAt": "2026-02-01T09:10:00Z",
        "lastEditedAt": None,
        "lastEditedBy": None,
        "resolvable": True,
        "resolved": False,
        "resolvedBy": None,
        "author": user(1, "ada"),
        "awardEmoji": {"nodes": []},
    } | changes


def test_a_note_is_read_with_its_trace_and_our_emoji() -> None:
    emoji = [
        {"name": "question", "user": {"id": answer_of()["currentUser"]["id"]}},
        {"name": "heart", "user": {"id": 1}},
    ]
    edited = note(
        lastEditedAt="2026-02-01T09:20:00Z",
        lastEditedBy={"username": "eve"},
        awardEmoji={"nodes": emoji},
        internal=True,
        resolved=True,
        resolvedBy={"username": "eve"},
    )
    found, plain = read_merge_request(answer_of(), [edited, note(author=None)]).notes
    assert (found.id, found.edited, found.edited_by) == (12, True, "eve")
    assert (found.own_emoji, found.internal) == (("question",), True)
    assert found.other_emoji == ((1, "heart"),)
    assert (found.resolvable, found.resolved, found.resolved_by) == (True, True, "eve")
    assert (plain.resolvable, plain.resolved, plain.resolved_by) == (True, False, None)
    assert (plain.edited, plain.edited_by, plain.author, plain.own_emoji) == (False, None, None, ())


@pytest.mark.parametrize(
    ("told", "expected"),
    [("private", 0), ("internal", 10), ("public", 20), (None, 20), ("odd", 20)],
)
def test_a_team_project_of_unknown_visibility_is_taken_for_public(
    told: str | None, expected: int
) -> None:
    answer = answer_of()
    answer["project"]["visibility"] = told
    assert read_merge_request(answer, ()).visibility == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"visibility": "public", "maxAccessLevel": {"integerValue": 0}}, (20, True)),
        ({"visibility": "public", "maxAccessLevel": {"integerValue": 10}}, (20, False)),
        ({"visibility": "public", "maxAccessLevel": None}, (20, False)),
        ({"visibility": "private", "maxAccessLevel": {"integerValue": 50}}, (0, True)),
        ({"visibility": None}, (0, True)),
        ({"visibility": "odd"}, (0, True)),
    ],
)
def test_a_place_of_unknown_visibility_is_taken_for_private(
    told: dict[str, Any], expected: tuple[int, bool]
) -> None:
    found = read(ExposureOf(PROJECT), {"project": told})
    assert isinstance(found, Exposure)
    assert (found.merge_requests, found.sure) == expected
    members = {"direct": {"nodes": [], "pageInfo": {"hasNextPage": False}}, "owners": None}
    group = read(MEMBERS, {"group": members | told})
    assert isinstance(group, Members)
    assert group.visibility == expected[0]


OFFERS = OffersOf("g/p", branches=("a",))
OFFER: dict[str, Any] = {
    "iid": "3",
    "state": "opened",
    "webUrl": "https://gitlab.example.com/g/p/-/merge_requests/3",
    "description": None,
    "sourceBranch": "a",
    "targetBranch": "main",
    "sourceProjectId": 7,
    "conflicts": False,
    "author": None,
    "commits": {"pageInfo": {"hasNextPage": False}, "nodes": [{"author": None}]},
}
PLACE: dict[str, Any] = {
    "id": "gid://gitlab/Project/7",
    "archived": False,
    "mergeRequestsEnabled": True,
    "maxAccessLevel": {"integerValue": 30},
    "mergeRequests": {"pageInfo": {"hasNextPage": False}, "nodes": [OFFER]},
}


def read_offers(place: dict[str, Any] | None) -> Any:
    (part,) = build_parts([OFFERS])
    return part.read({"project": place})[OFFERS]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, None),
        ({"archived": True}, "archived"),
        ({"mergeRequestsEnabled": False}, "takes no merge requests"),
        ({"maxAccessLevel": {"integerValue": 20}}, "lacks the Developer role"),
        ({"maxAccessLevel": None}, "lacks the Developer role"),
    ],
)
def test_why_the_bot_may_open_none_is_told(changes: dict[str, Any], refusal: str | None) -> None:
    found = read_offers(PLACE | changes)
    assert (refusal or "") in (found.refusal or "")
    assert bool(found.refusal) is bool(refusal)


@pytest.mark.parametrize("place", [None, PLACE | {"mergeRequests": None}])
def test_merge_requests_for_steps_that_were_not_listed_are_unread(place: Any) -> None:
    assert isinstance(read_offers(place), Unread)


def test_a_commit_of_nobody_that_is_known_is_not_the_bots() -> None:
    (offer,) = read_offers(PLACE).items
    assert (offer.author_id, offer.whose) == (None, {None})
    cut = {"pageInfo": {"hasNextPage": True}, "nodes": [{"author": {"id": "gid://gitlab/User/5"}}]}
    listing = PLACE["mergeRequests"] | {"nodes": [OFFER | {"commits": cut}]}
    (offer,) = read_offers(PLACE | {"mergeRequests": listing}).items
    assert offer.whose == {5, None}
