"""Say who gains which role by a change of the team database."""

from bot.nomination.checkouts import as_json as as_json, run_detect as run_detect
from bot.nomination.origin import is_same_person as is_same_person
from bot.nomination.places import (
    NO_BASE as NO_BASE,
    NOTHING as NOTHING,
    find_by_place as find_by_place,
)
from bot.nomination.search import find_nominations as find_nominations
from bot.nomination.values import (
    Change as Change,
    Detection as Detection,
    Nomination as Nomination,
)
