"""What a refusal says: by its code, its words, and its headers."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bot.gitlab.answers import Json

# How the error of a query begins whose time was up (GitLab, lib/gitlab/graphql/timeout.rb; the
# words are graphql-ruby's, lib/graphql/schema/timeout.rb); its status is 200.
TIMED_OUT = "Timeout on "
LIMITED = 429
# A machine before GitLab answers 520 to 530 where it cannot reach it; python-gitlab takes them
# for transient, too (RETRYABLE_TRANSIENT_ERROR_CODES in its const.py).
EDGE = frozenset(range(520, 531))
FAULTS = EDGE | {LIMITED, 500, 502, 503, 504}
WAITS_TOLD = frozenset({LIMITED, 503})  # answers whose Retry-After is obeyed

# What to check when GitLab refuses; its own words seldom tell.
ADVICE: Mapping[int, str] = {
    401: "the token is wrong, expired or revoked; check {token}",
    403: "the role of the bot's account in the project does not allow this",
    404: "it does not exist, or the bot's account has no role that lets it see it",
    407: "a proxy asks who this is; name it with account and password, or set NO_PROXY",
}
# Every GitLab answers queries, whoever asks: what does not is none, or not at that address.
NOWHERE = frozenset({404, 405})
NO_GITLAB = (
    "GitLab's API is not there; check NOMINATION_BOT_GITLAB_URL, which is what comes before /api/v4"
)
BEFORE_IT = "a proxy or a login page may have answered for it"
NO_SCOPE = "insufficient_scope"  # GitLab's word
SCOPE = "the token lacks the scope `api`; make one that has it and set {token}"


def advise(code: int, words: str, told: float) -> str:
    """Say what to check, or when to try again; `told` are the seconds that GitLab asks for."""
    if code in FAULTS:
        later = "the next event or sweep tries again"
        asked = f"it asks for {told:.0f} seconds, more than this run has left; "
        return f"{asked}{later}" if told else later
    return SCOPE if words == NO_SCOPE else ADVICE.get(code, "")


def advise_upgrade(said: str) -> str:
    """Tell what to do where GitLab does not know a field, in graphql-ruby's words or others'."""
    is_unknown = " doesn't exist on type " in said or said.startswith("Cannot query field ")
    advice = "it may be too old (docs/versions.md); `nomination-bot doctor` names what it lacks"
    return f"; {advice}" if is_unknown else ""


def told_wait(code: int | None, headers: Mapping[str, str], now: datetime) -> float:
    """Return after how many seconds GitLab wants to be asked again; 0 if it did not say."""
    told = str(headers.get("Retry-After", ""))
    if code not in WAITS_TOLD:
        return 0
    if told:
        return float(told) if told.isdecimal() else _seconds_until(told, now)
    # On all answers since 18, but about the limit of the web server alone: it is no other
    # limit that was reached only where nothing remains (user_and_ip_rate_limits.md).
    reset = str(headers.get("RateLimit-Reset", ""))
    if code == LIMITED and reset.isdecimal() and headers.get("RateLimit-Remaining") == "0":
        return max(0.0, float(reset) - now.timestamp())
    return 0


def _seconds_until(date: str, now: datetime) -> float:
    then = read_date(date)
    return (then - now).total_seconds() if then else 0


def read_date(text: str) -> datetime | None:
    """Read the time in a header; whatever a machine before GitLab sends ends no run."""
    with suppress(TypeError, ValueError, OverflowError):
        found = parsedate_to_datetime(text)
        return found.replace(tzinfo=found.tzinfo or UTC)
    return None


def plain_words(message: object) -> str:
    """Return what GitLab says, on one line and not too long."""
    text = message.decode(errors="replace") if isinstance(message, bytes) else str(message)
    if text.lstrip().startswith("<"):
        return ""  # the page of a machine before GitLab, which says nothing
    if text.startswith("{"):
        with suppress(ValueError):
            return first_error(json.loads(text))
    return " ".join(text.split())[:200]


def first_error(answer: Json) -> str:
    """Return the first error that the answer to a query tells."""
    errors = answer.get("errors")
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict):
            return " ".join(str(error.get("message", "unknown error")).split())[:200]
    return "unknown error"
