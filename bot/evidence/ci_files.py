"""Find out whether a nomination changes the job that keeps it shut while the bot is silent."""

import re
from collections.abc import Collection
from fnmatch import fnmatchcase

from bot.evidence.facts import Ledger, Source
from bot.evidence.files import CiConfigOf, FileAt
from bot.evidence.proposals import Proposal
from bot.merge_request import MergeRequest
from bot.team import concerns_entries
from bot.unread import Unread

DEFAULT_PATH = ".gitlab-ci.yml"
# Whatever it is that includes them, these hold jobs by all custom.
_CUSTOMARY = re.compile(
    r"(?:.*/)?[^/]*gitlab-ci[^/]*\.ya?ml|(?:.*/)?\.?(?:gitlab|gitlab-ci|ci)/.*\.ya?ml",
    re.IGNORECASE,
)
_NAMED = re.compile(r"[^\s'\"\[\]{},:]+\.ya?ml\b")


def find_ci_doubts(proposal: Proposal, globs: Collection[str], source: Source) -> list[str]:
    """Say which changed files, beside the entries, hold the CI configuration or may do so.

    Two calls at most, and none for a nomination that changes entries alone.
    """
    merge_request, detection = proposal.merge_request, proposal.detection
    changed = merge_request.changed_paths or ()
    others = [path for path in changed if not concerns_entries(path, globs)]
    is_open = merge_request.state == "opened"
    if not (is_open and others and (detection.nominations or detection.unread)):
        return []
    customary = sorted(path for path in others if _CUSTOMARY.fullmatch(path))
    if customary:
        return [_told(path) for path in customary]
    path = Ledger({}, source).fetch(CiConfigOf(merge_request.project_id))
    if isinstance(path, Unread):
        return [_unknown(path)]
    path = path or DEFAULT_PATH
    if "@" in path or "://" in path:
        return []  # It is kept elsewhere, where no merge request of this project changes it.
    if path in others:
        return [_told(path)]
    return _find_included(merge_request, others, path, source)


def _find_included(
    merge_request: MergeRequest, others: Collection[str], path: str, source: Source
) -> list[str]:
    """Look for the other files in what the configuration of the target branch names."""
    need = FileAt(merge_request.project, merge_request.target_branch, path)
    content = Ledger({}, source).fetch(need)
    if isinstance(content, Unread):
        return [_unknown(content)]
    text = (content or b"").decode("utf-8", "replace")
    named = {name.lstrip("/") for name in _NAMED.findall(text)}
    # A wildcard of GitLab's `include:local` stays within a folder, ours need not: better too wide.
    return [_told(each) for each in sorted(others) if any(fnmatchcase(each, n) for n in named)]


def _told(path: str) -> str:
    return (
        f"it changes {path}, which holds or may hold the CI configuration with the job that guards "
        "this gate: put that change into a merge request of its own"
    )


def _unknown(fact: Unread) -> str:
    return (
        f"which files hold the CI configuration could not be read ({fact.reason}), and this merge "
        "request changes others than entries: put them into a merge request of their own"
    )
