"""Turn needs into parts of GraphQL queries; no network here."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.evidence import CoursesOf, FileAt, Need, OffersOf, TallyOf, ThreadsOf, WorkOf
from bot.gitlab import earlier_query, files_query, people_query, records_query
from bot.gitlab.courses_query import courses_part
from bot.gitlab.files_query import FILES_PER_PART, files_part
from bot.gitlab.offers_query import offers_part
from bot.gitlab.packing import Part
from bot.gitlab.tally_query import tally_part
from bot.gitlab.threads_query import threads_part
from bot.gitlab.work_query import work_part

_PARTS: Mapping[type, Callable[[Any], Part]] = {
    CoursesOf: courses_part,
    OffersOf: offers_part,
    TallyOf: tally_part,
    ThreadsOf: threads_part,
    WorkOf: work_part,
    **earlier_query.PARTS,
    **files_query.PARTS,
    **people_query.PARTS,
    **records_query.PARTS,
}


def build_parts(needs: Iterable[Need]) -> list[Part]:
    """Turn needs into parts; files of one project and ref travel together."""
    parts: list[Part] = []
    files: dict[tuple[str, str], list[FileAt]] = {}
    for need in needs:
        if isinstance(need, FileAt):
            files.setdefault((need.project, need.ref), []).append(need)
        elif type(need) in _PARTS:
            parts.append(_PARTS[type(need)](need))
    for wanted in files.values():
        starts = range(0, len(wanted), FILES_PER_PART)
        parts += [files_part(wanted[start : start + FILES_PER_PART]) for start in starts]
    return parts
