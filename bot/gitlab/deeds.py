"""What GitLab noted of reviews, which are dated by that alone, and how far such notes were read."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.gitlab.answers import Json, nodes_of, read_time
from bot.values import dataclass

# System notes of reviews, word for word and of nothing else: approve_mr, unapprove_mr,
# requested_changes and, in newer versions, reviewed in SystemNotes::MergeRequestsService
# (app and ee/app/services/…/system_notes/merge_requests_service.rb). Each is written in the
# reviewer's own name. Where a version writes none of the last two, threads show the review.
DEEDS = {
    "approved this merge request": "approved",
    "unapproved this merge request": "unapproved",
    "requested changes": "requested",
    "left review comments without approving": "reviewed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deeds:
    """Whether GitLab noted reviews of somebody before the merge, or after it alone."""

    in_time: bool | None
    late: bool = False
    cut: bool = False


def read_deeds(node: Json, key: str) -> _Deeds:
    """Read whether GitLab noted reviews of somebody, by case-folded username."""
    if "activity" not in node:
        return _Deeds(in_time=None)
    listed, merged_at = node["activity"] or {}, read_time(node["mergedAt"])
    times = [read_time(note["createdAt"]) for note in nodes_of(listed) if _is_deed(note, key)]
    in_time = any(at <= merged_at for at in times)
    return _Deeds(
        in_time=in_time,
        late=bool(times) and not in_time,
        cut=not in_time and not is_read_until(listed, times_of(listed), merged_at),
    )


def _is_deed(note: Json, key: str) -> bool:
    author = (note.get("author") or {}).get("username") or ""
    return str(author).casefold() == key and note["body"].strip().casefold() in DEEDS


def times_of(notes: Json) -> Iterator[datetime]:
    """Yield when each of some notes was written."""
    return (read_time(note["createdAt"]) for note in nodes_of(notes))


def is_read_until(listed: Json, times: Iterable[datetime], end: datetime) -> bool:
    """Return whether a list was read up to a time, by the times of its items, oldest first."""
    if listed.get("nodes") is None:
        return False
    return not listed["pageInfo"]["hasNextPage"] or max(times, default=end) > end
