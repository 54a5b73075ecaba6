"""Say what became of a nomination after its merge: its entry, and whose account that names."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.evidence.facts import (
    Access,
    AccessOf,
    Commits,
    CommitsOf,
    Fact,
    FileAt,
    Members,
    MembersOf,
    MovedOf,
    Need,
    Profile,
    ProfileOf,
    Source,
)
from bot.evidence.history import read_entry
from bot.merge_request import MergeRequest, Person
from bot.nomination import Nomination
from bot.unread import Content, Unread

MOST_MOVES = 3  # renames of an entry that are followed


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The account that the entry on the target branch names now.

    `gone` says why the role is over; `doubt` why it is not known whether the account is still
    the nominee's: anybody may take a name that was freed. It is `freed` where that was not for a
    look-up that failed.
    """

    username: str
    gone: str | None = None
    doubt: str | None = None
    freed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What leads from a merged nomination to the present: what is known, and where to ask.

    `stated` are those of whom the bot accepted before the merge that they are the nominee,
    where there is one alone.
    """

    merge_request: MergeRequest
    known: Mapping[Need, Fact]
    source: Source
    stated: tuple[Person, ...] = ()

    def fetch(self, need: Need) -> Fact | None:
        """Return a fact that is known already, or look it up."""
        return self.known[need] if need in self.known else self.source.fetch_facts({need})[need]


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
    name = entry.username or name
    if not entry.holds(nomination.project, nomination.role):
        gone = f"the entry on the target branch does not give {nomination.role} any more"
        return Present(username=name, gone=gone)
    if not entry.username:
        return Present(username=name, doubt="the entry on the target branch names no account")
    unknown, unread = _find_doubt(name, trail)
    return Present(username=name, doubt=unknown, freed=bool(unknown) and not unread)


def _find_entry(path: str, trail: Trail) -> Content:
    """Read the entry on the target branch, under another name where it was renamed since."""
    project, branch = trail.merge_request.project, trail.merge_request.target_branch
    for _ in range(MOST_MOVES):
        content = _as_content(trail.fetch(FileAt(project, branch, path)))
        if content is not None:
            return content
        commits = trail.fetch(CommitsOf(project, branch, path))
        if not isinstance(commits, Commits) or not commits.items:
            return Unread(reason="what became of it is not known")
        new_path = trail.fetch(MovedOf(project, commits.items[0].sha, path))
        if not isinstance(new_path, str):
            return _as_content(new_path)
        path = new_path
    return Unread(reason="it was renamed more often than is followed")


def _as_content(fact: Fact | None) -> Content:
    return fact if isinstance(fact, bytes | Unread) else None


def _find_doubt(name: str, trail: Trail) -> tuple[str | None, bool]:
    """Say why an account may not be the nominee's, by what tells accounts and not names.

    Whoever stated as the nominee what they know is that comment's author, whatever they are
    called now. Otherwise the account is known if it opened the merge request, is in a group
    that the process gives, or belongs to the project. The second value says whether a look-up
    failed.
    """
    for person in trail.stated:
        if person.key != name.casefold():
            return f"the nominee is called {person.username} now, and the entry says {name}", False
    author = trail.merge_request.author
    if (author and author.key == name.casefold()) or _is_member(name, trail.known):
        return None, False
    profile = trail.fetch(ProfileOf(name))
    if isinstance(profile, Unread):
        return f"the account {name} could not be looked up: {profile.reason}", True
    if not isinstance(profile, Profile):
        told = f"GitLab knows no account {name}: it was renamed or deleted, or is not visible"
        return told, False
    merged_at = trail.merge_request.merged_at
    if merged_at and profile.created_at and profile.created_at > merged_at:
        return f"the account {name} was made after the merge, so it is somebody else's", False
    return _doubt_access(profile, trail)


def _doubt_access(profile: Profile, trail: Trail) -> tuple[str | None, bool]:
    access = trail.fetch(AccessOf(trail.merge_request.project_id, profile.id))
    name, project = profile.username, trail.merge_request.project
    if isinstance(access, Unread):
        return f"whether {name} belongs to {project} could not be looked up: {access.reason}", True
    if isinstance(access, Access) and access.member:
        return None, False
    told = (
        f"the account {name} is no member of {project}, and did not open this merge request: "
        "somebody else may have taken the name"
    )
    return told, False


def _is_member(name: str, known: Mapping[Need, Fact]) -> bool:
    return any(
        member.username.casefold() == name.casefold()
        for need, fact in known.items()
        if isinstance(need, MembersOf) and isinstance(fact, Members)
        for member in fact.direct
    )
