"""REST: groups, and the groups that are invited to a place (doc/api/groups.md)."""

from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.kinds import change
from bot.sandbox.rest.params import PAGING, takes
from bot.sandbox.rest.places import VISIBILITY, arrange, of_group, shared_with
from bot.sandbox.rest.project_entities import render_group, render_project, render_shares
from bot.sandbox.world.access import can_read, demand, find_level, required
from bot.sandbox.world.entities import Group, GroupLink, Level, Member, Project
from bot.sandbox.world.state import RefusedError

GROUPS = takes(
    PAGING,
    text="search",
    integer="min_access_level",
    integers="skip_groups",
    flag="all_available owned top_level_only statistics",
    choices={"order_by": "name path id similarity", "sort": "asc desc", "visibility": VISIBILITY},
)


@endpoint(
    "POST",
    "/groups",
    text="name path description",
    integer="parent_id",
    required="name path",
    choices={"visibility": VISIBILITY},
)
def create_group(call: Call) -> object:
    """Make a group, whose owner the caller is."""
    given, parent = call.params, None
    if "parent_id" in given:
        parent = required(call.world.groups.get(given["parent_id"]), "404 Group Not Found")
        demand(find_level(call.user, parent, call.today) >= Level.MAINTAINER)
    path = f"{parent.full_path}/{given['path']}" if parent else given["path"]
    if call.world.is_taken(path):
        raise RefusedError(400, 'Failed to save group {:path=>["has already been taken"]}')
    with call.world.writing() as now:
        group = Group(
            id=call.world.next_id("group"),
            full_path=path,
            name=given["name"],
            created_at=now,
            visibility=given.get("visibility", parent.visibility if parent else "private"),
            parent=parent,
            description=given.get("description", ""),
        )
        group.members[call.actor.id] = Member(user=call.actor, level=Level.OWNER, created_at=now)
        call.world.add_group(group)
    return render_group(call, group)


@endpoint("PUT", "/groups/{id}", text="name description", choices={"visibility": VISIBILITY})
def edit_group(call: Call) -> object:
    """Change a group."""
    demand(call.level >= Level.OWNER)
    with call.world.writing():
        change(call, call.group, call.params)
    return render_group(call, call.group)


def _own_place(call: Call) -> Project | Group:
    least = Level.MAINTAINER if isinstance(call.place, Project) else Level.OWNER
    demand(call.level >= least)
    return call.place


SHARE = takes(integer="group_id group_access", required="group_id group_access")


@endpoint("POST", "/projects/{id}/share", SHARE)
@endpoint("POST", "/groups/{id}/share", SHARE)
def share_place(call: Call) -> object:
    """Invite a group."""
    place = _own_place(call)
    group = call.seen(call.world.groups.get(call.params["group_id"]), "Group")
    if any(each.group is group for each in place.shared_with):
        raise RefusedError(409, "Shared with group already exists")
    with call.world.writing():
        place.shared_with.append(GroupLink(group=group, level=call.params["group_access"]))
    told = {"id": group.id, "group_id": group.id, "group_access": call.params["group_access"]}
    return told | {"project_id": place.id, "expires_at": None}


@endpoint("DELETE", "/projects/{id}/share/{group_id}")
@endpoint("DELETE", "/groups/{id}/share/{group_id}")
def unshare_place(call: Call) -> None:
    """Take an invitation back."""
    place, number = _own_place(call), call.number("group_id")
    kept = [each for each in place.shared_with if each.group.id != number]
    demand(len(kept) < len(place.shared_with), 404)
    with call.world.writing():
        place.shared_with = kept


@endpoint("GET", "/groups/{id}", flag="with_projects with_custom_attributes")
def show_group(call: Call) -> object:
    """Tell of a group, with its projects unless they are not wanted."""
    group = call.group
    body = render_group(call, group) | {"shared_with_groups": render_shares(group)}
    if call.params.get("with_projects", True):
        for name, choose in (("projects", of_group), ("shared_projects", shared_with)):
            chosen = filter(choose(call), call.world.projects.values())
            seen = [each for each in chosen if can_read(call.user, each, call.today)]
            body[name] = [render_project(call, each) for each in seen]
    return body


@endpoint("GET", "/groups", GROUPS)
@endpoint("GET", "/groups/{id}/subgroups", GROUPS)
@endpoint("GET", "/groups/{id}/descendant_groups", GROUPS)
def list_groups(call: Call) -> Answer:
    """List the groups the caller may see: all, or those right below a group, or all below it."""
    groups = list(call.world.groups.values())
    if call.url.endswith("/subgroups"):
        groups = [each for each in groups if each.parent is call.group]
    elif "id" in call.path:
        groups = [each for each in groups if call.group in [*each.lineage()][1:]]
    skipped, top = call.params.get("skip_groups", ()), call.params.get("top_level_only")
    groups = [each for each in groups if each.id not in skipped and not (top and each.parent)]
    return paged(call, arrange(call, groups, "name", "asc"), lambda each: render_group(call, each))
