"""What each command does."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.commands.authority import doubt, is_maintainer, is_orphaned, scopes_where
from bot.commands.hints import declines, takes_back
from bot.commands.orders import Decisions, NoEffectError, NotUnderstoodError, Order, show, suggest
from bot.commands.targets import LINKS, find_further, find_target
from bot.commands.text import PUNCTUATION
from bot.commands.values import Hold, Waiver

PLACEHOLDER = "REASON"  # what the comment prints for the reason


def _attest(decisions: Decisions, order: Order) -> None:
    own = [scope for scope in order.context.nominations if scope.key == order.author.key]
    topics = {topic.casefold(): topic for scope in own for topic in scope.topic_ids}
    words = order.request.arguments.replace(",", " ").split()
    named = [word.strip(PUNCTUATION).casefold() for word in words if word.casefold() not in LINKS]
    if not topics:
        raise NotUnderstoodError("there are no topics to attest here.")
    if not named:
        raise NotUnderstoodError(f"name the topics, or `all`. {suggest('', topics.values())}")
    for name in named:
        if name not in topics and name != "all":
            raise NotUnderstoodError(
                f"there is no topic {show(name)}. {suggest(name, topics.values())}"
            )
    stated = topics.values() if "all" in named else (topics[name] for name in named)
    before = decisions.attested.get(order.author.key, frozenset())
    decisions.attested[order.author.key] = before.union(stated)


def _waive(decisions: Decisions, order: Order) -> None:
    found = target, requirement, reason = find_target(order, "<reason>")
    if find_further(order, found, reasoned=True):
        form = order.form(f"waive @{target} {requirement} <reason>")
        raise NotUnderstoodError(f"write a command for each requirement, such as {form}.")
    if takes_back(reason):
        raise NotUnderstoodError(
            f"did you mean {order.form(f'unwaive @{target} {requirement}')}? "
            "A waiver needs a reason that is one."
        )
    if not any(map(str.isalnum, reason)) or reason.strip(PUNCTUATION) == PLACEHOLDER:
        form = order.form(f"waive @{target} {requirement} <reason>")
        raise NotUnderstoodError(f"a waiver needs a reason: {form}.")
    decisions.waivers[target, requirement] = order.decide(Waiver, reason)
    decisions.taken_back.discard((target, requirement))


def _unwaive(decisions: Decisions, order: Order) -> None:
    while True:
        found = target, requirement, _ = find_target(order, "")
        decisions.waivers.pop((target, requirement), None)
        decisions.taken_back.add((target, requirement))
        further = find_further(order, found, reasoned=False)
        if not further:
            return
        order = replace(order, request=replace(order.request, arguments=further))


def _hold(decisions: Decisions, order: Order) -> None:
    reason = order.request.arguments
    if takes_back(reason):
        raise NotUnderstoodError(
            f"to end a hold, write {order.form('release')}; "
            f"to hold, say why: {order.form('hold <reason>')}."
        )
    if not reason:
        raise NotUnderstoodError(f"a hold needs a reason: {order.form('hold <reason>')}.")
    hold = replace(
        order.decide(Hold, reason),
        orphaned=is_orphaned(order),
        place=order.note.url if order.earlier else None,
    )
    decisions.holds |= {(s.id, hold.note_id): hold for s in scopes_where(order, True)}
    doubt(decisions, order)


def _release(decisions: Decisions, order: Order) -> None:
    if declines(order.request.arguments):
        raise NotUnderstoodError(
            f"to end the hold, write {order.form('release')} and nothing else; "
            f"to hold, {order.form('hold <reason>')}."
        )
    before = dict(decisions.holds)
    for scope in scopes_where(order, True):
        for key, hold in before.items():
            may = not hold.orphaned or is_maintainer(scope, order)
            if key[0] == scope.id and may and _is_said_there(hold, order):
                del decisions.holds[key]
        if not order.earlier:
            decisions.doubts.pop(("hold", scope.id), None)
    if before and decisions.holds == before:
        raise NoEffectError(_say_whose(decisions, order))


def _is_said_there(hold: Hold, order: Order) -> bool:
    """Return whether a release is about a hold: one in another merge request ends those there.

    It may have been meant for somebody else, who is nominated there beside another change.
    """
    place, _, _ = (order.note.url or "").partition("#")
    return not order.earlier or (hold.place or "#").startswith(f"{place}#")


def _say_whose(decisions: Decisions, order: Order) -> str:
    """Say who can release what is held, which the author of the command cannot."""
    over = {scope.id for scope in scopes_where(order, True)}
    if any(hold.orphaned for key, hold in decisions.holds.items() if key[0] in over):
        return (
            "the account that holds this is gone, not active, or decides here no more; "
            "a maintainer can release it."
        )
    held = {key[0] for key in decisions.holds}
    scopes = (scope for scope in order.context.nominations if scope.id in held)
    people = ", ".join(dict.fromkeys(show(f"@{scope.username}") for scope in scopes))
    return f"the hold is for {people}; a maintainer there or their manager can release it."


def _pass(_: Decisions, __: Order) -> None:
    """Do nothing: to be read is all such a command asks for."""


EFFECTS: Mapping[str, Callable[[Decisions, Order], None]] = {
    "recheck": _pass,
    "help": _pass,
    "attest": _attest,
    "waive": _waive,
    "unwaive": _unwaive,
    "hold": _hold,
    "release": _release,
}
