"""The history of a nomination, from GitLab's records alone."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from bot import policy as rules
from bot.app.replay.milestones import Scene, date_requirement
from bot.app.replay.pace import measure_pace
from bot.app.replay.records import Records, read_records
from bot.app.replay.steps import date_steps
from bot.app.replay.tracing import wait_after
from bot.app.replay.values import Event, History, Told, Waiting, days_between
from bot.assessment import kinds
from bot.assessment.findings import Finding, Part, State, Step, Verdict
from bot.evidence import (
    Commit,
    Commits,
    CommitsOf,
    Deed,
    Deeds,
    DeedsOf,
    FileAt,
    Need,
    StateChangesOf,
    Tenure,
)
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Level, Member
from bot.unread import Unread
from tests.builders import (
    NOW,
    make_assessment,
    make_follow_up,
    make_merge_request,
    make_merged,
    make_replay,
    make_requirement,
)
from tests.fakes import FakeSource
from tests.nomination_world import (
    ENTRY,
    GATEWAY,
    INVENTORY,
    TEAM,
    NominationWorld,
    ask_how_it_went,
    assign_to_manager,
    entry,
    make_world,
    merge_elsewhere,
    run_on,
    run_reading,
)

DAY = 86_400


@pytest.fixture
def made() -> NominationWorld:
    """Make a world in which nobody is assigned yet."""
    return make_world(assigned=False)


def run(server: Server, *arguments: str, **more: str | Path) -> CompletedProcess[str]:
    """Run the command."""
    return run_reading(server, "replay", f"{TEAM}!1", *arguments, **more)


def replayed(server: Server, **more: str | Path) -> Any:
    """Return what is told as data."""
    done = run(server, "--json", **more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def milestones(told: Any) -> Mapping[str, Any]:
    """Return the requirements and steps of the one nomination by their ids."""
    (nomination,) = told["nominations"]
    return {each["id"]: each for each in (*nomination["requirements"], *nomination["follow_ups"])}


def waits(told: Any) -> Mapping[str, Any]:
    """Return for how long it waited, by for whom."""
    return {each["actor"]: each for each in told["nominations"][0]["waiting"]}


def play(made: NominationWorld, server: Server) -> None:
    """Let a nomination go all the way, a day for each step."""
    world = made.world
    world.tick(DAY)
    made.say("/nomination attest all", by="nina")
    world.tick(DAY)
    made.say("/nomination hold <b>not yet</b>", by="max")
    made.say("/nomination hold me too", by="dora")
    world.tick(DAY)
    made.say("/nomination release", by="max")
    made.assign()
    run_on(server, made.nomination)
    world.tick(DAY)
    made.merge()
    world.tick(DAY)
    member = Member(user=made.user("nina"), level=Level.DEVELOPER, created_at=world.now)
    made.group.members[member.user.id] = member
    world.tick(DAY)
    changed = INVENTORY.replace(b'"max"', b'"max",\n        "nina"')
    draft = CommitDraft(message="List nina", changes={"inventory.json": changed})
    actions.push(world, made.user("olga"), made.provisioner, "main", draft)
    world.tick(DAY)


def test_the_whole_history_is_told_from_the_records(made: NominationWorld, server: Server) -> None:
    play(made, server)
    told = replayed(server)
    assert told["days_to_role"] == pytest.approx(4, abs=0.1)
    found = milestones(told)
    opened = datetime.fromisoformat(told["opened_at"])
    after = {
        name: days_between(opened, datetime.fromisoformat(each["at"]))
        for name, each in found.items()
        if each["at"]
    }
    assert after["knowledge"] == pytest.approx(1, abs=0.1)
    assert after["assigned"] == pytest.approx(3, abs=0.1)
    assert after["group"] == pytest.approx(5, abs=0.1)
    assert after["inventory"] == pytest.approx(6, abs=0.1)
    assert (found["renovate"]["state"], found["renovate"]["at"]) == ("open", None)
    assert not found["inventory"]["by_then"]
    commands = [
        (each["by"], each["words"], each["outcome"])
        for each in told["events"]
        if each["kind"] == "command"
    ]
    assert commands == [
        ("nina", "attest all", "heeded"),
        ("max", "hold <b>not yet</b>", "heeded"),
        ("dora", "hold me too", "refused"),
        ("max", "release", "heeded"),
    ]
    kinds = [each["kind"] for each in told["events"]]
    assert kinds[0] == "opened"
    assert ("merged", "olga") in {(each["kind"], each["by"]) for each in told["events"]}
    assert [each["at"] for each in told["events"]] == sorted(each["at"] for each in told["events"])


def test_how_long_it_waited_for_whom_is_told(made: NominationWorld, server: Server) -> None:
    play(made, server)
    told = waits(replayed(server))
    assert told["nominee, before it was ready"]["days"] == pytest.approx(3, abs=0.1)
    assert told["maintainer, to merge it"]["days"] == pytest.approx(1, abs=0.1)
    assert told["owner, after the merge"]["days"] == pytest.approx(1, abs=0.1)
    assert told["nominee, after the merge"]["end"] == "open"
    assert told["owner, after the merge"]["end"] == "over"


def test_who_it_is_assigned_to_alone_is_waited_for_to_merge_it(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    play(made, server)
    told = waits(replayed(server, NOMINATION_BOT_POLICIES=assign_to_manager(tmp_path)))
    assert told["manager, to merge it"]["days"] == pytest.approx(1, abs=0.1)
    assert "maintainer, to merge it" not in told


def test_people_read_it_as_lines(made: NominationWorld, server: Server) -> None:
    play(made, server)
    done = run(server)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{TEAM}!1: opened on ")
    assert any(line.endswith(" @max command: hold <b>not yet</b> (heeded)") for line in lines)
    assert any("assigned: met on " in line and "days after the opening" in line for line in lines)
    assert any("group: done on " in line and "days after the merge" in line for line in lines)
    assert any("waited for nominee, after the merge: " in line for line in lines)
    assert any(line.endswith("so far") for line in lines)


def test_what_was_met_before_the_opening_and_what_is_open_is_told(
    made: NominationWorld, server: Server
) -> None:
    told = replayed(server)
    found = milestones(told)
    assert (found["assigned"]["state"], found["assigned"]["at"]) == ("unmet", None)
    assert (told["merged_at"], told["days_to_role"]) == (None, None)
    waiting = waits(told)["nominee, before it was ready"]
    assert waiting["end"] == "open"
    assert "assigned: not met" in run(server).stdout
    assert made.nomination.state == "opened"


def test_what_was_merged_without_never_came_true(made: NominationWorld, server: Server) -> None:
    made.world.tick(DAY)
    made.merge()
    waiting = waits(replayed(server))["nominee, before it was ready"]
    assert (waiting["days"], waiting["end"]) == (pytest.approx(1, abs=0.1), "never")
    assert "days, and was merged without" in run(server).stdout


def test_steps_that_cannot_be_read_are_not_known(made: NominationWorld, server: Server) -> None:
    made.merge()
    made.group.visibility = "private"
    done = run(server)
    assert "group: not known whether it is done (" in done.stdout
    assert "waited for owner, after the merge: not known (what is open" in done.stdout


def test_a_waiver_tells_who_and_when(server: Server) -> None:
    made = make_world(reviewed=0)
    server.turn_to(made.world)
    made.world.tick(DAY)
    made.say("/nomination waive reviewed they reviewed elsewhere", by="max")
    found = milestones(replayed(server))["reviewed"]
    assert (found["state"], found["who"]) == ("waived", "max")
    assert "reviewed: waived by @max on " in run(server).stdout


def test_who_was_assigned_when_it_was_opened_is_not_known_since_when(
    made: NominationWorld, server: Server
) -> None:
    made.nomination.assignees += [made.user("mia"), made.user("max")]
    told = replayed(server)
    found = milestones(told)["assigned"]
    assert (found["state"], found["at"]) == ("met", None)
    assert "GitLab did not note when" in found["reason"]
    waiting = waits(told)["nominee, before it was ready"]
    assert waiting["days"] is None
    assert "assigned" in waiting["reason"]
    done = run(server)
    assert "assigned: met, not known when (GitLab did not note" in done.stdout
    assert "waited for nominee, before it was ready: not known" in done.stdout


def test_pushes_approvals_and_reopenings_are_events(made: NominationWorld, server: Server) -> None:
    made.push({ENTRY: entry("nina", "maintainer") + b"job: x\n"}, branch="nominate-nina")
    actions.approve(made.world, made.user("max"), made.nomination)
    actions.close(made.world, made.user("olga"), made.nomination)
    actions.reopen(made.world, made.user("olga"), made.nomination)
    kinds = [each["kind"] for each in replayed(server)["events"]]
    assert {"pushed", "closed", "reopened"} <= set(kinds)
    assert "@max approved this merge request" in run(server).stdout


def test_one_that_nominates_nobody_says_so(made: NominationWorld, server: Server) -> None:
    made.push({ENTRY: entry("nina", "trainee_maintainer")}, branch="nominate-nina")
    assert "It nominates nobody." in run(server).stdout


def test_what_cannot_be_read_is_said_and_nothing_is_guessed(
    made: NominationWorld, server: Server
) -> None:
    play(made, server)
    for route in ("*resource_state_events", "*/versions", "*commits?*", "*repository/commits"):
        server.fault(Fault(route=f"GET {route}", kind=Kind.FORBIDDEN))
    told = replayed(server)
    assert any(line.startswith("when it was closed and reopened: ") for line in told["unknown"])
    assert ("merged", None) in {(each["kind"], each["by"]) for each in told["events"]}
    found = milestones(told)["inventory"]
    assert (found["state"], found["at"]) == ("done", None)
    assert "history of the file could not be read" in found["reason"]
    assert "not known: when it was closed" in run(server).stdout


def test_how_what_counted_went_is_told_as_it_was_at_the_merge(
    made: NominationWorld, server: Server
) -> None:
    """What the nominee did later is no part of the history of the nomination."""
    play(made, server)
    before = merged_then(replayed(server))
    later = merge_elsewhere(made, author="nina", reviewer="max")
    (told,) = replayed(server)["nominations"]
    (went,) = told["outcomes"]
    assert (went["repository"], went["reason"]) == (GATEWAY, None)
    sides = (went["outcomes"]["reviewed"], went["outcomes"]["authored"])
    assert [len(side) for side in sides] == [5, 6]
    assert merged_then({"nominations": [told]}) == before
    assert all(m["state"] in {"as_it_was", "no_review"} for side in sides for m in side)
    text = run(server).stdout
    assert f"  how those went that count in {GATEWAY}:\n" in text
    assert "    reviewed and then merged: 5 of 5 as they were, " in text
    assert f"!{later.iid} " not in text


def merged_then(told: Any) -> list[int]:
    """Return what is told of how it went, by number."""
    (went,) = told["nominations"][0]["outcomes"]
    found = went["outcomes"]
    return [m["merged"]["iid"] for m in (*found["reviewed"], *found["authored"])]


def test_a_policy_that_asks_for_how_it_went_is_replayed_and_that_is_never_met(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    made.merge()
    done = run(server, NOMINATION_BOT_POLICIES=ask_how_it_went(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "outcomes: " not in done.stdout
    assert done.stdout.count("how those went") == 1


def test_how_it_went_is_not_known_where_it_is_not_listed(
    made: NominationWorld, server: Server
) -> None:
    made.gateway.visibility = "private"
    assert f"how those went that count in {GATEWAY}: not known: " in run(server).stdout


def test_another_project_is_refused(server: Server) -> None:
    done = run_reading(server, "replay", "some/where!1")
    assert done.returncode == 1
    assert "is not the team database" in done.stderr


# --- when each kind was met -------------------------------------------------------------


def at(day: int) -> datetime:
    """Return a time some days after the opening."""
    return NOW + timedelta(days=day)


def scene(
    *deeds: Deed,
    findings: tuple[Finding, ...] = (),
    events: tuple[Event, ...] = (),
    unknown: tuple[str, ...] = (),
) -> Scene:
    """Build what a milestone is told from."""
    return Scene(
        merge_request=make_merge_request(created_at=NOW),
        assessment=replace(make_assessment(), findings=findings),
        records=Records(
            events=events,
            deeds=Deeds(items=deeds, complete=True),
            unknown=unknown,
        ),
    )


def met(rule: rules.Rule, **more: Any) -> Finding:
    """Build a finding that is met."""
    return Finding(requirement=make_requirement(rule), verdict=Verdict.MET, **more)


def when(finding: Finding, told: Scene) -> tuple[datetime | None, bool]:
    """Return when a requirement was met, and whether that is the latest it can have been."""
    found = date_requirement(finding, told)
    assert bool(found.reason) is (found.at is None)
    return found.at, found.by_then


@pytest.mark.parametrize(
    ("needed", "found", "at_least", "told"),
    [
        (2, 3, False, (2, False)),
        (2, 9, False, (2, True)),
        (2, 3, True, (2, True)),
        (4, 4, False, None),
        (0, 3, False, (1, False)),
    ],
)
def test_enough_is_counted_when_the_one_was_merged_that_made_it_enough(
    needed: int, found: int, at_least: bool, told: tuple[int, bool] | None
) -> None:
    counted = tuple(make_merged(n, merged_at=at(n)) for n in (3, 1, 2))
    finding = met(
        kinds.ReviewedMergeRequests(at_least=needed),
        needed=needed,
        found=found,
        at_least=at_least,
        counted=counted,
    )
    assert when(finding, scene()) == ((at(told[0]), told[1]) if told else (None, False))


def approvals(*days: int) -> list[Deed]:
    return [Deed(at=at(n), by=f"M{n}", words="approved this merge request") for n in days]


def test_approvals_are_enough_when_the_last_came_that_was_needed() -> None:
    parts = tuple(Part(role="maintainers", name=f"m{n}", state="approved") for n in (1, 2, 3))
    finding = met(kinds.ApprovedBy(at_least=2, by="maintainers"), needed=2, parts=parts)
    assert when(finding, scene(*approvals(3, 1, 2))) == (at(2), False)
    assert when(finding, scene(*approvals(3))) == (None, False)


def test_it_was_open_long_enough_unless_something_may_have_begun_its_time_anew() -> None:
    finding = met(kinds.OpenFor(days=7), needed=7)
    assert when(finding, scene()) == (at(7), False)
    for event in (
        Event(at=at(1), by=None, kind="pushed"),
        Event(at=at(1), by=None, kind="reopened"),
        Event(at=at(1), by="x", kind="noted", words="changed target branch from `a` to `b`"),
    ):
        assert when(finding, scene(events=(event,))) == (None, False)
    assert when(finding, scene(unknown=("versions",))) == (None, False)


def test_a_role_is_held_since_another_requirement_found_it() -> None:
    held = met(kinds.RoleHeld(role="trainee"))
    rule = kinds.AuthoredMergeRequests(at_least=1, since_role="trainee")
    other = replace(met(rule), stage=Tenure(since=at(-9), at_least=True))
    assert when(held, scene(findings=(held, other))) == (at(-9), True)
    for stage in (Tenure(since=None), Unread(reason="x")):
        assert when(held, scene(findings=(replace(other, stage=stage),)))[0] is None
    assert when(held, scene(findings=(held,))) == (None, False)


def test_of_a_kind_that_leaves_no_record_nothing_is_guessed() -> None:
    finding = met(kinds.Labelled(label="ready"))
    assert date_requirement(finding, scene()).reason == "nothing that GitLab keeps tells when"


def test_assignments_are_followed_through_what_gitlab_notes() -> None:
    notes = (
        Deed(at=at(1), by="n", words="assigned to @Max and @mia"),
        Deed(at=at(2), by="n", words="unassigned @max"),
        Deed(at=at(3), by="n", words="assigned to @max and unassigned @mia"),
        Deed(at=at(4), by="n", words="assigned to @mia."),
    )
    records = scene(*notes).records
    assert (records.assigned_at("max"), records.assigned_at("Mia")) == (at(3), at(4))
    assert records.assigned_at("m") is None


def test_topics_are_stated_when_the_last_was() -> None:
    parts = tuple(Part(role=topic, name=topic, state="attested") for topic in ("logs", "docs"))
    finding = met(kinds.Attested(topics=()), parts=parts)

    def say(day: int, words: str, by: str = "Ada", outcome: str = "heeded") -> Event:
        return Event(at=at(day), by=by, kind="command", words=words, outcome=outcome)

    spoken = (
        say(1, "attest logs"),
        say(2, "attest docs", outcome="refused"),
        say(3, "attest docs", by="bob"),
        say(4, "recheck"),
        say(5, "ATTEST `Docs`, logs"),
    )
    assert when(finding, scene(events=spoken)) == (at(5), False)
    assert when(finding, scene(events=spoken[:4])) == (None, False)
    assert when(finding, scene(events=(say(6, "attest all"),))) == (at(6), False)


def test_a_step_that_nobody_can_check_is_not_known_and_keeps_nobody_waiting() -> None:
    step = Step(follow_up=make_follow_up(rules.Manual()), state=State.MANUAL)
    (found,) = date_steps(replace(make_assessment(), steps=(step,)), FakeSource())
    assert (found.state, found.at, found.reason) == ("manual", None, "nobody can check it")
    assert list(wait_after((found,), NOW, NOW)) == []


def test_what_gitlab_listed_in_part_is_said() -> None:
    merge_request = make_merge_request(author=None)
    deeds = Deeds(items=(Deed(at=NOW, by=None, words="changed the title"),), complete=False)
    changes = StateChangesOf.of(merge_request)
    own = DeedsOf.of(merge_request)
    source = FakeSource({own: deeds, changes: Deeds(items=(), complete=True)})
    records = read_records(merge_request, make_replay(), "nomination", source)
    assert records.unknown == ("what GitLab noted of it: GitLab listed the newest alone",)
    assert [(event.kind, event.by) for event in records.events] == [("opened", None)]


# --- files ------------------------------------------------------------------------------


def listed_since(*texts: bytes | Unread | None, complete: bool = True) -> Any:
    """Return when the step is told to be done by the revisions of a file, newest first."""
    check = rules.ListedIn(
        project="g/p", ref="main", path="o.yml", format="yaml", entry=None, key="people"
    )
    commits = tuple(
        Commit(project="g/p", sha=f"{n}", committed_at=at(10 - n), path="o.yml")
        for n in range(len(texts))
    )
    facts: dict[Need, Any] = {
        CommitsOf("g/p", "main", "o.yml"): Commits(items=commits, complete=complete)
    }
    facts |= {FileAt("g/p", f"{n}", "o.yml"): text for n, text in enumerate(texts)}
    follow_up = make_follow_up(check)
    step = Step(follow_up=follow_up, state=State.DONE)
    assessment = replace(make_assessment(), steps=(step,))
    (found,) = date_steps(assessment, FakeSource(facts))
    return found.at, found.by_then


WITH, WITHOUT = b"people: [ada]", b"people: [bob]"


def test_a_step_is_done_since_the_commit_that_listed_them() -> None:
    assert listed_since(WITH, WITH, WITHOUT, WITH) == (at(9), False)
    assert listed_since(WITH, None) == (at(10), False)
    assert listed_since(WITH, WITH) == (at(9), False)


def test_where_the_history_goes_on_it_was_done_then_at_the_latest() -> None:
    assert listed_since(WITH, WITH, complete=False) == (at(9), True)
    assert listed_since(WITH, Unread(reason="x"), WITHOUT) == (at(10), True)
    assert listed_since(WITH, b"people: {", WITHOUT) == (at(10), True)
    assert listed_since(WITH, b"\xff", WITHOUT) == (at(10), True)


def test_where_the_history_says_nothing_nothing_is_said() -> None:
    assert listed_since(WITHOUT, WITH) == (None, False)
    assert listed_since() == (None, False)


# --- pace -------------------------------------------------------------------------------


def history(days: float | None, *waiting: Waiting, policy: str = "gateway") -> Told:
    """Build the history of a nomination that took some days."""
    one = History(
        username="ada",
        project="p",
        role="maintainer",
        policy=f"{policy}@1",
        policy_id=policy,
        requirements=(),
        follow_ups=(),
        waiting=waiting,
    )
    return Told(
        project="g/p",
        iid=1,
        url="",
        state="merged" if days else "opened",
        opened_at=NOW,
        merged_at=NOW + timedelta(days=days) if days else None,
        events=(),
        nominations=(one,),
        unknown=(),
    )


def test_the_pace_is_the_medians_of_what_is_known() -> None:
    def waiting(days: float | None, end: str = "over") -> Waiting:
        return Waiting(actor="owner, after the merge", days=days, end=end)

    pace = measure_pace(
        "gateway",
        [
            history(2, waiting(1)),
            history(4, waiting(None)),
            history(9, waiting(3)),
            history(None, waiting(8)),
            history(50, waiting(40), policy="docs"),
            history(4, waiting(70, "open")),
        ],
    )
    assert pace.number == 4
    assert {(each.what, each.days, each.known) for each in pace.medians} == {
        ("from opening to role", 4.0, 4),
        ("waiting for owner, after the merge", 2.0, 2),
    }
