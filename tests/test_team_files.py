"""Tests of telling team entries, and what lies among them, by the path alone."""

import pytest

from bot.team.files import (
    TEAM_FILES,
    concerns_entries,
    is_team_file,
    lies_among_entries,
    rules_entries,
)


@pytest.mark.parametrize(
    ("path", "matches"),
    [
        ("data/team_members/person/a/ada.yml", True),
        ("data/team_members/person/_/_a b.yml", True),
        ("data/team_members/person/a/.yml", True),
        ("data/team_members/person/a/ada.yaml", False),
        ("data/team_members/person/a/ada.YML", False),
        ("data/team_members/person/ada.yml", False),
        ("data/team_members/person/a/b/ada.yml", False),
        ("data/team_members/vacancy/a/ada.yml", False),
        ("data/team_members/person//ada.yml", False),
        ("data/team_members/person/../x.yml", False),
        ("data/team_members/person/./x.yml", False),
        ("/data/team_members/person/a/ada.yml", False),
        ("data/team_members/person/a\\b/ada.yml", False),
        ("data/team_members/person/a/ada\0.yml", False),
        ("", False),
        ("data/team_members/person/a/ada.yml.orig", False),
        ("x/data/team_members/person/a/ada.yml", False),
        ("data/team_members/person/a/ada-yml", False),
        ("data/team_members/person/a/ada.yml\n", False),
    ],
)
def test_team_files_are_matched_segment_by_segment(path: str, matches: bool) -> None:
    assert is_team_file(path) is matches


def test_another_glob_may_be_used() -> None:
    assert is_team_file("people/ada.yml", "people/[a-c]*.yml")
    assert not is_team_file("people/dan.yml", "people/[a-c]*.yml")


@pytest.mark.parametrize(
    ("path", "among"),
    [
        ("data/team_members/person/a/ada.yml", False),
        ("data/team_members/person/a/ada.YML", True),
        ("data/team_members/person/a/ada.yaml", True),
        ("data/team_members/person/a/ada", True),
        ("data/team_members/person/a\\ada.yml", True),
        ("data\\team_members\\person\\a\\ada.yml", True),
        ("data/team_members/person/a/b/ada.yml", True),
        ("data/team_members/person/ada.yml", True),
        ("data/team_members/person/a/ada.yml\n", True),
        ("Data/Team_Members/Person/a/ada.yml", True),
        ("data/team_members/person", True),
        ("data/team_members", True),
        ("data", True),
        ("data/team_members/persona/a/ada.yml", False),
        ("data/team_members/vacancy/ada.yml", False),
        ("data/team.yml", False),
        ("README.md", False),
        ("", False),
    ],
)
def test_what_lies_among_the_entries_is_told_apart(path: str, among: bool) -> None:
    assert lies_among_entries(path) is among


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        (".gitattributes", True),
        ("data/.gitattributes", True),
        ("data/team_members/person/.gitattributes", True),
        ("data/team_members/person/a/.gitattributes", True),
        ("data/team_members/vacancy/.gitattributes", False),
        ("dat/.gitattributes", False),
        ("data/team_members/person/a/ada.yml", False),
        ("x.gitattributes", False),
    ],
)
def test_what_tells_git_how_to_write_entries_out(path: str, rules: bool) -> None:
    assert rules_entries(path) is rules
    assert concerns_entries(path, [TEAM_FILES]) is (rules or path.endswith(".yml"))
