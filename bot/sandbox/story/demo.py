"""Tell the story of a nomination on the sandbox, one screen for each step."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bot.sandbox.ci.shell import Execute
from bot.sandbox.scenarios import STORY
from bot.sandbox.story.comparing import Change, compare
from bot.sandbox.story.running import Sandbox
from bot.sandbox.story.scenario import find_seed, read_scenario
from bot.sandbox.story.steps import Outcome, tell
from bot.sandbox.story.terminal import WIDTH, render_text

NEXT = "next.md"
NARROWEST = 40
MOST_LINES = 14  # of changes, so that a step fits on a screen of 24 lines
COLOURS = {"+": "32", "-": "31", "bold": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """How to write: as wide as the screen is, with colour or without."""

    width: int = WIDTH
    colour: bool = False

    def tell(self, outcome: Outcome, before: str, total: int) -> str:
        """Write one screen; `before` is the comment as it was."""
        step = outcome.step
        title = self.fill(f"{step.number} of {total}. {step.title}  (@{step.by})")
        blocks = ["-" * self.width, self.paint(title, "bold")]
        blocks += [self._happened(outcome), self._comment(outcome, before)]
        return "\n\n".join([*filter(None, blocks), self._foot(outcome)])

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

    def _happened(self, outcome: Outcome) -> str:
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
        elif not outcome.jobs:
            lines.append("  No webhook tells the bot.")
        return "\n".join(lines)

    def _comment(self, outcome: Outcome, before: str) -> str:
        text = "\n\n".join(outcome.comments)
        failed = [job for job in outcome.jobs if job.exit_code != 0]
        logs = [f"The job failed with exit code {job.exit_code}:\n{job.log}" for job in failed]
        if text and not before:
            shown = render_text(text, self.width - 4)
            lines = [f"  | {line}".rstrip() for line in shown.splitlines()]
            return "\n\n".join([*logs, "The bot comments:", "\n".join(lines)])
        changes = "\n".join(self.changes(compare(before, text)))
        if not changes:
            return "\n\n".join([*logs, "The comment is unchanged."] if outcome.jobs else logs)
        return "\n\n".join([*logs, f"In the comment:\n{changes}"])

    def changes(self, changes: list[Change]) -> Iterator[str]:
        """Write what changed; where that is too much, what is new."""
        lines = {each: self.fill(each.text, f"  {each.mark} ", "    ") for each in changes}
        if sum(text.count("\n") + 1 for text in lines.values()) > MOST_LINES:
            gone = sum(each.mark == "-" for each in changes)
            lines = {each: text for each, text in lines.items() if each.mark != "-"}
            yield f"  {gone} line{'s' * (gone != 1)} went away; new:"
        left = MOST_LINES
        for each, text in lines.items():
            left -= text.count("\n") + 1
            if left < 0:
                yield "    and more"
                return
            yield self.paint(text, each.mark)

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
    shown = ""
    with Sandbox(find_seed(scenario), scenario.variables) as sandbox:
        sandbox.runner.execute = execute or sandbox.runner.execute
        title = teller.paint(scenario.title, "bold")
        print(f"{title}\n\n{render_text(scenario.about, teller.width)}\n", file=out)
        place = teller.fill(f"A stand-in for GitLab runs at {sandbox.url}.")
        print(f"{place}\n", file=out, flush=True)
        for outcome in tell(sandbox, scenario):
            print(teller.tell(outcome, shown, len(scenario.steps)) + "\n", file=out, flush=True)
            shown = "\n\n".join(outcome.comments)
            failed = failed or any(job.exit_code != 0 for job in outcome.jobs)
    after = folder / NEXT
    if after.exists():
        text = render_text(after.read_text(encoding="utf-8"), teller.width)
        print(f"{'-' * teller.width}\n\n{text}", file=out)
    return 1 if failed else 0
