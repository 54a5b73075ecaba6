"""Tell what one look did as a story for the job's log.

Everything foreign goes through `inert.log_line`; nothing is told that the comment would not tell.
"""

from collections.abc import Iterator

from bot import inert
from bot.assessment import Assessment, Finding, State, Verdict, conceal
from bot.merge_request import MergeRequest
from bot.report.values import Findings, Gate
from bot.values import dataclass

LAST_LIMIT = 4000  # characters of the last line, which may name many people
_NO_VERDICT = "nobody is nominated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one look: what was found, the gate, and what was written or would be.

    `event` says in words what it began with, each of `writes` what and where; `comment_url` leads
    to the comment, where there is one; `observed` says that nothing is written; `waits` who is
    waited for by each nomination. `unwritten` tells of the writes that failed, and `unset` that
    GitLab does not show the gate.
    """

    findings: Findings
    gate: Gate | None
    spoken: bool
    writes: tuple[tuple[str, str], ...]
    event: str = ""
    problems: tuple[str, ...] = ()
    comment_url: str | None = None
    observed: bool = False
    calls: int = 0
    seconds: float = 0.0
    waits: tuple[str, ...] = ()
    unwritten: tuple[str, ...] = ()
    unset: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A part of the story, which a job's log can fold away: its heading and its lines."""

    name: str
    title: str
    lines: tuple[str, ...] = ()


def tell_story(outcome: Outcome, at: float | None = None) -> list[str]:
    """Return the lines of the log, the last one with who, what and where.

    In a job, where `at` says what time it is there, each chapter can be folded away.
    """
    lines: list[str] = []
    for chapter in _tell_chapters(outcome):
        lines += fold(chapter, at)
    return [*lines, inert.log_line(_last_line(outcome), LAST_LIMIT)]


def fold(chapter: Chapter, at: float | None) -> list[str]:
    """Return the lines of a chapter, as a section of a job's log where the time is given.

    Nothing foreign can begin or end a section: `log_line` lets neither its words nor the
    characters pass that make them one.
    """
    title, lines = inert.log_line(chapter.title), [*map(_indented, chapter.lines)]
    if at is None:
        return [title, *lines]
    # doc/ci/jobs/job_logs.md, "Create custom collapsible sections".
    start = f"\x1b[0Ksection_start:{int(at)}:{chapter.name}\r\x1b[0K"
    return [start + title, *lines, f"\x1b[0Ksection_end:{int(at)}:{chapter.name}\r\x1b[0K"]


def _tell_chapters(outcome: Outcome) -> Iterator[Chapter]:
    merge_request = outcome.findings.merge_request
    if outcome.event:
        yield Chapter(name="event", title=f"event: {outcome.event}")
    yield Chapter(
        name="looked_at", title=_looked_at(merge_request), lines=(_tell_reading(outcome),)
    )
    assessments = outcome.findings.assessments
    waits = outcome.waits or ("",) * len(assessments)
    for number, (assessment, wait) in enumerate(zip(assessments, waits, strict=True), 1):
        found = _tell_assessment(conceal(assessment), merge_request.state)
        yield Chapter(
            name=f"nomination_{number}",
            title=f"@{assessment.nomination.username} as {assessment.policy.title}:",
            lines=(*found, *([f"  waits for: {wait}"] if wait else [])),
        )
    lines = tuple(_tell_writes(outcome))
    if lines:
        title = "left out:" if outcome.observed else "wrote:"
        yield Chapter(name="writes", title=title, lines=lines)


def _tell_writes(outcome: Outcome) -> Iterator[str]:
    """Tell what was written, and what was not; the verdict stands above, the text elsewhere."""
    did = "would" if outcome.observed else "did"
    for what, url in outcome.writes:
        words = f"  {did}: {what.partition(' (')[0]}"
        yield f"{words}: {url}" if url else words
    for what in outcome.unwritten:
        yield f"  could not: {what.partition(' (')[0]}"


def _looked_at(merge_request: MergeRequest) -> str:
    head = (merge_request.head_sha or "unknown")[:8]
    where = f"{merge_request.project}!{merge_request.iid}"
    return f"{where} ({merge_request.state}, head {head}): {merge_request.web_url}"


def _tell_reading(outcome: Outcome) -> str:
    found = outcome.findings
    paths = found.merge_request.changed_paths
    parts = [
        f"{len(found.merge_request.notes)} comments",
        "more changed files than were listed" if paths is None else f"{len(paths)} changed files",
        f"{len(found.assessments)} nominations",
    ]
    return f"  looked at: {', '.join(parts)}"


def _indented(line: str) -> str:
    return " " * (len(line) - len(line.lstrip())) + inert.log_line(line)


def _tell_assessment(assessment: Assessment, state: str) -> Iterator[str]:
    if state == "merged":
        for step in assessment.steps:
            yield f"  {step.state.value}: {step.follow_up.title}"
        return
    for finding in assessment.findings:
        told = f"{finding.requirement.title}{tell_count(finding)}"
        reason = f" ({finding.reason})" if finding.reason else ""
        yield f"  {tell_verdict(finding)}: {told}{reason}"


def tell_verdict(finding: Finding) -> str:
    """Name the verdict; what is only recommended is not failed by anybody."""
    if finding.verdict is not Verdict.UNMET:
        return str(finding.verdict.value)
    return "not met" if finding.requirement.blocking else "not yet"


def tell_count(finding: Finding) -> str:
    """Say how many there are of how many, behind a comma, where that is what is judged."""
    return "" if finding.found is None else f", {finding.found} of {finding.needed}"


def _last_line(outcome: Outcome) -> str:
    merge_request = outcome.findings.merge_request
    sum_up = _sum_up_steps if merge_request.state == "merged" else _sum_up
    people = [sum_up(each) for each in outcome.findings.assessments] or [_NO_VERDICT]
    parts = [f"!{merge_request.iid} {'; '.join(people)}"]
    if outcome.spoken:
        parts.append(f"gate {_tell_gate(outcome)}")
        parts.append(f"comment {outcome.comment_url}" if outcome.comment_url else "no comment yet")
    else:
        parts.append("nothing to say")
    left_out = " left out" if outcome.observed else ""
    parts.append(f"{len(outcome.writes)} writes{left_out}, {outcome.calls} calls")
    return "; ".join(parts)


def _tell_gate(outcome: Outcome) -> str:
    if outcome.gate is None:
        return "left alone"
    return "not set" if outcome.unset else outcome.gate.state.value


def _sum_up(assessment: Assessment) -> str:
    who = f"@{assessment.nomination.username}"
    blocking = [each for each in assessment.findings if each.requirement.blocking]
    found = assessment.open_findings
    if not found:
        return f"{who}: ready"
    short = ", ".join(
        f"{each.requirement.id} {each.found}/{each.needed}"
        if each.found is not None
        else f"{each.requirement.id} unknown"
        for each in found
    )
    return f"{who}: {len(found)} of {len(blocking)} open ({short})"


def _sum_up_steps(assessment: Assessment) -> str:
    who = f"@{assessment.nomination.username}"
    if assessment.is_gone:
        return f"{who}: merged, the role is over"
    left = sum(step.state in {State.OPEN, State.UNKNOWN} for step in assessment.steps)
    return f"{who}: merged, {left} of {len(assessment.steps)} steps left"
