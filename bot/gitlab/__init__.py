"""The door to GitLab; the only importer of python-gitlab and tenacity.

Here is what asks a first question. The rest is imported when it is asked for.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from bot.gitlab.ahead import ask_ahead as ask_ahead
from bot.gitlab.transport import Transport as Transport

if TYPE_CHECKING:
    from bot.gitlab.whole import (
        COMMENTS as COMMENTS,
        MERGE_REQUEST as MERGE_REQUEST,
        MISSHAPEN as MISSHAPEN,
        NOTES as NOTES,
        READERS as READERS,
        RECENT as RECENT,
        GitLabClient as GitLabClient,
        Issue as Issue,
        Issues as Issues,
        Json as Json,
        Part as Part,
        build_parts as build_parts,
        escape_path as escape_path,
        pack_parts as pack_parts,
        read_merge_request as read_merge_request,
        read_pages as read_pages,
        read_status_checks as read_status_checks,
        read_statuses as read_statuses,
        tell_misshapen as tell_misshapen,
    )
else:

    def __getattr__(name):
        """Return what the rest of the room offers by this name; its modules are found without."""
        if find_spec(f"{__name__}.{name}"):
            raise AttributeError(name)
        from bot.gitlab import whole  # noqa: PLC0415 (when it is asked for)

        return getattr(whole, name)
