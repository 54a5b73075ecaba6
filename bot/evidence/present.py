"""Say what became of a nomination after its merge: its entry, and whose account that names."""

from collections.abc import Mapping
from dataclasses import replace

from bot.evidence.facts import Fact, Ledger, Need
from bot.evidence.files import CommitsOf, FileAt, RenameOf
from bot.evidence.history import read_entry
from bot.evidence.people import AccessOf, Members, MembersOf, ProfileOf
from bot.merge_request import MergeRequest, Person
from bot.nomination import Nomination
from bot.team import Entry
from bot.unread import Content, Unread
from bot.values import dataclass

MOST_MOVES = 3  # renames of an entry that are followed


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The account of the nominee now: the one that the entry on the target branch names.

    It is the nominated name where the other may be somebody else's. `gone` says why the role is
    over, and `entry` what there is then instead; `doubt` why it is not known whether the account is
    still the nominee's: anybody may take a name that was freed. It is `freed` where that was not
    for a look-up that failed.
    """

    username: str
    gone: str | None = None
    entry: Entry | None = None
    doubt: str | None = None
    freed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What leads from a merged nomination to the present: what is known, and where to ask.

    `stated` are those of whom the bot accepted before the merge that they are the nominee,
    where there is one alone.
    """

    merge_request: MergeRequest
    ledger: Ledger
    stated: tuple[Person, ...] = ()


def find_present(nomination: Nomination, trail: Trail) -> Present:
    """Look for the entry on the target branch, and for the account it names."""
    content = _find_entry(nomination.path, trail)
    name = nomination.username
    if content is None:
        return Present(username=name, gone="the entry is not on the target branch any more")
    entry = read_entry(content)
    if entry is None:
        reason = content.reason if isinstance(content, Unread) else "it is no valid entry"
        doubt = f"the entry on the target branch could not be read: {reason}"
        return Present(username=name, doubt=doubt)
    if entry.holds(nomination.project, nomination.role):
        return _follow(entry.username, name, trail)
    gone = f"the entry on the target branch does not give {nomination.role} any more"
    present = _follow(entry.username or name, name, trail)
    return replace(present, gone=gone, entry=entry, doubt=None, freed=False)


def _follow(told: str | None, nominated: str, trail: Trail) -> Present:
    """Follow the nominee to the name that an entry tells, unless that may be somebody else's."""
    if told is None:
        return Present(username=nominated, doubt="the entry on the target branch names no account")
    doubt = _find_doubt(told, nominated, trail)
    if doubt is None:
        return Present(username=told)
    if isinstance(doubt, Unread):
        return Present(username=nominated, doubt=doubt.reason)
    return Present(username=nominated, doubt=doubt, freed=True)


def _find_entry(path: str, trail: Trail) -> Content:
    """Read the entry on the target branch, under another name where it was renamed since."""
    project, branch = trail.merge_request.project, trail.merge_request.target_branch
    for _ in range(MOST_MOVES):
        content = trail.ledger.fetch(FileAt(project, branch, path))
        if content is not None:
            return content
        commits = trail.ledger.fetch(CommitsOf(project, branch, path))
        if isinstance(commits, Unread) or not commits.items:
            return Unread(reason="what became of it is not known")
        # The newest commit that touched it is the one that took it away.
        new_path = trail.ledger.fetch(RenameOf(project, commits.items[0].sha, path, onward=True))
        if not isinstance(new_path, str):
            return new_path
        path = new_path
    return Unread(reason="it was renamed more often than is followed")


def _find_doubt(name: str, nominated: str, trail: Trail) -> Unread | str | None:
    """Say why an account may not be the nominee's, by what tells accounts and not names.

    It is unread where that is for a look-up that failed.

    Whoever stated as the nominee what they know is that comment's author, whatever they are
    called now. Otherwise the account is known if it opened the merge request, is in a group
    that the process gives, or belongs to the project.
    """
    for person in trail.stated:
        if person.key != name.casefold():
            return f"the nominee is called {person.username} now, and the entry says {name}"
    if name.casefold() != nominated.casefold() and not trail.stated:
        profile = trail.ledger.fetch(ProfileOf(nominated))
        # Whoever was renamed has left the name behind; an entry may be handed to somebody else.
        if profile is not None and not _is_newer(profile, trail):
            told = f"the entry names {name} now, but {nominated} was nominated"
            return Unread(reason=told) if isinstance(profile, Unread) else told
    return _doubt_account(name, trail)


def _is_newer(profile: Unread | Person, trail: Trail) -> bool:
    made = profile.created_at if isinstance(profile, Person) else None
    merged_at = trail.merge_request.merged_at
    return bool(merged_at and made and made > merged_at)


def _doubt_account(name: str, trail: Trail) -> Unread | str | None:
    author = trail.merge_request.author
    if (author and author.key == name.casefold()) or _is_member(name, trail.ledger.facts):
        return None
    profile = trail.ledger.fetch(ProfileOf(name))
    if isinstance(profile, Unread):
        return Unread(reason=f"the account {name} could not be looked up: {profile.reason}")
    if profile is None:
        return f"GitLab knows no account {name}: it was renamed or deleted, or is not visible"
    if _is_newer(profile, trail):
        return f"the account {name} was made after the merge, so it is somebody else's"
    return _doubt_access(profile, trail)


def _doubt_access(profile: Person, trail: Trail) -> Unread | str | None:
    access = trail.ledger.fetch(AccessOf(trail.merge_request.project_id, profile.id))
    name, project = profile.username, trail.merge_request.project
    if isinstance(access, Unread):
        told = f"whether {name} belongs to {project} could not be looked up: {access.reason}"
        return Unread(reason=told)
    if access:
        return None
    return (
        f"the account {name} is no member of {project}, and did not open this merge request: "
        "somebody else may have taken the name"
    )


def _is_member(name: str, known: Mapping[Need, Fact]) -> bool:
    return any(
        member.username.casefold() == name.casefold()
        for need, fact in known.items()
        if isinstance(need, MembersOf) and isinstance(fact, Members)
        for member in fact.direct
    )
