"""What a policy says of the steps after a merge, as values."""

from typing import Annotated, Literal, get_args

from bot.listing import EntrySelector, ListingSpec
from bot.policy import words
from bot.policy.grammar import Choice, Field, Key, OfKind, Record, Switch
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember(OfKind):
    """Check that the person is a member of a group, at this access level or above."""

    kind = "group_member"
    about = "Done when the person is a member of a group."

    group: Annotated[str, Key(words.GROUP, "The group.")]
    level: Annotated[int, Key(words.LEVEL, "The least access level that will do.")]
    direct: Annotated[
        bool, Key(Switch(), "Whether membership inherited from a parent group is not enough.")
    ] = True


ENTRY = Record(
    about="Which item of a list inside the file is meant.",
    build=EntrySelector,
    fields=(
        Field(name="list", shape=words.WORD, about="The key of that list, at the top of the file."),
        Field(name="key", shape=words.WORD, about="The key by which the item is found."),
        Field(
            name="value", shape=words.WORD, about="What that key says in the item that is meant."
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedIn(OfKind):
    """Check that the list `key` of a file, or of one entry in it, names the person.

    With `open` the bot opens the merge request that puts them there.
    """

    kind = "listed_in"
    about = "Done when a list in a file names the person."

    project: Annotated[str, Key(words.PROJECT, "The project that holds the file.")]
    ref: Annotated[str, Key(words.REF, "The branch on which the file counts.")]
    path: Annotated[str, Key(words.PATH, "The file.")]
    format: Annotated[
        Literal["json", "json5", "yaml"],
        Key(
            Choice(words={"json": "json", "json5": "json5", "yaml": "yaml"}),
            "How the file is written.",
        ),
    ]
    entry: Annotated[
        EntrySelector | None,
        Key(ENTRY, "The item that holds the list; left out where the list is at the top."),
    ] = None
    key: Annotated[str, Key(words.WORD, "The key of the list that names people.")]
    open: Annotated[
        bool,
        Key(Switch(), "Whether the bot opens the merge request itself, where its token may."),
    ] = False

    @property
    def spec(self) -> ListingSpec:
        """Where the list stands in the file."""
        return ListingSpec(format=self.format, entry=self.entry, key=self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manual(OfKind):
    """Nothing that can be checked: people do it and know it."""

    kind = "manual"
    about = "Cannot be checked: the step is announced, and people know when it is done."


Check = GroupMember | ListedIn | Manual
CHECKS: tuple[type[Check], ...] = get_args(Check)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """One step after the merge; `actor` is who does it."""

    id: Annotated[str, Key(words.ID, "The name of the step.")]
    title: Annotated[str, Key(words.LINE, "What is to do, in a few words.")]
    actor: Annotated[str, Key(words.ACTOR, "Who does it.")]
    help: Annotated[str, Key(words.LINE, "How it is done and what it is good for.")]
    url: Annotated[str | None, Key(words.URL, "A page that helps to do it.")] = None
    check: Check
