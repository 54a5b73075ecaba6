"""The board: who is near, who waits on whom, and nothing that not everybody may see."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from bot.app.board import make_board
from bot.app.board.gathering import bound
from bot.app.board.making import count_years, find_maintainers
from bot.app.board.people import find_staged
from bot.app.board.values import Board, Person, Section, Waiting
from bot.evidence import Member as GroupMember, Members
from bot.report import tell_fields
from bot.report.site import PAGES, write_site
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Level, Member, MergeRequest
from bot.unread import NOT_LOOKED_UP
from tests.nomination_world import (
    DOCS_POLICY,
    ENTRY,
    FOLDER,
    GATEWAY,
    INVENTORY,
    RENOVATE,
    START,
    TEAM,
    NominationWorld,
    add_merged,
    ask_how_it_went,
    assign_to_manager,
    connect,
    entry,
    make_choices,
    make_people,
    make_world,
    merge_elsewhere,
    run_on,
    run_reading,
    shipped,
)
from tests.processes import run_here

ATOM = "{http://www.w3.org/2005/Atom}"
CALLS = re.compile(r"(\d+) calls\.")
MOST_CALLS = 60
POLICY = DOCS_POLICY.replace("of the docs", "of the <b>docs</b>")


@pytest.fixture
def made() -> NominationWorld:
    return make_world()


class Reader(HTMLParser):
    """Notes every tag with its attributes, and all text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note some text."""
        self.text += data


def board(server: Server, directory: Path, *, code: int = 0, **more: str | Path) -> Any:
    """Write the board; return what its data says, with what was printed."""
    done = run_reading(server, "board", "--output", str(directory), **more)
    assert done.returncode == code, done.stderr
    told = json.loads((directory / "board.json").read_text("utf-8"))
    return told | {"stdout": done.stdout, "stderr": done.stderr}


def section(told: Any) -> Any:
    """Return what is said of the one policy."""
    (found,) = told["sections"]
    return found


def page(directory: Path) -> Reader:
    """Read the page as a browser does."""
    reader = Reader()
    reader.feed((directory / "index.html").read_text("utf-8"))
    return reader


def train(made: NominationWorld, *names: str) -> None:
    """Make accounts and give them the earlier role."""
    for name in names:
        made.user(name)
    files = {f"{FOLDER}/{n[0]}/{n}.yml": entry(n, "trainee_maintainer") for n in names}
    made.push(files, branch="main", by="olga")


# --- people -----------------------------------------------------------------------------


def test_a_trainee_is_shown_with_what_is_found_and_needed(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    train(made, "tara")
    for _ in range(3):
        add_merged(made, "tara")
        add_merged(made, "dora", reviewer="tara")
    people = {each["username"]: each for each in section(board(server, tmp_path))["people"]}
    tara = people["tara"]
    assert tara["stage"] == "trainee_maintainer"
    assert tara["since"].startswith("2026-01-0")
    assert (tara["closely"], tara["ready"]) == (True, False)
    assert [(bar["found"], bar["needed"], bar["state"]) for bar in tara["bars"]] == [
        (3, 5, "unmet"),
        (3, 5, "unmet"),
    ]
    assert len(tara["missing"]) == 2
    assert people["nina"]["ready"] is True
    text = page(tmp_path).text
    assert "3 of 5 (not met)" in " ".join(text.split())
    assert "Could be nominated: nothing is missing that work shows" in text


def test_who_is_nearest_comes_first(made: NominationWorld, server: Server, tmp_path: Path) -> None:
    train(made, "tara", "tom")
    for _ in range(4):
        add_merged(made, "tom")
    names = [each["username"] for each in section(board(server, tmp_path))["people"]]
    assert names == ["nina", "tom", "tara"]


def test_who_has_the_role_or_none_is_not_on_the_way(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    files = {
        f"{FOLDER}/r/rob.yml": entry("rob", "reviewer"),
        f"{FOLDER}/p/pam.yml": entry("pam", "maintainer"),
        f"{FOLDER}/b/both.yml": entry("both", "[trainee_maintainer, maintainer]"),
        "elsewhere/t/tina.yml": entry("tina", "trainee_maintainer"),
    }
    made.push(files, branch="main", by="olga")
    names = [each["username"] for each in section(board(server, tmp_path))["people"]]
    assert names == ["nina"]


@pytest.mark.parametrize("stage", ["trainee-maintainer", "Trainee_Maintainer backend"])
def test_the_stage_is_read_however_the_team_database_spells_it(
    made: NominationWorld, server: Server, tmp_path: Path, stage: str
) -> None:
    made.push({ENTRY: entry("nina", stage)}, branch="main", by="olga")
    names = [each["username"] for each in section(board(server, tmp_path))["people"]]
    assert names == ["nina"]


def test_an_account_that_is_gone_or_blocked_is_said_and_meets_nothing(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    train(made, "blocky")
    made.user("blocky").state = "blocked"
    files = {f"{FOLDER}/g/gone.yml": entry("gone", "trainee_maintainer")}
    made.push(files, branch="main", by="olga")
    people = {each["username"]: each for each in section(board(server, tmp_path))["people"]}
    for name in ("gone", "blocky"):
        assert (people[name]["ready"], people[name]["bars"]) == (None, [])
        assert "account" in people[name]["reason"]


def test_an_entry_that_cannot_be_read_is_named(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    path = f"{FOLDER}/o/odd.yml"
    made.push({path: b"gitlab: odd\nprojects:\n  ai-gateway: [\n"}, branch="main", by="olga")
    told = section(board(server, tmp_path))
    assert told["notices"] == [f"The entry {path} cannot be read."]


def test_an_entry_under_another_name_is_not_judged_as_if_it_were_read(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    made.user("tara")
    path = f"{FOLDER}/z/tara.yml"
    made.push({path: entry("tara", "trainee_maintainer")}, branch="main", by="olga")
    people = {each["username"]: each for each in section(board(server, tmp_path))["people"]}
    assert people["tara"]["ready"] is not True


# --- nominations ------------------------------------------------------------------------


def test_an_open_nomination_says_who_waits_on_whom(server: Server, tmp_path: Path) -> None:
    made = make_world(reviewed=2, assigned=False)
    server.turn_to(made.world)
    run_on(server, made.nomination)
    (waiting,) = section(board(server, tmp_path))["waiting"]
    assert (waiting["username"], waiting["iid"], waiting["state"]) == ("nina", 1, "waiting")
    assert (waiting["actor"], waiting["people"]) == ("nominee", ["nina"])
    assert waiting["step"].startswith("Assign the merge request")
    assert waiting["opened_at"] <= waiting["unchanged_since"]
    text = " ".join(page(tmp_path).text.split())
    assert "Waits for the nominee (@nina)" in text
    assert "0 of 10 (not yet)" in text
    assert "(recommended)" in text
    assert "Waiting for " in text


def test_a_ready_one_waits_for_its_maintainer(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    run_on(server, made.nomination)
    (waiting,) = section(board(server, tmp_path))["waiting"]
    assert (waiting["state"], waiting["actor"]) == ("ready", "maintainer")
    assert waiting["people"] == ["max"]


def test_a_draft_waits_for_its_author(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    made.nomination.title = f"Draft: {made.nomination.title}"
    run_on(server, made.nomination)
    (waiting,) = section(board(server, tmp_path))["waiting"]
    assert (waiting["state"], waiting["actor"], waiting["people"]) == (
        "waiting",
        "author",
        ["nina"],
    )


def test_it_waits_since_somebody_moved_it_on_and_not_since_the_bot_spoke(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    made.world.tick(3 * 86_400)
    body = run_on(server, made.nomination).body
    (waiting,) = section(board(server, tmp_path))["waiting"]
    spoke = made.nomination.updated_at
    assert spoke - datetime.fromisoformat(waiting["unchanged_since"]) >= timedelta(days=3)
    assert waiting["unchanged_since"][:10] in body


def test_one_that_is_assigned_to_the_manager_alone_waits_for_them(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    run_on(server, made.nomination)
    told = board(server, tmp_path / "site", NOMINATION_BOT_POLICIES=assign_to_manager(tmp_path))
    (waiting,) = section(told)["waiting"]
    assert (waiting["state"], waiting["actor"]) == ("ready", "manager")
    assert waiting["people"] == ["mia"]


def test_a_held_one_waits_for_who_holds_it(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    made.say("/nomination hold <b>wait</b>", by="max")
    run_on(server, made.nomination)
    (waiting,) = section(board(server, tmp_path))["waiting"]
    assert (waiting["state"], waiting["people"]) == ("held", ["max"])


def test_what_was_merged_is_shown_until_its_steps_are_done(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    run_on(server, made.nomination)
    made.merge()
    run_on(server, made.nomination)
    told = section(board(server, tmp_path))
    (granted,) = told["granted"]
    assert granted["username"] == "nina"
    assert {step["state"] for step in granted["steps"]} <= {"open", "manual", "unknown"}
    assert told["waiting"] == []
    assert "Merged on" in page(tmp_path).text
    medians = {each["what"]: each for each in told["pace"]["medians"]}
    assert medians["from opening to role"]["known"] == told["pace"]["number"] == 1
    assert "How long it takes" in page(tmp_path).text


def test_one_that_waits_for_the_manager_names_them(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    kind = "kind: approved_by\n    by: manager\n    at_least: 1"
    written = POLICY.replace("kind: role_held", kind).replace("    role: trainee_maintainer\n", "")
    written = written.replace("project: docs", "project: ai-gateway")
    for actor, people in (("manager", ["mia"]), ("maintainer", [])):
        (policies / "docs.yml").write_text(written.replace("nominee", actor), "utf-8")
        run_on(server, made.nomination)
        told = board(server, tmp_path / "site", NOMINATION_BOT_POLICIES=policies)
        (waiting,) = section(told)["waiting"]
        assert (waiting["actor"], waiting["people"]) == (actor, people)


def test_one_of_which_something_is_not_known_is_not_ready(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    broken = {f"{FOLDER}/b/b.yml": b"gitlab: b\nprojects:\n  ai-gateway: [\n"}
    made.push(broken, branch="nominate-nina")
    run_on(server, made.nomination)
    (waiting,) = section(board(server, tmp_path))["waiting"]
    assert (waiting["state"], waiting["step"]) == ("unknown", "Something could not be read")


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(route="GET *{id}/merge_requests", kind=Kind.FORBIDDEN), "was not listed"),
        (Fault(route="GET *archive.tar.gz", kind=Kind.FORBIDDEN), "entries could not"),
        (
            Fault(route="POST /api/graphql", kind=Kind.GRAPHQL_ERRORS, calls={1}),
            "!1 could not be read",
        ),
    ],
)
def test_what_cannot_be_read_is_said(
    made: NominationWorld, server: Server, tmp_path: Path, fault: Fault, words: str
) -> None:
    run_on(server, made.nomination)
    server.fault(fault)
    told = board(server, tmp_path)
    assert any(words in line for line in told["notices"])
    assert words in told["stderr"]


def test_what_is_not_all_is_said() -> None:
    notices: list[str] = []
    assert bound([1, 2, 3], 2, "people", notices) == [1, 2]
    assert notices == ["Of 3 people, 2 are shown."]


def test_of_a_group_that_was_not_read_whole_no_number_is_told() -> None:
    (policy, *_), _ = shipped()
    notices: list[str] = []
    members = Members(direct=(), owners=(), following="next")
    assert find_maintainers(policy, members, notices) == (None, ())
    assert find_maintainers(policy, NOT_LOOKED_UP, notices) == (None, ())
    assert len(notices) == 2


def test_files_that_are_no_entries_of_the_policy_are_nobody() -> None:
    (policy, *_), _ = shipped()
    assert find_staged(policy, {"x.yml": entry("x", "trainee_maintainer")}) == ([], [])


def test_who_has_anothers_file_name_is_counted_alone(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    made.user("tom")
    files = {
        f"{FOLDER}/z/tom.yml": entry("tom", "trainee_maintainer"),
        f"{FOLDER}/t/tom.yml": entry("dora"),
    }
    made.push(files, branch="main", by="olga")
    people = {each["username"]: each for each in section(board(server, tmp_path))["people"]}
    assert (people["tom"]["closely"], people["tom"]["ready"]) == (False, None)
    assert "is the entry of 'dora'" in people["tom"]["reason"]


def test_who_did_half_of_the_work_is_shown_without_an_earlier_role(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    files = {
        f"{FOLDER}/r/rob.yml": entry("rob", "Reviewer backend"),
        f"{FOLDER}/p/pam.yml": entry("pam", "reviewer"),
        f"{FOLDER}/n/none.yml": entry("none", "[]"),
    }
    made.push(files, branch="main", by="olga")
    for name, count in (("rob", 3), ("pam", 2)):
        for _ in range(count):
            add_merged(made, name)
    people = {each["username"]: each for each in section(board(server, tmp_path))["people"]}
    assert people.keys() == {"nina", "rob"}
    assert (people["rob"]["stage"], people["rob"]["ready"]) == ("reviewer", False)


def test_how_the_counted_ones_went_is_told_of_those_who_are_judged_closely(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    def approve(made: NominationWorld, mr: MergeRequest) -> None:
        actions.approve(made.world, made.user("nina"), mr)

    plain = merge_elsewhere(made, before=approve)
    plain.title = "<b>bold</b>"
    (nina,) = section(board(server, tmp_path))["people"]
    (went,) = nina["outcomes"]
    found = went["outcomes"]
    assert (went["repository"], went["reason"]) == (GATEWAY, None)
    assert [each["state"] for each in found["reviewed"]] == ["as_it_was"] * 6
    assert {each["merged"]["iid"] for each in found["reviewed"]} >= {plain.iid}
    assert [each["touched"] for each in found["folders"]] == [1]
    assert found["since"] <= found["until"]
    text = " ".join(page(tmp_path).text.split())
    assert f"How those went that count in {GATEWAY}" in text
    assert "Reviewed and then merged: 6 of 6 as they were, 0 after comments, " in text
    assert "What GitLab noted after the nominee" in text
    assert f"!{plain.iid} <b>bold</b>: as it was" in text
    assert "Folders that they touched, and how many did: the top (1)." in text


def test_what_is_not_known_of_how_they_went_is_said(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    """One list that was cut leaves the other numbers standing."""

    def talk(made: NominationWorld, mr: MergeRequest) -> None:
        actions.approve(made.world, made.user("nina"), mr)
        for _ in range(120):
            draft = actions.NoteDraft(body="?", type="DiscussionNote")
            actions.create_note(made.world, made.user("dora"), mr, draft)

    merge_elsewhere(made, before=talk)
    (nina,) = section(board(server, tmp_path))["people"]
    (went,) = nina["outcomes"]
    assert went["reason"] == "GitLab did not list all that happened in 1 of them"
    assert went["reason"] in page(tmp_path).text


def test_a_nomination_tells_it_where_its_policy_does(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    run_on(server, made.nomination)
    policies, site = ask_how_it_went(tmp_path), tmp_path / "site"
    (waiting,) = section(board(server, site, NOMINATION_BOT_POLICIES=policies))["waiting"]
    (went,) = waiting["outcomes"]
    assert len(went["outcomes"]["reviewed"]) == 5
    made.gateway.repository_access = "private"
    bot = made.user("nomination-bot")
    made.gateway.members[bot.id] = Member(user=bot, level=Level.REPORTER, created_at=START)
    merge_elsewhere(made)
    told = section(board(server, site, NOMINATION_BOT_POLICIES=policies))
    for each in (*told["waiting"], *told["people"]):
        assert each["outcomes"][0]["outcomes"]["folders"] == []


# --- maintainers and drift --------------------------------------------------------------


def test_the_number_of_maintainers_is_told_year_by_year(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    made.group.members[made.user("olga").id].created_at = START.replace(year=2024)
    told = section(board(server, tmp_path))
    this_year = made.world.now.year  # GitLab's clock is the one that counts
    assert [(each["year"], each["number"]) for each in told["growth"]][:3] == [
        (2024, 1),
        (2025, 1),
        (2026, 2),
    ]
    assert told["growth"][-1]["year"] == this_year
    text = " ".join(page(tmp_path).text.split())
    assert "2024: 1 2025: 1 2026" in text
    assert "Who left the group since is not counted" in text


def test_years_are_told_only_where_all_of_them_are_known() -> None:
    direct = (
        GroupMember(username="max", level=40, since=START),
        GroupMember(username="olga", level=50),
    )
    joined = Members(direct=direct, owners=())
    assert count_years(["max", "olga"], joined, START) == ()
    assert count_years(["max"], NOT_LOOKED_UP, START) == ()
    long = count_years(["Max"], joined, START.replace(year=2050))
    assert [each.year for each in long] == list(range(2043, 2051))


def test_who_differs_between_the_places_is_shown_with_the_edit(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    made.push({f"{FOLDER}/d/dora.yml": entry("dora", "maintainer")}, branch="main", by="olga")
    found = section(board(server, tmp_path))["drift"]
    assert {(each["username"], each["problem"]) for each in found["differences"]} == {
        ("dora", "missing"),
        ("max", "without_entry"),
        ("olga", "without_entry"),
    }
    text = page(tmp_path).text
    assert '+        "dora",' in text
    assert f"has the role by {FOLDER}/d/dora.yml, but is not listed" in text


def test_of_a_private_place_the_number_of_differences_alone_is_shown(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    made.push({f"{FOLDER}/m/max.yml": entry("max", "maintainer")}, branch="main", by="olga")
    del made.group.members[made.user("olga").id]
    bot = made.user("nomination-bot")
    made.provisioner.visibility = "private"
    made.provisioner.members[bot.id] = Member(user=bot, level=Level.REPORTER, created_at=START)
    secret = INVENTORY.replace(b'"max"', b'"secret-name"')
    draft = CommitDraft(message="List", changes={"inventory.json": secret})
    actions.push(made.world, made.user("olga"), made.provisioner, "main", draft)
    found = section(board(server, tmp_path))["drift"]
    assert (found["differences"], found["hidden"]) == ([], 2)
    assert not [name for name in PAGES if "secret-name" in (tmp_path / name).read_text("utf-8")]
    assert "2 more in places that not everybody may see" in page(tmp_path).text


def test_where_all_agree_the_board_says_so(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    made.push({f"{FOLDER}/m/max.yml": entry("max", "maintainer")}, branch="main", by="olga")
    del made.group.members[made.user("olga").id]
    board(server, tmp_path)
    assert "All agree." in page(tmp_path).text
    made.push(
        {f"{FOLDER}/x/x.yml": b"projects: {ai-gateway: maintainer}"}, branch="main", by="olga"
    )
    board(server, tmp_path)
    assert "All agree." not in page(tmp_path).text
    assert "Not known: whom" in page(tmp_path).text


def test_nominations_that_are_over_tell_how_long_they_took_and_nothing_else(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    run_on(server, made.nomination)
    made.say("<!-- nomination-bot:comment -->\nforged", by="dora")
    made.merge()
    member = Member(user=made.user("nina"), level=Level.DEVELOPER, created_at=made.world.now)
    made.group.members[member.user.id] = member
    for project, path, text in (
        (made.provisioner, "inventory.json", INVENTORY),
        (made.gateway, "renovate.json", RENOVATE),
    ):
        draft = CommitDraft(
            message="List", changes={path: text.replace(b'"max"', b'"max", "nina"')}
        )
        actions.push(made.world, made.user("olga"), project, "main", draft)
    made.nomination.awards.clear()
    told = section(board(server, tmp_path))
    assert told["granted"] == []
    assert told["pace"]["number"] == 1
    server.fault(Fault(route="GET */search", kind=Kind.FORBIDDEN))
    told = board(server, tmp_path)
    assert section(told)["pace"]["number"] == 0
    assert "Nominations that are over were not found" in told["stderr"]


def test_of_very_many_comments_the_newest_are_searched(
    made: NominationWorld, server: Server
) -> None:
    made.say("<!-- mark --> first")
    other = made.open({"x": b"x"}, branch="other")
    for number in range(300):
        made.say(f"mark {number}" if number else "<!-- mark --> later", mr=other)
    with connect(server) as client:
        assert client.find_commented(TEAM, "<!-- mark -->") == [other.iid]


# --- only what the public may see -------------------------------------------------------


def test_of_a_private_team_database_nobody_is_shown(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    run_on(server, made.nomination)
    made.team.visibility = "private"
    told = board(server, tmp_path)
    assert (section(told)["waiting"], section(told)["people"]) == ([], [])
    assert len(told["notices"]) == 2
    assert all("not known to be visible to everybody" in line for line in told["notices"])
    assert "nina" not in (tmp_path / "index.html").read_text("utf-8")


def test_of_a_private_group_the_number_alone_is_shown(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    bot = made.user("nomination-bot")
    made.push({f"{FOLDER}/m/max.yml": entry("max", "maintainer")}, branch="main", by="olga")
    made.group.visibility = "private"
    made.group.members[bot.id] = Member(user=bot, level=Level.GUEST, created_at=START)
    told = section(board(server, tmp_path))
    assert (told["number"], told["maintainers"]) == (2, [])
    assert "@max" not in (tmp_path / "index.html").read_text("utf-8")


def test_the_title_of_a_private_merge_request_is_nowhere(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    bot = made.user("nomination-bot")
    made.gateway.visibility = "private"
    made.gateway.members[bot.id] = Member(user=bot, level=Level.REPORTER, created_at=START)
    for each in made.gateway.merge_requests.values():
        each.title = "top secret"
    run_on(server, made.nomination)
    told = board(server, tmp_path)
    for name in ("board.json", *PAGES):
        assert "top secret" not in (tmp_path / name).read_text("utf-8")
    (nina,) = section(told)["people"]
    assert (nina["closely"], nina["outcomes"]) == (True, [])


@pytest.mark.parametrize("private", [False, True])
def test_how_long_it_waited_is_shown_only_where_all_that_tells_it_is_public(
    made: NominationWorld, server: Server, tmp_path: Path, private: bool
) -> None:
    run_on(server, made.nomination)
    made.merge()
    run_on(server, made.nomination)
    if private:
        bot = made.user("nomination-bot")
        made.gateway.visibility = "private"
        made.gateway.members[bot.id] = Member(user=bot, level=Level.REPORTER, created_at=START)
    medians = section(board(server, tmp_path))["pace"]["medians"]
    assert (len(medians) > 1) is not private
    assert medians[0]["what"] == "from opening to role"


# --- pages ------------------------------------------------------------------------------


def test_the_page_has_one_stylesheet_no_script_and_no_images(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    run_on(server, made.nomination)
    board(server, tmp_path)
    tags = page(tmp_path).tags
    assert {tag for tag, _ in tags}.isdisjoint({"script", "img", "iframe", "style", "form"})
    sheets = [
        found["href"] for tag, found in tags if tag == "link" and found["rel"] == "stylesheet"
    ]
    assert sheets == ["style.css"]
    assert not [found for _, found in tags if any(name.startswith("on") for name in found)]
    assert [found["lang"] for tag, found in tags if tag == "html"] == ["en"]
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [found["id"] for _, found in tags if "id" in found]
    assert len(ids) == len(set(ids))
    named = {found["aria-labelledby"] for _, found in tags if "aria-labelledby" in found}
    assert named <= set(ids)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([*PAGES, "board.json"])


def test_foreign_text_is_inert_on_every_page(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    hostile = "\"'><script>alert(1)</script>\\u202e\\x00{{ 7*7 }}]]>"
    content = f'gitlab: "{hostile.replace(chr(34), "")}"\nprojects:\n  docs: trainee_maintainer\n'
    made.push({f"{FOLDER}/h/hostile.yml": content.encode()}, branch="main", by="olga")
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "docs.yml").write_text(POLICY, "utf-8")
    told = board(server, tmp_path / "site", NOMINATION_BOT_POLICIES=policies)
    (person,) = section(told)["people"]
    assert "<script>" in person["username"]
    reader = page(tmp_path / "site")
    assert {tag for tag, _ in reader.tags}.isdisjoint({"script", "b"})
    shown = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert "\u202e" not in shown
    assert "\0" not in shown
    assert "{{ 7*7 }}" in shown
    Xml.fromstring((tmp_path / "site" / "feed.xml").read_text("utf-8"))  # noqa: S314  our own


def test_the_feed_holds_everybody_once(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    run_on(server, made.nomination)
    board(server, tmp_path)
    feed = Xml.fromstring((tmp_path / "feed.xml").read_text("utf-8"))  # noqa: S314  our own
    ids = [found.text for found in feed.iter(f"{ATOM}id")]
    assert len(ids) == len(set(ids)) == 3
    for each in feed.iter(f"{ATOM}entry"):
        assert each.find(f"{ATOM}updated") is not None
        assert each.find(f"{ATOM}title") is not None


def test_whatever_the_names_the_feed_is_one_that_readers_take() -> None:
    """RFC 4287: ids are IRIs (RFC 3987), times those of RFC 3339, and every entry has a link."""
    odd = 'a b<c>"{|}\\^`\u202eé'
    waiting = Waiting(
        username=odd,
        url=f"https://gitlab.example.com/{TEAM}/-/merge_requests/1",
        iid=1,
        opened_at=START,
        unchanged_since=START,
        state="waiting",
        actor="nominee",
        people=(odd,),
        step=odd,
        bars=(),
        missing=(),
    )
    person = Person(
        username=odd,
        url="https://gitlab.example.com/x",
        stage=odd,
        since=START,
        ready=None,
        closely=True,
        bars=(),
        missing=(),
    )
    shown = Section(
        id="docs",
        title=odd,
        document="https://x.example",
        project="docs",
        role="maintainer",
        group="g",
        number=None,
        maintainers=(),
        waiting=(waiting,),
        granted=(),
        people=(person,),
    )
    told = Board(
        made_at=START,
        gitlab_url="https://gitlab.example.com",
        team_project=TEAM,
        sections=(shown,),
    )
    feed = Xml.fromstring(write_site(tell_fields(told), None)["feed.xml"])  # noqa: S314  our own
    for each in (feed, *feed.iter(f"{ATOM}entry")):
        assert re.fullmatch(r"https://[^\s<>\"{}|\\^`]+", each.findtext(f"{ATOM}id") or "")
        updated = datetime.fromisoformat(each.findtext(f"{ATOM}updated") or "")
        assert updated.tzinfo is not None
        assert each.findtext(f"{ATOM}title")
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    links = [each.find(f"{ATOM}link") for each in feed.iter(f"{ATOM}entry")]
    assert [link is not None for link in links] == [True, True]


def test_several_roles_have_a_list_to_choose_from(server: Server, tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    for name in ("docs", "tools"):
        written = POLICY.replace("docs", name)
        (policies / f"{name}.yml").write_text(written, "utf-8")
    told = board(server, tmp_path / "site", NOMINATION_BOT_POLICIES=policies)
    assert len(told["sections"]) == 2
    assert any(tag == "nav" for tag, _ in page(tmp_path / "site").tags)
    assert all("maintainers are not known" in s["notices"][0] for s in told["sections"])


def test_where_every_policy_has_a_mistake_that_is_said_and_nothing_shown(
    server: Server, tmp_path: Path
) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "docs.yml").write_text(POLICY.replace("role:", "rolle:"), "utf-8")
    told = board(server, tmp_path / "site", code=1, NOMINATION_BOT_POLICIES=policies)
    assert told["sections"] == []
    assert "until this is mended" in told["stderr"]


def test_the_board_is_the_same_when_nothing_changed_but_the_hour(
    made: NominationWorld, server: Server
) -> None:
    run_on(server, made.nomination)

    def at(now: datetime) -> Board:
        with connect(server) as client:
            return make_board(
                client, make_choices(), (server.url, TEAM), lambda: now, lambda _: None
            )

    first, later = made.world.now, made.world.now + timedelta(hours=1)
    assert at(later) == replace(at(first), made_at=later)


def test_an_operators_template_replaces_ours_and_a_broken_one_is_one_line(
    server: Server, tmp_path: Path
) -> None:
    own = tmp_path / "own" / "board"
    own.mkdir(parents=True)
    (own / "index.html.j2").write_text("<p>{{ board.team_project }}</p>", "utf-8")
    board(server, tmp_path, NOMINATION_BOT_TEMPLATES=own.parent)
    assert (tmp_path / "index.html").read_text("utf-8") == f"<p>{TEAM}</p>"
    (own / "index.html.j2").write_text("{{ board.nothing }}", "utf-8")
    told = board(server, tmp_path, code=1, NOMINATION_BOT_TEMPLATES=own.parent)
    assert "board/index.html.j2 cannot be used" in told["stderr"]
    assert told["stderr"].count("\n") == 1


def test_where_nothing_can_be_written_is_said(server: Server, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x", "utf-8")
    done = run_reading(server, "board", "--output", str(tmp_path / "taken"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "The board cannot be written to" in done.stderr


def test_who_wants_it_quiet_is_told_nothing(server: Server, tmp_path: Path) -> None:
    done = run_reading(server, "board", "--output", str(tmp_path), "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("reason", ["expired", "revoked", "refused"])
def test_where_nothing_could_be_read_the_page_that_is_there_stays(
    made: NominationWorld, server: Server, tmp_path: Path, reason: str
) -> None:
    """A page that shows nobody would look as if nobody were near."""
    board(server, tmp_path)
    before = (tmp_path / "index.html").read_text("utf-8")
    if reason == "expired":
        made.world.tokens[0].expires_at = made.world.now.date()
    elif reason == "revoked":
        made.world.tokens[0].revoked = True
    else:
        server.fault(Fault(route="POST /api/graphql", kind=Kind.FORBIDDEN))
    done = run_reading(server, "board", "--output", str(tmp_path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert ("check NOMINATION_BOT_TOKEN" in line) is (reason != "refused")
    assert (tmp_path / "index.html").read_text("utf-8") == before


def test_the_directory_must_be_named() -> None:
    done = run_here("board")
    assert done.returncode == 1
    assert "--output" in done.stderr


# --- cost -------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [200, 2_800])
def test_thousands_of_entries_and_hundreds_of_people_take_sixty_calls(
    made: NominationWorld, server: Server, tmp_path: Path, count: int
) -> None:
    make_people(made, 200, "trainee_maintainer")
    others = {f"{FOLDER}/q/q{n:04}.yml": entry(f"q{n:04}") for n in range(count)}
    made.push(others, branch="main", by="olga")
    told = board(server, tmp_path)
    calls = CALLS.search(told["stdout"])
    assert calls
    assert int(calls[1]) <= MOST_CALLS
    people = section(told)["people"]
    assert len(people) == 201
    assert people[0]["username"] == "nina"
    assert 5 <= sum(each["closely"] for each in people) < 20
    for each in people:
        assert bool(each["outcomes"]) is each["closely"]
        if not each["closely"]:
            assert each["ready"] is None
            assert {bar["state"] for bar in each["bars"]} == {"counted"}


def test_what_was_closed_is_no_open_nomination(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    run_on(server, made.nomination)
    actions.close(made.world, made.user("olga"), made.nomination)
    assert section(board(server, tmp_path))["waiting"] == []
