"""Whom and which requirement a command is about."""

from collections.abc import Iterable, Sequence
from itertools import takewhile

from bot.commands.authority import check_authority
from bot.commands.orders import (
    NoEffectError,
    NotUnderstoodError,
    Order,
    find_nearest,
    show,
    suggest,
)
from bot.commands.skimming import waives_for_nobody_by_name
from bot.commands.text import PUNCTUATION
from bot.commands.values import Scope

LINKS = frozenset({",", "&", "+", "and"})  # what stands between things that are named


def find_target(order: Order, rest_form: str) -> tuple[str, str, str]:
    """Return nominee and requirement, in the forms that are compared, and the remaining words."""
    scopes, arguments = _choose_scopes(order)
    first, _, rest = arguments.partition(" ")
    name = first.strip(PUNCTUATION).casefold()
    known = _requirements_of(scopes)
    if name not in known:
        problem = f"there is no requirement {show(name)}" if name else "name a requirement"
        raise NotUnderstoodError(f"{problem}. {suggest(name, known.values())}")
    requirement = known[name]
    _check_push(order, requirement)
    concerned = [scope for scope in scopes if requirement in scope.requirement_ids]
    people = sorted({scope.username for scope in concerned}, key=str.casefold)
    if len({person.casefold() for person in people}) > 1:
        verb = order.request.verb_text.casefold()
        forms = [order.form(f"{verb} @{who} {requirement} {rest_form}".strip()) for who in people]
        raise NotUnderstoodError(f"several nominations need this; say whose: {', '.join(forms)}.")
    # One person may be nominated under several policies that share the name of a requirement.
    check_authority(order, concerned, all)
    return concerned[0].key, requirement, rest


def _check_push(order: Order, requirement: str) -> None:
    """Refuse a waiver for nobody by name where somebody else may be nominated since.

    That is so once something was pushed, or where the target branch alone decides who is.
    """
    context = order.context
    if context.pushed_at is None or not waives_for_nobody_by_name(order.request):
        return
    pushed = order.note.created_at <= context.pushed_at.replace(microsecond=0)
    if pushed or context.beside:
        why = (
            "changes may have been pushed after this waiver, which"
            if pushed
            else "entries of several people are changed here, and this waiver"
        )
        people = sorted({scope.username for scope in context.nominations}, key=str.casefold)
        forms = [order.form(f"waive @{who} {requirement} <reason>") for who in people]
        raise NoEffectError(f"{why} does not say for whom it is; write {' or '.join(forms)}.")


def _choose_scopes(order: Order) -> tuple[Sequence[Scope], str]:
    scopes = order.context.nominations
    first, _, rest = order.request.arguments.partition(" ")
    name = first.strip(PUNCTUATION).removeprefix("@").casefold()
    chosen = [scope for scope in scopes if name in scope.names]
    if first.strip(PUNCTUATION).startswith("@"):
        if not chosen:
            people = [f"@{scope.username}" for scope in scopes]
            raise NotUnderstoodError(
                f"{show(first)} is not nominated. {suggest(f'@{name}', people)}"
            )
        return chosen, rest
    # A requirement wins over a person of the same name, who can always be written with `@`.
    if chosen and name not in _requirements_of(scopes):
        return chosen, rest
    return scopes, f"{first} {rest}"


def _requirements_of(scopes: Iterable[Scope]) -> dict[str, str]:
    """Return the requirements as they are written, by the form that is compared."""
    return {wanted.casefold(): wanted for scope in scopes for wanted in scope.requirement_ids}


def find_further(order: Order, target: tuple[str, str, str], *, reasoned: bool) -> str:
    """Return the arguments about another requirement that comes behind the target's, if one does.

    Where the command is `reasoned`, a word may begin the reason unless a comma or the like stands
    before it. Otherwise it may be misspelt behind that.
    """
    who, requirement, rest = target
    words = rest.split()
    link = sum(1 for _ in takewhile(lambda word: word.casefold() in LINKS, words))
    is_listed = bool(link) or f"{requirement.casefold()}," in order.request.arguments.casefold()
    known = _requirements_of(order.context.nominations)
    person, name = _names_in(words[link:], order)
    is_further = name in known and (is_listed or not reasoned)
    if is_listed and not reasoned:
        is_further = is_further or person.startswith("@") or bool(find_nearest(name, known))
    if not is_further:
        return ""
    return " ".join(words[link:] if person else [f"@{who}", *words[link:]])


def _names_in(words: Sequence[str], order: Order) -> tuple[str, str]:
    """Return the person whom words begin with, if they do, and what may be a requirement."""
    first, second, *_ = *(word.strip(PUNCTUATION).casefold() for word in words[:2]), "", ""
    scopes = order.context.nominations
    is_nominee = any(first in scope.names for scope in scopes)
    # As for the first one, a requirement wins over a person of the same name.
    if first.startswith("@") or (is_nominee and first not in _requirements_of(scopes)):
        return first, second
    return "", first
