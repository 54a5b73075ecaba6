"""Find and run quick actions in a note, with the rights of whoever writes or edits it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt

from bot.sandbox.acts.quick_action_table import EFFECTS, Outcome, Request
from bot.sandbox.world.entities import MergeRequest, User
from bot.sandbox.world.state import QuickActionOutcome, RefusedError, World

# Names GitLab knows beside those with an effect here: recognised, cut out, and recorded.
WITHOUT_EFFECT = frozenset(
    """
    blocked_by blocks copy_metadata done duo_code_review estimate estimate_time internal_note
    milestone rebase remove_estimate remove_milestone remove_time_estimate remove_time_spent
    run_pipeline ship spend spend_time spent subscribe todo unlink unsubscribe
    """.split()  # noqa: SIM905 - 23 words read better as a paragraph
)
# Valid on issues, epics or commits only; GitLab cuts these out of a note all the same.
ELSEWHERE = frozenset(
    """
    add_child add_contacts add_email board_move checkin_reminder child_epic clear_health_status
    clear_weight clone confidential convert_to_ticket create_merge_request due duplicate epic
    health_status invite_email iteration link move page parent_epic promote promote_to
    promote_to_incident publish relate remove_child remove_child_epic remove_contacts
    remove_due_date remove_email remove_iteration remove_parent remove_parent_epic remove_zoom
    set_parent severity status tag timeline type weight zoom
    """.split()  # noqa: SIM905 - as above
)
SUBSTITUTIONS = {
    "shrug": "¯\\\N{FULLWIDTH LOW LINE}(ツ)\N{FULLWIDTH LOW LINE}/¯",
    "tableflip": "(╯°□°)╯︵ ┻━┻",
}
KNOWN = frozenset(EFFECTS) | WITHOUT_EFFECT | ELSEWHERE

_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_LINE = re.compile(r"/(?P<name>\w+)(?:[ \t]+(?P<argument>.*?))?[ \t]*")
_SKIPPED = re.compile(
    r"(?<!`)(?P<fence>`+)(?!`).+?(?<!`)(?P=fence)(?!`) | <!--.*?--> | </?[A-Za-z][^>]*>",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickAction:
    """One command line of a note: its lower-case name, argument, and line number from 0."""

    name: str
    argument: str
    line: int


def find_quick_actions(text: str) -> tuple[QuickAction, ...]:
    """Find the lines that GitLab takes for commands of its own.

    Only lines of top-level paragraphs count, outside code spans and HTML.
    """
    actions = {
        number: QuickAction(name=name, argument=match["argument"] or "", line=number)
        for number, line in enumerate(text.split("\n"))
        if (match := _LINE.fullmatch(line))
        and (name := match["name"].lower()) in KNOWN | SUBSTITUTIONS.keys()
    }
    # Reading Markdown takes most of the time of writing a note, and most notes have no command.
    numbers = _candidate_lines(text) if actions else ()
    return tuple(actions[number] for number in numbers if number in actions)


def _candidate_lines(text: str) -> Iterator[int]:
    lines = text.split("\n")
    for token in _MARKDOWN.parse(text):
        if token.type != "paragraph_open" or token.level or token.map is None:
            continue
        first, behind = token.map
        paragraph = "\n".join(lines[first:behind])
        skipped = [match.span() for match in _SKIPPED.finditer(paragraph)]
        at = 0
        for number in range(first, behind):
            if not any(begin < at < end for begin, end in skipped):
                yield number
            at += len(lines[number]) + 1


def run_quick_actions(world: World, user: User, mr: MergeRequest, text: str) -> QuickActionOutcome:
    """Run the quick actions of a text as `user`, and return what is left of the text."""
    text = text.replace("\r", "")
    lines: list[str | None] = list(text.split("\n"))
    commands: list[str] = []
    changes: dict[str, object] = {}
    messages: list[str] = []
    errors: list[str] = []
    for action in find_quick_actions(text):
        if action.name in SUBSTITUTIONS:
            lines[action.line] = f"{action.argument} {SUBSTITUTIONS[action.name]}".lstrip()
            continue
        lines[action.line] = None
        commands.append(action.name)
        try:
            request = Request(world=world, user=user, mr=mr, argument=action.argument)
            changed, message = _apply(action.name, request)
            changes |= changed
            messages += filter(None, [message])
        except RefusedError as refusal:
            errors.append(f"Could not apply {action.name} command. {refusal}".rstrip())
    left = "\n".join(line for line in lines if line is not None).rstrip()
    return QuickActionOutcome(
        text=left,
        commands=tuple(commands),
        changes=changes,
        messages=tuple(messages),
        errors=tuple(errors),
    )


def _apply(name: str, request: Request) -> Outcome:
    if name in WITHOUT_EFFECT:
        return {}, f"Recorded {name}."
    if name not in EFFECTS:
        raise RefusedError(400, "")
    return EFFECTS[name](request)
