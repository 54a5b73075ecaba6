"""Who may give which command, by the present state."""

from collections.abc import Callable, Iterable, Sequence

from bot.commands.orders import CLOSING, Decisions, NoEffectError, Order, UncheckedError, show
from bot.commands.values import Scope
from bot.commands.verbs import Audience, Verb


def doubt(decisions: Decisions, order: Order) -> None:
    """Keep in mind what would close the gate; what would open it simply does not count."""
    for scope in scopes_where(order, None) if order.name in CLOSING else ():
        decisions.doubts[order.name, scope.id] = (
            f"@{order.author.username} wrote the command {order.name}, "
            "and whether they may could not be checked"
        )


def check_audience(verb: Verb, order: Order) -> None:
    """Raise NoEffectError where the author of a command may not give it at all."""
    scopes = order.context.nominations
    if verb.who is Audience.ANYONE:
        return
    if not scopes:
        raise NoEffectError("nobody is nominated in this merge request now.")
    if verb.who is Audience.MAINTAINER_OR_MANAGER:
        _check_impartial(order)
        check_authority(order, scopes, any)
    elif order.author.key not in {scope.key for scope in scopes}:
        raise NoEffectError("nominees alone can state what they know.")


def _check_impartial(order: Order) -> None:
    nominees = {scope.key for scope in order.context.nominations}
    if order.author.is_gone and order.name in CLOSING:
        return
    # Whoever is nominated here may close the gate for others: or to nominate those who hold a
    # merge request, in the same one, would be enough to end their hold.
    alone = nominees == {order.author.key}
    if order.author.key in nominees and (alone or order.name not in CLOSING):
        raise NoEffectError("a nominee cannot decide here; ask a maintainer or your manager.")
    nominator = order.context.nominator
    if nominator and order.author.key == nominator.casefold():
        raise NoEffectError(
            "the author of the merge request cannot decide here; "
            "ask another maintainer or the nominee's manager."
        )


def find_authority(scope: Scope, order: Order) -> bool | None:
    """Return whether the author of a command has authority over a nomination; None if unknown."""
    author = order.author
    if author.key == scope.key:
        return False
    if (author.is_gone and order.name in CLOSING) or _has_lost(order):
        return True
    return _find_present_authority(scope, order)


def _find_present_authority(scope: Scope, order: Order) -> bool | None:
    author = order.author
    # Anybody may take a name that was freed; who is no member of the project is a stranger.
    belongs = order.note.by_member or not author.active
    if scope.manager and author.key == scope.manager.casefold() and belongs:
        return True
    if is_maintainer(scope, order):
        return True
    unknown = scope.maintainers is None or (not scope.manager_known and order.note.by_member)
    return None if unknown else False


def is_maintainer(scope: Scope, order: Order) -> bool:
    """Return whether the author of a command decides as a maintainer."""
    key = order.author.key
    may_close = order.name in CLOSING and key in scope.inactive
    return may_close or (scope.maintainers is not None and key in scope.maintainers)


def is_orphaned(order: Order) -> bool:
    """Return whether a command closes the gate for somebody who could, but is not there now.

    That they left must not open it: somebody who is there decides.
    """
    if order.name not in CLOSING:
        return False
    if order.author.is_gone or _has_lost(order):
        return True
    return not order.author.active and any(
        order.author.key in scope.inactive
        or (scope.manager is not None and order.author.key == scope.manager.casefold())
        for scope in order.context.nominations
    )


def is_kept(order: Order) -> bool:
    """Return whether a hold that the bot heeded waits until somebody is nominated again.

    Its tick stays: it alone tells of the hold when its author is gone by then.
    """
    return order.name == "hold" and order.ticked and not order.context.nominations


def _has_lost(order: Order) -> bool:
    """Return whether somebody who decides here no more holds what they had authority to hold.

    The bot's tick tells that it heeded the hold; to take its author out of the group, or to name
    another manager, is not to release it.
    """
    return (
        order.name == "hold"
        and order.ticked
        and all(_find_present_authority(s, order) is False for s in order.context.nominations)
    )


def scopes_where(order: Order, verdict: bool | None) -> list[Scope]:
    """Return the nominations over which the author has authority, has none, or perhaps."""
    return [s for s in order.context.nominations if find_authority(s, order) is verdict]


def check_authority(
    order: Order, scopes: Sequence[Scope], quantifier: Callable[[Iterable[bool]], bool]
) -> None:
    """Raise NoEffectError without authority over any, or all, of some nominations."""
    verdicts = [find_authority(scope, order) for scope in scopes]
    if quantifier(verdict is True for verdict in verdicts):
        return
    if quantifier(verdict is not False for verdict in verdicts):
        raise UncheckedError(
            "could not check who the maintainers and the manager are; "
            f"write {order.form('recheck')} later to try again."
        )
    where = ""
    if len({scope.policy_id for scope in order.context.nominations}) > 1:
        # A maintainer of one of them is not to be told that maintainers can do this.
        policies = dict.fromkeys(show(scope.policy_id) for scope in scopes)
        where = f" for {(' and ' if quantifier is all else ' or ').join(policies)}"
    raise NoEffectError(
        f"a current maintainer{where} or the nominee's manager can do this, nobody else."
    )
