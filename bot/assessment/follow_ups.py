"""Check one follow-up step against reality; pure, one small function for each kind."""

from bot.assessment.findings import Case, State, Step
from bot.evidence import FileAt, Members
from bot.listing import UnreadableListing, is_listed, propose_edit, read_listing
from bot.policy import LEVELS, FollowUp, GroupMember, ListedIn, Manual
from bot.unread import Unread


def _check_member(case: Case, follow_up: FollowUp, check: GroupMember) -> Step:
    members = case.members(check.group, inherited=not check.direct)
    if isinstance(members, Unread):
        return Step(follow_up=follow_up, state=State.UNKNOWN, reason=members.reason)
    key = case.nomination.username.casefold()
    mine = [m for m in members.direct if m.username.casefold() == key]
    if any(m.level >= check.level and m.active for m in mine):
        return Step(follow_up=follow_up, state=State.DONE)
    if any(m.level >= check.level for m in mine):
        state, reason = State.OPEN, "they are a member, but their account is blocked or deactivated"
    elif members.following:
        state, reason = State.UNKNOWN, "the group has more members than were examined"
    else:
        kind = "direct member" if check.direct else "member"
        state, reason = State.OPEN, f"they are a {kind}, but of a lower level" if mine else ""
    owners = _owners_to_ask(case.members(check.group))
    return Step(follow_up=follow_up, state=state, reason=reason or None, people=owners)


def _owners_to_ask(members: Members | Unread) -> tuple[str, ...]:
    """Return the owners among the direct members, or else those of the groups above."""
    if isinstance(members, Unread):
        return ()
    own = tuple(m.username for m in members.at_least(LEVELS["owner"]))
    return own or tuple(m.username for m in members.owners if m.active and not m.bot)


def _check_listed(case: Case, follow_up: FollowUp, check: ListedIn) -> Step:
    content = case.evidence[FileAt(check.project, check.ref, check.path)]
    if isinstance(content, Unread):
        return Step(follow_up=follow_up, state=State.UNKNOWN, reason=content.reason)
    if content is None:
        return Step(follow_up=follow_up, state=State.UNKNOWN, reason="there is no such file")
    username = case.nomination.username
    try:
        text = content.decode("utf-8")
        listing = read_listing(text, check.spec, check.path)
    except UnicodeDecodeError as error:
        reason = f"{check.path}: byte {error.start + 1} is not UTF-8"
        return Step(follow_up=follow_up, state=State.UNKNOWN, reason=reason)
    except UnreadableListing as error:
        return Step(follow_up=follow_up, state=State.UNKNOWN, reason=str(error))
    former = case.subject.former_name
    freed = (
        (f"{former}, the name they had before, is still listed, and anybody may take that name",)
        if former and is_listed(listing, former)
        else ()
    )
    if is_listed(listing, username):
        state = State.OPEN if freed else State.DONE
        return Step(follow_up=follow_up, state=state, reason="; ".join(freed) or None)
    edit = propose_edit(text, check.spec, username, check.path)
    # An edit would have to guess, as where an alias shares the list with another entry.
    odd = (*freed, *listing.remarks)
    odd = odd if edit else (*odd, "no edit can be proposed for this file")
    return Step(
        follow_up=follow_up,
        state=State.OPEN,
        reason="; ".join(odd) or None,
        edit=edit,
        through=listing.groups,
    )


def check_step(case: Case, follow_up: FollowUp) -> Step:
    """Check a step, unless nobody knows whose it is: access would go to whoever has the name."""
    check = follow_up.check
    doubt = case.subject.present.doubt if case.subject.present else None
    if isinstance(check, Manual):
        return Step(follow_up=follow_up, state=State.MANUAL)
    if doubt:
        return Step(follow_up=follow_up, state=State.UNKNOWN, reason=doubt)
    if isinstance(check, GroupMember):
        return _check_member(case, follow_up, check)
    return _check_listed(case, follow_up, check)
