"""Worlds built from plain files, and what is refused in them."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.story.seed import build_world, load_scenario
from bot.sandbox.story.seed_section import SeedError
from bot.sandbox.world.access import find_level
from bot.sandbox.world.entities import Level
from tests.sandbox_client import Api

TOKEN = "glpat-made-up"  # noqa: S105 - nobody's
SEED = f"""
now: 2026-03-01T10:00:00Z
users:
  ann: {{id: 10, name: Ann Example, created_at: 2020-01-01}}
  bob:
  robot: {{bot: true, state: active}}
groups:
  top/low/deep: {{visibility: private, members: {{ann: owner}}}}
  top/low:
    id: 50
    name: Low
    members:
      ann: maintainer
      bob: {{level: developer, expires: 2026-05-01}}
    shared_with: {{}}
  friends: {{members: {{robot: developer}}}}
projects:
  top/low/team:
    id: 77
    name: Team
    description: Data
    settings: {{tier: ultimate, pipelines: push, approvals_required: 2}}
    members: {{robot: developer}}
    shared_with: {{friends: reporter}}
    labels: [one, two]
    webhooks: [{{url: /hook, events: [notes, confidential_notes, pushes], token: t}}]
    triggers: [{{token: trigger-token, owner: ann}}]
    status_checks: [{{id: 4, name: gate, url: "http://x/", secret: s}}]
    began: 2025-01-01
    history:
      - {{dir: 01-trainee, author: bob, at: 2025-06-01T12:00:00Z, message: Become a trainee}}
    merge_requests:
      - {{author: ann, count: 2, title: "Speed up {{n}}", from: 2026-01-01, every_hours: 12}}
      - author: bob
        target: next
        state: opened
        people: {{ann: approved, robot: commented, bob: commented_only}}
      - {{author: bob, state: closed, people: {{ann: requested_changes}}}}
  ann/team: {{forked_from: top/low/team, visibility: internal, protected: []}}
tokens:
  - {{token: {TOKEN}, user: robot, scopes: [api, read_api], expires: 2027-01-01}}
  - {{token: old, user: ann, revoked: true, kind: personal}}
"""


def write_scenario(root: Path, seed: str = SEED) -> Path:
    files = root / "files" / "top" / "low" / "team" / "data"
    files.mkdir(parents=True)
    (files / "a.yml").write_text("a: 1\n")
    (files / "gone.yml").write_text("x\n")
    (files / "run").write_text("#!/bin/sh\n")
    (files / "run").chmod(0o755)
    (files / "link").symlink_to("a.yml")
    overlay = root / "history" / "01-trainee" / "data"
    overlay.mkdir(parents=True)
    (overlay / "a.yml").write_text("a: 2\n")
    (overlay / "gone.yml.deleted").write_text("")
    (root / "seed.yml").write_text(seed)
    return root


def test_people_and_groups_come_as_written(tmp_path: Path) -> None:
    world = load_scenario(write_scenario(tmp_path))
    ann, bob = world.user("ann"), world.user("bob")
    assert (ann.id, ann.name, ann.created_at.year) == (10, "Ann Example", 2020)
    assert (bob.id, bob.name, world.user("robot").bot) == (11, "bob", True)
    low, deep = world.find_group("top/low"), world.find_group("top/low/deep")
    assert low is not None
    assert deep is not None
    assert deep.parent is low
    assert low.parent is world.find_group("top")
    assert (low.id, low.name) == (50, "Low")
    assert low.members[bob.id].expires_at == date(2026, 5, 1)
    assert world.now == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_a_project_comes_with_all_that_hangs_on_it(tmp_path: Path) -> None:
    world = load_scenario(write_scenario(tmp_path))
    project = world.project("top/low/team")
    assert (project.id, project.settings.tier, project.settings.approvals_required) == (
        77,
        "ultimate",
        2,
    )
    assert list(project.labels) == ["one", "two"]
    assert [each.name for each in project.protected_branches] == ["main"]
    (hook,) = project.webhooks
    assert (hook.url, hook.merge_requests_events, hook.note_events, hook.push_events) == (
        "/hook",
        False,
        True,
        True,
    )
    assert project.triggers[0].owner is world.user("ann")
    assert (project.status_checks[0].id, project.status_checks[0].shared_secret) == (4, "s")
    assert find_level(world.user("ann"), project, world.now.date()) == Level.MAINTAINER
    fork = world.project("ann/team")
    assert (fork.forked_from, fork.owner) == (project, world.user("ann"))
    assert fork.repository.branches == project.repository.branches
    assert world.tokens[0].scopes == ("api", "read_api")
    assert world.tokens[1].revoked


def test_files_and_overlays_become_history(tmp_path: Path) -> None:
    repository = load_scenario(write_scenario(tmp_path)).project("top/low/team").repository
    head = repository.find_commit("main")
    assert head is not None
    assert sorted(head.tree) == ["data/a.yml", "data/link", "data/run"]
    assert repository.content(head, "data/a.yml") == b"a: 2\n"
    assert [head.tree[f"data/{name}"].mode for name in ("link", "run")] == ["120000", "100755"]
    assert repository.content(head, "data/link") == b"a.yml"
    told = [
        (each.title, each.author.name, each.author.at.date().isoformat())
        for each in repository.log(head.sha, "data/a.yml")
    ]
    assert told == [
        ("Become a trainee", "bob", "2025-06-01"),
        ("Initial commit", "Administrator", "2025-01-01"),
    ]


def test_bulk_history_shows_who_did_what(tmp_path: Path) -> None:
    world = load_scenario(write_scenario(tmp_path))
    mrs = world.project("top/low/team").merge_requests
    assert [(mr.iid, mr.state, mr.title) for mr in mrs.values()] == [
        (1, "merged", "Speed up 1"),
        (2, "merged", "Speed up 2"),
        (3, "opened", "Change 3"),
        (4, "closed", "Change 4"),
    ]
    assert [f"{mrs[number].merged_at:%d %H}" for number in (1, 2)] == ["01 00", "01 12"]
    busy = mrs[3]
    assert {each.user.username: each.state for each in busy.reviewers} == {
        "ann": "approved",
        "robot": "unreviewed",
    }
    assert [each.username for each in busy.approvals] == ["ann"]
    assert [note.author.username for note in busy.comments] == ["robot", "bob"]
    assert [note.body for note in busy.notes if note.system] == ["approved this merge request"]
    assert (mrs[4].reviewers[0].state, mrs[4].merged_at) == ("requested_changes", None)


def test_requests_without_commits_are_still_shown(tmp_path: Path) -> None:
    world = load_scenario(write_scenario(tmp_path))
    api = Api(world, "robot")
    reply = api.get("/projects/77/merge_requests/1")
    assert (reply.status, reply.body["state"], reply.body["changes_count"]) == (200, "merged", "0")
    for part in ("diffs", "commits", "versions", "notes"):
        assert api.get(f"/projects/77/merge_requests/1/{part}").status == 200
    # Without its branch it cannot be merged: `broken?` of app/models/merge_request.rb.
    assert api.get("/projects/77/merge_requests/3").body["has_conflicts"] is True


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"usres": {}}, "seed: unknown key 'usres'; known are groups, now, projects"),
        ({"users": {"x": {"nmae": "X"}}}, "users.x: unknown key 'nmae'"),
        ({"users": {"x": {"id": "one"}}}, "users.x.id: expected int, found 'one'"),
        ({"users": {"x": {"bot": 1}}}, "users.x.bot: expected bool"),
        ({"users": {"x": {"id": True}}}, "users.x.id: expected int"),
        ({"users": {"x": []}}, "users.x: expected a mapping"),
        ({"now": "today"}, "seed.now: expected a time"),
        ({"groups": {"g": {"members": {"nobody": "owner"}}}}, "no user 'nobody'"),
        ({"groups": {"g": {"members": {"ann": "king"}}}}, "unknown level 'king'"),
        ({"groups": {"g": {"shared_with": {"h": "owner"}}}}, "no group 'h'"),
        ({"groups": {"ann": {}}}, "the name 'ann' is taken"),
        ({"projects": {"g/p": {"settings": {"tear": "x"}}}}, "unknown key 'tear'"),
        ({"projects": {"g/p": {"forked_from": "x/y"}}}, "no project 'x/y'"),
        ({"projects": {"g/p": {"webhooks": [{"url": "/", "events": ["rain"]}]}}}, "'rain'"),
        ({"projects": {"g/p": {"webhooks": [{}]}}}, "webhooks[0]: url is missing"),
        ({"projects": {"g/p": {"history": [{"dir": "no", "author": "ann"}]}}}, "no directory"),
        ({"projects": {"g/p": {"merge_requests": [{"author": "no"}]}}}, "no user 'no'"),
        (
            {"projects": {"g/p": {"merge_requests": [{"author": "ann", "state": "lost"}]}}},
            "unknown 'lost'",
        ),
        (
            {"projects": {"g/p": {"merge_requests": [{"author": "ann", "people": {"ann": "x"}}]}}},
            "people.ann: unknown 'x'; known are approved",
        ),
        ({"tokens": [{"token": "x"}]}, "tokens[0]: user is missing"),
        ({"tokens": {}}, "seed.tokens: expected list"),
    ],
)
def test_a_seed_that_says_something_else_is_refused_with_its_place(
    tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    content = {"users": {"ann": {}}, **change}
    content["users"] = {"ann": {}, **content["users"]}
    with pytest.raises(ValueError, match=re.escape(problem)):
        build_world(content, tmp_path)


@pytest.mark.parametrize("seed", [None, "a: [", "[]"])
def test_a_scenario_without_a_readable_seed_is_refused(tmp_path: Path, seed: str | None) -> None:
    if seed is not None:
        (tmp_path / "seed.yml").write_text(seed)
    with pytest.raises(SeedError, match="seed"):
        load_scenario(tmp_path)
