"""Whether a project key or a role was meant when another one was written."""

import pytest
from hypothesis import given, strategies as st

from bot.team.spelling import is_key_meant, is_role_meant, is_stage_meant, may_mention
from tests.characters import ANY_CHARACTER


@pytest.mark.parametrize(
    "key",
    [
        "ai-gateway",
        "AI-Gateway",
        "ai_gateway",
        "aigateway",
        "ai gateway",
        "ai.gateway",
        "ai--gateway",
        "ai\u2011gateway",
        "ai-gateway:",
        "ai-gate-way",
        "AI_GATEWAY",
        "ai-gatway",
        "ai-gateways",
        "ai-gatewya",
        "ia-gateway",
        "gitlab-org/ai-gateway",
        "ai-gateway/",
    ],
)
def test_another_spelling_of_the_key_was_meant(key: str) -> None:
    assert is_key_meant(key, "ai-gateway")


@pytest.mark.parametrize(
    "key",
    [
        "ai-gateway-custom",
        "api-gateway",
        "gateway",
        "ai",
        "ai-assist",
        "gitlab",
        "gitlab-ai-gateway",
        "duo-workflow-service",
        "ci-gateway",
        "ai-getaway-x",
        "ai-gatwy-e",
        "",
        "/",
        "ai-gateway" * 30,
    ],
)
def test_other_projects_were_not_meant(key: str) -> None:
    assert not is_key_meant(key, "ai-gateway")


def test_short_keys_are_not_confused() -> None:
    assert not is_key_meant("gitaly", "gitlab")
    assert not is_key_meant("gck", "gdk")
    assert is_key_meant("gtilab", "gitlab")


@pytest.mark.parametrize(
    "text",
    [
        "maintainer",
        "Maintainer backend",
        "maintaner",
        "Maintaner",
        "maintener",
        "mantainer",
        "maintianer",
        "maintainers",
        "maintainer-backend",
        "maintainer_backend",
        "maintainer,reviewer",
        "maintainer, reviewer",
        "maintainer/reviewer",
        "maintainer:",
        "reviewer, maintainer",
        "reviewer maintainer",
        "trainee_maintainer, maintainer",
        "reviewer\nmaintainer",
        "maintainer\u200b",
    ],
)
def test_the_role_was_meant(text: str) -> None:
    assert is_role_meant(text, "maintainer")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        ",",
        "-",
        "reviewer",
        "owner",
        "trainee_maintainer",
        "trainee-maintainer",
        "trainee maintainer",
        "Trainee Maintainer",
        "reviewer trainee_maintainer",
        "maintainer-trainee",
        "maintainer_trainee backend",
        "former maintainer",
        "not maintainer",
        "ex-maintainer",
        "maintenance",
        "yes",
    ],
)
def test_the_role_was_not_meant(text: str) -> None:
    assert not is_role_meant(text, "maintainer")


@pytest.mark.parametrize("text", ["trainee-maintainer", "TraineeMaintainer", "trainee_maintainer:"])
def test_a_role_of_two_words_may_be_parted_otherwise(text: str) -> None:
    assert is_role_meant(text, "trainee_maintainer")
    assert not is_role_meant(text, "maintainer")


def test_a_short_role_forgives_one_edit_only() -> None:
    assert is_role_meant("ownr", "owner")
    assert not is_role_meant("over", "owner")


@given(
    st.sampled_from(["ai-gateway", "gitlab", "gdk", "duo-workflow-service", "x"]),
    st.text(alphabet="aigtewy-_ .:/kdx", max_size=14),
    st.text(ANY_CHARACTER, max_size=20),
    st.booleans(),
)
def test_the_cheap_look_never_misses_a_key_that_was_meant(
    project: str, key: str, around: str, utf16: bool
) -> None:
    text = f"{around}\n  {key}: maintainer\n{around}"
    raw = text.encode("utf-16" if utf16 else "utf-8", "replace")
    if is_key_meant(key, project):
        assert may_mention(raw, project)


@given(st.sampled_from(["ai-gateway", "gitlab", "gdk"]), st.integers(0, 9), st.sampled_from("az-_"))
def test_every_single_edit_stays_a_mention(project: str, place: int, letter: str) -> None:
    cut, rest = project[:place], project[place:]
    for key in (cut + letter + rest, cut + rest[1:], cut + letter + rest[1:]):
        assert may_mention(key.encode(), project) or not is_key_meant(key, project)
    swapped = cut + rest[1:2] + rest[:1] + rest[2:]
    assert may_mention(swapped.encode(), project) or not is_key_meant(swapped, project)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"ai\n - gateway", True),
        (b"AI-GATEWAY", True),
        (b'"\\x61"', True),
        (b"a\0", True),
        ("é ai_gateway".encode(), True),
        ("é \u017f".encode(), False),
        (b"gitlab: reviewer", False),
        (b"", False),
    ],
)
def test_the_cheap_look_is_quick_to_exclude(raw: bytes, expected: bool) -> None:
    assert may_mention(raw, "ai-gateway") is expected


def test_a_key_of_one_letter_is_always_possible() -> None:
    assert may_mention(b"anything", "x")


@pytest.mark.parametrize(
    ("text", "meant"),
    [("", False), ("trainee_maintainer", False), ("trainee", True), ("reviewer", False)],
)
def test_a_stage_is_meant_only_where_it_is_not_there(text: str, meant: bool) -> None:
    assert is_stage_meant(text, "trainee_maintainer") is meant
