"""Say what the bot does about the merge requests for the steps after a merge; pure.

It opens one that is due, closes its own that are due no more, and leaves alone what people took
into their hands: a merge request that they closed or merged, and one to which they pushed.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from bot import policy as rules
from bot.assessment.assessing import Assessment
from bot.assessment.findings import Case, Move, State, Step
from bot.evidence import Offer, Offers, OffersOf, find_offers_of, offer_branches
from bot.unread import NOT_LOOKED_UP, Unread

LISTED = "the file has the name"
OVER = "the entry does not give the role any more"
FREED = "the account of this name may be somebody else's by now"
RENAMED = "the nominee is called otherwise now"
DOUBLED = "there is another merge request for this step"
CHANGED = "the file changed since, and this is in conflict with it; another merge request follows"


def plan_offers(
    case: Case, assessment: Assessment, policies: Sequence[rules.Policy], *, held: bool
) -> Assessment:
    """Return the assessment with what the bot does about the merge requests of each step.

    Those for a role that is over stay where another role, by any of the policies, asks for them.
    """
    may_open = not (held or assessment.left_open)
    shared = _find_shared(case, policies)
    steps = tuple(_plan(case, step, shared, may_open=may_open) for step in assessment.steps)
    return replace(assessment, steps=steps)


def _find_shared(case: Case, policies: Sequence[rules.Policy]) -> set[OffersOf | None]:
    entry = case.subject.present.entry if case.subject.present else None
    return {
        find_offers_of(step, case.subject.names)
        for policy in policies
        if entry and entry.holds(policy.project, policy.role)
        for step in policy.follow_ups
    }


def _plan(case: Case, step: Step, shared: Collection[OffersOf | None], *, may_open: bool) -> Step:
    need = find_offers_of(step.follow_up, case.subject.names)
    if need is None or need in shared:
        return step
    known = case.evidence.offers.get(need, NOT_LOOKED_UP)
    if isinstance(known, Unread) or not known.complete:
        why = known.reason if isinstance(known, Unread) else "there are too many"
        reason = f"whether the bot opened a merge request is not known: {why}"
        return replace(step, left=reason) if step.state is State.OPEN else step
    ended = _find_end(case, step)
    if ended is not None:
        return replace(step, move=_withdraw(case, _opened(step, known), ended))
    if step.state is not State.OPEN or (case.subject.present and case.subject.present.doubt):
        return step
    return _plan_open(case, step, known, may_open=may_open)


def _find_end(case: Case, step: Step) -> str | None:
    """Say why no merge request is due any more, if none is."""
    if case.subject.present and case.subject.present.gone:
        return OVER
    if case.subject.present and case.subject.present.freed:
        return FREED
    return LISTED if step.state is State.DONE else None


def _plan_open(case: Case, step: Step, known: Offers, *, may_open: bool) -> Step:
    branches = offer_branches(step.listed_in, case.nomination.username)
    opened = _opened(step, known)
    former = [offer for offer in opened if offer.branch not in branches]
    present = [offer for offer in opened if offer.branch in branches]
    closing = _withdraw(case, former, RENAMED).closes
    if not present:
        return _plan_new(case, replace(step, move=Move(closes=closing)), known, may_open=may_open)
    # Whatever is in conflict comes last, then what came later.
    first, *others = sorted(present, key=lambda offer: (offer.conflicts, offer.iid))
    closing += _withdraw(case, others, DOUBLED).closes
    if not first.conflicts:
        return replace(step, offer=first, move=Move(closes=closing))
    if not _is_own(case, first):
        left = "it is in conflict with the file, and others pushed to it: people resolve that"
        return replace(step, offer=first, left=left, move=Move(closes=closing))
    found = _plan_new(case, replace(step, offer=first), known, may_open=may_open)
    if found.move.opens is None:
        return replace(found, move=Move(closes=closing))
    move = replace(found.move, closes=(*closing, (first, CHANGED)))
    return replace(found, offer=None, move=move)


def _plan_new(case: Case, step: Step, known: Offers, *, may_open: bool) -> Step:
    branches = offer_branches(step.listed_in, case.nomination.username)
    past = [o for o in _ours(step, known) if o.branch in branches and o.state != "opened"]
    peoples = next((offer for offer in reversed(past) if not offer.withdrawn), None)
    taken = {offer.branch for offer in known.items}
    free = next((branch for branch in branches if branch not in taken), None)
    left = None
    if step.edit is None:
        return step
    if peoples is not None:
        ending = "merged" if peoples.state == "merged" else "closed by somebody"
        left = f"the merge request of the bot was {ending}, so it opens no other one"
        return replace(step, offer=step.offer or peoples, left=left)
    if known.refusal:
        left = f"the bot may open no merge request there: {known.refusal}"
    elif not may_open:
        left = "the bot opens no merge request before a maintainer has decided"
    elif free is None:
        left = f"the bot opened {len(branches)} merge requests already, and opens no other one"
    if left is not None:
        return replace(step, left=left)
    return replace(step, move=replace(step.move, opens=free))


def _ours(step: Step, known: Offers) -> list[Offer]:
    """Return those into the branch of the file: one into another branch does not add the name."""
    return [offer for offer in known.items if offer.target == step.listed_in.ref]


def _opened(step: Step, known: Offers) -> list[Offer]:
    return [offer for offer in _ours(step, known) if offer.state == "opened"]


def _withdraw(case: Case, offers: Iterable[Offer], why: str) -> Move:
    return Move(closes=tuple((offer, why) for offer in offers if _is_own(case, offer)))


def _is_own(case: Case, offer: Offer) -> bool:
    me = case.merge_request.me.id
    return offer.author_id == me and offer.whose <= {me}
