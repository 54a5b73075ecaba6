"""What keeps everybody from merging: the comment asks for that first, whoever would merge."""

from pathlib import Path
from typing import Any

import pytest

from bot.publish.gate import GateKind
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import MergeRequestUpdate
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import MergeRequest
from tests.nomination_world import (
    ENTRY,
    NominationWorld,
    entry,
    make_world,
    run_on,
    writes_in,
)
from tests.sandbox_client import Api
from tests.test_app import open_from_fork
from tests.test_board import board, section

BRANCH = "nominate-nina"
MERGES = "a maintainer of `ai-gateway` reviews and merges it."
SOLVES = "`@nina` solves the merge conflicts with `main`"
PUSHES = f"`@nina` pushes the source branch `{BRANCH}` again, which was deleted"
ANEW = "opens a new merge request with these changes"


@pytest.fixture
def made() -> NominationWorld:
    return make_world()


def delete_source(made: NominationWorld) -> None:
    reply = Api(made.world, "nina").delete(f"/projects/{made.team.id}/repository/branches/{BRANCH}")
    assert reply.status == 204


def delete_fork(made: NominationWorld, mr: MergeRequest) -> None:
    assert mr.source_project
    assert Api(made.world, "nina").delete(f"/projects/{mr.source_project.id}").status == 202


def push_both(made: NominationWorld) -> None:
    """Change a file beside the entry on both sides, so that git cannot merge it."""
    made.push({"README.md": b"ours\n"}, branch=BRANCH)
    made.push({"README.md": b"theirs\n"}, branch="main", by="olga")


def restore_source(made: NominationWorld) -> None:
    made.push({ENTRY: entry("nina", "maintainer")}, branch=BRANCH)


def solve(made: NominationWorld) -> None:
    made.push({"README.md": None}, branch=BRANCH)
    made.push({"README.md": None}, branch="main", by="olga")


@pytest.mark.parametrize(
    ("obstruct", "mend", "said"),
    [(delete_source, restore_source, PUSHES), (push_both, solve, SOLVES)],
)
def test_what_nobody_can_merge_is_mended_first_by_the_author(
    made: NominationWorld, server: Server, obstruct: Any, mend: Any, said: str
) -> None:
    made.push({"CHANGES.md": b"ours\n"}, branch=BRANCH)
    made.push({"CHANGES.md": b"ours\n"}, branch="main", by="olga")
    before = run_on(server, made.nomination)
    assert before.next_step == f"**Next step:** {MERGES}"
    calls = run_on(server, made.nomination).calls
    obstruct(made)
    told = run_on(server, made.nomination)
    assert told.next_step == f"**Next step:** {said}, then {MERGES}"
    # What the process asks for is met all the same.
    assert told.gate == "passed"
    again = run_on(server, made.nomination)
    assert (again.calls, writes_in(made.world.requests[-again.calls :])) == (calls, [])
    mend(made)
    assert run_on(server, made.nomination).next_step == f"**Next step:** {MERGES}"


def test_several_things_in_the_way_are_told_in_order(made: NominationWorld, server: Server) -> None:
    push_both(made)
    update = MergeRequestUpdate(title="Draft: Nina")
    actions.update_merge_request(made.world, made.user("nina"), made.nomination, update)
    step = run_on(server, made.nomination).next_step
    assert step.index(SOLVES) < step.index("marks this merge request as ready") < step.index(MERGES)


@pytest.mark.parametrize("name", ["a`b", "@all", "x_y_", "$(id)"])
def test_the_name_of_a_branch_is_inert(made: NominationWorld, server: Server, name: str) -> None:
    made.push({ENTRY: entry("nina", "maintainer")}, branch=name)
    made.nomination.source_branch = name
    made.team.repository.branches.pop(name)
    step = run_on(server, made.nomination).next_step
    assert "pushes the source branch `" in step
    assert name in step
    if "@" in name:
        assert f"`{name}`" in step


def test_without_the_project_of_its_changes_a_new_one_is_opened(
    made: NominationWorld, server: Server
) -> None:
    mr = open_from_fork(made)
    actions.assign(made.world, made.user("nina"), mr, [made.user("mia"), made.user("max")])
    delete_fork(made, mr)
    assert ANEW in run_on(server, mr, gate=GateKind.NONE).next_step
    actions.close(made.world, made.user("nina"), mr)
    body = run_on(server, mr, gate=GateKind.NONE).body
    assert "Reopen this merge request" not in body
    assert "the project that its changes come from was deleted" in body


def test_nobody_mends_the_gate_of_what_cannot_be_merged(
    made: NominationWorld, server: Server
) -> None:
    mr = open_from_fork(made)
    actions.assign(made.world, made.user("nina"), mr, [made.user("mia"), made.user("max")])
    assert "somebody mends what keeps the gate from being set" in run_on(server, mr).next_step
    delete_fork(made, mr)
    assert run_on(server, mr).next_step.startswith(f"**Next step:** `@nina` {ANEW}")


def test_nothing_is_asked_of_others_where_a_new_one_must_be_opened(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    mr = open_from_fork(made)
    assigning = run_on(server, mr).next_step
    assert "assigns this merge request" in assigning
    delete_fork(made, mr)
    outcome = run_on(server, mr)
    assert outcome.next_step.startswith(f"**Next step:** `@nina` {ANEW}")
    assert outcome.gate == "failed"
    assert "assigns this merge request" not in outcome.body
    found = section(board(server, tmp_path))["waiting"]
    (waiting,) = [each for each in found if each["iid"] == mr.iid]
    assert (waiting["state"], waiting["actor"]) == ("waiting", "author")
    assert "Open a new merge request" in waiting["step"]


def test_one_that_is_closed_needs_its_branch_before_it_is_reopened(
    made: NominationWorld, server: Server
) -> None:
    run_on(server, made.nomination)
    actions.close(made.world, made.user("nina"), made.nomination)
    body = run_on(server, made.nomination).body
    assert "**Closed:** nothing is pending. Reopen this merge request to go on." in body
    delete_source(made)
    body = run_on(server, made.nomination).body
    assert f"Push the source branch `{BRANCH}` again, which was deleted, and reopen" in body


@pytest.mark.parametrize("obstruct", [delete_source, push_both])
def test_the_board_says_who_mends_it(
    made: NominationWorld, server: Server, tmp_path: Path, obstruct: Any
) -> None:
    run_on(server, made.nomination)
    obstruct(made)
    (waiting,) = section(board(server, tmp_path))["waiting"]
    assert (waiting["state"], waiting["actor"]) == ("waiting", "author")
    assert waiting["people"] == ["nina"]
    assert "Merge it" not in waiting["step"]
