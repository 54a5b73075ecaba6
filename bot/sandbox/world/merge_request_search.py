"""Which merge requests or issues a list shows: filters and order, for both interfaces."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from operator import gt, lt
from typing import Any, TypeVar

from bot.sandbox.world.entities import Issue, MergeRequest, User

Item = TypeVar("Item", MergeRequest, Issue)
Test = Callable[[Any, Any], bool]
IN = ("title", "description")
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def _same(name: str, user: User | None) -> bool:
    return user is not None and user.username.casefold() == name.casefold()


def _is_wild(asked: object) -> bool:
    return isinstance(asked, str) and asked.casefold() in {"any", "none"}


def _among(asked: int | str, people: Iterable[User]) -> bool:
    """Return whether an account is among people, by number or name; `any` and `none` count them."""
    if isinstance(asked, int):
        return any(each.id == asked for each in people)
    if _is_wild(asked):
        return bool(list(people)) == (asked.casefold() == "any")
    return any(_same(asked, each) for each in people)


def _reviewed_by(mr: MergeRequest, asked: int | str) -> bool:
    return _among(asked, [each.user for each in mr.reviewers])


def _assigned_to(mr: MergeRequest, asked: int | str | list[str]) -> bool:
    wanted = asked if isinstance(asked, list) else [asked]
    wanted = wanted[:1] if any(map(_is_wild, wanted[:1])) else wanted
    return all(_among(each, mr.assignees) for each in wanted)


def _approved_by(mr: MergeRequest, names: list[str]) -> bool:
    if len(names) == 1 and _is_wild(names[0]):
        return _among(names[0], mr.approvals)
    # Unlike the others, this filter compares exactly (`User.where(username:)`).
    return set(names) <= {each.username for each in mr.approvals}


def _mentions(mr: MergeRequest, asked: str | tuple[str, str]) -> bool:
    """Return whether all words stand in the title or description, or in what of them is named."""
    words, places = (asked, "title,description") if isinstance(asked, str) else asked
    named = [each.strip() for each in places.split(",")]
    text = "\n".join(str(getattr(mr, name)) for name in IN if name in named).casefold()
    return all(word in text for word in words.casefold().split())


def _has_labels(mr: MergeRequest, names: list[str]) -> bool:
    own = {label.name for label in mr.labels}
    if [name.casefold() for name in names] in (["none"], ["any"]):
        return bool(own) == (names[0].casefold() == "any")
    return own.issuperset(names)


def _when(name: str, compare: Test) -> Test:
    """Compare a time with the one asked for; what has not happened is neither before nor after."""
    return lambda item, at: getattr(item, name) is not None and compare(getattr(item, name), at)


TESTS: Mapping[str, Test] = {
    "state": lambda mr, state: state in {"all", mr.state},
    "iids": lambda mr, iids: mr.iid in {int(each) for each in iids},
    "author_id": lambda mr, number: mr.author.id == number,
    "author_username": lambda mr, name: _same(name, mr.author),
    "reviewer_id": _reviewed_by,
    "reviewer_username": _reviewed_by,
    "review_states": lambda mr, states: any(
        each.state.casefold() in {state.casefold() for state in states} for each in mr.reviewers
    ),
    "assignee_id": _assigned_to,
    "assignee_username": _assigned_to,
    "approved_by_usernames": _approved_by,
    "approved_by_ids": lambda mr, numbers: (
        {int(number) for number in numbers} <= {each.id for each in mr.approvals}
    ),
    "merge_user_id": lambda mr, number: mr.merged_by is not None and mr.merged_by.id == number,
    "merge_user_username": lambda mr, name: _same(name, mr.merged_by),
    "labels": _has_labels,
    "milestone": lambda item, title: (
        item.milestone is not None and item.milestone["title"] == title
    ),
    "confidential": lambda issue, confidential: issue.confidential is confidential,
    "draft": lambda mr, draft: mr.draft is draft,
    "wip": lambda mr, answer: mr.draft is (answer == "yes"),
    "source_branch": lambda mr, name: mr.source_branch == name,
    "source_branches": lambda mr, names: mr.source_branch in names,
    "source_project_id": lambda mr, number: (
        mr.source_project is not None and mr.source_project.id == number
    ),
    "target_branch": lambda mr, name: mr.target_branch == name,
    "target_branches": lambda mr, names: mr.target_branch in names,
    "search": _mentions,
    **{
        f"{event}_{word}": _when(f"{event}_at", compare)
        for event in ("created", "updated", "merged")
        for word, compare in (("after", gt), ("before", lt))
    },
}

ORDERS: Mapping[str, Callable[[Any], Any]] = {
    "created_at": lambda mr: mr.created_at,
    "updated_at": lambda mr: mr.updated_at,
    "merged_at": lambda mr: mr.merged_at or LONG_AGO,
    "closed_at": lambda mr: mr.closed_at or LONG_AGO,
    "title": lambda mr: mr.title.casefold(),
    "popularity": lambda mr: sum(each.name == "thumbsup" for each in mr.awards),
    "label_priority": lambda mr: mr.id,
    "milestone_due": lambda mr: mr.id,
    "priority": lambda mr: mr.id,
}


def select(
    items: Iterable[Item],
    wanted: Mapping[str, Any],
    unwanted: Mapping[str, Any] | None = None,
) -> list[Item]:
    """Select what passes every test of `wanted` and none of `unwanted`."""
    tests = [(TESTS[name], value) for name, value in wanted.items()]
    negated = [(TESTS[name], value) for name, value in (unwanted or {}).items()]
    return [
        item
        for item in items
        if all(test(item, value) for test, value in tests)
        and not any(test(item, value) for test, value in negated)
    ]


def arrange(items: Iterable[Item], order_by: str, sort: str) -> list[Item]:
    """Order what was selected; equal ones by number."""
    key = ORDERS[order_by]
    return sorted(items, key=lambda item: (key(item), item.id), reverse=sort == "desc")
