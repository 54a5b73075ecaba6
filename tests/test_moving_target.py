"""The target branch moves under open merge requests: what is judged is what a merge makes."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from bot.app.sweep import sweep_all
from bot.gitlab.files_query import SUBMODULE
from bot.publish.gate import GateKind
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.webhooks.bodies import build_push_body
from bot.sandbox.world.entities import MergeRequest
from bot.sandbox.world.repository import MODE_LINK
from tests.nomination_world import (
    ENTRY,
    FOLDER,
    GRAPHQL,
    STATUS,
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
from tests.processes import run_here

BOB = f"{FOLDER}/b/bob.yml"
# Two lines keep "maintainer" away from the AI Gateway; each of two merge requests drops one.
REMARKS = "  # as agreed\n  # see the handbook\n"
SPLIT = (
    "---\nname: Bob\ngitlab: bob\nreports_to: mia\nprojects:\n  ai-gateway:\n    - reviewer\n"
    f"  # kept for one\n{REMARKS}  charts:\n  # kept for two\n{REMARKS}  docs:\n"
    f"  # kept for three\n{REMARKS}    - maintainer\nstory: x\n"
)


@pytest.fixture
def made() -> NominationWorld:
    world = make_world()
    world.user("bob")
    return world


def open_from_main(made: NominationWorld, branch: str, content: str | bytes) -> MergeRequest:
    """Open a merge request that changes bob's entry."""
    raw = content.encode() if isinstance(content, str) else content
    return made.open({BOB: raw}, branch=branch)


def put(made: NominationWorld, content: str | bytes) -> None:
    """Push bob's entry to the target branch, past every merge request."""
    raw = content.encode() if isinstance(content, str) else content
    made.push({BOB: raw}, branch="main", by="olga")


def present(made: NominationWorld) -> bytes:
    """Return bob's entry as the target branch has it."""
    repository = made.team.repository
    commit = repository.find_commit("main")
    assert commit is not None
    return repository.content(commit, BOB) or b""


def open_split(made: NominationWorld) -> tuple[MergeRequest, MergeRequest]:
    """Open the two halves of a nomination, from one base."""
    put(made, SPLIT)
    one = open_from_main(made, "one", SPLIT.replace("  charts:\n", ""))
    two = open_from_main(made, "two", SPLIT.replace("  docs:\n", ""))
    return one, two


def test_of_a_role_in_two_halves_the_second_half_is_the_nomination(
    made: NominationWorld, server: Server
) -> None:
    one, two = open_split(made)
    for mr in (one, two):
        outcome = run_on(server, mr)
        assert (outcome.evaluation.findings.assessments, outcome.gate) == ((), None)
    actions.merge(made.world, made.user("olga"), one)
    outcome = run_on(server, two)
    (assessment,) = outcome.evaluation.findings.assessments
    assert (assessment.nomination.username, outcome.gate) == ("bob", "failed")
    actions.merge(made.world, made.user("olga"), two)
    assert b"- reviewer\n" in present(made)
    assert b":\n" not in present(made).split(b"- reviewer\n")[1]


def test_a_merge_makes_the_bot_look_at_once_at_what_touches_the_same_entry(
    made: NominationWorld, server: Server
) -> None:
    one, two = open_split(made)
    elsewhere = made.open({"README.md": b"hello\n"}, branch="readme")
    for mr in (one, two, elsewhere):
        run_on(server, mr)
    made.world.tick(60 * 86_400)  # nothing that the sweep would still call recent
    actions.merge(made.world, made.user("olga"), one)
    outcome = run_on(server, one)
    assert [(look.iid, look.problems) for look in outcome.evaluation.again] == [(two.iid, ())]
    assert made.gate(two) == "failed"
    assert len(made.own_notes(two)) == 1


def test_what_goes_wrong_with_the_others_is_not_the_runs_own_failure(
    made: NominationWorld, server: Server
) -> None:
    one, _ = open_split(made)
    actions.merge(made.world, made.user("olga"), one)
    run_on(server, one)
    made.world.requests.clear()
    run_on(server, one)
    asked = [r.body for r in made.world.requests if r.route == GRAPHQL]
    number = next(n for n, body in enumerate(asked) if "RecentMergeRequests" in str(body))
    server.fault(Fault(route=f"POST {GRAPHQL}", kind=Kind.FORBIDDEN, calls=[number]))
    outcome = run_on(server, one)
    (look,) = outcome.evaluation.again
    assert (look.iid, outcome.problems) == (None, [])
    assert "were not listed" in look.problems[0].what


def test_the_log_tells_what_was_looked_at_again_and_what_was_not(
    made: NominationWorld, server: Server
) -> None:
    one, two = open_split(made)
    for mr in (one, two):
        run_on(server, mr)
    actions.merge(made.world, made.user("olga"), one)
    server.fault(Fault(route="POST */notes", kind=Kind.FORBIDDEN))
    done = run_here("check", f"{TEAM}!{one.iid}", **settings(server.url))
    assert done.returncode == 0
    assert "Looked again at 2 open ones that touch the same entries." not in done.stdout
    assert "Looked again at 1 open ones that touch the same entries." in done.stdout
    assert f"!{two.iid}: comment: " in done.stderr


def test_of_very_many_the_marked_ones_are_looked_at_again_as_well(
    made: NominationWorld, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_on(server, made.nomination)
    made.world.tick(2 * 86_400)
    one, two = open_split(made)
    actions.merge(made.world, made.user("olga"), one)
    monkeypatch.setattr("bot.app.sweep.MOST_LISTED", 1)
    monkeypatch.setattr("bot.app.sweep.LONG_AGO", timedelta(hours=1))
    again = run_on(server, one).evaluation.again
    assert [look.iid for look in again] == [two.iid, made.nomination.iid]


def test_nothing_is_looked_at_again_for_an_old_or_foreign_merge(
    made: NominationWorld, server: Server
) -> None:
    one, _ = open_split(made)
    actions.merge(made.world, made.user("olga"), one)
    made.world.tick(2 * 3_600)
    assert run_on(server, one).evaluation.again == ()
    other = made.open({"README.md": b"hello\n"}, branch="readme")
    actions.merge(made.world, made.user("olga"), other)
    assert run_on(server, other).evaluation.again == ()


@pytest.mark.parametrize("gate", [GateKind.COMMIT_STATUS, GateKind.STATUS_CHECK])
def test_a_role_that_the_target_gave_and_took_back_is_watched_for(
    made: NominationWorld, server: Server, gate: GateKind
) -> None:
    add_check(made)
    put(made, entry("bob", "reviewer"))
    mr = open_from_main(made, "bob", entry("bob", "maintainer"))
    put(made, entry("bob", "maintainer"))
    assert run_on(server, mr, gate=gate).evaluation.findings.assessments == ()
    made.world.tick(60 * 86_400)
    put(made, entry("bob", "reviewer"))
    with connect(server.url, calls=200) as client:
        looks = sweep_all(TEAM, make_choices(gate), client)
    assert (mr.iid, ()) in [(look.iid, look.problems) for look in looks]
    if gate is GateKind.COMMIT_STATUS:
        assert made.gate(mr) == "failed"
    assert "bob" in made.own_notes(mr)[0].body


def test_a_merge_request_that_has_a_role_at_stake_is_marked_once_while_it_is_open(
    made: NominationWorld, server: Server
) -> None:
    put(made, entry("bob", "maintainer"))
    mr = open_from_main(made, "bob", entry("bob", "maintainer") + b"story: x\n")
    for _ in range(2):
        assert run_on(server, mr).evaluation.report is None
    assert [r.method for r in made.writes()] == ["POST"]
    with connect(server.url, calls=200) as client:
        for expected in ([mr.iid], [mr.iid]):
            looks = sweep_all(TEAM, make_choices(), client)
            assert [look.iid for look in looks if look.iid != made.nomination.iid] == expected
    actions.close(made.world, made.user("olga"), mr)
    run_on(server, mr)
    assert len([r for r in made.writes() if r.path.endswith(f"/{mr.iid}/award_emoji")]) == 1


def told_of_the_push(
    made: NominationWorld, server: Server, directory: Path, **more: Any
) -> CompletedProcess[str]:
    """Run the job that the newest push's event starts."""
    event = next(each for each in reversed(made.world.events) if each.kind == "branch_pushed")
    body = build_push_body(made.world, event, made.team) | more
    payload = directory / "payload.json"
    payload.write_text(json.dumps(body), "utf-8")
    return run_here("run", TRIGGER_PAYLOAD=payload, **settings(server.url))


def take_back(made: NominationWorld, how: str) -> None:
    """Take bob's role from the target branch without any merge request."""
    commits = made.team.repository.log(made.team.repository.branches["main"])
    before = next(islice(commits, 1, None)).sha
    olga = made.user("olga")
    if how == "push":
        put(made, entry("bob", "reviewer"))
    elif how == "force":
        actions.reset_branch(made.world, olga, made.team, "main", before)
    elif how == "many commits":
        put(made, entry("bob", "reviewer"))
        older = made.world.events[-1].changes["sha"][0]
        for number in range(20):
            made.push({"README.md": str(number).encode()}, branch="main", by="olga")
        event = next(e for e in reversed(made.world.events) if e.kind == "branch_pushed")
        moved = {"sha": (older, made.team.repository.branches["main"])}
        made.world.events.append(replace(event, changes=moved))
    else:  # moved away, and the role given up there
        made.push({BOB: None, "attic/bob.yml": present(made)}, branch="main", by="olga")


@pytest.mark.parametrize("how", ["push", "force", "many commits", "move"])
def test_a_push_to_the_target_makes_the_bot_look_at_once(
    made: NominationWorld, server: Server, tmp_path: Path, how: str
) -> None:
    put(made, entry("bob", "reviewer"))
    mr = open_from_main(made, "bob", entry("bob", "maintainer"))
    put(made, entry("bob", "maintainer"))
    assert run_on(server, mr).evaluation.findings.assessments == ()
    made.world.tick(30 * 86_400)
    take_back(made, how)
    done = told_of_the_push(made, server, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Looked at 1 merge requests." in done.stdout
    assert made.gate(mr) == ("pending" if how == "move" else "failed")
    assert made.world.violations == []


def test_a_push_whose_commits_are_not_known_leads_to_what_touches_any_entry(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    one, two = open_split(made)
    made.open({"README.md": b"hello\n"}, branch="readme")
    put(made, SPLIT.replace("  charts:\n", ""))
    done = told_of_the_push(made, server, tmp_path, before="0" * 40)
    assert "Looked at 3 merge requests." in done.stdout
    assert made.gate(two) == "failed"
    assert made.gate(one) is None
    assert made.gate() == "success"


def test_a_push_that_tells_no_default_branch_makes_the_bot_look_too(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    one, _ = open_split(made)
    put(made, SPLIT.replace("  charts:\n", ""))
    project = {"id": made.team.id, "path_with_namespace": TEAM, "default_branch": None}
    done = told_of_the_push(made, server, tmp_path, project=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Looked at 2 merge requests." in done.stdout
    assert made.gate(one) is None


def test_more_of_the_same_entry_than_a_merge_looks_at_hide_none_from_a_push(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    put(made, entry("bob", "reviewer"))
    mr = open_from_main(made, "bob", entry("bob", "maintainer"))
    put(made, entry("bob", "maintainer"))
    for number in range(10):
        made.world.tick(60)
        open_from_main(made, f"decoy-{number}", entry("bob", "reviewer") + b"x: %d\n" % number)
    take_back(made, "push")
    done = told_of_the_push(made, server, tmp_path)
    assert "Looked at 11 merge requests." in done.stdout
    assert made.gate(mr) == "failed"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"README.md": b"hello\n"}, "Nothing to do: a push that touches no entry."),
        ({"data/new.yml": b"a: b\n"}, "Looked at 0 merge requests."),
    ],
)
def test_a_push_of_other_files_ends_early(
    made: NominationWorld, server: Server, tmp_path: Path, files: dict[str, bytes], said: str
) -> None:
    made.push(files, branch="main", by="olga")
    made.world.requests.clear()
    done = told_of_the_push(made, server, tmp_path)
    assert (done.returncode, said in done.stdout) == (0, True)
    assert len(made.world.requests) <= 2


def test_a_list_of_changes_that_gitlab_cut_is_not_taken_for_whole(
    made: NominationWorld, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = made.team.repository.branches["main"]
    put(made, STANDING)
    new = made.team.repository.branches["main"]
    with connect(server.url) as client:
        assert client.fetch_changed(TEAM, old, new) == {BOB}
        monkeypatch.setattr("bot.sandbox.rest.repository.COMPARED_FILES", 0)
        assert client.fetch_changed(TEAM, old, new) is None


def account(name: str, role: str) -> bytes:
    """Write an entry in which account and role are not side by side."""
    return entry(name, role).replace(b"projects:", b"departments: x\nprojects:")


def test_an_account_that_changed_on_the_target_is_the_one_that_is_judged(
    made: NominationWorld, server: Server
) -> None:
    made.user("eve")
    put(made, account("nina", "trainee_maintainer"))
    mr = open_from_main(made, "bob", account("nina", "maintainer"))
    put(made, account("eve", "trainee_maintainer"))
    outcome = run_on(server, mr)
    (assessment,) = outcome.evaluation.findings.assessments
    assert assessment.nomination.username == "eve"
    assert outcome.gate == "failed"
    assert "another one on the target branch" in outcome.body
    assert "rebase" in outcome.body
    actions.assign(made.world, made.user("nina"), mr, [made.user("mia"), made.user("max")])
    assert "rebase it, or a maintainer waives it: " in run_on(server, mr).body


@pytest.mark.parametrize(
    ("before", "after", "advice"),
    [
        ("nina", "eve", "Merge the change of the account first"),
        ("nobody", "nobody", "Merge the right username into the entry first"),
        ("renovate", "renovate", "Merge a person&#39;s username into the entry first"),
    ],
    ids=["changes here", "none", "a bot"],
)
def test_what_no_further_look_settles_comes_with_what_does(
    made: NominationWorld, server: Server, before: str, after: str, advice: str
) -> None:
    made.user("eve")
    made.user("renovate").bot = True
    put(made, account(before, "trainee_maintainer"))
    mr = open_from_main(made, "bob", account(after, "maintainer"))
    actions.assign(made.world, made.user("nina"), mr, [made.user("mia"), made.user("max")])
    outcome = run_on(server, mr)
    assert outcome.gate == "pending"
    steps = [line for line in outcome.body.splitlines() if "could not be checked: " in line]
    assert len(steps) == 2
    assert all(f". {advice}" in step and "recheck" not in step for step in steps)
    assert all(f"waive @{after} " in step for step in steps)


@pytest.mark.parametrize(
    ("manager", "why"),
    [
        ("nina", "`reports_to` names the nominee"),
        ("nobody", "the entry that `reports_to` names does not exist"),
        ("silent", "the entry that `reports_to` names holds no account"),
        ("", "the entry had no `reports_to` before this merge request"),
    ],
)
def test_a_manager_who_cannot_be_assigned_is_asked_for_nowhere(
    made: NominationWorld, server: Server, manager: str, why: str
) -> None:
    made.push({f"{FOLDER}/s/silent.yml": b"name: Silent\n"}, branch="main", by="olga")
    before = entry("nina", "trainee_maintainer", manager)
    made.push({ENTRY: before}, branch="main", by="olga")
    mr = made.open({ENTRY: before.replace(b"trainee_", b"")}, branch="again")
    actions.assign(made.world, made.user("nina"), mr, [made.user("olga"), made.user("max")])
    outcome = run_on(server, mr)
    assert outcome.gate == "failed"
    assert f"**Next step:** the manager is not known ({why}): correct that first," in outcome.body
    assert "or a maintainer waives this point: `/nomination waive @nina assigned REASON`." in (
        outcome.body
    )


@pytest.mark.parametrize("is_readable", [True, False])
def test_where_no_maintainer_is_known_the_manager_waives(
    made: NominationWorld, server: Server, is_readable: bool
) -> None:
    made.group.members.clear()
    if not is_readable:
        made.group.visibility = "private"
    body = run_on(server, made.nomination).body
    assert "the manager waives it: `/nomination waive @nina assigned REASON`." in body
    note = made.say("/nomination waive assigned They are away.", by="mia")
    assert run_on(server, made.nomination).gate == "passed"
    assert [award.name for award in note.awards] == ["white_check_mark"]


@pytest.mark.parametrize("name", ["", "@bob ", "@eve "])
def test_what_was_waived_for_one_account_opens_nothing_for_the_next(
    made: NominationWorld, server: Server, name: str
) -> None:
    made.user("eve")
    put(made, account("bob", "trainee_maintainer"))
    mr = open_from_main(made, "bob", account("bob", "maintainer"))
    actions.assign(made.world, made.user("nina"), mr, [made.user("mia"), made.user("max")])
    if name == "@eve ":
        put(made, account("eve", "trainee_maintainer"))
    for requirement in ("authored", "reviewed"):
        made.say(f"/nomination waive {name}{requirement} known from elsewhere", mr=mr)
    if name != "@eve ":
        assert run_on(server, mr).gate == "passed"
        put(made, account("eve", "trainee_maintainer"))
    outcome = run_on(server, mr)
    assert outcome.gate != "passed"
    assert "from &#34;bob&#34; to &#34;eve&#34; on the target branch" in outcome.body
    assert "rebase" in outcome.body
    actions.rebase(made.world, made.user("nina"), mr)
    for requirement in ("authored", "reviewed"):
        made.say(f"/nomination waive @eve {requirement} known from elsewhere", mr=mr)
    assert run_on(server, mr).gate == "passed"


def test_who_is_nominated_while_the_entry_changes_elsewhere_is_judged(
    made: NominationWorld, server: Server
) -> None:
    content = entry("nina", "trainee_maintainer").replace(b"name: Nina", b"name: Nina Example")
    made.push({ENTRY: content}, branch="main", by="olga")
    assert run_on(server, made.nomination).gate == "passed"


@pytest.mark.parametrize(
    "changes",
    [
        {ENTRY: entry("nina", "trainee_maintainer") + b"  charts: reviewer\n"},
        {ENTRY: None},
        {ENTRY: None, f"{FOLDER}/n/nina2.yml": entry("nina", "trainee_maintainer")},
    ],
    ids=["touches", "removed", "renamed"],
)
def test_what_a_merge_would_make_is_unknown_until_a_rebase(
    made: NominationWorld, server: Server, changes: dict[str, bytes | None]
) -> None:
    assert run_on(server, made.nomination).gate == "passed"
    made.push(changes, branch="main", by="olga")
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "pending"
    assert "rebase the merge request" in outcome.body
    assert made.gate() == "pending"


@pytest.mark.parametrize("there", [entry("nils", "trainee_maintainer"), entry("nils")])
def test_an_entry_that_is_renamed_to_a_path_that_is_taken_since_is_unknown(
    made: NominationWorld, server: Server, there: bytes
) -> None:
    """Git merges no renamed file with one that was added at its new path."""
    nils = f"{FOLDER}/n/nils.yml"
    put(made, entry("bob", "maintainer"))
    mr = made.open({BOB: None, nils: entry("nils", "maintainer")}, branch="bob")
    made.push({BOB: entry("bob"), nils: there}, branch="main", by="olga")
    outcome = run_on(server, mr)
    assert outcome.gate == "pending"
    assert "rebase the merge request" in outcome.body
    assert made.gate(mr) == "pending"


# --- no merge base ----------------------------------------------------------------------


def open_orphan(made: NominationWorld, **files: Any) -> MergeRequest:
    """Open a merge request from a branch that has no ancestor in common with the target."""
    nina, team = made.user("nina"), made.team
    changes = {BOB: entry("bob", "maintainer"), **files}
    draft = CommitDraft(message="Begin anew", changes=changes, orphan=True)
    actions.push(made.world, nina, team, "orphan", draft)
    opening = MergeRequestDraft(title="Entries", source_branch="orphan", target_branch="main")
    return actions.open_merge_request(made.world, nina, team, opening)


def test_without_a_merge_base_the_gate_is_shut_and_the_way_out_is_told(
    made: NominationWorld, server: Server
) -> None:
    mr = open_orphan(made)
    assert mr.diff is not None
    assert mr.diff.base_sha is None
    outcome = run_on(server, mr)
    assert (outcome.gate, outcome.problems) == ("pending", [])
    assert "no common ancestor" in made.own_notes(mr)[0].body
    assert "rebase" in made.own_notes(mr)[0].body
    assert made.gate(mr) == "pending"
    before = len(made.writes())
    assert run_on(server, mr).calls <= 5
    assert made.writes()[before:] == []


def test_without_a_merge_base_the_wait_for_preparation_is_short(
    made: NominationWorld, server: Server
) -> None:
    mr = open_orphan(made)
    server.fault(Fault(route="POST /api/graphql", kind=Kind.UNPREPARED, calls=[0]))
    with connect(server.url) as client:
        found = client.fetch_merge_request(TEAM, mr.iid)
    assert (found.base_sha, found.changed_paths, client.calls <= 3) == (None, None, True)


def test_without_a_merge_base_another_branch_is_left_alone(
    made: NominationWorld, server: Server
) -> None:
    made.push({"x": b"x"}, branch="other")
    mr = open_orphan(made)
    update = replace(actions.MergeRequestUpdate(), target_branch="other")
    actions.update_merge_request(made.world, made.user("nina"), mr, update)
    assert run_on(server, mr).evaluation.report is None


# --- what lies among the entries --------------------------------------------------------


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("path", "mode"),
    [
        (f"{FOLDER}/b\\bob.yml", None),
        (f"{FOLDER}/b/bob.YML", None),
        (f"{FOLDER}/b/bob.yaml", None),
        (f"{FOLDER}/b/c/bob.yml", None),
        (f"{FOLDER}/b/bob", None),
        (f"{FOLDER}/bob.yml", None),
        (f"{FOLDER}/b/bob.yml", MODE_LINK),
        (f"{FOLDER}/b", MODE_LINK),
        (f"{FOLDER}/b/bob.yml", SUBMODULE),
        (f"{FOLDER}/b", SUBMODULE),
    ],
)
def test_what_may_be_taken_for_an_entry_shuts_the_gate(
    made: NominationWorld, server: Server, path: str, mode: str | None
) -> None:
    content = b"../../elsewhere.yml" if mode else entry("bob", "maintainer")
    draft = CommitDraft(message="Hide", changes={path: content}, mode=mode)
    actions.push(made.world, made.user("nina"), made.team, "hide", draft)
    opening = MergeRequestDraft(title="Tidy", source_branch="hide", target_branch="main")
    mr = actions.open_merge_request(made.world, made.user("nina"), made.team, opening)
    assert run_on(server, mr).gate == "pending"
    assert made.gate(mr) == "pending"


@pytest.mark.parametrize("path", [".gitattributes", f"{FOLDER}/b/.gitattributes"])
def test_what_lets_git_write_entries_out_as_other_bytes_shuts_the_gate(
    made: NominationWorld, server: Server, path: str
) -> None:
    text = b"*.md text\n"
    made.push({path: text}, branch="main", by="olga")
    harmless = made.open({path: text + b"*.yml text\n"}, branch="harmless")
    assert run_on(server, harmless).evaluation.report is None
    mr = made.open({path: text + b"*.yml working-tree-encoding=IBM037\n"}, branch="encode")
    outcome = run_on(server, mr)
    assert (outcome.gate, made.gate(mr)) == ("pending", "pending")
    assert "working-tree-encoding" in outcome.body


def test_other_files_among_the_entries_do_not_matter(made: NominationWorld, server: Server) -> None:
    mr = made.open({f"{FOLDER}/README.md": b"One file is one person.\n"}, branch="readme")
    assert run_on(server, mr).evaluation.report is None
    assert STATUS not in {job.name for job in made.statuses()}


# --- what a laxer reader takes for the role ---------------------------------------------

STANDING = entry("bob", "trainee_maintainer")


@pytest.mark.parametrize(
    "content",
    [
        entry("bob", "maintainer") + b'"projects ":\n  ai-gateway: trainee_maintainer\n',
        entry("bob", "maintainer") + b'"gitlab ": famous\n',
        entry("bob", "maintainer") + b'"reports_to ": friend\n',
        STANDING + b"  <<: {ai-gateway: maintainer}\n",
        STANDING + b"<<: {projects: {ai-gateway: maintainer}}\n",
        entry("bob").rstrip() + b"\nprojects:\n  !!binary YWktZ2F0ZXdheQ==: maintainer\n",
        STANDING + b"---\n" + entry("bob", "maintainer"),
    ],
)
@pytest.mark.parametrize("gate", [GateKind.COMMIT_STATUS, GateKind.STATUS_CHECK])
@pytest.mark.sample(1)
def test_what_others_may_take_for_the_role_shuts_the_gate(
    made: NominationWorld, server: Server, gate: GateKind, content: bytes
) -> None:
    add_check(made)
    put(made, STANDING)
    mr = open_from_main(made, "bob", content)
    assert run_on(server, mr, gate=gate).gate in {"pending", "failed"}
    (note,) = made.own_notes(mr)
    assert "plain keys" in note.body or "never loaded" in note.body
    before = len(made.writes())
    run_on(server, mr, gate=gate)
    assert made.writes()[before:] == []


def test_a_harmless_edit_of_an_odd_entry_is_nothing_to_tell(
    made: NominationWorld, server: Server
) -> None:
    odd = entry("bob", "reviewer") + b"<<: {projects: {charts: maintainer}}\n"
    put(made, odd)
    mr = open_from_main(made, "bob", odd.replace(b"name: Bob", b"name: Bob Example"))
    assert run_on(server, mr).evaluation.report is None


def test_two_halves_of_which_neither_holds_a_role_are_watched_for(
    made: NominationWorld, server: Server
) -> None:
    made.team.settings.pipelines = "merge_request_event"  # where the guard may run
    base = entry("bob") + b"earlier:\n  a: b\n  c: d\n  ai-gateway: x\nstory: x\n"
    put(made, base)
    one = open_from_main(made, "key", base.replace(b"earlier:", b"projects:"))
    two = open_from_main(made, "value", base.replace(b": x\nstory", b": maintainer\nstory"))
    for mr in (one, two):
        assert run_on(server, mr).evaluation.findings.assessments == ()
    made.world.tick(60 * 86_400)
    actions.merge(made.world, made.user("olga"), two)  # and its event is lost
    with connect(server.url, calls=200) as client:
        sweep_all(TEAM, make_choices(), client)
    assert made.gate(one) == "failed"
