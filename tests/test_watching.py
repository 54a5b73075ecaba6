"""The mark by which the sweep finds a nomination, whatever the merge request was before."""

from collections.abc import Callable

import pytest

from bot.app import sweep_all
from bot.sandbox import actions
from bot.sandbox.server import Server
from tests.nomination_world import (
    ENTRY,
    TEAM,
    NominationWorld,
    connect,
    entry,
    make_choices,
    make_world,
    run_on,
)

BRANCH = "nominate-nina"


@pytest.fixture
def made() -> NominationWorld:
    """Open a nomination that is ready."""
    return make_world()


def push(made: NominationWorld, role: str) -> None:
    """Change the role that the merge request writes into the entry."""
    made.push({ENTRY: entry("nina", role)}, branch=BRANCH)


def follow_a_near_miss(made: NominationWorld, server: Server) -> None:
    """Misspell the role first."""
    push(made, "maintaner")
    run_on(server, made.nomination)
    assert made.own_notes()
    push(made, "maintainer")


def renew_what_was_withdrawn(made: NominationWorld, server: Server) -> None:
    """Withdraw, let the sweep pass over it, and nominate again."""
    run_on(server, made.nomination)
    push(made, "reviewer")
    look_at_all(server)
    push(made, "maintainer")


def reopen(made: NominationWorld, server: Server) -> None:
    """Ask for a look while it is closed, then reopen."""
    olga = made.user("olga")
    actions.close(made.world, olga, made.nomination)
    made.say("/nomination recheck")
    run_on(server, made.nomination)
    assert made.own_notes()
    actions.reopen(made.world, olga, made.nomination)


def look_at_all(server: Server) -> list[int | None]:
    """Sweep; return what was looked at."""
    with connect(server.url, calls=200) as client:
        return [look.iid for look in sweep_all(TEAM, make_choices(), client)]


@pytest.mark.parametrize("before", [follow_a_near_miss, renew_what_was_withdrawn, reopen])
def test_the_sweep_finds_every_open_nomination_that_was_looked_at(
    made: NominationWorld, server: Server, before: Callable[[NominationWorld, Server], None]
) -> None:
    before(made, server)
    run_on(server, made.nomination)
    assert look_at_all(server) == [made.nomination.iid]


def test_a_nomination_is_marked_once(made: NominationWorld, server: Server) -> None:
    run_on(server, made.nomination)
    made.say("/nomination hold not yet")
    run_on(server, made.nomination)
    path = f"/merge_requests/{made.nomination.iid}/award_emoji"
    assert sum(each.path.endswith(path) for each in made.writes()) == 1


def test_what_the_sweep_let_go_is_not_marked_again(made: NominationWorld, server: Server) -> None:
    run_on(server, made.nomination)
    made.merge()
    nina, olga = made.user("nina"), made.user("olga")
    actions.add_member(made.world, olga, made.group, nina, 40)
    for project, path in ((made.provisioner, "inventory.json"), (made.gateway, "renovate.json")):
        found = project.repository.find_commit("main")
        assert found is not None
        text = (project.repository.content(found, path) or b"").replace(b'"max"', b'"max", "nina"')
        draft = actions.CommitDraft(message="Add nina", changes={path: text})
        actions.push(made.world, olga, project, "main", draft)
    look_at_all(server)
    before = len(made.writes())
    run_on(server, made.nomination)
    assert look_at_all(server) == []
    assert len(made.writes()) == before
