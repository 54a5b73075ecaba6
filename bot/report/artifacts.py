"""Write what one look found as artifacts: for tools, for GitLab's test report, and as metrics."""

import json
from collections.abc import Mapping
from dataclasses import replace

from markupsafe import escape

from bot import inert
from bot.assessment import Assessment, Finding, Verdict, conceal
from bot.report.json_report import as_json
from bot.report.log import Outcome, tell_count, tell_verdict
from bot.report.values import Findings


def write_artifacts(outcome: Outcome) -> Mapping[str, str]:
    """Return the artifacts of one look by file name: the assessment, JUnit, and metrics."""
    findings = outcome.findings
    told = replace(findings, assessments=tuple(map(conceal, findings.assessments)))
    address = findings.merge_request.gitlab_url
    return {
        "nomination.json": json.dumps(as_json(told, address), indent=2) + "\n",
        "junit.xml": _write_junit(told),
        "metrics.txt": write_metrics(
            _count_verdicts(told),
            looks=1,
            failed=int(bool(outcome.problems)),
            calls=outcome.calls,
            seconds=outcome.seconds,
        ),
    }


def _count_verdicts(findings: Findings) -> dict[str, int]:
    counts = dict.fromkeys((verdict.value for verdict in Verdict), 0)
    for assessment in findings.assessments:
        for finding in assessment.findings:
            counts[finding.verdict.value] += 1
    return counts


def write_metrics(
    verdicts: Mapping[str, int], *, looks: int, failed: int, calls: int, seconds: float
) -> str:
    """Return metrics as OpenMetrics text, which GitLab's widget compares with the target branch."""
    rows = [
        ("nomination_bot_looks", "merge requests that were looked at", looks),
        ("nomination_bot_looks_failed", "looks that something went wrong with", failed),
        ("nomination_bot_calls", "requests to GitLab", calls),
        ("nomination_bot_seconds", "seconds that the run took", round(seconds, 3)),
    ]
    lines: list[str] = []
    for name, about, value in rows:
        lines += [f"# TYPE {name} gauge", f"# HELP {name} {about}", f"{name} {value}"]
    if verdicts:
        name = "nomination_bot_requirements"
        lines += [f"# TYPE {name} gauge", f"# HELP {name} requirements by verdict"]
        lines += [f'{name}{{verdict="{verdict}"}} {count}' for verdict, count in verdicts.items()]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _write_junit(findings: Findings) -> str:
    """Return each requirement as a test case: what is open failed, what is unknown is an error."""
    suites = [_suite(assessment) for assessment in findings.assessments]
    return "\n".join(
        ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", *suites, "</testsuites>", ""]
    )


def _suite(assessment: Assessment) -> str:
    name = f"@{assessment.nomination.username} as {assessment.policy.title}"
    cases = [_case(assessment, finding) for finding in assessment.findings]
    failures = sum("<failure" in case for case in cases)
    errors = sum("<error" in case for case in cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="{errors}"'
    return "\n".join([f"<testsuite name={_quote(name)} {counts}>", *cases, "</testsuite>"])


def _case(assessment: Assessment, finding: Finding) -> str:
    group = f"{assessment.policy.label}.{assessment.nomination.username}"
    start = f"  <testcase classname={_quote(group)} name={_quote(finding.requirement.title)}"
    said = escape(inert.log_line(finding.reason or finding.requirement.help))
    if finding.verdict in {Verdict.MET, Verdict.WAIVED, Verdict.SHOWN}:
        return f"{start}/>"
    if not finding.requirement.blocking:
        return f"{start}><skipped/></testcase>"
    kind = "error" if finding.verdict is Verdict.UNKNOWN else "failure"
    message = _quote(f"{tell_verdict(finding)}{tell_count(finding)}")
    return f"{start}><{kind} message={message}>{said}</{kind}></testcase>"


def _quote(text: str) -> str:
    return f'"{escape(inert.log_line(text))}"'
