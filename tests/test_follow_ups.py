"""Tests of the check on each kind of follow-up step."""

from dataclasses import replace
from typing import Any

import pytest

from bot import policy as rules
from bot.assessment.assessing import Assessment
from bot.assessment.findings import State, Step
from bot.assessment.follow_ups import check_step
from bot.evidence import FileAt, Member, Members
from bot.listing import EntrySelector
from bot.unread import Content, Unread
from tests.builders import (
    make_assessment,
    make_case,
    make_evidence,
    make_follow_up,
    make_member,
    make_members,
    make_nomination,
    make_policy,
)

OWNERS = "group/owners"
UNREAD = Unread(reason="GitLab answered 403")
ENTRY = EntrySelector(list="inventory", key="name", value="ai-gateway")
FILE = FileAt("group/runway", "main", "list")


def check(kind: rules.Check, **evidence: Any) -> Step:
    case = make_case(evidence=make_evidence(**evidence), nomination=make_nomination("Ada"))
    return check_step(case, make_follow_up(kind))


def check_member(*direct: Member, owners: tuple[Any, ...] = ("olga",)) -> Step:
    kind = rules.GroupMember(group=OWNERS, level=30)
    return check(kind, groups={OWNERS: make_members(*direct, owners=owners)})


@pytest.mark.parametrize(
    ("members", "state", "said"),
    [
        ((), State.OPEN, None),
        ((make_member("linus"),), State.OPEN, None),
        ((make_member("adamant"),), State.OPEN, None),
        ((make_member("ADA", 20),), State.OPEN, "lower level"),
        ((make_member("ADA", 30),), State.DONE, None),
        ((make_member("ada", 50),), State.DONE, None),
        ((make_member("ada", 50, active=False),), State.OPEN, "blocked"),
    ],
)
def test_a_direct_member_of_the_level_is_done(
    members: tuple[Member, ...], state: State, said: str | None
) -> None:
    step = check_member(*members)
    assert step.state is state
    assert (said or "") in (step.reason or "")
    assert (step.reason is None) is (said is None)


def test_an_inherited_owner_is_no_direct_member() -> None:
    assert check_member(owners=("ada",)).state is State.OPEN


@pytest.mark.parametrize(
    ("members", "following", "state"),
    [
        ((make_member("ada", 30),), None, State.DONE),
        ((make_member("ADA", 50),), "more", State.DONE),
        ((make_member("linus", 50),), None, State.OPEN),
        ((make_member("linus", 50),), "more", State.UNKNOWN),
        ((make_member("ada", 20),), None, State.OPEN),
        ((make_member("ada", 20),), "more", State.UNKNOWN),
        ((make_member("ada", 40, active=False),), None, State.OPEN),
    ],
)
@pytest.mark.parametrize("direct", [make_members(), make_members("ada"), UNREAD])
def test_where_inherited_membership_will_do_it_is_what_counts(
    members: tuple[Member, ...], following: str | None, state: State, direct: Members | Unread
) -> None:
    kind = rules.GroupMember(group=OWNERS, level=30, direct=False)
    seen = replace(make_members(*members, owners=()), following=following)
    step = check(kind, groups={OWNERS: direct}, inherited={OWNERS: seen})
    assert step.state is state
    assert not (step.reason and state is State.DONE)


@pytest.mark.parametrize("inherited", [{OWNERS: UNREAD}, {}])
def test_unread_inherited_members_are_unknown(inherited: dict[str, Members | Unread]) -> None:
    kind = rules.GroupMember(group=OWNERS, level=30, direct=False)
    step = check(kind, groups={OWNERS: make_members("ada")}, inherited=inherited)
    assert step.state is State.UNKNOWN
    assert step.reason


def test_people_among_the_owners_can_be_asked() -> None:
    bot, gone = make_member("robot", bot=True), make_member("gone", active=False)
    assert check_member(owners=("olga", bot, gone, "otto")).people == ("olga", "otto")


@pytest.mark.parametrize(
    ("member", "people"),
    [
        (make_member("oscar", 50), ("oscar",)),
        (make_member("oscar", 40), ("olga",)),
        (make_member("oscar", 50, active=False), ("olga",)),
        (make_member("oscar", 50, bot=True), ("olga",)),
    ],
)
def test_owners_of_the_group_itself_are_asked_before_those_above(
    member: Member, people: tuple[str, ...]
) -> None:
    assert check_member(member).people == people


@pytest.mark.parametrize("groups", [{OWNERS: UNREAD}, {}])
def test_an_unread_group_is_unknown(groups: dict[str, Members | Unread]) -> None:
    step = check(rules.GroupMember(group=OWNERS, level=30), groups=groups)
    assert step.state is State.UNKNOWN
    assert step.reason


def check_listed(content: Content, form: Any = "json", entry: EntrySelector | None = ENTRY) -> Step:
    kind = rules.ListedIn(
        project=FILE.project, ref=FILE.ref, path=FILE.path, format=form, entry=entry, key="members"
    )
    return check(kind, files={FILE: content})


def inventory(members: str) -> bytes:
    return f'{{"inventory": [{{"name": "ai-gateway", "members": {members}}}]}}'.encode()


@pytest.mark.parametrize(
    ("content", "form", "entry", "state"),
    [
        (inventory('["ada"]'), "json", ENTRY, State.DONE),
        (inventory('["@ADA", "linus"]'), "json", ENTRY, State.DONE),
        (inventory('["adamant", "xada"]'), "json", ENTRY, State.OPEN),
        (inventory("[]"), "json", ENTRY, State.OPEN),
        (b"// people\n{members: ['ada',],}", "json5", None, State.DONE),
        (b"// ada\n{members: ['linus',],}", "json5", None, State.OPEN),
        (b"members:\n  - ada\n", "yaml", None, State.DONE),
        (b"members:\n  - linus # ada\n", "yaml", None, State.OPEN),
        (b"members: [ada", "yaml", None, State.UNKNOWN),
        (b'{"inventory": []}', "json", ENTRY, State.UNKNOWN),
        (inventory('"ada"'), "json", ENTRY, State.UNKNOWN),
        (b"\xff\xfe", "json", ENTRY, State.UNKNOWN),
        (None, "json", ENTRY, State.UNKNOWN),
        (UNREAD, "json", ENTRY, State.UNKNOWN),
    ],
)
def test_a_list_names_the_person_or_not(
    content: Content, form: str, entry: EntrySelector | None, state: State
) -> None:
    step = check_listed(content, form, entry)
    assert step.state is state
    assert (step.reason is not None) is (state is State.UNKNOWN)
    assert (step.edit is not None) is (state is State.OPEN)


def test_a_list_that_cannot_be_read_says_why() -> None:
    assert "list" in (check_listed(b"members: [ada", "yaml", None).reason or "")
    assert check_listed(b'{"members": ["ada", "\xff"]}').reason == "list: byte 22 is not UTF-8"


def test_an_open_step_says_what_is_odd_in_the_file() -> None:
    assert (
        check_listed(b'{"inventory": [{"name": "ai-gateway"}]}').reason == "there is no `members`"
    )
    assert "twice" in (check_listed(inventory('["linus", "@Linus"]')).reason or "")
    groups = b'{"inventory": [{"name": "ai-gateway", "members": [], "groups": 7}]}'
    assert "groups" in (check_listed(groups).reason or "")


def test_an_open_step_proposes_the_smallest_edit() -> None:
    step = check_listed(b"members:\n  - grace\n  - linus\n", "yaml", None)
    added = [line for line in (step.edit or "").splitlines() if line.startswith("+")]
    assert added == ["+++ b/list", "+  - Ada"]


def test_an_open_step_without_an_edit_says_so() -> None:
    step = check_listed(b"a: &a [grace]\nmembers: *a\n", "yaml", None)
    assert (step.state, step.edit) == (State.OPEN, None)
    assert step.reason == "no edit can be proposed for this file"


def test_groups_that_have_access_are_named() -> None:
    content = b'{"inventory": [{"name": "ai-gateway", "members": [], "groups": ["group/people"]}]}'
    assert check_listed(content).through == ("group/people",)


def test_a_file_that_was_not_looked_up_is_no_list() -> None:
    kind = rules.ListedIn(
        project="g/p", ref="main", path="x", format="json", entry=None, key="members"
    )
    assert check(kind).state is State.UNKNOWN


def test_what_people_do_is_left_to_people() -> None:
    assert check(rules.Manual()).state is State.MANUAL


MEMBER = rules.GroupMember(group=OWNERS, level=30)


def assessed(*kinds: rules.Check, members: Any) -> Assessment:
    policy = make_policy(follow_ups=tuple(make_follow_up(kind) for kind in kinds))
    return make_assessment(policy, evidence=make_evidence(groups={OWNERS: members}))


@pytest.mark.parametrize(
    ("kinds", "members", "done"),
    [
        ((), UNREAD, True),
        ((rules.Manual(),), UNREAD, True),
        ((MEMBER,), make_members("ada"), True),
        ((MEMBER, rules.Manual()), make_members("ada"), True),
        ((MEMBER, rules.Manual()), make_members("linus"), False),
        ((MEMBER,), UNREAD, False),
    ],
)
def test_all_is_done_when_every_checkable_step_is(
    kinds: tuple[rules.Check, ...], members: Any, done: bool
) -> None:
    assert assessed(*kinds, members=members).done is done
