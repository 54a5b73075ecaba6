"""Tests of the settings."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bot.config import (
    FOREIGN_ADDRESSES,
    FOREIGN_TOKENS,
    GATES,
    SETTINGS,
    Secret,
    Settings,
    find_chosen,
    parse_settings,
)
from bot.errors import ConfigError
from bot.scope import NAMES, PREFIX

TOKEN = "glpat-0123456789abcdefghij"  # noqa: S105  no real one
LEAST = {"NOMINATION_BOT_TOKEN": TOKEN, "CI_SERVER_URL": "https://gitlab.example.com"}
LEAST_SETTINGS = parse_settings(LEAST)


def parse(**changes: str) -> Settings:
    return parse_settings(
        LEAST | {f"NOMINATION_BOT_{name}": text for name, text in changes.items()}
    )


def problems(environment: Mapping[str, str]) -> str:
    with pytest.raises(ConfigError) as refused:
        parse_settings(environment)
    return str(refused.value)


def test_a_token_and_gitlabs_address_are_enough() -> None:
    settings = parse_settings(LEAST)
    assert settings.token.reveal() == TOKEN
    assert settings.gitlab_url == "https://gitlab.example.com"
    assert settings.team_project == "gitlab-com/www-gitlab-com"
    assert (settings.gate, settings.word, settings.status_name) == (
        "commit-status",
        "nomination",
        "nomination-bot",
    )
    assert (settings.policies, settings.templates) == (None, None)
    assert settings.former_ids == frozenset()
    assert settings.deadline == 120.0


def test_every_setting_is_read() -> None:
    settings = parse(
        GITLAB_URL="http://127.0.0.1:8080/sub/ ",
        TEAM_PROJECT="7001",
        POLICIES="/etc/policies",
        GATE="none",
        COMMAND="/promote-me",
        STATUS_NAME="who is next",
        TEMPLATES="words",
        FORMER_IDS="12, 13,",
        DEADLINE="3600",
    )
    assert settings.gitlab_url == "http://127.0.0.1:8080/sub"
    assert settings.team_project == "7001"
    assert settings.policies == "/etc/policies"
    assert settings.gate == "none"
    assert settings.word == "promote-me"
    assert settings.status_name == "who is next"
    assert settings.templates == "words"
    assert settings.former_ids == {12, 13}
    assert settings.deadline == 3600.0


def test_every_problem_is_reported_at_once() -> None:
    said = problems(
        {
            "NOMINATION_BOT_GATE": "open",
            "NOMINATION_BOT_FORMER_IDS": "1,two",
            "NOMINATION_BOT_DEADLINE": "soon",
            "NOMINATION_BOT_TEAM_PROJECT": "team",
        }
    )
    names = ("TOKEN", "GITLAB_URL", "GATE", "FORMER_IDS", "DEADLINE", "TEAM_PROJECT")
    assert [name for name in names if f"NOMINATION_BOT_{name} " not in said] == []
    assert all(gate in said for gate in GATES)
    assert len(said.splitlines()) == len(names)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("GITLAB_URL", "gitlab.example.com"),
        ("GITLAB_URL", "ftp://gitlab.example.com"),
        ("GITLAB_URL", "https://"),
        ("GITLAB_URL", "https:///path"),
        ("GITLAB_URL", "https://git lab"),
        ("GITLAB_URL", "https://me:secret@gitlab.example.com"),
        ("GITLAB_URL", "https://gitlab.example.com?x=1"),
        ("GATE", "Commit-Status"),
        ("TEAM_PROJECT", "group//project"),
        ("TEAM_PROJECT", "/project"),
        ("TEAM_PROJECT", "group/"),
        ("TEAM_PROJECT", "²"),
        ("TEAM_PROJECT", "9" * 5000),
        ("FORMER_IDS", "-1"),
        ("FORMER_IDS", "9" * 5000),
        ("DEADLINE", "4"),
        ("DEADLINE", "3601"),
        ("DEADLINE", "60.5"),
        ("DEADLINE", "9" * 5000),
        ("TOKEN", "glpat-ü"),
        ("TOKEN", "two words"),
        ("TOKEN", "two\nlines"),
    ],
)
def test_a_wrong_setting_is_named(name: str, text: str) -> None:
    said = problems(LEAST | {f"NOMINATION_BOT_{name}": text})
    assert f"NOMINATION_BOT_{name} " in said


def test_what_is_missing_is_told_from_what_is_wrong() -> None:
    advice = "set it to GitLab's address, such as https://gitlab.com."
    start = "NOMINATION_BOT_GITLAB_URL (default CI_SERVER_URL) is "
    assert problems({}) == (
        "NOMINATION_BOT_TOKEN is missing: set it to the bot's access token.\n"
        f"{start}missing: {advice}"
    )
    wrong = problems(LEAST | {"CI_SERVER_URL": "gitlab"})
    assert wrong == f"{start}not an http(s) address: {advice}"


@pytest.mark.parametrize("text", ["5", "3600"])
def test_deadlines_at_the_limits_are_accepted(text: str) -> None:
    assert parse(DEADLINE=text).deadline == float(text)


def test_the_own_address_wins_over_the_runners() -> None:
    assert parse(GITLAB_URL="https://other.example.com").gitlab_url == "https://other.example.com"


def test_blank_settings_are_as_good_as_none() -> None:
    names = [setting.name for setting in SETTINGS if setting.default]
    blank = parse_settings(LEAST | dict.fromkeys(names, "  "))
    assert replace(blank, token=LEAST_SETTINGS.token) == LEAST_SETTINGS


def test_the_token_never_shows_itself() -> None:
    secret = Secret(TOKEN)
    settings = parse()
    shown = f"{secret} {secret!r} {settings} {settings!r}"
    assert TOKEN not in shown
    assert "Secret(***)" in shown


def test_a_wrong_token_is_not_repeated() -> None:
    assert "hunter2" not in problems(LEAST | {"NOMINATION_BOT_TOKEN": "hunter2 ü"})


def test_every_setting_is_listed_with_its_meaning() -> None:
    assert all(setting.meaning for setting in SETTINGS)
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
    read = {
        name
        for name in Settings.__slots__
        if name not in {"token", "word", "docs_url", "job_url", "in_job"}
    }
    assert {setting.name.removeprefix("NOMINATION_BOT_").lower() for setting in SETTINGS} == {
        *read,
        "token",
        "command",
    }


@pytest.mark.parametrize(
    ("visibility", "shown"),
    [(None, True), ("public", True), ("internal", False), ("private", False)],
)
def test_pages_of_the_bots_project_are_linked_where_everybody_sees_them(
    visibility: str | None, shown: bool
) -> None:
    job = "https://gitlab.example.com/bot/-/jobs/7"
    given = {"CI_PROJECT_URL": "https://gitlab.example.com/bot", "CI_JOB_URL": job}
    given |= {"CI_PROJECT_VISIBILITY": visibility} if visibility else {}
    settings = parse_settings(LEAST | given)
    assert (settings.job_url == job) is shown
    assert bool(settings.docs_url) is shown
    assert parse_settings(LEAST | {"CI_JOB_URL": "javascript:alert(1)"}).job_url == ""


def test_the_contact_is_one_line() -> None:
    settings = parse_settings(LEAST | {"NOMINATION_BOT_CONTACT": " #ops\n and me "})
    assert settings.contact == "#ops and me"


# --- names ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NOMINATION_BOT_TEAM_PROJCT", "NOMINATION_BOT_TEAM_PROJECT"),
        ("NOMINATION_BOT_TOKENS", "NOMINATION_BOT_TOKEN"),
        ("NOMINATION_BOT_FORMER_ID", "NOMINATION_BOT_FORMER_IDS"),
        ("NOMINATION_BOT_URL", "NOMINATION_BOT_GITLAB_URL"),
        ("NOMINATION_BOT_", "NOMINATION_BOT_"),
        ("nomination_bot_gate", "NOMINATION_BOT_GATE"),
    ],
)
def test_a_setting_that_does_not_exist_is_answered_with_the_nearest(
    written: str, meant: str
) -> None:
    said = problems(LEAST | {written: "x"})
    assert said.startswith(f"{written} is no setting: did you mean {meant}")


def test_misspelt_names_are_told_with_all_other_problems() -> None:
    said = problems({"NOMINATION_BOT_GAET": "none", "NOMINATION_BOT_WRD": "x"})
    assert len(said.splitlines()) == 4


def test_the_names_for_events_are_those_of_all_settings() -> None:
    assert [f"{PREFIX}{name}" for name in NAMES] == [setting.name for setting in SETTINGS]


def test_an_issue_needs_a_project_to_be_in() -> None:
    needed = {"CI_SERVER_URL": "https://gitlab.example.com", "NOMINATION_BOT_TOKEN": TOKEN}
    asked = needed | {"NOMINATION_BOT_ISSUE": "true"}
    assert "NOMINATION_BOT_PROJECT (default CI_PROJECT_PATH) is missing" in problems(asked)
    assert parse_settings(asked | {"CI_PROJECT_PATH": "a/b"}).issue


@pytest.mark.parametrize("name", FOREIGN_TOKENS)
def test_a_token_of_another_tool_is_hinted_at(name: str) -> None:
    said = problems({"CI_SERVER_URL": "https://gitlab.example.com", name: "glpat-x"})
    assert f"{name} is set, but the bot does not read that" in said
    assert "glpat-x" not in said
    assert name not in problems({"CI_SERVER_URL": "x", "NOMINATION_BOT_TOKEN": TOKEN, name: "y"})


def test_a_job_token_is_told_to_be_too_weak() -> None:
    said = problems({"CI_JOB_TOKEN": "x", "GITLAB_TOKEN": "y"})
    assert "GITLAB_TOKEN and CI_JOB_TOKEN are set" in said
    assert "a job token cannot write comments" in said


@pytest.mark.parametrize("name", FOREIGN_ADDRESSES)
def test_an_address_of_another_tool_is_hinted_at(name: str) -> None:
    said = problems({"NOMINATION_BOT_TOKEN": TOKEN, name: "https://gitlab.example.com"})
    assert f"{name} is set" in said


def test_the_operators_token_is_a_secret_too() -> None:
    settings = parse(ADMIN_TOKEN="glpat-very-secret-indeed", PROJECT="group/bot")  # noqa: S106  made up
    assert settings.project == "group/bot"
    assert "very-secret" not in repr(settings)
    assert "NOMINATION_BOT_ADMIN_TOKEN holds" in problems(
        LEAST | {"NOMINATION_BOT_ADMIN_TOKEN": "a b"}
    )


def test_a_job_knows_its_project() -> None:
    assert parse_settings(LEAST | {"CI_PROJECT_PATH": "group/bot"}).project == "group/bot"


def test_what_was_chosen_is_what_differs_from_the_defaults() -> None:
    given = {
        "GATE": "none",
        "COMMAND": "nomination",
        "TOKEN": "x",
        "PROJECT": "a/b",
        "DEADLINE": "",
    }
    chosen = find_chosen({f"{PREFIX}{name}": value for name, value in given.items()})
    assert chosen == {"NOMINATION_BOT_GATE": "none"}
