"""REST: the instance, users, members."""

from collections.abc import Mapping

from bot.sandbox.acts import actions
from bot.sandbox.rest.core import USERS, Answer, Call, endpoint, paged
from bot.sandbox.rest.params import PAGING, is_inside, takes
from bot.sandbox.rest.people_entities import (
    render_member,
    render_own_profile,
    render_profile,
    render_user,
)
from bot.sandbox.world.access import (
    demand,
    effective_members,
    own_members,
    required,
)
from bot.sandbox.world.entities import Level, Member, Project, User
from bot.sandbox.world.state import RefusedError

REVISION = "0a1b2c3d4e5"
DIRECT = takes(
    PAGING, text="query", integers="user_ids skip_users", flag="show_seat_info with_saml_identity"
)
ALL = takes(
    PAGING,
    text="query",
    integers="user_ids",
    flag="show_seat_info",
    choices={"state": "awaiting active"},
)


@endpoint("GET", "/version", open=False, scopes=USERS)
def show_version(call: Call) -> object:
    """Tell the version."""
    return {"version": call.world.version, "revision": REVISION}


@endpoint("GET", "/metadata", open=False, scopes=USERS)
def show_metadata(call: Call) -> object:
    """Tell the version and what goes with it."""
    kas = {"enabled": False, "externalUrl": None, "externalK8sProxyUrl": None, "version": None}
    return {
        "version": call.world.version,
        "revision": REVISION,
        "kas": kas,
        "enterprise": call.world.version.endswith("-ee"),
    }


@endpoint("GET", "/user", open=False, scopes=USERS)
def show_own_account(call: Call) -> object:
    """Tell who the caller is."""
    return render_own_profile(call.world, call.actor)


@endpoint(
    "GET",
    "/users",
    PAGING,
    text="username search",
    flag="active blocked humans exclude_active exclude_humans without_project_bots",
    moment="created_after created_before",
    choices={"order_by": "id name username created_at updated_at", "sort": "asc desc"},
    scopes=USERS,
)
def list_users(call: Call) -> Answer:
    """List accounts; anonymous callers must name one."""
    demand(call.user is not None or "username" in call.params, 403)
    found = [user for user in call.world.users.values() if _is_wanted(user, call.params)]
    order = call.params.get("order_by", "id").replace("updated_at", "created_at")
    found.sort(key=lambda user: getattr(user, order), reverse=call.params.get("sort") != "asc")
    return paged(call, found, lambda user: render_user(call.world, user))


def _is_wanted(user: User, wanted: Mapping[str, object]) -> bool:
    passes = (
        str(wanted.get("username", user.username)).casefold() == user.username.casefold(),
        user.is_called(str(wanted.get("search", ""))),
        is_inside(wanted, created=user.created_at),
        not wanted.get("active") or user.state == "active",
        not wanted.get("exclude_active") or user.state != "active",
        not wanted.get("blocked") or user.state == "blocked",
        not wanted.get("humans") or not user.bot,
        not wanted.get("exclude_humans") or user.bot,
        not wanted.get("without_project_bots") or not user.bot,
    )
    return all(passes)


@endpoint("GET", "/users/{id}", scopes=USERS)
def show_user(call: Call) -> object:
    """Tell of an account by number."""
    demand(call.user is not None, 403, "403 Forbidden - Not authorized to access this user")
    return render_profile(call.world, call.person(call.number("id")))


def _find_members(call: Call) -> Mapping[int, Member]:
    """Find the direct members, or below `all` those that came to it in other ways as well."""
    if "/members/all" in call.url:
        return effective_members(call.place, call.today)
    return {each.user.id: each for each in own_members(call.place, call.today)}


def list_members(call: Call) -> Answer:
    """List members."""
    needle, members = call.params.get("query", ""), _find_members(call)
    wanted, unwanted = call.params.get("user_ids", members), call.params.get("skip_users", [])
    found = [
        each
        for number, each in sorted(members.items())
        if number in wanted and number not in unwanted and each.user.is_called(needle)
    ]
    return paged(call, found, lambda member: render_member(call.world, member))


def show_member(call: Call) -> object:
    """Tell of a member."""
    member = required(_find_members(call).get(call.number("user_id")))
    return render_member(call.world, member)


def _set_member(call: Call, user: User) -> Member:
    """Set somebody's level; nobody can give more than they have."""
    needed = Level.MAINTAINER if isinstance(call.place, Project) else Level.OWNER
    level = call.params["access_level"]
    demand(call.level >= max(needed, level))
    member = actions.add_member(call.world, call.actor, call.place, user, level)
    if "expires_at" in call.params:
        ends = call.params["expires_at"].date()
        actions.set_expiry(call.world, call.actor, call.place, user, ends)
    return member


def add_member(call: Call) -> object:
    """Make somebody a member (doc/api/members.md)."""
    user = call.person(call.params["user_id"])
    if user.id in call.place.members:
        raise RefusedError(409, "Member already exists")
    return render_member(call.world, _set_member(call, user))


def edit_member(call: Call) -> object:
    """Change a member's level, or when the membership ends."""
    user = call.person(call.number("user_id"))
    demand(user.id in call.place.members, 404)
    return render_member(call.world, _set_member(call, user))


def remove_member(call: Call) -> None:
    """End a membership."""
    user = call.person(call.number("user_id"))
    actions.remove_member(call.world, call.actor, call.place, user)


ROLE = takes(integer="access_level", moment="expires_at", required="access_level")
for _members in ("/groups/{id}/members", "/projects/{id}/members"):
    endpoint("GET", _members, DIRECT)(list_members)
    endpoint("GET", _members + "/all", ALL)(list_members)
    endpoint("GET", _members + "/{user_id}")(show_member)
    endpoint("GET", _members + "/all/{user_id}")(show_member)
    endpoint("POST", _members, ROLE, integer="user_id", required="user_id")(add_member)
    endpoint("PUT", _members + "/{user_id}", ROLE)(edit_member)
    endpoint("DELETE", _members + "/{user_id}")(remove_member)
