"""Whom and what the bot trusts: forged events, claims in entries, and people without a say."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft
from bot.sandbox.http.server import Server
from bot.sandbox.webhooks.bodies import build_note_body
from bot.sandbox.world.entities import Level, MergeRequest
from bot.sandbox.world.state import Event
from tests.nomination_world import (
    ENTRY,
    FOLDER,
    NominationWorld,
    awards,
    entry,
    look_once,
    make_world,
    settings,
)
from tests.processes import run_here, write_payload

MIA = f"{FOLDER}/m/mia.yml"
MAX = f"{FOLDER}/m/max.yml"
BRANCH = "nominate-nina"
WAIVE = "/nomination waive reviewed enough"
POLICY = "bot/policies/ai-gateway.yml"
Body = dict[str, Any]


# --- forged events, through the door that a runner uses ----------------------------------


def run_payload(
    tmp_path: Path, made: NominationWorld, body: Body | bytes, **more: str
) -> tuple[int, str, int]:
    """Run the bot's job on a payload; return exit code, log and count of requests."""
    with Server(made.world) as server:
        job = settings(server.url, job=True) | more
        done = run_here("run", TRIGGER_PAYLOAD=write_payload(tmp_path, body), **job)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr, len(made.world.requests)


def with_project(body: Body) -> Body:
    """Claim another project."""
    return {**body, "project": {**body["project"], "path_with_namespace": "evil/team", "id": 1}}


def with_merge_request(body: Body) -> Body:
    """Claim a merge request that there is none of."""
    return {**body, "object_attributes": {**body["object_attributes"], "iid": 404}}


def doubled(body: Body) -> bytes:
    """Repeat the key that says which merge request is meant."""
    return json.dumps(body).replace('"iid":', '"iid": 2, "iid":').encode()


FORGED: Mapping[str, tuple[Callable[[Body], Body], int, bool]] = {
    "another project": (with_project, 0, False),
    "another merge request": (with_merge_request, 1, True),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_event_writes_nothing_and_is_told_in_a_line(tmp_path: Path, name: str) -> None:
    forge, code, asks = FORGED[name]
    made = make_world()
    exit_code, log, requests = run_payload(tmp_path, made, forge(made.opening()))
    assert (exit_code, len(log.splitlines()), bool(requests)) == (code, 1, asks)
    assert made.writes() == []


BROKEN: Mapping[str, Callable[[Body], Body | bytes]] = {
    "no number": lambda b: {**b, "object_attributes": {"iid": "1"}},
    "duplicate keys": doubled,
    "deep": lambda _: b'{"object_kind":' + b"[" * 200_000,
    "enormous": lambda _: b'{"a": "' + b"x" * (26 * 1024 * 1024) + b'"}',
    "no JSON": lambda _: b"\x00\xff",
}


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_event_leads_to_what_gitlab_says_and_no_further(tmp_path: Path, name: str) -> None:
    made = make_world(reviewed=0)
    exit_code, log, _ = run_payload(tmp_path, made, BROKEN[name](made.opening()))
    assert exit_code == 0
    assert "The payload is not what GitLab sends: " in log
    assert "Looked at 1 merge requests." in log
    assert [status.status for status in made.statuses()] == ["failed"]


def test_a_project_that_is_not_configured_is_never_looked_at(tmp_path: Path) -> None:
    made = make_world()
    other = {"NOMINATION_BOT_TEAM_PROJECT": "elsewhere/another"}
    exit_code, log, requests = run_payload(tmp_path, made, made.opening(), **other)
    assert (exit_code, requests) == (0, 0)
    assert "another project" in log


def test_who_wrote_what_is_read_again_and_never_taken_from_the_event(tmp_path: Path) -> None:
    made = make_world(reviewed=0)
    note = made.say(f"{WAIVE}\n\nI am a maintainer, believe me.", by="dora")
    event = Event(at=made.world.now, kind="note_created", actor=made.user("max"))
    body = build_note_body(made.world, event, made.nomination, note)
    body["user"] = {**body["user"], "username": "max"}
    body["object_attributes"]["author_id"] = made.user("max").id
    body["merge_request"]["author_id"] = made.user("dora").id
    exit_code, _, _ = run_payload(tmp_path, made, body)
    assert exit_code == 0
    assert made.gate() == "failed"
    assert "by `@max`" not in made.own_notes()[0].body


# --- what a merge request may claim ------------------------------------------------------


def push(made: NominationWorld, files: Mapping[str, bytes | None], mode: str | None = None) -> None:
    """Push to the branch of the nomination."""
    draft = CommitDraft(message="Change", changes=files, mode=mode)
    actions.push(made.world, made.user("nina"), made.team, BRANCH, draft)


def bring_policy(made: NominationWorld) -> None:
    """Bring a policy that asks for nothing."""
    push(made, {POLICY: b"id: ai-gateway\nrequirements: []\n"})


def choose_manager(made: NominationWorld) -> None:
    """Name a friend as manager, and assign the friend."""
    made.push({MAX: entry("max", None, "olga")}, branch="main", by="olga")
    push(made, {ENTRY: entry("nina", "maintainer", "max")})
    actions.assign(made.world, made.user("nina"), made.nomination, [made.user("max")])


def rewrite_manager(made: NominationWorld) -> None:
    """Make a friend the account of the manager's entry."""
    push(made, {MIA: entry("dora", None, "olga")})
    people = [made.user("dora"), made.user("max")]
    actions.assign(made.world, made.user("nina"), made.nomination, people)


def claim_username(made: NominationWorld) -> None:
    """Claim the account of somebody who has done the work."""
    push(made, {ENTRY: entry("dora", "maintainer")})


def claim_bot(made: NominationWorld) -> None:
    """Nominate the bot itself, under an entry of its own."""
    bot = f"{FOLDER}/n/bot.yml"
    made.push({bot: entry("nomination-bot", "reviewer")}, branch="main", by="olga")
    push(made, {ENTRY: entry("nina", "reviewer"), bot: entry("nomination-bot", "maintainer")})


def manage_oneself(made: NominationWorld) -> None:
    """Be one's own manager since long ago."""
    made.nomination = renew(made, "nina", "nina")
    people = [made.user("nina"), made.user("max")]
    actions.assign(made.world, made.user("nina"), made.nomination, people)


def climb_out(made: NominationWorld) -> None:
    """Name a manager by a path that leaves the folder."""
    made.nomination = renew(made, "nina", "../m/mia")
    people = [made.user("mia"), made.user("max")]
    actions.assign(made.world, made.user("nina"), made.nomination, people)


def rename_account(made: NominationWorld) -> None:
    """Have an entry whose account is gone, as after a rename."""
    made.nomination = renew(made, "nino", "mia")
    people = [made.user("mia"), made.user("max")]
    actions.assign(made.world, made.user("nina"), made.nomination, people)


def renew(made: NominationWorld, username: str, manager: str) -> MergeRequest:
    """Nominate by a new merge request somebody whose entry is on the target branch."""
    made.push({ENTRY: entry(username, "reviewer", manager)}, branch="main", by="olga")
    return made.open({ENTRY: entry(username, "maintainer", manager)}, branch="again")


def link_elsewhere(made: NominationWorld) -> None:
    """Make the entry a link to a file that is no entry."""
    push(made, {ENTRY: None})
    push(made, {"data/other.yml": entry("nina", "maintainer")})
    push(made, {ENTRY: b"../../../other.yml"}, mode="120000")


def assign_oneself(made: NominationWorld) -> None:
    """Be in the maintainers' group already, as the only assigned maintainer."""
    join(made, "nina")
    people = [made.user("mia"), made.user("nina")]
    actions.assign(made.world, made.user("nina"), made.nomination, people)


def join(made: NominationWorld, name: str) -> None:
    """Let an Owner add somebody to the maintainers' group."""
    group, level = made.group, Level.MAINTAINER
    actions.add_member(made.world, made.user("olga"), group, made.user(name), level)


CLAIMS: Mapping[str, tuple[Callable[[NominationWorld], None], Mapping[str, int]]] = {
    "a policy in the merge request": (bring_policy, {"reviewed": 4}),
    "the nominee's choice of manager": (choose_manager, {}),
    "a friend's account in the manager's entry": (rewrite_manager, {}),
    "somebody else's account": (claim_username, {"authored": 6}),
    "the bot's account": (claim_bot, {}),
    "oneself as manager": (manage_oneself, {}),
    "a path as manager": (climb_out, {}),
    "an account that is gone": (rename_account, {}),
    "an entry that is a symbolic link": (link_elsewhere, {}),
    "oneself as assigned maintainer": (assign_oneself, {}),
}


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", CLAIMS)
def test_no_claim_of_a_merge_request_opens_its_gate(name: str) -> None:
    claim, facts = CLAIMS[name]
    made = make_world(**facts)
    claim(made)
    look_once(made)
    assert made.gate() in {"failed", "pending"}
    assert len(made.own_notes()) == 1


def test_the_gate_of_the_same_world_is_open_without_any_claim() -> None:
    made = make_world()
    look_once(made)
    assert made.gate() == "success"


@pytest.mark.sample(1)
@pytest.mark.parametrize("pipelines", ["push", "merge_request_event", "none"])
def test_another_target_branch_never_opens_the_gate_of_the_same_head(pipelines: str) -> None:
    made = make_world(reviewed=0, settings={"tier": "premium", "pipelines": pipelines})
    made.push({ENTRY: entry("nina", "maintainer") + b"# mine\n"}, branch="mine")
    draft = MergeRequestDraft(title="Same head", source_branch=BRANCH, target_branch="mine")
    other = actions.open_merge_request(made.world, made.user("nina"), made.team, draft)
    look_once(made)
    made.say("/nomination recheck", by="nina", mr=other)
    look_once(made, mr=other)
    assert [each.status for each in made.statuses()] == ["failed"]
    assert len(made.own_notes(other)) == 1


# --- whose commands count ----------------------------------------------------------------


def say_as_nominee(made: NominationWorld) -> None:
    """Waive as the nominee, who maintains the project already."""
    join(made, "nina")
    made.say(WAIVE, by="nina")


def say_as_nominator(made: NominationWorld) -> None:
    """Waive as a maintainer who opened the merge request."""
    made.nomination.author = made.user("max")
    made.say(WAIVE, by="max")


def say_and_leave(made: NominationWorld) -> None:
    """Waive as a maintainer who then leaves the group."""
    made.say(WAIVE, by="max")
    actions.remove_member(made.world, made.user("olga"), made.group, made.user("max"))
    join(made, "dora")
    actions.assign(
        made.world, made.user("nina"), made.nomination, [made.user("mia"), made.user("dora")]
    )


def say_and_be_blocked(made: NominationWorld) -> None:
    """Waive as a maintainer whose account is then blocked."""
    made.say(WAIVE, by="olga")
    actions.set_account_state(made.world, made.user("olga"), "blocked")


def be_edited(made: NominationWorld) -> None:
    """Be a maintainer whose harmless comment somebody else turns into a waiver."""
    note = made.say("Looks good.", by="max")
    actions.edit_note(made.world, made.user("olga"), made.nomination, note, WAIVE)


def say_as_stranger(made: NominationWorld) -> None:
    """Waive as somebody without a part in it."""
    made.say(WAIVE, by="dora")


def say_as_manager(made: NominationWorld) -> None:
    """Waive as the manager."""
    made.say(WAIVE, by="mia")


def say_and_join(made: NominationWorld) -> None:
    """Waive before becoming a maintainer."""
    made.say(WAIVE, by="dora")
    join(made, "dora")


SAYINGS: Mapping[Callable[[NominationWorld], None], str] = {
    say_as_nominee: "failed",
    say_as_nominator: "failed",
    say_and_leave: "failed",
    say_and_be_blocked: "failed",
    be_edited: "failed",
    say_as_stranger: "failed",
    say_as_manager: "success",
    say_and_join: "success",
}


@pytest.mark.sample(1)
@pytest.mark.parametrize("act", SAYINGS, ids=lambda act: act.__name__)
def test_a_waiver_counts_by_what_its_giver_is_now(act: Callable[[NominationWorld], None]) -> None:
    made = make_world(reviewed=4)
    act(made)
    look_once(made)
    assert made.gate() == SAYINGS[act]


def test_the_managers_waiver_stays_good_after_the_merge() -> None:
    made = make_world(reviewed=4)
    note = made.say(WAIVE, by="mia")
    look_once(made)
    made.merge()
    look_once(made)
    assert awards(note) == ["white_check_mark"]
    assert "no effect" not in made.own_notes()[0].body
