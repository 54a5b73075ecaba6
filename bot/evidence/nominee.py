"""Say whom a nomination is about: the account, the manager, and what makes either doubtful."""

from dataclasses import replace

from bot.errors import TeamDatabaseError
from bot.evidence.facts import Ledger
from bot.evidence.files import FileAt
from bot.evidence.history import read_entry
from bot.evidence.present import Present
from bot.evidence.timing import NOT_TIMED, Timing
from bot.merge_request import MergeRequest
from bot.nomination import Change, Nomination
from bot.policy import Policy
from bot.team import Entry, parse_entry
from bot.unread import NOT_LOOKED_UP, Content, Unread
from bot.values import dataclass

ITSELF = "this merge request itself changes the account in the entry"
MEANWHILE = (
    "the account in the entry is another one on the target branch than where this merge request "
    "branched off; rebase it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """The account of the manager that the entry names, or why there is none."""

    username: str | None
    missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A nomination with what its evidence starts from, and what became of it after the merge.

    `reports_to` is what the entry says without the merge request, which can neither choose
    nor invent its own manager; `doubt` says why the account's work may be somebody else's, and
    `former_name` is what the merge request calls an account that was renamed since.
    """

    nomination: Nomination
    policy: Policy
    reports_to: str | Unread | None
    manager_file: FileAt | None
    doubt: str | None
    timing: Timing | Unread = NOT_TIMED
    present: Present | None = None
    former_name: str | None = None

    @property
    def names(self) -> tuple[str | None, ...]:
        """Return what the nominee is called, and was called in the merge request."""
        return (self.nomination.username, self.former_name)


def find_subject(
    nomination: Nomination, policy: Policy, change: Change | None, merge_request: MergeRequest
) -> Subject:
    """Find the manager and whether the account can be trusted to be the nominee's.

    `change` is that of the file which held the nominee's entry at the base, if any did.
    """
    earlier = _read_side(change.base, "before this merge request") if change else None
    # The author chooses the base by branching from an old commit, but not the target branch.
    present = _read_side(change.target, "on the target branch") if change else None
    slug = _reports_to(earlier if present is None else present)
    path = manager_path(nomination.path, slug if isinstance(slug, str) else None)
    return Subject(
        nomination=nomination,
        policy=policy,
        reports_to=slug,
        manager_file=FileAt(merge_request.project, merge_request.target_branch, path)
        if path
        else None,
        doubt=_find_doubt(present, nomination.username, ITSELF)
        or _find_doubt(earlier, nomination.username, MEANWHILE),
    )


def follow_subject(subject: Subject, present: Present) -> Subject:
    """Follow a nominee to the name that the entry gives them now."""
    name = subject.nomination.username
    if present.username.casefold() == name.casefold():
        return replace(subject, present=present)
    nomination = replace(subject.nomination, username=present.username)
    return replace(subject, nomination=nomination, present=present, former_name=name)


def without_manager(subject: Subject) -> Subject:
    """Leave out who the manager is, where nobody asks for it."""
    return replace(subject, manager_file=None, reports_to=NOT_LOOKED_UP)


def _read_side(content: Content, where: str) -> Entry | Unread | None:
    if content is None:
        return None
    return read_entry(content) or Unread(reason=f"the entry {where} cannot be read")


def _reports_to(entry: Entry | Unread | None) -> str | Unread | None:
    if isinstance(entry, Entry) and entry.manager_unclear:
        return Unread(reason="`reports_to` in the entry is a list or a mapping instead of a text")
    return entry.reports_to if isinstance(entry, Entry) else entry


def _find_doubt(side: Entry | Unread | None, username: str, reason: str) -> str | None:
    if isinstance(side, Unread):
        return side.reason
    if side and (side.username or "").casefold() != username.casefold():
        return reason
    return None


def evidence_key(subject: Subject) -> str:
    """Return what tells one nomination of a merge request from another."""
    return f"{subject.nomination.username.casefold()} {subject.policy.label}"


def manager_path(path: str, slug: str | None) -> str | None:
    """Return the path of the entry with a slug, beside another entry's path."""
    # Whoever edits the entry writes it, and it must not lead out of the folders of entries.
    if not slug or slug.startswith(".") or any(c in slug for c in "/\\\0"):
        return None
    folder = path.rsplit("/", 2)[0]
    return f"{folder}/{slug[0].lower()}/{slug}.yml"


def manager_of(subject: Subject, facts: Ledger) -> Manager | Unread:
    """Return the manager's account, so far as it is known."""
    slug, need = subject.reports_to, subject.manager_file
    if isinstance(slug, Unread):
        return slug
    return find_manager(facts[need] if need else None, slug)


def find_manager(content: Content, slug: str | None) -> Manager | Unread:
    """Read the manager's account from the manager's entry."""
    if not slug:
        missing = "the entry had no `reports_to` before this merge request"
        return Manager(username=None, missing=missing)
    if isinstance(content, Unread):
        return content
    if content is None:
        return Manager(username=None, missing="the entry that `reports_to` names does not exist")
    try:
        entry = parse_entry(content, "the manager's entry")
    except TeamDatabaseError as error:
        return Unread(reason=str(error))
    if not entry.username:
        return Manager(username=None, missing="the entry that `reports_to` names holds no account")
    return Manager(username=entry.username)
