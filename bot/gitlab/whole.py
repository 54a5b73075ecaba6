"""The whole room, which takes three times as long to import as asking a first question."""

from bot.gitlab.answers import (
    MISSHAPEN as MISSHAPEN,
    Json as Json,
    tell_misshapen as tell_misshapen,
)
from bot.gitlab.client import GitLabClient as GitLabClient
from bot.gitlab.issues import Issue as Issue, Issues as Issues
from bot.gitlab.lists_query import RECENT as RECENT
from bot.gitlab.merge_request_query import (
    COMMENTS as COMMENTS,
    MERGE_REQUEST as MERGE_REQUEST,
    NOTES as NOTES,
    read_merge_request as read_merge_request,
)
from bot.gitlab.packing import Part as Part, pack_parts as pack_parts
from bot.gitlab.queries import build_parts as build_parts
from bot.gitlab.rest import (
    READERS as READERS,
    escape_path as escape_path,
    read_pages as read_pages,
    read_status_checks as read_status_checks,
    read_statuses as read_statuses,
)
