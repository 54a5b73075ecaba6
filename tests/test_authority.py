"""Who may decide what in a merge request, through HTTP."""

from dataclasses import replace

import pytest

from bot.assessment import kinds
from bot.evidence import Fact, Need, Proposed, Sibling, Siblings
from bot.evidence.earlier import (
    MOST,
    MOST_OTHERS,
    PAGES,
    earlier_needs,
    gather_earlier,
    siblings_of,
)
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Level, Member, MergeRequest
from bot.unread import Unread
from tests.builders import make_merge_request, make_nomination, make_requirement
from tests.fakes import FakeSource
from tests.nomination_world import (
    ENTRY,
    FOLDER,
    GRAPHQL,
    START,
    NominationWorld,
    add_user,
    awards,
    entry,
    make_world,
    run_on,
    shipped,
)

NILS = f"{FOLDER}/n/nils.yml"
BRANCH = "nominate-nina"


@pytest.fixture
def made() -> NominationWorld:
    return make_world()


def join(made: NominationWorld, *names: str) -> None:
    """Let people become members of the team project."""
    for name in names:
        user = made.world.find_user(name) or add_user(made.world, name)
        level = Member(user=user, level=Level.DEVELOPER, created_at=START)
        made.team.members[user.id] = level


def push_in(made: NominationWorld, username: str, manager: str) -> None:
    """Push the nomination of somebody else into nina's merge request, with another manager."""
    join(made, username, manager)
    path = f"{FOLDER}/{username[0]}/{username}.yml"
    boss = f"{FOLDER}/{manager[0]}/{manager}.yml"
    made.push(
        {path: entry(username, "reviewer", manager), boss: entry(manager)}, branch="main", by="olga"
    )
    # As after a rebase: what both sides added would not be known.
    del made.team.repository.branches[BRANCH]
    nominating = {ENTRY: entry("nina", "maintainer"), path: entry(username, "maintainer", manager)}
    made.push(nominating, branch=BRANCH)


def anew_open(made: NominationWorld) -> MergeRequest:
    """Open another merge request from the branch."""
    people = (made.user("mia"), made.user("max"))
    draft = MergeRequestDraft(
        title="Again", source_branch=BRANCH, target_branch="main", assignees=people
    )
    return actions.open_merge_request(made.world, made.user("nina"), made.team, draft)


def anew(made: NominationWorld) -> MergeRequest:
    """Close the nomination and open another merge request."""
    actions.close(made.world, made.user("nina"), made.nomination)
    return anew_open(made)


@pytest.mark.parametrize(("by", "counts"), [("rita", True), ("mia", False)])
def test_who_is_handed_anothers_entry_has_the_manager_of_their_own(
    made: NominationWorld, server: Server, by: str, counts: bool
) -> None:
    join(made, "nils", "rita")
    entries = {NILS: entry("nils", "reviewer", "rita"), f"{FOLDER}/r/rita.yml": entry("rita")}
    made.push(entries, branch="main", by="olga")
    # The branch is older: nobody can tell what a merge makes of what both sides added.
    handed = {ENTRY: entry("nils", "maintainer"), NILS: entry("nils", "reviewer")}
    made.push(handed, branch=BRANCH)
    note = made.say("/nomination waive @nils reviewed enough", by=by)
    outcome = run_on(server, made.nomination)
    assert set(outcome.evaluation.findings.replay.waivers) == (
        {("nils", "reviewed")} if counts else set()
    )
    assert awards(note) == ["white_check_mark" if counts else "no_entry_sign"]
    assert outcome.gate != "passed"


def test_the_manager_of_a_nominee_who_was_pushed_in_releases_nothing_of_the_other(
    made: NominationWorld, server: Server
) -> None:
    made.say("/nomination hold not this week", by="mia")
    push_in(made, "nils", "moe")
    note = made.say("/nomination release\n/nomination waive @nina authored x", by="moe")
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "failed"
    assert "**On hold** by `@mia` for `@nina`: `not this week`" in outcome.body
    assert "a maintainer or the manager of `@nina` comments `/nomination release`" in outcome.body
    assert "the hold is for `@nina`" in outcome.body
    assert awards(note) == ["no_entry_sign"]
    made.say("/nomination release", by="mia")
    assert "On hold" not in run_on(server, made.nomination).body


def test_a_hold_of_a_maintainer_is_released_for_each_nominee_apart(
    made: NominationWorld, server: Server
) -> None:
    made.say("/nomination hold not this week", by="max")
    push_in(made, "nils", "moe")
    made.say("/nomination release", by="moe")
    assert "**On hold** by `@max` for `@nina`: `not" in run_on(server, made.nomination).body
    made.say("/nomination release", by="mia")
    assert "On hold" not in run_on(server, made.nomination).body


def test_to_nominate_who_holds_in_the_same_merge_request_ends_no_hold(
    made: NominationWorld, server: Server
) -> None:
    made.say("/nomination hold not this week", by="mia")
    made.push({f"{FOLDER}/m/mia.yml": entry("mia", "maintainer", "olga")}, branch=BRANCH)
    outcome = run_on(server, made.nomination)
    assert (outcome.gate, "**On hold** by `@mia` for `@nina`" in outcome.body) == ("failed", True)


@pytest.mark.parametrize("command", ["waive @nina authored x", "release", "hold x"])
def test_who_took_the_freed_name_of_the_manager_decides_nothing(
    made: NominationWorld, server: Server, command: str
) -> None:
    made.say("/nomination hold not this week", by="max")
    actions.rename_account(made.world, made.user("mia"), "mia-new")
    add_user(made.world, "mia")
    note = made.say(f"/nomination {command}", by="mia")
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "failed"
    assert "**On hold** by `@max`: `not this week`" in outcome.body
    assert awards(note) == ["no_entry_sign"]


@pytest.mark.parametrize("is_freed", [True, False])
def test_who_took_the_freed_name_of_the_manager_approves_nothing(
    made: NominationWorld, server: Server, is_freed: bool
) -> None:
    rule = kinds.ApprovedBy(at_least=1, by="manager")
    policy = replace(shipped()[0][0], requirements=(make_requirement(rule),))
    made.world.tick(60)
    if is_freed:
        actions.rename_account(made.world, made.user("mia"), "mia-new")
        join(made, add_user(made.world, "mia").username)
    actions.approve(made.world, made.user("mia"), made.nomination)
    if is_freed:
        # GitLab lets members alone approve; what a member approved stays when they leave.
        del made.team.members[made.user("mia").id]
    outcome = run_on(server, made.nomination, policies=(policy,))
    assert outcome.gate == ("failed" if is_freed else "passed")
    assert ("`@mia`: is no member of this project" in outcome.body) is is_freed


def test_who_took_the_freed_name_of_the_manager_and_spoke_is_not_the_one_assigned(
    made: NominationWorld, server: Server
) -> None:
    actions.rename_account(made.world, made.user("mia"), "mia-new")
    add_user(made.world, "mia")
    made.assign()
    made.say("I am here", by="mia")
    outcome = run_on(server, made.nomination)
    assert (outcome.gate, outcome.problems) == ("failed", [])
    assert "the account `@mia` is no member of this project and may be" in outcome.body


@pytest.mark.parametrize("by", ["mia", "max"])
def test_a_hold_by_an_account_that_is_deleted_since_stays_until_a_maintainer_releases_it(
    made: NominationWorld, server: Server, by: str
) -> None:
    maria = add_user(made.world, "maria")
    made.group.members[maria.id] = Member(user=maria, level=Level.MAINTAINER, created_at=START)
    note = made.say("/nomination hold not this week", by=by)
    made.say("/nomination waive assigned they were asked", by="maria")
    run_on(server, made.nomination)
    actions.delete_account(made.world, made.user(by))
    outcome = run_on(server, made.nomination)
    assert (outcome.gate, awards(note)) == ("failed", ["white_check_mark"])
    assert "**On hold** by `@ghost`: `not this week`" in outcome.body
    assert "the account that holds this is gone" in outcome.body
    if by == "max":
        refused = made.say("/nomination release", by="mia")
        assert run_on(server, made.nomination).gate == "failed"
        assert awards(refused) == ["no_entry_sign"]
    made.say("/nomination release", by="maria")
    assert run_on(server, made.nomination).gate == "passed"


def test_a_hold_stays_when_the_account_of_the_holder_is_blocked(
    made: NominationWorld, server: Server
) -> None:
    made.say("/nomination hold not this week")
    actions.set_account_state(made.world, made.user("max"), "blocked")
    outcome = run_on(server, made.nomination)
    assert "**On hold** by `@max`: `not this week`" in outcome.body


@pytest.mark.parametrize("by", ["mia", "maria"])
def test_to_take_the_authority_from_who_holds_is_not_to_release(
    made: NominationWorld, server: Server, by: str
) -> None:
    maria = add_user(made.world, "maria")
    made.group.members[maria.id] = Member(user=maria, level=Level.MAINTAINER, created_at=START)
    note = made.say("/nomination hold not this week", by=by)
    run_on(server, made.nomination)
    del made.group.members[maria.id]
    changed = entry("nina", "trainee_maintainer", "moe")
    join(made, "moe")
    made.push({f"{FOLDER}/m/moe.yml": entry("moe")}, branch="main", by="olga")
    if by == "mia":
        actions.delete_branch(made.world, made.user("nina"), made.team, BRANCH)
        made.push({ENTRY: changed}, branch="main", by="olga")
        made.push({ENTRY: entry("nina", "maintainer", "moe")}, branch=BRANCH)
    for _ in range(2):
        outcome = run_on(server, made.nomination)
        assert (outcome.gate, awards(note)) == ("failed", ["white_check_mark"])
    assert "decides here no more" in outcome.body
    refused = made.say("/nomination release", by="moe" if by == "mia" else "mia")
    assert run_on(server, made.nomination).gate == "failed"
    assert awards(refused) == ["no_entry_sign"]
    made.say("/nomination release", by="max")
    assert "On hold" not in run_on(server, made.nomination).body


@pytest.mark.parametrize("state", ["blocked", "left", "there"])
def test_a_hold_stays_while_nobody_is_nominated(
    made: NominationWorld, server: Server, state: str
) -> None:
    note = made.say("/nomination hold not this week")
    run_on(server, made.nomination)
    made.push({ENTRY: entry("nina", "trainee_maintainer")}, branch=BRANCH)
    if state == "blocked":
        actions.set_account_state(made.world, made.user("max"), "blocked")
    elif state == "left":
        del made.group.members[made.user("max").id]
    bodies = {run_on(server, made.nomination).body for _ in range(3)}
    assert (len(bodies), awards(note)) == (1, ["white_check_mark"])
    assert "had no effect" not in bodies.pop()
    made.push({ENTRY: entry("nina", "maintainer")}, branch=BRANCH)
    outcome = run_on(server, made.nomination)
    assert (outcome.gate, awards(note)) == ("failed", ["white_check_mark"])
    assert "**On hold** by `@max`: `not this week`" in outcome.body


def test_a_hold_by_somebody_who_never_had_authority_is_none(
    made: NominationWorld, server: Server
) -> None:
    note = made.say("/nomination hold not this week", by="dora")
    for _ in range(2):
        assert run_on(server, made.nomination).gate == "passed"
    assert awards(note) == ["no_entry_sign"]


@pytest.mark.parametrize("command", ["hold", "hodl not now", "veto", "pause please"])
def test_a_hold_that_was_not_understood_is_told_although_the_gate_is_open(
    made: NominationWorld, server: Server, command: str
) -> None:
    made.say(f"/nomination {command}")
    made.say("/nomination wiave authored x", by="mia")  # which shuts nothing
    outcome = run_on(server, made.nomination)
    assert (outcome.gate, "had no effect" in outcome.body) == ("passed", True)
    assert "`hold`" in outcome.body or "/nomination hold" in outcome.body
    assert "wiave" not in outcome.body
    made.say("/nomination recheck")
    assert "had no effect" not in run_on(server, made.nomination).body


@pytest.mark.parametrize(
    ("command", "by", "edited"),
    [
        ("hold not this week", "max", True),
        ("hold not this week", "dora", False),
        ("hold not this week", "nina", False),
        ("unwaive @nina asigned", "max", False),
        ("unwave @nina assigned", "max", False),
        ("unwaive @nina assigned", "max", True),
        ("unwaive @nina assigned", "dora", False),
    ],
)
def test_who_meant_to_shut_the_gate_in_vain_is_told_so_although_it_is_open(
    made: NominationWorld, server: Server, command: str, by: str, edited: bool
) -> None:
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    made.say("/nomination waive @nina assigned they were asked", by="mia")
    note = made.say(f"/nomination {command}", by=by)
    if edited:
        # Even where it was heeded before.
        assert run_on(server, made.nomination).gate == "failed"
        actions.edit_note(made.world, made.user(by), made.nomination, note, f"{note.body}!")
    outcome = run_on(server, made.nomination)
    assert (outcome.gate, awards(note)[0] != "white_check_mark") == ("passed", True)
    assert f"`@{by}` ([their comment]" in outcome.body.partition("had no effect")[2]


def test_a_hold_survives_closing_and_opening_anew(made: NominationWorld, server: Server) -> None:
    made.say("/nomination hold not this week")
    run_on(server, made.nomination)
    other = anew(made)
    outcome = run_on(server, other)
    assert (outcome.gate, outcome.problems) == ("failed", [])
    assert "**On hold** by `@max`: `not this week`" in outcome.body
    assert f"/-/merge_requests/{made.nomination.iid}#note_" in outcome.body
    made.say("/nomination release", mr=other)
    assert run_on(server, other).gate == "passed"


def test_what_was_released_in_the_earlier_merge_request_holds_no_more(
    made: NominationWorld, server: Server
) -> None:
    made.say("/nomination hold not this week")
    made.say("/nomination waive authored x")
    made.say("/nomination release", by="mia")
    outcome = run_on(server, anew(made))
    assert outcome.gate == "passed"
    assert "waived" not in outcome.body.split("<details>")[0].split("| Requirement")[1]


@pytest.mark.parametrize("holds", [True, False])
def test_a_release_in_another_merge_request_is_not_for_whom_is_held_here(
    made: NominationWorld, server: Server, holds: bool
) -> None:
    join(made, "nils")
    made.say("/nomination hold not this week")
    other = made.open(
        {NILS: entry("nils", "maintainer"), ENTRY: entry("nina", "trainee_maintainer") + b"x: y\n"},
        branch="nils",
    )
    if holds:
        made.say("/nomination hold not nils", mr=other)
    made.say("/nomination release", mr=other)
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "failed"
    assert "**On hold** by `@max`: `not this week`" in outcome.body
    made.say("/nomination release", by="mia")
    assert run_on(server, made.nomination).gate == "passed"


@pytest.mark.parametrize(
    ("name", "gate"), [("", "failed"), ("@nina ", "failed"), ("@nils ", "passed")]
)
def test_a_waiver_for_nobody_by_name_is_not_for_whom_the_target_branch_makes_a_nominee(
    made: NominationWorld, server: Server, name: str, gate: str
) -> None:
    join(made, "nils")
    made.push({NILS: entry("nils", "reviewer")}, branch="main", by="olga")
    both = {ENTRY: entry("nina", "maintainer"), NILS: entry("nils", "maintainer")}
    people = (made.user("mia"), made.user("max"))
    other = made.open(both, branch="both", assignees=people)
    made.push({NILS: both[NILS]}, branch="main", by="olga")  # now it nominates nina alone
    for requirement in ("authored", "reviewed"):
        made.say(f"/nomination waive {name}{requirement} known from elsewhere", mr=other)
    run_on(server, other)
    made.world.tick(60)
    made.push({ENTRY: both[ENTRY], NILS: entry("nils", "reviewer")}, branch="main", by="olga")
    outcome = run_on(server, other)
    assert outcome.gate == gate
    assert ("this waiver does not say for whom it is" in outcome.body) is (not name)


def test_a_manager_who_holds_and_releases_ends_no_hold_of_somebody_who_left(
    made: NominationWorld, server: Server
) -> None:
    made.say("/nomination hold not this week")
    run_on(server, made.nomination)
    del made.group.members[made.user("max").id]
    actions.assign(made.world, made.user("nina"), made.nomination, [made.user("mia")])
    for command in ("hold mine", "release"):
        made.say(f"/nomination {command}", by="mia")
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "failed"
    assert "**On hold** by `@max`: `not this week`" in outcome.body


def test_a_hold_in_a_branch_of_the_same_name_elsewhere_is_none(
    made: NominationWorld, server: Server
) -> None:
    join(made, "nils")
    other = made.open({NILS: entry("nils", "maintainer")}, branch="nils")
    made.say("/nomination hold not this week", mr=other)
    run_on(server, other)
    other.source_project = actions.fork_project(made.world, made.user("nina"), made.team)
    other.source_branch = BRANCH
    actions.close(made.world, made.user("nina"), other)
    assert run_on(server, made.nomination).gate == "passed"


@pytest.mark.parametrize(
    ("still_open", "author"), [(False, "nina"), (True, "nina"), (False, "dora"), (True, "dora")]
)
def test_a_hold_follows_a_nominee_to_a_branch_with_another_name(
    made: NominationWorld, server: Server, still_open: bool, author: str
) -> None:
    made.say("/nomination hold not this week")
    run_on(server, made.nomination)
    if not still_open:
        actions.close(made.world, made.user("nina"), made.nomination)
    made.push({ENTRY: entry("nina", "maintainer")}, branch="other", by=author)
    people = (made.user("mia"), made.user("max"))
    draft = MergeRequestDraft(
        title="Again", source_branch="other", target_branch="main", assignees=people
    )
    other = actions.open_merge_request(made.world, made.user(author), made.team, draft)
    outcome = run_on(server, other)
    assert (outcome.gate, outcome.problems) == ("failed", [])
    assert "**On hold** by `@max`: `not this week`" in outcome.body
    assert f"/-/merge_requests/{made.nomination.iid}#note_" in outcome.body
    made.say("/nomination release", mr=other)
    assert run_on(server, other).gate == "passed"


@pytest.mark.parametrize("branch", [BRANCH, "other"])
def test_a_hold_outlasts_a_merge_into_a_branch_of_no_consequence(
    made: NominationWorld, server: Server, branch: str
) -> None:
    world, nina = made.world, made.user("nina")
    made.say("/nomination hold not this week")
    run_on(server, made.nomination)
    actions.create_branch(world, nina, made.team, "mine", "main")
    away = actions.MergeRequestUpdate(target_branch="mine")
    actions.update_merge_request(world, nina, made.nomination, away)
    actions.merge(world, nina, made.nomination)
    made.team.repository.branches.pop(BRANCH, None)
    people = (made.user("mia"), made.user("max"))
    other = made.open({ENTRY: entry("nina", "maintainer")}, branch=branch, assignees=people)
    outcome = run_on(server, other)
    assert (outcome.gate, outcome.problems) == ("failed", [])
    assert "**On hold** by `@max`: `not this week`" in outcome.body
    made.say("/nomination release", mr=other)
    assert run_on(server, other).gate == "passed"


@pytest.mark.parametrize("orphan", [False, True])
def test_a_hold_follows_out_of_a_merge_request_that_was_emptied(
    made: NominationWorld, server: Server, orphan: bool
) -> None:
    made.say("/nomination hold not this week")
    run_on(server, made.nomination)
    changes = {ENTRY: entry("nina", "trainee_maintainer")}  # as on the target branch
    if orphan:
        del made.team.repository.branches[BRANCH]
    draft = CommitDraft(message="Nothing", changes=changes, orphan=orphan)
    actions.push(made.world, made.user("nina"), made.team, BRANCH, draft)
    actions.close(made.world, made.user("nina"), made.nomination)
    people = (made.user("mia"), made.user("max"))
    nomination = {ENTRY: entry("nina", "maintainer")}
    other = made.open(nomination, branch="other", assignees=people)
    outcome = run_on(server, other)
    assert (outcome.gate, outcome.problems) == ("failed", [])
    assert "**On hold** by `@max`: `not this week`" in outcome.body


def test_a_hold_for_somebody_else_does_not_follow(made: NominationWorld, server: Server) -> None:
    join(made, "nils")
    made.push({NILS: entry("nils", "reviewer")}, branch="main", by="olga")
    other = made.open({NILS: entry("nils", "maintainer")}, branch="nils")
    made.say("/nomination hold not nils", mr=other)
    run_on(server, other)
    actions.close(made.world, made.user("nina"), other)
    assert run_on(server, made.nomination).gate == "passed"


def test_an_earlier_merge_request_that_cannot_be_read_keeps_the_gate_from_opening(
    made: NominationWorld, server: Server
) -> None:
    other = anew(made)
    run_on(server, other)
    # The merge request, the entries; then the earlier one.
    server.fault(Fault(route=f"POST {GRAPHQL}", kind=Kind.GRAPHQL_ERRORS, calls=[2]))
    outcome = run_on(server, other)
    assert outcome.gate == "pending"
    assert "what was said in the earlier" in outcome.body


def test_a_usual_first_comment_takes_no_call_more(made: NominationWorld, server: Server) -> None:
    assert run_on(server, made.nomination).calls <= 9
    assert run_on(server, made.nomination).calls <= 5


def sibling(iid: int, **changes: object) -> Sibling:
    found = Sibling(iid=iid, merged_into=None, source_project_id=7001)
    return replace(found, **changes)  # type: ignore[arg-type]  # the fields' own types are checked


def test_all_pages_of_the_merge_requests_from_a_branch_are_read() -> None:
    mr = make_merge_request()
    need = siblings_of(mr)
    second = replace(need, after="x")
    bystanders = (
        sibling(mr.iid),
        sibling(2, merged_into="main"),
        sibling(3, source_project_id=8),
    )
    proposed = dict.fromkeys(earlier_needs(mr)[1:], Proposed(paths={}))
    known: dict[Need, Fact] = {need: Siblings(items=bystanders, following="x"), **proposed}
    source = FakeSource({second: Siblings(items=(sibling(4),))})
    notes, unknown = gather_earlier(mr, known, source)
    assert unknown == ["what was said in the earlier !4 could not be read"]
    assert notes == []


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (Proposed(paths=dict.fromkeys(range(1, MOST_OTHERS + 2), (ENTRY,))), "13 other merge requ"),
        (Unread(reason="GitLab answered 500"), "another merge request is not known: GitLab answ"),
    ],
)
def test_what_is_held_elsewhere_may_be_unknown(fact: Fact, words: str) -> None:
    mr = make_merge_request()
    nominated = make_nomination(path=ENTRY, base_path=ENTRY)
    siblings, *proposed = earlier_needs(mr)
    known: dict[Need, Fact] = {siblings: Siblings(items=())}
    source = FakeSource(dict.fromkeys(proposed, fact))
    (*_, last) = gather_earlier(mr, known, source, [nominated])[1]
    assert words in last


def test_what_does_not_tell_all_that_it_changes_may_hold_the_nominee() -> None:
    mr = make_merge_request()
    nominated = make_nomination(path=ENTRY, base_path=ENTRY)
    siblings, *proposed = earlier_needs(mr)
    found = Proposed(paths={2: None, 3: ("README.md",), 4: (), 5: ()}, own=frozenset({3, 4}))
    known: dict[Need, Fact] = {siblings: Siblings(items=()), **dict.fromkeys(proposed, found)}
    unknown = gather_earlier(mr, known, FakeSource(), [nominated])[1]
    assert [words.split("!")[1].split()[0] for words in unknown] == ["2", "4"]


def test_what_nobody_opened_has_no_author_with_other_merge_requests() -> None:
    mr = replace(make_merge_request(), author=None)
    assert earlier_needs(mr) == (siblings_of(mr),)


def test_too_many_earlier_merge_requests_are_not_known() -> None:
    mr = make_merge_request()
    need = siblings_of(mr)
    many = Siblings(items=tuple(map(sibling, range(1, MOST + 2))))
    (*_, last) = gather_earlier(mr, {need: many}, FakeSource())[1]
    assert "of the 7 earlier merge requests from this branch, the newest 6 were read" in last

    endless = Siblings(items=(), following="x")
    source = FakeSource({replace(need, after="x"): endless})
    (words,) = gather_earlier(mr, {need: endless}, source)[1]
    assert "too many merge requests came from branches of this name" in words
    assert len(source.rounds) == PAGES


@pytest.mark.parametrize(
    ("fact", "words"),
    [(Unread(reason="GitLab answered 500"), "GitLab answered 500"), (None, "it was not looked up")],
)
def test_what_could_not_be_listed_is_not_known(fact: Unread | None, words: str) -> None:
    mr = make_merge_request()
    (unknown,) = gather_earlier(mr, {siblings_of(mr): fact}, FakeSource())[1]
    assert words in unknown
