"""Say in one plain sentence what a person should know of an entry: what, where, next step."""

from collections.abc import Sequence

from bot.team import shown

_MAX_PATH = 200
_MAX_REASON = 160
_MAX_ODDITIES = 400
_MAX_LISTED = 5

NO_MERGE_BASE = (
    "GitLab finds no common ancestor of the source and the target branch, so nobody knows what "
    "a merge changes: make the branch anew from the target branch, or rebase it onto that."
)
UNREADABLE_BEFORE = (
    "The entry could not be read as it was before the change, so every role in it counts as "
    "new: compare the two states by hand."
)
NEW_ENTRY = (
    "The entry is new or had no username before: make sure that the username belongs to the "
    "person it describes."
)
UNREAD_DELETION = (
    "A deleted entry could not be read and may have been the same person's: compare the roles "
    "by hand."
)


def _bare(text: str, limit: int = _MAX_PATH) -> str:
    return shown(text, limit)[1:-1]


def not_known(path: str, when: str, reason: str) -> str:
    """Say that a file could not be read `before` or `after` the change."""
    return (
        f"{_bare(path)} could not be read as it is {when} the change "
        f"({_bare(reason, _MAX_REASON)}), so nobody knows whether it nominates somebody: "
        "put that right and ask for a recheck."
    )


def not_merged(path: str, reason: str) -> str:
    """Say that nobody knows what a merge makes of a file."""
    return (
        f"{_bare(path)} was changed on the target branch as well since this merge request branched "
        f"off ({_bare(reason, _MAX_REASON)}), so what it will hold after a merge is not known: "
        "rebase the merge request."
    )


def not_plain(path: str, oddities: Sequence[str]) -> str:
    """Say that other readers may take an entry otherwise, and how to write it."""
    return (
        f"{_bare(path)} may be read otherwise by other readers of the team database "
        f"({_bare('; '.join(oddities), _MAX_ODDITIES)}), so nobody knows whom it gives which role: "
        'write "gitlab", "reports_to", "projects" and each project once, as plain keys with plain '
        "values, without tags, anchors, aliases and merge keys."
    )


def among_entries(path: str) -> str:
    """Say that a file lies among the entries and is none."""
    return (
        f"{_bare(path)} lies among the team entries, but its name, place or kind is not that of an "
        "entry, so nobody knows who reads it as one: give it the name of an entry, or remove it."
    )


def written_otherwise(path: str) -> str:
    """Say that git writes entries out as other bytes than those that are read here."""
    return (
        f"{_bare(path)} gives files another encoding in a checkout (working-tree-encoding), so "
        "nobody knows what the team entries say there: leave that out."
    )


def not_an_entry(path: str, role: str) -> str:
    """Say that a role is written into a file that gives none."""
    return (
        f"{_bare(path)} is not read as a team entry, so {shown(role)} in it nominates nobody: "
        "write it into the file of the person, where the team database expects it."
    )


def not_a_role(found: str, role: str) -> str:
    """Say that something close to a role gives none; `found` is quoted already."""
    return (
        f"{found} nominates nobody, because only {shown(role)} on a line of its own below "
        '"projects:" does: correct it if that was meant.'
    )


def not_a_stage(found: str, stage: str) -> str:
    """Say that something close to a stage before the role is none; `found` is quoted already."""
    return (
        f"{found} does not count as the stage before the role, because only {shown(stage)} does: "
        "correct it if that was meant."
    )


def was_not_a_stage(found: str, stage: str) -> str:
    """Say that what the entry said so far was no stage before the role; `found` is quoted."""
    return (
        f"{found}, which the entry says so far, does not count as the stage before the role, "
        f"because only {shown(stage)} does: what is asked for since that stage can be waived."
    )


def without_username(path: str, role: str) -> str:
    """Say that an entry gives a role to nobody whose work could be looked at."""
    return (
        f"{_bare(path)} gives {shown(role)} to nobody, because it has no username, and readers of "
        "the team database show the role all the same: write the GitLab username behind "
        '"gitlab:" at the left margin.'
    )


def granted_meanwhile(username: str, role: str) -> str:
    """Say that the target branch has the role already."""
    return (
        f"The target branch meanwhile gives {shown(username)} the role {shown(role)}, so nobody "
        "is nominated for it here: rebase to see what remains of the merge request."
    )


def capitals(found: str, expected: str) -> str:
    """Say that capitals were folded."""
    return (
        f"{shown(found)} is read as {shown(expected)}, but not every reader of the team database "
        f"folds capitals: write {shown(expected)}."
    )


def claimed_often(username: str, paths: Sequence[str]) -> str:
    """Say that several files are about one account."""
    listed = ", ".join(_bare(path) for path in paths[:_MAX_LISTED])
    return (
        f"The username {shown(username)} is claimed by {len(paths)} files ({listed}): "
        "let only one of them keep it."
    )


def other_account(old: str, new: str) -> str:
    """Say that the evidence would be another account's than the one of the entry so far."""
    return (
        f"The account of the entry changes from {shown(old)} to {shown(new)} in the same change: "
        "make sure that this is one person, because only the new account is examined."
    )


def account_moved(old: str, new: str) -> str:
    """Say that the target branch gave the entry to another account meanwhile."""
    return (
        f"The account of the entry changed from {shown(old)} to {shown(new)} on the target branch "
        "since this merge request branched off: rebase, and make sure whom it is meant for."
    )
