"""Whose turn it is: one person, mentioned once for each hand-over, in the comment itself."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import policy as rules
from bot.assessment import Assessment, State, kinds
from bot.evidence import Deeds, DeedsOf
from bot.gitlab.queries import build_parts
from bot.merge_request import Person
from bot.report.turns import Turn, find_turns, is_mentionable, tell_waits
from bot.sandbox.acts import todos
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.pages.markdown import find_mentions as find_in_markdown
from tests.builders import (
    GROUP,
    NOW,
    make_assessment,
    make_evidence,
    make_findings,
    make_follow_up,
    make_hold,
    make_members,
    make_merge_request,
    make_merged,
    make_nomination,
    make_person,
    make_policy,
    make_replay,
    make_requirement,
    make_work,
)
from tests.hostile import CORPUS
from tests.nomination_world import NominationWorld, make_world, run_on, shipped as read_shipped
from tests.test_report import render

ASSIGNED = make_requirement(kinds.Assigned(manager=True, maintainers=1))
AUTHORED = make_requirement(kinds.AuthoredMergeRequests(at_least=1))
READY = make_requirement(kinds.RoleHeld(role="trainee_maintainer"))
MENTION = re.compile(r"(?<!\w)@[\w.-]+")


def find_mentions(body: str) -> list[str]:
    """Return what a comment mentions outside of code."""
    outside = re.sub(r"(?s)```.*?```|`[^`\n]*`", "", body)
    return [found.rstrip(".") for found in MENTION.findall(outside)]


def assess(*wanted: rules.Requirement, notify: bool = True, **changes: Any) -> Assessment:
    policy = make_policy(*wanted, notify=notify, follow_ups=changes.pop("follow_ups", ()))
    return make_assessment(policy, **changes)


def show(assessment: Assessment, **changes: Any) -> str:
    return render(make_findings(assessment, **changes))


def test_the_nominee_is_mentioned_while_their_work_is_what_is_missing() -> None:
    assessment = assess(AUTHORED, moved=NOW - timedelta(days=1))
    body = show(assessment)
    assert find_mentions(body) == ["@ada"]
    day = f"{NOW - timedelta(days=1):%Y-%m-%d}"
    assert f"Waiting for @ada since {day}." in body


@pytest.mark.parametrize(
    ("hours", "told"), [(None, "@ada"), (23, "@ada for less than a day"), (25, "@ada for 1 day"),
                        (80, "@ada for 3 days"), (-5, "@ada for less than a day")],
)  # fmt: skip
def test_the_days_are_told_where_no_edit_is_needed_for_them(hours: int | None, told: str) -> None:
    since = None if hours is None else NOW - timedelta(hours=hours)
    turn = Turn(username="ada", since=since, mentioned=True)
    assert tell_waits((turn, None), NOW) == (told, "")


def test_nobody_is_mentioned_unless_the_policy_says_so() -> None:
    body = show(assess(AUTHORED, notify=False))
    assert not find_mentions(body)
    assert "Waiting for `@ada`." in body


TO_MANAGER = make_requirement(kinds.Assigned(manager=True, maintainers=0))
TO_MAINTAINER = make_requirement(kinds.Assigned(manager=False, maintainers=1), id="others")


@pytest.mark.parametrize(
    ("wanted", "assignees", "merger"),
    [
        ((TO_MANAGER,), ("grace",), "the manager `@grace`"),
        ((TO_MANAGER,), ("grace", "linus"), "the manager `@grace`"),
        ((ASSIGNED,), ("grace", "linus"), "a maintainer of `ai-gateway`"),
        ((TO_MAINTAINER,), ("linus",), "a maintainer of `ai-gateway`"),
        ((TO_MANAGER, TO_MAINTAINER), ("grace", "linus"), "a maintainer of `ai-gateway`"),
        ((READY,), ("grace", "linus"), "a maintainer of `ai-gateway`"),
    ],
)
def test_who_it_is_assigned_to_merges_it(
    wanted: tuple[rules.Requirement, ...], assignees: tuple[str, ...], merger: str
) -> None:
    made = make_merge_request(assignees=tuple(map(make_person, assignees)))
    body = show(assess(*wanted, merge_request=made), merge_request=made)
    assert f"**Next step:** {merger} reviews and merges it." in body
    assert find_mentions(body) == ["@grace" if "manager" in merger else "@linus"]


MAINTAINERS = make_requirement(kinds.ApprovedBy(at_least=1, by="maintainers"))
MANAGER = make_requirement(kinds.ApprovedBy(at_least=1, by="manager"))
GRACE, LINUS, MARGARET = map(make_person, ("grace", "linus", "margaret"))


@pytest.mark.parametrize(
    ("wanted", "merge_request", "mentioned"),
    [
        (AUTHORED, {}, "@ada"),
        (AUTHORED, {"author": LINUS}, "@ada"),
        (ASSIGNED, {"author": LINUS}, "@linus"),
        (ASSIGNED, {"draft": True}, "@ada"),
        (READY, {"assignees": (GRACE, MARGARET)}, "@margaret"),
        (READY, {"assignees": (GRACE, LINUS)}, "@linus"),
        (READY, {"draft": True, "assignees": (MARGARET,)}, "@ada"),
        (READY, {"conflicts": True, "assignees": (MARGARET,)}, "@ada"),
        (READY, {"source_exists": False, "assignees": (MARGARET,)}, "@ada"),
        (MAINTAINERS, {"conflicts": True, "assignees": (LINUS,)}, "@linus"),
        # There everything would be to do again.
        (MAINTAINERS, {"source_exists": False, "source_project_id": None}, "@ada"),
        (MAINTAINERS, {"assignees": (LINUS,)}, "@linus"),
        (MAINTAINERS, {"assignees": (LINUS,), "draft": True}, "@ada"),
        (MANAGER, {"assignees": (GRACE,)}, "@grace"),
        (make_requirement(kinds.RoleHeld(role="reviewer"), actor="manager"), {}, None),
        (make_requirement(kinds.RoleHeld(role="reviewer"), actor="anyone"), {}, None),
        (make_requirement(kinds.OpenFor(days=9)), {}, None),
        # Of these accounts GitLab told nothing, or that they cannot act.
        (MANAGER, {}, None),
        (MANAGER, {"assignees": (make_person("grace", active=False),)}, None),
        (MANAGER, {"assignees": (make_person("grace", bot=True),)}, None),
        (ASSIGNED, {"author": make_person("linus", active=False)}, None),
        (READY, {"state": "closed", "assignees": (MARGARET,)}, None),
        (ASSIGNED, {"author": None}, "@ada"),
    ],
)
def test_exactly_the_next_actor_is_mentioned(
    wanted: rules.Requirement, merge_request: dict[str, Any], mentioned: str | None
) -> None:
    made = make_merge_request(**merge_request)
    assessment = assess(wanted, merge_request=made)
    body = show(assessment, merge_request=made)
    assert find_mentions(body) == ([mentioned] if mentioned else [])


def test_of_several_maintainers_one_is_chosen_for_good() -> None:
    names = ["linus", "margaret", "olga", "zoe"]
    made = make_merge_request()

    def choose(*members: str) -> list[str]:
        evidence = make_evidence(members=make_members(*members))
        assessment = assess(READY, merge_request=made, evidence=evidence)
        return find_mentions(show(assessment, merge_request=made))

    chosen = choose(*names)
    assert len(chosen) == 1
    assert choose(*names[::-1]) == chosen
    for name in names:
        rest = [each for each in names if each != name]
        assert (choose(*rest) == chosen) is (f"@{name}" != chosen[0])


def test_different_merge_requests_ask_different_maintainers() -> None:
    evidence = make_evidence(members=make_members("linus", "margaret", "olga"))
    found = set()
    for iid in range(20):
        made = make_merge_request(iid=iid + 1)
        turns = find_turns(
            [assess(READY, merge_request=made, evidence=evidence)], made, held=False, passed=True
        )
        assert turns[0]
        found.add(turns[0].username)
    assert found == {"linus", "margaret", "olga"}


def test_neither_nominee_nor_author_is_asked_to_merge() -> None:
    made = make_merge_request(author=LINUS)
    evidence = make_evidence(members=make_members("ada", "linus", "margaret"))
    assessment = assess(READY, merge_request=made, evidence=evidence)
    assert find_mentions(show(assessment, merge_request=made)) == ["@margaret"]


def test_who_has_approved_is_not_asked_again() -> None:
    made = make_merge_request(assignees=(LINUS,), approved_by=(LINUS,))
    two = make_requirement(kinds.ApprovedBy(at_least=2, by="maintainers"))
    assessment = assess(two, merge_request=made)
    assert find_mentions(show(assessment, merge_request=made)) == ["@margaret"]


def test_nobody_is_mentioned_while_it_is_held_or_not_known() -> None:
    assert not find_mentions(show(assess(READY), replay=make_replay(held=make_hold())))
    assert not find_mentions(show(assess(READY), unknown=("the list was cut",)))
    unknown = make_evidence(members=make_members("linus"), work={})
    assert not find_mentions(show(assess(AUTHORED, evidence=unknown)))


def test_who_is_waited_for_twice_is_mentioned_once() -> None:
    one = assess(AUTHORED)
    two = replace(one, nomination=make_nomination(role="reviewer"))
    body = show(one)
    assert find_mentions(body) == ["@ada"]
    both = render(make_findings(one, two))
    assert find_mentions(both) == ["@ada"]
    assert "Waiting for `@ada`" in both


@pytest.mark.parametrize(
    ("name", "fit"),
    [
        ("ada", True),
        ("a", True),
        ("Ada.L-ovelace_1", True),
        ("all", False),
        ("ALL", False),
        ("_ada_", False),
        ("ada.", False),
        ("ada-", False),
        (".ada", False),
        ("group/sub", False),
        ("ada\n", False),
        ("ada @all", False),
        ("", False),
        ("\u0430da", False),
        ("a" * 256, False),
    ],
)
def test_only_a_name_that_reaches_one_account_is_mentioned(name: str, fit: bool) -> None:
    assert is_mentionable(name) is fit
    made = make_merge_request(author=make_person(name))
    body = show(assess(ASSIGNED, merge_request=made), merge_request=made)
    assert find_mentions(body) == ([f"@{name}"] if fit else [])


def test_no_foreign_name_mentions_anybody_else() -> None:
    for text in CORPUS:
        made = make_merge_request(author=make_person(text))
        turns = find_turns([assess(ASSIGNED, merge_request=made)], made, held=False, passed=False)
        assert turns[0] or not text
        if not turns[0]:
            continue
        assert turns[0].mentioned is is_mentionable(text)
        if turns[0].mentioned:
            assert re.fullmatch(r"[A-Za-z0-9][\w.-]*", text, re.ASCII)


def test_a_name_that_only_the_entry_holds_is_not_mentioned() -> None:
    made = make_merge_request(author=LINUS)
    work = make_evidence(replace(make_work(), account=None))
    assessment = assess(AUTHORED, merge_request=made, evidence=work)
    body = show(assessment, merge_request=made)
    assert not find_mentions(body)


@pytest.mark.parametrize("unlike", ["blocked", "bot"])
def test_who_cannot_act_is_not_mentioned(unlike: str) -> None:
    made = make_merge_request(assignees=(MARGARET,))
    changes: dict[str, Any] = {"active": False} if unlike == "blocked" else {"bot": True}
    members = make_members("margaret")
    direct = tuple(replace(member, **changes) for member in members.direct)
    evidence = make_evidence(members=replace(members, direct=direct))
    assessment = assess(READY, merge_request=made, evidence=evidence)
    assert not find_mentions(show(assessment, merge_request=made))


GROUP_STEP = rules.GroupMember(group=GROUP, level=30)


@pytest.mark.parametrize(
    ("actor", "changes", "mentioned"),
    [
        ("nominee", {}, "@ada"),
        ("owner", {}, "@olga"),
        ("maintainer", {}, "@linus"),
        ("manager", {"assignees": (GRACE,)}, "@grace"),
        ("anyone", {}, None),
        ("owner", {"cut": True}, None),
    ],
)
def test_after_the_merge_the_next_step_is_somebodys(
    actor: str, changes: dict[str, Any], mentioned: str | None
) -> None:
    cut = changes.pop("cut", None)
    merged = make_merge_request(state="merged", merged_at=NOW, **changes)
    members = make_members("linus", owners=() if cut else ["olga"])
    step = make_follow_up(GROUP_STEP, actor=actor)
    assessment = assess(
        READY,
        merge_request=merged,
        evidence=make_evidence(members=members),
        follow_ups=(step,),
    )
    assert assessment.steps[0].state is State.OPEN
    body = show(assessment, merge_request=merged)
    assert find_mentions(body) == ([mentioned] if mentioned else [])
    assert f"since {NOW:%Y-%m-%d}" in body or not mentioned


def test_after_a_merge_in_spite_of_an_open_point_a_maintainer_decides_first() -> None:
    merged = make_merge_request(state="merged", merged_at=NOW)
    assessment = assess(AUTHORED, merge_request=merged, follow_ups=(make_follow_up(GROUP_STEP),))
    assessment = replace(assessment, left_open=assessment.findings)
    body = show(assessment, merge_request=merged)
    assert find_mentions(body) in (["@linus"], ["@margaret"])


def test_nobody_is_waited_for_once_all_is_done() -> None:
    merged = make_merge_request(state="merged", merged_at=NOW)
    assert "Waiting for" not in show(assess(READY, merge_request=merged), merge_request=merged)


def test_what_was_counted_last_is_since_when_somebody_is_waited_for() -> None:
    work = make_work([make_merged(399, "ada")])
    two = make_requirement(kinds.AuthoredMergeRequests(at_least=2))
    assessment = assess(two, evidence=make_evidence(work), moved=NOW - timedelta(days=2))
    assert f"Waiting for @ada since {NOW - timedelta(days=1):%Y-%m-%d}." in show(assessment)
    decided = make_replay(decided_at=NOW)
    policy = make_policy(two, notify=True)
    later = make_assessment(
        policy, decided, evidence=make_evidence(work), moved=NOW - timedelta(days=2)
    )
    assert f"Waiting for @ada since {NOW:%Y-%m-%d}." in show(later)


@pytest.mark.parametrize(
    ("body", "moves"),
    [
        ("assigned to @ada", True),
        ("unassigned @ada", True),
        ("assigned to @ada and unassigned @linus", True),
        ("approved this merge request", True),
        ("unapproved this merge request", True),
        ("added 2 commits\n\n* 1 - Add", True),
        ("marked this merge request as **ready**", True),
        ("marked this merge request as **draft**", True),
        ("reopened", True),
        ("changed target branch from `a` to `main`", True),
        ("changed title from **a** to **b**", False),
        ("mentioned in merge request !7", False),
        ("added ~3 label", False),
        ("closed", False),
        ("requested review from @linus", False),
    ],
)
def test_only_what_changes_hands_moves_a_merge_request_on(body: str, moves: bool) -> None:
    note = {"body": body, "createdAt": NOW.isoformat(), "author": {"username": "ada"}}
    listed = {"nodes": [note], "pageInfo": {"hasPreviousPage": False}}
    answer = {"project": {"mergeRequest": {"activity": listed}}}
    (part,) = build_parts([DeedsOf("g/p", 1)])
    (found,) = part.read(answer).values()
    assert isinstance(found, Deeds)
    assert (found.moved is not None) is moves


# --- GitLab's to-dos ----------------------------------------------------------------------


STORY = Path(__file__).parent / "scenarios" / "first-nomination" / "expected"


def test_each_hand_over_makes_one_to_do_however_often_the_bot_looks() -> None:
    """The maintainer has one already, of being assigned; GitLab makes no second."""
    said = [find_mentions(each.read_text("utf-8")) for each in sorted(STORY.glob("*.md"))]
    facts = [json.loads(each.read_text("utf-8")) for each in sorted(STORY.glob("*.json"))]
    told = [[to_do["for"] for to_do in each["to_dos"]] for each in facts]
    steps = zip(said, told, strict=True)
    assert list(dict.fromkeys((*mentions, len(made)) for mentions, made in steps)) == [
        ("@nominee1", 1),
        ("@maintainer1", 1),
        ("@nominee1", 2),
        (2,),
    ]
    assert told[-1] == ["nominee1", "nominee1"]


# --- reminders ----------------------------------------------------------------------------


def remind(days: float, **changes: Any) -> str:
    """Show a comment for which nothing moved on for some days."""
    given = {"notify": True, "remind_after": 7, "reminders": 2} | changes.pop("policy", {})
    policy, moved = make_policy(AUTHORED, **given), NOW - timedelta(days=days)
    old = make_merge_request(created_at=NOW - timedelta(days=400))
    changes = {"merge_request": old} | changes
    return show(make_assessment(policy, moved=moved, **changes))


@pytest.mark.parametrize(
    ("days", "said"),
    [(0, None), (6.9, None), (7, "1 of 2"), (13.9, "1 of 2"), (14, "2 of 2"), (90, "2 of 2")],
)
def test_after_some_days_the_same_person_is_reminded(days: float, said: str | None) -> None:
    body = remind(days)
    assert find_mentions(body) == ["@ada"]
    assert (f" (reminder {said})." in body) is bool(said)
    assert ("(reminder" in body) is bool(said)


@pytest.mark.parametrize(
    "lost",
    [
        {"conflicts": True},
        {"source_exists": False},
        {"source_exists": False, "source_project_id": None},
    ],
)
def test_of_what_came_in_the_way_nobody_is_told_since_when(lost: dict[str, Any]) -> None:
    policy = make_policy(READY, notify=True, remind_after=7, reminders=2)
    for extra, told in (({}, "(reminder 2 of 2)"), (lost, "Waiting for @ada.")):
        old = {"created_at": NOW - timedelta(days=400)}
        here = make_merge_request(assignees=(MARGARET,), **old, **extra)
        moved = NOW - timedelta(days=90)
        body = show(make_assessment(policy, merge_request=here, moved=moved), merge_request=here)
        assert told in body
    assert "reminder" not in body


def test_a_branch_that_is_gone_after_the_merge_is_in_nobodys_way() -> None:
    policy = make_policy(
        READY, notify=True, remind_after=7, follow_ups=(make_follow_up(GROUP_STEP),)
    )
    bodies = []
    for exists in (True, False):
        here = make_merge_request(state="merged", merged_at=NOW, source_exists=exists)
        bodies.append(show(make_assessment(policy, merge_request=here), merge_request=here))
    assert bodies[0] == bodies[1]


def test_without_a_mention_or_a_day_there_is_no_reminder() -> None:
    assert "reminder" not in remind(90, policy={"notify": False})
    assert "reminder" not in remind(90, policy={"remind_after": None})
    policy = make_policy(AUTHORED, notify=True, remind_after=7)
    assert "reminder" not in show(make_assessment(policy))
    blocked = Person(id=7, username="ada", active=False, bot=False)
    work = make_evidence(make_work(account=blocked))
    gone = make_person("ada", active=False)
    author = make_merge_request(author=gone, created_at=NOW - timedelta(days=400))
    assert "reminder" not in remind(90, evidence=work, merge_request=author)


@pytest.fixture
def made() -> NominationWorld:
    made = make_world(authored=3)
    made.world.find_mentions = find_in_markdown
    return made


def test_a_reminder_makes_a_to_do_once_however_often_the_bot_looks(
    made: NominationWorld, server: Server
) -> None:
    (policy,) = read_shipped()[0]
    policies = (replace(policy, remind_after=7, reminders=2),)

    def told() -> int:
        return sum(each.user.username == "nina" for each in made.world.todos)

    def look() -> None:
        run_on(server, made.nomination, policies=policies)

    look()
    assert told() == 1
    for number in (1, 2):
        todos.resolve(made.world, made.user("nina"), made.nomination)
        made.world.tick(7 * 86_400)
        before = len(made.writes())
        look()
        assert f"(reminder {number} of 2)" in made.own_notes()[0].body
        assert told() == 1 + number
        assert len(made.writes()) == before + 2
        look()
        assert len(made.writes()) == before + 2
    made.world.tick(30 * 86_400)
    look()
    assert told() == 3
    assert len(made.own_notes()) == 1


def test_a_reminder_that_was_broken_off_is_made_by_the_next_look(
    made: NominationWorld, server: Server
) -> None:
    policies = (replace(read_shipped()[0][0], remind_after=7),)
    run_on(server, made.nomination, policies=policies)
    todos.resolve(made.world, made.user("nina"), made.nomination)
    made.world.tick(7 * 86_400)
    server.fault(Fault(route="PUT *notes*", kind=Kind.FORBIDDEN, calls=[1]))
    run_on(server, made.nomination, policies=policies)
    server.misbehaving.faults.switch_off()
    run_on(server, made.nomination, policies=policies)
    (note,) = made.own_notes()
    assert find_mentions(note.body) == ["@nina"]
    assert sum(todo.user.username == "nina" for todo in made.world.todos) == 2


def test_a_change_of_the_text_alone_mentions_nobody_once_more(
    made: NominationWorld, server: Server
) -> None:
    policies = (replace(read_shipped()[0][0], remind_after=7),)
    run_on(server, made.nomination, policies=policies)
    made.world.tick(8 * 86_400)
    run_on(server, made.nomination, policies=policies)
    todos.resolve(made.world, made.user("nina"), made.nomination)
    made.say("/nomination help", by="mia")
    before = len(made.writes())
    run_on(server, made.nomination, policies=policies)
    puts = [each for each in made.writes()[before:] if each.method == "PUT"]
    assert len(puts) == 1
    assert sum(todo.user.username == "nina" for todo in made.world.todos) == 1
