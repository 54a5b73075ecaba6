"""Tests that the JSON for people's own tools keeps its published shape."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from bot.assessment import KINDS, State, Verdict, assess
from bot.cli import run_command
from bot.report.json_report import as_json, explain_assessment
from bot.report.values import Findings
from bot.sandbox.http.server import Server
from tests.builders import GITLAB, make_case, make_replay
from tests.everything import EVERYTHING
from tests.gallery import SCENES
from tests.generated import Settle
from tests.nomination_world import SECRET, TEAM, make_world

ROOT = Path(__file__).parent.parent
PUBLISHED = ROOT / "bot" / "assessment.schema.json"
SCHEMA: dict[str, Any] = json.loads(PUBLISHED.read_text("utf-8"))
NEAR_MISS: dict[str, Any] = SCHEMA["$defs"]["near_miss"]
CHECKER = Draft202012Validator.FORMAT_CHECKER
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=CHECKER)
WORD = re.compile(r"`([a-z_]+)`(?!\])")
NOMINATION = {"$defs": SCHEMA["$defs"], "$ref": "#/$defs/nomination"}
LIST = {"$defs": SCHEMA["$defs"], "type": "array", "items": {"$ref": "#/$defs/nomination"}}


def parts() -> Iterator[tuple[str, str]]:
    """Yield every object of the schema with each of its keys."""
    for name, part in {"the whole": SCHEMA, **SCHEMA["$defs"]}.items():
        yield from ((name, key) for key in part["properties"])


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for part in (SCHEMA, *SCHEMA["$defs"].values()):
        assert part["required"] == list(part["properties"])
        assert part["additionalProperties"] is False


@pytest.mark.parametrize("findings", SCENES.values(), ids=SCENES)
def test_every_situation_has_the_published_shape(findings: Findings) -> None:
    VALIDATOR.validate(as_json(findings, GITLAB))


def test_every_part_of_the_shape_is_really_written() -> None:
    def keys(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for key, item in value.items():
                yield key
                yield from keys(item)
        elif isinstance(value, list):
            for item in value:
                yield from keys(item)

    written = {key for findings in SCENES.values() for key in keys(as_json(findings, GITLAB))}
    assert written == {key for _, key in parts()}


def test_every_reason_of_a_near_miss_is_really_given() -> None:
    misses = [
        n for f in SCENES.values() for a in f.assessments for r in a.findings for n in r.near_misses
    ]
    assert {miss.why for miss in misses} == set(NEAR_MISS["properties"]["why"]["enum"])


def test_the_published_words_are_those_of_the_judgement(settle: Settle) -> None:
    """A new kind, verdict or state of a step goes into the schema and its page by `make bless`."""
    words = {
        ("requirement", "kind"): [kind.kind for kind in KINDS],
        ("requirement", "verdict"): [verdict.value for verdict in Verdict],
        ("requirement", "measured"): [*(verdict.value for verdict in Verdict), None],
        ("follow_up", "state"): [state.value for state in State],
    }
    schema = json.loads(PUBLISHED.read_text("utf-8"))
    for (name, key), allowed in words.items():
        schema["$defs"][name]["properties"][key]["enum"] = allowed
    settle(PUBLISHED, json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
    shown = ", ".join(f"`{kind.kind}`" for kind in KINDS)
    settle(
        ROOT / "docs" / "json.md", shown, after="| `kind` | What is asked for. | ", before=" |\n"
    )


def test_what_every_kind_finds_has_the_published_shape() -> None:
    assessment = assess(make_case(EVERYTHING), make_replay(), None)
    told: Any = explain_assessment(assessment, GITLAB)
    assert {each["kind"] for each in told["requirements"]} == {kind.kind for kind in KINDS}
    Draft202012Validator(NOMINATION, format_checker=CHECKER).validate(told)


def test_another_shape_is_refused() -> None:
    told = as_json(next(iter(SCENES.values())), GITLAB)
    for spoilt in (told | {"odd": 1}, told | {"gate": "open"}, {"iid": 1}):
        with pytest.raises(ValidationError):
            VALIDATOR.validate(spoilt)


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("arguments", "schema"),
    [
        (["check", f"{TEAM}!1", "--json"], SCHEMA),
        (["ready", "nina", "--json"], LIST),
        (["ready", "nina", "--outcomes", "--json"], LIST),
    ],
)
def test_what_the_commands_print_has_the_published_shape(
    arguments: list[str], schema: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    made = make_world(reviewed=3)
    with Server(made.world) as server:
        given = {"NOMINATION_BOT_TOKEN": SECRET, "CI_SERVER_URL": server.url}
        assert run_command(arguments, given) == 0
    printed = capsys.readouterr().out
    assert SECRET not in printed
    Draft202012Validator(schema, format_checker=CHECKER).validate(json.loads(printed))


@pytest.mark.parametrize(("name", "key"), list(parts()))
def test_every_key_is_documented(name: str, key: str) -> None:
    text = (ROOT / "docs" / "json.md").read_text("utf-8")
    heading = "## The whole" if name == "the whole" else f"## `{name}`"
    section = text.split(f"{heading}\n")[1].split("\n## ")[0]
    part = SCHEMA if name == "the whole" else SCHEMA["$defs"][name]
    (row,) = (line for line in section.splitlines() if line.startswith(f"| `{key}` | "))
    said = part["properties"][key]
    assert row.startswith(f"| `{key}` | {said.get('description', '')} | ")
    words = [word for word in said.get("enum", ()) if word is not None]
    assert WORD.findall(row.split(" | ")[2]) == words


def test_every_reason_of_a_near_miss_is_documented() -> None:
    text = (ROOT / "docs" / "json.md").read_text("utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith("| `why` |")]
    whys = NEAR_MISS["properties"]["why"]["enum"]
    assert row.split(" | ")[2].removesuffix(" |") == ", ".join(f"`{why}`" for why in whys)
