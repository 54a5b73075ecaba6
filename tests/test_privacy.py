"""Nothing leaves a private place by way of the comment, whatever somebody puts into an entry."""

from typing import Any

import pytest

from bot.assessment import Verdict
from bot.evidence import Exposure, ExposureOf
from bot.merge_request import Visibility
from bot.report.json_report import as_json
from bot.sandbox.acts import actions
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Level, Member, MergeRequest
from bot.unread import Unread
from tests.builders import GITLAB
from tests.nomination_world import (
    FOLDER,
    GATEWAY,
    START,
    NominationWorld,
    connect,
    entry,
    make_world,
    run_on,
)

LEFT_OUT = "Some details are left out here"
TITLE = "Work "  # how the titles of merge requests begin
LISTED = "secret-member"


@pytest.fixture
def made() -> NominationWorld:
    """Build a world in which something is missing, so that evidence and people are shown."""
    made = make_world(reviewed=2, assigned=False)
    listing = made.provisioner.repository
    assert listing.branches
    for place in (made.gateway, made.provisioner):
        join(made, place)
    # A further member of the group, whose name is nowhere else.
    add_member(made, "greta")
    content = (
        b'{\n  "inventory": [\n    {\n      "name": "ai-gateway",\n      "members": [\n'
        b'        "secret-member"\n      ]\n    }\n  ]\n}\n'
    )
    change = actions.CommitDraft(message="List", changes={"inventory.json": content})
    actions.push(made.world, made.user("olga"), made.provisioner, "main", change)
    return made


def join(made: NominationWorld, place: Any, level: int = Level.REPORTER) -> None:
    """Let the bot's account be a member, as it must be where a place is private."""
    bot = made.user("nomination-bot")
    place.members[bot.id] = Member(user=bot, level=level, created_at=START)


def leave(made: NominationWorld, place: Any) -> None:
    """End that."""
    place.members.pop(made.user("nomination-bot").id, None)


def add_member(made: NominationWorld, name: str) -> None:
    """Add a maintainer to the group."""
    member = Member(user=made.user(name), level=Level.MAINTAINER, created_at=START)
    made.group.members[member.user.id] = member


def merged(made: NominationWorld, server: Server) -> str:
    """Merge the nomination and return the comment."""
    run_on(server, made.nomination)
    made.merge()
    return run_on(server, made.nomination).body


# --- the counted project ------------------------------------------------------------------

Place = tuple[str, str, str]
# Of the team database, of the counted project, its feature, and whether titles may be shown.
PROJECTS: list[tuple[Place, bool]] = [
    (("public", "public", "enabled"), True),
    (("public", "public", "private"), False),
    (("public", "internal", "enabled"), False),
    (("public", "private", "enabled"), False),
    (("internal", "public", "enabled"), True),
    (("internal", "internal", "enabled"), True),
    (("internal", "internal", "private"), False),
    (("internal", "private", "enabled"), False),
    (("private", "private", "enabled"), True),
]


@pytest.mark.parametrize(("place", "shown"), PROJECTS)
def test_titles_are_shown_to_those_alone_who_may_see_them(
    made: NominationWorld, server: Server, place: Place, shown: bool
) -> None:
    team, counted, feature = place
    made.team.visibility, made.gateway.visibility = team, counted
    made.gateway.merge_requests_access = feature
    body = run_on(server, made.nomination).body
    assert (TITLE in body) is shown
    assert (f"/{GATEWAY}/-/merge_requests/6" in body) is shown
    # Numbers and states stay, and the gate is judged alike.
    assert "| 6 | 5 |" in body
    assert "| 2 | 5 |" in body
    assert (LEFT_OUT in body) is (not shown)
    assert body.count(LEFT_OUT) <= 1


def test_merge_requests_that_are_for_members_alone_are_not_taken_for_none(
    made: NominationWorld, server: Server
) -> None:
    made.gateway.merge_requests_access = "private"
    leave(made, made.gateway)
    outcome = run_on(server, made.nomination)
    (assessment,) = outcome.evaluation.findings.assessments
    told = {each.requirement.id: (each.verdict, each.reason) for each in assessment.findings}
    unread = Verdict.UNKNOWN, f"the merge requests of {GATEWAY} cannot be read by the bot"
    assert (told["authored"], told["reviewed"]) == (unread, unread)


def test_an_account_that_is_no_member_sees_what_everybody_sees_without_a_further_call(
    made: NominationWorld, server: Server
) -> None:
    leave(made, made.gateway)
    leave(made, made.provisioner)
    first = run_on(server, made.nomination)
    assert TITLE in first.body
    assert first.calls <= 9
    assert run_on(server, made.nomination).calls <= 5


def test_what_a_project_s_features_are_and_cannot_be_read_is_private(
    made: NominationWorld, server: Server
) -> None:
    server.fault(Fault(route="GET /api/v4/projects/{id}", kind=Kind.FORBIDDEN))
    body = run_on(server, made.nomination).body
    assert TITLE not in body
    assert "| 6 | 5 |" in body


def test_a_stranger_who_names_an_account_learns_no_titles(
    made: NominationWorld, server: Server
) -> None:
    made.gateway.visibility = "private"
    eve = made.user("eve")
    made.team.members[eve.id] = Member(user=eve, level=Level.DEVELOPER, created_at=START)
    files = {f"{FOLDER}/n/another.yml": entry("nina", "maintainer")}
    made.push(files, branch="stranger", by="eve")
    draft = actions.MergeRequestDraft(title="Hello", source_branch="stranger", target_branch="main")
    mr = actions.open_merge_request(made.world, eve, made.team, draft)
    body = run_on(server, mr).body
    assert "`@nina`" in body
    assert TITLE not in body


# --- the group ----------------------------------------------------------------------------


@pytest.mark.parametrize(("visibility", "shown"), [("public", True), ("private", False)])
def test_members_of_a_group_are_named_to_those_alone_who_may_see_it(
    made: NominationWorld, server: Server, visibility: str, shown: bool
) -> None:
    made.group.visibility = visibility
    join(made, made.group, Level.GUEST)
    body = run_on(server, made.nomination).body
    assert ("greta" in body or "@max" in body) is shown
    assert shown or "olga" not in body
    # The manager stands in the public entry, and must act.
    assert "@mia" in body
    body = merged(made, server)
    assert ("olga" in body) is shown
    assert "✗&nbsp;to&nbsp;do" in body
    assert (LEFT_OUT in body) is (not shown)


def test_who_is_assigned_is_named_because_everybody_sees_that(
    made: NominationWorld, server: Server
) -> None:
    made.group.visibility = "private"
    join(made, made.group, Level.GUEST)
    made.assign()
    assert "maintainer `@max`: assigned" in run_on(server, made.nomination).body


# --- the files of follow-up steps ---------------------------------------------------------

FILES = [
    ("public", "enabled", True),
    ("public", "private", False),
    ("internal", "enabled", False),
    ("private", "enabled", False),
]


@pytest.mark.parametrize(("visibility", "feature", "shown"), FILES)
def test_lines_of_a_file_are_shown_to_those_alone_who_may_read_it(
    made: NominationWorld, server: Server, visibility: str, feature: str, shown: bool
) -> None:
    made.provisioner.visibility, made.provisioner.repository_access = visibility, feature
    body = merged(made, server)
    assert (LISTED in body) is shown
    assert (LEFT_OUT in body) is (not shown)
    # The state stays, and so does the diff for the other file, which is public.
    assert body.count("✗&nbsp;to&nbsp;do") >= 3
    assert '+    "nina"' in body


def test_what_is_wrong_with_a_private_file_is_not_quoted(
    made: NominationWorld, server: Server
) -> None:
    made.provisioner.visibility = "private"
    broken = {"inventory.json": b'{"inventory": [secret-member'}
    change = actions.CommitDraft(message="Break", changes=broken)
    actions.push(made.world, made.user("olga"), made.provisioner, "main", change)
    body = merged(made, server)
    assert LISTED not in body
    assert "its content is not what it should be" in body


def test_why_a_file_could_not_be_read_is_said(made: NominationWorld, server: Server) -> None:
    made.provisioner.visibility = "private"
    leave(made, made.provisioner)
    body = merged(made, server)
    assert "provisioner cannot be read by the bot" in body


# --- by hand ------------------------------------------------------------------------------


def test_the_json_by_hand_tells_everything(made: NominationWorld, server: Server) -> None:
    made.gateway.visibility = "private"
    outcome = run_on(server, made.nomination)
    told = str(as_json(outcome.evaluation.findings, GITLAB))
    assert TITLE in told
    assert TITLE not in outcome.body


def sent(made: NominationWorld, mr: MergeRequest) -> str:
    """Return everything that the bot wrote where readers of the merge request see it."""
    statuses = [f"{job.description}" for job in made.statuses()]
    return "\n".join([*(note.body for note in mr.comments), *statuses])


def test_nothing_that_is_written_holds_a_private_title_or_name(
    made: NominationWorld, server: Server
) -> None:
    for place in (made.gateway, made.provisioner, made.group):
        place.visibility = "private"
    join(made, made.group, Level.GUEST)
    made.say("/nomination help", by="nina")
    made.say("/nomination waive reviewed enough", by="dora")
    run_on(server, made.nomination)
    made.merge()
    run_on(server, made.nomination)
    text = sent(made, made.nomination)
    for secret in (TITLE, LISTED, "greta", "@olga"):
        assert secret not in text


# --- how it is read -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/none", Unread(reason="the project a/none cannot be read by the bot")),
        (GATEWAY, Exposure(merge_requests=Visibility.PUBLIC, files=Visibility.PUBLIC)),
    ],
)
def test_who_may_see_a_project_is_read(
    made: NominationWorld, server: Server, path: str, expected: object
) -> None:
    leave(made, made.gateway)
    need = ExposureOf(path)
    with connect(server.url) as client:
        assert client.fetch_facts([need])[need] == expected
