"""Points about GitLab itself, and the bot's token, account and role."""

from bot.errors import RefusedError
from bot.setup.ground import DEVELOPER, MAINTAINER, SOON, Ground, level_in
from bot.setup.values import Found, Point, ok, unknown, wrong
from bot.setup.versions import OLDEST, write_version

EXISTS = 409  # GitLab's answer where somebody is a member already (lib/api/members.rb)
ROTATE = "run `nomination-bot init --rotate token --apply`"


def _look_at_version(ground: Ground) -> Found:
    found = write_version(ground.version)
    if ground.version < OLDEST.version:
        return wrong(found, f"upgrade GitLab; without that {OLDEST.without}")
    return ok(found)


def _look_at_token(ground: Ground) -> Found:
    try:
        return ok(f"of @{ground.me['username']}")
    except RefusedError as error:
        step = (
            "make an access token of the bot's account, scope `api`; or, if it was rotated, take "
            "the one that the bot's project has as NOMINATION_BOT_TOKEN"
        )
        return wrong(str(error), step)


def _look_at_scope(ground: Ground) -> Found:
    try:
        token = ground.as_bot("/personal_access_tokens/self")
    except RefusedError as error:
        # doc/api/personal_access_tokens.md: since 15.5; others than access tokens are refused.
        if error.code in {400, 404, 405}:
            return unknown("GitLab does not tell of this token", "make an access token for the bot")
        raise
    scopes = [str(scope) for scope in token.get("scopes", ())]
    if "api" not in scopes:
        return wrong(f"scopes {', '.join(scopes) or 'none'}", "make a token with the scope `api`")
    return ok("scope api")


def _look_at_expiry(ground: Ground) -> Found:
    ends = ground.as_bot("/personal_access_tokens/self").get("expires_at")
    found = f"it expires on {ends}" if ends else "it never expires"
    return wrong(found, ROTATE) if ground.ends_soon(ends) else ok(found)


def _look_at_account(ground: Ground) -> Found:
    name = f"@{ground.me['username']}"
    if ground.as_operator("/user")["id"] == ground.me["id"]:
        return wrong(
            f"{name}, who is you", "give the bot an account of its own, such as a service account"
        )
    return ok(name)


def _look_at_role(ground: Ground) -> Found:
    level = level_in(ground.as_bot, ground.team, int(ground.me["id"]))
    needed = 0 if ground.settings.gate == "none" else DEVELOPER
    if level < needed:
        step = f"make @{ground.me['username']} a Developer of {ground.settings.team_project}"
        # An inherited role below it is raised by a direct one.
        return wrong(f"level {level}", step, _make_developer)
    if level >= MAINTAINER:
        return wrong(
            f"level {level}",
            "lower it to Developer: quick actions in the bot's comments run with its rights",
        )
    if level:
        member = ground.as_bot(f"{ground.team}/members/all/{ground.me['id']}")
        day = ground.ends_soon(member.get("expires_at"))
        if day:
            return wrong(f"its membership ends on {day}", "take the date away, or set a later one")
    return ok(f"level {level}")


def _make_developer(ground: Ground) -> None:
    number = int(ground.me["id"])
    path, fields = f"{ground.team}/members", {"access_level": DEVELOPER}
    try:
        ground.operator.create(path, {"user_id": number, **fields})
    except RefusedError as error:
        if error.code != EXISTS:
            raise
        ground.operator.change("put", f"{path}/{number}", fields)


def _token_page(ground: Ground) -> str:
    return f"{ground.settings.gitlab_url}/-/user_settings/personal_access_tokens"


TOKEN_FIRST = ("token",)
POINTS = (
    Point(
        id="token",
        expected="GitLab knows NOMINATION_BOT_TOKEN",
        costs="everything",
        look=_look_at_token,
        link=_token_page,
    ),
    Point(
        id="version",
        expected=f"GitLab {write_version(OLDEST.version)} or newer",
        costs=OLDEST.without,
        look=_look_at_version,
        link=lambda ground: f"{ground.settings.gitlab_url}/help",
        needs=TOKEN_FIRST,
    ),
    Point(
        id="token-scope",
        expected="an access token of scope api",
        costs="comments, emoji and the gate",
        look=_look_at_scope,
        link=_token_page,
        needs=TOKEN_FIRST,
    ),
    Point(
        id="token-expiry",
        expected=f"a token for more than {SOON.days} days",
        costs="everything, from that day on",
        look=_look_at_expiry,
        link=_token_page,
        needs=TOKEN_FIRST,
    ),
    Point(
        id="account",
        expected="an account of the bot's own",
        costs="comments and gate in your name",
        look=_look_at_account,
        link=lambda ground: ground.team_page("project_members"),
        needs=TOKEN_FIRST,
    ),
    Point(
        id="role",
        expected="the bot is a Developer of the team database, for the gate",
        costs="the gate",
        look=_look_at_role,
        link=lambda ground: ground.team_page("project_members"),
        needs=(*TOKEN_FIRST, "account", "team-project"),
    ),
)
