"""What a story is about: the world, the people in it, and what their comments were meant to say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from bot.report.rendering import MARKER
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft
from bot.sandbox.world.entities import Level, Member, MergeRequest, Note, User
from bot.sandbox.world.state import World
from tests.nomination_world import (
    FOLDER,
    START,
    NominationWorld,
    add_check,
    add_user,
    entry,
    make_world,
)

NINA = f"{FOLDER}/n/nina.yml"
NILS = f"{FOLDER}/n/nils.yml"
MIA = f"{FOLDER}/m/mia.yml"
MOE = f"{FOLDER}/m/moe.yml"
RITA = f"{FOLDER}/r/rita.yml"
# Never in the group, never anybody's manager, never nominated.
STRANGERS = ("sven", "dora", "robo")
# Rita is the manager of nils alone, and maintains nothing.
PEOPLE = ("nina", "nils", "mia", "mia", "max", "max", "max", "moe", "olga", "rita", *STRANGERS)
GATES = ("commit-status", "commit-status", "commit-status", "external-status-check")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a command in a comment was meant to do; `who` is the nominee it names, if any."""

    verb: str
    requirement: str = ""
    who: str | None = None


@dataclass(slots=True, kw_only=True)
class Plot:
    """A story's world, and what the generator of the story knows of it.

    `orders` holds by note what its writer meant; a note without an entry orders nothing.
    """

    made: NominationWorld
    random: Random
    gate: str
    orders: dict[int, Sequence[Order]] = field(default_factory=dict)
    branches: int = 0

    @property
    def world(self) -> World:
        """The world that is played on."""
        return self.made.world

    @property
    def merge_requests(self) -> list[MergeRequest]:
        """The merge requests of the team database."""
        return list(self.made.team.merge_requests.values())

    @property
    def bot(self) -> User:
        """The bot's account."""
        return self.made.user("nomination-bot")

    def somebody(self, *names: str) -> User:
        """Choose a person."""
        return self.made.user(self.random.choice(names or PEOPLE))

    def some_merge_request(self) -> MergeRequest:
        """Choose a merge request, mostly the nomination the world began with."""
        first = [self.made.nomination] * 3
        return self.random.choice([*first, *self.merge_requests])

    def push(self, branch: str, files: Mapping[str, bytes | None], by: str = "nina") -> None:
        """Push files to a branch of the team database."""
        draft = CommitDraft(message="Change", changes=files)
        actions.push(self.world, self.made.user(by), self.made.team, branch, draft)

    def own_notes(self, mr: MergeRequest) -> list[Note]:
        """List the bot's comments; one that a Maintainer made another text of is none of them."""
        return [
            note
            for note in mr.comments
            if note.author is self.bot
            and (note.body.startswith(MARKER) or note.last_edited_by is self.bot)
        ]


def begin(random: Random) -> Plot:
    """Make the world of a story; its nomination is open, and nobody has told the bot."""
    gate = random.choice(GATES)
    made = make_world(
        authored=random.choice((4, 5, 6)),
        reviewed=random.choice((4, 5, 6)),
        trainee=random.random() < 0.85,
        assigned=random.random() < 0.75,
        settings={
            "tier": "ultimate" if gate == "external-status-check" else "premium",
            "pipelines": random.choice(("none", "push", "merge_request_event")),
        },
    )
    for name in ("nils", "moe", "sven", "robo", "rita"):
        add_user(made.world, name).bot = name == "robo"
    for name, level in dict.fromkeys(("nils", "moe", "rita"), Level.DEVELOPER).items():
        user = made.user(name)
        made.team.members[user.id] = Member(user=user, level=level, created_at=START)
    moe = made.user("moe")
    made.group.members[moe.id] = Member(user=moe, level=Level.MAINTAINER, created_at=START)
    if gate == "external-status-check":
        add_check(made)
    plot = Plot(made=made, random=random, gate=gate)
    files = {
        NILS: entry("nils", "trainee_maintainer", "rita"),
        MOE: entry("moe"),
        RITA: entry("rita", None, "olga"),
    }
    plot.push("main", files, "olga")
    return plot
