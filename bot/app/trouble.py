"""Keep one issue in the bot's own project that says what has not worked, and since when.

Since when something has not worked is when GitLab says that the issue was opened; nothing is read
back from its text but whether it is the same.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import PurePath

from bot.app import Look
from bot.errors import DoubtfulWriteError
from bot.evidence import tell_broken
from bot.gitlab import Issue, Issues
from bot.policy import BrokenPolicy
from bot.report import Words
from bot.values import dataclass

MARKER = "<!-- nomination-bot-trouble -->"
TITLE = "The nomination bot does not work everywhere"
MOST = 50  # troubles that are told one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that does not work: `place` tells it from others, `url` leads there."""

    place: str
    words: str
    url: str = ""


def find_troubles(
    looks: Iterable[Look], broken: Sequence[BrokenPolicy], merge_requests: str
) -> list[Trouble]:
    """Say what a sweep found not to work, merge request by merge request, and in general."""
    found = []
    for look in looks:
        for problem in look.problems:
            if look.iid is None:
                found.append(Trouble(place=problem.what, words=problem.why))
            else:
                url = f"{merge_requests}/{look.iid}" if merge_requests else ""
                found.append(Trouble(place=f"!{look.iid}", words=str(problem), url=url))
    for policy in broken:
        words = " ".join(tell_broken([policy]))
        found.append(Trouble(place=f"policy {PurePath(policy.source).name}", words=words))
    return found


def keep_issue(troubles: Sequence[Trouble], issues: Issues, words: Words, now: datetime) -> str:
    """Make the issue say what does not work now; return what was done, or nothing.

    It is found again by its author and its mark, and closed when everything works. Raises
    GitLabError where it could not be read or written.
    """
    open_ones = _find(issues)
    if not open_ones:
        return _open(troubles, issues, words, now) if troubles else ""
    first, *others = open_ones
    for other in others:
        issues.change(other.iid, f"{MARKER}\nThe same as #{first.iid}.\n", close=True)
    text = _write(troubles, first, words, now)
    if not troubles:
        issues.change(first.iid, text, close=True)
        return f"closed {first.web_url}"
    if first.description.replace("\r", "").strip() == text.strip():
        return ""
    issues.change(first.iid, text)
    return f"updated {first.web_url}"


def _find(issues: Issues) -> list[Issue]:
    return [each for each in issues.fetch_open() if each.description.startswith(MARKER)]


def _open(troubles: Sequence[Trouble], issues: Issues, words: Words, now: datetime) -> str:
    try:
        return f"opened {issues.create(TITLE, _write(troubles, None, words, now))}"
    except DoubtfulWriteError:
        # The next sweep finds it if it was written, and else opens it.
        found = _find(issues)
        if not found:
            raise
        return f"opened {found[0].web_url}"


def _write(troubles: Sequence[Trouble], issue: Issue | None, words: Words, now: datetime) -> str:
    rows = sorted(_merge(troubles), key=lambda row: row.place)
    values = {
        "rows": rows[:MOST],
        "more": max(0, len(rows) - MOST),
        "since": issue.created_at if issue else now,
        "now": now,
    }
    return f"{MARKER}\n{words.render('trouble.md.j2', **values).strip()}\n"


def _merge(troubles: Iterable[Trouble]) -> list[Trouble]:
    """Join what is told of one place, for it is one trouble."""
    found: dict[str, Trouble] = {}
    for each in troubles:
        first = found.get(each.place)
        said = f"{first.words} {each.words}" if first and each.words not in first.words else ""
        found[each.place] = Trouble(
            place=each.place, words=said or (first or each).words, url=each.url
        )
    return list(found.values())
