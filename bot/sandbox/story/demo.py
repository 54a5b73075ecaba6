"""Tell the story of a first nomination on the sandbox."""

from pathlib import Path
from typing import TextIO

from bot.sandbox.scenarios import FIRST_NOMINATION
from bot.sandbox.story.running import Sandbox
from bot.sandbox.story.scenario import read_scenario
from bot.sandbox.story.steps import Outcome, tell
from bot.sandbox.story.terminal import WIDTH, fold_unchanged, render_text


def run_demo(out: TextIO, folder: Path = FIRST_NOMINATION) -> int:
    """Play a scenario and print after each step what GitLab shows; 1 if a job failed."""
    scenario = read_scenario(folder)
    failed = False
    shown = ""
    with Sandbox(folder, scenario.variables) as sandbox:
        print(f"{scenario.title}\n\n{render_text(scenario.about)}\n", file=out)
        print(f"A stand-in for GitLab runs at {sandbox.url}.", file=out, flush=True)
        for outcome in tell(sandbox, scenario):
            shown = _print_step(outcome, shown, out)
            failed = failed or any(job.exit_code != 0 for job in outcome.jobs)
    return 1 if failed else 0


def _print_step(outcome: Outcome, shown: str, out: TextIO) -> str:
    """Print one step; return the comment now shown, so that an unchanged one is not repeated."""
    step = outcome.step
    print(f"\n{'=' * WIDTH}\n{step.number}. {step.title}  (@{step.by})\n{'=' * WIDTH}", file=out)
    text = "\n\n".join(render_text(body) for body in outcome.comments)
    for job in outcome.jobs:
        if job.exit_code != 0:
            print(f"\nThe job failed with exit code {job.exit_code}:\n{job.log}", file=out)
    if not outcome.jobs:
        print("\nNo webhook, so the bot has not noticed yet.", file=out)
    elif text == shown:
        print("\nThe comment is unchanged.", file=out)
    else:
        print(f"\n{_framed(fold_unchanged(text, shown))}", file=out)
    for gate in outcome.gate:
        print(f"\nGate {gate.name}: {gate.state}  {gate.description}".rstrip(), file=out)
    if outcome.jobs:
        seconds = sum(job.seconds for job in outcome.jobs)
        jobs = "1 job" if len(outcome.jobs) == 1 else f"{len(outcome.jobs)} jobs"
        print(f"\n{outcome.api_calls} API calls in {jobs}, {seconds:.1f} s", file=out, flush=True)
    return text


def _framed(text: str) -> str:
    return "\n".join(f"  | {line}".rstrip() for line in text.splitlines())
