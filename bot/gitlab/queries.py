"""Turn needs into parts of GraphQL queries; no network here."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.evidence import FileAt, Need
from bot.gitlab import (
    courses_query,
    earlier_query,
    files_query,
    offers_query,
    people_query,
    records_query,
    threads_query,
    work_query,
)
from bot.gitlab.files_query import FILES_PER_PART, files_part
from bot.gitlab.packing import Part

_PARTS: Mapping[type, Callable[[Any], Part]] = {
    **courses_query.PARTS,
    **earlier_query.PARTS,
    **files_query.PARTS,
    **offers_query.PARTS,
    **people_query.PARTS,
    **records_query.PARTS,
    **threads_query.PARTS,
    **work_query.PARTS,
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
