"""What a policy says, as values; each field carries what the policy language says of its key."""

from datetime import date
from typing import Annotated, ClassVar, TypeVar

from bot.policy import words
from bot.policy.follow_ups import Check, FollowUp, GroupMember
from bot.policy.grammar import Choice, Day, Key, OfKind, Record, Whole, keys_of
from bot.team import TEAM_FILES
from bot.values import dataclass

C = TypeVar("C", bound=Check)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRef:
    """A group and the least access level (10 guest to 50 owner) that counts in it."""

    group: Annotated[str, Key(words.GROUP, "The group.")]
    level: Annotated[int, Key(words.LEVEL, "The least access level that counts.")]


MAINTAINERS = Record(
    about="Who the present maintainers are: direct members of a group, from a level on.",
    build=GroupRef,
    fields=keys_of(GroupRef),
)


class Rule(OfKind):
    """What a requirement asks for; its kinds stand in `bot.assessment.kinds`.

    A rule that is `timed` depends on when people nominated and approved; what comes `later` only
    an open merge request can show. One that is `evidence` asks for nothing: it is shown alone.
    """

    __slots__ = ()

    evidence: ClassVar[bool] = False
    timed: ClassVar[bool] = False
    later: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting(Rule):
    """Ask for a number of merge requests, maybe only since a role began.

    They are those that the nominee `authored`, or those that they `reviewed`, or both.
    """

    authored: ClassVar[bool] = True
    reviewed: ClassVar[bool] = True

    at_least: Annotated[int, Key(words.COUNT, "How many merge requests are needed.")]
    since_role: Annotated[
        str | None,
        Key(
            words.ROLE, "Count only from the day on which the person's entry first named this role."
        ),
    ] = None
    repository: Annotated[
        str | None,
        Key(words.PROJECT, "Count in this project instead of the policy's `repository`."),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Following(Rule):
    """Show how the merge requests went that requirements of the same policy count."""

    evidence: ClassVar[bool] = True

    repository: Annotated[
        str | None, Key(words.PROJECT, "Look in this project instead of the policy's `repository`.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One condition of a nomination; `actor` is who can meet it."""

    id: Annotated[str, Key(words.ID, "The word by which the requirement is waived.")]
    title: Annotated[str, Key(words.LINE, "What is asked, in a few words.")]
    blocking: Annotated[
        bool,
        Key(
            Choice(words={"blocking": True, "advisory": False}),
            "Whether the gate stays closed without it, or it is only shown.",
            "enforcement",
        ),
    ]
    actor: Annotated[str, Key(words.ACTOR, "Who can meet it.")]
    help: Annotated[str, Key(words.LINE, "How to meet it, as plain text.")]
    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence of the process that everybody should see."""

    text: Annotated[str, Key(words.LINE, "The sentence, as plain text.")]
    url: Annotated[str | None, Key(words.URL, "A page that belongs to it.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything that one project asks of a nominee for one role, from one day on.

    With `notify` the comment mentions whose turn it is, and after each `remind_after` days in
    which nothing moved on once more, `reminders` times at most.
    """

    id: Annotated[str, Key(words.ID, "The name of the policy, the same in all its versions.")]
    version: Annotated[str, Key(words.VERSION, "The name of this version, shown to people.")]
    in_force_from: Annotated[
        date | None,
        Key(
            Day(),
            "Nominations that appear on this day (UTC) or later are judged by this version;"
            " left out, it has been in force for ever.",
        ),
    ] = None
    title: Annotated[str, Key(words.LINE, "What somebody becomes, in a few words.")]
    document: Annotated[str, Key(words.URL, "The page that describes the process.")]
    project: Annotated[str, Key(words.KEY, "The project's key in a team entry.")]
    role: Annotated[str, Key(words.ROLE, "The first word of the role that is gained.")]
    team_files: Annotated[
        str, Key(words.GLOB, "Which files of the team database are team entries.")
    ] = TEAM_FILES
    repository: Annotated[str, Key(words.PROJECT, "The project whose merge requests count.")]
    maintainers: Annotated[GroupRef, Key(MAINTAINERS, MAINTAINERS.about)]
    requirements: Annotated[
        tuple[Requirement, ...],
        Key(None, "What must be so before the merge, in the order in which it is shown."),
    ]
    follow_ups: Annotated[
        tuple[FollowUp, ...], Key(None, "What is to do after the merge, in order.")
    ] = ()
    notices: Annotated[
        tuple[Notice, ...], Key(None, "What everybody should know about the process.")
    ] = ()
    notify: Annotated[
        bool,
        Key(
            Choice(words={"nobody": False, "next-actor": True}),
            "Whom the comment mentions: nobody, or the one person whose turn it is, once for"
            " each hand-over.",
        ),
    ] = False
    remind_after: Annotated[
        int | None,
        Key(
            Whole(least=1, most=366),
            "After how many days in which nothing moved on they are mentioned once more; left out,"
            " never.",
        ),
    ] = None
    reminders: Annotated[
        int, Key(Whole(least=1, most=10), "How often that is repeated, at most.")
    ] = 1
    source: str

    @property
    def label(self) -> str:
        """The policy and its version in one word."""
        return f"{self.id}@{self.version}"

    @property
    def memberships(self) -> list[GroupMember]:
        """Return which memberships go with the role: the maintainers', and those of the steps."""
        own = GroupMember(group=self.maintainers.group, level=self.maintainers.level)
        return list(dict.fromkeys([own, *self.checks_of(GroupMember)]))

    def checks_of(self, kind: type[C]) -> list[C]:
        """Return what steps after the merge are checked by, those of a kind, each once."""
        checks = (step.check for step in self.follow_ups)
        return list(dict.fromkeys(check for check in checks if isinstance(check, kind)))

    def place_of(self, rule: Counting | Following) -> str:
        """Return the project whose merge requests a rule is about."""
        return rule.repository or self.repository
