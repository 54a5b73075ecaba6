"""Say which command somebody meant who wrote another word for it."""

import re
from collections.abc import Iterable, Sequence

from bot.commands.orders import CLOSING, find_nearest

# Words that take something back, whatever they stand beside.
_UNDOING = frozenset(
    """
    abort aborted cancel canceled cancelled cancels cancelling clear cleared close closed delete
    deleted disable disabled done drop dropped end ended ends expired false finish finished free
    gone lift lifted lifting no none off over release released releasing remove removed removing
    reset resolve resolved resume retract retracted revert reverted revoke revoked stop stopped
    undo undone unhold unlock unset void waived withdraw withdrawn
    """.split()  # noqa: SIM905 (a list literal would take a hundred lines)
)
# Words that say nothing beside those.
_FILLING = frozenset(
    """
    a again all and for from has hold holding i is it its longer me my now of on please pls
    that the this to waive waiver we your
    """.split()  # noqa: SIM905 (likewise)
)
_REFUSING = frozenset({"no", "not", "never", "dont", "don't", "cannot", "wait", "cancel", "undo"})
# Words of a condition: the bot would not wait for it.
_LATER = frozenset(
    """
    after assuming before day days hour hours if later minute minutes month monday next once pending
    provided friday saturday soon sunday thursday till tomorrow tonight tuesday unless until
    wednesday week weeks when
    """.split()  # noqa: SIM905 (as above)
)

# The words that stand for each form.
_MEANT = {
    "release": """
        continue go holdoff proceed resume thaw unblock unfreeze unhold unheld unlock unpause
        unreject unstop
    """,
    "unwaive <requirement>": "unwaived unwaiver revoke rescind unskip unexempt",
    "waive <requirement> <reason>": """
        accept-fewer except exempt excuse dispense forgive ignore override skip waived waiver
    """,
    "hold <reason>": """
        block deny disapprove freeze halt held nack nak object onhold on-hold pause postpone reject
        request-changes stop suspend veto wait
    """,
    "recheck": """
        again check evaluate look poll ping reanalyse rebuild recalculate redo reevaluate
        re-evaluate refresh reload rerun re-run retest retrigger retry run scan status sync test
        update verify
    """,
    "attest <topic> …": "affirm attested certify claim declare know knowledge knows state testify",
    "help": "? -h --help commands info list man manual options usage",
}
_FORMS = {word: form for form, words in _MEANT.items() for word in words.split()}
_APPROVING = frozenset(
    """
    +1 ack accept accepted agree agreed approve approved approves approving confirm confirmed
    endorse endorsed lgtm merge ok okay pass seconded ship shipit sign signoff sign-off support
    vouch yes
    """.split()  # noqa: SIM905 (as above)
)
_WAIVING = frozenset({"exemption", "waive", "waived", "waiver", "waivers"})


def takes_back(text: str) -> bool:
    """Return whether words that stand for a reason say instead that something is to end."""
    words = _words(text)
    return not _UNDOING.isdisjoint(words) and _UNDOING.union(_FILLING).issuperset(words)


def declines(text: str) -> bool:
    """Return whether the words behind a command say that it is not to be done, or not now."""
    return not (_REFUSING | _LATER).isdisjoint(_words(text))


def is_approval(verb: str) -> bool:
    """Return whether somebody wants to approve, which no command does."""
    return verb in _APPROVING


def means_to_close(verb: str) -> bool:
    """Return whether a word is a command that keeps the gate shut, or was meant as one."""
    meant = guess_form(verb, "", ()) or find_nearest(verb, [*CLOSING, "waive"]) or ""
    return meant.startswith(tuple(CLOSING))


def guess_form(verb: str, arguments: str, requirements: Iterable[str]) -> str | None:
    """Return how the command is written that was meant, as far as its words tell."""
    joined = re.sub("[-_]", "", verb)
    if joined.startswith("unwaiv"):
        return "unwaive <requirement>"
    form = _FORMS.get(verb) or _FORMS.get(joined)
    words = [*_words(re.sub("[-_=]", " ", verb)), *_words(arguments)]
    if not _takes_something_back(words):
        return form
    named = [each for each in requirements if each.casefold() in words]
    if named or not _WAIVING.isdisjoint(words):
        return f"unwaive {named[0] if named else '<requirement>'}"
    return "release" if "hold" in words or form is None else form


def _takes_something_back(words: Sequence[str]) -> bool:
    first = next(iter(words), "")
    return first in _UNDOING or (first == "hold" and not _UNDOING.isdisjoint(words))


def _words(text: str) -> list[str]:
    return re.findall(r"[\w'+]+", text.casefold())
