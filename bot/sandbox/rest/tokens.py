"""REST: what a token may know of itself, and how it is rotated."""

import secrets
from datetime import timedelta

from bot.sandbox.rest.core import Answer, Call, endpoint
from bot.sandbox.rest.people_entities import expose, stamp
from bot.sandbox.world.entities import Token
from bot.sandbox.world.state import RefusedError

# lib/api/personal_access_tokens/self_information.rb: a token of any scope may see itself.
ANY = frozenset({"api", "read_api", "read_user", "read_repository", "self_rotate"})
ROTATE = frozenset({"api", "self_rotate"})
WEEK = timedelta(days=7)  # doc/api/personal_access_tokens.md: what a rotated token lives
YEAR = timedelta(days=365)


@endpoint("GET", "/personal_access_tokens/self", open=False, scopes=ANY)
def show_own_token(call: Call) -> object:
    """Tell of the token that is used."""
    return _render_token(call, _own(call))


@endpoint("POST", "/personal_access_tokens/self/rotate", moment="expires_at", scopes=ROTATE)
def rotate_own_token(call: Call) -> Answer:
    """Revoke the token that is used, and answer another of the same account."""
    old, asked = _own(call), call.params.get("expires_at")
    ends = asked.date() if asked else call.today + WEEK
    if ends > call.today + YEAR:
        raise RefusedError(400, "Expiration date must be before the maximum lifetime")
    with call.world.writing():
        old.revoked = True
        new = Token(
            id=call.world.next_id("token"),
            value=f"glpat-{secrets.token_hex(10)}",
            user=old.user,
            scopes=old.scopes,
            expires_at=ends,
            name=old.name,
        )
        call.world.tokens.append(new)
    return Answer(body=_render_token(call, new) | {"token": new.value})


def _own(call: Call) -> Token:
    if call.token is None or call.token.kind == "job":
        raise RefusedError(401, "401 Unauthorized")
    return call.token


def _render_token(call: Call, token: Token) -> dict[str, object]:
    return {
        **expose(token, "id name revoked"),
        "description": None,
        "created_at": stamp(call.world.now),
        "scopes": list(token.scopes),
        "user_id": token.user.id,
        "last_used_at": stamp(call.world.now),
        "active": not token.revoked,
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
    }
