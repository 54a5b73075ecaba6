"""Tests of the settings."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bot.config import GATES, SETTINGS, Secret, Settings, parse_settings
from bot.errors import ConfigError

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
    assert "\n" not in said


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
        "NOMINATION_BOT_TOKEN is missing: set it to the bot's access token; "
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
        name for name in Settings.__slots__ if name not in {"token", "word", "docs_url", "job_url"}
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
