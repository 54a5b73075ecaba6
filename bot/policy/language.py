"""The policy language: what the parser, the JSON Schema and the reference have in common."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.policy import values as say
from bot.policy.kinds import CHECKS, RULES
from bot.policy.mistakes import Contradiction, Draft
from bot.policy.records import Field, Record, Variant
from bot.policy.shapes import Choice, Day, ListOf, Schema, Whole
from bot.policy.words import ACTOR, GLOB, GROUP, ID, KEY, LEVEL, LINE, PROJECT, ROLE, URL, VERSION
from bot.team import TEAM_FILES

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


def _check_policy(values: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Find requirements that cannot be met, and topics that one word would attest twice."""
    rules = {
        number: draft.values["rule"].values
        for number, draft in enumerate(values.get("requirements", ()))
        if draft is not None and "rule" in draft.values
    }
    yield from _find_idle_reminders(values)
    yield from _find_own_stage(values.get("role"), rules)
    yield from _find_shared_topics(rules)


def _find_idle_reminders(values: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Find reminders of what nobody is told the first time."""
    if values.get("remind_after") is not None and not values.get("notify"):
        yield Contradiction(
            at=("remind_after",),
            what="`remind_after` repeats a mention, and there is none",
            found=f"remind_after: {values['remind_after']}",
            expected="notify: next-actor, too",
        )


def _find_own_stage(
    role: str | None, rules: Mapping[int, Mapping[str, Any]]
) -> Iterator[Contradiction]:
    """Find each rule that wants somebody to have the role before they gain it."""
    for number, rule in rules.items():
        for key in ("since_role", "role"):
            if role is not None and rule.get(key) == role:
                name = f"requirements[{number}].{key}"
                yield Contradiction(
                    at=("requirements", number, key),
                    what=f"`{name}` asks for the role that the policy is about",
                    found=role,
                    expected="the role of an earlier stage",
                )


def _find_shared_topics(rules: Mapping[int, Mapping[str, Any]]) -> Iterator[Contradiction]:
    """Find each topic that an earlier requirement has; each list looks for its own doubles."""
    firsts: dict[str, tuple[int, Draft]] = {}
    for number, rule in rules.items():
        for position, topic in enumerate(rule.get("topics", ())):
            if topic is None or "id" not in topic.values:
                continue
            owner, first = firsts.setdefault(topic.values["id"], (number, topic))
            if owner != number:
                yield Contradiction(
                    at=("requirements", number, "topics", position, "id"),
                    what=f"`requirements[{number}]` repeats a topic of `requirements[{owner}]`",
                    found=f"{topic.values['id']}, first in line {first.find_place('id').line}",
                    expected="another id",
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
            about="Nominations that appear on this day (UTC) or later are judged by this version;"
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
            default=TEAM_FILES,
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
        Field(
            name="notify",
            shape=Choice(words={"nobody": False, "next-actor": True}),
            about="Whom the comment mentions: nobody, or the one person whose turn it is, once for"
            " each hand-over.",
            required=False,
            default=False,
        ),
        Field(
            name="remind_after",
            shape=Whole(least=1, most=366),
            about="After how many days in which nothing moved on they are mentioned once more;"
            " left out, never.",
            required=False,
        ),
        Field(
            name="reminders",
            shape=Whole(least=1, most=10),
            about="How often that is repeated, at most.",
            required=False,
            default=1,
        ),
    ),
)


def policy_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a policy file."""
    return {"$schema": DIALECT, "title": "Policy of the nomination bot"} | POLICY.schema()
