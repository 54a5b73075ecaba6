"""Merge requests into another branch than the default one, whose answers outlast a change of it."""

from pathlib import Path
from typing import Any

import pytest

from bot.app.sweep import sweep_all
from bot.publish.gate import GateKind
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft, MergeRequestUpdate
from bot.sandbox.http.server import Server
from bot.sandbox.webhooks.bodies import build_merge_request_body
from bot.sandbox.world.entities import MergeRequest, StatusCheck
from tests.nomination_world import (
    ENTRY,
    FOLDER,
    TEAM,
    NominationWorld,
    add_check,
    connect,
    entry,
    make_choices,
    make_world,
    run_on,
    settings,
)
from tests.processes import run_here, write_payload

CHECK = GateKind.STATUS_CHECK
NEXT = "next"


@pytest.fixture
def made() -> NominationWorld:
    """Build a world with a branch beside the default one, and a nomination that is not ready."""
    made = make_world(reviewed=0)
    made.push({"README.md": b"Next.\n"}, branch=NEXT, by="olga")
    return made


def open_into_next(made: NominationWorld, content: bytes, path: str = ENTRY) -> MergeRequest:
    """Open a merge request of nina's into the other branch."""
    return made.open({path: content}, branch="elsewhere", target_branch=NEXT)


def retarget(made: NominationWorld, mr: MergeRequest, branch: str) -> None:
    """Let nina change the target branch."""
    changes = MergeRequestUpdate(target_branch=branch)
    actions.update_merge_request(made.world, made.user("nina"), mr, changes)


def state_of(made: NominationWorld, mr: MergeRequest, check: StatusCheck) -> str:
    """Tell what GitLab shows for the check."""
    return actions.check_status(made.world, mr, check)


def test_a_nomination_into_another_branch_is_answered_failed_with_the_reason(
    made: NominationWorld, server: Server
) -> None:
    check = add_check(made)
    mr = open_into_next(made, entry("nina", "maintainer"))
    outcome = run_on(server, mr, gate=CHECK)
    assert (outcome.gate, outcome.problems) == ("failed", [])
    assert state_of(made, mr, check) == "failed"
    (note,) = made.own_notes(mr)
    assert "its target branch is `next`, and only a merge into `main` gives a role" in note.body
    assert "Evidence" not in note.body
    before = len(made.writes())
    assert run_on(server, mr, gate=CHECK).problems == []
    assert made.writes()[before:] == []


@pytest.mark.parametrize(
    ("path", "content"),
    [("sites/page.md", b"text\n"), (ENTRY, entry("nina", "reviewer")), (ENTRY, entry("nina"))],
)
def test_what_nominates_nobody_there_is_answered_passed(
    made: NominationWorld, server: Server, path: str, content: bytes
) -> None:
    check = add_check(made)
    mr = open_into_next(made, content, path)
    assert run_on(server, mr, gate=CHECK).problems == []
    assert state_of(made, mr, check) == "passed"
    assert made.own_notes(mr) == []


def test_what_cannot_be_read_there_is_not_answered_passed(
    made: NominationWorld, server: Server
) -> None:
    check = add_check(made)
    mr = open_into_next(made, b"gitlab: nina\nprojects:\n  ai-gateway: [maintainer\n")
    run_on(server, mr, gate=CHECK)
    assert state_of(made, mr, check) != "passed"


def deliver(tmp_path: Path, made: NominationWorld, server: Server) -> int:
    """Give the newest event about a merge request to the command of a job."""
    event = made.world.events[-1]
    assert event.merge_request is not None
    body = build_merge_request_body(made.world, event, event.merge_request)
    done = run_here(
        "run",
        TRIGGER_PAYLOAD=write_payload(tmp_path, body),
        NOMINATION_BOT_GATE=CHECK.value,
        **settings(server.url, job=True),
    )
    return done.returncode


def test_a_passed_answer_does_not_outlast_a_change_of_the_target(
    tmp_path: Path, made: NominationWorld, server: Server
) -> None:
    check = add_check(made)
    # The other branch holds the role already, so there the merge request changes nothing of it.
    made.push({ENTRY: entry("nina", "maintainer")}, branch=NEXT, by="olga")
    commit = CommitDraft(message="More", changes={"README.md": b"More.\n"}, start_branch=NEXT)
    nina = made.user("nina")
    actions.push(made.world, nina, made.team, "elsewhere", commit)
    draft = MergeRequestDraft(title="More", source_branch="elsewhere", target_branch=NEXT)
    mr = actions.open_merge_request(made.world, nina, made.team, draft)
    run_on(server, mr, gate=CHECK)
    assert state_of(made, mr, check) == "passed"
    retarget(made, mr, "main")
    assert deliver(tmp_path, made, server) == 0
    assert state_of(made, mr, check) == "failed"


def test_the_sweep_makes_up_for_a_change_of_the_target_whose_event_was_lost(
    made: NominationWorld, server: Server
) -> None:
    check = add_check(made)
    mr = open_into_next(made, entry("nina", "maintainer"))
    made.assign()
    run_on(server, mr, gate=CHECK)
    retarget(made, mr, "main")
    with connect(server.url, calls=200) as client:
        looks = sweep_all(TEAM, make_choices(gate=CHECK), client)
    assert mr.iid in [look.iid for look in looks]
    (note,) = made.own_notes(mr)
    assert "**Not ready" in note.body
    assert state_of(made, mr, check) == "failed"


def test_a_nomination_that_is_sent_to_another_branch_is_not_called_ready(
    made: NominationWorld, server: Server
) -> None:
    check = add_check(made)
    made.review_all(5)
    assert run_on(server, made.nomination, gate=CHECK).gate == "passed"
    retarget(made, made.nomination, NEXT)
    assert run_on(server, made.nomination, gate=CHECK).gate == "failed"
    assert state_of(made, made.nomination, check) == "failed"
    retarget(made, made.nomination, "main")
    assert run_on(server, made.nomination, gate=CHECK).gate == "passed"


def test_several_nominations_there_are_named(made: NominationWorld, server: Server) -> None:
    add_check(made)
    files: dict[str, Any] = {
        f"{FOLDER}/{name[0]}/{name}.yml": entry(name, "maintainer")
        for name in ("nina", "dora", "p1", "p2", "p3", "p4")
    }
    mr = made.open(files, branch="elsewhere", target_branch=NEXT)
    body = run_on(server, mr, gate=CHECK).body
    assert "`@dora`, " in body
    assert " and others, but its target branch is" in body


def test_a_change_of_the_target_during_a_look_is_noticed(
    made: NominationWorld, server: Server
) -> None:
    made.review_all(5)
    check = add_check(made)
    asked = iter(range(100))

    def retarget_once(_: object) -> bool:
        if next(asked) == 1:
            retarget(made, made.nomination, NEXT)
        return False

    server.hold(retarget_once)
    run_on(server, made.nomination, gate=CHECK)
    assert state_of(made, made.nomination, check) == "failed"
