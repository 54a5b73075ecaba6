"""Put an assessment into words; the only importer of Jinja."""

from bot.report.json_report import as_json, explain_assessment
from bot.report.log import Outcome, tell_story, write_artifacts, write_metrics
from bot.report.words import MARKER, About, Findings, Gate, GateState, Report, Words, render_report

__all__ = [
    "MARKER",
    "About",
    "Findings",
    "Gate",
    "GateState",
    "Outcome",
    "Report",
    "Words",
    "as_json",
    "explain_assessment",
    "render_report",
    "tell_story",
    "write_artifacts",
    "write_metrics",
]
