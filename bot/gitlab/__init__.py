"""The door to GitLab; the only importer of python-gitlab and tenacity.

Here is what asks a first question. The rest is imported when it is asked for.
"""

from typing import TYPE_CHECKING

from bot.gitlab.ahead import ask_ahead
from bot.gitlab.transport import Transport

if TYPE_CHECKING:
    from bot.gitlab.whole import (
        COMMENTS,
        MERGE_REQUEST,
        MISSHAPEN,
        NOTES,
        READERS,
        RECENT,
        GitLabClient,
        Issue,
        Issues,
        Json,
        Part,
        Query,
        build_parts,
        escape_path,
        pack_parts,
        read_merge_request,
        read_pages,
        read_status_checks,
        read_statuses,
        tell_misshapen,
    )
else:

    def __getattr__(name):
        """Return what the rest of the room offers by this name."""
        if name not in __all__:
            raise AttributeError(name)
        from bot.gitlab import whole  # noqa: PLC0415  takes long

        return getattr(whole, name)


__all__ = [
    "COMMENTS",
    "MERGE_REQUEST",
    "MISSHAPEN",
    "NOTES",
    "READERS",
    "RECENT",
    "GitLabClient",
    "Issue",
    "Issues",
    "Json",
    "Part",
    "Query",
    "Transport",
    "ask_ahead",
    "build_parts",
    "escape_path",
    "pack_parts",
    "read_merge_request",
    "read_pages",
    "read_status_checks",
    "read_statuses",
    "tell_misshapen",
]
