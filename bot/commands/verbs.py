"""Say which commands there are: one table for permission, help and documents."""

import re
from enum import Enum

from bot.values import dataclass

# Every quick action GitLab documents or has had, whatever it acts on: the extractor cuts all of
# them out of a merge request's note (lib/gitlab/quick_actions/extractor.rb).
RESERVED = frozenset(
    """
    add_child add_contacts add_email approve assign assign_reviewer award blocked_by blocks
    board_move cc checkin_reminder child_epic clear_health_status clear_weight clone close
    confidential convert_to_ticket copy_metadata create_merge_request done draft due
    duo_code_review duplicate epic estimate estimate_time health_status internal_note invite_email
    iteration label labels link lock merge milestone move page parent_epic promote promote_to
    promote_to_incident publish q react ready reassign reassign_reviewer rebase relabel relate
    remove_child remove_child_epic remove_contacts remove_due_date remove_email remove_estimate
    remove_iteration remove_label remove_milestone remove_parent remove_parent_epic
    remove_reviewer remove_time_estimate remove_time_spent remove_zoom reopen request_changes
    request_review reviewer run_pipeline set_parent severity ship shrug spend spend_time spent
    status submit_review subscribe tableflip tag target_branch timeline title todo type unapprove
    unassign unassign_reviewer unlabel unlink unlock unsubscribe weight zoom
    """.split()  # noqa: SIM905 (a list literal would take a hundred lines)
)


class Audience(Enum):
    """Who may use a command; the value is how people read it."""

    ANYONE = "anyone who can comment"
    NOMINEE = "the nominee"
    MAINTAINER_OR_MANAGER = (
        "a current maintainer or the nominee's manager; "
        "no nominee, and not the author of the merge request"
    )


@dataclass(frozen=True, slots=True)
class Verb:
    """A command: how it is written after the word, who may use it, and what it does."""

    usage: str
    who: Audience
    effect: str

    @property
    def name(self) -> str:
        """The first word of it, by which it is known."""
        return self.usage.partition(" ")[0]


VERBS = (
    Verb("recheck", Audience.ANYONE, "Evaluates the merge request again."),
    Verb(
        "help", Audience.ANYONE, "Shows the commands in the bot's comment until the next command."
    ),
    Verb(
        "attest <topic> …",
        Audience.NOMINEE,
        "States that you know these topics; `attest all` names every topic.",
    ),
    Verb(
        "waive [@nominee] <requirement> <reason>",
        Audience.MAINTAINER_OR_MANAGER,
        "Lets the nomination pass without this requirement, for the reason given.",
    ),
    Verb(
        "unwaive [@nominee] <requirement>", Audience.MAINTAINER_OR_MANAGER, "Takes a waiver back."
    ),
    Verb(
        "hold <reason>",
        Audience.MAINTAINER_OR_MANAGER,
        "Keeps the gate closed for the whole merge request.",
    ),
    Verb("release", Audience.MAINTAINER_OR_MANAGER, "Ends a hold."),
)


def check_word(word: str) -> str | None:
    """Say why `word` cannot be the command's first word, or return `None` if it can."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]{1,31}", word, re.IGNORECASE | re.ASCII):
        return (
            f"the command word {word[:40]!r} must be 2 to 32 ASCII letters, digits, `_` or `-`, "
            "start with a letter, and be written without the slash"
        )
    if word.casefold() in RESERVED:
        return f"the command word {word!r} is a quick action of GitLab's own: choose another"
    return None


def help_table(word: str) -> tuple[tuple[str, str, str], ...]:
    """Return usage, audience and effect of every command, as plain text."""
    return tuple((f"/{word} {verb.usage}", verb.who.value, verb.effect) for verb in VERBS)
