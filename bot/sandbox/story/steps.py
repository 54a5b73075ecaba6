"""Play a scenario's steps, and tell after each what GitLab shows."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.sandbox.acts.pipelines import Gate, list_gates
from bot.sandbox.ci.job_environment import JobRun
from bot.sandbox.story.running import Sandbox
from bot.sandbox.story.scenario import Scenario, Step
from bot.sandbox.story.setting import Stage
from bot.sandbox.story.step_acts import ACTS
from bot.sandbox.world.entities import MergeRequest
from bot.sandbox.world.state import RefusedError


class StepError(Exception):
    """A step did not go as the scenario says; the message names the step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What GitLab shows after a step: the bot's comments, its gate, its emoji, its jobs.

    `told` are the people for whom the bot made a to-do, and whether that is done. `opened` are
    the bot's own merge requests, `board` is the data of a board that the step wrote, and
    `terminal` what a command printed.
    """

    step: Step
    reference: str
    state: str | None
    comments: tuple[str, ...]
    gate: tuple[Gate, ...]
    emoji: tuple[tuple[str, str], ...]
    told: tuple[tuple[str, str], ...]
    jobs: tuple[JobRun, ...]
    refusal: str | None
    opened: tuple[str, ...] = ()
    board: bytes = b""
    terminal: str = ""

    @property
    def api_calls(self) -> int:
        """How many calls the bot made."""
        return sum(job.api_calls for job in self.jobs)


def tell(sandbox: Sandbox, scenario: Scenario) -> Iterator[Outcome]:
    """Play all steps of a scenario on a running sandbox; yield what came of each."""
    stage = Stage(sandbox=sandbox, folder=scenario.folder)
    for step in scenario.steps:
        yield play(stage, step)


def play(stage: Stage, step: Step) -> Outcome:
    """Do one step, wait until all is quiet, and look.

    Raises `StepError` when the step cannot be done, or is not refused as it says.
    """
    sandbox = stage.sandbox
    first_run = len(sandbox.runner.runs)
    sandbox.hooks.fault, stage.terminal, stage.board = step.fault, "", b""
    try:
        refusal = _act(stage, step)
    finally:
        sandbox.drain()
        sandbox.hooks.fault = ""
    return _look(stage, step, sandbox.runner.runs[first_run:], refusal)


def _act(stage: Stage, step: Step) -> str | None:
    where = f"step {step.number} ({step.title})"
    try:
        stage.turn_to(step.merge_request)
        ACTS[step.act].run(stage, stage.world.user(step.by), step.given)
    except RefusedError as refusal:
        if step.refused is None or step.refused not in str(refusal):
            raise StepError(f"{where} was refused: {refusal}") from refusal
        return str(refusal)
    except (ValueError, OSError) as problem:
        raise StepError(f"{where}: {problem}") from problem
    if step.refused is not None:
        raise StepError(f"{where} was not refused")
    return None


def _look(stage: Stage, step: Step, runs: list[JobRun], refusal: str | None) -> Outcome:
    sandbox, mr = stage.sandbox, stage.merge_request
    with sandbox.world.lock:
        notes = mr.comments if mr else []
        gates = list_gates(sandbox.world, mr) if mr else []
        bot = sandbox.bot
        return Outcome(
            step=step,
            reference=_reference(mr) if mr else "",
            state=mr.state if mr else None,
            comments=tuple(each.body for each in notes if each.author is bot),
            gate=tuple(each for each in gates if each.author in {None, bot}),
            emoji=tuple(
                (note.body.partition("\n")[0][:60], award.name)
                for note in notes
                for award in note.awards
                if award.user is bot
            ),
            told=tuple(
                (todo.user.username, "done" if todo.done else "pending")
                for todo in sandbox.world.todos
                if todo.author is bot and todo.merge_request is mr
            ),
            jobs=tuple(runs),
            refusal=refusal,
            opened=tuple(
                f"{_reference(each)}: {each.title}"
                for each in sandbox.world.open_merge_requests()
                if each.author is bot
            ),
            board=stage.board,
            terminal=stage.terminal,
        )


def _reference(mr: MergeRequest) -> str:
    return f"{mr.project.path_with_namespace}!{mr.iid}"
