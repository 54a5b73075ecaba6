"""Claims about `bot.commands`."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from bot.commands.orders import REASON_LIMIT
from bot.commands.replaying import replay as replay_notes
from bot.commands.skimming import wants_push_time
from bot.commands.values import Answer, Context, Outcome, Replay, Scope
from bot.commands.verbs import VERBS
from bot.inert import has_quick_action
from bot.merge_request import Note, Person
from tests.hostile import CORPUS, find_live_parts, find_shape, hostile_texts

MORNING = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)
REASON = "\u2039reason\u203a"
NOBODY_ELSE = "a current maintainer or the nominee's manager can do this, nobody else."
UNCHECKED = (
    "could not check who the maintainers and the manager are; "
    "write `/nomination recheck` later to try again."
)


def first_word(command: str) -> str:
    return command.partition(" ")[0]


def nobody_else(policies: str) -> str:
    return NOBODY_ELSE.replace("maintainer", f"maintainer for {policies}", 1)


def make_scope(username: str = "nominee", **changes: object) -> Scope:
    scope = Scope(
        username=username,
        policy_id="ai-gateway",
        requirement_ids=("authored", "reviewed", "assigned"),
        topic_ids=("evaluation", "prompts"),
        maintainers=frozenset({"maintainer", "author", "nominee"}),
        manager="Manager",
    )
    return replace(scope, **changes)  # type: ignore[arg-type]  # the fields' own types are checked


def make_context(*scopes: Scope) -> Context:
    return Context(nominations=scopes or (make_scope(),), nominator="Author", me="Nomination-Bot")


def make_person(username: str = "maintainer", *, bot: bool = False, active: bool = True) -> Person:
    return Person(id=7, username=username, bot=bot, active=active)


def make_note(body: str, author: Person | str | None = "maintainer", number: int = 1) -> Note:
    return Note(
        id=number,
        body="\n".join(f"/nomination {line}" for line in body.split("\n")),
        author=make_person(author) if isinstance(author, str) else author,
        created_at=MORNING + timedelta(minutes=number),
        by_member=True,
    )


def replay(notes: Iterable[Note], *scopes: Scope) -> Replay:
    return replay_notes(tuple(notes), make_context(*scopes), "nomination")


def say(*bodies: str, author: str = "maintainer", scopes: tuple[Scope, ...] = ()) -> Replay:
    return replay(
        (make_note(body, author, number) for number, body in enumerate(bodies, 1)), *scopes
    )


def waived(outcome: Replay) -> set[tuple[str, str]]:
    return set(outcome.waivers)


def last(outcome: Replay) -> tuple[Outcome, str]:
    answer = outcome.answers[-1]
    return answer.outcome, "\n".join(answer.messages)


def test_a_maintainer_waives_a_requirement_with_a_reason() -> None:
    outcome = say("waive Authored, paired  on several")
    waiver = outcome.waivers["nominee", "authored"]
    assert (waiver.by, waiver.reason, waiver.note_id) == ("maintainer", "paired on several", 1)
    assert waiver.at == MORNING + timedelta(minutes=1)
    assert outcome.answers == (
        Answer(note_id=1, by="maintainer", outcome=Outcome.DONE, messages=()),
    )
    assert outcome.answers[0].emoji == "white_check_mark"


def test_without_commands_nothing_happens() -> None:
    text = replace(make_note("x"), body="I know /nomination waive authored because")
    assert replay([text]) == Replay(
        waivers={}, held=None, attested={}, help_wanted=False, answers=()
    )


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ([("maintainer", "waive odd because"), ("maintainer", "waive authored because")], []),
        ([("maintainer", "waive odd because"), ("colleague", "recheck")], [1]),
        ([("maintainer", "recheck"), ("maintainer", "fly")], [2]),
        ([("maintainer", "fly"), ("MAINTAINER", "recheck"), ("maintainer", "fly")], [3]),
        ([("colleague", "hold because"), ("colleague", "recheck")], [1]),
    ],
)
def test_a_mistake_is_told_until_its_author_gets_one_right_and_a_refusal_stays(
    lines: list[tuple[str, str]], kept: list[int]
) -> None:
    notes = [make_note(body, author, number) for number, (author, body) in enumerate(lines, 1)]
    assert [answer.note_id for answer in replay(notes).complaints] == kept


@pytest.mark.parametrize("author", ["manager", "MAINTAINER", "Manager"])
def test_maintainers_and_managers_decide_whatever_the_capitals(author: str) -> None:
    outcome = say("waive authored because\nhold because", author=author)
    assert waived(outcome) == {("nominee", "authored")}
    assert outcome.held is not None
    assert last(outcome) == (Outcome.DONE, "")


@pytest.mark.parametrize(
    ("author", "message"),
    [
        ("stranger", NOBODY_ELSE),
        ("nominee", "a nominee cannot decide here; ask a maintainer or your manager."),
        ("NOMINEE", "a nominee cannot decide here; ask a maintainer or your manager."),
        (
            "author",
            (
                "the author of the merge request cannot decide here; "
                "ask another maintainer or the nominee's manager."
            ),
        ),
    ],
)
@pytest.mark.parametrize(
    "command", ["waive authored because", "unwaive authored", "hold because", "release"]
)
def test_others_decide_nothing(command: str, author: str, message: str) -> None:
    before = [make_note("waive authored because\nhold because")]
    outcome = replay([*before, make_note(command, author, 2)])
    assert (outcome.waivers, outcome.held) == (replay(before).waivers, replay(before).held)
    assert last(outcome) == (
        Outcome.REFUSED,
        f"`/nomination {first_word(command)}`: {message}",
    )


def test_a_nominee_decides_nothing_about_another_nominee_either() -> None:
    scopes = (make_scope(), make_scope("other", maintainers=frozenset({"nominee"})))
    outcome = say("waive @other authored because", author="nominee", scopes=scopes)
    assert waived(outcome) == set()
    assert last(outcome)[0] is Outcome.REFUSED


def test_a_manager_who_is_the_nominee_decides_nothing() -> None:
    scope = make_scope(manager="nominee")
    assert say("hold because", author="nominee", scopes=(scope,)).held is None


def test_a_merge_request_without_known_author_has_no_nominator() -> None:
    context = replace(make_context(), nominator=None)
    note = make_note("hold because", "author")
    assert replay_notes([note], context, "nomination").held is not None


@pytest.mark.parametrize("command", ["waive authored because", "unwaive authored", "hold because"])
def test_unknown_maintainers_decide_nothing(command: str) -> None:
    scope = make_scope(maintainers=None, manager=None)
    outcome = say(command, scopes=(scope,))
    assert (waived(outcome), outcome.held) == (set(), None)
    assert last(outcome) == (Outcome.REFUSED, f"`/nomination {first_word(command)}`: {UNCHECKED}")


def test_the_manager_decides_even_if_the_maintainers_are_unknown() -> None:
    scope = make_scope(maintainers=None)
    outcome = say("waive authored because", author="manager", scopes=(scope,))
    assert waived(outcome) == {("nominee", "authored")}


@pytest.mark.parametrize(
    ("maintainers", "message"), [(frozenset({"other"}), NOBODY_ELSE), (None, UNCHECKED)]
)
def test_a_maintainer_of_one_nomination_cannot_waive_in_another(
    maintainers: frozenset[str] | None, message: str
) -> None:
    scopes = (make_scope(), make_scope("second", maintainers=maintainers))
    outcome = say("waive @second authored because\nhold because", scopes=scopes)
    assert waived(outcome) == set()
    assert outcome.held is not None
    assert last(outcome) == (Outcome.REFUSED, f"`/nomination waive`: {message}")


@pytest.mark.parametrize(
    ("maintainers", "message"),
    [(frozenset({"other"}), nobody_else("`ai-gateway` and `gateway-docs`")), (None, UNCHECKED)],
)
def test_a_waiver_under_two_policies_takes_authority_under_both(
    maintainers: frozenset[str] | None, message: str
) -> None:
    second = make_scope("NOMINEE", policy_id="gateway-docs", maintainers=maintainers)
    note = "waive authored because"
    outcome = say(note, scopes=(make_scope(), second))
    assert waived(outcome) == set()
    assert last(outcome) == (Outcome.REFUSED, f"`/nomination waive`: {message}")
    assert waived(say(note, author="manager", scopes=(make_scope(), second))) == {
        ("nominee", "authored")
    }


@pytest.mark.parametrize("command", ["authored because", "waive hold because"])
def test_what_is_far_from_a_word_is_not_taken_for_it(command: str) -> None:
    assert "Did you mean" not in last(say(command))[1]


@pytest.mark.parametrize(
    "list_of_two",
    [
        "authored, reviewed",
        "authored,  Reviewed:",
        "authored and reviewed",
        "authored & `reviewed`",
    ],
)
def test_a_waiver_of_two_requirements_is_not_ticked_for_one(list_of_two: str) -> None:
    outcome = say(f"waive {list_of_two} because")
    assert waived(outcome) == set()
    assert last(outcome) == (
        Outcome.NOT_UNDERSTOOD,
        (
            "`/nomination waive`: write a command for each requirement, "
            "such as `/nomination waive @nominee authored \u2039reason\u203a`."
        ),
    )


@pytest.mark.parametrize("reason", ["reviewed many", "they know", "and", "reviewed, too"])
def test_a_reason_may_begin_like_a_requirement(reason: str) -> None:
    assert waived(say(f"waive authored {reason}")) == {("nominee", "authored")}


@pytest.mark.parametrize(
    "both",
    [
        *("authored reviewed", "authored, reviewed", "authored and reviewed please"),
        *("@nominee reviewed, authored", "authored " * 1000 + "reviewed"),
        *("@nominee authored, @nominee reviewed", "authored and @Nominee: reviewed, as they left"),
    ],
)
def test_every_waiver_that_is_named_is_taken_back(both: str) -> None:
    given = "waive authored because\nwaive reviewed because\nwaive assigned because"
    assert waived(say(given, f"unwaive {both}")) == {("nominee", "assigned")}


@pytest.mark.parametrize("other", ["reviewd", "@nominee reviewd", "@other reviewed", "@nominee"])
def test_a_list_is_not_ticked_where_one_of_it_is_not_known(other: str) -> None:
    outcome = say("waive authored because\nwaive reviewed because", f"unwaive authored, {other}")
    assert waived(outcome) == {("nominee", "reviewed")}
    assert last(outcome)[0] is Outcome.NOT_UNDERSTOOD


@pytest.mark.parametrize("reason", ["because they left", "and so on", "please", ","])
def test_what_follows_a_waiver_that_is_taken_back_may_be_a_reason(reason: str) -> None:
    outcome = say("waive authored because", f"unwaive authored, {reason}")
    assert (waived(outcome), last(outcome)[0]) == (set(), Outcome.DONE)


@pytest.mark.parametrize(
    ("command", "author", "policies"),
    [
        # A maintainer of one is not told that maintainers can do it.
        ("waive trained because", "maintainer", "`docs`"),
        ("waive trained because", "stranger", "`ai-gateway` or `docs`"),
        ("hold because", "stranger", "`ai-gateway` or `docs`"),
    ],
)
def test_a_refusal_says_for_which_policy_somebody_must_be_a_maintainer(
    command: str, author: str, policies: str
) -> None:
    docs = make_scope(
        policy_id="docs", requirement_ids=("trained",), maintainers=frozenset({"other"})
    )
    scopes = (make_scope(), docs)
    message = last(say(command, author=author, scopes=scopes))[1]
    assert message.endswith(nobody_else(policies))


@pytest.mark.parametrize(
    ("command", "minutes", "counts"),
    [
        ("waive authored because", 5, False),
        ("waive nominee authored because", 5, False),
        ("waive authored because", 1, False),
        ("waive authored because", 0, True),
        ("waive @nominee authored because", 5, True),
        ("waive authored because", None, True),
    ],
)
def test_a_waiver_for_nobody_by_name_ends_with_the_next_push(
    command: str, minutes: int | None, counts: bool
) -> None:
    pushed_at = None if minutes is None else MORNING + timedelta(minutes=minutes)
    context = replace(make_context(), pushed_at=pushed_at)
    outcome = replay_notes((make_note(command),), context, "nomination")
    assert bool(outcome.waivers) is counts
    assert bool(outcome.complaints) is not counts
    if not counts:
        assert "`/nomination waive @nominee authored" in last(outcome)[1]


def test_taking_a_waiver_back_needs_no_name_after_a_push() -> None:
    notes = (make_note("waive @nominee authored because"), make_note("unwaive authored", number=2))
    context = replace(make_context(), pushed_at=MORNING + timedelta(hours=1))
    assert replay_notes(notes, context, "nomination").waivers == {}


@pytest.mark.parametrize(
    ("body", "author", "wanted"),
    [
        ("/nomination waive authored because", make_person(), True),
        ("/nomination waive @nominee authored because", make_person(), False),
        ("/nomination unwaive authored", make_person(), False),
        ("LGTM", None, False),
    ],
)
def test_the_time_of_the_push_is_wanted_where_a_waiver_names_nobody(
    body: str, author: Person | None, wanted: bool
) -> None:
    note = replace(make_note("x", author), body=body)
    assert wants_push_time([note], "nomination") is wanted
    assert not wants_push_time([replace(note, system=True)], "nomination")


@pytest.mark.parametrize("command", ["hold because", "unwaive authored"])
def test_what_may_close_the_gate_is_a_doubt_where_nobody_knows_who_may(command: str) -> None:
    scope = make_scope(maintainers=None)
    (doubt,) = say(command, author="somebody", scopes=(scope,)).doubts
    assert f"@somebody wrote the command {first_word(command)}" in doubt
    assert say(command, author="somebody").doubts == ()


@pytest.mark.parametrize("command", ["hold because", "unwaive authored"])
def test_what_may_close_the_gate_is_a_doubt_where_nobody_knows_the_manager(command: str) -> None:
    unknown = make_scope(manager=None, manager_known=False)
    (doubt,) = say(command, author="somebody", scopes=(unknown,)).doubts
    assert f"@somebody wrote the command {first_word(command)}" in doubt
    # A maintainer may in any case, and nobody is the manager of a nominee who has none.
    assert say(command, scopes=(unknown,)).doubts == ()
    assert say(command, author="somebody", scopes=(make_scope(manager=None),)).doubts == ()


def test_a_waiver_by_somebody_who_may_be_the_manager_does_not_count() -> None:
    unknown = make_scope(manager=None, manager_known=False)
    outcome = say("waive authored because", author="manager", scopes=(unknown,))
    assert waived(outcome) == set()
    assert last(outcome) == (Outcome.REFUSED, f"`/nomination waive`: {UNCHECKED}")
    assert waived(say("waive authored because", scopes=(unknown,))) == {("nominee", "authored")}


def test_what_opens_the_gate_is_no_doubt_but_has_no_effect() -> None:
    outcome = say(
        "waive authored because\nrelease", author="x", scopes=(make_scope(maintainers=None),)
    )
    assert (outcome.waivers, outcome.doubts) == ({}, ())


def test_a_release_by_somebody_who_may_ends_the_doubt() -> None:
    notes = [make_note("hold because", "x"), make_note("release", "manager", 2)]
    assert replay(notes, make_scope(maintainers=None)).doubts == ()


@pytest.mark.parametrize("command", ["hold x", "release", "waive authored x", "unwaive authored"])
def test_after_the_merge_nothing_is_decided(command: str) -> None:
    context = replace(make_context(), merged_at=MORNING + timedelta(minutes=2))
    notes = (make_note("waive authored because"), make_note(command, number=3))
    outcome = replay_notes(notes, context, "nomination")
    assert waived(outcome) == {("nominee", "authored")}
    assert last(outcome)[0] is Outcome.REFUSED
    assert "after the merge" in last(outcome)[1]


def test_an_unwaived_requirement_counts_again() -> None:
    outcome = say("waive authored because", "waive reviewed because", "unwaive authored")
    assert waived(outcome) == {("nominee", "reviewed")}
    assert last(outcome) == (Outcome.DONE, "")


def test_a_requirement_can_be_waived_again() -> None:
    outcome = say(
        "waive authored first", "unwaive authored", "unwaive authored", "waive authored b"
    )
    assert outcome.waivers["nominee", "authored"].reason == "b"


def test_a_waived_requirement_that_the_policy_no_longer_has_is_nobodys() -> None:
    scope = make_scope(requirement_ids=("reviewed",))
    outcome = say("waive authored because", scopes=(scope,))
    assert waived(outcome) == set()
    assert last(outcome)[0] is Outcome.NOT_UNDERSTOOD


def test_a_hold_lasts_until_its_release() -> None:
    assert say("hold first").held == say("hold first").held is not None
    assert say("hold first", "release").held is None
    assert last(say("release")) == (Outcome.DONE, "")
    for words in ("as discussed", ", thanks!", "all questions are answered"):
        assert say("hold first", f"release {words}").held is None


def test_the_last_hold_is_the_one_shown() -> None:
    held = say("hold first", "hold second").held
    assert held is not None
    assert (held.reason, held.note_id, held.by) == ("second", 2, "maintainer")


def test_notes_are_replayed_in_the_order_they_were_written() -> None:
    hold, release = make_note("hold because", number=1), make_note("release", number=2)
    assert replay([release, hold]).held is None
    imported = replace(hold, id=3)
    assert replay([release, imported]).held is None
    same_time = replace(hold, created_at=release.created_at)
    assert replay([release, same_time]).held is None


@pytest.mark.parametrize(
    ("statement", "topics"),
    [
        ("attest all", {"evaluation", "prompts"}),
        ("attest ALL.", {"evaluation", "prompts"}),
        ("attest prompts", {"prompts"}),
        ("attest `Prompts`, evaluation", {"evaluation", "prompts"}),
        ("attest prompts and Evaluation", {"evaluation", "prompts"}),
        ("attest prompts & evaluation", {"evaluation", "prompts"}),
        ("attest prompts\nattest evaluation", {"evaluation", "prompts"}),
    ],
)
def test_a_nominee_attests_topics(statement: str, topics: set[str]) -> None:
    outcome = say(statement, author="Nominee")
    assert outcome.attested == {"nominee": topics}
    assert last(outcome) == (Outcome.DONE, "")


@pytest.mark.parametrize("author", ["maintainer", "manager", "author"])
def test_nobody_attests_for_a_nominee(author: str) -> None:
    outcome = say("attest all", author=author)
    assert outcome.attested == {}
    assert last(outcome) == (
        Outcome.REFUSED,
        "`/nomination attest`: nominees alone can state what they know.",
    )


def test_a_nominee_attests_only_for_themselves() -> None:
    scopes = (
        make_scope("first"),
        make_scope("second", topic_ids=("x",)),
        make_scope("FIRST", topic_ids=("api",)),
    )
    outcome = say("attest all", author="first", scopes=scopes)
    assert outcome.attested == {"first": {"evaluation", "prompts", "api"}}


def test_one_unknown_topic_spoils_the_statement() -> None:
    outcome = say("attest evaluation promts", author="nominee")
    assert outcome.attested == {}
    assert last(outcome) == (
        Outcome.NOT_UNDERSTOOD,
        (
            "`/nomination attest`: there is no topic `promts`. "
            "Did you mean `prompts`? There are: `evaluation`, `prompts`."
        ),
    )


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "there is no such command. There are: {verbs}."),
        ("re-check", "there is no such command. Did you mean `recheck`? There are: {verbs}."),
        ("wiave authored x", "there is no such command. Did you mean `waive`? There are: {verbs}."),
        (
            "waive autored because",
            (
                "there is no requirement `autored`. "
                "Did you mean `authored`? There are: `authored`, `reviewed`, `assigned`."
            ),
        ),
        (
            "waive zzz because",
            "there is no requirement `zzz`. There are: `authored`, `reviewed`, `assigned`.",
        ),
        ("waive", "name a requirement. There are: `authored`, `reviewed`, `assigned`."),
        ("waive @nominee", "name a requirement. There are: `authored`, `reviewed`, `assigned`."),
        ("unwaive", "name a requirement. There are: `authored`, `reviewed`, `assigned`."),
        (
            "waive @nomine authored because",
            "`@nomine` is not nominated. Did you mean `@nominee`? There are: `@nominee`.",
        ),
        (
            "waive Authored",
            f"a waiver needs a reason: `/nomination waive @nominee authored {REASON}`.",
        ),
        (
            "waive @nominee authored REASON",
            f"a waiver needs a reason: `/nomination waive @nominee authored {REASON}`.",
        ),
        ("hold", f"a hold needs a reason: `/nomination hold {REASON}`."),
    ],
)
def test_what_is_not_understood_is_answered_with_the_right_form(command: str, message: str) -> None:
    outcome = say(command)
    shown = f"/nomination {first_word(command)}".strip()
    verbs = ", ".join(f"`{verb.name}`" for verb in VERBS)
    assert (waived(outcome), outcome.held) == (set(), None)
    assert last(outcome) == (
        Outcome.NOT_UNDERSTOOD,
        f"`{shown}`: {message.replace('{verbs}', verbs)}",
    )
    assert outcome.answers[0].emoji == "question"


@pytest.mark.parametrize(
    ("topics", "command", "message"),
    [
        (("a",), "attest", "name the topics, or `all`. There are: `a`."),
        ((), "attest all", "there are no topics to attest here."),
        ((), "attest", "there are no topics to attest here."),
    ],
)
def test_a_statement_about_nothing_is_not_understood(
    topics: tuple[str, ...], command: str, message: str
) -> None:
    outcome = say(command, author="nominee", scopes=(make_scope(topic_ids=topics),))
    assert last(outcome) == (Outcome.NOT_UNDERSTOOD, f"`/nomination attest`: {message}")
    assert outcome.attested == {}


def test_a_policy_without_requirements_says_so() -> None:
    scope = make_scope(requirement_ids=())
    assert "There are: none." in last(say("waive a b", scopes=(scope,)))[1]


TWO = (make_scope("Zoe"), make_scope("adam", requirement_ids=("authored", "open_for")))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("waive @zoe authored because", {("zoe", "authored")}),
        ("waive zoe authored because", {("zoe", "authored")}),
        ("waive ADAM: authored because", {("adam", "authored")}),
        ("waive `@adam` authored because", {("adam", "authored")}),
        ("waive open_for because", {("adam", "open_for")}),
        ("waive reviewed because", {("zoe", "reviewed")}),
        ("waive @adam reviewed because", set()),
        ("waive @ authored because", set()),
        ("waive stranger authored because", set()),
    ],
)
def test_a_waiver_is_for_the_person_it_names(command: str, expected: set[tuple[str, str]]) -> None:
    outcome = say(command, scopes=TWO)
    assert waived(outcome) == expected
    assert (last(outcome)[0] is Outcome.DONE) == bool(expected)


@pytest.mark.parametrize(
    ("command", "forms"),
    [
        (
            "waive authored because",
            (
                f"`/nomination waive @adam authored {REASON}`, "
                f"`/nomination waive @Zoe authored {REASON}`"
            ),
        ),
        (
            "unwaive authored",
            "`/nomination unwaive @adam authored`, `/nomination unwaive @Zoe authored`",
        ),
    ],
)
def test_a_waiver_that_could_be_for_several_people_is_for_none(command: str, forms: str) -> None:
    outcome = say(command, scopes=TWO)
    assert waived(outcome) == set()
    assert last(outcome) == (
        Outcome.NOT_UNDERSTOOD,
        f"`/nomination {first_word(command)}`: several nominations need this; say whose: {forms}.",
    )


@pytest.mark.parametrize(
    "both",
    [
        *("@zoe authored, @adam authored", "@zoe authored, adam authored"),
        *("zoe authored and adam: authored", "@zoe authored @adam authored"),
        *("zoe authored adam authored, please", "@zoe authored, `@adam` authored"),
        "@zoe authored, @adam, authored",
    ],
)
def test_the_waivers_of_several_people_are_taken_back_at_once(both: str) -> None:
    given = "waive @zoe authored because\nwaive @adam authored because\nwaive reviewed because"
    outcome = say(given, f"unwaive {both}", scopes=TWO)
    assert (waived(outcome), last(outcome)[0]) == ({("zoe", "reviewed")}, Outcome.DONE)


@pytest.mark.parametrize(
    "other", [", adam authord", ", @adam authord", ", @eve open_for", " @eve authored"]
)
def test_no_list_of_people_is_ticked_where_one_of_it_is_not_understood(other: str) -> None:
    given = "waive @zoe authored because\nwaive @adam authored because"
    outcome = say(given, f"unwaive @zoe authored{other}", scopes=TWO)
    assert waived(outcome) == {("adam", "authored")}
    assert last(outcome)[0] is Outcome.NOT_UNDERSTOOD


@pytest.mark.parametrize("reason", ["adam left", ", adam wants it", "@max asked for it", "adam"])
def test_a_person_may_stand_in_the_reason_of_what_is_taken_back(reason: str) -> None:
    given = "waive @zoe authored because\nwaive @adam authored because"
    outcome = say(given, f"unwaive @zoe authored {reason}", scopes=TWO)
    assert (waived(outcome), last(outcome)[0]) == ({("adam", "authored")}, Outcome.DONE)


@pytest.mark.parametrize("other", [", @adam authored because", "and adam open_for because"])
def test_a_waiver_for_two_people_is_not_ticked_for_one(other: str) -> None:
    outcome = say(f"waive @zoe authored {other}", scopes=TWO)
    assert waived(outcome) == set()
    assert "write a command for each requirement" in last(outcome)[1]


def test_a_nominee_named_like_a_requirement_needs_the_sign() -> None:
    scopes = (make_scope("authored"), make_scope("other", requirement_ids=()))
    assert waived(say("waive authored reviewed", scopes=scopes)) == {("authored", "authored")}
    assert waived(say("waive @authored reviewed because", scopes=scopes)) == {
        ("authored", "reviewed")
    }


@pytest.mark.parametrize("command", ["waive authored because", "hold because", "attest all"])
def test_without_a_nomination_there_is_nothing_to_decide(command: str) -> None:
    context = replace(make_context(), nominations=())
    outcome = replay_notes([make_note(command)], context, "nomination")
    assert last(outcome) == (
        Outcome.REFUSED,
        f"`/nomination {first_word(command)}`: nobody is nominated in this merge request now.",
    )


@pytest.mark.parametrize(
    ("bodies", "wanted"),
    [
        (("help",), True),
        (("recheck\nhelp",), True),
        (("help\nrecheck",), False),
        (("help", "recheck"), False),
        (("help", "hold"), False),
        (("recheck",), False),
        (("help", "hlep"), True),
    ],
)
def test_help_is_shown_until_the_next_command(bodies: tuple[str, ...], wanted: bool) -> None:
    assert say(*bodies, author="stranger").help_wanted is wanted


@pytest.mark.parametrize("command", ["recheck", "help", "waive authored because", "hold because"])
def test_an_edited_note_has_no_effect_and_says_so(command: str) -> None:
    outcome = replay([replace(make_note(command), edited=True)])
    assert (waived(outcome), outcome.held, outcome.help_wanted) == (set(), None, False)
    assert last(outcome) == (
        Outcome.REFUSED,
        (
            f"`/nomination {first_word(command)}`: "
            "an edited comment has no effect; write it in a new comment."
        ),
    )
    assert outcome.answers[0].emoji == "no_entry_sign"


def test_an_account_that_is_not_active_has_no_effect() -> None:
    outcome = replay([make_note("hold because", make_person(active=False))])
    assert outcome.held is None
    assert last(outcome) == (
        Outcome.REFUSED,
        "`/nomination hold`: the account that wrote this is not active.",
    )


@pytest.mark.parametrize("author", ["ghost", "Ghost1", None])
def test_a_hold_by_an_account_that_is_gone_stays_until_a_maintainer_releases_it(
    author: str | None,
) -> None:
    hold = make_note("hold because", author)
    held = replay([hold]).held
    assert held is not None
    assert (held.by.casefold()[:5], held.over, held.orphaned) == ("ghost", ("nominee",), True)
    by_manager = replay([hold, make_note("release", "manager", 2)])
    assert by_manager.held is not None
    assert last(by_manager)[0] is Outcome.REFUSED
    assert "a maintainer can release it" in last(by_manager)[1]
    assert replay([hold, make_note("release", number=2)]).held is None


def test_what_an_account_that_is_gone_took_back_stays_so_and_what_it_gave_does_not() -> None:
    waiver = make_note("waive authored because")
    assert waived(replay([waiver, make_note("unwaive authored", "ghost", 2)])) == set()
    assert waived(replay([make_note("waive authored because", "ghost")])) == set()
    released = replay([make_note("hold because"), make_note("release", "ghost", 2)])
    assert released.held is not None
    assert last(released)[0] is Outcome.REFUSED


@pytest.mark.parametrize("author", ["gone", "manager"])
def test_a_hold_stays_when_its_account_is_blocked(author: str) -> None:
    scope = make_scope(inactive=frozenset({"gone"}))
    hold = make_note("hold because", make_person(author, active=False))
    held = replay([hold], scope).held
    assert held is not None
    assert held.orphaned
    assert replay([hold, make_note("release", number=2)], scope).held is None
    waiver = make_note("waive authored because", make_person(author, active=False))
    assert waived(replay([waiver], scope)) == set()


def test_a_tick_makes_no_hold_of_another_command_nor_of_a_comment_too_long_to_be_read() -> None:
    ticked = ("white_check_mark",)
    for body in ("recheck", "waive authored because"):
        assert replay([replace(make_note(body, "stranger"), own_emoji=ticked)]).held is None
    long = replace(make_note("recheck", "stranger"), own_emoji=ticked)
    long = replace(long, body=long.body + "\n\n`\n" + "x" * 200_000)
    assert replay([long]).doubts == ()


@pytest.mark.parametrize("reason", ["...", "\u200b", "-", "\u2060"])
def test_a_reason_has_a_letter_or_a_digit(reason: str) -> None:
    outcome, message = last(replay([make_note(f"waive authored {reason}")]))
    assert outcome is Outcome.NOT_UNDERSTOOD
    assert "needs a reason" in message


OF_A = make_scope("ann", maintainers=frozenset({"maintainer"}), manager="boss-of-a")
OF_B = make_scope("bea", maintainers=frozenset({"maintainer"}), manager="boss-of-b")


@pytest.mark.parametrize(
    ("lines", "over"),
    [
        (["maintainer hold x"], ("ann", "bea")),
        (["boss-of-a hold x"], ("ann",)),
        (["maintainer hold x", "boss-of-b release"], ("ann",)),
        (["boss-of-a hold x", "boss-of-b release"], ("ann",)),
        (["maintainer hold x", "boss-of-b release", "boss-of-a release"], ()),
        (["boss-of-a hold x", "maintainer release"], ()),
        (["boss-of-a hold x", "boss-of-b hold y", "boss-of-b release"], ("ann",)),
        (["boss-of-a hold x", "boss-of-b hold y", "boss-of-a release"], ("bea",)),
    ],
)
def test_a_hold_ends_by_those_alone_who_have_authority_over_its_nomination(
    lines: list[str], over: tuple[str, ...]
) -> None:
    spoken = [line.split(" ", 1) for line in lines]
    notes = [make_note(body, author, number) for number, (author, body) in enumerate(spoken, 1)]
    held = replay(notes, OF_A, OF_B).held
    assert (held.over if held else ()) == over


def test_a_release_of_what_is_held_for_others_is_refused() -> None:
    notes = [make_note("hold because", "boss-of-a"), make_note("release", "boss-of-b", 2)]
    outcome, message = last(replay(notes, OF_A, OF_B))
    assert outcome is Outcome.REFUSED
    assert "the hold is for `@ann`; a maintainer there or their manager" in message


def test_to_nominate_those_who_hold_does_not_end_their_hold() -> None:
    pushed_in = make_scope("boss-of-a", manager="x")
    notes = [make_note("waive @ann authored x\nhold because", "boss-of-a")]
    outcome = replay(notes, OF_A, pushed_in)
    assert waived(outcome) == set()
    assert outcome.held is not None
    assert outcome.held.over == ("ann",)
    released = replay([*notes, make_note("release", "boss-of-a", 2)], OF_A, pushed_in)
    assert released.held is not None


@pytest.mark.parametrize("command", ["hold x", "release", "waive authored x", "unwaive authored"])
def test_who_took_the_freed_name_of_a_manager_is_a_stranger(command: str) -> None:
    before = [make_note("waive authored because\nhold because")]
    note = replace(make_note(command, "manager", 2), by_member=False)
    outcome = replay([*before, note])
    assert (outcome.waivers, outcome.held) == (replay(before).waivers, replay(before).held)
    assert NOBODY_ELSE in last(outcome)[1]
    assert outcome.doubts == ()
    unknown = make_scope(manager=None, manager_known=False)
    assert replay([replace(note, body="/nomination hold x")], unknown).doubts == ()


def test_a_hold_where_another_manager_is_not_known_is_a_doubt_for_their_nominee() -> None:
    unknown = make_scope("bea", manager=None, manager_known=False)
    notes = [make_note("hold because", "boss-of-a"), make_note("release", "boss-of-a", 2)]
    outcome = replay(notes, OF_A, unknown)
    assert outcome.held is None
    assert len(outcome.doubts) == 1
    assert replay([*notes, make_note("release", number=3)], OF_A, unknown).doubts == ()


def test_a_hold_in_an_earlier_merge_request_stands_until_its_release() -> None:
    hold = replace(make_note("hold because"), url="https://gitlab.example.com/x/-/1#note_1")

    def held_after(*notes: Note, earlier: tuple[Note, ...] = (hold,)) -> Replay:
        return replay_notes(notes, make_context(), "nomination", earlier)

    outcome = held_after()
    assert outcome.held is not None
    assert (outcome.held.place, outcome.answers) == (hold.url, ())
    assert held_after(make_note("release", number=2)).held is None
    release = replace(make_note("release", number=2), url=hold.url)
    assert held_after(earlier=(hold, release)).held is None
    # One that was said in a third one may have been meant for somebody else.
    for url in ("https://gitlab.example.com/x/-/11#note_2", None):
        assert held_after(earlier=(hold, replace(release, url=url))).held is not None
    # Nothing else is heeded there, whoever said it.
    said = replace(hold, body="/nomination waive authored x\n/nomination nonsense")
    assert held_after(earlier=(said,)).waivers == {}
    by_stranger = make_note("hold because", "stranger")
    assert (held_after(earlier=(by_stranger,)).held, held_after().complaints) == (None, ())


@pytest.mark.parametrize("command", ["hold because", "unwaive authored"])
def test_what_nobody_read_before_the_merge_gets_no_tick_after_it(command: str) -> None:
    context = replace(make_context(), merged_at=MORNING + timedelta(minutes=2))
    note = make_note(command)
    outcome = replay_notes([note], context, "nomination")
    assert last(outcome)[0] is Outcome.REFUSED
    assert "nobody read this before the merge" in last(outcome)[1]
    assert (outcome.held is not None) == command.startswith("hold")
    read = replace(note, own_emoji=("white_check_mark",))
    assert last(replay_notes([read], context, "nomination")) == (Outcome.DONE, "")


def test_nothing_is_stated_after_the_merge() -> None:
    context = replace(make_context(), merged_at=MORNING)
    outcome = replay_notes([make_note("attest all", "nominee")], context, "nomination")
    assert (outcome.attested, last(outcome)[0]) == ({}, Outcome.REFUSED)


def test_a_waiver_may_name_an_account_by_the_name_it_had() -> None:
    scope = make_scope("new-name", former_name="Nominee")
    notes = (make_note("waive @nominee authored x"), make_note("waive @new-name reviewed x"))
    assert waived(replay(notes, scope)) == {("new-name", "authored"), ("new-name", "reviewed")}


RELEASE, UNWAIVE = "`/nomination release`", "`/nomination unwaive"


@pytest.mark.parametrize(
    ("command", "form"),
    [
        ("hold cancel", RELEASE),
        ("hold: cancel!", RELEASE),
        ("hold Cancelled, please", RELEASE),
        ("hold off", RELEASE),
        ("hold remove the hold", RELEASE),
        ("hold - none", RELEASE),
        ("hold-cancel", RELEASE),
        ("hold=off", RELEASE),
        ("unhold", RELEASE),
        ("un-hold", RELEASE),
        ("Unhold thanks", RELEASE),
        ("remove hold", RELEASE),
        ("cancel the hold", RELEASE),
        ("cancel", RELEASE),
        ("stop hold", RELEASE),
        ("release-hold", RELEASE),
        ("resume", RELEASE),
        ("unblock", RELEASE),
        ("release cancel", RELEASE),
        ("release not yet", RELEASE),
        # The bot would not wait for it.
        ("release when the tests pass", RELEASE),
        ("release, if they agree", RELEASE),
        ("release tomorrow", RELEASE),
        ("release on Monday, please", RELEASE),
        ("release in two days", RELEASE),
        ("release before the end of the week", RELEASE),
        ("approve", RELEASE),
        ("LGTM", RELEASE),
        ("+1", RELEASE),
        ("waive authored cancel", f"{UNWAIVE} @nominee authored`"),
        ("waive @nominee authored, removed", f"{UNWAIVE} @nominee authored`"),
        ("remove waiver", f"{UNWAIVE} {REASON.replace('reason', 'requirement')}`"),
        ("cancel waive authored", f"{UNWAIVE} authored`"),
        ("remove authored", f"{UNWAIVE} authored`"),
        ("un-waive authored", f"{UNWAIVE} {REASON.replace('reason', 'requirement')}`"),
        ("revoke", f"{UNWAIVE} {REASON.replace('reason', 'requirement')}`"),
        ("block too early", f"`/nomination hold {REASON}`"),
        ("stop", f"`/nomination hold {REASON}`"),
        ("skip authored", "`/nomination waive"),
        ("rerun", "`/nomination recheck`"),
        ("refresh", "`/nomination recheck`"),
        ("re-check", "`recheck`"),
        ("re-evaluate", "`/nomination recheck`"),
        ("commands", "`/nomination help`"),
        ("know all", "`/nomination attest"),
        ("attest none", "no topic `none`"),
        ("attest all except prompts", "no topic `except`"),
        ("waive cancel", "There are: `authored`"),
    ],
)
def test_a_natural_mistake_is_answered_with_the_right_command_and_never_ticked(
    command: str, form: str
) -> None:
    author = "nominee" if command.startswith("attest") else "maintainer"
    before = [make_note("waive reviewed because\nhold because")]
    outcome = replay([*before, make_note(command, author, 2)])
    assert (outcome.waivers, outcome.held) == (replay(before).waivers, replay(before).held)
    assert last(outcome)[0] is Outcome.NOT_UNDERSTOOD
    assert form in last(outcome)[1]


@pytest.mark.parametrize(
    ("command", "held"),
    [
        ("hold until the release is done", True),
        ("hold cancel the other request first", True),
        ("hold", False),
        ("release", False),
        ("release the hold, thanks", False),
        ("release hold", False),
    ],
)
def test_a_real_reason_is_never_taken_for_a_mistake(command: str, held: bool) -> None:
    notes = [make_note("hold because"), make_note("release", number=2)]
    outcome = replay([*notes, make_note(command, number=3)])
    assert (outcome.held is not None) is held


def test_an_internal_note_is_refused_without_a_word_of_it() -> None:
    outcome = replay([replace(make_note("hold secret reason\nsecret"), internal=True)])
    assert outcome.held is None
    assert last(outcome) == (Outcome.REFUSED, "")


@pytest.mark.parametrize(
    "note",
    [
        replace(make_note("hold because"), system=True),
        make_note("recheck", None),
        make_note("hold because", make_person(bot=True)),
        make_note("hold because", "nomination-bot"),
        make_note("wrong", "NOMINATION-BOT"),
    ],
    ids=["system", "no author", "bot", "own", "own in capitals"],
)
def test_bots_are_never_answered(note: Note) -> None:
    scope = make_scope(maintainers=frozenset({"maintainer", "nomination-bot"}))
    outcome = replay([note], scope)
    assert (outcome.held, outcome.answers) == (None, ())


@pytest.mark.parametrize(
    ("body", "outcome", "lines"),
    [
        ("recheck\nhold because", Outcome.DONE, 0),
        ("recheck\nnonsense", Outcome.NOT_UNDERSTOOD, 1),
        ("nonsense\nattest all", Outcome.REFUSED, 2),
        ("attest all\nnonsense\nrecheck", Outcome.REFUSED, 2),
        ("nonsense\nnonsense", Outcome.NOT_UNDERSTOOD, 1),
    ],
)
def test_a_note_gets_one_emoji_for_the_worst_of_its_commands(
    body: str, outcome: Outcome, lines: int
) -> None:
    (answer,) = say(body).answers
    assert (answer.outcome, len(answer.messages)) == (outcome, lines)


def test_one_wrong_command_does_not_spoil_the_others() -> None:
    outcome = say("nonsense\nwaive authored because\nattest all\nhold because")
    assert waived(outcome) == {("nominee", "authored")}
    assert outcome.held is not None


def test_a_long_word_is_not_repeated_at_length() -> None:
    assert len(last(say("x" * 5000))[1]) < 300


@pytest.mark.parametrize(
    ("length", "kept"), [(REASON_LIMIT, REASON_LIMIT), (REASON_LIMIT + 1, REASON_LIMIT)]
)
def test_a_long_reason_is_cut(length: int, kept: int) -> None:
    held = say(f"hold {'x' * length}").held
    assert held is not None
    assert len(held.reason) == kept
    assert held.reason.endswith("…") == (length > kept)


def is_inert(message: str) -> bool:
    return (
        message.isprintable()
        and find_live_parts(message) == []
        and not has_quick_action(message)
        and {kind for kind, _ in find_shape(message)}
        <= {"paragraph_open", "inline", "text", "code_inline", "paragraph_close"}
    )


def attack(text: str) -> list[str]:
    scopes = (make_scope(), make_scope(text, requirement_ids=("authored", text), topic_ids=(text,)))
    commands = (f"{text}", f"waive {text}", f"waive @{text} authored x", "unwaive authored", "hold")
    outcome = replay(
        [
            *(make_note(command, "maintainer") for command in commands),
            make_note(f"attest {text} zzz", text),
            make_note(f"attest {text} zzz", "nominee"),
        ],
        *scopes,
    )
    return [message for answer in outcome.answers for message in answer.messages]


def test_known_attacks_leave_every_message_inert(every: bool) -> None:
    texts = CORPUS if every else CORPUS[::4]
    assert [text for text in texts if not all(map(is_inert, attack(text)))] == []


@given(text=hostile_texts())
def test_no_text_comes_alive_in_a_message(text: str) -> None:
    messages = attack(text)
    assert len(messages) >= 2
    assert [message for message in messages if not is_inert(message)] == []
