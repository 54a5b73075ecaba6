"""The world of a nomination whose policy lets the bot open the merge requests for steps."""

from dataclasses import replace
from functools import cache
from typing import Any

from bot.policy import ListedIn
from bot.policy.values import Policy
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Level, Member, MergeRequest, Project
from tests.nomination_world import START, NominationWorld, Outcome, make_world, run_on, shipped

FIRST = "nomination-bot/inventory-json-08b0ab9b/nina"


@cache
def opening_policies() -> tuple[Policy, ...]:
    """Return the shipped policies with `open: true` at every step about a file."""
    return tuple(
        replace(
            policy,
            follow_ups=tuple(
                replace(step, check=replace(step.check, open=True))
                if isinstance(step.check, ListedIn)
                else step
                for step in policy.follow_ups
            ),
        )
        for policy in shipped()[0]
    )


def make_offer_world() -> NominationWorld:
    """Build the world, with the bot's account in the projects of the files."""
    made = make_world()
    for project in (made.gateway, made.provisioner):
        join(made, project, Level.DEVELOPER)
    return made


def join(made: NominationWorld, project: Project, level: int) -> None:
    """Give the bot's account a role in a project."""
    bot = made.user("nomination-bot")
    project.members[bot.id] = Member(user=bot, level=level, created_at=START)


def look(server: Server, made: NominationWorld, **choices: Any) -> Outcome:
    """Look at the nomination by the policies that let the bot open merge requests."""
    return run_on(server, made.nomination, policies=opening_policies(), **choices)


def offers_in(project: Project) -> list[MergeRequest]:
    """List the merge requests from branches of the bot's."""
    found = project.merge_requests.values()
    return [mr for mr in found if mr.source_branch.startswith("nomination-bot/")]


def open_in(project: Project) -> list[MergeRequest]:
    """List those of them that are open."""
    return [mr for mr in offers_in(project) if mr.state == "opened"]


def change_file(made: NominationWorld, project: Project, path: str, old: str, new: str) -> None:
    """Let olga change a file on the default branch."""
    before = read(project, "main", path)
    assert old in before
    draft = CommitDraft(message="Change", changes={path: before.replace(old, new).encode()})
    actions.push(made.world, made.user("olga"), project, "main", draft)


def read(project: Project, ref: str, path: str) -> str:
    """Read a file of a branch."""
    commit = project.repository.find_commit(ref)
    assert commit is not None
    return (project.repository.content(commit, path) or b"").decode()
