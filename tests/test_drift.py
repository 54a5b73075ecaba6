"""Drift: entry, group and files disagree about who has a role, and what mends it."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from bot.app.drift import Drift, Entries, compare, publish
from bot.app.drift.places import read_places
from bot.app.drift.values import Difference, Place
from bot.evidence import Fact, Member as MemberFact, Members, MembersOf, Need, ProfileOf
from bot.merge_request import Visibility
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Group, Level, Member
from bot.unread import Unread
from tests.fakes import FakeSource
from tests.nomination_world import (
    DOCS_POLICY,
    FOLDER,
    MAINTAINERS,
    START,
    TEAM,
    NominationWorld,
    entry,
    make_world,
    run_reading,
    shipped,
)

INVENTORY = "inventory.json of gitlab-com/gl-infra/platform/runway/provisioner"
RENOVATE = "renovate.json of gitlab-org/modelops/applied-ml/code-suggestions/ai-assist"

DOCS_STEPS = """\
follow_ups:
  - id: talk
    kind: manual
    title: Talk
    actor: nominee
    help: Talk.
  - id: wide
    kind: group_member
    title: Join
    actor: owner
    group: docs
    level: guest
    direct: false
    help: Join.
  - id: own
    kind: listed_in
    title: List
    actor: nominee
    project: gitlab-org/docs
    ref: main
    path: config/owners.yml
    format: yaml
    key: people
    help: List.
"""


@pytest.fixture
def made() -> NominationWorld:
    """Make a world in which everything agrees: max is the one maintainer."""
    made = make_world()
    del made.group.members[made.user("olga").id]
    made.push({f"{FOLDER}/m/max.yml": entry("max", "maintainer")}, branch="main", by="olga")
    return made


def run(server: Server, *arguments: str, **more: str | Path) -> CompletedProcess[str]:
    """Run the command."""
    return run_reading(server, "drift", *arguments, **more)


def drift(server: Server, *, code: int = 1, **more: str | Path) -> Any:
    """Return what the one policy's drift is."""
    done = run(server, "--json", **more)
    assert done.returncode == code, done.stdout + done.stderr
    (found,) = json.loads(done.stdout)
    return found


def told(found: Any) -> set[tuple[str, str, str]]:
    """Return who differs where, and how."""
    return {(each["username"], each["place"], each["problem"]) for each in found["differences"]}


def join(made: NominationWorld, name: str, level: Level = Level.DEVELOPER) -> None:
    """Make somebody a member of the maintainers' group."""
    member = Member(user=made.user(name), level=level, created_at=START)
    made.group.members[member.user.id] = member


def list_in_inventory(made: NominationWorld, *names: str, **more: Any) -> None:
    """Write the file of the deployment project anew."""
    write_inventory(
        made,
        json.dumps({"inventory": [{"name": "ai-gateway", "members": names, **more}]}, indent=2),
    )


def write_inventory(made: NominationWorld, text: str | bytes) -> None:
    """Write the file of the deployment project anew, as a text or as bytes."""
    content = text.encode() if isinstance(text, str) else text
    draft = CommitDraft(message="List", changes={"inventory.json": content})
    actions.push(made.world, made.user("olga"), made.provisioner, "main", draft)


def test_where_all_agree_it_says_so_and_ends_with_0(server: Server) -> None:
    found = drift(server, code=0)
    assert (found["agree"], found["known"], found["differences"]) == (True, True, [])
    assert [(place["kind"], place["people"]) for place in found["places"]] == [
        ("entry", 1),
        ("group", 1),
        ("file", 1),
        ("file", 1),
    ]
    done = run(server)
    assert done.returncode == 0
    assert "no drift, people with the role: 1; 4 of 4 places compared." in done.stdout
    assert run(server, "-q").stdout == ""


def test_who_has_the_role_and_is_nowhere_is_told_for_each_place_with_the_edit(
    made: NominationWorld, server: Server
) -> None:
    made.push({f"{FOLDER}/d/dora.yml": entry("dora", "maintainer")}, branch="main", by="olga")
    found = drift(server)
    assert told(found) == {
        ("dora", MAINTAINERS, "missing"),
        ("dora", INVENTORY, "missing"),
        ("dora", RENOVATE, "missing"),
    }
    by_place = {each["place"]: each for each in found["differences"]}
    assert '+        "dora",' in by_place[INVENTORY]["edit"]
    assert by_place[INVENTORY]["url"].endswith("/provisioner/-/edit/main/inventory.json")
    assert by_place[MAINTAINERS]["edit"] is None
    assert by_place[MAINTAINERS]["url"].endswith(
        f"/groups/{MAINTAINERS}/-/group_members?with_inherited_permissions=exclude"
    )
    assert f"has the role by {FOLDER}/d/dora.yml" in by_place[INVENTORY]["detail"]


def test_each_difference_is_one_line_with_the_edit_below(
    made: NominationWorld, server: Server
) -> None:
    made.push({f"{FOLDER}/d/dora.yml": entry("dora", "maintainer")}, branch="main", by="olga")
    done = run(server)
    lines = done.stdout.splitlines()
    assert len([line for line in lines if line.startswith("ai-gateway: ")]) == 4
    assert [line for line in lines if line.startswith('    +        "dora"')]
    assert lines[-2] == "ai-gateway: 3 differences, 0 not known; 4 of 4 places compared."
    assert "calls, nothing was changed." in lines[-1]
    assert len(run(server, "-q").stdout.splitlines()) == 3


def test_a_member_whose_entry_gives_no_role_is_told(made: NominationWorld, server: Server) -> None:
    join(made, "dora")
    made.push({f"{FOLDER}/d/dora.yml": entry("dora", "reviewer")}, branch="main", by="olga")
    found = drift(server)
    assert told(found) == {("dora", MAINTAINERS, "without_role")}
    (only,) = found["differences"]
    assert only["detail"] == f"is named there, but {FOLDER}/d/dora.yml does not give the role"
    assert only["mend"] == "remove them from the group, or give them the role in an entry"


def test_who_left_and_is_still_listed_is_told_with_the_edit_that_takes_them_out(
    made: NominationWorld, server: Server
) -> None:
    list_in_inventory(made, "max", "dora")
    found = drift(server)
    assert told(found) == {("dora", INVENTORY, "without_entry")}
    (only,) = found["differences"]
    assert '-        "dora"\n' in only["edit"]
    assert "no entry names them" in only["detail"]


def test_a_name_that_no_account_has_is_told_wherever_it_stands(
    made: NominationWorld, server: Server
) -> None:
    list_in_inventory(made, "max", "nobody-knows")
    made.push({f"{FOLDER}/g/gone.yml": entry("gone", "maintainer")}, branch="main", by="olga")
    found = drift(server)
    entries = f"the entries of {TEAM}"
    assert told(found) == {("nobody-knows", INVENTORY, "gone"), ("gone", entries, "gone")}
    mend = next(each for each in found["differences"] if each["username"] == "gone")
    assert mend["url"].endswith(f"/-/edit/main/{FOLDER}/g/gone.yml")
    assert [line for line in run(server).stdout.splitlines() if "@gone has the role by" in line]


def test_a_blocked_account_is_told_wherever_it_stands(
    made: NominationWorld, server: Server
) -> None:
    made.user("max").state = "blocked"
    found = drift(server)
    assert {(who, how) for who, _, how in told(found)} == {("max", "inactive")}
    assert len(found["differences"]) == 4


def test_a_blocked_account_outside_the_group_is_told_as_well(
    made: NominationWorld, server: Server
) -> None:
    list_in_inventory(made, "max", "dora")
    made.user("dora").state = "blocked"
    assert told(drift(server)) == {("dora", INVENTORY, "inactive")}


def test_a_bot_that_is_listed_is_nobody(made: NominationWorld, server: Server) -> None:
    list_in_inventory(made, "max", "nomination-bot")
    join(made, "nomination-bot")
    assert drift(server, code=0)["differences"] == []


def test_a_bot_outside_the_group_is_nobody_either(made: NominationWorld, server: Server) -> None:
    list_in_inventory(made, "max", "nomination-bot")
    assert drift(server, code=0)["differences"] == []


def test_a_member_of_a_lower_level_is_told(made: NominationWorld, server: Server) -> None:
    join(made, "max", Level.REPORTER)
    found = drift(server)
    assert told(found) == {("max", MAINTAINERS, "too_low")}
    (only,) = found["differences"]
    assert "is a member of a lower level than Developer" in only["detail"]
    assert only["mend"] == "give them the role Developer there"


def test_a_guest_of_the_group_without_the_role_is_no_drift(
    made: NominationWorld, server: Server
) -> None:
    join(made, "dora", Level.GUEST)
    assert drift(server, code=0)["differences"] == []


def test_names_are_compared_without_case_and_told_once(
    made: NominationWorld, server: Server
) -> None:
    list_in_inventory(made, "MAX", "@max")
    assert drift(server, code=0)["differences"] == []


def test_groups_that_are_listed_are_named_to_whoever_is_not(
    made: NominationWorld, server: Server
) -> None:
    list_in_inventory(made, groups=["some/where"])
    (only,) = drift(server)["differences"]
    assert "is not listed (groups that are: some/where)" in only["detail"]


def test_two_entries_of_one_account_are_one_person(made: NominationWorld, server: Server) -> None:
    files = {f"{FOLDER}/{where}/max2.yml": entry("Max", "reviewer") for where in "az"}
    elsewhere = {f"{FOLDER}/deep/er/max.yml": b"ai-gateway: ["}
    made.push(files | elsewhere, branch="main", by="olga")
    assert drift(server, code=0)["differences"] == []


# --- what is not known ------------------------------------------------------------------


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"{", "line 1"),
        (b"\xff", "it is not UTF-8"),
        (b'{"inventory": []}', "there is no entry"),
    ],
)
def test_a_file_that_cannot_be_read_is_unknown_and_ends_with_1(
    made: NominationWorld, server: Server, text: bytes, words: str
) -> None:
    write_inventory(made, text)
    found = drift(server)
    assert (found["agree"], found["known"], found["differences"]) == (False, False, [])
    (line,) = found["unknown"]
    assert line.startswith(f"{INVENTORY}: ")
    assert words in line
    assert f"ai-gateway: not known: {line}" in run(server, "-q").stdout


def test_a_file_that_is_not_there_and_a_group_that_cannot_be_read_are_unknown(
    made: NominationWorld, server: Server
) -> None:
    draft = CommitDraft(message="Away", changes={"inventory.json": None, "x": b""})
    actions.push(made.world, made.user("olga"), made.provisioner, "main", draft)
    made.group.visibility = "private"
    found = drift(server)
    assert found["differences"] == []
    assert len(found["unknown"]) == 2
    assert "cannot be read by the bot" in found["unknown"][0]
    assert found["unknown"][1] == f"{INVENTORY}: there is no such file"


def test_without_the_entries_nobody_is_said_to_lack_the_role(
    made: NominationWorld, server: Server
) -> None:
    list_in_inventory(made, "max", "dora")
    made.user("dora").state = "blocked"
    server.fault(Fault(route="GET *archive.tar.gz", kind=Kind.FORBIDDEN))
    found = drift(server)
    assert told(found) == {("dora", INVENTORY, "inactive")}
    assert [f"the entries of {TEAM}: " in line for line in found["unknown"]] == [True]


def test_without_the_team_database_nothing_is_known(server: Server) -> None:
    server.fault(Fault(route="GET /api/v4/projects/{id}", kind=Kind.FORBIDDEN))
    found = drift(server)
    assert found["differences"] == []
    assert not found["known"]


def test_an_entry_that_cannot_be_read_is_unknown_and_so_is_whom_it_may_name(
    made: NominationWorld, server: Server
) -> None:
    list_in_inventory(made, "max", "dora")
    broken = {
        f"{FOLDER}/d/dora.yml": b"gitlab: dora\nprojects: [\n",
        f"{FOLDER}/x/x.yml": b"gitlab: xavier\nprojects: {ai-gateway: maintainer\n",
        f"{FOLDER}/y/y.yml": b"projects: {ai-gateway: maintainer}\n",
    }
    made.push(broken, branch="main", by="olga")
    found = drift(server)
    assert found["differences"] == []
    assert found["unknown"] == [
        f"whether {FOLDER}/x/x.yml gives the role: the entry cannot be read",
        f"whom {FOLDER}/y/y.yml gives the role: the entry names no account",
        f"whether dora has the role: {FOLDER}/d/dora.yml cannot be read",
    ]


def test_an_account_that_cannot_be_looked_up_is_unknown() -> None:
    (policy, *_), _ = shipped()
    entries = Entries(
        project=TEAM, branch="main", files={f"{FOLDER}/d/dora.yml": entry("dora", "maintainer")}
    )
    facts: dict[Need, Fact] = {MembersOf(MAINTAINERS): Members(direct=(), owners=())}
    source = FakeSource({ProfileOf("dora"): Unread(reason="it rained")})
    found = compare(policy, facts, entries, source, "https://gitlab.example.com")
    assert [each.problem for each in found.differences] == ["missing"]
    assert found.unknown[-1] == "whether the account dora is active: it rained"


# --- other policies ---------------------------------------------------------------------


def test_nothing_in_it_knows_a_project_but_by_its_policy(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    docs = Group(id=made.world.next_id("group"), full_path="docs", name="d", created_at=START)
    made.world.add_group(docs)
    policy = DOCS_POLICY.replace("gitlab-org/maintainers/docs", "docs")
    (tmp_path / "docs.yml").write_text(policy + DOCS_STEPS, "utf-8")
    changed = entry("dora").decode() + "projects:\n  docs: maintainer\n"
    made.push({f"{FOLDER}/d/dora.yml": changed.encode()}, branch="main", by="olga")
    docs.members[1] = Member(user=made.user("dora"), level=Level.REPORTER, created_at=START)
    found = drift(server, NOMINATION_BOT_POLICIES=tmp_path)
    assert [place["kind"] for place in found["places"]] == ["entry", "group", "group", "file"]
    assert told(found) == {("dora", "docs", "too_low")}
    assert len(found["unknown"]) == 1
    assert run(server, "--policy", "none").returncode == 1
    assert "Did you mean" in run(server, "--jsn").stderr


def test_a_group_with_more_members_than_are_read_is_unknown() -> None:
    (policy, *_), _ = shipped()
    facts: dict[Need, Fact] = {
        MembersOf(MAINTAINERS): Members(direct=(), owners=(), following="next")
    }
    found, unread = read_places(policy, facts, "https://gitlab.example.com")
    assert found == []
    assert unread[0].unknown == "it has more members than were read"


def test_a_policy_with_a_mistake_ends_with_1(server: Server, tmp_path: Path) -> None:
    (tmp_path / "docs.yml").write_text(DOCS_POLICY.replace("role:", "rolle:"), "utf-8")
    done = run(server, NOMINATION_BOT_POLICIES=tmp_path)
    assert done.returncode == 1
    assert "docs.yml" in done.stderr
    assert "There is no policy" not in done.stderr


def test_the_commands_of_the_page_run(server: Server) -> None:
    page = (Path(__file__).parent.parent / "docs" / "drift.md").read_text("utf-8")
    (block,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    for line in block.splitlines():
        program, *arguments = shlex.split(line)
        done = run_reading(server, *arguments)
        assert (program, done.returncode, done.stderr) == ("nomination-bot", 0, ""), line
    problems = re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE)
    named = Difference.__doc__ or ""
    assert problems
    assert [problem for problem in problems if f"`{problem}`" not in named] == []


# --- what everybody may see -------------------------------------------------------------


def test_what_a_private_place_says_is_left_out_but_for_the_number() -> None:
    place = Place(
        kind="file", name="f", url="u", public=False, people=None, unknown="line 1: 'secret'"
    )
    drift = Drift(
        id="p",
        title="t",
        project="p",
        role="r",
        places=(place,),
        differences=(),
        unknown=("f: line 1: 'secret'", "whether x has the role", "whether secret has it"),
        private=("whether secret has it",),
    )
    shown = publish(drift)
    assert shown.unknown == (
        "f: it could not be read",
        "whether x has the role",
        "something about people in places that not everybody may see",
    )
    assert not shown.sound


def test_entries_of_another_policy_are_nobody_to_this_one() -> None:
    (policy, *_), _ = shipped()
    files = {"people/x/x.yml": entry("x", "maintainer")}
    entries = Entries(project=TEAM, branch="main", files=files)
    found = compare(policy, {}, entries, FakeSource({}), "https://gitlab.example.com")
    assert (found.differences, found.places[0].people) == ((), 0)


@pytest.mark.parametrize(
    ("visibility", "private"), [(Visibility.PUBLIC, False), (Visibility.PRIVATE, True)]
)
def test_whom_private_places_alone_name_is_not_told_to_everybody(
    visibility: Visibility, private: bool
) -> None:
    (policy, *_), _ = shipped()
    broken = {f"{FOLDER}/x/x.yml": b"gitlab: dora\nprojects: ["}
    entries = Entries(project=TEAM, branch="main", files=broken)
    members = Members(direct=(MemberFact(username="dora", level=30),), owners=())
    facts: dict[Need, Fact] = {MembersOf(MAINTAINERS): replace(members, visibility=visibility)}
    found = compare(policy, facts, entries, FakeSource({}), "https://gitlab.example.com")
    line = f"whether dora has the role: {FOLDER}/x/x.yml cannot be read"
    assert line in found.unknown
    assert (line in publish(found).unknown) is not private
