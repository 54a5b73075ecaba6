"""Tests of the query for how merge requests went, and of reading its answer."""

from typing import Any

import pytest

from bot.evidence import Act, Course, CoursesOf
from bot.gitlab.answers import read_time
from bot.gitlab.queries import build_parts
from bot.unread import Unread

COURSES = CoursesOf("g/p", tuple(range(1, 21)))


def read(answer: dict[str, Any]) -> Any:
    (part,) = build_parts([COURSES])
    return part.read(answer)[COURSES]


WHEN = "2026-01-02T10:00:00Z"
AFTERWARDS = "2026-01-04T10:00:00Z"


def thread(*notes: dict[str, Any], more: bool = False) -> dict[str, Any]:
    return {"notes": {"pageInfo": {"hasNextPage": more}, "nodes": list(notes)}}


def word(**changes: Any) -> dict[str, Any]:
    plain = {"system": False, "internal": False, "resolvable": True, "createdAt": WHEN}
    return plain | {"author": {"username": "Eve", "bot": False}} | changes


def deed(body: str, **changes: Any) -> dict[str, Any]:
    return {"body": body, "createdAt": WHEN, "author": {"username": "Eve", "bot": False}} | changes


def course_of(**changes: Any) -> Course:
    node = {
        "iid": "7",
        "mergedAt": "2026-01-03T10:00:00Z",
        "author": {"username": "linus"},
        "diffStats": [{"path": "a/b"}],
        "diffStatsSummary": {"fileCount": 1},
        "activity": {"pageInfo": {"hasNextPage": False}, "nodes": []},
        "discussions": {"pageInfo": {"hasNextPage": False}, "nodes": []},
    }
    answer = {"project": {"mergeRequests": {"nodes": [node | changes, None]}}}
    (course,) = read(answer)
    assert isinstance(course, Course)
    return course


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("approved this merge request", "approved"),
        ("unapproved this merge request", "unapproved"),
        ("requested changes", "requested"),
        ("left review comments without approving", "reviewed"),
        ("added 1 commit\n\n<ul><li>0a1b2c3d - Fix</li></ul>", "pushed"),
        (
            "added 12 commits\n\n<ul><li>a..b - 11 commits from branch <code>main</code></li></ul>",
            "rebased",
        ),
        ("added 1 commit\n\n<ul><li>0a - 2 commits from branch &lt;code&gt;</li></ul>", "pushed"),
        ("added ~bug label", None),
        ("approved this merge request too", None),
    ],
)
def test_acts_are_told_by_the_words_of_gitlab(body: str, what: str | None) -> None:
    activity = {
        "pageInfo": {"hasNextPage": False},
        "nodes": [deed(body), deed(body, createdAt=AFTERWARDS)],
    }
    found = course_of(activity=activity).acts
    assert [each.what for each in found] == ([what] if what else [])


def test_who_wrote_in_a_thread_is_told_apart_from_who_began_it() -> None:
    threads = [
        thread(word(), word(author=None), word(internal=True), word(createdAt=AFTERWARDS)),
        thread(word(resolvable=False)),
        thread(word(system=True)),
        thread(),
        {"notes": None},
    ]
    course = course_of(discussions={"pageInfo": {"hasNextPage": False}, "nodes": threads})
    at = read_time(WHEN)
    assert course.acts == (
        Act(what="opened", by="Eve", bot=False, at=at),
        Act(what="wrote", by=None, bot=False, at=at),
    )
    assert course.cut


CUT = {"hasNextPage": True}
WHOLE = {"hasNextPage": False}


@pytest.mark.parametrize(
    ("changes", "cut"),
    [
        ({}, False),
        ({"activity": None}, True),
        ({"discussions": None}, True),
        ({"activity": {"pageInfo": CUT, "nodes": [deed("x")]}}, True),
        ({"activity": {"pageInfo": CUT, "nodes": [deed("x", createdAt=AFTERWARDS)]}}, False),
        ({"activity": {"pageInfo": CUT, "nodes": []}}, True),
        ({"discussions": {"pageInfo": CUT, "nodes": [thread(word())]}}, True),
        ({"discussions": {"pageInfo": CUT, "nodes": [thread(word(createdAt=AFTERWARDS))]}}, False),
        ({"discussions": {"pageInfo": WHOLE, "nodes": [thread(word(), more=True)]}}, True),
    ],
)
def test_what_was_not_listed_up_to_the_merge_is_cut(changes: dict[str, Any], cut: bool) -> None:
    assert course_of(**changes).cut is cut


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({}, ("a/b",)),
        ({"diffStats": None}, None),
        ({"diffStatsSummary": None}, None),
        ({"diffStatsSummary": {"fileCount": 2}}, None),
    ],
)
def test_paths_that_were_not_all_told_are_not_known(
    changes: dict[str, Any], paths: tuple[str, ...] | None
) -> None:
    assert course_of(**changes).paths == paths


@pytest.mark.parametrize("answer", [{}, {"project": None}, {"project": {"mergeRequests": None}}])
def test_courses_that_were_not_listed_are_unread(answer: dict[str, Any]) -> None:
    assert isinstance(read(answer), Unread)


def test_the_courses_of_imported_merge_requests_are_left_out() -> None:
    answer = {"project": {"mergeRequests": {"nodes": [{"iid": "1", "mergedAt": None}]}}}
    assert read(answer) == ()
