"""Tests of making GitLab equal the report."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.commands.values import Answer, Outcome
from bot.errors import AbsentError, DoubtfulWriteError, GitLabError, RefusedError
from bot.merge_request import CommitStatus, MergeRequest, Note, StatusCheck
from bot.publish.gate import COMMIT_STATES, GateKind
from bot.publish.gate_plan import DESCRIPTION_LIMIT, URL_LIMIT, GateWrite, plan_check, plan_status
from bot.publish.plan import Plan, find_own_notes, plan_emoji, plan_note, plan_stale_emoji
from bot.publish.writer import PAUSES, HeadMovedError
from bot.publish.writing import apply_plan
from bot.report.rendering import MARKER
from bot.report.templating import shipped_templates
from bot.report.values import Gate, GateState, Report
from tests.builders import (
    HEAD,
    MR_URL,
    PROJECT,
    TROUBLE,
    make_merge_request,
    make_note,
    make_person,
    make_pipeline,
)
from tests.fakes import FakeWriter

ME = make_person("nomination-bot", bot=True)
FORMER = make_person("old-bot", bot=True)
MERGE_REQUEST = make_merge_request(me=ME)
BODY = f"{MARKER}\n**Ready** · as of 2026-02-02 09:30 UTC"
NAME = "nomination-bot"
GATE = Gate(state=GateState.FAILED, description="Authored: 3 of 5", url=f"{MR_URL}#note_9")
STATUS = GateWrite(
    kind=GateKind.COMMIT_STATUS,
    fields={"state": "failed", "name": NAME, "description": "Authored: 3 of 5"},
)
CHECK = GateWrite(kind=GateKind.STATUS_CHECK, fields={"status": "failed"})


def own_note(number: int, body: str = BODY, **changes: Any) -> Note:
    return make_note(number, body, ME, **changes)


def find(*notes: Note, former: Collection[int] = (), watched: bool = False) -> list[int]:
    found = find_own_notes(replace(MERGE_REQUEST, notes=notes, watched=watched), former)
    return [note.id for note in found]


def refused(code: int, words: str = "no") -> RefusedError:
    kind = AbsentError if code == 404 else RefusedError
    return kind(code, words, "POST /somewhere")


def apply(plan: Plan, writer: FakeWriter, problem: str | None = None) -> list[str]:
    told = apply_plan(plan, MERGE_REQUEST, writer, lambda words: f"{MARKER}\n{problem or words}")
    return list(map(str, told))


# --- which comment is the bot's ---------------------------------------------------------


def test_the_bots_comment_has_its_author_and_its_marker() -> None:
    assert find(make_note(1, "hello"), own_note(2), own_note(3, "other words")) == [2]


def test_a_marker_by_somebody_else_is_forged() -> None:
    assert find(make_note(1, BODY, make_person("eve")), make_note(2, BODY, author=FORMER)) == []


def test_a_marker_further_down_is_a_quotation() -> None:
    assert find(own_note(1, f"> {BODY}"), own_note(2, f"see\n{BODY}")) == []


def test_a_comment_without_an_author_is_nobodys() -> None:
    assert find(replace(own_note(1), author=None)) == []


def test_system_notes_are_never_the_bots() -> None:
    assert find(own_note(1, system=True)) == []


def test_the_oldest_of_several_is_first() -> None:
    assert find(own_note(5), own_note(3), own_note(4)) == [3, 4, 5]


def test_a_vandalised_comment_is_the_bots() -> None:
    spoilt = own_note(1, "haha\n## Nomination: `@ada`", edited=True, edited_by="eve")
    assert find(spoilt, watched=True) == [1]
    assert find(spoilt) == []  # what it says proves nothing: operators replace the words
    emptied = own_note(1, "haha", edited=True, edited_by="eve")
    assert find(emptied, watched=True) == [1]
    assert find(emptied) == []


def test_another_comment_of_the_account_is_left_alone() -> None:
    edited = own_note(1, "Welcome!", edited=True, edited_by="eve")
    assert find(edited, own_note(2)) == [2]
    assert find(own_note(1, "Welcome!", edited=True, edited_by=ME.username.upper())) == []


def test_only_one_vandalised_comment_is_taken() -> None:
    notes = [own_note(n, "haha", edited=True, edited_by="eve") for n in (1, 2)]
    assert find(*notes, watched=True) == [1]


def test_comments_of_a_former_account_are_found_after_the_own() -> None:
    former = make_note(1, BODY, FORMER)
    assert find(former, former=[FORMER.id]) == [1]
    assert find(former, own_note(2), former=[FORMER.id]) == [2, 1]


def test_what_a_person_of_a_former_account_edited_is_theirs() -> None:
    note = make_note(1, "my opinion", FORMER, edited=True, edited_by=FORMER.username)
    assert find(note, former=[FORMER.id]) == []


# --- whether to write it ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "is_written"),
    [
        (BODY, False),
        (BODY + "  \n", False),
        (BODY.replace("\n", "\r\n"), False),
        (BODY.replace("09:30", "08:15"), False),
        (BODY.replace("2026-02-02", "2025-12-31"), False),
        (BODY.replace("Ready", "Not ready"), True),
        ("haha", True),
        ("", True),
    ],
)
def test_a_comment_is_written_only_when_its_words_differ(stored: str, is_written: bool) -> None:
    body, note_id = plan_note(Report(body=BODY, gate=None), [own_note(4, stored)])
    assert body == (BODY if is_written else None)
    assert note_id == 4


def test_without_a_comment_one_is_created() -> None:
    assert plan_note(Report(body=BODY, gate=None), []) == (BODY, None)


# --- the commit status ------------------------------------------------------------------


def make_status(**changes: Any) -> CommitStatus:
    status = CommitStatus(
        state="failed",
        description=GATE.description,
        pipeline_id=880231,
        author_id=ME.id,
    )
    return replace(status, **changes)


def status_fields(
    gate: Gate = GATE, known: Sequence[CommitStatus] = (), **changes: Any
) -> dict[str, str | int] | None:
    planned = plan_status(gate, replace(MERGE_REQUEST, **changes), known, NAME)
    return dict(planned.fields) if planned else None


def test_a_pending_status_is_not_posted_again_for_other_words() -> None:
    # GitLab refuses to go from pending to pending, so every further run would try in vain.
    pending = replace(GATE, state=GateState.PENDING)
    known = [make_status(state="pending", description="Other words")]
    assert status_fields(pending, known, head_pipeline=make_pipeline()) is None
    assert status_fields(pending, [make_status()], head_pipeline=make_pipeline()) is not None


def test_a_status_goes_to_the_pipeline_of_the_head() -> None:
    assert status_fields(head_pipeline=make_pipeline()) == {
        "state": "failed",
        "name": NAME,
        "description": "Authored: 3 of 5",
        "ref": "refs/merge-requests/231/head",
        "target_url": f"{MR_URL}#note_9",
        "pipeline_id": 880231,
    }


@pytest.mark.parametrize("pipeline", [None, make_pipeline(sha="f" * 40, source="push")])
def test_a_status_without_a_pipeline_of_the_head_goes_to_the_branch(pipeline: Any) -> None:
    fields = status_fields(head_pipeline=pipeline) or {}
    assert fields["ref"] == "ada-maintainer"
    assert "pipeline_id" not in fields


def test_a_merged_results_pipeline_gets_the_status_of_its_own_commit() -> None:
    merge_request = make_merge_request(head_pipeline=make_pipeline(sha="f" * 40))
    assert merge_request.status_sha == "f" * 40
    fields = status_fields(head_pipeline=make_pipeline(sha="f" * 40)) or {}
    assert (fields["ref"], fields["pipeline_id"]) == ("refs/merge-requests/231/head", 880231)


def test_a_pipeline_without_a_ref_leaves_the_branch() -> None:
    fields = status_fields(head_pipeline=make_pipeline(ref=None)) or {}
    assert fields["ref"] == "ada-maintainer"


@pytest.mark.parametrize("state", GateState)
def test_every_state_has_its_word_for_gitlab(state: GateState) -> None:
    fields = status_fields(replace(GATE, state=state)) or {}
    assert fields["state"] == COMMIT_STATES[state]
    assert COMMIT_STATES[GateState.PASSED] == "success"
    assert (fields["state"] == "success") is (state is GateState.PASSED)


def test_long_descriptions_are_cut_and_long_addresses_left_out() -> None:
    long = replace(GATE, description="x" * 300, url="https://x.example/" + "y" * 300)
    fields = status_fields(long) or {}
    assert fields["description"] == "x" * DESCRIPTION_LIMIT
    assert "target_url" not in fields
    exact = "https://x.example/".ljust(URL_LIMIT, "y")
    assert (status_fields(replace(GATE, url=exact)) or {})["target_url"] == exact


def test_without_a_comment_the_status_leads_to_the_merge_request() -> None:
    assert (status_fields(replace(GATE, url=None)) or {})["target_url"] == MR_URL


@pytest.mark.parametrize(
    ("status", "is_equal"),
    [
        (make_status(), True),
        (make_status(state="success"), False),
        (make_status(state="canceled"), False),
        (make_status(description="Authored: 4 of 5"), False),
        (make_status(author_id=1), False),
        (make_status(author_id=None), False),
        (make_status(pipeline_id=1), False),
        (make_status(pipeline_id=None), False),
    ],
)
def test_an_equal_status_is_not_written_again(status: CommitStatus, is_equal: bool) -> None:
    fields = status_fields(known=[status], head_pipeline=make_pipeline())
    assert (fields is None) is is_equal


def test_without_a_pipeline_an_equal_status_on_the_branch_will_do() -> None:
    assert status_fields(known=[make_status(pipeline_id=5, ref="ada-maintainer")]) is None
    assert status_fields(known=[make_status(pipeline_id=5, ref="other")]) is not None


def test_a_cut_description_is_compared_as_it_is_stored() -> None:
    long = replace(GATE, description="x" * 300)
    known = make_status(description="x" * DESCRIPTION_LIMIT, ref="ada-maintainer")
    assert status_fields(long, [known]) is None


# --- the external status check ----------------------------------------------------------


def plan(status: str, name: str = NAME, state: GateState = GateState.FAILED) -> Any:
    known = [
        StatusCheck(id=1, name="other", status="failed"),
        StatusCheck(id=2, name=name, status=status),
    ]
    return plan_check(replace(GATE, state=state), MERGE_REQUEST, known, NAME)


def test_a_status_check_is_answered_for_the_head() -> None:
    planned = plan("pending")
    assert planned.kind is GateKind.STATUS_CHECK
    assert planned.fields == {"sha": HEAD, "external_status_check_id": 2, "status": "failed"}


def test_an_answered_status_check_is_left_alone() -> None:
    assert plan("failed") is None


@pytest.mark.parametrize("state", GateState)
def test_every_state_has_its_word_for_a_status_check(state: GateState) -> None:
    planned = plan("something else", state=state)
    assert planned.fields["status"] == state.value
    assert (planned.fields["status"] == "passed") is (state is GateState.PASSED)


def test_a_missing_status_check_is_said() -> None:
    assert NAME in plan("pending", name="another")
    assert NAME in str(plan_check(GATE, replace(MERGE_REQUEST, head_sha=None), [], NAME))


# --- emoji ------------------------------------------------------------------------------


def answer(note_id: int, outcome: Outcome = Outcome.DONE) -> Answer:
    return Answer(note_id=note_id, by="ada", outcome=outcome, messages=())


def test_each_command_is_answered_once() -> None:
    answers = (answer(1), answer(2), answer(3, Outcome.REFUSED))
    notes = [
        make_note(1, "x", own_emoji=("white_check_mark",)),
        make_note(2, "x"),
        make_note(3, "x", own_emoji=("question",)),
    ]
    assert plan_emoji(answers, notes) == ((2, "white_check_mark"), (3, "no_entry_sign"))
    assert plan_stale_emoji(answers, notes) == ((3, "question"),)


def test_other_emoji_of_the_bots_account_are_let_be() -> None:
    notes = [make_note(1, "x", own_emoji=("tada", "white_check_mark", "no_entry_sign"))]
    assert plan_stale_emoji([answer(1)], notes) == ((1, "no_entry_sign"),)


def test_an_answer_to_what_is_no_command_any_more_is_taken_back() -> None:
    edited = make_note(2, "Never mind.", own_emoji=("eyes", "white_check_mark"))
    assert plan_stale_emoji([answer(1)], [edited]) == ((2, "white_check_mark"),)


def test_a_stale_emoji_is_taken_off() -> None:
    writer = FakeWriter()
    writer.emoji = [(1, "question")]
    plan = Plan(stale_emoji=((1, "question"),))
    assert plan.lines() == ["take :question: off comment 1"]
    assert apply(plan, writer) == []
    assert writer.emoji == []


# --- writing ----------------------------------------------------------------------------


def test_an_empty_plan_writes_nothing() -> None:
    writer = FakeWriter([own_note(4)])
    assert apply(Plan(note_id=4), writer) == []
    assert writer.writes == []
    assert Plan().lines() == []


def test_a_whole_plan_is_written_on_its_merge_request() -> None:
    writer = FakeWriter([own_note(4, "old"), own_note(5)])
    whole = Plan(
        gate=STATUS,
        body=BODY,
        note_id=4,
        extra_notes=(5,),
        emoji=((1, "question"),),
        watch=True,
    )
    assert apply(whole, writer) == []
    assert [(note.id, note.body) for note in writer.notes] == [(4, BODY)]
    assert writer.statuses == [STATUS.fields]
    assert writer.emoji == [(1, "question")]
    assert writer.watched == {231}
    assert writer.writes[0] == "set_commit_status"
    assert writer.places == {(PROJECT, 231)}
    assert len(whole.lines()) == 5


def test_a_plan_says_what_it_would_write() -> None:
    lines = Plan(gate=CHECK, body=BODY, watch=True).lines()
    assert lines == [
        "set the gate (external-status-check): status='failed'",
        f"create the comment ({len(BODY)} characters)",
        "mark the merge request for the sweep",
    ]


def test_a_status_check_goes_out_as_one() -> None:
    writer = FakeWriter()
    assert apply(Plan(gate=CHECK), writer) == []
    assert (writer.checks, writer.statuses) == ([CHECK.fields], [])


def test_a_created_comment_is_the_only_one() -> None:
    writer = FakeWriter([make_note(1, BODY, make_person("eve"))])
    assert apply(Plan(body=BODY), writer) == []
    assert [note.id for note in writer.notes if note.author == ME] == [2]


def test_two_processes_that_create_at_once_leave_the_oldest_and_look_again() -> None:
    writer = FakeWriter([own_note(3)])
    with pytest.raises(HeadMovedError, match="another run"):
        apply(Plan(body=BODY), writer)
    assert [note.id for note in writer.notes] == [3]


def test_a_duplicate_that_the_other_process_removed_is_no_problem() -> None:
    writer = FakeWriter([own_note(3)])
    writer.fail("delete_note", refused(404))
    with pytest.raises(HeadMovedError, match="another run"):
        apply(Plan(body=BODY), writer)


@pytest.mark.parametrize("write", ["delete_note", "fetch_notes"])
def test_a_failed_look_for_duplicates_is_said(write: str) -> None:
    writer = FakeWriter([own_note(3)])
    writer.fail(write, refused(500))
    (problem,) = apply(Plan(body=BODY), writer)
    assert problem.startswith("comment: ")


@pytest.mark.parametrize(("lands", "writes"), [(True, 1), (False, 2)])
def test_a_doubtful_creation_is_looked_for_before_it_is_repeated(lands: bool, writes: int) -> None:
    writer = FakeWriter(lands=lands)
    writer.fail("create_note", DoubtfulWriteError("cut off"))
    assert apply(Plan(body=BODY), writer) == []
    assert [note.body for note in writer.notes] == [BODY]
    assert writer.writes.count("create_note") == writes
    assert writer.writes[:2] == ["create_note", "fetch_notes"]


def test_a_creation_that_stays_doubtful_is_said() -> None:
    writer = FakeWriter(lands=False)
    writer.fail("create_note", *[DoubtfulWriteError("cut off")] * (len(PAUSES) + 1))
    assert apply(Plan(body=BODY), writer) == ["comment: cut off"]


@pytest.mark.parametrize("code", [403, 404])
def test_a_comment_that_cannot_be_edited_is_written_anew(code: int) -> None:
    writer = FakeWriter()
    writer.fail("update_note", refused(code))
    assert apply(Plan(body=BODY, note_id=9), writer) == []
    assert [note.body for note in writer.notes] == [BODY]


def test_another_refusal_of_the_comment_is_said_and_stops_nothing_else() -> None:
    writer = FakeWriter([own_note(4, "old")])
    writer.fail("update_note", refused(500, "broken"))
    said = apply(Plan(gate=STATUS, body=BODY, note_id=4, emoji=((1, "question"),)), writer)
    assert said == ["comment: GitLab answered 500 to POST /somewhere: broken"]
    assert writer.statuses
    assert writer.emoji


def test_failed_courtesies_are_no_problem() -> None:
    writer = FakeWriter([own_note(4, "old"), own_note(5)])
    for write in ("award_emoji", "withdraw_emoji", "delete_note"):
        writer.fail(write, refused(403))
    courtesies = Plan(body=BODY, note_id=4, extra_notes=(5,), emoji=((1, "question"),), watch=True)
    courtesies = replace(courtesies, stale_emoji=((1, "no_entry_sign"),))
    assert apply(courtesies, writer) == []


def test_a_status_that_already_is_what_it_should_be_is_no_problem() -> None:
    writer = FakeWriter()
    writer.fail("set_commit_status", refused(400, "Cannot transition status via :run"))
    pending = replace(STATUS, fields={**STATUS.fields, "state": "pending"})
    assert apply(Plan(gate=pending), writer) == []


def test_another_state_that_gitlab_does_not_take_is_a_problem() -> None:
    writer = FakeWriter()
    writer.fail("set_commit_status", refused(400, "Cannot transition status via :success"))
    assert len(apply(Plan(gate=STATUS), writer)) == 1


SCOPE = RefusedError(403, "insufficient_scope", "POST /somewhere", "make one with `api`")
REFUSALS: Sequence[tuple[GateWrite, GitLabError, str]] = [
    (STATUS, refused(400, "ref is invalid"), "GitLab answered 400 (ref is invalid)."),
    (STATUS, refused(403), "needs the Developer role"),
    (STATUS, SCOPE, "(insufficient_scope): make one with `api`."),
    (STATUS, refused(404, "404 Commit Not Found"), "push again or start a new pipeline"),
    (STATUS, refused(409, "Cannot transition status"), "answered 409"),
    (STATUS, refused(422, "The number of jobs has exceeded the limit"), "no room for another job"),
    (STATUS, RefusedError(401, "", "POST /x", "the token is wrong"), "no reason given): the token"),
    (STATUS, GitLabError("GitLab cannot be reached"), "GitLab cannot be reached"),
    (CHECK, refused(403), "must not be author"),
    (CHECK, refused(404), "take GitLab Ultimate"),
    (CHECK, refused(422), "answered 422"),
]


@pytest.mark.parametrize(("gate", "error", "expected"), REFUSALS)
def test_a_refused_gate_is_said_in_the_comment_and_in_the_log(
    gate: GateWrite, error: GitLabError, expected: str
) -> None:
    writer = FakeWriter([own_note(4, "old")])
    writer.fail("set_commit_status", error)
    writer.fail("answer_status_check", error)
    (said,) = apply(Plan(gate=gate, body=BODY, note_id=4), writer)
    assert said.startswith("gate: ")
    assert expected in said
    assert said.removeprefix("gate: ") in writer.notes[0].body


def troubled(words: str = "no") -> str:
    return f"{MARKER}\n{TROUBLE} {words}"


def test_the_shipped_comment_says_trouble_in_the_expected_words() -> None:
    assert TROUBLE in (shipped_templates() / "comment.md.j2").read_text("utf-8")


@pytest.mark.parametrize("stored", [f"{MARKER}\n{TROUBLE} 404", f"{MARKER}\nDas Tor klemmt: 404"])
@pytest.mark.parametrize("is_mended", [True, False])
def test_a_trouble_that_stays_is_not_written_again(stored: str, is_mended: bool) -> None:
    writer = FakeWriter([own_note(4, stored)])
    if not is_mended:
        writer.fail("set_commit_status", refused(404))
    plan = Plan(gate=STATUS, body=BODY, note_id=4, stored=stored)
    said = apply_plan(plan, MERGE_REQUEST, writer, lambda _: stored)
    assert len(said) == (0 if is_mended else 1)
    assert writer.notes[0].body == (BODY if is_mended else stored)
    assert ("update_note" in writer.writes) is is_mended


def test_another_trouble_replaces_the_first() -> None:
    writer = FakeWriter([own_note(4, troubled("old"))])
    writer.fail("set_commit_status", refused(404))
    plan = Plan(gate=STATUS, body=BODY, note_id=4, stored=troubled("old"))
    apply_plan(
        plan, MERGE_REQUEST, writer, lambda words: troubled("new" if "404" in words else words)
    )
    assert writer.notes[0].body == troubled("new")
    assert writer.writes.count("update_note") == 1


@pytest.mark.parametrize("lands", [True, False])
def test_a_doubtful_status_is_looked_for_before_it_is_posted_again(lands: bool) -> None:
    writer = FakeWriter(lands=lands)
    writer.fail("set_commit_status", DoubtfulWriteError("no answer"))
    assert apply(Plan(gate=STATUS), writer) == []
    assert writer.statuses == [STATUS.fields]
    assert writer.writes.count("set_commit_status") == (1 if lands else 2)


def test_a_status_that_stays_doubtful_is_a_problem() -> None:
    writer = FakeWriter(lands=False)
    writer.fail("set_commit_status", *[DoubtfulWriteError("no answer")] * (len(PAUSES) + 1))
    assert apply(Plan(gate=STATUS), writer) == ["gate: no answer"]


def test_a_head_that_moved_is_told_after_the_other_writes() -> None:
    writer = FakeWriter([own_note(4, "old")])
    writer.fail("answer_status_check", refused(409))
    with pytest.raises(HeadMovedError):
        apply(Plan(gate=CHECK, body=BODY, note_id=4, emoji=((1, "eyes"),)), writer)
    assert writer.notes[0].body == BODY
    assert writer.emoji


def test_a_head_that_moved_is_no_trouble_of_the_gate() -> None:
    writer = FakeWriter([own_note(4, "old")])
    writer.fail("answer_status_check", refused(409))
    with pytest.raises(HeadMovedError):
        apply(Plan(gate=CHECK, body=BODY, note_id=4, stored="old"), writer, "trouble")
    assert writer.notes[0].body == BODY


@pytest.mark.parametrize(("locked", "expected"), [(True, "unlock it"), (False, "answered 403")])
def test_a_comment_in_a_locked_discussion_says_so(locked: bool, expected: str) -> None:
    writer = FakeWriter()
    writer.fail("create_note", refused(403))
    here = replace(MERGE_REQUEST, discussion_locked=locked)
    (said,) = apply_plan(Plan(gate=STATUS, body=BODY), here, writer, lambda _: BODY)
    assert said.what == "comment"
    assert expected in said.why
    assert writer.statuses


def test_a_refused_gate_is_said_in_a_comment_just_created() -> None:
    writer = FakeWriter([make_note(1, BODY, make_person("eve"))])
    writer.fail("set_commit_status", refused(403))
    assert len(apply(Plan(gate=STATUS, body=BODY), writer)) == 1
    assert "403" in writer.notes[-1].body
    assert len(writer.notes) == 2


def test_a_refused_gate_is_said_even_where_the_comment_was_equal() -> None:
    writer = FakeWriter([own_note(4)])
    writer.fail("set_commit_status", refused(403))
    apply(Plan(gate=STATUS, note_id=4), writer)
    assert "403" in writer.notes[0].body


def test_a_refused_gate_without_any_comment_is_said_in_the_log() -> None:
    writer = FakeWriter()
    writer.fail("set_commit_status", refused(403))
    assert len(apply(Plan(gate=STATUS), writer)) == 1
    assert writer.notes == []


def test_a_gate_and_a_comment_that_both_fail_are_both_said() -> None:
    writer = FakeWriter([own_note(4, "old")])
    writer.fail("set_commit_status", refused(403))
    writer.fail("update_note", refused(500), refused(500))
    said = apply(Plan(gate=STATUS, body=BODY, note_id=4), writer)
    assert [problem.split(":")[0] for problem in said] == ["gate", "comment"]


def test_a_gate_problem_that_cannot_be_said_in_the_comment_is_told_with_the_reason() -> None:
    writer = FakeWriter([own_note(4)])
    writer.fail("set_commit_status", refused(403))
    writer.fail("update_note", refused(500))
    _, said = apply(Plan(gate=STATUS, note_id=4), writer)
    assert said.startswith("comment: ")
    assert "500" in said


def test_publishing_twice_writes_once() -> None:
    writer = FakeWriter()

    def publish() -> None:
        merge_request: MergeRequest = replace(MERGE_REQUEST, notes=tuple(writer.notes))
        own = find_own_notes(merge_request, ())
        body, note_id = plan_note(Report(body=BODY, gate=None), own)
        apply(Plan(body=body, note_id=note_id), writer)

    publish()
    count = len(writer.writes)
    publish()
    assert len(writer.writes) == count
    assert len(writer.notes) == 1
