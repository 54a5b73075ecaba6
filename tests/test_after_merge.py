"""What the comment says once a nomination is merged, through HTTP."""

from itertools import pairwise

import pytest

from bot.publish.gate import GateKind
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import MergeRequestDraft, NoteDraft, StatusDraft
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Level, Member
from tests.nomination_world import (
    ENTRY,
    FOLDER,
    PROVISIONER,
    START,
    NominationWorld,
    Outcome,
    add_check,
    add_merged,
    add_user,
    awards,
    entry,
    make_world,
    run_on,
)
from tests.test_app import finish, sweep_now


@pytest.fixture
def made() -> NominationWorld:
    return make_world()


def first_line(outcome: Outcome) -> str:
    """Return the first line below the heading."""
    return outcome.body.split("\n\n")[1].split("\n")[0]


def merged(made: NominationWorld, server: Server) -> Outcome:
    """Let the bot see the nomination, then merge it, and look again."""
    run_on(server, made.nomination)
    made.merge()
    return run_on(server, made.nomination)


def push_entry(made: NominationWorld, content: bytes | None) -> None:
    made.push({ENTRY: content}, branch="main", by="olga")


# --- reverted -----------------------------------------------------------------------------


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (entry("nina", "trainee_maintainer"), "does not give maintainer any more"),
        (entry("nina"), "does not give maintainer any more"),
        (None, "is not on the target branch any more"),
    ],
)
def test_a_nomination_whose_role_is_gone_is_over(
    made: NominationWorld, server: Server, content: bytes | None, words: str
) -> None:
    assert "Ask an Owner" in merged(made, server).body
    push_entry(made, content)
    looks, _ = sweep_now(server)
    assert [look.problems for look in looks] == [()]
    outcome = run_on(server, made.nomination)
    assert first_line(outcome).startswith("**Over:** the entry")
    assert words in first_line(outcome)
    assert "Nothing of what can be checked had been granted." in first_line(outcome)
    assert "Ask an Owner" not in outcome.body
    assert "```diff" not in outcome.body
    assert made.nomination.awards == []
    assert sweep_now(server)[0] == []


def test_what_was_granted_should_be_taken_back_once_the_role_is_gone(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    finish(made)
    push_entry(made, entry("nina"))
    line = first_line(run_on(server, made.nomination))
    assert line.count("member") == 1
    assert f"`{PROVISIONER}`, file `inventory.json`" in line
    assert "should be taken back" in line


def test_an_entry_that_was_renamed_since_is_followed(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    new = f"{FOLDER}/n/nina-b.yml"
    made.push({ENTRY: None, new: entry("nina", "maintainer")}, branch="main", by="olga")
    assert "4 of 4 steps are left" in run_on(server, made.nomination).body
    made.push({new: entry("nina")}, branch="main", by="olga")
    assert first_line(run_on(server, made.nomination)).startswith("**Over:**")


def test_an_entry_that_cannot_be_read_offers_nothing(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    push_entry(made, b"gitlab: [\n")
    outcome = run_on(server, made.nomination)
    assert "it is no valid entry" in first_line(outcome)
    assert "```diff" not in outcome.body
    made.push({ENTRY: b"projects:\n  ai-gateway: maintainer\n"}, branch="main", by="olga")
    assert "names no account" in first_line(run_on(server, made.nomination))


def test_an_entry_that_was_renamed_too_often_is_not_followed(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    paths = [ENTRY, *(f"{FOLDER}/n/nina-{number}.yml" for number in range(3))]
    for old, new in pairwise(paths):
        made.push({old: None, new: entry("nina", "maintainer")}, branch="main", by="olga")
    outcome = run_on(server, made.nomination)
    assert "it was renamed more often than is followed" in first_line(outcome)


def test_what_became_of_an_entry_may_be_unknown(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    push_entry(made, None)
    server.fault(Fault(route="GET /api/v4/projects/{id}/repository/commits", kind=Kind.FORBIDDEN))
    outcome = run_on(server, made.nomination)
    assert "what became of it is not known" in first_line(outcome)


# --- merged in spite of the bot -----------------------------------------------------------


@pytest.mark.sample(1)
@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("gate", list(GateKind))
def test_what_was_open_at_the_merge_stays_in_the_first_line(gate: GateKind, seen: bool) -> None:
    made = make_world(reviewed=3, trainee=True)
    if gate is GateKind.STATUS_CHECK:
        add_check(made)
    with Server(made.world) as server:
        if seen:
            run_on(server, made.nomination, gate=gate)
        made.merge()
        for _ in range(2):
            line = first_line(run_on(server, made.nomination, gate=gate))
            assert line.startswith("**Merged although not ready:** ")
            assert "(3 of 5)" in line
            # What comes later makes up for nothing.
            made.world.tick(86_400)
            for _ in range(5):
                add_merged(made, "dora", reviewer="nina")


@pytest.mark.parametrize("seen", [True, False])
def test_a_hold_at_the_merge_stays_in_the_first_line(
    made: NominationWorld, server: Server, seen: bool
) -> None:
    run_on(server, made.nomination)
    note = made.say("/nomination hold not this week")
    if seen:
        run_on(server, made.nomination)
    made.merge()
    release = made.say("/nomination release")
    outcome = run_on(server, made.nomination)
    line = first_line(outcome)
    assert line.startswith("**Merged in spite of a hold** by `@max`: not this week.")
    # Who decides first is told, and not the nominee.
    assert "Waiting for @max since" in line
    assert awards(note) == (["white_check_mark"] if seen else ["no_entry_sign"])
    assert awards(release) == ["no_entry_sign"]
    assert "this came after the merge, so there is nothing to release" in outcome.body
    assert ("nobody read this before the merge" in outcome.body) is not seen
    assert run_on(server, made.nomination).evaluation.plan.lines() == []


def test_a_waiver_taken_back_without_an_event_was_open_at_the_merge(
    made: NominationWorld, server: Server
) -> None:
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    made.say("/nomination waive @nina assigned they were asked")
    assert run_on(server, made.nomination).gate == "passed"
    note = made.say("/nomination unwaive @nina assigned")
    made.merge()
    assert "although not ready" in first_line(run_on(server, made.nomination))
    assert awards(note) == ["no_entry_sign"]


def test_what_changes_after_the_merge_is_held_against_nobody(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    line = first_line(run_on(server, made.nomination))
    assert line == "**Merged:** 4 of 4 steps are left. Waiting for @nina since 2026-01-06."


@pytest.mark.parametrize("pipelines", ["none", "push", "merge_request_event"])
def test_a_gate_that_is_opened_after_the_merge_was_not_open_then(
    made: NominationWorld, server: Server, pipelines: str
) -> None:
    """What is opened from the same branch shares its head, and nominates nobody by then."""
    made.team.settings.pipelines = pipelines
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    made.merge()
    assert "although not ready" in first_line(run_on(server, made.nomination))
    dora = made.user("dora")
    made.team.members[dora.id] = Member(user=dora, level=Level.DEVELOPER, created_at=START)
    head, branch = made.nomination.head_sha or "", made.nomination.source_branch
    forged = StatusDraft(state="failed", name="nomination-bot", ref=branch)
    actions.set_commit_status(made.world, dora, made.team, head, forged)
    draft = MergeRequestDraft(title="Again", source_branch=branch, target_branch="main")
    again = actions.open_merge_request(made.world, made.user("nina"), made.team, draft)
    asking = NoteDraft(body="/nomination recheck")
    actions.create_note(made.world, made.user("nina"), again, asking)
    assert "state='success'" in run_on(server, again).evaluation.plan.lines()[0]
    assert "although not ready" in first_line(run_on(server, made.nomination))


def test_whether_it_was_ready_may_be_unknown(made: NominationWorld, server: Server) -> None:
    made.gateway.visibility = "private"
    made.merge()
    line = first_line(run_on(server, made.nomination))
    assert line.startswith("**Merged, and whether it was ready is not known:**")


@pytest.mark.parametrize("command", ["hold x", "release", "waive authored x", "attest all"])
def test_a_command_after_the_merge_is_answered_with_what_it_did_not_do(
    made: NominationWorld, server: Server, command: str
) -> None:
    merged(made, server)
    by = "nina" if command.startswith("attest") else "max"
    note = made.say(f"/nomination {command}", by=by)
    outcome = run_on(server, made.nomination)
    assert awards(note) == ["no_entry_sign"]
    assert "this came after the merge, so" in outcome.body


# --- renamed after the merge --------------------------------------------------------------


def test_a_nominee_who_was_renamed_is_followed_by_the_entry(
    made: NominationWorld, server: Server
) -> None:
    made.say("/nomination waive @nina reviewed because")
    merged(made, server)
    actions.rename_account(made.world, made.user("nina"), "nina-new")
    push_entry(made, entry("nina-new", "maintainer"))
    outcome = run_on(server, made.nomination)
    assert (
        first_line(outcome)
        == "**Merged:** 4 of 4 steps are left. Waiting for @nina-new since 2026-01-06."
    )
    assert '+        "nina-new"' in outcome.body
    assert '"nina"' not in outcome.body
    assert "`@nina`:" not in outcome.body


@pytest.mark.sample(1)
@pytest.mark.parametrize("taken", ["no", "by a new account", "by an old account", "by a member"])
def test_a_freed_name_is_never_offered_access(
    made: NominationWorld, server: Server, taken: str
) -> None:
    sven = add_user(made.world, "sven")
    if taken == "by a member":
        made.say("/nomination attest all", by="nina")
        level = Member(user=sven, level=Level.DEVELOPER, created_at=START)
        made.team.members[sven.id] = level
    merged(made, server)
    actions.rename_account(made.world, made.user("nina"), "nina-new")
    if taken == "by a new account":
        add_user(made.world, "nina").created_at = made.world.now
        made.world.tick(5)
    elif taken != "no":
        actions.rename_account(made.world, sven, "nina")
    outcome = run_on(server, made.nomination)
    assert "the account is not known for sure" in first_line(outcome)
    assert "```diff" not in outcome.body
    assert "Owners to ask" not in outcome.body
    assert "/-/edit/" not in outcome.body
    assert ("the nominee is called" in outcome.body) is (taken == "by a member")


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("route", "words"),
    [("POST /api/graphql", None), ("GET *members/all*", "belongs to")],
)
def test_an_account_that_cannot_be_looked_up_is_offered_nothing(
    made: NominationWorld, server: Server, route: str, words: str | None
) -> None:
    made.nomination.author = made.user("dora")
    assert "```diff" in merged(made, server).body
    calls = None if words else [2]
    server.fault(Fault(route=route, kind=Kind.FORBIDDEN, calls=calls))
    outcome = run_on(server, made.nomination)
    assert "could not be looked up" in first_line(outcome)
    assert (words or "the account") in first_line(outcome)
    assert "```diff" not in outcome.body


@pytest.mark.parametrize("role", ["maintainer", None])
@pytest.mark.parametrize("other", ["dora", "mallory"])
def test_an_entry_that_is_handed_to_somebody_else_makes_nobody_else_the_nominee(
    made: NominationWorld, server: Server, role: str | None, other: str
) -> None:
    merged(made, server)
    finish(made)
    made.user(other)
    push_entry(made, entry(other, role))
    outcome = run_on(server, made.nomination)
    assert "## Nomination: `@nina` as" in outcome.body
    if role:
        assert f"the entry names {other} now, but nina was nominated" in first_line(outcome)
        assert "```diff" not in outcome.body
    else:
        assert "should be taken back: `" in first_line(outcome)


def test_a_nominee_who_spoke_is_followed_though_the_old_name_is_taken(
    made: NominationWorld, server: Server
) -> None:
    sven = add_user(made.world, "sven")
    made.say("/nomination attest all", by="nina")
    merged(made, server)
    actions.rename_account(made.world, made.user("nina"), "nina-new")
    actions.rename_account(made.world, sven, "nina")
    push_entry(made, entry("nina-new", "maintainer"))
    assert "## Nomination: `@nina-new` as" in run_on(server, made.nomination).body


def test_a_former_name_that_is_still_listed_is_told(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    finish(made)
    actions.rename_account(made.world, made.user("nina"), "nina-new")
    push_entry(made, entry("nina-new", "maintainer"))
    outcome = run_on(server, made.nomination)
    assert "is still listed, and anybody may take that name" in outcome.body


def test_a_merged_nomination_that_was_ready_takes_no_call_more(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    made.world.tick(7200)  # right after the merge those that touch the same entries are listed
    assert run_on(server, made.nomination).calls == 3
