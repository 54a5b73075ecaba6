"""What the bot's account may not read: the comment leads to whoever can give it access."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot import policy as rules
from bot.assessment import kinds
from bot.report.values import About
from bot.report.words import Words
from bot.sandbox.http.server import Server
from tests.builders import make_requirement
from tests.nomination_world import (
    NominationWorld,
    make_world,
    run_on,
    run_reading,
    shipped,
)
from tests.test_privacy import leave

ACCESS = (
    "Ask {} to give the bot\N{RIGHT SINGLE QUOTATION MARK}s account `@nomination-bot` access "
    "there, or to correct the process if that place is gone; then comment `/nomination recheck`"
)
OPERATOR = ACCESS.format("whoever runs the bot")


@pytest.fixture
def made() -> NominationWorld:
    return make_world()


def hide_group(made: NominationWorld) -> None:
    made.group.visibility = "private"


def hide_repository(made: NominationWorld) -> None:
    made.gateway.visibility = "private"
    leave(made, made.gateway)


def hide_merge_requests(made: NominationWorld) -> None:
    made.gateway.merge_requests_access = "private"
    leave(made, made.gateway)


def approved() -> tuple[rules.Policy, ...]:
    """Return the shipped policy, which asks for an approval alone."""
    asked = make_requirement(kinds.ApprovedBy(at_least=1, by="maintainers"))
    return tuple(replace(policy, requirements=(asked,)) for policy in shipped()[0])


@pytest.mark.parametrize("hide", [hide_group, hide_repository, hide_merge_requests])
def test_whoever_runs_the_bot_is_asked_for_access(
    made: NominationWorld, server: Server, hide: Callable[[NominationWorld], None]
) -> None:
    hide(made)
    outcome = run_on(server, made.nomination)
    step = outcome.next_step
    assert outcome.gate == "pending"
    assert f"cannot be read by the bot. {OPERATOR}, or" in step
    assert "to try again" not in step


def test_the_contact_is_who_is_asked(made: NominationWorld, server: Server) -> None:
    hide_group(made)
    words = Words(None, "https://gitlab.example.com", "nomination", About(contact="#ops"))
    assert ACCESS.format("#ops") in run_on(server, made.nomination, words=words).next_step


def test_whose_approval_counts_takes_access_too(made: NominationWorld, server: Server) -> None:
    hide_group(made)
    assert OPERATOR in run_on(server, made.nomination, policies=approved()).next_step


def test_it_is_said_at_once_that_nobody_can_be_assigned_before(server: Server) -> None:
    made = make_world(assigned=False)
    server.turn_to(made.world)
    hide_group(made)
    step = run_on(server, made.nomination).next_step
    assert "assigns this merge request to the manager `@mia`" in step
    assert f"cannot be read by the bot). {OPERATOR}." in step


def test_what_fails_otherwise_is_looked_at_again(made: NominationWorld, server: Server) -> None:
    made.gateway.repository.branches.clear()
    made.gateway.default_branch = ""
    step = run_on(server, made.nomination).next_step
    assert "access there" not in step


@pytest.mark.parametrize("place", ["group", "file"])
def test_after_the_merge_steps_that_cannot_be_told_take_access(
    made: NominationWorld, server: Server, place: str
) -> None:
    run_on(server, made.nomination)
    made.merge()
    if place == "group":
        hide_group(made)
    else:
        made.provisioner.visibility = "private"
        leave(made, made.provisioner)
    body = run_on(server, made.nomination).body
    assert f"cannot be read by the bot. {OPERATOR}." in body


def test_the_doctor_names_the_group(made: NominationWorld, server: Server) -> None:
    hide_group(made)
    told = " ".join(run_reading(server, "doctor").stdout.split())
    assert "it does not exist for the bot" in told
    assert "give the bot's account read access there, or mend the policy" in told


def test_words_of_an_entry_are_not_taken_for_a_lack_of_access(
    made: NominationWorld, server: Server
) -> None:
    # YAML decodes what a tag holds, and the message about it shows that.
    path = "data/team_members/person/m/mia.yml"
    text = b"gitlab: !the%20group%20cannot%20be%20read%20by%20the%20bot mia\n"
    made.push({path: text}, branch="main", by="olga")
    step = run_on(server, made.nomination).next_step
    assert "the group cannot be read by the bot" in step
    assert "access there" not in step
    assert "recheck` to try again" in step


def test_what_else_is_unknown_hides_no_lack_of_access(
    made: NominationWorld, server: Server
) -> None:
    made.push({"data/team_members/person/m/mia.yml": b"gitlab: !x mia\n"}, branch="main", by="olga")
    hide_group(made)
    step = run_on(server, made.nomination).next_step
    assert f"cannot be read by the bot. {OPERATOR}, or" in step
