"""The merge requests that the bot opens for steps after a merge, through HTTP."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.policy.loading import load_policies
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Level
from tests.nomination_world import ENTRY, NominationWorld, entry, run_on
from tests.offer_world import (
    FIRST,
    change_file,
    join,
    look,
    make_offer_world,
    offers_in,
    open_in,
    opening_policies,
    read,
)

EXAMPLE = Path(__file__).parent.parent / "examples" / "policies" / "opening"


@pytest.fixture
def made() -> NominationWorld:
    return make_offer_world()


def merged(made: NominationWorld, server: Server) -> str:
    """Merge the nomination after the bot has seen it; return what the comment says then."""
    look(server, made)
    made.merge()
    made.world.tick(7_200)  # later nobody looks at other merge requests again
    outcome = look(server, made)
    assert outcome.problems == []
    return outcome.body


def assert_quiet(made: NominationWorld, server: Server, most: int = 5) -> str:
    """Check that a further look writes nothing and takes few calls; return the comment."""
    before = len(made.writes())
    outcome = look(server, made)
    assert [f"{w.method} {w.path}" for w in made.writes()[before:]] == []
    assert outcome.calls <= most
    assert not made.world.violations
    return made.own_notes()[0].body


# --- opened and merged ------------------------------------------------------------------


def test_the_bot_opens_a_merge_request_for_each_file_after_the_merge(
    made: NominationWorld, server: Server
) -> None:
    look(server, made)
    assert offers_in(made.provisioner) == []
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    assert mr.source_branch == FIRST
    assert mr.target_branch == "main"
    assert [user.username for user in mr.assignees] == ["nina"]
    assert mr.author.username == "nomination-bot"
    assert mr.title == "Add nina to members in inventory.json"
    assert f"/merge_requests/{made.nomination.iid})" in mr.description
    assert '"max",\n        "nina"' in read(made.provisioner, FIRST, "inventory.json")
    body = assert_quiet(made, server)
    assert f"[!{mr.iid}](" in body
    assert "```diff" not in body
    assert "/-/edit/" not in body
    assert len(open_in(made.gateway)) == 1


def test_a_merged_one_does_the_step(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    actions.merge(made.world, made.user("olga"), mr)
    body = look(server, made).body
    assert "in inventory.json | ✓&nbsp;done" in body
    assert open_in(made.provisioner) == []
    assert_quiet(made, server)


@pytest.mark.parametrize("policies", ["shipped", "opening"])
def test_nothing_is_opened_before_the_merge_or_unless_the_policy_says_so(
    made: NominationWorld, server: Server, policies: str
) -> None:
    if policies == "shipped":
        made.merge()
        run_on(server, made.nomination)
        assert "```diff" in run_on(server, made.nomination).body
    else:
        look(server, made)
    assert offers_in(made.provisioner) + offers_in(made.gateway) == []


def test_a_dry_run_says_what_would_be_opened(made: NominationWorld, server: Server) -> None:
    made.merge()
    outcome = look(server, made, observe=True)
    assert offers_in(made.provisioner) == []
    assert any(FIRST in line for line in outcome.evaluation.plan.lines())


# --- closed by the bot ------------------------------------------------------------------


def test_it_is_closed_when_the_file_has_the_name(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    change_file(made, made.provisioner, "inventory.json", '"max"', '"max",\n        "nina"')
    look(server, made)
    assert mr.state == "closed"
    assert "the file has the name" in mr.description
    assert_quiet(made, server)
    # Taken out again by somebody, another one is due.
    change_file(made, made.provisioner, "inventory.json", ',\n        "nina"', "")
    look(server, made)
    assert [each.source_branch for each in open_in(made.provisioner)] == [f"{FIRST}.2"]
    assert_quiet(made, server)


def test_a_reverted_nomination_closes_them(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    made.push({ENTRY: entry("nina", "trainee_maintainer")}, branch="main", by="olga")
    look(server, made)
    assert open_in(made.provisioner) + open_in(made.gateway) == []
    assert_quiet(made, server)


def test_a_nomination_reverted_before_the_look_opens_none(
    made: NominationWorld, server: Server
) -> None:
    look(server, made)
    made.merge()
    made.push({ENTRY: entry("nina")}, branch="main", by="olga")
    look(server, made)
    assert offers_in(made.provisioner) == []


def test_a_renamed_nominee_is_offered_under_the_present_name(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    (old,) = open_in(made.provisioner)
    actions.rename_account(made.world, made.user("nina"), "nina-new")
    made.push({ENTRY: entry("nina-new", "maintainer")}, branch="main", by="olga")
    look(server, made)
    assert old.state == "closed"
    (new,) = open_in(made.provisioner)
    assert new.source_branch.endswith("/nina-new")
    assert_quiet(made, server)


def test_a_freed_name_is_offered_nothing_and_its_merge_request_closed(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    actions.rename_account(made.world, made.user("nina"), "nina-new")
    look(server, made)
    assert open_in(made.provisioner) == []
    assert_quiet(made, server, most=6)  # whose account it is takes a look of its own


def test_one_that_went_in_against_the_bot_is_for_people(
    server: Server, made: NominationWorld
) -> None:
    made.say("/nomination hold not now")
    body = merged(made, server)
    assert offers_in(made.provisioner) == []
    assert "before a maintainer has decided" in body
    assert "```diff" in body


# --- the file moved on ------------------------------------------------------------------


def test_one_in_conflict_is_replaced_from_a_new_branch(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    (old,) = open_in(made.provisioner)
    change_file(made, made.provisioner, "inventory.json", '"max"', '"max",\n        "zoe"')
    look(server, made)
    (new,) = open_in(made.provisioner)
    assert old.state == "closed"
    assert new.source_branch == f"{FIRST}.2"
    assert '"nina",\n        "zoe"' in read(made.provisioner, new.source_branch, "inventory.json")
    assert_quiet(made, server)
    actions.merge(made.world, made.user("olga"), new)
    assert "in inventory.json | ✓&nbsp;done" in look(server, made).body


def test_after_some_conflicts_people_do_it(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    for name in ("zula", "zora", "zoe"):
        change_file(made, made.provisioner, "inventory.json", '"max"', f'"max",\n        "{name}"')
        look(server, made)
    assert len(offers_in(made.provisioner)) == 3
    assert "opens no other one" in assert_quiet(made, server)


def test_commits_of_others_are_left_alone(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    draft = CommitDraft(message="Mine", changes={"notes.md": b"mine\n"})
    actions.push(made.world, made.user("olga"), made.provisioner, mr.source_branch, draft)
    head = made.provisioner.repository.branches[mr.source_branch]
    change_file(made, made.provisioner, "inventory.json", '"max"', '"max",\n        "zoe"')
    look(server, made)
    assert open_in(made.provisioner) == [mr]
    assert "people resolve that" in assert_quiet(made, server)
    change_file(made, made.provisioner, "inventory.json", '"max"', '"max",\n        "nina"')
    look(server, made)
    assert open_in(made.provisioner) == [mr]
    assert made.provisioner.repository.branches[mr.source_branch] == head
    assert_quiet(made, server)


def test_a_file_that_changed_elsewhere_needs_no_other(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    draft = CommitDraft(message="More", changes={"other.md": b"text\n"})
    actions.push(made.world, made.user("olga"), made.provisioner, "main", draft)
    assert_quiet(made, server)
    assert open_in(made.provisioner) == [mr]


# --- taken into people's hands ----------------------------------------------------------


def test_one_that_somebody_closed_is_not_opened_again(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    actions.close(made.world, made.user("olga"), mr)
    look(server, made)
    body = assert_quiet(made, server)
    assert "was closed by somebody" in body
    assert "```diff" in body
    assert len(offers_in(made.provisioner)) == 1
    actions.reopen(made.world, made.user("olga"), mr)
    look(server, made)
    assert "closed by somebody" not in assert_quiet(made, server)


def test_one_merged_and_taken_back_is_not_opened_again(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    actions.merge(made.world, made.user("olga"), mr)
    change_file(made, made.provisioner, "inventory.json", ',\n        "nina"', "")
    look(server, made)
    assert "was merged, so it opens no other one" in assert_quiet(made, server)


def test_a_fork_s_merge_request_of_the_same_name_is_nobody_s(
    made: NominationWorld, server: Server
) -> None:
    sven = made.user("sven")
    fork = actions.fork_project(made.world, sven, made.provisioner)
    draft = CommitDraft(message="Mine", changes={"notes.md": b"mine\n"})
    actions.push(made.world, sven, fork, FIRST, draft)
    opening = MergeRequestDraft(
        title="Mine", source_branch=FIRST, target_branch="main", source_project=fork
    )
    theirs = actions.open_merge_request(made.world, sven, made.provisioner, opening)
    merged(made, server)
    assert {mr.source_project for mr in open_in(made.provisioner)} == {fork, made.provisioner}
    assert theirs.state == "opened"
    assert_quiet(made, server)


# --- where the bot may not --------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("role", "lacks the Developer role"),
        ("archived", "the project is archived"),
        ("protected", "a branch may be protected"),
        ("refused", "a branch may be protected"),
        ("branch", "with something else on it"),
    ],
)
def test_where_the_bot_may_not_the_diff_stays_with_one_line_why(
    made: NominationWorld, server: Server, trouble: str, words: str
) -> None:
    project = made.provisioner
    if trouble == "role":
        join(made, project, Level.REPORTER)
    elif trouble == "archived":
        project.archived = True
    elif trouble == "protected":
        project.protected_branches.add("nomination-bot/*")
    elif trouble == "refused":
        server.fault(Fault(route="POST *repository/commits", kind=Kind.FORBIDDEN))
    else:
        draft = CommitDraft(message="Mine", changes={"notes.md": b"mine\n"})
        actions.push(made.world, made.user("olga"), project, FIRST, draft)
    body = merged(made, server)
    assert offers_in(project) == []
    assert body.count(words) == (2 if trouble == "refused" else 1)
    assert '+        "nina"' in body
    again = look(server, made)
    assert again.problems == []
    assert again.evaluation.report is not None
    assert len(made.own_notes()) == 1


# --- doubtful writes, and two runs at once ----------------------------------------------


@pytest.mark.parametrize(
    "route", ["POST *repository/commits", "POST /projects/{id}/merge_requests"]
)
@pytest.mark.parametrize("kind", [Kind.ERROR_AFTER, Kind.CUT_AFTER, Kind.ERROR_BEFORE])
def test_after_a_lost_answer_the_bot_looks_before_it_writes_again(
    made: NominationWorld, server: Server, route: str, kind: Kind
) -> None:
    server.fault(Fault(route=route, kind=kind, calls=[0]))
    merged(made, server)
    assert len(offers_in(made.provisioner)) == 1
    assert len(offers_in(made.gateway)) == 1
    assert_quiet(made, server)


def test_a_branch_that_an_ended_run_left_is_used(made: NominationWorld, server: Server) -> None:
    look(server, made)
    made.merge()
    server.fault(Fault(route="POST *merge_requests", kind=Kind.ERROR_BEFORE))
    assert look(server, made).problems != []
    assert offers_in(made.provisioner) == []
    server.misbehaving.faults.switch_off()
    assert look(server, made).problems == []
    assert [mr.source_branch for mr in open_in(made.provisioner)] == [FIRST]
    made.world.tick(7_200)
    assert_quiet(made, server)


def test_doubled_ones_are_healed(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    bot = made.user("nomination-bot")
    draft = CommitDraft(
        message="Twice",
        changes={"inventory.json": read(made.provisioner, FIRST, "inventory.json").encode()},
    )
    actions.push(made.world, bot, made.provisioner, f"{FIRST}.2", draft)
    opening = MergeRequestDraft(title="x", source_branch=f"{FIRST}.2", target_branch="main")
    actions.open_merge_request(made.world, bot, made.provisioner, opening)
    look(server, made)
    assert open_in(made.provisioner) == [mr]
    assert_quiet(made, server)


def test_the_policies_of_these_tests_open_two() -> None:
    (policy,) = opening_policies()
    assert sum(getattr(step.check, "open", False) for step in policy.follow_ups) == 2


def test_the_example_is_the_shipped_policy_but_for_what_is_opened() -> None:
    (shipped,) = load_policies(EXAMPLE)
    assert replace(shipped, source="") == replace(opening_policies()[0], source="")
