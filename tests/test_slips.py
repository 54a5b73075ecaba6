"""Slips in an entry: told where they are, and what was evidently meant."""

import pytest

from bot.errors import TeamDatabaseError
from bot.policy import wanted_roles
from bot.rulebook.loading import load_policies
from bot.team.tree import parse_tree
from tests.team_files import find, gains, make_change, make_entry, messages

WANTED = tuple(wanted_roles(load_policies(None)))
TOP = "name: Ada\ngitlab: ada\nprojects:\n  gitlab: reviewer\n"
END = "story: >-\n  Likes bikes.\nspecialty: Runner\n"


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        (TOP + '  ai-gateway: "maintainer\n' + END, 5),
        (TOP + "  ai-gateway: 'maintainer\n" + END, 5),
        (TOP + "  ai-gateway maintainer\n" + END, 5),
        (TOP + "<<<<<<< HEAD\n  ai-gateway: reviewer\n=======\n>>>>>>> mine\n" + END, 5),
        (TOP + "  ai-gateway: [maintainer\n" + END, 5),
        (TOP + "  ai-gateway: {maintainer: x\n" + END, 5),
        (TOP + "  ai-gateway: [a,\n    b: c: d]\n" + END, 6),
        (TOP + "   ai-gateway: maintainer\n" + END, 5),
        (TOP + "  ai-gateway: @maintainer\n" + END, 5),
        (TOP + '  ai-gateway: "main\n\n---\n' + END, 5),
        (TOP + '  ai-gateway: "main\n    \\q"\n' + END, 6),
        (TOP + "specialty Runner", 5),
    ],
)
def test_the_line_is_that_of_the_slip(text: str, line: int, pure: bool) -> None:
    with pytest.raises(TeamDatabaseError, match=f"^a.yml, line {line}, "):
        parse_tree(text.encode(), "a.yml", pure=pure)


@pytest.mark.parametrize("key", ["ai-assist", "AI-Assist", "gitlab-org/x/ai-assist"])
def test_the_name_of_the_repository_is_taken_for_the_key(key: str) -> None:
    found = find(
        make_change(make_entry(), make_entry(more=f"  {key}: maintainer\n")), wanted=WANTED
    )
    assert (found.nominations, found.unread) == ((), ())
    assert f'"{key}: maintainer" nominates nobody' in messages(found)
    assert [remark.near_miss for remark in found.remarks] == [True]


@pytest.mark.parametrize("more", ["  ai-assist: reviewer\n", "  ai-assistant: maintainer\n"])
def test_other_names_and_roles_are_not(more: str) -> None:
    assert find(make_change(make_entry(), make_entry(more=more)), wanted=WANTED).remarks == ()


@pytest.mark.parametrize("empty", ["", "~", "null", "''", "[]"])
def test_an_empty_item_is_remarked_on_beside_the_role(empty: str) -> None:
    head = make_entry(role=f"\n  - {empty}\n  - maintainer")
    found = find(make_change(make_entry(), head))
    assert [name for name, *_ in gains(found)] == ["ada"]
    assert ("an empty item" in messages(found)) is (empty != "[]")


@pytest.mark.parametrize(
    "role",
    [
        "trainee maintainer",
        "trainee",
        "Trainee Maintainer backend",
        "trainee_maintaner",
        "traineemaintainer",
        "trainee/maintainer",
        "[reviewer, trainee maintainer]",
        "reviewer trainee_maintainer",
    ],
)
def test_a_stage_in_a_spelling_that_is_not_read_is_a_near_miss(role: str) -> None:
    found = find(make_change(make_entry(), make_entry(role=role)), wanted=WANTED)
    assert found.nominations == ()
    assert [remark.near_miss for remark in found.remarks] == [True]
    assert 'only "ai-gateway: trainee_maintainer" does' in messages(found)


@pytest.mark.parametrize(
    ("before", "is_told"),
    [
        ("trainee maintainer", True),
        ("reviewer trainee_maintainer", True),
        ("trainee_maintainer", False),
        ("trainee-maintainer backend", False),
        ("reviewer", False),
    ],
)
def test_a_nominee_is_told_that_what_they_took_for_the_stage_is_none(
    before: str, is_told: bool
) -> None:
    change = make_change(make_entry(role=before), make_entry(role="maintainer"))
    found = find(change, wanted=WANTED)
    assert len(found.nominations) == 1
    told = f'"ai-gateway: {before}", which the entry says so far, does not count as the stage'
    assert (told in messages(found)) is is_told
    assert not any(remark.near_miss for remark in found.remarks)


def test_a_stage_under_another_key_is_a_near_miss() -> None:
    head = make_entry(more="  ai_gateway: trainee_maintainer\n")
    found = find(make_change(make_entry(), head), wanted=WANTED)
    assert [remark.near_miss for remark in found.remarks] == [True]
    assert "does not count as the stage" in messages(found)


@pytest.mark.parametrize(
    "role",
    [
        "trainee_maintainer",
        "trainee-maintainer",
        "Trainee_Maintainer backend",
        "reviewer",
        "[trainee_maintainer, trainee]",
        "''",
    ],
)
def test_a_stage_that_is_read_is_nothing_to_tell(role: str) -> None:
    found = find(make_change(make_entry(), make_entry(role=role)), wanted=WANTED)
    assert (found.nominations, found.remarks, found.unread) == ((), (), ())


def test_a_standing_slip_is_not_told_again() -> None:
    odd = make_entry(role="trainee", more="  ai-assist: maintainer\n")
    assert find(make_change(odd, odd + "job: x\n"), wanted=WANTED).remarks == ()
