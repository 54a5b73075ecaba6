"""Render the comment and the line of the gate."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot import inert, policy as rules
from bot.assessment import Assessment, Finding, Verdict, conceal
from bot.errors import ConfigError
from bot.report.turns import find_turns, steps_in_order
from bot.report.values import Findings, Gate, GateState, Report
from bot.report.words import Words

MARKER = "<!-- nomination-bot:comment -->"
BODY_LIMIT = 900_000  # characters; GitLab takes 1,000,000 (doc/api/notes.md)

_FENCE = re.compile("`{3,}")


def decide_gate(findings: Findings) -> GateState:
    """Decide the gate: it passes only when everything is known and nothing is open."""
    held = findings.replay.held and findings.assessments
    if held or findings.view == "elsewhere":
        return GateState.FAILED
    open_findings = [f for a in findings.assessments for f in a.open_findings]
    if any(f.verdict is Verdict.UNMET for f in open_findings):
        return GateState.FAILED
    if open_findings or findings.unknown or findings.detection.unread:
        return GateState.PENDING
    return GateState.PASSED


def render_report(
    findings: Findings, words: Words, now: datetime, gate_problem: str | None = None
) -> Report:
    """Write the comment and the gate's line."""
    state = decide_gate(findings)
    told = tuple(map(conceal, findings.assessments))
    is_concealed = _shown_of(told, findings.view) != _shown_of(findings.assessments, findings.view)
    findings = replace(findings, assessments=told)
    turns = find_turns(
        findings.assessments,
        findings.merge_request,
        now,
        held=bool(findings.replay.held),
        passed=state is GateState.PASSED,
    )
    values = _values(findings, state, now) | {
        "turns": turns,
        "concealed": is_concealed,
        "gate_problem": gate_problem,
    }
    # People follow links in the comment, which the address for machines need not serve.
    words.gitlab_url = findings.merge_request.gitlab_url
    line = " ".join(words.render("gate.txt.j2", **values).split())
    gate = Gate(state=state, description=line, url=findings.gate_url)
    return Report(
        body=_render_body(words, values),
        gate=gate if findings.merge_request.state == "opened" else None,
        turns=turns,
    )


def _render_body(words: Words, values: Mapping[str, object]) -> str:
    body = f"{MARKER}\n{_tidy(words.render('comment.md.j2', **values))}\n"
    if len(body) > BODY_LIMIT:
        body = f"{MARKER}\n{_tidy(words.render('comment.md.j2', **values, brief=True))}\n"
    if inert.has_quick_action(body):
        raise ConfigError(
            "The rendered comment holds a line that GitLab would execute: begin no line of a "
            "template or a policy's text with a slash."
        )
    return body


def _values(findings: Findings, state: GateState, now: datetime) -> dict[str, object]:
    """Return what the templates of the comment tell of."""
    merge_request = findings.merge_request
    return {
        "findings": findings,
        "merge_request": merge_request,
        "gitlab_url": merge_request.gitlab_url,
        "assessments": findings.assessments,
        "detection": findings.detection,
        "replay": findings.replay,
        "state": state,
        "view": findings.view,
        "next": next_finding(findings),
        "open_count": sum(len(a.open_findings) for a in findings.assessments),
        "unread_lines": unread_lines(findings),
        "policies": unique_policies(findings.assessments),
        "notices": unique_notices(findings.assessments),
        "author": merge_request.author.username if merge_request.author else None,
        "head": (merge_request.head_sha or "")[:8],
        "now": now.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def _shown_of(assessments: Iterable[Assessment], view: str) -> list[object]:
    """Return what the comment shows of assessments: steps come after the merge."""
    if view == "merged":
        return [assessment.steps for assessment in assessments]
    return [(assessment.findings, assessment.maintainers) for assessment in assessments]


def unread_lines(findings: Findings) -> list[tuple[str, str]]:
    """Return what could not be read and no remark tells yet, with its path where it has one."""
    told = findings.detection.remarks
    files = [(each.path, each.message) for each in findings.detection.unread if each not in told]
    return files + [("", reason) for reason in findings.unknown]


def unique_policies(assessments: Sequence[Assessment]) -> list[rules.Policy]:
    """Return the policies that were judged by, each once."""
    return list({a.policy.label: a.policy for a in assessments}.values())


def unique_notices(assessments: Sequence[Assessment]) -> list[rules.Notice]:
    """Return the notices of the policies, each once."""
    return list(dict.fromkeys(n for p in unique_policies(assessments) for n in p.notices))


def next_finding(findings: Findings) -> tuple[Assessment, Finding] | None:
    """Return the first open point, that of the next step: what is unknown comes last."""
    opened = [(a, f) for a in findings.assessments for f in steps_in_order(a)]
    opened.sort(key=lambda pair: pair[1].verdict is Verdict.UNKNOWN)
    return opened[0] if opened else None


def _tidy(text: str) -> str:
    """Remove blanks at line ends and doubled empty lines, which templates leave behind.

    What stands between fences stays as it is: a diff must apply.
    """
    kept: list[str] = []
    fence = ""
    for line in text.strip().split("\n"):
        if not fence:
            line = line.rstrip()  # noqa: PLW2901  outside of fences alone
            opening = _FENCE.match(line)
            fence = opening[0] if opening else ""
        elif line == fence:
            fence = ""
        if line or fence or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept)
