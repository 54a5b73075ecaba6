"""The least versions of GitLab, per feature; the page for operators lists exactly these."""

import re
from dataclasses import dataclass

Version = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Least:
    """The version from which GitLab offers something, and what the bot does without it."""

    what: str
    version: Version
    without: str


# Sources: doc/api/personal_access_tokens.md (15.5, 16.10), doc/api/project_webhooks.md (15.2,
# 16.11, 17.3), doc/ci/variables (17.1, 17.7), gitlab-org/gitlab#557381 with merge request 204230
# (the trigger's own payload no longer counts as a passed variable; the version is estimated from
# the date of the merge request), app/graphql/types/merge_request_type.rb.
OLDEST = Least(
    what="the queries of the bot",
    version=(16, 0),
    without="queries are refused or lack fields; `doctor` names them",
)
TOKEN_SELF = Least(
    what="a token that tells of itself",
    version=(15, 5),
    without="`doctor` cannot tell scopes and expiry",
)
MASKED_URL = Least(
    what="masked parts of a webhook's address",
    version=(15, 2),
    without="the trigger token shows in the webhook's settings and logs",
)
ROTATE_SELF = Least(
    what="a token that rotates itself",
    version=(16, 10),
    without="`init --rotate token` is refused; rotate on the web page",
)
HOOK_EVENTS = Least(
    what="the last deliveries of a webhook",
    version=(17, 3),
    without="`doctor` cannot tell whether events arrive",
)
VARIABLES_ROLE = Least(
    what="who may pass pipeline variables",
    version=(17, 1),
    without="whoever holds the trigger token can override the bot's settings",
)
PAYLOAD_EXEMPT = Least(
    what="triggers where nobody may pass pipeline variables",
    version=(18, 5),
    without="`no_one_allowed` would refuse every webhook: `maintainer` is set instead",
)
LEAST = (
    OLDEST, MASKED_URL, TOKEN_SELF, ROTATE_SELF, VARIABLES_ROLE, HOOK_EVENTS, PAYLOAD_EXEMPT,
)  # fmt: skip


def read_version(text: str) -> Version:
    """Read GitLab's version; an unreadable one is older than all."""
    match = re.match(r"(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def write_version(version: Version) -> str:
    """Write a version as GitLab does."""
    return f"{version[0]}.{version[1]}"
