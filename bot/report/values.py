"""What a report is made of, and what it is."""

from enum import Enum

from bot.assessment import Assessment
from bot.commands import Replay
from bot.merge_request import MergeRequest
from bot.nomination import Detection
from bot.report.filters import tell_turn
from bot.report.turns import Turn
from bot.values import dataclass


class GateState(Enum):
    """What the merge gate says."""

    PASSED = "passed"
    FAILED = "failed"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The gate for the present head, with one line that says the first open point."""

    state: GateState
    description: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What GitLab should show; no gate once it is over.

    `turns` says whose turn it is by each nomination.
    """

    body: str
    gate: Gate | None
    turns: tuple[Turn | None, ...] = ()

    @property
    def reminders(self) -> tuple[str, ...]:
        """Return the words of the body that mention somebody once more."""
        return tuple(str(tell_turn(turn)) for turn in self.turns if turn and turn.reminder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything a report is made of; not `gated` where the bot shows GitLab no gate.

    `asked` says that some comment holds a command, `awaited` that the guard of the team database
    may wait for the gate to be set.
    """

    merge_request: MergeRequest
    detection: Detection
    assessments: tuple[Assessment, ...]
    replay: Replay
    unknown: tuple[str, ...] = ()
    gate_url: str | None = None
    gated: bool = True
    asked: bool = False
    awaited: bool = False

    @property
    def view(self) -> str:
        """Name what the comment is about."""
        if self.detection.nominations and not self.merge_request.counts:
            return "elsewhere"
        if not self.assessments:
            return "unread" if self.unknown or self.detection.unread else "nobody"
        return {"merged": "merged", "closed": "closed"}.get(self.merge_request.state, "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whom to ask about the bot, and where to read about it and its present job."""

    contact: str = ""
    docs_url: str = ""
    job_url: str = ""
