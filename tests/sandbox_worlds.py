"""A small GitLab to act on: one project, one merge request, people of every level."""

from datetime import UTC, datetime

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft
from bot.sandbox.world.entities import (
    Level,
    Member,
    MergeRequest,
    Project,
    ProjectSettings,
    Protection,
    TriggerToken,
    User,
)
from bot.sandbox.world.repository import Repository, Signature
from bot.sandbox.world.state import World

NOW = datetime(2026, 2, 2, 9, tzinfo=UTC)
LEVELS = {
    "owner": Level.OWNER,
    "maintainer": Level.MAINTAINER,
    "developer": Level.DEVELOPER,
    "author": Level.DEVELOPER,
    "reporter": Level.REPORTER,
}
OUTSIDER = "outsider"
PROJECT = "group/team"


def make_world(files: dict[str, bytes] | None = None, *, tier: str = "premium") -> World:
    """Build a world with `PROJECT`, a member of every level and an outsider."""
    world = World(NOW)
    people = {}
    for name in (*LEVELS, OUTSIDER):
        people[name] = world.add_user(
            User(id=world.next_id("user"), username=name, name=name.title(), created_at=NOW)
        )
    repository = Repository()
    tree = repository.changed_tree({}, files or {"README.md": b"hello\n"})
    signature = Signature(name="Owner", email="owner@example.com", at=NOW)
    repository.commit_tree("main", tree, "Begin", signature)
    project = Project(
        id=world.reserve_id("project", 7),
        path_with_namespace=PROJECT,
        name="Team",
        created_at=NOW,
        repository=repository,
        settings=ProjectSettings(tier=tier),
        protected_branches=[Protection(name="main")],
        members={
            people[name].id: Member(user=people[name], level=level, created_at=NOW)
            for name, level in LEVELS.items()
        },
    )
    trigger = TriggerToken(id=1, value="glptt-not-a-real-one", owner=people["owner"])
    project.triggers.append(trigger)
    world.add_project(project)
    return world


def open_mr(world: World, branch: str = "change", title: str = "Change") -> MergeRequest:
    """Let the author push a branch and open a merge request for it."""
    author, project = world.user("author"), world.project(PROJECT)
    draft = CommitDraft(message="Change", changes={f"{branch}.md": b"new\n"})
    actions.push(world, author, project, branch, draft)
    opening = MergeRequestDraft(title=title, source_branch=branch, target_branch="main")
    return actions.open_merge_request(world, author, project, opening)
