"""Put an assessment into words; the only importer of Jinja."""

from bot.report.artifacts import (
    write_artifacts as write_artifacts,
    write_metrics as write_metrics,
)
from bot.report.json_report import (
    as_json as as_json,
    explain_assessment as explain_assessment,
    tell_fields as tell_fields,
)
from bot.report.log import (
    Chapter as Chapter,
    Outcome as Outcome,
    fold as fold,
    tell_story as tell_story,
)
from bot.report.offers import (
    OfferText as OfferText,
    describe_end as describe_end,
    describe_offer as describe_offer,
)
from bot.report.rendering import MARKER as MARKER, render_report as render_report
from bot.report.site import write_site as write_site
from bot.report.turns import (
    find_since as find_since,
    is_obstructed as is_obstructed,
    steps_in_order as steps_in_order,
    tell_waits as tell_waits,
)
from bot.report.values import (
    About as About,
    Findings as Findings,
    Gate as Gate,
    GateState as GateState,
    Report as Report,
)
from bot.report.words import Words as Words
