"""The whole room, which takes three times as long to import as asking a first question."""

from bot.gitlab.answers import MISSHAPEN, Json, tell_misshapen
from bot.gitlab.client import GitLabClient
from bot.gitlab.issues import Issue, Issues
from bot.gitlab.lists_query import RECENT
from bot.gitlab.merge_request_query import COMMENTS, MERGE_REQUEST, NOTES, read_merge_request
from bot.gitlab.packing import Part, pack_parts
from bot.gitlab.queries import build_parts
from bot.gitlab.rest import READERS, escape_path, read_pages, read_status_checks, read_statuses

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
    "build_parts",
    "escape_path",
    "pack_parts",
    "read_merge_request",
    "read_pages",
    "read_status_checks",
    "read_statuses",
    "tell_misshapen",
]
