"""What templates call: filters and functions that return inert words, or data for more of them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from markupsafe import Markup

from bot import inert
from bot.assessment import Assessment, Finding, Step, find_merging_manager
from bot.commands import help_table
from bot.evidence import Manager
from bot.report.links import ACCOUNT, numbered_link, policy_link
from bot.report.turns import Turn, steps_in_order
from bot.unread import Hidden, Unread

SHOWN = 5  # merge requests listed as counted, or as nearly counted
TITLE_LIMIT = 50  # characters of a merge request's title
TEXT_LIMIT = 600  # characters of one foreign text


def _is_offered(step: Step) -> bool:
    """Return whether a merge request that is open for a step does it when it is merged."""
    offer = step.offer
    return offer is not None and offer.state == "opened" and not offer.conflicts


def tell_turn(turn: Turn) -> Markup:
    """Say who is waited for, since when, and which reminder it is; it is found by these words."""
    since = f" since {show_day(turn.since)}" if turn.since else ""
    reminder = f" (reminder {turn.reminder} of {turn.of})" if turn.reminder else ""
    return mention(turn) + Markup(since + reminder)  # noqa: S704  digits and words of our own


def show_day(time: datetime) -> Markup:
    """Show the day of a time."""
    return Markup(time.astimezone(UTC).strftime("%Y-%m-%d"))  # noqa: S704  digits


def mention(turn: Turn) -> Markup:
    """Show whose turn it is: by a mention, if that is to be, which else nothing makes."""
    name = turn.username
    return Markup(f"@{name}" if turn.mentioned else inert.username(name))  # noqa: S704  checked


def assignable(assessment: Assessment) -> list[str]:
    """Return accounts that a copyable `/assign` may name: the manager, enough maintainers."""
    parts = [p for f in assessment.findings for p in f.parts if f.requirement.blocking]
    absent = {"missing", "reviewer_only"}
    managers = [p.name or "" for p in parts if p.role == "manager" and p.state in absent]
    wanted = sum(p.role == "maintainer" and p.state == "missing" for p in parts)
    names = dict.fromkeys([*managers, *candidates(assessment)[:wanted]])
    return [name for name in names if ACCOUNT.fullmatch(name)]


def candidates(assessment: Assessment) -> list[str]:
    """Return the maintainers who could still be assigned."""
    taken = {assessment.nomination.username.casefold()}
    for finding in assessment.findings:
        taken |= {(p.name or "").casefold() for p in finding.parts if p.state == "assigned"}
    return [name for name in assessment.maintainers or () if name.casefold() not in taken]


def who_waives(assessment: Assessment) -> str:
    """Return who may let a point go: no maintainer can where none is known, but the manager."""
    parts = [part for finding in assessment.findings for part in finding.parts]
    nobody = any(part.role == "maintainer" and part.state in {"none", "unknown"} for part in parts)
    manager = assessment.manager.username if isinstance(assessment.manager, Manager) else None
    is_other = manager and manager.casefold() != assessment.nomination.username.casefold()
    return "the manager" if nobody and is_other else "a maintainer"


def make_inert(value: object) -> object:
    """Show what a template prints: escaped, but for what was made inert before."""
    if isinstance(value, Markup | int):
        return value
    if value is None or value == "":
        return Markup("")
    return Markup(inert.plain(str(value), TEXT_LIMIT))  # noqa: S704  made inert


def _with_code(text: str) -> Markup:
    """Show words of the bot's own, in which backticks mark code."""
    parts = enumerate(str(text)[:TEXT_LIMIT].split("`"))
    shown = [inert.code_span(part) if number % 2 else _in_prose(part) for number, part in parts]
    return Markup("".join(shown).strip())  # noqa: S704  made inert


def _in_prose(text: str) -> str:
    """Make text inert and keep the blanks around it, if any."""
    before, after = (" " if each.isspace() else "" for each in (text[:1], text[-1:]))
    return before + (f"{inert.plain(text, TEXT_LIMIT)}{after}" if text.strip() else "")


def help_by_audience(word: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return usage and effect of the commands by who may use them."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    for usage, who, effect in help_table(word):
        grouped.setdefault(who, []).append((usage, effect))
    return list(grouped.items())


def _fenced(text: str, language: str) -> Markup:
    """Show lines as they are; the fence is longer than any run of backticks in them."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    shown = "".join(c if _is_shown(c) else " " for c in text).removesuffix("\n")
    return Markup(f"{fence}{language}\n{shown}\n{fence}")  # noqa: S704  fenced


def _is_shown(character: str) -> bool:
    return character.isprintable() or character in "\n\t"


def is_shown_whole(text: str) -> bool:
    """Return whether a fenced text is what it was, so that a diff applies."""
    return all(map(_is_shown, text))


def _kind(found: Finding | Step) -> str:
    if isinstance(found, Finding):
        return found.requirement.rule.kind
    return found.follow_up.check.kind


def _as_code(text: object, limit: int) -> Markup:
    return Markup(inert.code_span(str(text), limit, joined=True))  # noqa: S704  made inert


def _minute(time: datetime) -> Markup:
    return Markup(time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"))  # noqa: S704  digits


FILTERS: dict[str, Callable[..., object]] = {
    "code": partial(_as_code, limit=inert.LIMIT),
    "user": lambda name: Markup(inert.username(str(name))),  # noqa: S704  made inert
    "link": lambda label, url: Markup(inert.web_link(str(label), str(url))),  # noqa: S704
    "fenced": _fenced,
    "policy": lambda text: Markup(" ".join(str(text).split())),  # noqa: S704  operator's
    "raw": lambda text: Markup(inert.log_line(str(text))),  # noqa: S704  for a terminal
    "policy_link": policy_link,
    "merged_link": numbered_link,
    "short": partial(_as_code, limit=TITLE_LIMIT),
    "day": show_day,
    "minute": _minute,
    "kind": _kind,
    "ours": _with_code,
    "capitalized": lambda text: text[:1].upper() + text[1:],
}
FUNCTIONS: dict[str, Callable[..., object]] = {
    "assignable": assignable,
    "is_shown_whole": is_shown_whole,
    "candidates": candidates,
    "who_waives": who_waives,
    "help_by_audience": help_by_audience,
    "steps_in_order": steps_in_order,
    "mention": mention,
    "tell_turn": tell_turn,
    "merging_manager": find_merging_manager,
    "is_offered": _is_offered,
    "offer_link": numbered_link,
    "is_hidden": lambda reason: isinstance(reason, Hidden),
    "is_unread": lambda fact: isinstance(fact, Unread),
}
