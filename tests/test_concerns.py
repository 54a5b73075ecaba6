"""Tests over HTTP of what a manager looks at: days, shares of approvals, concerns in threads."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from bot.assessment.findings import Verdict
from bot.assessment.kinds import ApprovedBy, NoOpenThreads, OpenFor
from bot.assessment.kinds.open_for import working_time
from bot.policy.values import Rule
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import NoteDraft
from bot.sandbox.world.entities import Level, Member, Note
from tests.builders import judge, make_merge_request, make_note, make_person, make_requirement
from tests.nomination_world import NominationWorld, Outcome, look_once, make_world, shipped

((SHIPPED,), _) = shipped()
OPEN = "comment in open threads"
Act = Callable[[NominationWorld], object]


def run_for(made: NominationWorld, *rules: Rule) -> Outcome:
    """Evaluate the nomination by a policy with these rules alone."""
    wanted = tuple(make_requirement(rule, id=f"r{n}") for n, rule in enumerate(rules))
    return look_once(made, policies=(replace(SHIPPED, requirements=wanted),))


def raise_concern(made: NominationWorld, by: str = "max", **draft: Any) -> Note:
    """Begin a thread on the nomination."""
    given = replace(NoteDraft(body="Not yet.", type="DiscussionNote"), **draft)
    note = actions.create_note(made.world, made.user(by), made.nomination, given).note
    assert note is not None
    return note


def settle(made: NominationWorld, note: Note, by: str, *, resolved: bool = True) -> None:
    """Resolve a thread, or open it again."""
    actions.resolve_thread(made.world, made.user(by), made.nomination, note.discussion_id, resolved)


def settled_by(*people: str) -> Act:
    """Let a maintainer raise a concern, and people resolve it, one after the other."""

    def act(made: NominationWorld) -> None:
        note = raise_concern(made)
        for name in people:
            settle(made, note, name)

    return act


def add_maintainers(made: NominationWorld, *names: str, bot: bool = False) -> None:
    """Let people maintain the project, who may read and approve in the team database, too."""
    for name in names:
        user = made.user(name)
        user.bot = bot
        for members in (made.group.members, made.team.members):
            members[user.id] = Member(user=user, level=Level.DEVELOPER, created_at=made.world.now)


def reopen(made: NominationWorld) -> None:
    note = raise_concern(made)
    settle(made, note, "max")
    settle(made, note, "nina", resolved=False)


def answer_later(made: NominationWorld) -> None:
    note = raise_concern(made)
    settle(made, note, "max")
    raise_concern(made, "olga", discussion_id=note.discussion_id)


def lose(made: NominationWorld) -> None:
    raise_concern(made, "former")


def block(made: NominationWorld) -> None:
    raise_concern(made)
    made.user("max").state = "blocked"


def vanish(made: NominationWorld) -> None:
    raise_concern(made)
    actions.delete_account(made.world, made.user("max"))


def automate(made: NominationWorld) -> None:
    add_maintainers(made, "robot", bot=True)
    raise_concern(made, "robot")


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("act", "by_maintainers", "by_anyone"),
    [
        (lambda made: made.say("fine"), "passed", "passed"),
        (lambda made: made.say("I am against it."), "passed", "passed"),
        (raise_concern, "failed", "failed"),
        (settled_by("max"), "passed", "passed"),
        (settled_by("olga"), "passed", "passed"),
        # Whoever it is about settles nothing, nor does who is no maintainer.
        (settled_by("nina"), "failed", "failed"),
        (settled_by("dora"), "failed", "passed"),
        (settled_by("nina", "olga"), "passed", "passed"),
        (settled_by("olga", "nina"), "failed", "failed"),
        (reopen, "failed", "failed"),
        (answer_later, "failed", "failed"),
        (lambda made: raise_concern(made, "dora"), "passed", "failed"),
        (lambda made: raise_concern(made, "nina"), "passed", "passed"),
        (automate, "passed", "passed"),
        (lose, "passed", "failed"),
        # That they left does not settle it: somebody who is there does.
        (block, "failed", "failed"),
        (vanish, "failed", "failed"),
        # Not everybody who reads the comment may know of it.
        (lambda made: raise_concern(made, internal=True), "passed", "passed"),
    ],
)
def test_a_concern_is_open_until_somebody_settles_it_who_may(
    act: Act, by_maintainers: str, by_anyone: str
) -> None:
    for by, gate in (("maintainers", by_maintainers), ("anyone", by_anyone)):
        made = make_world()
        act(made)
        outcome = run_for(made, NoOpenThreads(by=by))
        assert (outcome.gate, OPEN in outcome.body) == (gate, gate == "failed")


def test_an_open_thread_is_linked_with_who_may_resolve_it() -> None:
    made = make_world()
    note = raise_concern(made)
    body = run_for(made, NoOpenThreads(by="maintainers")).body
    assert f"#note_{note.id}" in body
    assert "`@max` or another maintainer resolves what is open" in body
    assert "`@max` wrote in an open thread" in body


@pytest.mark.sample(1)
@pytest.mark.parametrize("leave", [block, vanish])
def test_who_left_is_not_asked_to_resolve_a_thread(leave: Act) -> None:
    made = make_world()
    leave(made)
    body = run_for(made, NoOpenThreads(by="maintainers")).body
    assert "**Next step:** a maintainer resolves what is open" in body
    body = run_for(made, NoOpenThreads(by="anyone")).body
    assert "**Next step:** anybody but the nominee and the author resolves" in body


def test_a_maintainer_settles_what_somebody_raised_who_left() -> None:
    made = make_world()
    note = raise_concern(made)
    actions.delete_account(made.world, made.user("max"))
    settle(made, note, "olga")
    assert run_for(made, NoOpenThreads(by="maintainers")).gate == "passed"


def test_a_concern_far_down_many_comments_is_seen() -> None:
    made = make_world()
    for number in range(150):
        made.say(f"comment {number}", by="dora")
    raise_concern(made)
    assert run_for(made, NoOpenThreads(by="maintainers")).gate == "failed"


def test_without_the_maintainers_it_is_unknown_whose_threads_count() -> None:
    made = make_world()
    made.group.visibility = "private"
    outcome = run_for(made, NoOpenThreads(by="maintainers"))
    assert outcome.gate == "pending"


# --- a share of the maintainers ---------------------------------------------------------


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("maintainers", "approving", "share", "at_least", "needed"),
    [
        (4, 2, 50, 1, 3),
        (4, 3, 50, 1, 3),
        (5, 3, 50, 1, 3),
        (5, 2, 50, 1, 3),
        (2, 2, 50, 2, 2),
        (3, 2, 0, 3, 3),
        (3, 3, 99, 1, 3),
    ],
)
def test_more_than_a_share_of_the_maintainers_approves(
    maintainers: int, approving: int, share: int, at_least: int, needed: int
) -> None:
    made = make_world()
    made.group.members.clear()
    names = [f"m{number}" for number in range(maintainers)]
    add_maintainers(made, *names)
    # Neither the nominee nor a bot is one of them, and blocked accounts are not there.
    add_maintainers(made, "nina", "gone")
    add_maintainers(made, "robot", bot=True)
    made.user("gone").state = "blocked"
    for name in names[:approving]:
        actions.approve(made.world, made.user(name), made.nomination)
    rule = ApprovedBy(by="maintainers", at_least=at_least, share=share)
    outcome = run_for(made, rule)
    (assessment,) = outcome.evaluation.findings.assessments
    gate = "passed" if approving >= needed else "failed"
    assert (outcome.gate, assessment.findings[0].needed) == (gate, needed)
    assert f"{needed} (over {share}&nbsp;%)" in outcome.body


def test_nobody_there_is_no_majority() -> None:
    made = make_world()
    made.group.members.clear()
    rule = ApprovedBy(by="maintainers", at_least=1, share=0)
    assert run_for(made, rule).gate == "failed"


# --- working days -----------------------------------------------------------------------

MONDAY = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("start", "end", "time"),
    [
        (MONDAY, MONDAY + DAY, DAY),
        (MONDAY, MONDAY + 4 * DAY, 4 * DAY),
        # Friday noon to Saturday noon is half a day, and the week has five.
        (MONDAY + 4 * DAY, MONDAY + 5 * DAY, DAY / 2),
        (MONDAY, MONDAY + 7 * DAY, 5 * DAY),
        (MONDAY + 5 * DAY, MONDAY + 6 * DAY, timedelta()),
        (MONDAY + 6 * DAY, MONDAY + 7 * DAY, DAY / 2),
        (MONDAY + DAY, MONDAY, -DAY),
    ],
)
def test_saturdays_and_sundays_are_no_working_days(
    start: datetime, end: datetime, time: timedelta
) -> None:
    assert working_time(start, end) == time


MOMENTS = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(MOMENTS, MOMENTS, MOMENTS)
def test_working_time_adds_up_and_is_never_more_than_time(
    one: datetime, two: datetime, three: datetime
) -> None:
    first, second, third = sorted((one, two, three))
    whole = working_time(first, third)
    assert whole == working_time(first, second) + working_time(second, third)
    assert timedelta() <= whole <= third - first


@pytest.mark.sample(1)
@pytest.mark.parametrize(("days", "gate"), [(5, "failed"), (8, "passed")])
def test_a_nomination_stays_open_for_working_days(days: int, gate: str) -> None:
    # It is opened on a Tuesday: five days later it is Sunday.
    made = make_world()
    made.world.tick(days * 86_400)
    outcome = run_for(made, OpenFor(days=5, count="working-days"))
    assert outcome.gate == gate
    assert "| 5 working days |" in outcome.body


# --- what no real door shows ------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"author": None}, Verdict.UNKNOWN),
        ({"author": None, "resolved": True}, Verdict.MET),
        ({"author": None, "resolvable": False}, Verdict.MET),
        ({"author": None, "internal": True}, Verdict.MET),
        ({"author": make_person("linus")}, Verdict.UNMET),
        # Nobody knows who resolved it.
        ({"author": make_person("linus"), "resolved": True}, Verdict.UNMET),
        ({"author": make_person("linus"), "resolved": True, "resolved_by": "LINUS"}, Verdict.MET),
        ({"author": make_person("linus"), "system": True}, Verdict.MET),
    ],
)
def test_a_thread_of_nobody_that_is_known_is_not_held_for_settled(
    changes: dict[str, Any], verdict: Verdict
) -> None:
    note = replace(make_note(1, "No.", resolvable=True), **changes)
    merge_request = make_merge_request(notes=(note,))
    finding = judge(NoOpenThreads(by="maintainers"), merge_request=merge_request)
    assert finding.verdict is verdict


def test_who_has_no_author_beside_them_still_settles_nothing_of_the_nominees() -> None:
    note = make_note(1, "No.", make_person("linus"), resolvable=True, resolved=True)
    for resolver in ("ada", "grace"):
        merge_request = make_merge_request(
            author=None, notes=(replace(note, resolved_by=resolver),)
        )
        finding = judge(NoOpenThreads(by="maintainers"), merge_request=merge_request)
        assert finding.verdict is Verdict.UNMET
