"""Put an assessment into words; the only importer of Jinja."""

from bot.report.json_report import as_json, explain_assessment
from bot.report.kinds import steps_in_order
from bot.report.log import Chapter, Outcome, fold, tell_story, write_artifacts, write_metrics
from bot.report.offers import OfferText, describe_end, describe_offer
from bot.report.site import write_site
from bot.report.turns import find_since, tell_waits
from bot.report.words import (
    MARKER,
    About,
    Findings,
    Gate,
    GateState,
    Report,
    Words,
    render_report,
)

__all__ = [
    "MARKER",
    "About",
    "Chapter",
    "Findings",
    "Gate",
    "GateState",
    "OfferText",
    "Outcome",
    "Report",
    "Words",
    "as_json",
    "describe_end",
    "describe_offer",
    "explain_assessment",
    "find_since",
    "fold",
    "render_report",
    "steps_in_order",
    "tell_story",
    "tell_waits",
    "write_artifacts",
    "write_metrics",
    "write_site",
]
