"""The kinds of requirement and follow-up: a row each, and a function where keys can contradict."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.listing import EntrySelector
from bot.policy import values as say
from bot.policy.mistakes import Contradiction
from bot.policy.records import Field, Kind, Record
from bot.policy.shapes import Choice, ListOf, Switch, Whole
from bot.policy.words import COUNT, GROUP, ID, LEVEL, LINE, PATH, PROJECT, REF, ROLE, URL, WORD


def _check_assigned(values: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Find a rule that asks for nobody."""
    if values.get("manager") is False and values.get("maintainers") == 0:
        yield Contradiction(
            at=("maintainers",),
            what="an `assigned` requirement asks for nobody",
            found="manager: false and maintainers: 0",
            expected="at least one person",
        )


def _check_approved_by(values: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Find a rule that asks one person to approve twice."""
    at_least = values.get("at_least", 1)
    if values.get("by") == "manager" and at_least > 1:
        yield Contradiction(
            at=("at_least",),
            what="a nominee has one manager",
            found=f"at_least: {at_least}",
            expected="at_least: 1",
        )


_COUNTING = (
    Field(name="at_least", shape=COUNT, about="How many merge requests are needed."),
    Field(
        name="since_role",
        shape=ROLE,
        about="Count only from the day on which the person's entry first named this role.",
        required=False,
    ),
    Field(
        name="repository",
        shape=PROJECT,
        about="Count in this project instead of the policy's `repository`.",
        required=False,
    ),
)
TOPIC = Record(
    about="One thing to know.",
    build=say.Topic,
    fields=(
        Field(name="id", shape=ID, about="The word by which the nominee attests the topic."),
        Field(name="text", shape=LINE, about="What to know, as plain text."),
        Field(name="url", shape=URL, about="Where to read about it.", required=False),
        Field(
            name="section",
            shape=LINE,
            about="The part of the process that names the topic; the comment does not show it.",
            required=False,
        ),
    ),
)
ENTRY = Record(
    about="Which item of a list inside the file is meant.",
    build=EntrySelector,
    fields=(
        Field(name="list", shape=WORD, about="The key of that list, at the top of the file."),
        Field(name="key", shape=WORD, about="The key by which the item is found."),
        Field(name="value", shape=WORD, about="What that key says in the item that is meant."),
    ),
)

RULES = (
    Kind(
        name="authored_merge_requests",
        about="Merged merge requests in `repository` that the nominee wrote.",
        fields=_COUNTING,
        build=say.AuthoredMergeRequests,
    ),
    Kind(
        name="reviewed_merge_requests",
        about="Merged merge requests of others or bots in `repository` that the nominee reviewed.",
        fields=_COUNTING,
        build=say.ReviewedMergeRequests,
    ),
    Kind(
        name="authored_or_reviewed",
        about="Both together; a merge request counts once.",
        fields=_COUNTING,
        build=say.AuthoredOrReviewed,
    ),
    Kind(
        name="attested",
        about="The nominee states to know each topic, by a comment.",
        fields=(
            Field(
                name="topics",
                shape=ListOf(item=TOPIC, distinct="id"),
                about="What the nominee states to know.",
            ),
        ),
        build=say.Attested,
    ),
    Kind(
        name="assigned",
        about="The merge request is assigned to the people who decide.",
        fields=(
            Field(
                name="manager",
                shape=Switch(),
                about="Whether the nominee's manager must be an assignee.",
            ),
            Field(
                name="maintainers",
                shape=Whole(least=0, most=100),
                about="How many present maintainers must be assignees, at least.",
            ),
        ),
        build=say.Assigned,
        check=_check_assigned,
    ),
    Kind(
        name="approved_by",
        about="The merge request is approved by the people who decide.",
        fields=(
            Field(name="at_least", shape=Whole(least=1, most=100), about="How many must approve."),
            Field(
                name="by",
                shape=Choice(words={"maintainers": "maintainers", "manager": "manager"}),
                about="Whose approvals count; never the nominee's own.",
            ),
        ),
        build=say.ApprovedBy,
        check=_check_approved_by,
    ),
    Kind(
        name="open_for",
        about="The merge request has been open for some days.",
        fields=(
            Field(name="days", shape=Whole(least=1, most=366), about="How many days of 24 hours."),
        ),
        build=say.OpenFor,
    ),
    Kind(
        name="role_held",
        about="The person's entry names a role for this project before the nomination.",
        fields=(
            Field(name="role", shape=ROLE, about="The stage before, such as trainee_maintainer."),
        ),
        build=say.RoleHeld,
    ),
)

CHECKS = (
    Kind(
        name="group_member",
        about="Done when the person is a member of a group.",
        fields=(
            Field(name="group", shape=GROUP, about="The group."),
            Field(name="level", shape=LEVEL, about="The least access level that will do."),
            Field(
                name="direct",
                shape=Switch(),
                about="Whether membership inherited from a parent group is not enough.",
                required=False,
                default=True,
            ),
        ),
        build=say.GroupMember,
    ),
    Kind(
        name="listed_in",
        about="Done when a list in a file names the person.",
        fields=(
            Field(name="project", shape=PROJECT, about="The project that holds the file."),
            Field(name="ref", shape=REF, about="The branch on which the file counts."),
            Field(name="path", shape=PATH, about="The file."),
            Field(
                name="format",
                shape=Choice(words={"json": "json", "json5": "json5", "yaml": "yaml"}),
                about="How the file is written.",
            ),
            Field(
                name="entry",
                shape=ENTRY,
                about="The item that holds the list; left out where the list is at the top.",
                required=False,
            ),
            Field(name="key", shape=WORD, about="The key of the list that names people."),
            Field(
                name="open",
                shape=Switch(),
                about="Whether the bot opens the merge request itself, where its token may.",
                required=False,
                default=False,
            ),
        ),
        build=say.ListedIn,
    ),
    Kind(
        name="manual",
        about="Cannot be checked: the step is announced, and people know when it is done.",
        fields=(),
        build=say.Manual,
    ),
)
