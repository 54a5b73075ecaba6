"""Tell the story of a nomination on the sandbox, one screen for each step."""

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from bot.sandbox.ci.shell import Execute
from bot.sandbox.scenarios import STORY
from bot.sandbox.story.board_text import tell_board
from bot.sandbox.story.comparing import Change, compare
from bot.sandbox.story.running import Sandbox
from bot.sandbox.story.scenario import find_seed, read_scenario
from bot.sandbox.story.steps import Outcome, tell
from bot.sandbox.story.terminal import WIDTH, render_text

NEXT = "next.md"
NARROWEST = 40
SCREEN = 24  # lines that a step may take
MOST_LINES = 14  # of what a command prints
COLOURS = {"+": "32", "-": "31", "bold": "1"}


@dataclass(slots=True, kw_only=True)
class Seen:
    """What the screens before showed: comments and to-dos by merge request, and the rest."""

    comments: dict[str, str] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    board: str = ""

    def remember(self, outcome: Outcome) -> None:
        """Add what a screen has shown."""
        self.comments[outcome.reference] = "\n\n".join(outcome.comments)
        self.told[outcome.reference] = len(outcome.told)
        self.opened.update(outcome.opened)
        self.board = tell_board(outcome.board) if outcome.board else self.board


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """How to write: as wide as the screen is, with colour or without."""

    width: int = WIDTH
    colour: bool = False

    def tell(self, outcome: Outcome, seen: Seen, total: int) -> str:
        """Write one screen; `seen` is what the screens before showed."""
        step = outcome.step
        title = self.fill(f"{step.number} of {total}. {step.title}  (@{step.by})")
        happened, foot = self._happened(outcome, seen), self._foot(outcome)
        above = [self.paint(title, "bold"), *filter(None, [happened])]
        room = SCREEN - sum(each.count("\n") + 2 for each in (*above, foot)) - 2
        before = seen.comments.get(outcome.reference, "")
        below = [self._comment(outcome, before, room), self._board(outcome, seen.board, room)]
        return "\n\n".join(filter(None, ["-" * self.width, *above, *below, foot]))

    def paint(self, text: str, kind: str) -> str:
        """Return a text in its colour where colour is wanted."""
        code = COLOURS.get(kind) if self.colour else None
        return f"\x1b[{code}m{text}\x1b[0m" if code else text

    def fill(self, text: str, first: str = "", then: str = "") -> str:
        """Break a line so that it fits."""
        return textwrap.fill(
            text,
            self.width,
            initial_indent=first,
            subsequent_indent=then,
            break_on_hyphens=False,
        )

    def _happened(self, outcome: Outcome, seen: Seen) -> str:
        written = outcome.step.given.get("text", "") if outcome.step.act == "comment" else ""
        lines = [self.fill(line, "  > ", "  > ") for line in str(written).splitlines() if line]
        first = str(written).partition("\n")[0][:60]
        lines += [
            self.fill(f"The bot answers with :{emoji}:", "  ", "  ")
            for note, emoji in outcome.emoji[-1:]
            if note == first
        ]
        if outcome.refusal:
            lines.append(self.fill(f"GitLab refuses: {outcome.refusal}", "  ", "  "))
        elif not outcome.jobs and not outcome.terminal:
            lines.append("  No webhook tells the bot.")
        new = [f"The bot opens {each}" for each in outcome.opened if each not in seen.opened]
        if outcome.jobs and len(outcome.told) > seen.told.get(outcome.reference, 0):
            new.append(f"The bot mentions @{outcome.told[-1][0]}: GitLab makes a to-do of it.")
        lines += [self.fill(each, "  ", "    ") for each in new]
        # The last line says how a job ended, and this is none.
        printed = [self.fill(each, "  ", "    ") for each in outcome.terminal.splitlines()[:-1]]
        return "\n".join([*lines, *self.cut(filter(None, printed), MOST_LINES)])

    def _board(self, outcome: Outcome, before: str, room: int) -> str:
        """Write what the board says, or what changed on it."""
        if not outcome.board:
            return ""
        changes = compare(before, tell_board(outcome.board))
        head = "On the board:" if before else "The board says:"
        return "\n".join([head, *self.changes(changes, room)])

    def _comment(self, outcome: Outcome, before: str, room: int) -> str:
        text = "\n\n".join(outcome.comments)
        failed = [job for job in outcome.jobs if job.exit_code != 0]
        logs = [
            f"The job failed with exit code {job.exit_code}:\n{job.shown_log}" for job in failed
        ]
        if text and not before:
            shown = render_text(text, self.width - 4)
            lines = [f"  | {line}".rstrip() for line in shown.splitlines()]
            return "\n\n".join([*logs, "The bot comments:", "\n".join(lines)])
        changes = "\n".join(self.changes(compare(before, text), room))
        if not text and not before:
            return "\n\n".join(logs)
        if not changes:
            return "\n\n".join([*logs, "The comment is unchanged."] if outcome.jobs else logs)
        return "\n\n".join([*logs, f"In the comment:\n{changes}"])

    def changes(self, changes: list[Change], room: int) -> Iterator[str]:
        """Write what changed; where that is too much for the room, what is new."""
        lines = {each: self.fill(each.text, f"  {each.mark} ", "    ") for each in changes}
        if sum(text.count("\n") + 1 for text in lines.values()) > room:
            gone = sum(each.mark == "-" for each in changes)
            lines = {each: text for each, text in lines.items() if each.mark != "-"}
            yield f"  {gone} line{'s' * (gone != 1)} went away; new:"
            room -= 1
        yield from self.cut((self.paint(text, each.mark) for each, text in lines.items()), room)

    @staticmethod
    def cut(texts: Iterable[str], room: int) -> Iterator[str]:
        """Yield texts as long as they fit into so many lines."""
        left, everything = room, list(texts)
        for at, text in enumerate(everything, 1):
            left -= text.count("\n") + 1
            if left < (at < len(everything)):
                yield "    and more"
                return
            yield text

    def _foot(self, outcome: Outcome) -> str:
        lines = [
            self.fill(f"Gate {each.name}: {each.state}  {each.description}".rstrip(), "", "  ")
            for each in outcome.gate
        ]
        if outcome.jobs:
            seconds = sum(job.seconds for job in outcome.jobs)
            jobs = "1 job" if len(outcome.jobs) == 1 else f"{len(outcome.jobs)} jobs"
            lines.append(f"{outcome.api_calls} API calls in {jobs}, {seconds:.1f} s")
        return "\n".join(lines)


def run_demo(
    out: TextIO,
    folder: Path = STORY,
    *,
    width: int = WIDTH,
    colour: bool = False,
    execute: Execute | None = None,
) -> int:
    """Play a scenario and print after each step what GitLab shows; 1 if a job failed.

    `execute` is another way to run the bot's jobs.
    """
    scenario = read_scenario(folder)
    teller = Teller(width=max(width, NARROWEST), colour=colour)
    failed = False
    seen = Seen()
    with Sandbox(find_seed(scenario), scenario.variables) as sandbox:
        sandbox.runner.execute = execute or sandbox.runner.execute
        title = teller.paint(scenario.title, "bold")
        print(f"{title}\n\n{render_text(scenario.about, teller.width)}\n", file=out)
        place = teller.fill(f"A stand-in for GitLab runs at {sandbox.url}.")
        print(f"{place}\n", file=out, flush=True)
        for outcome in tell(sandbox, scenario):
            print(teller.tell(outcome, seen, len(scenario.steps)) + "\n", file=out, flush=True)
            seen.remember(outcome)
            failed = failed or any(job.exit_code != 0 for job in outcome.jobs)
    after = folder / NEXT
    if after.exists():
        text = render_text(after.read_text(encoding="utf-8"), teller.width)
        print(f"{'-' * teller.width}\n\n{text}", file=out)
    return 1 if failed else 0
