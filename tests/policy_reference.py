"""Read one policy from a text; write the schema and the reference of the policy language."""

import json
from collections.abc import Iterator, Mapping

from bot.assessment.kinds.attested import TOPIC
from bot.policy import ENTRY, MAINTAINERS, Policy
from bot.policy.grammar import Field, Record, raise_any
from bot.rulebook.language import (
    CHECKS,
    FOLLOW_UP,
    NOTICE,
    POLICY,
    REQUIREMENT,
    RULES,
    policy_schema,
)
from bot.rulebook.loading import _read_text

# By this other repositories point to the schema. It stays the same when the schema changes.
SCHEMA_ID = (
    "https://gitlab.com/gitlab-org/nomination-bot/-/raw/HEAD/bot/policies/policy.schema.json"
)


def parse_policy(text: str, where: str) -> Policy:
    """Return the policy that a text describes; raise PolicyError for every mistake in it."""
    reading = _read_text(text, where)
    raise_any([reading.mistakes])
    return reading.policy


def render_schema() -> str:
    """Return the text of `policies/policy.schema.json`."""
    schema = policy_schema()
    first = {"$schema": schema["$schema"], "$id": SCHEMA_ID}
    return json.dumps(first | schema, indent=2) + "\n"


def render_reference() -> str:
    """Return every key of the language as Markdown, for `docs/policy.md`."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    """Yield the lines of the reference."""
    yield from _section("## Keys of a policy", POLICY.about, POLICY.fields)
    yield from _section("### `maintainers`", MAINTAINERS.about, MAINTAINERS.fields)
    yield from _section("### An item of `notices`", NOTICE.about, NOTICE.fields)
    about = "Every item of `requirements` has these keys, and those of its `kind`."
    yield from _section("## Requirements", about, REQUIREMENT.common)
    yield from _kinds(RULES)
    yield from _section("### An item of `topics`", TOPIC.about, TOPIC.fields)
    about = "Every item of `follow_ups` has these keys, and those of its `kind`."
    yield from _section("## Follow-up steps", about, FOLLOW_UP.common)
    yield from _kinds(CHECKS)
    yield from _section("### `entry`", ENTRY.about, ENTRY.fields)


def _kinds(kinds: Mapping[str, Record]) -> Iterator[str]:
    """Yield a section for each kind."""
    for name, kind in kinds.items():
        yield from _section(f"### `kind: {name}`", kind.about, kind.fields)


def _section(title: str, about: str, fields: tuple[Field, ...]) -> Iterator[str]:
    """Yield a heading, a sentence, and a table of keys."""
    yield from (title, "", about, "")
    if not fields:
        return
    yield from ("| key | meaning | value | needed |", "| --- | --- | --- | --- |")
    for field in fields:
        yield f"| `{field.name}` | {field.about} | {field.shape.says} | {_needed(field)} |"
    yield ""


def _needed(field: Field) -> str:
    """Say whether a key may be left out, and what holds then."""
    if field.required:
        return "yes"
    if field.default in {None, ()}:
        return "no"
    default = str(field.default).lower() if isinstance(field.default, bool) else field.default
    return f"no; `{default}`"
