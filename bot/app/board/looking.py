"""Read the nominations that the board shows, the newest of each kind."""

from collections.abc import Sequence
from dataclasses import replace

from bot.app import rounds
from bot.app.board.gathering import MOST_LOOKS, Making, bound, tell_left_out
from bot.app.board.nominations import show_merged, show_open
from bot.app.drift import place_needs
from bot.app.replay import Told, trace
from bot.errors import GitLabError
from bot.evidence import Exposure, ExposureOf, FileAt, Members
from bot.merge_request import Visibility
from bot.policy import Counting, Policy
from bot.report import MARKER

MOST_FINISHED = 20  # nominations that are over, the newest


def read_nominations(making: Making, seen: Exposure) -> None:
    """Read those that wait, those with steps left, and how long others took."""
    if seen.merge_requests is not Visibility.PUBLIC:
        hidden = f"the merge requests of {making.project}"
        making.notices.append(tell_left_out("Nominations", hidden))
        return
    for state in ("opened", "merged"):
        try:
            iids = making.gitlab.fetch_watched(making.project, state)
        except GitLabError as error:
            making.notices.append(f"What is {state} was not listed: {error}")
            continue
        newest = bound(sorted(iids, reverse=True), MOST_LOOKS, "nominations", making.notices)
        _read_each(making, newest)
    _read_finished(making)


def _read_finished(making: Making) -> None:
    """Read those that are over, of which nothing but how long they took is shown."""
    try:
        found = making.gitlab.find_commented(making.project, MARKER)
    except GitLabError as error:
        making.notices.append(f"Nominations that are over were not found: {error}")
        return
    left = [iid for iid in sorted(found, reverse=True) if iid not in making.seen]
    _read_each(making, left[:MOST_FINISHED])


def _read_each(making: Making, iids: Sequence[int]) -> None:
    for number, iid in enumerate(iids):
        making.gitlab.take_share(len(iids) - number)
        making.seen.add(iid)
        _read_nomination(making, iid)


def _read_nomination(making: Making, iid: int) -> None:
    making.tell(f"looking at !{iid} …")
    try:
        found = rounds.evaluate(making.project, iid, making.choices, making.gitlab, making.shared)
    except GitLabError as error:
        making.notices.append(f"!{iid} could not be read: {error}")
        return
    if found.merge_request.state == "opened":
        for policy, waiting in show_open(found):
            making.waiting[policy].append(waiting)
    if found.merge_request.merged_at:
        told = trace(found, making.choices.command, making.shared)
        making.histories.append(_leave_out_waits(making, told))
    for policy, granted in show_merged(found):
        making.granted[policy].append(granted)


def _leave_out_waits(making: Making, told: Told) -> Told:
    """Leave out how long it waited where that follows from what not everybody may see."""
    policies = {policy.label: policy for policy in making.choices.policies}
    shown = tuple(
        each if _is_public(making, policies[each.policy]) else replace(each, waiting=())
        for each in told.nominations
    )
    return replace(told, nominations=shown)


def _is_public(making: Making, policy: Policy) -> bool:
    needs = {n for n in place_needs([policy], making.project) if not isinstance(n, FileAt)}
    rules = [each.rule for each in policy.requirements]
    counted = {policy.place_of(r) for r in rules if isinstance(r, Counting)}
    facts = making.shared.fetch_facts(needs | {ExposureOf(place) for place in counted})
    return all(
        fact.visibility is Visibility.PUBLIC
        if isinstance(fact, Members)
        else isinstance(fact, Exposure) and _least(fact) is Visibility.PUBLIC
        for fact in facts.values()
    )


def _least(exposure: Exposure) -> Visibility:
    return min(exposure.merge_requests, exposure.files)
