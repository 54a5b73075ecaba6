"""A webhook body on its way: its headers, and the one request that carries it."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from bot.sandbox.webhooks.parts import Body
from bot.sandbox.world.entities import Webhook
from bot.sandbox.world.state import World

# doc/user/gitlab_com/_index.md for the timeout, app/services/web_hook_service.rb for the rest.
TIMEOUT = 10.0
LONGEST_ANSWER = 8 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A body on its way: to which address, with which headers, for which hook."""

    url: str = field(repr=False)
    event: str
    body: str
    headers: Mapping[str, str] = field(repr=False)
    hook: Webhook | None = None


def write_letter(
    world: World, url: str, event: str, body: Body, hook: Webhook | None = None
) -> Letter:
    """Put a body into an envelope with GitLab's headers; a URL may be a path on this GitLab."""
    address = url if "://" in url else world.external_url + url
    key = str(uuid.uuid4())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitLab/19.5.0",
        "X-Gitlab-Event": event,
        "X-Gitlab-Instance": world.external_url,
        "X-Gitlab-Webhook-UUID": str(uuid.uuid5(uuid.NAMESPACE_URL, address)),
        "X-Gitlab-Event-UUID": str(uuid.uuid4()),
        "Idempotency-Key": key,
        "webhook-id": key,
    }
    if hook is not None and hook.token is not None:
        headers["X-Gitlab-Token"] = hook.token
    text = json.dumps(body, ensure_ascii=False)
    return Letter(url=address, event=event, body=text, headers=headers, hook=hook)


def send_letter(letter: Letter) -> tuple[int | None, str]:
    """Send a letter; return status and answer, no status where nobody answered."""
    parts = urlsplit(letter.url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request("POST", path, letter.body.encode("utf-8", "replace"), letter.headers)
        response = connection.getresponse()
        return response.status, response.read(LONGEST_ANSWER).decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        return None, f"{type(error).__name__}: {error}"
    finally:
        connection.close()
