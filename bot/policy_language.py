"""The policy language: what the parser, the JSON Schema and the reference have in common."""

from collections.abc import Iterator
from typing import Any

from bot import policy_values as say
from bot.policy_kinds import CHECKS, RULES
from bot.policy_mistakes import Contradiction
from bot.policy_records import Field, Record, Variant
from bot.policy_shapes import Choice, Day, ListOf, Schema
from bot.policy_words import ACTOR, GLOB, GROUP, ID, KEY, LEVEL, LINE, PROJECT, ROLE, URL, VERSION

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _requirement(*, enforcement: bool, **values: Any) -> say.Requirement:
    """Return the requirement with its enforcement as a yes or no."""
    return say.Requirement(blocking=enforcement, **values)


REQUIREMENT = Variant(
    slot="rule",
    kinds=RULES,
    build=_requirement,
    common=(
        Field(name="id", shape=ID, about="The word by which the requirement is waived."),
        Field(name="title", shape=LINE, about="What is asked, in a few words."),
        Field(
            name="enforcement",
            shape=Choice(words={"blocking": True, "advisory": False}),
            about="Whether the gate stays closed without it, or it is only shown.",
        ),
        Field(name="actor", shape=ACTOR, about="Who can meet it."),
        Field(name="help", shape=LINE, about="How to meet it, as plain text."),
    ),
)
FOLLOW_UP = Variant(
    slot="check",
    kinds=CHECKS,
    build=say.FollowUp,
    common=(
        Field(name="id", shape=ID, about="The name of the step."),
        Field(name="title", shape=LINE, about="What is to do, in a few words."),
        Field(name="actor", shape=ACTOR, about="Who does it."),
        Field(name="help", shape=LINE, about="How it is done and what it is good for."),
        Field(name="url", shape=URL, about="A page that helps to do it.", required=False),
    ),
)
NOTICE = Record(
    about="A sentence of the process that everybody should see.",
    build=say.Notice,
    fields=(
        Field(name="text", shape=LINE, about="The sentence, as plain text."),
        Field(name="url", shape=URL, about="A page that belongs to it.", required=False),
    ),
)
MAINTAINERS = Record(
    about="Who the present maintainers are: direct members of a group, from a level on.",
    build=say.GroupRef,
    fields=(
        Field(name="group", shape=GROUP, about="The group."),
        Field(name="level", shape=LEVEL, about="The least access level that counts."),
    ),
)


def _check_policy(
    *, role: str, requirements: tuple[say.Requirement, ...], **_: object
) -> Iterator[Contradiction]:
    """Find requirements that cannot be met, and topics that one word would attest twice."""
    owners: dict[str, str] = {}
    for number, requirement in enumerate(requirements):
        rule = requirement.rule
        for key in ("since_role", "role"):
            if getattr(rule, key, None) == role:
                yield Contradiction(
                    at=("requirements", number, key),
                    what=f"`{requirement.id}` asks for the role that the policy is about",
                    found=role,
                    expected="the role of an earlier stage",
                )
        for position, topic in enumerate(rule.topics if isinstance(rule, say.Attested) else ()):
            if owners.setdefault(topic.id, requirement.id) != requirement.id:
                yield Contradiction(
                    at=("requirements", number, "topics", position, "id"),
                    what=f"`{requirement.id}` repeats a topic",
                    found=f"{topic.id}, first in {owners[topic.id]}",
                    expected="it once",
                )


POLICY = Record(
    about="What a project asks of a nominee for one role.",
    build=dict,
    check=_check_policy,
    fields=(
        Field(name="id", shape=ID, about="The name of the policy, the same in all its versions."),
        Field(name="version", shape=VERSION, about="The name of this version, shown to people."),
        Field(
            name="in_force_from",
            shape=Day(),
            about="Merge requests opened on this day (UTC) or later are judged by this version;"
            " left out, it has been in force for ever.",
            required=False,
        ),
        Field(name="title", shape=LINE, about="What somebody becomes, in a few words."),
        Field(name="document", shape=URL, about="The page that describes the process."),
        Field(name="project", shape=KEY, about="The project's key in a team entry."),
        Field(name="role", shape=ROLE, about="The first word of the role that is gained."),
        Field(
            name="team_files",
            shape=GLOB,
            about="Which files of the team database are team entries.",
            required=False,
            default=say.TEAM_FILES,
        ),
        Field(
            name="repository",
            shape=PROJECT,
            about="The project whose merge requests count.",
        ),
        Field(name="maintainers", shape=MAINTAINERS, about=MAINTAINERS.about),
        Field(
            name="requirements",
            shape=ListOf(item=REQUIREMENT, distinct="id"),
            about="What must be so before the merge, in the order in which it is shown.",
        ),
        Field(
            name="follow_ups",
            shape=ListOf(item=FOLLOW_UP, distinct="id"),
            about="What is to do after the merge, in order.",
            required=False,
            default=(),
        ),
        Field(
            name="notices",
            shape=ListOf(item=NOTICE, distinct=None),
            about="What everybody should know about the process.",
            required=False,
            default=(),
        ),
    ),
)


def policy_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a policy file."""
    return {"$schema": DIALECT, "title": "Policy of the nomination bot"} | POLICY.schema()
