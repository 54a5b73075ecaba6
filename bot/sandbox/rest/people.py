"""REST: the instance, users, members, projects, labels."""

from collections.abc import Iterable, Mapping

from bot.sandbox.rest.core import USERS, Answer, Call, endpoint, paged
from bot.sandbox.rest.merge_request_entities import render_label_basic
from bot.sandbox.rest.params import PAGING, Param, choice, flag, integer, integers, moment, text
from bot.sandbox.rest.people_entities import (
    render_member,
    render_own_profile,
    render_profile,
    render_user,
)
from bot.sandbox.world.access import demand, effective_members, own_members
from bot.sandbox.world.entities import Label, Level, Member, User
from bot.sandbox.world.state import RefusedError

REVISION = "0a1b2c3d4e5"
DIRECT: Mapping[str, Param] = {
    "query": text(),
    "user_ids": integers(),
    "skip_users": integers(),
    "show_seat_info": flag(),
    "with_saml_identity": flag(),
    **PAGING,
}
ALL: Mapping[str, Param] = {
    "query": text(),
    "user_ids": integers(),
    "show_seat_info": flag(),
    "state": choice("awaiting", "active"),
    **PAGING,
}


@endpoint("GET", "/version", open=False, scopes=USERS)
def show_version(call: Call) -> Answer:
    """Tell the version."""
    return Answer(body={"version": call.world.version, "revision": REVISION})


@endpoint("GET", "/metadata", open=False, scopes=USERS)
def show_metadata(call: Call) -> Answer:
    """Tell the version and what goes with it."""
    kas = {"enabled": False, "externalUrl": None, "externalK8sProxyUrl": None, "version": None}
    body = {
        "version": call.world.version,
        "revision": REVISION,
        "kas": kas,
        "enterprise": call.world.version.endswith("-ee"),
    }
    return Answer(body=body)


@endpoint("GET", "/user", open=False, scopes=USERS)
def show_own_account(call: Call) -> Answer:
    """Tell who the caller is."""
    return Answer(body=render_own_profile(call.world, call.actor))


@endpoint(
    "GET",
    "/users",
    {
        "username": text(),
        "search": text(),
        "active": flag(),
        "blocked": flag(),
        "humans": flag(),
        "exclude_active": flag(),
        "exclude_humans": flag(),
        "without_project_bots": flag(),
        "created_after": moment(),
        "created_before": moment(),
        "order_by": choice("id", "name", "username", "created_at", "updated_at"),
        "sort": choice("asc", "desc"),
        **PAGING,
    },
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
    needle = str(wanted.get("search", "")).casefold()
    passes = (
        str(wanted.get("username", user.username)).casefold() == user.username.casefold(),
        needle in user.username.casefold() or needle in user.name.casefold(),
        not wanted.get("active") or user.state == "active",
        not wanted.get("exclude_active") or user.state != "active",
        not wanted.get("blocked") or user.state == "blocked",
        not wanted.get("humans") or not user.bot,
        not wanted.get("exclude_humans") or user.bot,
        not wanted.get("without_project_bots") or not user.bot,
    )
    return all(passes)


@endpoint("GET", "/users/{id}", scopes=USERS)
def show_user(call: Call) -> Answer:
    """Tell of an account by number."""
    demand(call.user is not None, 403, "403 Forbidden - Not authorized to access this user")
    return Answer(body=render_profile(call.world, call.person(call.number("id"))))


def _list_members(call: Call, members: Iterable[Member]) -> Answer:
    needle = call.params.get("query", "").casefold()
    wanted, unwanted = call.params.get("user_ids"), call.params.get("skip_users", [])
    found = [
        each
        for each in sorted(members, key=lambda member: member.user.id)
        if (wanted is None or each.user.id in wanted)
        and each.user.id not in unwanted
        and needle in f"{each.user.username}\n{each.user.name}".casefold()
    ]
    return paged(call, found, lambda member: render_member(call.world, member))


def _one_member(call: Call, members: Mapping[int, Member]) -> Answer:
    member = members.get(call.number("user_id"))
    if member is None:
        raise RefusedError(404, "404 Not found")
    return Answer(body=render_member(call.world, member))


@endpoint("GET", "/groups/{id}/members", DIRECT)
def list_group_members(call: Call) -> Answer:
    """List direct members of a group."""
    return _list_members(call, own_members(call.group, call.today))


@endpoint("GET", "/groups/{id}/members/all", ALL)
def list_all_group_members(call: Call) -> Answer:
    """List members of a group however they came to it."""
    members = effective_members(call.group, call.today)
    return _list_members(call, members.values())


@endpoint("GET", "/groups/{id}/members/{user_id}")
def show_group_member(call: Call) -> Answer:
    """Tell of a direct member of a group."""
    members = {each.user.id: each for each in own_members(call.group, call.today)}
    return _one_member(call, members)


@endpoint("GET", "/groups/{id}/members/all/{user_id}")
def show_any_group_member(call: Call) -> Answer:
    """Tell of a member of a group however they came to it."""
    return _one_member(call, effective_members(call.group, call.today))


@endpoint("GET", "/projects/{id}/members", DIRECT)
def list_project_members(call: Call) -> Answer:
    """List direct members of a project."""
    return _list_members(call, own_members(call.project, call.today))


@endpoint("GET", "/projects/{id}/members/all", ALL)
def list_all_project_members(call: Call) -> Answer:
    """List members of a project however they came to it."""
    members = effective_members(call.project, call.today)
    return _list_members(call, members.values())


@endpoint("GET", "/projects/{id}/members/{user_id}")
def show_project_member(call: Call) -> Answer:
    """Tell of a direct member of a project."""
    members = {each.user.id: each for each in own_members(call.project, call.today)}
    return _one_member(call, members)


@endpoint("GET", "/projects/{id}/members/all/{user_id}")
def show_any_project_member(call: Call) -> Answer:
    """Tell of a member of a project however they came to it."""
    return _one_member(call, effective_members(call.project, call.today))


LABELS = "/projects/{id}/labels"


@endpoint(
    "GET",
    LABELS,
    {
        "with_counts": flag(),
        "include_ancestor_groups": flag(),
        "search": text(),
        "archived": flag(),
        **PAGING,
    },
)
def list_labels(call: Call) -> Answer:
    """List labels."""
    needle = call.params.get("search", "").casefold()
    found = [each for each in call.project.labels.values() if needle in each.name.casefold()]
    return paged(call, sorted(found, key=lambda label: label.name), _render_label)


def _label(call: Call) -> Label:
    demand(call.level >= Level.REPORTER)
    found = call.project.labels.get(call.path["label_id"])
    for label in call.project.labels.values():
        if str(label.id) == call.path["label_id"]:
            found = label
    if found is None:
        raise RefusedError(404, "404 Label Not Found")
    return found


LABEL: Mapping[str, Param] = {"color": text(), "description": text(), "priority": integer()}


@endpoint("POST", LABELS, {"name": text(required=True), **LABEL, "color": text(required=True)})
def create_label(call: Call) -> Answer:
    """Make a label (doc/api/labels.md)."""
    demand(call.level >= Level.REPORTER)
    given, labels = call.params, call.project.labels
    if given["name"] in labels:
        raise RefusedError(409, "Label already exists")
    with call.world.writing():
        made = labels[given["name"]] = Label(
            id=call.world.next_id("label"),
            name=given["name"],
            color=given["color"],
            description=given.get("description"),
        )
    return Answer(status=201, body=_render_label(made))


@endpoint("GET", LABELS + "/{label_id}")
def show_label(call: Call) -> Answer:
    """Tell of a label, by number or name."""
    return Answer(body=_render_label(_label(call)))


@endpoint("PUT", LABELS + "/{label_id}", {"new_name": text(), **LABEL})
def edit_label(call: Call) -> Answer:
    """Change a label."""
    label, given = _label(call), call.params
    with call.world.writing():
        del call.project.labels[label.name]
        label.name = given.get("new_name", label.name)
        label.color = given.get("color", label.color)
        label.description = given.get("description", label.description)
        call.project.labels[label.name] = label
    return Answer(body=_render_label(label))


@endpoint("DELETE", LABELS + "/{label_id}")
def delete_label(call: Call) -> Answer:
    """Delete a label, everywhere."""
    label = _label(call)
    with call.world.writing():
        del call.project.labels[label.name]
        for mr in call.project.merge_requests.values():
            mr.labels = [each for each in mr.labels if each is not label]
    return Answer(status=204)


def _render_label(label: Label) -> dict[str, object]:
    return render_label_basic(label) | {
        "subscribed": False,
        "priority": None,
        "is_project_label": True,
    }
