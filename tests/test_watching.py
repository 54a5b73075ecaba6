"""The mark by which the sweep finds a nomination, whatever the merge request was before."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.app.sweep import sweep_all
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import MergeRequestUpdate
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Level, Member, Token
from tests.nomination_world import (
    ENTRY,
    SECRET,
    TEAM,
    NominationWorld,
    add_user,
    connect,
    entry,
    make_choices,
    make_world,
    open_another,
    run_on,
    settings,
)
from tests.processes import run_here

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


def look_at_all(server: Server, **choices: Any) -> list[int | None]:
    """Sweep; return what was looked at."""
    with connect(server.url, calls=200) as client:
        return [look.iid for look in sweep_all(TEAM, make_choices(**choices), client)]


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


# --- a token that was made anew is another account ----------------------------------------


def renew_account(made: NominationWorld) -> int:
    """Give the token to a new account; return the id of the one before."""
    world = made.world
    former, successor = world.user("nomination-bot"), add_user(world, "nomination-bot-2")
    successor.bot = True
    made.team.members[successor.id] = Member(
        user=successor, level=Level.DEVELOPER, created_at=world.now
    )
    world.tokens[:] = [Token(id=world.next_id("token"), value=SECRET, user=successor)]
    return former.id


def sweep_by_command(server: Server, **more: str) -> tuple[int, str]:
    """Sweep as a job does; return the exit code and the log."""
    done = run_here("sweep", **settings(server.url, job=True), **more)
    return done.returncode, done.stdout + done.stderr


def test_the_sweep_finds_what_a_former_account_marked(
    made: NominationWorld, server: Server
) -> None:
    run_on(server, made.nomination)
    assert [job.status for job in made.statuses()] == ["success"]
    made.world.tick(30 * 86_400)
    former = renew_account(made)
    actions.assign(made.world, made.user("nina"), made.nomination, [])
    made.world.tick(30 * 86_400)
    code, log = sweep_by_command(server, NOMINATION_BOT_FORMER_IDS=str(former))
    assert (code, "Looked at 1 merge requests." in log) == (0, True)
    assert [job.status for job in made.statuses() if not job.retried] == ["failed"]
    by = {award.user.username for award in made.nomination.awards if award.name == "eyes"}
    assert by == {"nomination-bot", "nomination-bot-2"}


def test_the_green_status_of_a_former_account_does_not_stay(
    made: NominationWorld, server: Server
) -> None:
    run_on(server, made.nomination)
    former = renew_account(made)
    # Withdrawn: without its comment only the status tells that the bot was here.
    push(made, "reviewer")
    made.nomination.notes.clear()
    actions.set_commit_status(
        made.world,
        made.world.user("nomination-bot"),
        made.team,
        str(made.nomination.head_sha),
        actions.StatusDraft(state="failed", name="nomination-bot", ref=BRANCH),
    )
    run_on(server, made.nomination, former_ids=frozenset({former}))
    (job,) = [
        job for job in made.statuses() if not job.retried and job.sha == made.nomination.head_sha
    ]
    assert (job.status, job.author.username) == ("success", "nomination-bot-2")


def test_a_hold_that_a_former_account_ticked_outlasts_its_author(
    made: NominationWorld, server: Server
) -> None:
    made.say("/nomination hold not this week")
    run_on(server, made.nomination)
    ids = frozenset({renew_account(made)})
    del made.group.members[made.user("max").id]
    people = [made.user("mia"), made.user("olga")]
    actions.assign(made.world, made.user("nina"), made.nomination, people)
    outcome = run_on(server, made.nomination, former_ids=ids)
    assert (outcome.gate, "**On hold** by `@max`" in outcome.body) == ("failed", True)
    made.say("/nomination release", by="olga")
    assert run_on(server, made.nomination, former_ids=ids).gate == "passed"


def test_steps_after_the_merge_are_followed_by_the_new_account(
    made: NominationWorld, server: Server
) -> None:
    run_on(server, made.nomination)
    made.merge()
    former = renew_account(made)
    made.world.tick(20 * 86_400)
    open_another(made, "other", "notes.md")
    assert look_at_all(server) == []
    ids = frozenset({former})
    assert look_at_all(server, former_ids=ids) == [made.nomination.iid]
    # From now on the new account finds it by its own mark.
    assert look_at_all(server) == [made.nomination.iid]
    made.world.tick(100 * 86_400)
    assert look_at_all(server, former_ids=ids) == [made.nomination.iid]


def test_a_stranger_who_copies_the_mark_costs_nothing(
    made: NominationWorld, server: Server
) -> None:
    merged = open_another(made, "other", "notes.md")
    actions.merge(made.world, made.user("olga"), merged)
    actions.award_emoji(made.world, made.user("max"), merged, "eyes")
    former = renew_account(made)
    assert look_at_all(server, former_ids=frozenset({former})) == [made.nomination.iid]


def test_a_mark_that_is_refused_fails_the_run(made: NominationWorld, server: Server) -> None:
    server.fault(Fault(route="POST */merge_requests/*/award_emoji", kind=Kind.FORBIDDEN))
    outcome = run_on(server, made.nomination)
    (problem,) = outcome.problems
    assert problem.startswith("mark: GitLab refused the emoji :eyes: by which the sweep finds")
    assert made.own_notes()
    assert made.statuses()


def test_a_mark_that_another_run_put_there_meanwhile_is_no_failure(
    made: NominationWorld, server: Server
) -> None:
    def mark_first(request: Any) -> bool:
        if request.method == "POST" and request.path.endswith("/award_emoji"):
            bot = made.world.user("nomination-bot")
            if not made.nomination.awards:
                actions.award_emoji(made.world, bot, made.nomination, "eyes")
        return False

    server.hold(mark_first)
    assert run_on(server, made.nomination).problems == []


def test_what_a_locked_discussion_keeps_the_bot_from_is_told(
    made: NominationWorld, server: Server
) -> None:
    olga, bot = made.user("olga"), made.user("nomination-bot")
    del made.team.members[bot.id]
    changes = MergeRequestUpdate(discussion_locked=True)
    actions.update_merge_request(made.world, olga, made.nomination, changes)
    outcome = run_on(server, made.nomination)
    assert any(problem.startswith("mark: ") for problem in outcome.problems)


def test_a_list_of_marked_ones_that_cannot_be_read_fails_the_sweep(
    made: NominationWorld, server: Server
) -> None:
    former = renew_account(made)
    server.fault(Fault(route="POST /api/graphql", kind=Kind.GRAPHQL_ERRORS, calls={1, 2}))
    with connect(server.url) as client:
        looks = sweep_all(TEAM, make_choices(former_ids=frozenset({former})), client)
    (lost,) = [look for look in looks if look.iid is None]
    assert lost.problems[0].what == "what a former account marked was not all listed"
