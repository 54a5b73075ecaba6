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
_NAMED = re.compile(r"[^\s'\"\[\]{},:]+\.ya?ml\b", re.IGNORECASE)
# No others are included (`YAML_WHITELIST_EXTENSION`, lib/gitlab/ci/config/external/file/base.rb).
_INCLUDABLE = re.compile(r"\.ya?ml$", re.IGNORECASE)
# Of a variable, or an input, only GitLab knows what it stands for.
_VARIABLE = re.compile(r"\$(?:\{\w+\}|\w+|\[\[[^\]\n]*\]\])")
LEVELS = 5  # of files that include others which are read
MOST_FILES = 60  # of them that are read
_DEEPER = Unread(reason="it includes more files than are followed")


def find_ci_doubts(proposal: Proposal, globs: Collection[str], source: Source) -> list[str]:
    """Say which changed files, beside the entries, hold the CI configuration or may do so.

    None is asked for a nomination that changes entries alone, and few for others: the place of the
    configuration, and each level of the files that it includes.
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
    includable = [each for each in others if _INCLUDABLE.search(each)]
    return _find_included(merge_request, includable, path, source) if includable else []


def _find_included(
    merge_request: MergeRequest, others: Collection[str], path: str, source: Source
) -> list[str]:
    """Look for the other files in what the configuration of the target branch names.

    What files that are named by a wildcard or a variable include themselves is not followed.
    """
    ledger = Ledger({}, source)
    read, waiting = set[str](), {path}
    for _ in range(LEVELS):
        found = _read_names(merge_request, waiting, ledger)
        if isinstance(found, Unread):
            return [_unknown(found)]
        told = [each for each in sorted(others) if any(fnmatchcase(each, n) for n in found)]
        read |= waiting
        waiting = {name for name in found if "*" not in name} - read
        if told or not waiting:
            return [_told(each) for each in told]
        if len(read | waiting) > MOST_FILES:
            break
    return [_unknown(_DEEPER)]


def _read_names(
    merge_request: MergeRequest, paths: Collection[str], ledger: Ledger
) -> set[str] | Unread:
    """Return the files that files of the target branch name."""
    needs = [FileAt(merge_request.project, merge_request.target_branch, path) for path in paths]
    ledger.look_up(needs)
    found: set[str] = set()
    for need in needs:
        content = ledger[need]
        if isinstance(content, Unread):
            return content
        found |= _names_in(content or b"")
    return found


def _names_in(content: bytes) -> set[str]:
    """Return the files that a configuration names, with wildcards for what is not known.

    A wildcard of GitLab's `include:local` stays within a folder, ours need not: better too wide.
    """
    text = _VARIABLE.sub("*", content.decode("utf-8", "replace"))
    return {name.lstrip("/") for name in _NAMED.findall(text)}


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
